"""Structured replies: what is said, what it becomes, who forecasts, and what is refused."""

import uuid
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection
from django.urls import reverse
from django.utils import timezone

from accounts.leaving.ledger import Person
from accounts.tests.factories import make_member
from conftest import client_of
from consults.models import Diagnosis, DiagnosisVote, Reply
from consults.personal_replies import ENTRIES
from consults.receivers import DiagnosisStays
from consults.services import diagnoses, replies
from consults.tests.factories import make_case
from questions.models import Commitment, Draft, Post, Question, WriteCount
from questions.services import writing
from questions.services.committing import open_for_reading

pytestmark = pytest.mark.django_db
SAID = {"diagnosis": "Erythema migrans", "confidence": 80}


def reply(case, author=None, **said):
    return replies.reply(case=case, author=author or make_member(), **{**SAID, **said})


def test_a_reply_is_an_answer_in_words_with_a_diagnosis_beside_it(colleague):
    case = make_case(images=0)

    post = reply(case, colleague, code="a6920", next_step="Treat  today\nand wait.", comment="It *grows*.")

    assert post.source == (
        "**Diagnosis.** Erythema migrans (A69.20), 80% sure.\n\n"
        "**Next step.** Treat today and wait.\n\nIt *grows*."
    )
    assert "<strong>Diagnosis.</strong> Erythema migrans" in post.html
    made = Reply.objects.get()
    assert (made.post, made.case, made.member, made.confidence) == (post, case, colleague, 80)
    assert (made.is_forecast, made.was_right) == (True, None)
    assert (made.diagnosis.name, made.diagnosis.code) == ("Erythema migrans", "A69.20")
    assert Question.objects.get(pk=case.pk).answer_count == 1


def test_no_mark_of_a_name_is_taken_for_markdown():
    post = reply(make_case(images=0), diagnosis="*Lyme* [x](y) <b>")

    assert "*Lyme* [x](y) &lt;b&gt;, 80% sure." in post.html


@pytest.mark.parametrize(
    "other", ["erythema MIGRANS", " Érythéma   migrans.", "Erythema-migrans", "“Erythema migrans”"]
)
def test_names_that_are_spelled_alike_are_one_diagnosis(other):
    case = make_case(images=0)

    reply(case)
    reply(case, diagnosis=other, code="A69.20")

    assert Diagnosis.objects.get().replies.count() == 2
    assert Diagnosis.objects.get().code == "A69.20"  # of who gave one first


@pytest.mark.parametrize(
    ("one", "other", "is_same"),
    [
        ("Crohn's disease", "Crohn’s disease", True),
        ("Non-Hodgkin lymphoma", "non Hodgkin lymphoma", True),
        ("HER2- breast cancer", "HER2+ breast cancer", False),
        ("Diabetes type 1", "Diabetes type 2", False),
        ("Heart attack", "Myocardial infarction", False),  # a synonym, which people merge
    ],
)
def test_normalizing_knows_spelling_and_no_medicine(one, other, is_same):
    assert (diagnoses.normalize(one) == diagnoses.normalize(other)) is is_same


def test_a_synonym_stays_the_row_that_was_named():
    case = make_case(images=0)
    reply(case)
    second = reply(case, diagnosis="ECM")
    root, synonym = Diagnosis.objects.order_by("pk")
    diagnoses.merge(diagnosis=synonym, into=root, by=case.question.asker)

    third = reply(case, diagnosis="ecm")

    assert {second.reply.diagnosis_id, third.reply.diagnosis_id} == {synonym.pk}
    assert set(diagnoses.counted(case.pk).values()) == {root.pk}


# Forecasts


def test_only_the_first_diagnosis_before_reading_is_a_forecast(colleague):
    case = make_case(images=0)

    first = reply(case, colleague)
    second = reply(case, colleague, diagnosis="Tinea")

    assert (first.saw_others, second.saw_others) == (False, True)
    assert list(Reply.objects.order_by("pk").values_list("is_forecast", flat=True)) == [True, False]


def test_who_asked_to_read_forecasts_nothing(colleague):
    case = make_case(images=0)
    open_for_reading(question=case.question, member=colleague)

    post = reply(case, colleague)

    assert post.saw_others
    assert not Reply.objects.get().is_forecast


def test_who_answered_without_a_diagnosis_has_read_the_others_and_forecasts_nothing_later(colleague):
    case = make_case(images=0, ask="treat")

    replies.reply(case=case, author=colleague, next_step="Doxycycline.")
    reply(case, colleague)

    assert not Reply.objects.filter(is_forecast=True).exists()
    assert Commitment.objects.get().how == "answered"


def test_a_removed_forecast_stays_the_only_one(colleague):
    case = make_case(images=0)
    post = reply(case, colleague)
    writing.remove_post(post=post, by=colleague)

    reply(case, colleague, diagnosis="Tinea")

    assert Reply.objects.get(is_forecast=True).post == post


# Editing

LINE = "**Diagnosis.** Erythema migrans, 80% sure."


def test_the_rest_of_a_reply_changes_and_what_it_said_stays_readable(colleague):
    post = reply(make_case(images=0), colleague, comment="It grows.")

    writing.edit_post(post=post, by=colleague, source=f"{LINE}\r\n\r\nIt grew.")

    assert [row.source for row in post.revisions.all()] == [f"{LINE}\n\nIt grows."]


@pytest.mark.parametrize(
    "source",
    [
        "**Diagnosis.** Melanoma, 80% sure.\n\nIt grows.",
        "**Diagnosis.** Erythema migrans, 100% sure.\n\nIt grows.",
        f"{LINE} Or rather melanoma.\n\nIt grows.",
        f"{LINE}\nOr rather melanoma.",
        f"Melanoma, 100% sure.\n\n{LINE}",
        "It grows.",
    ],
)
def test_a_diagnosis_and_its_confidence_stay_as_they_were_given(source, colleague):
    post = reply(make_case(images=0), colleague, comment="It grows.")

    with pytest.raises(DiagnosisStays):
        writing.edit_post(post=post, by=colleague, source=source)

    assert Post.objects.get(pk=post.pk).source == post.source


def test_a_diagnosis_comes_in_by_answering_and_not_by_an_edit(colleague):
    post = replies.reply(case=make_case(images=0, ask="treat"), author=colleague, next_step="Doxycycline.")

    with pytest.raises(DiagnosisStays):
        writing.edit_post(post=post, by=colleague, source=f"{LINE}\n\n{post.source}")
    writing.edit_post(post=post, by=colleague, source="**Next step.** Wait.")


def test_the_page_of_an_edit_that_was_refused_keeps_what_was_typed(colleague):
    post = reply(make_case(images=0), colleague)
    client, address = client_of(colleague), reverse("questions:edit", args=[post.pk])
    assert "an edit is silent" not in client.get(address).content.decode()

    refused = client.post(address, {"source": "**Diagnosis.** Melanoma, 100% sure.", "was": post.source})

    assert refused.status_code == 422
    assert "stay as you gave them" in refused.content.decode()
    assert "Melanoma, 100% sure." in refused.content.decode()


# What is refused


@pytest.mark.parametrize(
    ("ask", "said", "refusal"),
    [
        ("what", {"diagnosis": "", "comment": "Hm."}, replies.DiagnosisMissing),
        ("ekg", {"diagnosis": " ", "next_step": "V4R."}, replies.DiagnosisMissing),
        ("treat", {"diagnosis": "", "code": "A69.20"}, replies.DiagnosisMissing),
        ("what", {"diagnosis": "???"}, diagnoses.NoName),
        ("what", {"diagnosis": "x" * 121}, diagnoses.NoName),
        ("what", {"confidence": None}, replies.ConfidenceMissing),
        ("treat", {"confidence": 75}, replies.ConfidenceMissing),
        ("what", {"code": "12"}, diagnoses.CodeMalformed),
        ("treat", {"diagnosis": "", "comment": " "}, replies.NothingSaid),
    ],
)
def test_what_does_not_say_enough_is_refused(ask, said, refusal):
    case = make_case(images=0, ask=ask)

    with pytest.raises(refusal):
        reply(case, **said)

    assert not Reply.objects.exists()
    assert not Diagnosis.objects.exists()
    assert not Commitment.objects.exists()
    assert not WriteCount.objects.exists()


def test_a_diagnosis_alone_or_a_next_step_alone_is_enough_where_none_is_asked_for():
    case = make_case(images=0, ask="treat")

    reply(case, diagnosis="", confidence=90, next_step="Doxycycline.")
    reply(case, comment="")

    assert list(Reply.objects.order_by("pk").values_list("confidence", flat=True)) == [None, 80]


def test_the_asker_comments_and_names_no_diagnosis(physician):
    case = make_case(physician, images=0)

    with pytest.raises(replies.OwnCase):
        reply(case, physician)
    replies.reply(case=case, author=physician, comment="The titer is back.")

    assert Reply.objects.get().diagnosis is None


def test_a_closed_case_takes_no_reply():
    case = make_case(images=0)
    Question.objects.filter(pk=case.pk).update(
        status="closed", close_reason="author", closed_at=timezone.now()
    )

    with pytest.raises(writing.NotOpen):
        reply(case)


def test_a_vote_on_what_becomes_one_s_own_diagnosis_goes(colleague, third):
    case = make_case(images=0)
    reply(case)
    open_for_reading(question=case.question, member=colleague)
    diagnoses.cast(diagnosis=Diagnosis.objects.get(), voter=colleague, value=1)

    reply(case, colleague)

    assert not DiagnosisVote.objects.exists()


# Sent twice, and at once


def test_the_same_form_sent_twice_is_one_reply(colleague):
    case, submission = make_case(images=0), uuid.uuid4()
    writing.save_draft(member=colleague, place=f"answer:{case.pk}", fields={"diagnosis": "Ery"})

    first = reply(case, colleague, submission=submission)
    second = reply(case, colleague, submission=submission)

    assert first == second
    assert Reply.objects.count() == Post.objects.answers().count() == 1
    assert not Draft.objects.exists()
    with pytest.raises(writing.SentBefore):
        reply(case, colleague, submission=submission, diagnosis="Tinea")


def at_once(*jobs):
    start = Barrier(len(jobs))

    def run(job):
        try:
            connection.ensure_connection()
            start.wait(20)
            return job()
        finally:
            connection.close()

    with ThreadPoolExecutor(len(jobs)) as pool:
        return list(pool.map(run, jobs))


@pytest.mark.django_db(transaction=True)
def test_colleagues_who_name_the_same_at_once_stand_on_one_row():
    case, members, submission = make_case(images=0), [make_member() for _ in range(3)], uuid.uuid4()

    at_once(
        *(
            lambda who=who, name=name: reply(case, who, diagnosis=name)
            for who, name in zip(members, ("ECM", "ecm", "E.C.M."), strict=True)
        ),
        *(lambda: reply(case, members[0], submission=submission, diagnosis="Tinea") for _ in range(2)),
    )

    assert {one.key for one in Diagnosis.objects.all()} == {"ecm", "e c m", "tinea"}
    assert Diagnosis.objects.get(key="ecm").replies.count() == 2
    assert Reply.objects.count() == 4
    assert Reply.objects.filter(is_forecast=True).count() == 3


def test_an_export_holds_one_s_diagnoses_and_votes_and_nobody_else_s(colleague, third):
    case = make_case(images=0)
    reply(case, colleague)
    reply(case, third, diagnosis="Tinea")
    diagnoses.cast(diagnosis=Diagnosis.objects.get(name="Tinea"), voter=colleague, value=1)

    rows = {
        entry.model: [entry.row(row) for row in entry.rows(Person.of(colleague.user))]
        for entry in ENTRIES
        if entry.path
    }

    assert [(row["diagnosis"], row["confidence"], row["was_right"]) for row in rows["consults.Reply"]] == [
        ("Erythema migrans", 80, None)
    ]
    assert [(row["diagnosis"], row["value"]) for row in rows["consults.DiagnosisVote"]] == [
        ("Tinea", "Corroborate")
    ]
