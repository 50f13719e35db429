"""The archive: what stands in it, what it finds, and that it tells nobody what they have not committed to."""

from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.tests.factories import make_member
from conftest import client_of
from consults.models import Consent, Diagnosis, Image, Solution
from consults.services import diagnoses
from consults.tests.factories import make_case
from questions.models import Commitment

pytestmark = pytest.mark.django_db
PAGE = "/consults/archive/"
NAME = "Erythema migrans"


def archived(name=NAME, code="A69.20", synonyms=(), **fields):
    """A solved case, or a case study, with its final diagnosis."""
    opened_at = fields.pop("opened_at", timezone.now() - timedelta(days=9))
    if fields.get("intent") != "teaching":
        fields.setdefault("solved_at", opened_at + timedelta(hours=5))
    case = make_case(images=fields.pop("images", 0), opened_at=opened_at, **fields)
    Solution.objects.filter(case=case).delete()
    Diagnosis.objects.filter(case=case).delete()
    root = Diagnosis.objects.create(case=case, name=name, key=diagnoses.normalize(name), code=code)
    for other in synonyms:
        Diagnosis.objects.create(case=case, name=other, key=diagnoses.normalize(other), merged_into=root)
    Solution.objects.create(case=case, diagnosis=root, confirmed="pathology")
    return case


def commit(case, member, how="reading"):
    Commitment.objects.create(question=case.question, member=member, how=how)


def page_of(who, query="", **headers):
    response = client_of(who).get(f"{PAGE}{query}", **headers)
    assert response.status_code == 200
    return response.content.decode()


def list_of(page) -> str:
    return page.split('<section class="stack-l" id="list"')[1].split("</section>")[0]


def found(who, query="") -> list[int]:
    page = page_of(who, query)
    return [int(part.split("/", 1)[0]) for part in page.split('<h3><a href="/consults/')[1:]]


# Doors


def test_visitors_and_applicants_do_not_come_in(client, applicant_client):
    assert "/accounts/login/" in client.get(PAGE)["Location"]
    assert applicant_client.get(PAGE)["Location"] == reverse("verification:start")


def test_an_empty_archive_says_how_a_case_comes_there(physician):
    page = page_of(physician)

    assert "Nothing is archived yet" in page
    assert "Not shown yet. It takes 11 solved cases" in page


# What stands in it


def test_it_has_solved_cases_and_case_studies_and_nothing_else(colleague):
    solved, study = archived(), archived(intent="teaching")
    make_case(images=0)
    archived(withdrawn_at=timezone.now(), withdrawn="author")
    archived(status="removed")
    archived(audience="connections")

    assert found(colleague) == [study.pk, solved.pk]
    assert found(colleague, "?sort=solved") == [solved.pk]
    assert found(colleague, "?sort=teaching") == [study.pk]
    assert found(colleague, "?sort=nonsense") == [study.pk, solved.pk]


def test_it_is_narrowed_by_specialty_and_by_what_a_picture_shows(colleague):
    here = archived(images=1)
    archived(asker=make_member(specialty="Dermatology"))
    Image.objects.filter(case=here).update(shows="skin")

    assert found(colleague, "?specialty=cardiovascular-disease") == [here.pk]
    assert found(colleague, "?shows=skin") == [here.pk]
    assert found(colleague, "?shows=ct") == []
    assert "Skin or body" in page_of(colleague)


def test_a_picture_whose_consent_ended_finds_and_says_nothing(colleague):
    case = archived(images=1)
    Image.objects.filter(case=case).update(shows="endoscopy")
    assert found(colleague, "?shows=endoscopy") == [case.pk]

    Consent.objects.update(expires_on=timezone.now().date() - timedelta(days=1))

    assert found(colleague, "?shows=endoscopy") == []
    assert found(colleague) == [case.pk]
    assert page_of(colleague).count("Endoscopy") == 1  # among the choices of the filter


def test_more_follow_by_the_key_of_the_last(colleague, settings):
    settings.CASES_PER_PAGE = 2
    cases = [archived(opened_at=timezone.now() - timedelta(days=days)) for days in (1, 2, 3)]
    page = page_of(colleague, "?sort=solved")
    more = page.split('hx-get="')[1].split('"')[0].replace("&amp;", "&").removeprefix(PAGE)
    archived(opened_at=timezone.now() - timedelta(hours=8))

    assert found(colleague, more) == [cases[2].pk]
    assert "<h1>" not in page_of(colleague, more, HTTP_HX_REQUEST="true")


# What it keeps


def test_a_row_says_what_it_was_only_to_who_has_committed(colleague, third):
    case = archived()
    commit(case, third)

    closed, opened = list_of(page_of(colleague)), list_of(page_of(third))

    assert NAME not in closed
    assert "A69.20" not in closed
    assert "Pathology" not in closed
    assert "opens once you commit" in closed
    assert "solved in 5 h" in closed
    assert f"<b>{NAME}</b> (A69.20)" in opened
    assert "opens once you commit" not in opened


def test_its_asker_and_moderators_see_what_it_was(moderator):
    case = archived()

    assert NAME in page_of(case.question.asker)
    assert NAME in page_of(moderator)


def test_a_search_by_diagnosis_finds_only_what_is_open_and_is_silent_about_the_rest(colleague, third):
    case = archived()
    archived(title="Another one, which nobody here has opened")
    commit(case, third)

    closed, nothing = page_of(colleague, "?q=erythema"), page_of(colleague, "?q=sarcoidosis")

    assert found(third, "?q=erythema") == [case.pk]
    assert found(colleague, "?q=erythema") == []
    assert list_of(closed) == list_of(nothing)


@pytest.mark.parametrize(
    ("words", "is_found"),
    [
        ("MIGRANS erythéma", True),
        ("bull's eye", True),
        ("a6920", True),
        ("A69", True),
        ("tinea", False),
        ("migrans eye", False),
        ("%", True),  # no words at all: nothing is sought
        ("_rythema", True),
        ("erythema tinea", False),
    ],
)
def test_names_synonyms_and_codes_are_found_but_no_other_diagnosis(third, words, is_found):
    case = archived(synonyms=["Bull’s-eye rash"])
    Diagnosis.objects.create(case=case, name="Tinea corporis", key="tinea corporis")
    commit(case, third)

    assert bool(found(third, f"?q={words.replace('%', '%25')}")) is is_found


def test_a_final_diagnosis_that_was_merged_is_found_and_shown_under_its_root(third):
    case = archived(name="Lyme rash", code="")
    root = Diagnosis.objects.create(case=case, name=NAME, key="erythema migrans")
    Diagnosis.objects.filter(case=case, key="lyme rash").update(merged_into=root)
    commit(case, third)

    assert found(third, "?q=lyme") == found(third, "?q=migrans") == [case.pk]
    assert f"<b>{NAME}</b>" in page_of(third)


@pytest.mark.parametrize("number", [1, 12])
def test_it_costs_the_same_at_any_length(colleague, number):
    for _ in range(number):
        commit(archived(), colleague)
    client = client_of(colleague)
    client.get(f"{PAGE}?q=erythema")

    with CaptureQueriesContext(connection) as asked:
        response = client.get(f"{PAGE}?q=erythema")

    assert len(asked) <= 10
    assert len(response.content) < 40_000
