"""What pages must not say: words of folded posts, tags nobody may meet, false counts, or what was typed and refused."""

import base64
import json

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Group
from django.core.cache import cache
from django.utils import timezone

from accounts.roles import MODERATORS
from conftest import client_of
from questions.services import closing
from questions.tests.factories import make_answer, make_question
from sermo import fragments


@pytest.fixture
def staff_moderator_client(staff):
    staff.groups.add(Group.objects.get_or_create(name=MODERATORS)[0])
    Authenticator.objects.create(user=staff, type=Authenticator.Type.TOTP, data={})
    return client_of(staff)


def test_who_answered_is_counted_over_all_answers_on_every_page(
    settings, physician, colleague, third, colleague_client
):
    settings.ANSWERS_PER_PAGE = 2
    question = make_question(third)
    for author in (physician, colleague):
        for number in range(2):
            make_answer(question, author, source=f"An answer of mine, number {number}.")

    first = colleague_client.get(question.get_absolute_url())
    second = colleague_client.get(first.context["more_url"])

    said = "Answered by 1 cardiologist and 1 nephrologist."
    assert said in first.content.decode()
    assert said in second.content.decode()


def test_a_folded_opening_is_not_read_in_lists_either(physician, colleague_client):
    question = make_question(physician, source="Seen at the corner of Main and Third, the baker.")
    assert "the baker" in colleague_client.get("/questions/").content.decode()

    question.posts.update(folded_at=timezone.now(), fold_reason="identity")

    for address in ("/questions/", "/"):
        assert "the baker" not in colleague_client.get(address).content.decode()
    page = colleague_client.get(question.get_absolute_url()).content.decode()
    assert "Folded: a patient can be identified" in page


def test_a_tag_is_met_only_where_one_may_read(physician, physician_client, colleague_client):
    make_question(physician, tags=["secret plans"], audience="specialty")

    assert colleague_client.get("/tags/secret-plans/").status_code == 404
    assert physician_client.get("/tags/secret-plans/").status_code == 200


def forged(*values):
    return base64.urlsafe_b64encode(json.dumps(values).encode()).decode().rstrip("=")


@pytest.mark.parametrize(
    "address",
    [
        f"/questions/?sort=important&after=0.1.{forged({'d': '1e200000'}, 5)}",
        f"/questions/?sort=important&after=0.1.{forged({'d': '1e-200000'}, 5)}",
        f"/questions/?sort=important&after=0.1.{forged({'d': 'sNaN'}, 5)}",
        f"/questions/?sort=hot&after=-5.1.{forged(1.5, 5)}",
        f"/questions/?sort=new&after={forged({'d': '1e200000'}, 5)}",
    ],
)
def test_no_forged_cursor_breaks_a_list(address, physician, colleague_client):
    question = make_question(physician)

    page = colleague_client.get(address)

    assert page.status_code == 200
    assert {row.pk for row in page.context["page"]} <= {question.pk}


def test_a_list_claims_no_filter_it_does_not_apply(physician, colleague, colleague_client):
    question = make_question(physician)
    type(colleague).objects.filter(pk=colleague.pk).update(specialty=None)

    page = colleague_client.get("/questions/?specialty=mine")

    assert [row.pk for row in page.context["page"]] == [question.pk]
    assert page.context["chips"] == []


def test_an_answer_to_what_was_closed_meanwhile_comes_back_with_its_text(physician, colleague_client):
    question = make_question(physician)
    page = colleague_client.get(question.get_absolute_url()).content.decode()
    submission = page.split('name="submission" value="')[1].split('"')[0]
    closing.close_question(question=question, by=physician)

    typed = {"source": "What I typed for ten minutes.", "byline": "anonymous", "submission": submission}
    answer = colleague_client.post(f"/questions/{question.pk}/answer/", typed)

    assert answer.status_code == 422
    assert "What I typed for ten minutes." in answer.content.decode()


def test_a_refused_dispute_is_kept_nowhere(physician, colleague_client):
    post = make_answer(make_question(physician), physician)
    fragments.forget()
    cache.clear()

    page = colleague_client.post(
        f"/posts/{post.pk}/vote/", {"value": "-1", "reason": "evidence", "explanation": "Too short."}
    )

    assert page.status_code == 422
    assert "Too short." in page.content.decode()
    assert not [html for html in fragments._kept.values.values() if "Too short." in html]
    fragments.forget()
    again = colleague_client.get(post.get_absolute_url()).content.decode()
    assert "Too short." not in again


def test_a_moderator_without_a_membership_is_offered_no_report(staff_moderator_client, physician):
    post = make_answer(make_question(physician))

    page = staff_moderator_client.get(post.question.get_absolute_url()).content.decode()

    assert f"/posts/{post.pk}/flag/" not in page
