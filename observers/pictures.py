"""Pictures of cases as firms may see them: while the consent of the picture and that of its case say so and stand."""

from dataclasses import dataclass

from django.db.models import Exists, OuterRef
from django.urls import reverse

from consults.models import Case, Consent, Image
from observers import keys
from questions.models import Question
from rewards.models import Firm

SIZES = ("screen", "full")


@dataclass(frozen=True)
class Picture:
    """A picture of a case by its place there; `image` for what is drawn from it."""

    image: Image
    address: str
    description: str

    @property
    def number(self) -> int:
        return self.image.place

    @property
    def full_address(self) -> str:
        return f"{self.address}?size=full"


def open_to(firm: Firm):
    """The one gate between a firm and a picture: masked, not hidden, in a case open to the firm."""
    questions = Question.objects.open_to(firm).filter(pk=OuterRef("case"))
    cases = Case.objects.consented_to_observers().filter(pk=OuterRef("case"))
    consents = Consent.objects.standing().filter(for_observers=True, pk=OuterRef("consent"))
    rows = Image.objects.filter(Exists(questions), Exists(cases), Exists(consents))
    return rows.filter(state=Image.State.MASKED, hidden_at=None).in_order()


def of_case(firm: Firm, question_pk: int) -> list[Image]:
    return list(open_to(firm).filter(case=question_pk).defer("seal", "proposals", "masked_hashes"))


def address_of(firm: Firm, image: Image) -> str:
    """By the key of its discussion, since the picture's own is that of members."""
    return reverse("observers:image", args=[keys.question_key(firm, image.case_id), image.place])
