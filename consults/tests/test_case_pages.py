"""The page of a case: who gets in, what stands on it, what is kept back, what it costs."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Block
from accounts.tests.factories import make_member
from conftest import client_of
from consults.models import Case, Consent, Image
from consults.tests.factories import make_case, make_consent, make_image
from consults.tests.test_markers import make_mark
from questions.models import Commitment, Post, Question
from questions.services.committing import open_for_reading
from questions.tests.factories import make_answer, make_question

pytestmark = pytest.mark.django_db


def text_of(client, case, query="") -> str:
    response = client.get(f"{case.get_absolute_url()}{query}")
    assert response.status_code == 200
    return response.content.decode()


# Doors and addresses


@pytest.mark.parametrize("name", ["case", "look"])
def test_visitors_log_in_first_and_applicants_go_on_with_their_verification(client, applicant_client, name):
    case = make_case()
    address = reverse(f"consults:{name}", args=[case.pk, case.question.slug])

    assert "/accounts/login/" in client.get(address)["Location"]
    assert applicant_client.get(address)["Location"] == reverse("verification:start")


@pytest.mark.parametrize("audience", ["connections", "specialty"])
def test_a_case_for_others_does_not_exist(physician_client, audience):
    case = make_case(make_member(specialty="Nephrology"), audience=audience, intent="teaching")

    assert physician_client.get(case.get_absolute_url()).status_code == 404
    assert physician_client.post(f"{case.get_absolute_url()}solution/").status_code == 404
    assert not Commitment.objects.exists()


def test_a_removed_case_is_gone_and_its_pictures_for_moderators_too(physician_client, moderator):
    case = make_case()
    Question.objects.filter(pk=case.pk).update(status="removed")

    assert physician_client.get(case.get_absolute_url()).status_code == 404
    page = text_of(client_of(moderator), case)
    assert "Not shown: the discussion was removed." in page
    assert case.images.get().key not in page


def test_a_case_has_one_address(physician, physician_client):
    case = make_case()
    address = case.get_absolute_url()

    for wrong in (f"/consults/{case.pk}/", f"/consults/{case.pk}/other/", f"/questions/{case.pk}/"):
        assert physician_client.get(f"{wrong}?image=1")["Location"].startswith(address)
    assert physician_client.get(f"/consults/{case.pk}/x/?image=1")["Location"] == f"{address}?image=1"
    question = make_question(physician)
    assert physician_client.get(f"/consults/{question.pk}/").status_code == 404


# What stands there


def test_the_page_says_what_the_case_is_and_what_it_is_not(physician_client):
    case = make_case(urgency="now", care_under_way=True, ask="ekg")

    page = text_of(physician_client, case)

    for said in (
        *("Unsolved</span>", "Now</span>", "Peers only</span>", "Female, 40s", "Read this EKG"),
        *(
            "1, de-identified",
            "Physicians only",
            "Under way",
            "Description of image <span data-number>1</span>",
        ),
        "Not for emergencies",
        "not a formal consultation",
    ):
        assert said in page
    assert "Today</span>" not in page
    assert "Case study</span>" not in page


def test_a_teaching_case_is_labeled_a_case_study(physician_client):
    page = text_of(physician_client, make_case(intent="teaching"))

    assert "Case study</span>" in page
    assert "Unsolved</span>" not in page


@pytest.mark.parametrize(
    ("fields", "said"),
    [
        ({}, "Physicians only"),
        ({"for_teaching": True}, "Physicians, teaching"),
        ({"for_teaching": True, "for_observers": True}, "Physicians, teaching, observers"),
    ],
)
def test_the_consent_is_said_in_words(physician_client, fields, said):
    case = make_case(consent=make_consent(**fields))

    assert f"<dt>Consent</dt><dd>{said}</dd>" in text_of(physician_client, case)


def test_the_reader_s_handle_and_the_moment_stand_over_the_pictures(physician, physician_client):
    watermark = text_of(physician_client, make_case()).split('id="watermark"')[1].split("</text>")[0]

    assert f"{physician.handle} - " in watermark
    assert f"{timezone.localtime():%b}" in watermark


def test_without_a_script_one_picture_stands_there_and_the_others_are_linked(physician_client):
    case = make_case(images=3)
    second = case.images.in_order()[1]

    page = text_of(physician_client, case, "?image=2")

    figures = page.split("<figure ")[1:]
    assert [" hidden>" in figure.split("<img")[0] for figure in figures] == [True, False, True]
    assert f'href="/consults/images/{second.key}/full/"' in page
    assert page.count("?image=") >= 3
    assert 'data-show="2" aria-current="true"' in page
    for odd in ("?image=9", "?image=x", "?image="):
        assert 'data-show="1" aria-current="true"' in text_of(physician_client, case, odd)


def test_in_full_size_too_the_reader_s_handle_stands_over_a_picture(physician, physician_client):
    case = make_case(images=0)
    box = {"left": 100, "top": 20, "width": 30, "height": 40, "sort": "text"}
    image = make_image(case=case, windows=[["lung", "Lung"], ["bone", "Bone"]], boxes=[box])
    address = reverse("consults:full", args=[image.key])

    page = physician_client.get(f"{address}?window=bone").content.decode()

    assert f"{image.get_absolute_url()}?size=full&amp;window=bone" in page
    assert f"{physician.handle} - " in page.split('class="watermark"')[1]
    assert '<rect x="100" y="20" width="30" height="40"/>' in page
    assert 'href="?window=lung"' in page
    assert f'href="{case.get_absolute_url()}?image=1#viewer"' in page
    assert " style=" not in page
    assert "window=lung" in physician_client.get(f"{address}?window=odd").content.decode()


def test_in_full_size_there_is_no_picture_one_may_not_see(client, physician_client):
    hidden, among = make_case().images.get(), make_case(audience="connections").images.get()
    Image.objects.filter(pk=hidden.pk).update(hidden_at=timezone.now())

    for image in (hidden, among):
        assert physician_client.get(reverse("consults:full", args=[image.key])).status_code == 404
    assert "/accounts/login/" in client.get(reverse("consults:full", args=[among.key]))["Location"]


def test_lines_stand_around_what_is_burned_in(physician_client):
    case = make_case(images=0)
    make_image(case=case, place=1)
    assert 'class="burned"' not in text_of(physician_client, case)
    assert "blacked out" not in text_of(physician_client, case)

    box = {"left": 100, "top": 20, "width": 30, "height": 40, "sort": "face"}
    make_image(case=case, place=2, boxes=[box])

    page = text_of(physician_client, case)
    assert page.count('class="burned"') == 1
    assert '<rect x="100" y="20" width="30" height="40"/>' in page
    assert "Dashed lines stand around what is blacked out." in page


def test_renditions_are_offered_by_their_labels(physician_client):
    case = make_case(images=0)
    make_image(case=case, windows=[["lung", "Lung"], ["bone", "Bone"]])

    page = text_of(physician_client, case)

    assert 'data-key="lung" aria-pressed="true">Lung' in page
    assert 'data-key="bone" aria-pressed="false">Bone' in page


def test_no_style_stands_in_the_markup(physician_client):
    case = make_case(images=2)
    make_mark(case)

    assert " style=" not in text_of(physician_client, case)


# Gates


def test_a_flagged_picture_leaves_a_gap_for_everybody(physician, moderator):
    case = make_case(physician, images=2)
    first = case.images.in_order()[0]
    make_mark(case, label="Pale middle")
    Image.objects.filter(pk=first.pk).update(hidden_at=timezone.now())

    for reader in (physician, moderator, make_member()):
        page = text_of(client_of(reader), case)
        assert "Hidden until a moderator has looked." in page
        assert first.key not in page
        assert "Pale middle" not in page
        assert 'data-show="2" aria-current="true"' in page


def test_pictures_go_with_the_consent(physician_client):
    case = make_case()
    Consent.objects.filter(pk=case.consent_id).update(expires_on=timezone.now().date() - timedelta(days=1))

    page = text_of(physician_client, case)

    assert "the consent for it has ended" in page
    assert case.images.get().key not in page
    assert "<dd>ended</dd>" in page


def test_a_destroyed_picture_leaves_a_gap(physician_client):
    case = make_case(images=2)
    first = case.images.in_order()[0]
    Image.objects.filter(pk=first.pk).update(
        state="shredded", seal=None, shredded_at=timezone.now(), shredded="identity", description=""
    )

    page = text_of(physician_client, case, "?image=1")

    assert "This image is destroyed." in page
    assert first.key not in page


def test_of_a_withdrawn_case_the_replies_stay(physician, physician_client):
    case = make_case()
    make_answer(case.question, source="Looks like erythema migrans.")
    open_for_reading(question=case.question, member=physician)
    Case.objects.filter(pk=case.pk).update(withdrawn_at=timezone.now(), withdrawn="consent")

    page = text_of(physician_client, case)

    assert "This case was withdrawn because the consent ended." in page
    assert "Its images are destroyed" in page
    assert "Looks like erythema migrans." in page
    assert case.images.get().key not in page
    assert "Female, 40s" not in page


def test_what_was_withdrawn_is_not_offered_to_reopen(physician, moderator):
    case = make_case(physician)
    Question.objects.filter(pk=case.pk).update(
        status="closed", closed_at=timezone.now(), close_reason="author"
    )
    reopen = reverse("questions:reopen", args=[case.pk])
    for reader in (physician, moderator):
        assert text_of(client_of(reader), case).count(reopen) == 1
    assert reopen not in text_of(client_of(make_member()), case)

    Case.objects.filter(pk=case.pk).update(withdrawn_at=timezone.now(), withdrawn="author")

    for reader in (physician, moderator):
        assert reopen not in text_of(client_of(reader), case)


def test_under_a_blocked_face_the_pictures_are_folded_with_the_words(physician, physician_client):
    case = make_case()
    Block.objects.create(
        blocker=physician, blocked=case.question.asker, blocker_face="handle", blocked_face="handle"
    )

    page = text_of(physician_client, case)

    assert "Show the images</summary>" in page
    assert page.index("Show the images") < page.index("data-viewer")


# The solution of a case that teaches


SOLUTION = "Erythema migrans; it cleared"


def test_the_solution_is_not_in_the_page_before_the_reader_commits(physician, physician_client):
    case = make_case(intent="teaching")

    page = text_of(physician_client, case)
    assert SOLUTION not in page
    assert "It opens once you answer, or now if you only want to read" in page

    make_answer(case.question, physician)
    assert SOLUTION in text_of(physician_client, case)


def test_looking_is_noted_once(physician, physician_client):
    case = make_case(intent="teaching")
    address = reverse("consults:look", args=[case.pk, case.question.slug])

    assert physician_client.get(address).status_code == 302
    assert not Commitment.objects.exists()
    for _ in range(2):
        assert physician_client.post(address)["Location"] == f"{case.get_absolute_url()}#solution"

    assert Commitment.objects.get().member == physician
    assert SOLUTION in text_of(physician_client, case)


def test_its_author_sees_the_solution_and_a_case_for_help_has_none(physician, physician_client):
    assert SOLUTION in text_of(physician_client, make_case(physician, intent="teaching"))

    asked = make_case()
    assert 'id="solution"' not in text_of(physician_client, asked)


def test_who_removes_the_answer_has_seen_the_solution_all_the_same(physician, physician_client):
    case = make_case(intent="teaching")
    answer = make_answer(case.question, physician)
    Post.objects.filter(pk=answer.pk).update(removed_at=timezone.now(), removed_by="author")

    assert SOLUTION in text_of(physician_client, case)
    assert make_answer(case.question, physician).saw_others


# Tools


def test_the_author_may_withdraw_and_others_may_report(physician, physician_client):
    own, other = make_case(physician), make_case()

    page = text_of(physician_client, own)
    assert reverse("consults:withdraw", args=[own.pk]) in page
    assert reverse("consults:consent", args=[own.consent_id]) in page
    page = text_of(physician_client, other)
    assert reverse("consults:withdraw", args=[other.pk]) not in page
    assert reverse("consults:consent", args=[other.consent_id]) not in page
    flag = reverse("consults:flag", args=[other.images.get().key])
    assert f'href="{flag}" data-leads="flag/">Report: shows patient identity' in page


def test_the_bars_mark_the_place(physician_client):
    page = text_of(physician_client, make_case())
    assert page.count('href="/consults/" aria-current="true"') == 2

    listed = physician_client.get("/consults/").content.decode()
    assert listed.count('href="/consults/" aria-current="page"') == 2


def test_a_refused_dispute_shows_the_case_again(physician, physician_client):
    case = make_case()
    answer = make_answer(case.question)
    open_for_reading(question=case.question, member=physician)

    response = physician_client.post(
        reverse("questions:vote", args=[answer.pk]),
        {"value": "-1", "reason": "evidence", "explanation": "Ask Dr. John Miller, 555-867-5309."},
    )

    assert response.status_code == 422
    assert "data-viewer" in response.content.decode()


# Cost


def test_a_page_of_eight_pictures_and_twenty_answers_takes_at_most_twelve_queries(
    physician, physician_client
):
    case = make_case(images=8)
    for place in range(20):
        answer = make_answer(case.question)
        if place < 8:
            make_mark(case, answer.author, place=place + 1)
    open_for_reading(question=case.question, member=physician)
    text_of(physician_client, case)

    with CaptureQueriesContext(connection) as asked:
        page = text_of(physician_client, case)

    assert page.count("data-pin=") == 8
    assert len(asked) <= 12
    assert len(page) < 100_000
