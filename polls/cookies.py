"""What a voter's browser keeps of a vote: the token and what was chosen, in a cookie that only this poll's pages get.

Nothing on the site's side knows as much. The cookie is signed for the member who voted, so that on a computer several
share nobody takes another's vote for their own; without its token, and so without the cookie, nobody makes use of it.
"""

from dataclasses import dataclass
from datetime import timedelta

from django.conf import settings
from django.urls import reverse
from django.utils.crypto import constant_time_compare, salted_hmac

from accounts.models import Member
from polls.models import Poll

KEPT_DAYS = 30  # after a poll has closed


@dataclass(frozen=True)
class Kept:
    """One's own vote, as one's browser remembers it: places of options, of a ranking in its order."""

    token: str
    choices: tuple[int, ...]


def read(request, poll_id: int, member: Member | None) -> Kept | None:
    """The vote this member cast with this browser; None also for what is no cookie of ours, or another's."""
    if member is None:
        return None
    token, _, rest = request.COOKIES.get(name_of(poll_id, member), "").partition(".")
    written, _, mark = rest.partition(".")
    if not constant_time_compare(mark, _mark(poll_id, member, token, written)):
        return None
    return Kept(token, tuple(int(place) for place in written.split("-")))


def has_any(request, poll_id: int) -> bool:
    """Whether somebody voted in this poll with this browser, whoever it was."""
    return any(name.startswith(f"ballot-{poll_id}-") for name in request.COOKIES)


def put(response, poll: Poll, member: Member, kept: Kept) -> None:
    written = "-".join(map(str, kept.choices))
    response.set_cookie(
        name_of(poll.pk, member),
        f"{kept.token}.{written}.{_mark(poll.pk, member, kept.token, written)}",
        expires=poll.closes_at + timedelta(days=KEPT_DAYS),
        path=reverse("polls:poll", args=[poll.pk]),
        secure=settings.SESSION_COOKIE_SECURE,
        httponly=True,
        samesite="Lax",
    )


def name_of(poll_id: int, member: Member) -> str:
    """One for each member, so that those who share a computer do not overwrite one another's."""
    return f"ballot-{poll_id}-{salted_hmac(f'{__name__}.name', f'{poll_id}:{member.pk}').hexdigest()[:8]}"


def _mark(poll_id: int, member: Member, token: str, written: str) -> str:
    return salted_hmac(__name__, f"{poll_id}:{member.pk}:{token}:{written}", algorithm="sha256").hexdigest()
