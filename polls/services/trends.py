"""The same poll asked again every month, so that its results can be read side by side."""

import re
from calendar import month_name, monthrange
from datetime import datetime, timedelta

import structlog
from django.conf import settings
from django.db import OperationalError, transaction
from django.utils import timezone

from accounts.models import Member, Specialty, User
from accounts.roles import is_moderator
from polls.models import Option, Poll, Trend
from polls.services import opening
from questions.models import Byline, Post, Question
from questions.services import limits, writing
from questions.services.moderation import rights
from sermo.errors import RuleBroken
from sermo.text import clip
from verification.services import events

FEWEST_WAVES, MOST_WAVES = 2, 24
MOST_DAYS = 28  # of a wave, so that none is open when the next one opens
LONGEST_TITLE = 140  # characters
NAMES = "|".join(name for name in month_name if name)
BEFORE = "in|of|since|until|till|from|by|for|during|before|after|through|this|last|next|early|mid|late"
# "May one stop it?" and "Do you march on?" name none, nor does "March of Dimes".
MONTH = re.compile(rf"\b(?:(?i:{BEFORE})[ -](?:{NAMES})|(?:{NAMES}),? (?:of )?\d{{4}})\b")
OWN_MONTH = re.compile(rf" \((?:{NAMES}) \d{{4}}\)$")  # what `title_of_wave` added
OVER = "It could not be asked again."  # all that is said where the reason is its author's own matter

log = structlog.get_logger(__name__)


class WavesOutOfBounds(RuleBroken):
    message = f"A poll is asked {FEWEST_WAVES} to {MOST_WAVES} times, counting this one."


class TooLongForAMonth(RuleBroken):
    message = f"A poll that is asked every month is open for {MOST_DAYS} days at most."


class NotYourTrend(RuleBroken):
    message = "Only the author of these polls and moderators can stop them."


class NameTakenBack(RuleBroken):
    """A name in one of the polls was masked: a handle beside it would tell that they are one member."""


class ClosedByModerator(RuleBroken):
    """A moderator closed the last poll, or its discussion."""


class LastOneIsGone(RuleBroken):
    message = "The last poll was removed."


class TopicsAreGone(RuleBroken):
    message = "Its specialties are not among the choices any more."


SAID = (LastOneIsGone, TopicsAreGone)  # reasons that everybody may read


def check(*, waves: int, days: int) -> None:
    """Raises WavesOutOfBounds, TooLongForAMonth."""
    if not FEWEST_WAVES <= waves <= MOST_WAVES:
        raise WavesOutOfBounds
    if days > MOST_DAYS:
        raise TooLongForAMonth


def begin(*, poll: Poll, waves: int, days: int) -> Trend:
    """Make a new poll the first of a trend. Raises WavesOutOfBounds, TooLongForAMonth."""
    check(waves=waves, days=days)
    trend = Trend.objects.create(
        creator_id=poll.question.asker_id, waves=waves, days=days, next_at=_next_after(poll, poll)
    )
    poll.trend, poll.wave = trend, 1
    poll.save(update_fields=["trend", "wave"])
    return trend


@transaction.atomic
def stop(*, trend: Trend, by: Member | None = None, user: User | None = None) -> Trend:
    """Open no further wave; those there are stay. Twice is as good as once.

    Its author may, and a moderator (`user`) who takes part in none of its discussions, which leaves an event. Raises
    NotYourTrend, rights.TakesPart.
    """
    is_author = by is not None and trend.creator_id == by.pk
    if not is_author:
        _check_moderates(trend, user)
        events.lock_chain()
    trend = Trend.objects.select_for_update().get(pk=trend.pk)
    if trend.next_at is not None:
        _end(trend, "Stopped by its author." if is_author else "Stopped by a moderator.")
        if not is_author:
            events.record(kind="moderation_trend_stop", by=user, object=f"trend:{trend.pk}")
    return trend


def _check_moderates(trend: Trend, user: User | None) -> None:
    if user is None or not is_moderator(user):
        raise NotYourTrend
    for poll_id in trend.polls.values_list("pk", flat=True):
        rights.check_no_part(user, poll_id)


def open_due_waves() -> int:
    """Open the next poll of each trend whose month has come; return how many were opened.

    One that cannot be opened keeps no other from it. Refused by a rule, it ends its trend with the reason; after a
    fault of the site it is tried again on the next day.
    """
    due = Trend.objects.filter(next_at__lte=timezone.now()).order_by("next_at", "pk")
    return sum(_open_alone(pk) for pk in list(due.values_list("pk", flat=True)))


def _open_alone(trend_id: int) -> bool:
    try:
        return open_wave(trend_id=trend_id) is not None
    except OperationalError as error:  # the database is busy or away; the next run tries again
        log.warning("trend_waits", trend=trend_id, error=type(error).__name__)
    except Exception as error:
        log.exception("trend_failed", trend=trend_id, error=type(error).__name__)
        _put_off_alone(trend_id)
    return False


def _put_off_alone(trend_id: int) -> None:
    try:
        with transaction.atomic():
            if trend := _lock_due(trend_id):
                _put_off(trend)
    except Exception as error:
        log.exception("trend_not_put_off", trend=trend_id, error=type(error).__name__)


@transaction.atomic
def open_wave(*, trend_id: int) -> Poll | None:
    """Open one due wave, under all rules of that day. None where it was not due, or is not to be.

    Whoever may not write on that day alone is tried again on the next. Somebody else at the same trend is left alone.
    """
    creator = Trend.objects.filter(pk=trend_id).values("creator")
    # Before the trend, as whoever leaves does.
    Member.objects.select_for_update(no_key=True).get(pk__in=creator)
    trend = _lock_due(trend_id)
    if trend is None:
        return None
    waves = list(trend.polls.select_related("question__asker__specialty").order_by("wave"))
    try:
        with transaction.atomic():
            poll = _repeat(trend, waves)
    except (limits.Held, limits.TooManyToday):
        _put_off(trend)
        return None
    except RuleBroken as refusal:
        log.info("trend_ended", trend=trend_id, reason=type(refusal).__name__)
        _end(trend, _words_of(refusal))
        return None
    if poll.wave >= trend.waves:
        trend.next_at = None
    else:
        trend.next_at = _next_after(waves[0], poll)
    trend.save(update_fields=["next_at"])
    return poll


def _next_after(first: Poll, poll: Poll) -> datetime:
    """When the wave after this one opens: on the day of the first one, in the next month, but not while this is open.

    A wave that came late does not bring the next one in its own month.
    """
    begun, opened = timezone.localtime(first.opened_at), timezone.localtime(poll.opened_at)
    months = (opened.year - begun.year) * 12 + opened.month - begun.month + 1
    return max(months_after(begun, months), poll.closes_at)


def _put_off(trend: Trend) -> None:
    trend.next_at = timezone.now() + timedelta(days=1)
    trend.save(update_fields=["next_at"])


def _lock_due(trend_id: int) -> Trend | None:
    rows = Trend.objects.select_for_update(skip_locked=True)
    return rows.filter(pk=trend_id, next_at__lte=timezone.now()).first()


def _words_of(refusal: RuleBroken) -> str:
    """Why a trend ended, as its page tells all readers: nothing of its author's license, account or names."""
    if isinstance(refusal, opening.TooFewInvited):
        return f"Fewer than {settings.POLL_LEAST_INVITED} members could have voted."
    return refusal.message if isinstance(refusal, SAID) else OVER


def _end(trend: Trend, why: str) -> None:
    trend.next_at, trend.stopped = None, why
    trend.save(update_fields=["next_at", "stopped"])


def _repeat(trend: Trend, waves: list[Poll]) -> Poll:
    """Ask the last poll again. Raises what `opening.open_poll` raises, and the refusals above."""
    first, last = waves[0], waves[-1]
    question, asker = last.question, last.question.asker
    if not asker.may_write:
        raise writing.ReadOnly
    if question.is_removed:
        raise LastOneIsGone
    if Poll.CloseReason.MODERATOR in (last.close_reason, question.close_reason):
        raise ClosedByModerator
    if Byline.Mode.MASKED in _modes(waves):
        raise NameTakenBack
    post = question.posts.select_related("byline").get(kind=Post.Kind.OPENING)
    options = list(last.options.all())
    poll = opening.open_poll(
        asker=asker,
        title=_title_after(first, last),
        source=post.source,
        specialties=_specialties(question),
        tags=[tag.name for tag in question.tags.all()],
        audience=question.audience,
        peers_only=question.peers_only or asker.peers_only,
        byline=post.byline.mode,
        byline_confirmed=True,  # what stands is as private as its author wants it, see bylines.mask_earlier
        plan=opening.Plan(
            kind=last.kind,
            options=tuple(option.text for option in options),
            days=trend.days,
            shown=last.shown,
            may_change=last.may_change,
            may_add=last.may_add,
            low_label=last.low_label,
            high_label=last.high_label,
            specialties=tuple(last.specialties),
            states=tuple(last.states),
            tiers=tuple(last.tiers),
        ),
    )
    poll.trend, poll.wave = trend, last.wave + 1
    poll.save(update_fields=["trend", "wave"])
    added = [option.place for option in options if option.is_added]
    Option.objects.filter(poll=poll, place__in=added).update(is_added=True)
    return poll


def _modes(waves: list[Poll]) -> set[str]:
    """How the polls of a trend are signed now. Whose name was taken back in one, no other may tell."""
    openings = Post.objects.filter(question__in=[poll.pk for poll in waves], kind=Post.Kind.OPENING)
    return set(openings.values_list("byline__mode", flat=True))


def _specialties(question: Question) -> list[Specialty]:
    found = list(question.specialties.filter(is_choice=True).order_by("questionspecialty__place"))
    if not found:
        raise TopicsAreGone
    return found


def _title_after(first: Poll, last: Poll) -> str:
    """The last title, which may have been corrected, with this month in the place of its own."""
    title = last.question.title
    if last != first and not MONTH.search(first.question.title):
        title = OWN_MONTH.sub("", title)
    return title_of_wave(title, timezone.localtime())


def title_of_wave(title: str, day: datetime) -> str:
    """The title with the month and year in it, unless it names a month itself."""
    if MONTH.search(title):
        return title
    month = f" ({day:%B %Y})"
    return clip(title, LONGEST_TITLE - len(month)) + month


def months_after(moment: datetime, months: int) -> datetime:
    """The same day and hour so many months later; the last day where a month has no such day."""
    year, month = divmod(moment.year * 12 + moment.month - 1 + months, 12)
    day = min(moment.day, monthrange(year, month + 1)[1])
    return moment.replace(year=year, month=month + 1, day=day)
