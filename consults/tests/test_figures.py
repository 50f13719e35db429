"""The figures of cases: equal to a slow, plain computation, hidden while few, open to physicians."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.urls import reverse
from django.utils import timezone

from accounts.leaving.ledger import Person
from accounts.personal import anonymize_member
from accounts.roles import MODERATORS
from accounts.tests.factories import make_member
from conftest import client_of
from consults import figures
from consults.tests import generated
from consults.tests.factories import make_case
from consults.words import span
from questions.models import Byline, Credit, Invitation, Post, Question

pytestmark = pytest.mark.django_db
PAGE = "/consults/figures/"
HOUR = timedelta(hours=1)


def answer(case, author, after, **fields):
    """An answer so long after the case was published."""
    byline, _ = Byline.objects.get_or_create(question=case.question, member=author, mode="anonymous")
    return Post.objects.create(
        question=case.question,
        kind=Post.Kind.ANSWER,
        author=author,
        byline=byline,
        source="An answer.",
        html="<p>An answer.</p>",
        posted_at=case.question.opened_at + after,
        **fields,
    )


def old_case(**fields):
    fields.setdefault("opened_at", timezone.now() - timedelta(days=20))
    return make_case(images=0, **fields)


def whole():
    return figures.compute()["all"].whole


# The bar


def plain(times):
    return {
        "n": times.n,
        "of": times.of,
        **{name: pytest.approx(getattr(times, name)) for name in ("median", "mean", "p90")},
        "within": [tuple(share) for share in times.within],
    }


def plain_tally(tally):
    return {
        "asked": tally.asked,
        "old": tally.old_enough,
        "here": tally.solved_here,
        "elsewhere": tally.solved_elsewhere,
        "reply": plain(tally.reply),
        "solve": plain(tally.solve),
        "steps": list(tally.steps),
    }


def check_against_reference(number):
    now = timezone.now()
    generated.generate(number, now=now)

    computed = figures.compute(now)

    expected = generated.reference(now, timezone.get_current_timezone_name())
    for name, period in computed.items():
        assert expected[name] == {
            "whole": plain_tally(period.whole),
            "specialties": {key: plain_tally(tally) for key, tally in period.by_specialty.items()},
            "hours": {key: plain_tally(tally) for key, tally in period.by_hour.items()},
            "pages": plain(period.pages),
        }
    return computed


def test_the_figures_equal_a_slow_computation_on_generated_cases():
    computed = check_against_reference(300)

    tally = computed["all"].whole
    assert min(tally.asked, tally.solved_here, tally.solved_elsewhere, tally.reply.n, tally.unanswered) > 20


@pytest.mark.scale
def test_the_figures_equal_a_slow_computation_on_ten_thousand_cases():
    check_against_reference(10_000)


# The edges, one by one


def test_the_first_reply_is_the_first_answer_that_stands_by_another_physician(colleague, third):
    case = old_case()
    answer(case, case.question.asker, HOUR)
    answer(case, colleague, 2 * HOUR, removed_at=timezone.now(), removed_by="author")
    answer(case, make_member(standing="suspended"), 3 * HOUR)
    answer(case, make_member(standing="applicant"), 3 * HOUR)
    answer(case, third, 4 * HOUR, folded_at=timezone.now(), fold_reason="other")
    answer(case, colleague, 5 * HOUR)

    assert whole().reply.median == 4 * 3600


def test_a_first_reply_stays_the_first_when_its_author_leaves(colleague, third):
    case = old_case()
    answer(case, colleague, HOUR)
    answer(case, third, 2 * HOUR)
    before = whole()

    anonymize_member(Person.of(colleague.user))

    assert whole() == before
    assert before.reply.median == 3600


@pytest.mark.parametrize("who", ["staff", "moderator"])
def test_a_reply_of_staff_or_of_a_moderator_is_none(who, colleague):
    if who == "staff":
        colleague.user.is_staff = True
        colleague.user.save(update_fields=["is_staff"])
    else:
        colleague.user.groups.add(Group.objects.get_or_create(name=MODERATORS)[0])
    answer(old_case(), colleague, HOUR)

    assert (whole().reply.n, whole().reply.of) == (0, 1)


def test_solved_here_needs_a_credited_reply_of_a_colleague(colleague):
    cases = [old_case(solved_at=timezone.now() - timedelta(days=19)) for _ in range(3)]
    Credit.objects.create(question=cases[0].question, post=answer(cases[0], colleague, HOUR), place=1)
    own = answer(cases[1], cases[1].question.asker, HOUR)
    Credit.objects.create(question=cases[1].question, post=own, place=1)
    old_case()

    tally = whole()

    assert (tally.old_enough, tally.solved_here, tally.solved_elsewhere) == (4, 1, 2)
    assert tally.solve.median == pytest.approx(86_400, abs=60)


def test_solved_and_then_not_any_more_counts_as_unsolved():
    case = old_case(solved_at=timezone.now())
    Question.objects.filter(pk=case.pk).update(solved_at=None)

    assert whole().solved == (0, 1)


def test_what_is_no_published_ask_is_not_counted(physician):
    old_case(intent="teaching")
    old_case(status="removed")
    old_case(withdrawn_at=timezone.now(), withdrawn="author")
    old_case(audience="invited")
    opened = old_case().question  # private at first
    now = timezone.now()
    Invitation.objects.create(question=opened, member=physician, due_at=now + HOUR)

    assert whole() == figures.NOTHING


def test_a_young_ask_says_nothing_of_the_solve_rate_and_nothing_of_a_day_that_is_not_over(colleague):
    case = make_case(images=0, opened_at=timezone.now() - 2 * HOUR, solved_at=timezone.now())
    answer(case, colleague, timedelta(minutes=4))

    tally = whole()

    assert tally.solved.of == 0
    assert [tuple(share) for share in tally.reply.within] == [(1, 1), (1, 1), (0, 0)]


def test_the_last_thirty_days_have_the_cases_published_in_them():
    old_case()
    old_case(opened_at=timezone.now() - timedelta(days=31))

    computed = figures.compute()

    assert (computed["month"].whole.asked, computed["all"].whole.asked) == (1, 2)


# What is hidden


def test_a_rate_is_hidden_until_thirty_and_a_time_until_five():
    assert figures.Share(10, 29).percent is None
    assert figures.Share(10, 30).percent == 33
    assert not figures.Times(4, 40, 1.0, 1.0, 1.0, ()).is_shown
    assert figures.Times(5, 40, 1.0, 1.0, 1.0, ()).is_shown


@pytest.mark.parametrize(
    ("seconds", "said"),
    [
        (20, "under 1 min"),
        (240, "4 min"),
        (18_000, "5 h"),
        (4_800, "1 h 20 min"),
        (50_000, "13 h"),
        (183_600, "2 days 3 h"),
        (86_400, "1 day"),
        (1_000_000, "11 days"),
    ],
)
def test_how_long_is_said_as_one_says_it(seconds, said):
    assert span(seconds) == said


# The page


def test_the_page_of_a_case_says_nothing_of_a_first_reply_that_the_figures_define_otherwise(
    physician_client, moderator
):
    case = make_case(images=0)
    answer(case, moderator, HOUR)
    Question.objects.filter(pk=case.pk).update(first_answer_at=case.question.opened_at + HOUR)

    page = physician_client.get(case.get_absolute_url()).content.decode()

    assert "Closes if silent" in page
    assert "First reply after" not in page


def test_visitors_and_applicants_do_not_come_in(client, applicant_client):
    assert "/accounts/login/" in client.get(PAGE)["Location"]
    assert applicant_client.get(PAGE)["Location"] == reverse("verification:start")


def test_without_a_case_the_page_says_so(physician_client):
    page = physician_client.get(PAGE).content.decode()

    assert page.count("No case was put up for help in this time.") == 3
    assert "No open ask waits" in page
    assert "Drawn once 5 asks have a first reply." in page


def test_the_page_shows_figures_with_their_n_in_few_queries(physician, django_assert_max_num_queries):
    generated.generate(300, now=timezone.now())
    client = client_of(physician)
    client.get(PAGE)  # for what is prepared once
    cache.clear()

    with django_assert_max_num_queries(8):
        page = client.get(f"{PAGE}?period=month").content.decode()

    tally = figures.compute()["all"].whole
    assert f"n = {tally.solved.of}" in page
    assert f"{tally.solved.percent}<small> %</small>" in page
    assert "What the figures mean" in page
    assert '<svg class="chart"' in page
    assert page.count('aria-current="true">Last 30 days') == 1
    assert " style=" not in page


def test_a_small_number_hides_rates_and_times(physician_client, colleague):
    for _ in range(4):
        answer(old_case(solved_at=timezone.now()), colleague, HOUR)

    page = physician_client.get(PAGE).content.decode()

    assert "hidden until n = 30" in page
    assert "n = 4 replied to, of 4" in page
    assert "1 h</dd>" not in page


def test_the_list_of_those_waiting_has_what_nobody_answered_and_the_reader_may_see(colleague, third):
    waits = old_case(title="Nobody has looked at this one")
    moderated = old_case(title="A moderator answered this one")
    third.user.groups.add(Group.objects.get_or_create(name=MODERATORS)[0])
    answer(moderated, third, HOUR)
    old_case(title="Only for connections of the asker", audience="connections")
    old_case(title="Solved without a word", solved_at=timezone.now())

    found = figures.waiting(colleague.user)

    assert [row.pk for row in found] == [waits.pk]
