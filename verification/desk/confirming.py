"""The two steps of every decision: it is written, then confirmed on a page that says what will happen.

Both are plain forms. A decision is about what was on the page: where something came in between, the page is shown anew.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace

from django import forms

from verification import reason_templates
from verification.desk import casefile
from verification.models import Claim

CHANGED = "Something came in since you opened this page. Look at it again; what you wrote is still here."
STEPS = (
    "csrfmiddlewaretoken",
    "confirmed",
    "then",
    "seen",
    "template",
    "back",
)  # which are no part of the decision


@dataclass(frozen=True)
class Step:
    """Where a decision is. `sent` is what to send again to confirm it; without a form there is nothing to decide."""

    form: forms.Form | None = None
    is_complete: bool = False
    is_confirmed: bool = False
    sent: tuple[tuple[str, str], ...] = ()

    @property
    def status(self) -> int:
        return 422 if self.form is not None and self.form.is_bound and self.form.errors else 200

    def refused(self) -> "Step":
        return replace(self, is_complete=False, is_confirmed=False)


def step_of(request, claim: Claim, make_form: Callable[..., forms.Form]) -> Step:
    """The form of a decision in the step that a request asks for."""
    if request.method != "POST":
        return Step(make_form())
    if "back" in request.POST or "template" in request.POST:
        return Step(make_form(initial=_filled(request.POST)))
    form = make_form(request.POST)
    if not form.is_valid():
        return Step(form)
    if request.POST.get("seen", "") != casefile.fingerprint(claim):
        form.add_error(None, CHANGED)
        return Step(form)
    sent = [(name, value) for name, value in request.POST.items() if name not in STEPS]
    return Step(
        form,
        is_complete=True,
        is_confirmed="confirmed" in request.POST,
        sent=(*sent, ("seen", request.POST["seen"])),
    )


def _filled(sent) -> dict:
    """What was typed so far, with the words of the chosen template over it."""
    typed = {name: value for name, value in sent.items() if name not in STEPS}
    chosen = reason_templates.template(sent.get("template", ""))
    if chosen:
        typed |= {
            "outcome": chosen.act,
            "reason": chosen.reason,
            "message": chosen.words,
            "note": chosen.note,
        }
    return typed
