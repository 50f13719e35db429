"""How notices of this app read: vouches."""

from django.urls import reverse

from accounts.models import Kind, Notice, User
from accounts.notice_kinds import Line, register
from verification.models import Claim


def read_vouches(notices: list[Notice], user: User) -> dict[int, Line]:
    """That a colleague vouched, to the applicant alone, and never which."""
    own = set(
        Claim.objects.filter(pk__in={notice.target for notice in notices}, user=user).values_list(
            "pk", flat=True
        )
    )
    line = Line("A colleague vouched for you", reverse("verification:start"))
    return {notice.pk: line for notice in notices if notice.target in own}


register(Kind.VOUCH, read=read_vouches)
