"""Which acts in a case make a moderator one who takes part there."""

from django.db.models import Exists, Q

from accounts.models import Member
from consults.models import DiagnosisVote, Marker


def part_taken(member: Member, question) -> Q:
    """Whether a member judged a diagnosis or marked a picture; for `questions.services.moderation.rights`."""
    return Q(
        Exists(DiagnosisVote.objects.filter(diagnosis__case=question, voter=member))
        | Exists(Marker.objects.filter(case=question, member=member))
    )
