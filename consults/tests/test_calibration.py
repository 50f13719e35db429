"""One's own calibration: what it shows, and that nobody else comes to see any of it."""

from datetime import timedelta

import pytest
from django.contrib import admin
from django.urls import get_resolver, reverse
from django.utils import timezone

from accounts.leaving import ledger
from accounts.leaving.ledger import Person
from accounts.tests.factories import make_member
from conftest import client_of
from consults.demo import solved
from consults.models import Reply
from consults.services import calibration
from consults.tests.factories import make_case, make_forecast, make_solution
from consults.tests.test_scores import TWELVE

pytestmark = pytest.mark.django_db


def make_record(member, forecasts=TWELVE):
    return [make_forecast(make_case(images=0), member, said, was_right=right) for said, right in forecasts]


def page_of(client):
    return client.get(reverse("consults:calibration"))


def test_physicians_only(client, applicant_client):
    address = reverse("consults:calibration")

    assert "/accounts/login/" in client.get(address)["Location"]
    assert applicant_client.get(address)["Location"] == reverse("verification:start")


def test_it_shows_the_figures_worked_out_by_hand(physician, physician_client):
    make_record(physician)

    response = page_of(physician_client)

    text = response.content.decode()
    assert '<dd class="value">12</dd><dd class="of">8 of them right</dd>' in text
    assert '<dd class="value">0.216</dd>' in text  # 2.59 / 12
    assert (
        "On average you said 72%, and 67% were right: surer than the outcomes were." in text
    )  # 870 / 12, 8 / 12
    for said, number, right, share in [
        (50, 2, 1, "50%"),
        (60, 2, 1, "50%"),
        (70, 3, 2, "67%"),
        (80, 2, 2, "100%"),
        (90, 2, 1, "50%"),
        (100, 1, 1, "100%"),
    ]:
        assert (
            f'<tr><th scope="row">{said}%</th><td class="n">{number}</td><td class="n">{right}</td>'
            f'<td class="n">{share}</td></tr>'
        ) in text
    assert text.count('<circle class="value-bar"') == 6
    assert 'role="img" aria-label="On average you said' in text
    assert "style=" not in text[text.index("<main") :]


def test_what_is_not_scored_is_not_there(physician, physician_client):
    make_record(physician, [(90, None)])

    text = page_of(physician_client).content.decode()

    assert "No forecast scored yet" in text
    assert "<table" not in text


def test_it_lists_ones_own_cases_and_names_none_that_is_closed_to_one(physician, physician_client):
    right, gone = make_record(physician, [(90, True), (60, False)])
    type(gone.case.question).objects.filter(pk=gone.case_id).update(audience="connections", title="Secret")

    text = page_of(physician_client).content.decode()

    assert f'href="{right.case.get_absolute_url()}"' in text
    assert "You said Erythema migrans, 90% sure." in text
    assert "Secret" not in text
    assert "A case that is not open to you any more" in text


def test_it_costs_the_same_at_any_number(physician, physician_client, django_assert_max_num_queries):
    make_record(physician)
    page_of(physician_client)

    with django_assert_max_num_queries(7):
        page_of(physician_client)


# Nobody else's


def test_everybody_sees_their_own(physician, physician_client, colleague_client, moderator):
    make_record(physician)

    for client in (colleague_client, client_of(moderator)):
        text = page_of(client).content.decode()
        assert "No forecast scored yet" in text
        assert "0.216" not in text
    for query in (f"?member={physician.pk}", f"?handle={physician.handle}", f"?user={physician.user_id}"):
        assert "0.216" not in colleague_client.get(reverse("consults:calibration") + query).content.decode()


def test_no_address_has_a_place_for_a_member():
    routes = [str(one.pattern) for one in get_resolver("consults.urls").url_patterns]

    assert [route for route in routes if "calibration" in route or "score" in route] == ["calibration/"]


def test_the_administration_has_no_replies():
    assert Reply not in admin.site._registry


def test_the_service_asks_for_one_member(physician, colleague):
    make_record(physician)

    assert sorted(calibration.forecasts_of(physician)) == sorted(TWELVE)
    assert calibration.forecasts_of(colleague) == []


def test_only_ones_own_are_exported(physician, colleague):
    make_record(physician, [(90, True)])
    make_record(colleague, [(60, False)])
    entry = next(one for one in ledger.entries() if one.model == "consults.Reply")

    said = [entry.row(row) for row in entry.rows(Person.of(physician.user))]

    assert [(row["confidence"], row["was_right"]) for row in said] == [(90, True)]


@pytest.mark.parametrize("reader", ["colleague", "moderator"])
def test_no_page_on_which_a_member_stands_says_what_their_forecasts_were_worth(request, physician, reader):
    """The case with its board, the profile, the leaderboards: the same whether all was right or all was wrong."""
    reader = request.getfixturevalue(reader)
    case = make_case(images=0)
    make_forecast(case, physician)
    forecasts = make_record(physician, [(90, True)] * 10)
    case.question.commitments.create(member=reader, how="reading")
    client = client_of(reader)
    places = [
        case.get_absolute_url(),
        physician.get_absolute_url(),
        reverse("questions:leaderboards"),
        forecasts[0].case.get_absolute_url(),
    ]

    def texts():
        return [words_of(client.get(place)) for place in places]

    right = texts()
    Reply.objects.filter(was_right=True).update(was_right=False)

    assert texts() == right


def words_of(response):
    """A page without what differs from one request to the next."""
    text = response.content.decode()
    assert response.status_code == 200
    main = text[text.index("<main") : text.index("</main>")]
    return [
        line for line in main.splitlines() if "csrfmiddlewaretoken" not in line and "submission" not in line
    ]


# The demonstration


def test_a_login_of_the_demonstration_has_a_chart():
    cardio = make_member("cardio_demo", email=solved.WHO)
    for _ in solved.FORETOLD:
        case = make_case(images=0, opened_at=timezone.now() - timedelta(days=3), solved_at=timezone.now())
        make_forecast(case, name="Tinea corporis")
        make_solution(case)

    said = []
    for _ in range(2):
        solved.seed(type("Out", (), {"write": said.append}))

    assert sorted(calibration.forecasts_of(cardio)) == sorted(solved.FORETOLD)
    assert said == [f"forecasts: 16 of {solved.WHO} scored"] * 2
    replies = Reply.objects.filter(member=cardio).select_related("post__question")
    assert all(reply.post.posted_at < reply.post.question.solved_at for reply in replies)
    assert {reply.post.question.answer_count for reply in replies} == {2}
    text = page_of(client_of(cardio)).content.decode()
    assert "surer than the outcomes were" in text
