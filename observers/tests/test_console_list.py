"""The list of the console: what stands in it, how it is narrowed, ordered and paged, and that it is logged."""

import re
from datetime import timedelta
from itertools import product

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.tests.factories import make_member, make_specialty
from observers import listing, search
from observers.keys import post_key, question_key
from observers.models import ImportanceFigure, PeersOnlyShare, Read, VoteFigure, Way
from observers.tests.factories import let_pass, make_seat
from questions.models import Post, Question
from questions.tests.factories import make_answer, make_comment, make_question

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nobody_told")]

LIST = reverse("observers:list")


def ask(asker=None, title="How long do you hold it before the procedure?", *, days=3, **fields):
    return let_pass(make_question(asker or make_member(), title, **fields), timedelta(days=days))


def votes(post, corroborations=0, disputes=0):
    figures = {"corroborations": corroborations, "disputes": disputes}
    VoteFigure.objects.update_or_create(post=post, defaults=figures)


def rated(question, raters, total):
    ImportanceFigure.objects.update_or_create(question=question, defaults={"raters": raters, "total": total})


def shown(client, **query):
    return client.get(LIST, query).context["rows"]


def titles(client, **query):
    return [row.title for row in shown(client, **query)]


class TestRows:
    def test_a_row_says_title_alias_day_and_answers(self, seat_client, firm, physician, colleague):
        question = ask(physician)
        make_comment(make_answer(question, colleague))
        let_pass(question)

        [row] = shown(seat_client)

        assert row.title == question.title
        assert re.fullmatch(r"[A-Z][a-z]+ [a-z]+", row.alias)
        assert row.answers == 1
        assert row.opened_on == question.opened_at.date()
        assert row.url == reverse("observers:question", args=[question_key(firm, question.pk)])

    def test_answers_that_are_not_open_are_not_counted(self, seat_client, physician):
        question = ask(physician)
        answers = [make_answer(question) for _ in range(3)]
        let_pass(question)
        Post.objects.filter(pk=answers[0].pk).update(peers_only=True)
        Post.objects.filter(pk=answers[1].pk).update(posted_at=timezone.now())

        assert shown(seat_client)[0].answers == 1

    def test_votes_are_sums_of_shown_numbers_over_open_posts(self, seat_client, physician):
        question = ask(physician)
        answers = [make_answer(question) for _ in range(4)]
        let_pass(question)
        for answer, corroborations in zip(answers, (10, 19, 22, 40), strict=True):
            votes(answer, corroborations, disputes=12)
        Post.objects.filter(pk=answers[3].pk).update(peers_only=True)

        [row] = shown(seat_client)
        assert row.corroborations == "35"
        assert row.disputes == "30"

    @pytest.mark.parametrize(
        ("number", "words"), [(0, "under 11"), (1, "under 11"), (10, "under 11"), (11, "over 10"), (17, "15")]
    )
    def test_few_votes_are_no_number(self, seat_client, physician, number, words):
        question = ask(physician)
        answer = make_answer(question)
        let_pass(question)
        votes(answer, number)

        assert shown(seat_client)[0].corroborations == words

    @pytest.mark.parametrize(("raters", "total", "words"), [(10, 45, ""), (11, 46, "4.2")])
    def test_importance_is_shown_once_enough_rated(self, seat_client, physician, raters, total, words):
        rated(ask(physician), raters, total)

        assert shown(seat_client)[0].importance == words

    def test_an_article_stands_there_once_an_open_word_was_said(self, seat_client, physician, colleague):
        question = ask(physician)
        Question.objects.filter(pk=question.pk).update(kind=Question.Kind.ARTICLE)
        assert titles(seat_client) == []

        answer = make_answer(question, colleague)
        let_pass(question)
        assert titles(seat_client) == [question.title]

        Post.objects.filter(pk=answer.pk).update(peers_only=True)
        assert titles(seat_client) == []

    def test_names_in_a_title_are_masked(self, seat_client, physician, colleague):
        question = ask(physician, f"What would {colleague.handle} do before the procedure?")
        make_answer(question, colleague)
        let_pass(question)

        assert colleague.handle not in seat_client.get(LIST).content.decode()

    def test_nothing_on_the_page_is_a_number_handle_or_moment_of_members(
        self, seat_client, physician, colleague
    ):
        question = ask(physician)
        answer = make_answer(question, colleague)
        let_pass(question)

        page = seat_client.get(LIST).content.decode()

        for secret in (
            physician.handle,
            colleague.handle,
            f"/questions/{question.pk}",
            f"/posts/{answer.pk}",
        ):
            assert secret not in page
        assert not re.search(r'datetime="[^"]*T', page)


class TestOrders:
    def test_the_newest_stand_first(self, seat_client):
        made = [ask(title=f"What of number {days}?", days=days).title for days in (9, 3, 6)]

        assert titles(seat_client) == [made[1], made[2], made[0]]

    def test_the_most_important_stand_first_and_those_of_few_raters_not_at_all(self, seat_client):
        few, low, high = (ask(title=f"What of {name}?") for name in ("few", "low", "high"))
        rated(few, 10, 50)
        rated(low, 20, 50)
        rated(high, 11, 50)

        assert titles(seat_client, order="importance") == [high.title, low.title]

    def test_those_shown_as_equally_important_stand_by_age_alone(self, seat_client):
        first, second = ask(title="What of the first?"), ask(title="What of the second?")
        rated(first, 1000, 4249)
        rated(second, 1000, 4151)

        assert titles(seat_client, order="importance") == [second.title, first.title]

    def test_the_most_corroborated_stand_first_by_their_best_open_post(self, seat_client):
        questions = [ask(title=f"What of {name}?") for name in ("one", "two", "three", "none")]
        for question, numbers in zip(questions, ([12, 30], [24, 11], [13, 90], [10]), strict=True):
            answers = [make_answer(question) for _ in numbers]
            let_pass(question)
            for answer, number in zip(answers, numbers, strict=True):
                votes(answer, number)
        Post.objects.filter(vote_figure__corroborations=90).update(peers_only=True)

        assert titles(seat_client, order="corroborated") == [
            questions[0].title,
            questions[1].title,
            questions[2].title,
        ]

    def test_figures_of_this_day_change_no_order(self, seat_client):
        first, second = ask(title="What of the first?"), ask(title="What of the second?")
        rated(first, 20, 80)
        rated(second, 20, 60)
        Question.objects.filter(pk=second.pk).update(importance_sum=500, importance_count=100, importance=5)

        assert titles(seat_client, order="importance") == [first.title, second.title]


@pytest.fixture(params=[0, 1_000])
def few(request, monkeypatch):
    """Whether a list begins with what the filters leave, or with its order."""
    monkeypatch.setattr(listing, "FEW", request.param)
    monkeypatch.setattr(search, "FEW", request.param)


@pytest.mark.usefixtures("few")
class TestNarrowing:
    def test_by_the_group_a_discussion_is_put_to(self, seat_client):
        kidney = make_specialty("Nephrology", group="Internal Medicine")
        asked = ask(title="What of the kidney?", specialties=[kidney])
        ask(title="What of the skin?", specialties=[make_specialty("Dermatology", group="Dermatology")])

        assert titles(seat_client, group="internal-medicine") == [asked.title]

    def test_by_kind_and_by_whether_it_is_solved(self, seat_client):
        observed = ask(title="What was seen in the unit", kind="observation")
        solved = ask(title="What was it in the end?")
        Question.objects.filter(pk=solved.pk).update(solved_at=timezone.now() - timedelta(hours=2))

        assert titles(seat_client, kind="observation") == [observed.title]
        assert titles(seat_client, solved="yes") == [solved.title]
        assert titles(seat_client, solved="no") == [observed.title]

    @pytest.mark.parametrize("order", ["importance", "corroborated"])
    def test_in_an_order_by_figures(self, seat_client, order):
        for kind in ("question", "observation"):
            question = ask(title=f"What of this {kind}?", kind=kind)
            answer = make_answer(question)
            let_pass(question)
            votes(answer, 30)
            rated(question, 20, 60)

        assert titles(seat_client, order=order, kind="observation") == ["What of this observation?"]
        assert titles(seat_client, order=order, kind="poll") == []

    def test_what_cannot_be_chosen_is_as_if_it_were_not_there(self, seat_client):
        asked = ask()

        query = {"kind": "x' OR 1=1", "group": "no", "solved": "?", "order": "hot", "after": "A" * 22}
        assert titles(seat_client, **query) == [asked.title]


@pytest.mark.usefixtures("few")
def test_every_discussion_comes_once_whatever_the_order(seat_client, settings):
    settings.OBSERVER_ROWS_PER_PAGE = 3
    for number in range(8):
        question = ask(title=f"Which procedure is number {number}?", days=1 + number // 2)
        answer = make_answer(question)
        let_pass(question, timedelta(days=1 + number // 2))
        votes(answer, 11 + 2 * number)
        rated(question, 20, 40 + number)

    for order, q in product(listing.ORDERS, ["", "procedure"]):
        found = walked(seat_client, {"order": order, "q": q, "kind": "question"})
        assert len(found) == len(set(found)) == 8, (order, q)


def walked(client, query):
    """The titles on a page and on all that follow it, as a script fetches them."""
    found = []
    while True:
        page = client.get(LIST, query, headers={"HX-Request": "true"} if "after" in query else {})
        found += [row.title for row in page.context["rows"]]
        more = re.search(r"after=([\w-]{22})", page.context["more_url"])
        if not more:
            return found
        query["after"] = more[1]


class TestReads:
    def test_what_a_list_shows_is_logged_as_found(self, seat_client, seat, physician):
        question = ask(physician)

        seat_client.get(LIST)

        row = Read.objects.get()
        assert (row.seat, row.way, row.purpose) == (seat, Way.FOUND, seat.purpose)
        assert row.post == question.posts.get()

    def test_what_a_later_page_shows_is_logged_with_it_alone(self, seat_client, settings):
        settings.OBSERVER_ROWS_PER_PAGE = 2
        for days in (1, 2, 3):
            ask(days=days)

        page = seat_client.get(LIST)
        assert Read.objects.count() == 2
        seat_client.get(page.context["more_url"], headers={"HX-Request": "true"})
        assert Read.objects.count() == 3


class TestDoor:
    def test_nobody_without_a_seat_comes_in(self, physician_client, client):
        assert physician_client.get(LIST).status_code == 403
        assert client.get(LIST).status_code == 302

    @pytest.mark.parametrize("method", ["post", "put", "delete", "patch"])
    def test_it_is_read_alone(self, seat_client, method):
        assert getattr(seat_client, method)(LIST).status_code == 405

    def test_a_place_of_another_firm_or_of_a_post_is_no_place(self, seat_client, firm, physician):
        question = ask(physician)
        other = make_seat(name="N. Other").firm

        for key in (question_key(other, question.pk), post_key(firm, question.pk)):
            assert titles(seat_client, after=key) == [question.title]


@pytest.mark.parametrize("order", ["new", "importance", "corroborated"])
def test_nothing_follows_a_discussion_that_was_closed(seat_client, firm, order):
    """Else what follows would tell its figures."""
    other, closed = (ask(title=f"What of {name}?", days=days) for name, days in (("other", 9), ("closed", 3)))
    for question, number in ((other, 20), (closed, 40)):
        votes(question.posts.get(), number)
        rated(question, 20, 2 * number)
    place = {"order": order, "after": question_key(firm, closed.pk)}
    assert titles(seat_client, **place) == [other.title]

    Question.objects.filter(pk=closed.pk).update(peers_only=True)
    assert titles(seat_client, **place) == []


def test_what_is_withheld_is_said_as_a_share(seat_client):
    month = timezone.now().date().replace(day=1)
    PeersOnlyShare.objects.create(month=month, discussions=200, withheld=62)

    assert "About 30% of discussions this month are peers only." in seat_client.get(LIST).content.decode()


@pytest.mark.parametrize("number", [1, 12])
def test_a_page_costs_at_most_ten_queries(seat_client, number, django_assert_max_num_queries):
    for place in range(number):
        question = ask(days=place + 2)
        answer = make_answer(question)
        let_pass(question)
        votes(answer, 30)
        rated(question, 20, 70)

    for query in ({}, {"order": "importance"}, {"order": "corroborated"}, {"q": "procedure"}):
        seat_client.get(LIST, query)

        with django_assert_max_num_queries(10):
            assert len(shown(seat_client, **query)) == number
