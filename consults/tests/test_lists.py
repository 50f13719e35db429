"""The list of cases: whose cases stand in it, what a row says, what it costs."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Block
from accounts.tests.factories import make_member, make_specialty
from conftest import client_of
from consults.models import Case, Consent, Image
from consults.tests.factories import make_case, make_consent
from questions.models import Question, TopicMute

pytestmark = pytest.mark.django_db

LIST = "/consults/"


def text_of(client, address=LIST) -> str:
    response = client.get(address)
    assert response.status_code == 200
    return response.content.decode()


def listed(client, address=LIST) -> list[int]:
    """The cases of a page in order, by the addresses of their rows."""
    page = text_of(client, address)
    return [int(part.split("/", 1)[0]) for part in page.split('<h3><a href="/consults/')[1:]]


# Doors


def test_visitors_log_in_first_and_applicants_go_on_with_their_verification(client, applicant_client):
    assert "/accounts/login/" in client.get(LIST)["Location"]
    assert applicant_client.get(LIST)["Location"] == reverse("verification:start")


def test_staff_need_their_second_factor_first(staff):
    assert client_of(staff).get(LIST)["Location"] == "/accounts/2fa/"


def test_a_moderator_without_a_membership_reads_the_list(moderator):
    make_case()
    user = moderator.user
    moderator.user = None
    moderator.save(update_fields=["user"])

    assert len(listed(client_of(type(user).objects.get(pk=user.pk)))) == 1


def test_who_may_only_read_sees_no_way_to_post(physician):
    physician.standing = "read_only"
    physician.save(update_fields=["standing"])

    assert "New case" in text_of(client_of(make_member()))
    assert (
        reverse("consults:new") + '">' not in text_of(client_of(physician)).split("<h1>")[1].split("<nav")[0]
    )


def test_to_write_one_is_the_one_thing_to_do(physician_client):
    for _ in range(2):  # without a case, and with one
        page = text_of(physician_client).partition("<h1>")[2]
        assert f'<a class="button primary" href="{reverse("consults:new")}">' in page
        assert page.count("button primary") == 1
        make_case()


# Rows


def test_a_row_says_what_a_case_is_about(physician_client):
    case = make_case(urgency="now", care_under_way=True, ask="ekg", age_band="40-49", sex="female")
    picture = case.images.get()

    page = text_of(physician_client)

    assert (
        f'src="/consults/images/{picture.key}/?size=thumb" alt="{picture.description}" loading="lazy"' in page
    )
    for said in (
        "Female, 40s",
        "Read this EKG",
        "Unsolved",
        ">Now<",
        "Cardiovascular Disease",
        "<b>0</b> answers",
    ):
        assert said.strip("><") in page


@pytest.mark.parametrize(
    ("fields", "said", "unsaid"),
    [
        ({}, "Unsolved", ("Case study", "Solved<")),
        ({"intent": "teaching"}, "Case study", ("Unsolved</span>",)),
        ({"solved_at": timezone.now() + timedelta(days=1)}, "Solved</span>", ("Unsolved</span>",)),
        ({"urgency": "today"}, "Today</span>", ("Now</span>",)),
    ],
)
def test_its_badges_say_in_which_state_it_is(physician_client, fields, said, unsaid):
    make_case(**fields)

    row = text_of(physician_client).split("<article")[1].split("</article>")[0]

    assert said in row
    assert not [word for word in unsaid if word in row]


def test_the_thumb_is_of_the_first_picture_that_may_be_seen(physician_client):
    case = make_case(images=2)
    first, second = case.images.in_order()
    Image.objects.filter(pk=first.pk).update(hidden_at=timezone.now())

    page = text_of(physician_client)

    assert first.key not in page
    assert second.key in page


def test_without_any_picture_to_see_the_row_stays(physician_client):
    case = make_case()
    Consent.objects.filter(pk=case.consent_id).update(revoked_at=timezone.now(), revoked_by="physician")

    assert listed(physician_client) == [case.pk]
    assert case.images.get().key not in text_of(physician_client)


# Whose


def test_the_newest_stands_first_and_what_is_gone_does_not_stand_there(physician, physician_client):
    old = make_case(opened_at=timezone.now() - timedelta(days=3))
    new = make_case()
    removed, withdrawn = make_case(), make_case()
    Question.objects.filter(pk=removed.pk).update(status="removed")
    Case.objects.filter(pk=withdrawn.pk).update(withdrawn_at=timezone.now(), withdrawn="author")

    assert listed(physician_client) == [new.pk, old.pk]


def test_what_is_not_addressed_to_one_or_stands_under_a_blocked_face_or_a_muted_topic_is_left_out(physician):
    client = client_of(physician)
    for_others = make_case(make_member(specialty="Nephrology"), audience="specialty")
    blocked, muted = make_case(), make_case(make_member(specialty="Dermatology"))
    for_own = make_case(audience="specialty")
    Block.objects.create(
        blocker=physician, blocked=blocked.question.asker, blocker_face="handle", blocked_face="handle"
    )
    TopicMute.objects.create(member=physician, specialty=make_specialty("Dermatology"))

    found = listed(client)

    assert found == [for_own.pk]
    assert not {for_others.pk, blocked.pk, muted.pk} & {*found}


# Filters


def test_filters_stand_in_the_address(physician_client):
    help_wanted = make_case(ask="treat")
    solved = make_case(solved_at=timezone.now() + timedelta(minutes=1))
    teaching = make_case(make_member(specialty="Nephrology"), intent="teaching", ask="ekg")

    assert listed(physician_client, f"{LIST}?unsolved=1") == [help_wanted.pk]
    for both, tab in (("teaching", "Case studies"), ("help", "Unsolved")):
        assert f'aria-current="true">{tab}</a>' in text_of(
            physician_client, f"{LIST}?unsolved=1&intent={both}"
        )
    assert listed(physician_client, f"{LIST}?intent=teaching") == [teaching.pk]
    assert listed(physician_client, f"{LIST}?intent=help") == [solved.pk, help_wanted.pk]
    assert listed(physician_client, f"{LIST}?ask=treat") == [help_wanted.pk]
    assert listed(physician_client, f"{LIST}?specialty=nephrology") == [teaching.pk]
    assert listed(physician_client, f"{LIST}?specialty=mine&ask=what") == [solved.pk]
    assert len(listed(physician_client, f"{LIST}?specialty=nothing&intent=x&ask=y")) == 3


def test_what_nothing_matches_says_how_to_see_all(physician_client):
    assert "No case yet" in text_of(physician_client)

    make_case()

    page = text_of(physician_client, f"{LIST}?ask=refer")
    assert "No case matches" in page
    assert f'href="{LIST}">All cases' in page


def test_more_rows_follow_by_the_key_of_the_last(physician_client, settings):
    settings.CASES_PER_PAGE = 2
    cases = [make_case(opened_at=timezone.now() - timedelta(hours=hour)) for hour in range(5)]
    address, found = LIST, []

    for _ in range(3):
        page = text_of(physician_client, address)
        found += listed(physician_client, address)
        address = (
            page.split('class="more"><a class="button" href="')[1].split('"')[0]
            if "more" in page and 'class="more"' in page
            else ""
        )

    assert found == [case.pk for case in cases]
    assert not address
    assert len(listed(physician_client, f"{LIST}?after=nonsense")) == 2


# Cost


@pytest.mark.parametrize("number", [1, 20])
def test_a_page_of_it_takes_at_most_eight_queries_and_forty_kilobytes(physician_client, number):
    consent = make_consent()
    for _ in range(number):
        make_case(consent.member, images=2, consent=consent)
    text_of(physician_client)

    with CaptureQueriesContext(connection) as asked:
        response = physician_client.get(LIST)

    assert len(asked) <= 8
    assert len(response.content) <= 40_000
    assert response["Cache-Control"] == "private, no-store"


def test_other_lists_show_a_case_as_one(physician_client):
    case = make_case(urgency="now", care_under_way=True)

    for address in ("/questions/", "/"):
        page = text_of(physician_client, address)
        row = page.split(case.get_absolute_url())[0].rsplit("<article", 1)[1]
        assert '<span class="badge case">Case</span>' in row
        assert "Now</span>" in row
    assert "Today</span>" not in row
