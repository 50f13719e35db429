"""The form under a case: who gets it, what comes back, and what opens once it is sent."""

import uuid

import pytest
from django.urls import reverse

from accounts.models import IdentifierDecision
from accounts.tests.factories import make_member
from conftest import client_of
from consults.models import Reply
from consults.tests.factories import make_case
from consults.tests.test_replies import reply
from questions.models import Draft, Post
from questions.services.committing import open_for_reading
from questions.tests.factories import make_question

pytestmark = pytest.mark.django_db
HTMX = {"HX-Request": "true"}


def address_of(case):
    return reverse("consults:reply", args=[case.pk, case.question.slug])


def typed(**said):
    return {
        "submission": str(uuid.uuid4()),
        "diagnosis": "Tinea",
        "confidence": "70",
        "next_step": "Scrape the border.",
        "source": "It itches.",
        "byline": "anonymous",
        **said,
    }


def page_of(who, case) -> str:
    return client_of(who).get(case.get_absolute_url()).content.decode()


def test_visitors_and_applicants_do_not_reply_and_a_get_leads_to_the_case(
    client, applicant_client, colleague
):
    case = make_case(images=0)

    assert "/accounts/login/" in client.post(address_of(case), typed())["Location"]
    assert applicant_client.post(address_of(case), typed())["Location"] == reverse("verification:start")
    assert client_of(colleague).get(address_of(case)).status_code == 302
    elsewhere = make_case(make_member(specialty="Radiology"), images=0, audience="specialty")
    question = make_question(colleague)
    for address in (address_of(elsewhere), reverse("consults:reply", args=[question.pk, "x"])):
        assert client_of(colleague).post(address, typed()).status_code == 404
    assert not Reply.objects.exists()


def test_the_form_asks_for_a_diagnosis_and_folds_its_code_away(colleague):
    page = page_of(colleague, make_case(images=0)).split('id="your-answer"')[1]

    for said in ('name="diagnosis"', "Add a code", 'name="next_step"', "How sure are you?", "Comment"):
        assert said in page
    assert page.count('name="confidence"') == 6
    assert 'Diagnosis <span class="optional">' not in page
    treat = page_of(colleague, make_case(images=0, ask="treat")).split('id="your-answer"')[1]
    assert 'Diagnosis <span class="optional">' in treat


def test_the_asker_gets_a_text_alone(physician):
    case = make_case(physician, images=0)

    page = page_of(physician, case).split('id="your-answer"')[1]
    assert 'name="diagnosis"' not in page
    response = client_of(physician).post(address_of(case), typed(source="The titer is back."))

    assert response.status_code == 302
    assert Post.objects.answers().get().source == "The titer is back."


def test_a_reply_opens_the_others_and_stands_among_them(colleague):
    case = make_case(images=0)
    reply(case, diagnosis="Erythema migrans")
    client = client_of(colleague)

    response = client.post(address_of(case), typed())

    post = Post.objects.get(author=colleague)
    assert response["Location"] == post.get_absolute_url()
    page = client.get(response["Location"]).content.decode()
    assert "Tinea, 70% sure." in page
    assert "Erythema migrans, 80% sure." in page
    made = Reply.objects.get(member=colleague)
    assert (made.confidence, made.is_forecast) == (70, True)
    by_htmx = client.post(address_of(case), typed(source="More."), headers=HTMX)
    assert by_htmx["HX-Redirect"] == Post.objects.latest("pk").get_absolute_url()


@pytest.mark.parametrize(
    ("changes", "said"),
    [
        ({"diagnosis": ""}, "Name a diagnosis"),
        ({"diagnosis": "x" * 121}, "At most 120 characters"),
        ({"diagnosis": "?"}, "in letters or digits"),
        ({"confidence": ""}, "Say how sure you are"),
        ({"confidence": "75"}, "75 is not one of the available choices"),
        ({"code": "nonsense"}, "such as A69.20"),
        ({"source": "Call 555-867-5309."}, "1 identifier must go"),
        ({"next_step": "Call 555-867-5309."}, "1 identifier must go"),
        ({"diagnosis": "Tinea, call 555-867-5309"}, "1 identifier must go"),
    ],
)
def test_what_is_refused_comes_back_with_all_that_was_typed(changes, said, colleague):
    case = make_case(images=0)
    reply(case, diagnosis="Erythema migrans")
    sent = typed(**changes)

    for htmx in (HTMX, {}):
        response = client_of(colleague).post(address_of(case), sent, headers=htmx)
        page = response.content.decode()
        assert response.status_code == 422
        assert said in page
        assert f'value="{sent["diagnosis"]}"' in page or not sent["diagnosis"]
        assert sent["next_step"] in page
        assert sent["source"] in page
        assert "Erythema migrans" not in page
    assert Reply.objects.count() == 1


def test_without_a_word_nothing_is_sent(colleague):
    case = make_case(images=0, ask="treat")

    response = client_of(colleague).post(address_of(case), typed(diagnosis="", next_step="", source=" "))

    assert response.status_code == 422
    assert "Write a diagnosis, a next step or a comment." in response.content.decode()


def test_an_empty_answer_is_told_all_that_it_lacks_at_once(colleague):
    sent = typed(diagnosis="", confidence="", next_step="", source="")

    page = client_of(colleague).post(address_of(make_case(images=0)), sent).content.decode()

    assert "Name a diagnosis" in page
    assert "Say how sure you are" in page


FARED = "you alone see how your first answer fared"
FOLDED = '<summary class="button">'


def test_the_form_says_what_becomes_of_an_answer(colleague, third):
    case, other = make_case(images=0), make_case(images=0)
    for each in (case, other):
        reply(each, diagnosis="Erythema migrans")
    assert FARED in page_of(colleague, case)
    open_for_reading(question=other.question, member=colleague)

    form = page_of(colleague, other).split('id="your-answer"')[1]
    assert "You have read the others: this will be marked as written after reading, and not scored." in form
    assert FARED not in form
    assert FOLDED not in form

    for each, words in (
        (case, "Your newest diagnosis counts on the board; only your first is scored."),
        (other, "Your newest diagnosis counts on the board. Written after reading, it is not scored."),
    ):
        reply(each, colleague)
        form = page_of(colleague, each).split('id="your-answer"')[1]
        assert form.count(words) == 1
        assert FARED not in form
        assert f"<details>{FOLDED}" in form
    back = client_of(colleague).post(address_of(case), typed(confidence=""), headers=HTMX).content.decode()
    assert f"<details open>{FOLDED}" in back
    closed = page_of(third, case)
    assert FARED in closed
    assert "What colleagues answered opens once you answer" in closed


def test_what_may_stay_is_noted_once_and_a_form_sent_twice_is_one_answer(colleague):
    case, sent = make_case(images=0), typed(source="A plumber from Akron, like the last one.")
    client = client_of(colleague)
    page = client.post(address_of(case), sent)
    rows = page.context["form"].checked_identifiers["source"].rows
    sent |= {"not_patient": [row.key for row in rows]}

    for _ in range(2):
        assert client.post(address_of(case), sent).status_code == 302

    assert Post.objects.answers().count() == 1
    assert IdentifierDecision.objects.get().doubts == {"place": 1}


def test_a_draft_keeps_every_field_and_the_answer_takes_its_place(colleague):
    case, client = make_case(images=0), client_of(colleague)
    place = reverse("questions:save_draft", args=[f"answer:{case.pk}"])

    client.post(place, typed(source="", code="B35.4"))
    page = page_of(colleague, case).split('id="your-answer"')[1]

    for said in ('value="Tinea"', 'value="B35.4"', "Scrape the border.", 'value="70"', "Draft saved"):
        assert said in page
    assert page.split('value="70"')[1].split(">")[0].strip().endswith("checked") or "checked" in page
    assert "Tinea" in client.get(reverse("questions:drafts")).content.decode()
    client.post(address_of(case), typed())
    assert not Draft.objects.exists()


def test_what_is_sent_to_the_form_of_questions_is_sent_on(colleague):
    case, client = make_case(images=0), client_of(colleague)
    elsewhere = reverse("questions:answer", args=[case.pk])

    response = client.post(elsewhere, typed())

    assert (response.status_code, response["Location"]) == (307, address_of(case))
    assert not Post.objects.answers().exists()


@pytest.mark.parametrize("number", [1, 8])
def test_the_page_with_its_board_costs_the_same_at_any_length(
    number, colleague, django_assert_max_num_queries
):
    case = make_case()
    for place in range(number):
        reply(case, diagnosis=f"Diagnosis {place}")
    reply(case, colleague)
    client = client_of(colleague)
    client.get(case.get_absolute_url())

    with django_assert_max_num_queries(12):
        client.get(case.get_absolute_url())
