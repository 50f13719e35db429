"""The page of a focus group on which whoever runs it chooses who pays, and sees how the money stands.

It names no participant: who earned what is on their own page, and in the books under numbers.
"""

import uuid

from django import forms
from django.http import Http404

from focusgroups import readiness
from focusgroups.desk import base, log
from focusgroups.desk.forms import SureForm
from rewards.models import Firm
from rewards.services import ledger, rooms
from rewards.words import dollars

BESIDE = {rooms.FirmNotActive: "firm", ledger.NotEnough: "firm"}


class SponsorForm(forms.Form):
    firm = forms.ModelChoiceField(
        Firm.objects.none(),
        label="Firm",
        empty_label="Choose a firm",
        help_text="Firms under contract with us. What is promised in this group is reserved from its balance.",
        error_messages=dict.fromkeys(["required", "invalid_choice"], "Choose a firm that is active here."),
    )
    is_blinded = forms.TypedChoiceField(
        label="What participants are told",
        choices=[
            ("no", "The firm, from the start\nWhoever is asked reads its name before they say yes."),
            (
                "yes",
                "Its kind, and its name when the group ends\nUntil then they read: named when the group ends.",
            ),
        ],
        coerce=lambda value: value == "yes",
        initial="no",
        widget=forms.RadioSelect(attrs={"class": "choice-card"}),
        error_messages=dict.fromkeys(["required", "invalid_choice"], "Choose one of the two."),
    )
    submission = forms.UUIDField(initial=uuid.uuid4, widget=forms.HiddenInput)

    def __init__(self, *args, **more):
        super().__init__(*args, **more)
        self.fields["firm"].queryset = Firm.objects.active()


def sponsor(request, room):
    sponsorship = rooms.sponsorship_of(room)
    standing = rooms.standing_of(sponsorship) if sponsorship else None
    promised = readiness.promised(room)
    return base.show(
        request,
        room,
        "sponsor",
        "sponsor.html",
        title="Sponsor and budget",
        sponsorship=sponsorship,
        facts=facts_of(sponsorship, standing) if sponsorship else [],
        promised=dollars(promised) if promised else "",
        acts=acts_of(room, standing),
        missing=dollars(standing.missing) if standing and _may_reserve(room, standing) else "",
    )


def facts_of(sponsorship, standing) -> list[tuple[str, str]]:
    label = sponsorship.label
    facts = [
        ("Firm", sponsorship.firm.name),
        ("Participants read", label.shown),
        ("Promised", dollars(standing.needed)),
        ("Reserved", dollars(standing.reserved)),
        ("Credited", dollars(standing.credited)),
        ("Thanks given", dollars(standing.thanked)),
    ]
    if standing.due:
        facts.append(("Not credited yet", dollars(standing.due)))
    if sponsorship.ended_at:
        facts.append(("Returned", dollars(standing.returned)))
    else:
        facts.append(("Left", dollars(standing.left)))
    return facts


def acts_of(room, standing) -> list[dict]:
    """What may be done now, as label and address; the first is what the page is for."""
    if standing is None:
        may_choose = base.is_draft(room) and readiness.promised(room)
        return [_act(room, "sponsor_choose", "Choose the sponsor")] if may_choose else []
    acts = []
    if _may_reserve(room, standing):
        acts.append(_act(room, "sponsor_reserve", "Reserve what is missing"))
    if base.is_draft(room):
        if standing.too_much and standing.needed:
            acts.append(_act(room, "sponsor_reserve", "Give back what is too much"))
        acts.append(_act(room, "sponsor_withdraw", "Withdraw"))
    return acts


def _may_reserve(room, standing) -> bool:
    return bool(standing.missing and not room.canceled_at and not standing.returned)


def _act(room, name: str, label: str) -> dict:
    return {"label": label, "address": base.address(room, name)}


def choose(request, room):
    if rooms.sponsorship_of(room) or not base.is_draft(room):
        raise Http404
    form = SponsorForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        said = form.cleaned_data
        is_done, made = base.tried(
            form,
            lambda: rooms.agree(
                room=room,
                firm=said["firm"],
                is_blinded=said["is_blinded"],
                key=said["submission"],
                by=request.user,
            ),
            BESIDE,
        )
        if is_done:
            return _done(request, room, f"{dollars(made.label.budget)} are reserved.")
    return base.show(
        request,
        room,
        "sponsor",
        "sponsor_choose.html",
        title="Choose the sponsor",
        form=form,
        promised=dollars(readiness.promised(room)),
        status=base.status_of(form),
    )


def reserve(request, room):
    sponsorship = rooms.sponsorship_of(room)
    if sponsorship is None or sponsorship.ended_at:
        raise Http404
    standing = rooms.standing_of(sponsorship)
    gives_back = base.is_draft(room) and standing.too_much
    firm = sponsorship.firm.name
    if gives_back:
        says = [f"{dollars(standing.too_much)} go back to the balance of {firm}."]
    else:
        says = [f"{dollars(standing.missing)} more are reserved from the balance of {firm}."]
    says.append(f"Then {dollars(standing.needed)} are reserved: all that is promised in this group.")
    return _confirmed(
        request,
        room,
        lambda: rooms.fit(room=room, by=request.user),
        done=lambda cents: f"{dollars(cents)} are reserved.",
        title="Give back what is too much" if gives_back else "Reserve what is missing",
        button="Give back" if gives_back else "Reserve",
        says=says,
    )


def withdraw(request, room):
    sponsorship = rooms.sponsorship_of(room)
    if sponsorship is None or not base.is_draft(room):
        raise Http404
    return _confirmed(
        request,
        room,
        lambda: rooms.withdraw(room=room, by=request.user),
        done=lambda _: "Withdrawn. What was reserved is back on the balance.",
        title="Withdraw the sponsor",
        button="Withdraw",
        says=[
            f"{dollars(sponsorship.label.budget)} go back to the balance of {sponsorship.firm.name}.",
            "Another firm, or the same on other terms, can be chosen afterwards.",
        ],
    )


def _confirmed(request, room, deed, *, done, **more):
    form = SureForm(request.POST if request.method == "POST" else None)
    if form.is_bound and form.is_valid():
        is_done, result = base.tried(form, deed)
        if is_done:
            return _done(request, room, done(result))
    return base.show(request, room, "sponsor", "confirm.html", form=form, status=base.status_of(form), **more)


def _done(request, room, words: str):
    return base.done(request, words, base.address(room, "sponsor"))


def said(room) -> str:
    sponsorship = rooms.sponsorship_of(room)
    if sponsorship is None:
        return "nobody pays, and nothing is promised"
    return f"{sponsorship.firm.name}, {dollars(sponsorship.label.budget)} reserved"


log.WORDS |= {
    "sponsor_agreed": "Chose who pays",
    "sponsor_fitted": "Fitted what is reserved to what is promised",
    "sponsor_withdrawn": "Withdrew the sponsor",
}
base.add_page(
    base.Page(
        "sponsor",
        "Sponsor",
        420,
        sponsor,
        routes=(
            base.Route("choose/", "sponsor_choose", choose, is_guarded=True),
            base.Route("reserve/", "sponsor_reserve", reserve, is_guarded=True),
            base.Route("withdraw/", "sponsor_withdraw", withdraw, is_guarded=True),
        ),
        step=readiness.MONEY,
        said=said,
    )
)
