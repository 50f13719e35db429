"""Was the crowd right: examples worked out by hand, and what is not shown."""

from datetime import UTC, datetime, timedelta

import pytest
from django.utils import timezone

from accounts.tests.factories import make_member
from consults import crowd
from consults.crowd import Counted
from consults.models import Case, Diagnosis, Reply, Solution
from consults.tests.factories import make_case
from questions.models import Byline, Invitation, Post, Question

pytestmark = pytest.mark.django_db
DAY = timedelta(days=1)


@pytest.fixture(scope="module")
def before():
    return timezone.now()


@pytest.fixture
def members(db):
    return [make_member() for _ in range(4)]


def solved(final="lupus", confirmed="pathology", **fields):
    """A case solved after a day, nine days ago."""
    opened_at = timezone.now() - 10 * DAY
    case = make_case(images=0, opened_at=opened_at, **{"solved_at": opened_at + DAY, **fields})
    outcome = {"diagnosis": named(case, final), "confirmed": confirmed}
    Solution.objects.update_or_create(case=case, defaults=outcome)
    return case


def named(case, name):
    return Diagnosis.objects.get_or_create(case=case, key=name, defaults={"name": name})[0]


def say(case, member, name, *, after=timedelta(hours=1), **fields):
    byline, _ = Byline.objects.get_or_create(question=case.question, member=member, mode="anonymous")
    post = Post.objects.create(
        question=case.question,
        kind=Post.Kind.ANSWER,
        author=member,
        byline=byline,
        source=name,
        html=name,
        posted_at=case.question.opened_at + after,
        **fields,
    )
    return Reply.objects.create(
        post=post, case=case, member=member, diagnosis=named(case, name), confidence=70
    )


def counted():
    """(cases, right, replies, members) of each specialty."""
    rows = crowd.count(timezone.now())
    return {row.name: (row.cases, row.right, row.replies, len(row.members)) for row in rows}


OURS = "Cardiovascular Disease"


def test_the_diagnosis_most_colleagues_named_is_compared_with_the_final_one(members):
    right, wrong = solved(), solved()
    for member, name in zip(members, ("lupus", "lupus", "sepsis"), strict=False):
        say(right, member, name)
    for member, name in zip(members, ("sepsis", "sepsis", "lupus"), strict=False):
        say(wrong, member, name)

    assert counted() == {OURS: (2, 1, 6, 3)}


def test_a_tie_is_not_right(members):
    case = solved()
    say(case, members[0], "lupus")
    say(case, members[1], "sepsis")

    assert counted() == {OURS: (1, 0, 2, 2)}


def test_synonyms_are_one_diagnosis(members):
    case = solved()
    for member, name in zip(members, ("lupus", "SLE", "sepsis"), strict=False):
        say(case, member, name)
    named(case, "SLE").__class__.objects.filter(case=case, key="SLE").update(merged_into=named(case, "lupus"))

    assert counted() == {OURS: (1, 1, 3, 3)}


def test_only_the_independent_before_the_solution_have_a_say_and_each_one(members, third):
    case = solved()
    say(case, members[0], "sepsis")
    say(case, members[0], "lupus", after=timedelta(hours=2))  # the latest counts
    say(case, members[1], "sepsis", saw_others=True)
    say(case, members[2], "sepsis", after=2 * DAY)
    say(case, case.question.asker, "sepsis")
    say(case, members[3], "sepsis", removed_at=timezone.now() - 10 * DAY, removed_by="author")
    say(case, third, "sepsis", removed_at=timezone.now(), removed_by="moderator")

    assert counted() == {OURS: (1, 1, 1, 1)}


def test_what_its_author_takes_away_after_the_solution_still_counts(members):
    say(solved(), members[0], "sepsis", removed_at=timezone.now(), removed_by="author")

    assert counted() == {OURS: (1, 0, 1, 1)}


def test_cases_that_are_not_solved_for_sure_and_those_out_of_sight_are_left_out(members):
    cases = [
        solved(confirmed="unknown"),
        solved(withdrawn_at=timezone.now(), withdrawn="author"),
        solved(status="removed"),
        solved(audience="invited"),
        solved(intent="teaching"),
        solved(),
        solved(),
    ]
    Invitation.objects.create(  # opened to all later
        question=cases[-2].question, member=members[1], due_at=timezone.now() + DAY
    )
    for case in cases:
        say(case, members[0], "lupus")
    Question.objects.filter(pk=cases[-1].pk).update(solved_at=None)  # reopened
    solved()  # nobody said anything

    assert counted() == {}


def test_a_case_counts_under_the_first_of_its_specialties(members, third):
    case = solved()
    case.question.questionspecialty_set.create(specialty=third.specialty, place=2)
    say(case, members[0], "lupus")

    assert counted() == {OURS: (1, 1, 1, 1)}


def test_what_was_solved_today_is_not_in_it_yet(members):
    case = solved()
    Question.objects.filter(pk=case.pk).update(solved_at=timezone.now())
    say(case, members[0], "lupus")

    assert crowd.table() == crowd.Table()
    assert counted() == {OURS: (1, 1, 1, 1)}


def test_what_is_withdrawn_or_merged_today_moves_the_table_tomorrow(members, monkeypatch):
    monkeypatch.setattr(crowd, "LEAST", 1)
    case, other = solved(), solved()
    for one in (case, other):
        say(one, members[0], "lupus")
    noon = (timezone.now() + DAY).astimezone(UTC).replace(hour=12)
    first = crowd.table(noon)
    assert first.whole.cases == 2

    Case.objects.filter(pk=case.pk).update(withdrawn_at=timezone.now(), withdrawn="author")

    assert crowd.table(noon.replace(hour=23, minute=59)) == first
    assert crowd.table(noon + DAY).whole.cases == 1


def test_the_table_is_kept_until_midnight(members, monkeypatch):
    kept = []
    monkeypatch.setattr(crowd.cache, "add", lambda key, value, seconds: kept.append(seconds) or True)

    crowd.table(datetime(2026, 3, 1, 23, 0, tzinfo=UTC))
    crowd.table(datetime(2026, 3, 2, 0, 0, tzinfo=UTC))

    assert kept == [3_601, 86_401]


# What may be shown


def of(name, cases, members, right=0, replies=None):
    """A specialty with so many cases, and members given as a range of numbers."""
    return Counted(name, cases, right, replies or cases, frozenset(members))


def test_a_row_needs_eleven_cases_and_eleven_colleagues():
    enough = of("Enough", 11, range(11), right=8, replies=33)

    assert crowd.shown([of("Ten cases", 10, range(20))]) == crowd.Table()
    assert crowd.shown([of("Ten colleagues", 20, range(10))]) == crowd.Table()
    assert crowd.shown([enough]).rows == (crowd.Row("Enough", 11, 73, 3.0),)


def test_a_small_rest_takes_the_smallest_row_with_it():
    table = crowd.shown([of("A", 40, range(30)), of("B", 12, range(12)), of("C", 3, range(3))])

    assert [(row.name, row.cases) for row in table.rows] == [("A", 40), (crowd.OTHERS, 15)]
    assert table.whole.cases == 55


def test_a_rest_of_few_colleagues_takes_a_row_with_it_also_where_its_cases_are_many():
    table = crowd.shown([of("A", 40, range(30)), of("B", 12, range(12)), of("C", 30, range(3))])

    assert [row.name for row in table.rows] == ["A", crowd.OTHERS]


def test_where_one_row_and_a_small_rest_are_all_only_the_whole_is_shown():
    table = crowd.shown([of("A", 40, range(30)), of("B", 3, range(3))])

    assert table.rows == ()
    assert table.whole == crowd.Row("All specialties", 43, 0, 1.0)


def test_a_rest_that_is_enough_is_shown_together():
    table = crowd.shown([of("A", 40, range(30)), of("B", 7, range(8)), of("C", 7, range(8, 16))])

    assert [(row.name, row.cases) for row in table.rows] == [("A", 40), (crowd.OTHERS, 14)]


def test_no_difference_of_what_is_shown_is_small():
    """Whatever the numbers: the whole less the rows shown is nothing, or enough."""
    for size in range(1, 24):
        rows = [
            of(str(place), (place * 7 + size) % 23 + 1, range(place * 5, place * 5 + size))
            for place in range(6)
        ]
        table = crowd.shown(rows)
        if table.rows:
            rest = table.whole.cases - sum(row.cases for row in table.rows)
            assert rest == 0
            assert all(row.cases >= crowd.LEAST for row in table.rows)
