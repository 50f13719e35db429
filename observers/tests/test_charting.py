"""Charts of saved searches: what is counted, as of when, and that no number of a few can be worked out."""

from datetime import date, timedelta
from random import Random

import pytest
from django.db.models import F
from django.utils import timezone

from observers import suppression, tasks
from observers.models import Answered, Chart, FirmBlock, ImportanceFigure, VoteFigure
from observers.services import charting, searching
from observers.tests.factories import let_pass, make_contract, make_plan, make_seat
from observers.tests.speakers import make_members, speak
from questions.models import Byline, Post, Question
from questions.tests.factories import make_question
from rewards.tests.factories import make_firm

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nobody_told")]

TEXT = "We gave apixaban and saw no bleeding."


@pytest.fixture
def monday():
    """The first day of the last week that a chart has."""
    return charting.weeks_until(charting.latest_day())[-1]


@pytest.fixture
def question(physician):
    return let_pass(make_question(physician, "Which dose in dialysis?"), timedelta(days=300))


@pytest.fixture(scope="module")
def saved_of():
    def save(seat, terms="apixaban", **fields):
        return searching.save(seat=seat, name="Anticoagulation", terms=terms, **fields)

    return save


@pytest.fixture
def saved(seat, saved_of):
    return saved_of(seat)


def counted(saved, as_of=None):
    """Its chart of a day, anew if need be."""
    as_of = as_of or charting.latest_day()
    chart, _ = Chart.objects.get_or_create(search=saved, as_of=as_of)
    return charting.count(chart.pk)


def mentions(chart, monday):
    return next(week["mentions"] for week in chart.weeks if week["week"] == monday.isoformat())


class TestCounting:
    @pytest.mark.parametrize(("number", "shown"), [(10, None), (11, 10), (14, 10), (17, 15)])
    def test_a_week_says_how_many_physicians_wrote_of_it(self, saved, question, monday, number, shown):
        speak(question, make_members(number), TEXT, monday + timedelta(days=2))

        assert mentions(counted(saved), monday) == shown

    def test_one_who_writes_often_counts_once_a_week(self, saved, question, physician, monday):
        members = make_members(10)
        for place in range(3):
            another = let_pass(make_question(physician, f"And number {place}?"), timedelta(days=300))
            speak(another, members, TEXT, monday)

        assert mentions(counted(saved), monday) is None

    def test_it_has_whole_weeks_up_to_a_day_ago(self, saved, question, settings):
        chart = counted(saved)

        last = date.fromisoformat(chart.weeks[-1]["week"])
        assert len(chart.weeks) == settings.OBSERVER_WEEKS
        assert last.weekday() == 0
        assert timedelta(0) <= chart.as_of - (last + timedelta(days=7)) < timedelta(days=7)
        assert chart.as_of == timezone.now().date() - timedelta(days=1)

    def test_months_are_weeks_that_lie_in_them(self):
        assert charting.weeks_until(date(2026, 11, 22), date(2026, 11, 1)) == [
            date(2026, 11, 2),
            date(2026, 11, 9),
        ]
        assert charting.weeks_until(date(2026, 11, 2), date(2026, 11, 1)) == []

    def test_without_a_whole_week_nothing_is_counted(self, seat, saved_of):
        chart = counted(saved_of(seat, since=timezone.now().date().replace(day=1) + timedelta(days=40)))

        assert (chart.state, chart.refused) == (Chart.State.REFUSED, charting.NO_WEEK)

    def test_too_many_posts_are_not_read(self, saved, question, monday, monkeypatch):
        monkeypatch.setattr(charting, "MOST_POSTS", 11)
        speak(question, make_members(12), TEXT, monday)

        assert counted(saved).refused == charting.TOO_MANY

    def test_a_week_is_counted_once(self, saved, question):
        yesterday = charting.latest_day() - timedelta(days=1)
        monday = charting.weeks_until(yesterday)[-1]
        members = make_members(24)
        speak(question, members[:11], TEXT, monday)
        first = counted(saved, as_of=yesterday)
        speak(question, members[11:], TEXT, monday)

        assert mentions(first, monday) == mentions(counted(saved), monday) == 10

    def test_counting_twice_changes_nothing(self, saved, question, monday):
        speak(question, make_members(12), TEXT, monday)
        chart = counted(saved)

        assert charting.count(chart.pk).done_at == chart.done_at
        assert Answered.objects.count() == 1


class TestClosed:
    @pytest.fixture
    def spoken(self, question, monday):
        return speak(question, make_members(11), TEXT, monday)

    @pytest.mark.parametrize(
        "changed",
        [
            {"peers_only": True},
            {"removed_at": timezone.now(), "removed_by": "author"},
            {"folded_at": timezone.now(), "fold_reason": "other"},
            {"edited_at": timezone.now()},
        ],
    )
    def test_a_closed_post_is_not_counted(self, saved, spoken, monday, changed):
        Post.objects.filter(pk=spoken[0].pk).update(**changed)

        assert mentions(counted(saved), monday) is None

    @pytest.mark.parametrize("changed", [{"peers_only": True}, {"audience": "specialty"}])
    def test_nor_is_a_closed_discussion(self, saved, spoken, question, monday, changed):
        Question.objects.filter(pk=question.pk).update(**changed)

        assert mentions(counted(saved), monday) is None

    def test_nor_is_who_shut_the_firm_out(self, saved, spoken, firm, monday):
        FirmBlock.objects.create(member=spoken[0].author, firm=firm)

        assert mentions(counted(saved), monday) is None

    def test_nor_is_what_speaks_for_the_site_or_a_firm(self, saved, spoken, monday):
        Byline.objects.filter(pk=spoken[0].byline_id).update(mode=Byline.Mode.HOUSE)

        assert mentions(counted(saved), monday) is None

    def test_a_name_that_is_masked_is_no_mention(self, seat, saved_of, question, monday):
        members = make_members(12)
        handle = members[0].handle
        speak(question, members, f"As @{handle} said.", monday)

        assert mentions(counted(saved_of(seat, handle)), monday) is None


class TestThought:
    def test_the_share_is_of_answers_with_enough_votes_as_they_are_shown(self, saved, question, monday):
        posts = speak(question, make_members(12), TEXT, monday)
        for post, (corroborations, disputes) in zip(
            posts, [(40, 3), (11, 14), (30, 10), (10, 10)], strict=False
        ):
            VoteFigure.objects.create(post=post, corroborations=corroborations, disputes=disputes)

        chart = counted(saved)

        assert chart.weeks[-1]["share"] == chart.totals["share"] == 67  # of 40, 10 beside 10, and 30

    def test_importance_is_the_mean_of_shown_means(self, saved, question, physician, monday):
        other = let_pass(make_question(physician, "Whom do you refer?"), timedelta(days=300))
        members = make_members(12)
        for each, (raters, total) in ((question, (20, 90)), (other, (10, 10))):
            speak(each, members, TEXT, monday)
            ImportanceFigure.objects.create(question=each, raters=raters, total=total)

        assert counted(saved).weeks[-1]["importance"] == 4.5

    def test_nothing_is_said_of_a_week_that_is_not_shown(self, saved, question, monday):
        posts = speak(question, make_members(10), TEXT, monday)
        VoteFigure.objects.create(post=posts[0], corroborations=40)

        assert counted(saved).weeks[-1] == {
            "week": monday.isoformat(),
            "mentions": None,
            "share": None,
            "importance": None,
        }


class TestTotals:
    def test_a_total_is_of_the_weeks_that_are_shown(self, saved, question, monday):
        members = make_members(40)
        for weeks, number in ((0, 17), (1, 22), (2, 9)):
            speak(question, members[:number], TEXT, monday - timedelta(weeks=weeks))

        assert counted(saved).totals["mentions"] == 15 + 20
        assert counted(saved).totals["weeks"] == 2

    def test_where_none_is_shown_all_weeks_together_may_be(self, saved, question, monday):
        members = make_members(16)
        for weeks in range(4):
            speak(question, members[4 * weeks : 4 * weeks + 4], TEXT, monday - timedelta(weeks=weeks))

        assert counted(saved).totals == {"mentions": 15, "share": None, "importance": None, "weeks": 0}

    def test_not_where_a_week_must_have_somebody_then(self, seat, saved_of, question, monday, settings):
        settings.OBSERVER_WEEKS = 2
        members = make_members(20)
        for weeks in range(2):
            speak(question, members[10 * weeks : 10 * weeks + 10], TEXT, monday - timedelta(weeks=weeks))

        assert counted(saved_of(seat)).totals["mentions"] is None


class TestAudit:
    def test_words_that_find_a_few_more_say_nothing_of_them(self, seat, saved, saved_of, question, monday):
        members = make_members(25)
        speak(question, members[:21], TEXT, monday)
        speak(question, members[21:], "We gave edoxaban.", monday)

        assert mentions(counted(saved), monday) == 20
        assert mentions(counted(saved_of(seat, "apixaban or edoxaban")), monday) == 20
        assert Answered.objects.count() == 1

    def test_words_that_find_enough_more_do(self, seat, saved, saved_of, question, monday):
        members = make_members(32)
        speak(question, members[:21], TEXT, monday)
        speak(question, members[21:], "We gave edoxaban.", monday)

        counted(saved)
        assert mentions(counted(saved_of(seat, "apixaban or edoxaban")), monday) == 30

    def test_a_cell_with_a_few_outside_of_another_is_not_shown(self, seat, saved, saved_of, question, monday):
        members = make_members(40)
        speak(question, members[:30], TEXT, monday)
        speak(question, members[25:], "We gave edoxaban.", monday)

        counted(saved)
        assert mentions(counted(saved_of(seat, "edoxaban")), monday) is None

    def test_what_another_firm_was_shown_does_not_matter(self, saved, saved_of, question, monday):
        members = make_members(40)
        speak(question, members[:30], TEXT, monday)
        speak(question, members[25:], "We gave edoxaban.", monday)
        other = make_seat(make_firm(name="Other Firm"), name="N. Other")

        counted(saved)
        assert mentions(counted(saved_of(other, "edoxaban")), monday) == 15

    def test_ending_a_search_forgets_nothing(self, seat, saved, saved_of, question, monday):
        members = make_members(40)
        speak(question, members[:30], TEXT, monday)
        speak(question, members[25:], "We gave edoxaban.", monday)
        counted(saved)
        searching.end(saved=saved, seat=seat)

        assert mentions(counted(saved_of(seat, "edoxaban")), monday) is None

    def test_who_was_counted_is_kept_under_numbers_of_the_firm(self, seat, saved, question, monday):
        members = make_members(12)
        speak(question, members, TEXT, monday)
        counted(saved)

        people = set(Answered.objects.get().people)
        assert len(people) == 12
        assert not people & {member.pk for member in members}
        assert people != charting.people_of(make_firm(name="Other Firm"), [member.pk for member in members])

    def test_it_is_forgotten_after_a_while(self, seat, saved, question, monday, settings):
        speak(question, make_members(12), TEXT, monday)
        counted(saved)
        assert charting.forget() == 0

        Answered.objects.update(
            answered_on=timezone.now().date() - timedelta(days=settings.OBSERVER_REMEMBER_DAYS + 1)
        )
        charting.forget()
        assert not Answered.objects.exists()


class TestMargins:
    """A cell needs up to five more than eleven: how many is the firm's and the found posts' own."""

    @pytest.fixture
    def margin(self, monkeypatch):
        """Of cells; that of rounding is another matter."""

        def set_to(number):
            drawn = []

            def keyed(firm, cell, *parts):
                if "steps" in parts:
                    return 0
                drawn.append((firm, cell, *parts))
                return number

            monkeypatch.setattr(suppression, "keyed", keyed)
            return drawn

        return set_to

    @pytest.mark.parametrize(("more", "shown"), [(0, 10), (2, None)])
    def test_twelve_are_shown_or_not(self, saved, question, monday, margin, more, shown):
        margin(more)
        speak(question, make_members(12), TEXT, monday)

        assert mentions(counted(saved), monday) == shown

    def test_other_words_for_the_same_posts_draw_the_same(
        self, seat, saved, saved_of, question, monday, margin
    ):
        drawn = margin(5)
        speak(question, make_members(12), TEXT, monday)
        label = f"week:{monday.isoformat()}"

        counted(saved)
        counted(saved_of(seat, "apixaban or nonsense"))

        margins = {parts for parts in drawn if parts[1] == label}
        assert len(margins) == 1
        assert len(margins.pop()) == 2 + 12

    def test_a_total_stands_where_no_week_is_over_its_own(self, saved, question, monday, margin):
        margin(5)
        members = make_members(24)
        for weeks in range(2):
            speak(question, members[12 * weeks : 12 * weeks + 12], TEXT, monday - timedelta(weeks=weeks))

        assert counted(saved).totals == {"mentions": 20, "share": None, "importance": None, "weeks": 0}


class TestAsking:
    def test_a_chart_is_counted_by_a_task(self, seat, saved, question, monday):
        speak(question, make_members(12), TEXT, monday)
        chart = charting.ask(saved=saved, seat=seat)
        assert chart.state == Chart.State.WAITING

        tasks.count_charts()

        chart.refresh_from_db()
        assert chart.state == Chart.State.DONE

    def test_a_fault_at_one_keeps_no_other_waiting(self, seat, saved, saved_of, monkeypatch):
        charts = [charting.ask(saved=each, seat=seat) for each in (saved, saved_of(seat, "edoxaban"))]
        read = charting._read
        monkeypatch.setattr(charting, "_read", lambda of, days: 1 / 0 if of == saved else read(of, days))

        assert charting.count_waiting() == 1
        assert [Chart.objects.get(pk=chart.pk).state for chart in charts] == ["waiting", "done"]

    def test_what_cannot_be_counted_is_given_up_after_an_hour_and_uses_up_nothing(
        self, seat, saved, monkeypatch
    ):
        chart = charting.ask(saved=saved, seat=seat)
        monkeypatch.setattr(charting, "_read", lambda of, days: 1 / 0)
        charting.count_waiting()
        assert charting.asked_today(seat.firm) == 1

        Chart.objects.update(asked_at=F("asked_at") - charting.TRIED_FOR)
        charting.count_waiting()

        chart.refresh_from_db()
        assert (chart.state, chart.refused) == (Chart.State.REFUSED, charting.FAULT)
        Chart.objects.update(asked_at=timezone.now())
        assert charting.asked_today(seat.firm) == 0

    def test_once_a_day(self, seat, saved):
        assert charting.ask(saved=saved, seat=seat) == charting.ask(saved=saved, seat=seat)

    def test_so_many_a_day_as_the_plan_has(self, saved_of):
        firm = make_firm(name="Small Firm")
        make_contract(firm, plan=make_plan("small", charts_a_day=1))
        seat = make_seat(firm)
        charting.ask(saved=saved_of(seat), seat=seat)

        with pytest.raises(charting.ChartsUsedUp):
            charting.ask(saved=saved_of(seat, "edoxaban"), seat=seat)


@pytest.mark.parametrize("seed", range(6))
def test_random_charts_over_days_reveal_nobody(seat, saved_of, monkeypatch, seed):
    """Through the whole of deciding: weeks, totals and what is remembered; members by number are enough for it."""
    random, firm = Random(seed), seat.firm
    words = ("apixaban", "edoxaban", "apixaban or edoxaban", "warfarin or edoxaban")
    said = {
        word: [set(random.sample(range(90), random.choice((0, 8, 20, 45)))) for _ in range(5)]
        for word in ("apixaban", "edoxaban", "warfarin")
    }
    searches = [saved_of(seat, terms) for terms in words]

    def read(saved, days):
        weeks = {}
        for place, day in enumerate(days):
            members = set().union(*(said[word][place % 5] for word in saved.terms.split(" or ")))
            weeks[day] = charting.Week(members=members)
        return weeks

    monkeypatch.setattr(charting, "_read", read)
    for days_ago in (9, 8, 2, 1):
        for saved in random.sample(searches, 3):
            chart = counted(saved, as_of=charting.latest_day() - timedelta(days=days_ago))
            check_totals(chart)
        for sets in said.values():
            for members in sets:
                members ^= set(random.sample(range(90), random.randint(0, 3)))

    told = {}
    for cell, people in Answered.objects.filter(firm=firm).values_list("cell", "people"):
        told.setdefault(cell, []).append(set(people))
    for cell, sets in told.items():
        sizes = {}
        for person in set().union(*sets):
            piece = tuple(person in people for people in sets)
            sizes[piece] = sizes.get(piece, 0) + 1
        assert min(sizes.values()) >= 11, cell
    for chart in Chart.objects.all():
        for week in chart.weeks:
            numbers = {suppression.rounded(len(people), 5) for people in told.get(f"week:{week['week']}", [])}
            assert week["mentions"] is None or week["mentions"] in numbers


def check_totals(chart):
    shown = [week["mentions"] for week in chart.weeks if week["mentions"] is not None]
    assert chart.totals["weeks"] == len(shown)
    if shown:
        assert chart.totals["mentions"] == sum(shown)
