"""Charts of saved searches: who spoke of it in each week, and what was thought of that. Counted apart from any request.

A chart says how things were at 00:00 UTC of a day that is over: 24 to 48 hours ago. A mention is a physician who wrote
of it in a week, however often. A week is counted once and stays as it was shown. What a total says is added up from the
weeks that are shown, so it tells nothing of others; where no week is shown, all of them together may be. From how many
physicians on a cell is shown depends on the firm and on the posts that were found, under a key: see `suppression`.

Of a search narrowed to what is solved, or is not, a week has the posts of discussions that firms know as such when it
is counted, not as of that day: a firm reads as much in its list, and the week stays.

Corroboration and importance are made of nothing but figures that a firm reads beside each post and discussion.
"""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import UTC, date, datetime, timedelta

import structlog
from django.conf import settings
from django.db import transaction
from django.db.models import QuerySet
from django.utils import timezone

from observers import figures, matching, suppression, tasks
from observers.models import Answered, Chart, FirmSearch, Seat
from observers.reading import SIGNED_BY_MEMBERS
from observers.services.contracting import hold_contract
from observers.suppression import People
from questions.models import Post
from questions.ranking.lines import midnight
from rewards.models import Firm
from sermo.background import nudge
from sermo.crypto import keyed_digest
from sermo.errors import RuleBroken

log = structlog.get_logger("sermo.observers")

State = Chart.State
WEEK = timedelta(days=7)
MOST_POSTS = 20_000  # read through for one chart
PURPOSE = "observers.answered"
TOTAL = "total"
TRIED_FOR = timedelta(hours=1)  # since it was asked for
SAME = ("firm_id", "terms", "group", "kind", "solved")  # of searches whose charts say the same
FAULT = "Something went wrong with it. It does not count as one of your plan's charts of today."
TOO_MANY = f"More than {MOST_POSTS:,} posts match. Follow rarer words, a group, or fewer months."
NO_WEEK = "No whole week lies in these months yet."


class ChartsUsedUp(RuleBroken):
    message = (
        "No chart is left today. Your plan's charts of today are counted; there are new ones at 00:00 UTC."
    )


@dataclass
class Week:
    """What was written of a search in one week, as the firm may read it."""

    members: set[int] = field(default_factory=set)
    posts: set[int] = field(default_factory=set)
    judged: list[bool] = field(default_factory=list)  # of answers with enough votes: whether corroborated
    importance: dict[int, float] = field(default_factory=dict)  # by discussion, to a tenth


# Asking


@transaction.atomic
def ask(*, saved: FirmSearch, seat: Seat) -> Chart:
    """Have a search counted as of the last day that is over for long enough; once a day. Raises NotContracted,
    ChartsUsedUp."""
    contract = hold_contract(seat.firm)
    as_of = latest_day()
    chart = Chart.objects.filter(search=saved, as_of=as_of).first()
    if chart:
        return chart
    if asked_today(seat.firm) >= contract.plan.charts_a_day:
        raise ChartsUsedUp
    chart = Chart.objects.create(search=saved, as_of=as_of)
    nudge(tasks.count_charts)
    return chart


def latest_day() -> date:
    """At whose beginning (UTC) things are counted now."""
    return timezone.now().astimezone(UTC).date() - timedelta(days=1)


def asked_today(firm: Firm) -> int:
    today = midnight(timezone.now().astimezone(UTC).date())
    asked = Chart.objects.filter(search__firm=firm, asked_at__gte=today)
    return asked.exclude(state=State.REFUSED, refused=FAULT).count()


# Counting


def count_waiting() -> int:
    """Count all charts that wait, those asked for first before others; return how many were counted."""
    waiting = Chart.objects.filter(state=State.WAITING).order_by("asked_at", "pk")
    return sum(_alone(pk) for pk in list(waiting.values_list("pk", flat=True)))


def _alone(chart: int) -> bool:
    try:
        count(chart)
    except Exception:  # the others are counted all the same, and this one by one of the next runs
        log.exception("chart_not_counted", chart=chart)
        _give_up(chart)
        return False
    return True


def _give_up(chart: int) -> None:
    """Refuse a chart that cannot be counted, once it was tried for long enough."""
    now = timezone.now()
    waiting = Chart.objects.filter(pk=chart, state=State.WAITING, asked_at__lt=now - TRIED_FOR)
    waiting.update(state=State.REFUSED, refused=FAULT, done_at=now)


def count(chart_pk: int) -> Chart:
    """Count one chart, however often this is called. The firm's charts are decided on one after the other."""
    chart = Chart.objects.select_related("search__firm").get(pk=chart_pk)
    if chart.state != State.WAITING:
        return chart
    days = weeks_until(chart.as_of, chart.search.since)
    found = _read(chart.search, days) if days else None
    return _finish(chart, days, found)


def weeks_until(as_of: date, since: date | None = None) -> list[date]:
    """The Mondays of the whole weeks that a chart has, the first one first."""
    end = as_of - timedelta(days=as_of.weekday())
    weeks = [end - WEEK * number for number in range(settings.OBSERVER_WEEKS, 0, -1)]
    return [week for week in weeks if since is None or week >= since]


def _read(saved: FirmSearch, days: list[date]) -> dict[date, Week] | None:
    """All posts of these weeks, read through; None where they are too many."""
    rows = matching.posts_of(saved).filter(
        posted_at__gte=midnight(days[0]),
        posted_at__lt=midnight(days[-1] + WEEK),
        byline__mode__in=SIGNED_BY_MEMBERS,
    )
    pks = matching.newest_of(rows, MOST_POSTS + 1)
    if len(pks) > MOST_POSTS:
        return None
    weeks: dict[date, Week] = defaultdict(Week)
    for post, _ in matching.checked(saved.firm, pks, saved.terms):
        _add(weeks[_monday(post.posted_at)], post)
    return weeks


def _monday(moment: datetime) -> date:
    day = moment.astimezone(UTC).date()
    return day - timedelta(days=day.weekday())


def _add(week: Week, post: Post) -> None:
    week.members.add(post.author_id)
    week.posts.add(post.pk)
    least, to = settings.OBSERVER_LEAST, settings.OBSERVER_ROUND
    votes, rated = getattr(post, "vote_figure", None), getattr(post.question, "importance_figure", None)
    if votes and post.takes_verdicts and max(votes.corroborations, votes.disputes) >= least:
        for_it, against = (
            suppression.rounded(number, to) if number >= least else 0
            for number in (votes.corroborations, votes.disputes)
        )
        week.judged.append(for_it > against)
    if rated and rated.raters >= least:
        week.importance[post.question_id] = float(figures.shown_mean(rated.total, rated.raters))


# Deciding what is shown


@transaction.atomic
def _finish(chart: Chart, days: list[date], found: dict[date, Week] | None) -> Chart:
    firm = Firm.objects.select_for_update(no_key=True).get(pk=chart.search.firm_id)
    chart = Chart.objects.select_for_update().select_related("search").get(pk=chart.pk)
    if chart.state != State.WAITING:
        return chart
    if found is None:
        chart.state, chart.refused = State.REFUSED, TOO_MANY if days else NO_WEEK
    else:
        chart.state = State.DONE
        chart.weeks, chart.totals = _Decision(firm, chart).of(days, found)
    chart.done_at = timezone.now()
    chart.save(update_fields=["state", "refused", "weeks", "totals", "done_at"])
    log.info("chart_counted", chart=chart.pk, firm=firm.pk, state=chart.state)
    return chart


class _Decision:
    """What a firm is shown of one chart, and what is remembered of it."""

    def __init__(self, firm: Firm, chart: Chart):
        self.firm, self.chart = firm, chart
        self.least, self.to = settings.OBSERVER_LEAST, settings.OBSERVER_ROUND
        self.shown: dict[str, list[People]] = defaultdict(list)
        for cell, people in _remembered(firm):
            self.shown[cell].append(people)
        self.before = _counted_before(chart)

    def of(self, days: list[date], found: dict[date, Week]) -> tuple[list[dict], dict]:
        weeks = [self._week(day, found.get(day) or Week()) for day in days]
        shown = [week for week in weeks if week["mentions"] is not None]
        shown_days = {week["week"] for week in shown}
        if shown:
            counted, mentions = shown_days, sum(week["mentions"] for week in shown)
        else:
            counted = {day.isoformat() for day in days}
            mentions = self._over_all([(day.isoformat(), found.get(day) or Week()) for day in days])
        rows = [week for day, week in found.items() if day.isoformat() in counted]
        thought = _thought_of(rows) if mentions is not None else NOT_SHOWN
        return weeks, {"mentions": mentions, **thought, "weeks": len(shown)}

    def _week(self, day: date, week: Week) -> dict:
        name = day.isoformat()
        mentions = self.before[name] if name in self.before else self._cell(_label(name), week)
        thought = _thought_of([week]) if mentions is not None else NOT_SHOWN
        return {"week": name, "mentions": mentions, **thought}

    def _over_all(self, weeks: list[tuple[str, Week]]) -> int | None:
        """All weeks together, where each has too few, and not so many that one of them must have somebody."""
        if any(len(week.members) >= self.least + self._margin(_label(name), week) for name, week in weeks):
            return None
        everybody = Week()
        for _, week in weeks:
            everybody.members |= week.members
            everybody.posts |= week.posts
        return self._cell(TOTAL, everybody, len(weeks))

    def _margin(self, cell: str, found: Week) -> int:
        """Of what was found, so that other words for the same posts do not draw anew."""
        return suppression.keyed(self.firm.pk, cell, *sorted(found.posts))

    def _cell(self, cell: str, found: Week, weeks: int = 0) -> int | None:
        """The number of a cell as it is shown, remembered if it is a new one."""
        people = people_of(self.firm, found.members)
        margin = self._margin(cell, found)
        told, is_new = suppression.told_of(people, self.shown[cell], self.least, margin)
        if told is None or (weeks and not suppression.may_be_over_all(len(told), weeks, self.least)):
            return None
        if is_new:
            if not suppression.may_be_beside(people, self._besides(cell), self.least):
                return None
            self.shown[cell].append(people)
            Answered.objects.create(
                firm=self.firm,
                chart=self.chart,
                cell=cell,
                people=sorted(people),
                answered_on=timezone.now().astimezone(UTC).date(),
            )
        steps = suppression.keyed(self.firm.pk, cell, "steps", *sorted(told))
        return suppression.blurred(len(told), steps, self.least, self.to)

    def _besides(self, cell: str) -> Iterable[People]:
        """Of a week the totals, and of a total the weeks."""
        others = (label for label in list(self.shown) if (label == TOTAL) != (cell == TOTAL))
        return (people for label in others for people in self.shown[label])


def _label(week: str) -> str:
    return f"week:{week}"


def _remembered(firm: Firm) -> list[tuple[str, People]]:
    rows = Answered.objects.filter(firm=firm).order_by("pk").values_list("cell", "people")
    return [(cell, frozenset(people)) for cell, people in rows]


def _counted_before(chart: Chart) -> dict[str, int | None]:
    """The mentions of weeks that the firm was shown for the same words and filters, or that it was not shown."""
    same = {f"search__{name}": getattr(chart.search, name) for name in SAME}
    charts = Chart.objects.filter(**same, state=State.DONE)
    before: dict[str, int | None] = {}
    for weeks in charts.order_by("as_of", "pk").values_list("weeks", flat=True):
        for week in weeks:
            before.setdefault(week["week"], week["mentions"])
    return before


NOT_SHOWN: dict = {"share": None, "importance": None}


def _thought_of(weeks: list[Week]) -> dict:
    """Of judged answers the share that more corroborated than disputed, and the mean importance of discussions."""
    judged = [is_so for week in weeks for is_so in week.judged]
    rated = {question: mean for week in weeks for question, mean in week.importance.items()}
    return {
        "share": round(100 * sum(judged) / len(judged)) if judged else None,
        "importance": round(sum(rated.values()) / len(rated), 1) if rated else None,
    }


def people_of(firm: Firm, members: Iterable[int]) -> People:
    """Members by numbers that are a firm's own, and lead back to nobody without the key."""
    return frozenset(
        int.from_bytes(keyed_digest(f"{firm.pk}:{member}", PURPOSE)[:8], signed=True) for member in members
    )


def forget() -> int:
    """Forget of whom cells were made that were shown so long ago, and return how many those are."""
    return answered_long_ago(timezone.now()).delete()[0]


def answered_long_ago(at: datetime) -> QuerySet[Answered]:
    before = at.astimezone(UTC).date() - timedelta(days=settings.OBSERVER_REMEMBER_DAYS)
    return Answered.objects.filter(answered_on__lt=before)
