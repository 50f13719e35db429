"""Votes that a person should look at. Nothing is discarded: whichever it was in the result, nobody can tell."""

import redis
import structlog
from django.conf import settings
from django.db import transaction
from django.utils import timezone

from accounts.models import Member, User
from polls import unshown
from polls.models import Concern, Poll, Receipt
from polls.services import telling
from questions.services.moderation import rights
from sermo.crypto import keyed_hash
from sermo.errors import RuleBroken
from verification.services import events

log = structlog.get_logger(__name__)
MOST_FROM_ADDRESS = 5  # votes within an hour that raise nothing
HOUR = 3600

LEFT = "The member has left."

Kind = Concern.Kind
State = Concern.State


class AboutYourself(RuleBroken):
    message = "This is about a vote of your own. Another moderator decides."


class DecidedAlready(RuleBroken):
    message = "This has been decided already."


class DecidedByYou(RuleBroken):
    message = "You decided this. If it was wrong, another moderator takes it back."


class ReasonMissing(RuleBroken):
    message = "Say why, in a sentence. The member reads it."


class NotYours(RuleBroken):
    message = "Only the member whose vote was decided about can object."


class NothingToObjectTo(RuleBroken):
    message = "This decision does not stand any more."


class ObjectedAlready(RuleBroken):
    message = "You objected once. What another moderator decided stands."


class WordsMissing(RuleBroken):
    message = "Say what happened, in a sentence."


class NotADecision(RuleBroken):
    message = "Choose what it was."


# Raising


def look_at(
    *, poll: Poll, member: Member, seconds: float | None, address: str, other_ballot: bool = False
) -> None:
    """Note what a person should look at about a vote that was just counted. Never raises, and logs nobody's name.

    `seconds` is how long the form lay open, None if unknown; `other_ballot` says that the browser holds the ballot of
    another member's vote in this poll. Called in no transaction of the vote's.
    """
    try:
        kinds = []
        if seconds is not None and seconds < settings.POLL_LEAST_SECONDS:
            kinds.append(Kind.SPEED)
        if other_ballot:
            kinds.append(Kind.BROWSER)
        if _votes_from(address, poll.pk) > MOST_FROM_ADDRESS:
            kinds.append(Kind.ADDRESS)
        if kinds:
            _raise_concerns(poll, member, kinds)
    except Exception as error:  # a vote that was counted is not refused for this
        log.error("concern_not_raised", error=type(error).__name__)


@transaction.atomic
def _raise_concerns(poll: Poll, member: Member, kinds: list[str]) -> None:
    today = timezone.now().date()
    Concern.objects.bulk_create(
        [Concern(poll=poll, member=member, kind=kind, raised_on=today) for kind in kinds],
        ignore_conflicts=True,
    )


def _votes_from(address: str, poll_id: int) -> int:
    """How many votes in a poll have come from an address in the hour that its first one began; this one counts.

    In Redis alone, under a hash whose key is of the day, and for that hour: who knows the number cannot find the
    address, nor tomorrow the number. Whoever shares an address, as in a hospital, is counted together.
    """
    if not address:
        return 0
    day = timezone.now().date()
    name = keyed_hash(f"{poll_id} {address}", f"votes from an address on {day}")
    key = f"{settings.CACHES['default']['KEY_PREFIX']}:poll:from:{name}"
    try:
        with unshown.memory().pipeline() as line:
            line.incr(key)
            line.expire(key, HOUR, nx=True)
            return line.execute()[0]
    except redis.RedisError as error:
        log.warning("votes_from_address_not_counted", error=type(error).__name__)
        return 0


# Deciding


@transaction.atomic
def decide(*, concern: Concern, user: User, state: str, reason: str) -> Concern:
    """Say what a concern was, with a reason. What one moderator upheld, another may take back, and decides once more
    where the member objected; nothing else is decided twice.

    The vote counts either way. The member hears of an upheld concern, of what came of an objection, and when it is
    taken back. Of somebody who has left no reason is stored. Raises
    rights.NotAModerator, rights.TakesPart, AboutYourself, NotADecision, ReasonMissing, DecidedAlready, DecidedByYou.
    """
    reason = reason.strip()
    if state not in (State.UPHELD, State.DISMISSED):
        raise NotADecision
    if not reason:
        raise ReasonMissing
    events.lock_chain()
    rows = Concern.objects.select_for_update(of=("self",)).select_related("poll", "member")
    concern = rows.get(pk=concern.pk)
    check_may_decide(user, concern)
    was_upheld = concern.state == State.UPHELD
    if concern.state == State.DISMISSED or (was_upheld and state == State.UPHELD):
        raise DecidedAlready
    if is_for_another(user, concern):
        raise DecidedByYou
    has_left = concern.member.user_id is None
    concern.state, concern.reason = state, LEFT if has_left else reason
    concern.decided_by, concern.decided_at = user, timezone.now()
    concern.save(update_fields=["state", "reason", "decided_by", "decided_at"])
    events.record(kind="moderation_poll_concern", by=user, to_state=state, object=f"concern:{concern.pk}")
    if was_upheld or concern.objection or state == State.UPHELD:
        telling.of_concern(concern)
    return concern


def is_for_another(user: User, concern: Concern) -> bool:
    """Whether a moderator decided it before, so that only others may decide it now."""
    may_be_again = concern.state == State.UPHELD or (concern.state == State.OPEN and concern.objection)
    return bool(may_be_again) and concern.decided_by_id == user.pk


@transaction.atomic
def object_to(*, concern: Concern, by: Member, text: str) -> Concern:
    """Have another moderator look at what was decided about one's vote, once. Until then nothing is decided.

    Its event holds nobody. Raises NotYours, ObjectedAlready, NothingToObjectTo, WordsMissing.
    """
    events.lock_chain()
    concern = Concern.objects.select_for_update().get(pk=concern.pk)
    if concern.member_id != by.pk:
        raise NotYours
    if concern.objection:
        raise ObjectedAlready
    if concern.state != State.UPHELD:
        raise NothingToObjectTo
    if not text.strip():
        raise WordsMissing
    concern.state, concern.decided_at, concern.objection = State.OPEN, None, text.strip()
    concern.save(update_fields=["state", "decided_at", "objection"])
    events.record(kind="poll_concern_objection", object=f"concern:{concern.pk}")
    return concern


def check_may_decide(user: User, concern: Concern) -> None:
    """Raises rights.NotAModerator, AboutYourself, rights.TakesPart."""
    rights.check_moderator(user)
    if user.as_member and user.as_member.pk == concern.member_id:
        raise AboutYourself
    rights.check_no_part(user, concern.poll_id)
    if user.as_member and Receipt.objects.filter(poll=concern.poll_id, member=user.as_member).exists():
        raise rights.TakesPart("You took this poll, or looked at its result. Another moderator decides.")


def upheld_count(poll_id: int) -> int:
    """How many members' votes in a poll were found against the rules. They count; which they are nobody can tell."""
    return Concern.objects.filter(poll=poll_id, state=State.UPHELD).values("member").distinct().count()
