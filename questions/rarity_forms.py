"""The warning that several details together may point to one patient. It is given once, and never in the way."""

import hashlib
from dataclasses import dataclass
from datetime import timedelta

from django import forms
from django.conf import settings
from django.utils import timezone

from accounts import faces
from accounts.models import Member
from questions.forms import AskForm
from questions.models import Draft
from sermo.identifiers.rarity import Rarity, Sign, assess, coarsened

BREAK = "\n\n"  # between the fields, which are looked at as one text
MOST_LOOKED_AT = 20_000  # characters a field; none may be longer


@dataclass(frozen=True)
class Warned:
    """What the page shows of a warning; `digest` stands for exactly these signs."""

    rarity: Rarity
    is_confirmed: bool

    @property
    def signs(self) -> list[Sign]:
        return self.rarity.signs

    @property
    def digest(self) -> str:
        return digest_of(self.rarity)

    @property
    def can_be_coarser(self) -> bool:
        return any(sign.replacement is not None for sign in self.signs)


class RarityMixin(forms.Form):
    """Holds a form back once where the texts of `rarity_fields` together may identify a patient.

    It passes with `rarity_seen` (the digest of what was warned of) or `later` (post when the event is old news). What
    the page shows is `rarity`, None where there is nothing to say.
    """

    rarity_fields = ("title", "source")
    rarity: Warned | None = None

    def shown_beside(self) -> dict[str, str]:
        """What readers see of the author beside the text, which narrows down the patient too."""
        return {}

    def clean(self):
        cleaned = super().clean()
        found = assess(_joined(self.data, self.rarity_fields), **self.shown_beside())
        if not found.is_high:
            return cleaned
        self.rarity = Warned(found, is_confirmed=self.data.get("rarity_seen") == digest_of(found))
        if not self.rarity.is_confirmed and "later" not in self.data:
            self.add_error(
                None,
                "Together some details may identify the patient. Make them coarser, wait, or confirm them below.",
            )
        return cleaned


def digest_of(rarity: Rarity) -> str:
    """A name for exactly these signs: other words need a look of their own."""
    signs = "\n".join(f"{sign.kind}:{sign.words.lower()}" for sign in rarity.signs)
    return hashlib.sha256(signs.encode()).hexdigest()[:16]


def made_coarser(data, fields=RarityMixin.rarity_fields) -> dict[str, str]:
    """The texts of a sent form with every proposed coarser value in place."""
    text = _joined(data, fields)
    parts = coarsened(text, assess(text).signs).split(BREAK, len(fields) - 1)
    return {
        field: part + data.get(field, "")[MOST_LOOKED_AT:] for field, part in zip(fields, parts, strict=True)
    }


def needs_look(draft: Draft) -> bool:
    """Whether a waiting question may identify a patient, its wait is not over, and nobody confirmed these signs."""
    if timezone.now() >= draft.saved_at + timedelta(days=settings.POST_LATER_DAYS):
        return False
    beside = beside_byline(draft.member, draft.fields.get("byline"))
    found = assess(_joined(draft.fields, RarityMixin.rarity_fields), **beside)
    return found.is_high and draft.fields.get("rarity_seen") != digest_of(found)


def _joined(data, fields) -> str:
    """The texts as one. The first is one line, so that the first break is where the second begins."""
    first, *rest = (data.get(field, "")[:MOST_LOOKED_AT] for field in fields)
    return BREAK.join([" ".join(first.split()), *(text.replace("\r\n", "\n") for text in rest)])


class AskingForm(RarityMixin, AskForm):
    """All that is asked of an asker: the question, whom to put it to, and a look at what is rare in it."""

    put_to_colleagues = forms.BooleanField(
        required=False,
        initial=True,
        label=f"Put it to colleagues\nUp to {settings.ASK_MOST} who follow or know these topics are asked. "
        "You learn how many, never who.",
    )

    def __init__(self, *args, member: Member, **kwargs):
        super().__init__(*args, member=member, **kwargs)
        self.member = member
        self.fields["tags"].widget.attrs["list"] = f"{self['tags'].id_for_label}-options"

    def shown_beside(self) -> dict[str, str]:
        return beside_byline(self.member, self.data.get("byline"))


def beside_byline(member: Member, byline: str | None) -> dict[str, str]:
    """Beside a real name stands no place; a handle leads to its page, which may show one."""
    if byline == Member.BylineMode.PUBLIC:
        return {"specialty": member.specialty.name if member.specialty else ""}
    shown = faces.shown_to_physicians(member)
    return {"state": shown.place, "specialty": shown.specialty}
