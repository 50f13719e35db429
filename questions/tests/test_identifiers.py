"""Identifiers in what members write: sent back with the text as it was, or kept for a reason that is counted."""

import uuid

import pytest
from django.urls import reverse

from accounts.models import IdentifierDecision
from questions.models import Post, Vote
from questions.services import writing
from questions.services.bylines import LessPrivateByline
from questions.services.writing import NotOpen
from questions.tests.factories import make_answer, make_question

TEXT = "A plumber from Akron, MRN 4471902, with a swollen knee. Tap it?"
CLEAN = "A plumber in the 50s with a swollen knee. Tap it?"


def submitted(source, **more):
    return {"source": source, "submission": uuid.uuid4(), "byline": "anonymous", **more}


def rows_of(page):
    return page.context["form"].checked_identifiers["source"].rows


def decided(page):
    """The values that say: keep what must go, and the rest is no patient's."""
    rows = rows_of(page)
    return {
        "identifier_shown": [row.key for row in rows if row.is_stop],
        "identifier_why_source": "misread",
        "not_patient": [row.key for row in rows if not row.is_stop],
    }


@pytest.fixture
def post(colleague):
    return make_answer(make_question(colleague))


def test_a_comment_with_identifiers_comes_back_as_it_was(physician_client, post):
    url = reverse("questions:comment", args=[post.pk])

    page = physician_client.post(url, submitted(TEXT))

    assert page.status_code == 422
    assert TEXT in page.content.decode()
    assert [row.finding.kind for row in rows_of(page)] == ["place", "record"]
    assert Post.objects.filter(kind="comment").count() == 0


def test_a_comment_goes_out_once_all_is_decided_and_the_decision_is_counted(
    physician_client, physician, post
):
    url = reverse("questions:comment", args=[post.pk])
    page = physician_client.post(url, submitted(TEXT))

    answered = physician_client.post(url, submitted(TEXT, **decided(page)))

    assert answered.status_code == 302
    decision = IdentifierDecision.objects.get()
    assert (decision.member, decision.place, decision.why) == (physician, "comment", "misread")
    assert (decision.stops, decision.doubts) == ({"record": 1}, {"place": 1})


def test_a_submission_sent_twice_is_counted_once(physician_client, post):
    url = reverse("questions:comment", args=[post.pk])
    values = submitted(TEXT, **decided(physician_client.post(url, submitted(TEXT))))

    for _ in range(2):
        assert physician_client.post(url, values).status_code == 302

    assert Post.objects.filter(kind="comment").count() == IdentifierDecision.objects.count() == 1


def test_an_edit_saved_twice_is_counted_once(physician, physician_client, colleague):
    own = make_answer(make_question(colleague), author=physician, source=CLEAN)
    url = reverse("questions:edit", args=[own.pk])
    values = {"source": TEXT, "was": CLEAN}
    values |= decided(physician_client.post(url, values))

    for _ in range(2):
        assert physician_client.post(url, values).status_code == 302

    assert IdentifierDecision.objects.get().place == "edit"


def test_a_post_does_not_stand_without_its_record(physician_client, post, monkeypatch):
    url = reverse("questions:comment", args=[post.pk])
    values = submitted(TEXT, **decided(physician_client.post(url, submitted(TEXT))))

    def fail(**_):
        raise RuntimeError

    monkeypatch.setattr(IdentifierDecision.objects, "create", fail)
    with pytest.raises(RuntimeError):
        physician_client.post(url, values)

    assert not Post.objects.filter(kind="comment").exists()


@pytest.mark.parametrize("refusal", [NotOpen, LessPrivateByline])
def test_a_refusal_stands_beside_the_byline_only_where_it_is_about_it(
    physician_client, post, monkeypatch, refusal
):
    def refuse(**_):
        raise refusal

    monkeypatch.setattr(writing, "comment", refuse)
    page = physician_client.post(reverse("questions:comment", args=[post.pk]), submitted(CLEAN))

    place = "byline" if refusal is LessPrivateByline else "__all__"
    assert page.status_code == 422
    assert list(page.context["form"].errors) == [place]


def test_a_clean_comment_leaves_no_decision(physician_client, post):
    answered = physician_client.post(reverse("questions:comment", args=[post.pk]), submitted(CLEAN))

    assert answered.status_code == 302
    assert not IdentifierDecision.objects.exists()


def test_an_answer_comes_back_in_its_form_and_a_replacement_goes_in(physician_client, post):
    url = reverse("questions:answer", args=[post.question_id])
    htmx = {"hx-request": "true"}

    page = physician_client.post(url, submitted(TEXT), headers=htmx)
    again = physician_client.post(url, submitted(TEXT, replace="all"), headers=htmx)

    assert page.status_code == again.status_code == 422
    assert 'class="stop">MRN 4471902</mark>' in page.content.decode()
    assert "MRN" not in again.content.decode().partition("<textarea")[2].partition("</textarea>")[0]


def test_an_edit_is_checked_like_the_post(physician, physician_client, colleague):
    own = make_answer(make_question(colleague), author=physician, source=CLEAN)
    url = reverse("questions:edit", args=[own.pk])

    page = physician_client.post(url, {"source": TEXT, "was": CLEAN})

    own.refresh_from_db()
    assert page.status_code == 422
    assert own.source == CLEAN


def test_a_title_and_tags_are_checked_too(physician_client, physician):
    values = submitted(
        CLEAN,
        title="What would you do for Mr. Okafor?",
        tags="jdoe@example.com",
        kind="question",
        specialties=[physician.specialty_id],
        urgency="days",
        audience="physicians",
    )

    page = physician_client.post(reverse("questions:ask"), values)

    found = page.context["form"].checked_identifiers
    assert page.status_code == 422
    assert [row.finding.kind for name in ("title", "tags") for row in found[name].rows] == ["name", "email"]


def test_a_dispute_with_an_identifier_is_refused_with_its_words(physician_client, post):
    values = {"value": -1, "reason": "evidence", "explanation": "Mr. Okafor in bed 4 did worse on it."}

    page = physician_client.post(reverse("questions:vote", args=[post.pk]), values)

    html = page.content.decode()
    assert page.status_code == 422
    assert "Leave out “Mr. Okafor”" in html
    assert "Mr. Okafor in bed 4 did worse on it." in html
    assert not Vote.objects.filter(post=post).exists()
