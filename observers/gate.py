"""What the gate of firms asks that discussions cannot say: who shut a firm out, and which cases it may see."""

from django.db.models import Exists, OuterRef, Q

from consults.models import Case
from observers.models import FirmBlock
from questions.models import Question, openness
from rewards.models import Firm


def members_besides(firm: Firm):
    """The ids of members who shut a firm, or all of its kind, out."""
    return FirmBlock.objects.filter(Q(firm=firm) | Q(sector=firm.kind)).values("member")


def _without_consent() -> Q:
    """Of cases: no patient consented to observers, or the consent was withdrawn or is past its day."""
    consented = Case.objects.filter(pk=OuterRef("pk")).consented_to_observers()
    return ~Q(Exists(consented))


openness.SHUT_OUT.append(members_besides)
openness.CLOSED[Question.Kind.CASE] = _without_consent
