"""The page on which a case is solved, and how a solved case reads to whom."""

from datetime import timedelta

import pytest
from django.urls import reverse
from django.utils import timezone

from accounts.models import Block
from accounts.tests.factories import make_member
from conftest import client_of
from consults.models import Diagnosis, Solution
from consults.services import solving
from consults.tests.factories import make_case, make_diagnosis, make_forecast
from questions.models import Commitment, Question

pytestmark = pytest.mark.django_db

NAME = "Erythema migrans"
SAID = {"diagnosis": "other", "name": NAME, "confirmed": "pathology", "outcome": "It healed in ten days."}


@pytest.fixture
def case(physician):
    return make_case(physician, images=0)


def page_of(case):
    return reverse("consults:solve", args=[case.pk, case.question.slug])


def solved(case, **said):
    Question.objects.filter(pk=case.pk).update(opened_at=timezone.now() - timedelta(hours=5, minutes=1))
    given = {"name": NAME, "confirmed": "imaging", "outcome": "It healed.", **said}
    solving.solve_case(case=case, by=case.question.asker, **given)
    return case


def read(client, case):
    response = client.get(case.get_absolute_url())
    assert response.status_code == 200
    return response.content.decode()


def commit(case, member):
    Commitment.objects.create(question=case.question, member=member, how="reading")


# The page


def test_nobody_but_its_author_gets_in(client, case, colleague_client, applicant_client, moderator):
    address = page_of(case)

    assert "/accounts/login/" in client.get(address)["Location"]
    assert applicant_client.get(address)["Location"] == reverse("verification:start")
    for other in (colleague_client, client_of(moderator)):
        assert other.get(address).status_code == 404
        assert other.post(address, SAID).status_code == 404
    assert not Solution.objects.exists()


@pytest.mark.parametrize("fields", [{"intent": "teaching"}, {"withdrawn": "author"}])
def test_there_is_none_for_what_cannot_be_solved(physician, physician_client, fields):
    if "withdrawn" in fields:
        fields["withdrawn_at"] = timezone.now()

    assert physician_client.get(page_of(make_case(physician, images=0, **fields))).status_code == 404


def test_the_page_for_questions_leads_here(case, physician_client):
    response = physician_client.get(reverse("questions:solve", args=[case.pk]))

    assert response["Location"] == page_of(case)


def test_it_offers_the_board_and_the_answers_with_their_diagnoses(
    case, physician_client, django_assert_max_num_queries
):
    make_forecast(case)
    make_forecast(case, confidence=90)
    late = make_forecast(case, name="Early Lyme disease", confidence=60)
    late.diagnosis.merged_into = make_diagnosis(case, NAME)
    late.diagnosis.save()
    make_forecast(case, name="Tinea corporis")
    client = physician_client
    client.get(reverse("consults:list"))

    with django_assert_max_num_queries(14):
        page = client.get(page_of(case))

    labels = [label for _, label in page.context["form"].fields["diagnosis"].choices]
    assert labels == [f"{NAME}\n3 colleagues", "Tinea corporis\n1 colleague", "Another one"]
    text = page.content.decode()
    assert "<b>Early Lyme disease</b>, 60% sure (on the board: Erythema migrans)" in text
    assert text.count('name="answers"') == 4


def test_the_author_solves_it_with_what_was_chosen(case, physician_client):
    one = make_forecast(case)

    response = physician_client.post(
        page_of(case), {"diagnosis": one.diagnosis_id, "confirmed": "expert", "answers": [one.pk]}
    )

    assert response["Location"] == case.get_absolute_url()
    assert Solution.objects.get().diagnosis == one.diagnosis
    one.refresh_from_db()
    assert one.was_right
    again = physician_client.get(page_of(case)).content.decode()
    assert "Change the solution" in again
    assert again.count(" checked") == 3


def test_or_elsewhere_with_a_name_typed(case, physician_client):
    assert physician_client.post(page_of(case), {**SAID, "code": "a6920"}).status_code == 302

    final = Solution.objects.get().diagnosis
    assert (final.name, final.code) == (NAME, "A69.20")
    assert Question.objects.get().outcome == "It healed in ten days."


@pytest.mark.parametrize(
    ("typed", "words"),
    [
        ({"diagnosis": ""}, "Choose a diagnosis, or"),
        ({"name": ""}, "Name the diagnosis."),
        ({"name": "?!"}, "Name the diagnosis in letters"),
        ({"code": "rash"}, "An ICD-10-CM code is"),
        ({"confirmed": ""}, "Say how it was confirmed."),
        ({"outcome": ""}, "or say in a sentence how it was solved elsewhere"),
        ({"outcome": "Seen at 555-867-5309, MRN 12345678."}, "must go"),
    ],
)
def test_what_is_missing_is_said_and_what_was_typed_stays(case, physician_client, typed, words):
    make_forecast(case)
    sent = {**SAID, **typed}

    response = physician_client.post(page_of(case), sent)

    assert response.status_code == 422
    page = response.content.decode()
    assert words in page
    assert (sent["outcome"] or NAME) in page
    assert not Solution.objects.exists()


def test_not_one_of_the_board_and_another_at_once(case, physician_client):
    one = make_forecast(case)

    response = physician_client.post(page_of(case), {**SAID, "diagnosis": one.diagnosis_id})

    assert response.status_code == 422
    assert "not both" in response.content.decode()


def test_it_is_said_that_it_is_solved_and_that_it_is_changed(case, physician_client):
    for words in ("Solved. Those who wrote here are told.", "The solution is changed."):
        assert words in physician_client.post(page_of(case), SAID, follow=True).content.decode()


def test_no_diagnosis_of_another_case_is_taken(case, physician_client):
    other = make_forecast(make_case(images=0))

    assert physician_client.post(page_of(case), {**SAID, "diagnosis": other.diagnosis_id}).status_code == 422


def test_it_is_taken_back(case, physician_client):
    solved(case)

    page = physician_client.post(page_of(case), {"unsolve": "1"}, follow=True).content.decode()

    assert "Taken back. The case stands as unsolved again." in page
    assert not Question.objects.get().is_solved
    assert not Diagnosis.objects.exists()


def test_a_refusal_of_the_service_is_said(case, physician_client):
    Question.objects.update(status="closed", closed_at=timezone.now(), close_reason="silence")

    response = physician_client.post(page_of(case), SAID)

    assert response.status_code == 422
    assert "closed" in response.content.decode()


# The case, solved


def test_who_answered_reads_what_it_was_and_who_solved_it(case, colleague, colleague_client):
    post = make_forecast(case, make_member("solver_one")).post
    commit(case, colleague)
    solved(case, answers=[post])

    page = read(colleague_client, case)

    assert f"Final diagnosis: {NAME}" in page
    assert "Confirmed by: Imaging or a laboratory test." in page
    assert "Solved in 5 h 1 min, with" in page
    assert ">@solver_one</a>" in page or ">solver_one</a>" in page


def test_who_has_not_reads_only_that_it_is_solved(case, colleague_client):
    post = make_forecast(case, make_member("solver_one"), name="Rash of ticks").post
    solved(case, answers=[post])

    page = read(colleague_client, case)

    assert "Solved in 5 h 1 min." in page
    for word in (NAME, "Rash of ticks", "solver_one", "Imaging or a", "It healed", "elsewhere"):
        assert word not in page


def test_solved_elsewhere_is_said(case, physician_client):
    solved(case, confirmed="unknown")

    page = read(physician_client, case)

    assert "Solved in 5 h 1 min, elsewhere." in page
    assert "Not confirmed, so no forecast is scored by it." in page


def test_a_synonym_reads_as_what_it_was_merged_into(case, physician_client):
    solved(case, name="Early Lyme disease")
    Diagnosis.objects.filter(name="Early Lyme disease").update(merged_into=make_diagnosis(case, NAME))

    assert f"Final diagnosis: {NAME}" in read(physician_client, case)


def test_a_blocked_colleague_is_not_named(case, colleague, colleague_client):
    solver = make_member("solver_one")
    post = make_forecast(case, solver).post
    commit(case, colleague)
    solved(case, answers=[post])
    Block.objects.create(blocker=colleague, blocked=solver, blocker_face="handle", blocked_face="handle")

    page = read(colleague_client, case)

    said = page[page.index('id="final"') : page.index("</div></div>", page.index('id="final"'))]
    assert "A colleague you blocked</a>" in said
    assert "solver_one" not in said


def test_one_that_teaches_says_it_to_who_answered(physician, colleague, colleague_client):
    case = make_case(physician, images=0, intent="teaching")
    assert NAME not in read(colleague_client, case)

    commit(case, colleague)

    page = read(colleague_client, case)
    assert f"Final diagnosis: {NAME}" in page
    assert "Confirmed by: Response to treatment." in page
    assert "Solved in" not in page


def test_a_withdrawn_one_says_nothing(case, physician_client):
    solved(case)
    case.withdrawn, case.withdrawn_at = "author", timezone.now()
    case.save()

    assert "Final diagnosis" not in read(physician_client, case)


# Labels


LABELS = ("Unsolved", "Solved", "Case study")


def labels_in(text, before=None):
    """Which of the three labels stand on a page, up to some words."""
    text = text[: text.index(before)] if before else text
    return [label for label in LABELS if f"{label}</span>" in text]


@pytest.mark.parametrize(
    ("fields", "label"),
    [
        ({}, "Unsolved"),
        ({"solved_at": True}, "Solved"),
        ({"intent": "teaching"}, "Case study"),
        ({"status": "closed"}, "Unsolved"),
    ],
)
def test_every_case_has_one_label_wherever_it_stands(physician_client, fields, label):
    case = make_case(images=0, title="Label of a rash", **{**fields, "status": "open", "solved_at": None})
    now = timezone.now()
    if "solved_at" in fields:
        Question.objects.update(solved_at=now)
    if "status" in fields:
        Question.objects.update(status="closed", closed_at=now, close_reason="silence")
    places = [case.get_absolute_url(), reverse("consults:list"), f"{reverse('search')}?q=label"]
    if "status" not in fields:
        places += [reverse("questions:list"), reverse("home")]

    for place in places:
        page = physician_client.get(place).content.decode()
        shown = page[page.index("<main") : page.index("</main>")]
        assert "Label of a rash" in shown.replace("<mark>", "").replace("</mark>", "")
        assert labels_in(shown) == [label], place
