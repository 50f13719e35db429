"""Turns the written polls into rows. Every vote is cast as a member casts it, one after the other, so all counts are
true."""

import random
import tomllib
from contextlib import suppress
from datetime import datetime, timedelta
from itertools import product
from pathlib import Path

from django.db import connection, transaction
from django.utils import timezone

from accounts.demo_logins import DEMO_LOGINS
from accounts.models import FanOut, Kind, Member, NoticeDay, User
from accounts.roles import MODERATORS
from accounts.services import notices
from polls.models import Concern, Poll, Receipt, Sight, Sponsor, Tally, Trend
from polls.services import closing, concerns, opening, options, trends, voting
from polls.tokens import new_token
from questions.demo import seeding
from questions.models import Question
from questions.services.counting import recount_questions
from sermo.errors import RuleBroken

WRITTEN = Path(__file__).parent / "polls.toml"
SEED = 20261122
FROM_ONE_ADDRESS = 7
FEW = 15  # votes after which readers add options
EARLY = ("0-5", "6-10")
REASON = "Two colleagues of one practice vote from the same workstation, and both told us so."


def seed(stdout) -> None:
    """Write the polls and have the demonstration's physicians vote, once; a second run changes nothing.

    A run that was cut off is taken up where it ended, since votes cannot stand in one transaction.
    """
    now = timezone.now()
    cast = seeding.Cast(random.Random(SEED))  # noqa: S311 - the same every time is the purpose
    polls = _known() or _open_all(cast, now)
    crowds = [Crowd(cast.members, poll, entry) for poll, entry in polls if not poll.is_over]
    with _without_waiting():
        voted = sum(crowd.vote() for crowd in crowds)
    ended = sum(_let_time_pass(poll, entry, now) for poll, entry in polls)
    with transaction.atomic():
        decided = _decide_one()
        told = _tell(cast.members, [poll for poll, _ in polls])
        is_new = bool(voted or ended or decided or told)
        if is_new:
            seeding.close_the_silent(now)
    if not is_new:
        stdout.write("polls: here already")
        return
    stdout.write(f"polls: {len(polls)} with {voted} votes, {Concern.objects.count()} of them to look at")


class _without_waiting:
    """Let commits not wait for the disk: a machine that fails while it seeds is seeded anew."""

    def __enter__(self):
        self._set("off")

    def __exit__(self, *_):
        self._set("on")

    def _set(self, value: str) -> None:
        with connection.cursor() as cursor:
            cursor.execute(f"SET synchronous_commit = {value}")


# Opening


def _known() -> list[tuple[Poll, dict]]:
    """The polls of an earlier run that are still there."""
    rows = Poll.objects.select_related("question")
    found = []
    for entry in _written():
        title = entry.get("attached_to") or entry["title"]
        poll = rows.filter(question__title__startswith=title, wave=entry.get("wave")).first()
        if poll and not poll.question.is_removed:
            found.append((poll, entry))
    return found


@transaction.atomic
def _open_all(cast, now: datetime) -> list[tuple[Poll, dict]]:
    polls = [poll for entry in _written() for poll in _open(cast, entry, now)]
    recount_questions([poll.pk for poll, _ in polls])
    return polls


def _written() -> list[dict]:
    """The polls, the oldest first; each wave of a trend is one."""
    found = []
    for entry in tomllib.loads(WRITTEN.read_text(encoding="utf-8"))["poll"]:
        trend = entry.get("trend")
        waves = zip(trend["ages"], trend["shares"], strict=True) if trend else ()
        found += [
            {**entry, "age_days": age, "shares": shares, "wave": wave}
            for wave, (age, shares) in enumerate(waves, start=1)
        ] or [entry]
    return sorted(found, key=lambda entry: -entry["age_days"])


def _open(cast, entry: dict, now: datetime) -> list[tuple[Poll, dict]]:
    """One poll, open until tomorrow at least, so that it can be voted on. Nothing where its discussion is missing."""
    opened_at = now - timedelta(days=entry["age_days"])
    trend = Trend.objects.last() if entry.get("wave", 1) > 1 else None
    question = _question(cast, entry, now, trend)
    if question is None:
        return []
    specialties = [cast.specialties[name].pk for name in entry.get("only", [])]
    poll = opening.make(question, _plan(entry, specialties))
    poll.opened_at = opened_at
    poll.closes_at = max(opened_at + timedelta(days=entry["days"]), now + timedelta(days=1))
    if "trend" in entry:
        _put_into_trend(poll, entry, trend)
    poll.save()
    if "sponsor" in entry:
        Sponsor.objects.create(poll=poll, **entry["sponsor"])
    return [(poll, entry)]


def _question(cast, entry: dict, now: datetime, trend: Trend | None) -> Question | None:
    if "attached_to" in entry:
        return Question.objects.open().filter(title__startswith=entry["attached_to"], has_poll=False).first()
    title = entry["title"]
    if "trend" in entry:
        title = trends.title_of_wave(title, timezone.localtime(now - timedelta(days=entry["age_days"])))
    scribe = Scribe(cast, {**entry, "kind": Question.Kind.POLL, "title": title}, now)
    scribe.given = trend and trend.creator
    scribe.write()
    return scribe.question


class Scribe(seeding.Scribe):
    """Writes the discussion of a poll; the waves of a trend are all by one member."""

    given: Member | None = None

    def _speaker(self, specialty: str, mode: str) -> Member:
        if self.given and not self.speakers:
            self.speakers.add(self.given.pk)
            return self.given
        return super()._speaker(specialty, mode)


def _plan(entry: dict, specialties: list[str]) -> opening.Plan:
    return opening.Plan(
        kind=entry["ask"],
        options=tuple(entry.get("options", ())),
        days=entry["days"],
        prompt=entry.get("prompt", ""),
        shown=entry.get("shown", Poll.Shown.VOTED),
        may_change=entry.get("may_change", False),
        may_add=entry.get("may_add", False),
        low_label=entry.get("low_label", ""),
        high_label=entry.get("high_label", ""),
        specialties=tuple(specialties),
    )


def _put_into_trend(poll: Poll, entry: dict, trend: Trend | None) -> None:
    trend = trend or trends.begin(poll=poll, waves=entry["trend"]["waves"], days=entry["days"])
    poll.trend, poll.wave = trend, entry["wave"]
    first = trend.polls.order_by("wave").first()
    trend.next_at = max(trends.months_after(first.opened_at, poll.wave), timezone.now() + timedelta(days=2))
    trend.save(update_fields=["next_at"])


# Voting


class Crowd:
    """Those who take one poll, each with a choice as the weights of their specialty or years have it."""

    def __init__(self, members: list[Member], poll: Poll, entry: dict):
        self.poll, self.entry, self.options = poll, entry, 0
        self.rng = random.Random(f"{SEED} {poll.wave} {poll.question.title}")  # noqa: S311 - ditto
        moderators = set(
            _moderators().values_list("member", flat=True)
        )  # who votes cannot decide about votes
        eligible = [
            member
            for member in members
            if poll.is_for(member) and member.pk not in (poll.question.asker_id, *moderators)
        ]
        logins = [member for member in eligible if member.user.email in DEMO_LOGINS]
        others = self._in_order([member for member in eligible if member not in logins])
        takers = [member for member in logins if member.user.email in entry.get("takers", ())]
        self.voters = [*takers, *others[: entry["votes"] - len(takers)]]
        self.rng.shuffle(self.voters)
        rest = others[entry["votes"] - len(takers) :]
        self.lookers, self.adders = rest[: len(self.voters) // 25], rest[-2:]
        self.seers = rest[: len(self.voters) // 2]

    def _in_order(self, members: list[Member]) -> list[Member]:
        near = {*self.entry.get("specialties", ()), *self.entry.get("near", ())}
        weight = {member.pk: self.rng.random() + 0.6 * (member.specialty.name in near) for member in members}
        return sorted(members, key=lambda member: -weight[member.pk])

    def vote(self) -> int:
        """Have those vote who have not; return how many did."""
        taken = dict(Receipt.objects.filter(poll=self.poll).values_list("member", "kind"))
        voted = list(taken.values()).count(Receipt.Kind.VOTED)
        missing = max(len(self.voters) - voted, 0)  # who is new on the site is made to vote by no later run
        voters = [voter for voter in self.voters if voter.pk not in taken][:missing]
        if voters:
            self._see()
            self._cast(voters, voted)
        if Receipt.Kind.FORFEITED not in taken.values():
            self._look(taken)
        return len(voters)

    def _cast(self, voters: list[Member], earlier: int) -> None:
        there = set(self.poll.options.values_list("text", flat=True))
        self.options = len(there)
        waiting = [text for text in self.entry.get("added", ()) if text not in there]
        raised = list(self.entry.get("concerns", ()))
        for number, voter in enumerate(voters, start=earlier):
            if waiting and number >= FEW:
                adder = self.adders[len(waiting) - 1]
                options.add_option(poll=self.poll, member=adder, text=waiting.pop(0))
                self.options += 1
            seconds = max(3.5, self.rng.gauss(19, 9))
            choices, token = self._choices(voter), new_token()
            voting.cast(poll=self.poll, member=voter, choices=choices, token=token, seconds=seconds)
            self._look_at(voter, number, raised)

    def _look(self, taken: dict[int, str]) -> None:
        """Have some see the result for their vote, where there is one to see before the end."""
        for member in self.lookers:
            if self.poll.shown == Poll.Shown.VOTED and member.pk not in taken:
                voting.forfeit(poll=self.poll, member=member)

    def _see(self) -> None:
        sights = [Sight(poll=self.poll, member=member) for member in [*self.voters, *self.seers]]
        Sight.objects.bulk_create(sights, ignore_conflicts=True)
        Tally.objects.filter(poll=self.poll).update(seen=Sight.objects.filter(poll=self.poll).count())

    def _look_at(self, voter: Member, number: int, raised: list[str]) -> None:
        """What the desk gets to look at: a fast vote, a borrowed browser, a clinic behind one address."""
        if Concern.Kind.ADDRESS in raised:
            address = "192.0.2.44" if number < FROM_ONE_ADDRESS else ""
            concerns.look_at(poll=self.poll, member=voter, seconds=20, address=address)
        elif raised and number % 30 == 9:
            kind = raised.pop()
            concerns.look_at(
                poll=self.poll,
                member=voter,
                seconds=0.8 if kind == Concern.Kind.SPEED else 20,
                address="",
                other_ballot=kind == Concern.Kind.BROWSER,
            )

    def _weights(self, voter: Member) -> list[float]:
        by = self.entry.get("by", {})
        if voter.specialty.name in by:
            found = by[voter.specialty.name]
        elif voter.years_band in EARLY and "early" in self.entry:
            found = self.entry["early"]
        else:
            found = self.entry["shares"]
        return found[: self.options]

    def _choices(self, voter: Member) -> list[int]:
        weights = self._weights(voter)
        places = list(range(len(weights)))
        if self.poll.kind == Poll.Kind.MULTIPLE:
            chosen = [place for place in places if self.rng.random() < weights[place]]
            return chosen or self.rng.choices(places, weights)
        if self.poll.kind == Poll.Kind.RANKED:
            order = sorted(places, key=lambda place: -(self.rng.random() ** (1 / weights[place])))
            return order[: self.rng.choice([2, 3, len(order), len(order)])]
        return self.rng.choices(places, weights)


# Afterwards


def _let_time_pass(poll: Poll, entry: dict, now: datetime) -> bool:
    """Close a poll as of its day if that is past, and say whether it was closed now."""
    ended = poll.opened_at + timedelta(days=entry["days"])
    if ended >= now or poll.closed_at:
        return False
    Poll.objects.filter(pk=poll.pk).update(closes_at=ended)
    return closing.close_if_due(poll_id=poll.pk)


def _moderators():
    """The colleagues of the log-in that moderates; nobody logs in as one of them."""
    return User.objects.filter(groups__name=MODERATORS).exclude(email__in=DEMO_LOGINS).order_by("pk")


def _decide_one() -> bool:
    """Decide one concern, by whoever takes no part, and say whether that was now; the others wait for the log-in."""
    if Concern.objects.decided().exists():
        return False
    for concern, moderator in product(Concern.objects.filter(kind=Concern.Kind.BROWSER), _moderators()):
        with suppress(RuleBroken):
            concerns.decide(concern=concern, user=moderator, state=Concern.State.DISMISSED, reason=REASON)
            return True
    return False


def _tell(members: list[Member], polls: list[Poll]) -> bool:
    """Tell of results and say whether any were waiting. Only the log-ins hear, and today's alerts are free for whoever
    tries the site.
    """
    logins = [member.pk for member in members if member.user.email in DEMO_LOGINS]
    of_polls = FanOut.objects.filter(kind=Kind.POLL, target__in=[poll.pk for poll in polls], done_at=None)
    waiting = list(of_polls.order_by("pk"))
    for fan_out in waiting:
        FanOut.objects.filter(pk=fan_out.pk).update(done_at=timezone.now())
        took = Receipt.objects.filter(poll=fan_out.target, member__in=logins, kind=Receipt.Kind.VOTED)
        notices.tell(
            members=list(took.values_list("member", flat=True)),
            kind=Kind.POLL,
            target=fan_out.target,
            about=fan_out.about,
            key=fan_out.key,
        )
    if waiting:
        NoticeDay.objects.filter(member__in=logins).delete()
    return bool(waiting)
