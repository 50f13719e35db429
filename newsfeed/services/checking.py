"""Checking feeds: what became of each, and when it is asked again. Whatever goes wrong with a feed stays with it."""

import random
import re
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import Q
from django.template.loader import render_to_string
from django.urls import reverse
from django.utils import timezone

from accounts import roles
from accounts.models import Mail, User
from accounts.services import mail
from newsfeed import hosts
from newsfeed.models import Feed
from newsfeed.services import turns
from sermo import fetching
from sermo.errors import RuleBroken

if TYPE_CHECKING:
    from newsfeed.parsing.entries import Entry

log = structlog.get_logger("newsfeed.checking")

Status = Feed.Status
TOLD_AGAIN = timedelta(days=1)  # after which an operator may hear of the same feed again
SHORTEST = timedelta(minutes=30)
WEEK = timedelta(weeks=1)
COUNTED = timedelta(weeks=4)  # back from now, in which entries are counted
JITTER = 0.1
AGAIN = timedelta(days=3)  # what Crossref took in before the last check may be found late
ACCEPT = "application/atom+xml, application/rss+xml, application/rdf+xml, application/xml;q=0.9, */*;q=0.8"
MAX_AGE = re.compile(r"\bmax-age\s*=\s*\"?(\d{1,9})", re.IGNORECASE)
TTL = re.compile(rb"<ttl>\s*(\d{1,6})\s*</ttl>", re.IGNORECASE)

TEXTS = {
    401: "It asks for a login (401).",
    403: "It refuses us (403).",
    404: "There is nothing at its address (404).",
    410: "It is gone for good (410).",
    429: "It was asked too often (429).",
    503: "It is out of service (503).",
}


class NoNews(RuleBroken):
    """An answer other than 200."""

    def __init__(self, answer: fetching.Fetched):
        self.answer = answer
        usual = "It has a fault (%d)." if answer.status >= 500 else "It answered with %d."
        super().__init__(TEXTS.get(answer.status) or usual % answer.status)


class NothingFound(RuleBroken):
    message = "Nothing was found under this number."


@dataclass(frozen=True)
class Answer:
    """What came back: a feed as it was fetched, or the entries that a client made of several answers."""

    fetched: fetching.Fetched | None = None
    entries: "Sequence[Entry] | None" = None


# What is done


def due(now: datetime) -> list[int]:
    """The feeds to check now, those that have waited longest first."""
    return list(turns.due(now).order_by("next_at", "pk").values_list("pk", flat=True))


def check(*, feed_id: int) -> str:
    """Check a feed if it is due, and say what happened in a word or two. Raises NotNow where its host is busy."""
    feed = turns.due(timezone.now()).filter(pk=feed_id).first()
    return _check(feed, is_asked=False) if feed else "not due"


def check_now(*, feed: Feed) -> str:
    """Check a feed though it is not due, or disabled; where its host is busy, it becomes due."""
    try:
        return _check(feed, is_asked=True)
    except hosts.Parked:
        return "parked"
    except hosts.NotNow:
        now = timezone.now()
        Feed.objects.filter(pk=feed.pk).exclude(pk__in=turns.claimed(now)).update(next_at=now)
        return "waiting"


def interval(entries_per_week: float) -> timedelta:
    """How long to wait for about one new entry."""
    if not entries_per_week:
        return turns.BASE
    return min(max(WEEK / entries_per_week, SHORTEST), turns.LONGEST)


def weekly(moments: "Sequence[datetime | None]", now: datetime) -> float:
    """Entries a week, by those of the last weeks as far as the list goes back."""
    past = [moment for moment in moments if moment and moment <= now]
    recent = [moment for moment in past if moment > now - COUNTED]
    if not recent:
        return 0.25 if past else 0
    reach = min(now - min(past), COUNTED)
    return len(recent) * (WEEK / max(reach, timedelta(days=1)))


# Checking


def _check(feed: Feed, *, is_asked: bool) -> str:
    try:
        host = turns.host_of(feed)
    except fetching.FetchRefused as refusal:
        return _fail(feed, str(refusal))
    claim = None
    try:
        with hosts.visit(host) as visit:
            claim = _claim(feed.pk, is_asked=is_asked)
            if isinstance(claim, str):
                return claim
            result = _ask(claim.feed, visit)
        word = _take_in(claim.feed, result) if isinstance(result, Answer) else result
        if word == "not kept":
            claim.give_back()
        return word
    except (hosts.NotNow, KeyboardInterrupt, SystemExit) as stop:
        if isinstance(claim, turns.Claim):
            claim.give_back()
        if isinstance(stop, hosts.Parked):
            later = timezone.now() + timedelta(seconds=stop.seconds)
            Feed.objects.filter(pk=feed.pk, next_at__lt=later).update(next_at=later)
        raise


@transaction.atomic
def _claim(feed_id: int, *, is_asked: bool) -> turns.Claim | str:
    """The claim, or what became of the feed without a check: somebody else is at it, or it killed too many."""
    now = timezone.now()
    unclaimed = Feed.objects.select_related("source").exclude(pk__in=turns.claimed(now))
    rows = unclaimed if is_asked else turns.due(now)
    feed = rows.select_for_update(skip_locked=True, of=("self",)).filter(pk=feed_id).first()
    if feed is None:
        return "not due"
    if feed.failures >= settings.NEWS_DISABLED_AFTER and feed.error == turns.UNENDED and not is_asked:
        return _disable(feed, now)
    failures = min(feed.failures + 1, turns.MOST_FAILURES)
    claim = turns.Claim(feed, now + turns.back_off(failures))
    status = feed.status if feed.status == Status.DISABLED else Status.FAILING
    Feed.objects.filter(pk=feed_id).update(
        next_at=claim.until, failures=failures, error=turns.UNENDED, status=status
    )
    return claim


def _ask(feed: Feed, visit: hosts.Visit) -> "Answer | str":
    """What the feed answered, or what became of it where that was no news."""
    with _harmless(feed) as outcome:
        if feed.kind == Feed.Kind.FEED:
            return Answer(fetched=_fetch(feed, visit))
        return Answer(entries=_ask_client(feed, visit))
    return outcome.word


def _take_in(feed: Feed, answer: Answer) -> str:
    from newsfeed.parsing.feeds import read_feed
    from newsfeed.services import ingesting, mapping

    with _harmless(feed) as outcome:
        fetched, entries = answer.fetched, answer.entries
        if fetched and fetched.status == 304:
            return _succeed(feed, answer, entries=None, is_news=False)
        if entries is None:
            headers = {**fetched.headers, "content-location": fetched.url}  # where relative links start
            entries = read_feed(fetched.body, headers, item_kind=feed.source.item_kind, now=timezone.now())
        elif not entries and not feed.sightings.exists():
            raise NothingFound
        tally = ingesting.ingest(feed=feed, entries=entries)
        mapping.catch_up(feed=feed, guids=[entry.guid for entry in entries])
        return _succeed(feed, answer, entries=entries, is_news=bool(tally.new or tally.changed))
    return outcome.word


@dataclass
class _Outcome:
    word: str = ""


@contextmanager
def _harmless(feed: Feed) -> Iterator[_Outcome]:
    """Whatever goes wrong inside is a failure of the feed, and of nothing else."""
    outcome = _Outcome()
    try:
        yield outcome
    except hosts.NotNow:
        raise
    except NoNews as trouble:
        outcome.word = _fail_by_answer(feed, trouble)
    except RuleBroken as trouble:
        outcome.word = _fail(feed, str(trouble))
    except Exception as error:
        log.exception("feed_check_broke", feed=feed.pk)
        outcome.word = _fail(feed, f"Reading it failed here ({type(error).__name__}).")


def _fetch(feed: Feed, visit: hosts.Visit) -> fetching.Fetched:
    known = _validators(feed)
    answer = fetching.fetch(feed.address, headers={"Accept": ACCEPT, **known}, before_hop=visit.go_to)
    if answer.status != 200 and not (answer.status == 304 and known):
        raise NoNews(answer)
    return answer


def _validators(feed: Feed) -> dict[str, str]:
    """By which the publisher sees that we know what there is. They are worth something at one address only."""
    if feed.validated_address != feed.address:
        return {}
    if feed.etag:
        return {"If-None-Match": feed.etag}
    return {"If-Modified-Since": feed.last_modified} if feed.last_modified else {}


def _ask_client(feed: Feed, visit: hosts.Visit) -> "Sequence[Entry]":
    from newsfeed import clients

    asked = []

    def fetch(url: str) -> fetching.Fetched:
        if asked:
            visit.pause()
        asked.append(url)
        answer = fetching.fetch(url, before_hop=visit.go_to)
        if answer.status != 200:
            raise NoNews(answer)
        return answer

    if feed.kind == Feed.Kind.PUBMED:
        return clients.pubmed(feed.address, fetch=fetch)
    return clients.crossref(feed.address, fetch=fetch, since=feed.read_at and feed.read_at - AGAIN)


# Writing down what became of it


@transaction.atomic
def _succeed(feed: Feed, answer: Answer, *, entries: "Sequence[Entry] | None", is_news: bool) -> str:
    now = timezone.now()
    row = _locked(feed)
    if row is None:
        return "not kept"
    fetched = answer.fetched
    if entries is not None:
        row.entries_per_week = weekly([entry.published_at for entry in entries], now)
        row.last_entries = len(entries)
    if fetched and fetched.status == 200:
        _keep_validators(row, fetched, is_whole=entries.is_whole)
    row.status = Status.OK if is_news else Status.UNCHANGED
    row.status_code = fetched.status if fetched else 200
    row.error, row.failures, row.disabled_at = "", 0, None
    row.checked_at = row.read_at = now
    floor = _asked_to_wait(fetched) if fetched else timedelta()
    row.next_at = now + max(_about(interval(row.entries_per_week)), floor)
    if fetched:
        _move(row, fetched.permanent_url or "")
    row.save()
    return "read" if is_news else "unchanged"


def _keep_validators(row: Feed, fetched: fetching.Fetched, *, is_whole: bool) -> None:
    """Of a feed that was cut off none, or its publisher would say that we know what there is."""
    headers = fetched.headers if is_whole else {}
    row.etag = _short(headers.get("etag", ""), 300)
    row.last_modified = _short(headers.get("last-modified", ""), 60)
    row.validated_address = row.address


def _move(row: Feed, permanent_url: str) -> None:
    """To where it was sent on for good twice in a row; what is known of the old address says nothing there."""
    moved = permanent_url if permanent_url != row.address and len(permanent_url) <= 600 else ""
    is_taken = Feed.objects.filter(kind=row.kind, address=moved).exists()
    if moved and moved == row.moved_to and not is_taken:
        log.info("feed_moved", feed=row.pk)
        row.address, row.moved_to = moved, ""
        row.validated_address = row.etag = row.last_modified = ""
    else:
        row.moved_to = moved


def _fail_by_answer(feed: Feed, trouble: NoNews) -> str:
    answer, until = trouble.answer, None
    if answer.status in (429, 503):
        until = hosts.retry_after(answer.headers.get("retry-after", ""), timezone.now())
    if until:
        hosts.park(fetching.host_of(answer.url), until=until, why=str(trouble))
    return _fail(feed, str(trouble), code=answer.status, until=until)


@transaction.atomic
def _fail(feed: Feed, error: str, *, code: int | None = None, until: datetime | None = None) -> str:
    now = timezone.now()
    row = _locked(feed)
    if row is None:
        return "not kept"
    was_disabled = row.status == Status.DISABLED
    if row.error != turns.UNENDED:  # else the claim counted it
        row.failures = min(row.failures + 1, turns.MOST_FAILURES)
    row.error, row.status_code, row.checked_at, row.moved_to = _clip(error), code, now, ""
    row.next_at = max(now + _about(turns.back_off(row.failures)), until or now)
    if was_disabled or code == 410 or row.failures >= settings.NEWS_DISABLED_AFTER:
        row.status, row.disabled_at = Status.DISABLED, row.disabled_at or now
    else:
        row.status = Status.FAILING
    row.save()
    log.warning("feed_failed", feed=row.pk, code=code, failures=row.failures, disabled=bool(row.disabled_at))
    if row.disabled_at and not was_disabled:
        _tell_operators(row)
    return "disabled" if row.disabled_at else "failed"


def _disable(row: Feed, now: datetime) -> str:
    """A locked feed whose checks all died."""
    row.status, row.disabled_at = Status.DISABLED, now
    row.save(update_fields=["status", "disabled_at"])
    log.warning("feed_check_died", feed=row.pk, failures=row.failures)
    _tell_operators(row)
    return "disabled"


def _locked(feed: Feed) -> Feed | None:
    """The row as it is now; None where an operator deleted it, or changed what it reads, while it was read."""
    rows = Feed.objects.select_for_update(of=("self",)).select_related("source")
    return rows.filter(pk=feed.pk, kind=feed.kind, address=feed.address).first()


def _tell_operators(feed: Feed) -> None:
    """Each news editor and superuser, once a day about one feed, however often that goes on and off."""
    link = settings.SITE_URL + reverse("admin:newsfeed_feed_change", args=[feed.pk])
    others = feed.source.feeds.filter(is_on=True, is_beside=False).exclude(status=Status.DISABLED)
    text = render_to_string(
        "newsfeed/mail/feed_disabled.txt",
        {
            "feed": feed,
            "link": link,
            "stands_in": others.exclude(pk=feed.pk).exists(),
        },
    )
    users = User.objects.filter(Q(is_superuser=True) | Q(groups__name=roles.NEWS_EDITORS), is_active=True)
    lately = Mail.objects.filter(user__in=users, due_at__gt=timezone.now() - TOLD_AGAIN)
    told = lately.filter(text__contains=link).values_list("user", flat=True)
    for user in users.exclude(pk__in=list(told)).distinct():
        mail.queue(user, f"A news feed stopped: {feed.source.short_name}", text)


def _about(wait: timedelta) -> timedelta:
    """A little more or less, so that feeds added together do not stay together."""
    return wait * random.uniform(1 - JITTER, 1 + JITTER)  # noqa: S311 - not a secret


def _asked_to_wait(fetched: fetching.Fetched) -> timedelta:
    """The least that a publisher asks for, at most a day."""
    age = MAX_AGE.search(fetched.headers.get("cache-control", ""))
    ttl = TTL.search(fetched.body[:20_000])
    seconds = max(int(age[1]) if age else 0, int(ttl[1]) * 60 if ttl else 0)
    return min(timedelta(seconds=seconds), turns.LONGEST)


def _short(value: str, most: int) -> str:
    """A validator that is too long is worth nothing cut, and one that is not ASCII cannot be sent."""
    return value if value.isascii() and len(value) <= most else ""


def _clip(text: str) -> str:
    return " ".join(text.split())[:300]
