"""The curbside note: what colleagues made of a case, without anybody in it, and only what is open to its reader."""

import re
from datetime import timedelta

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.models import Block
from conftest import client_of
from consults.models import Diagnosis, Reply, Solution
from consults.services import replies
from consults.tests.factories import make_case
from questions.models import Byline, Commitment, Post, Question, Reference
from sermo.text import render_markdown

pytestmark = pytest.mark.django_db
SAID = """**Diagnosis.** Lupus, 80% sure.

**Next step.** Biopsy, as @left_atrium would; *then* wait.

Seen by @papular before, PMID 12345678."""


@pytest.fixture
def case(physician):
    return make_case(physician, images=0, opened_at=timezone.now() - timedelta(days=3), age_band="40-49")


def reply(case, member, source=SAID, name="Lupus", **fields):
    byline, _ = Byline.objects.get_or_create(question=case.question, member=member, mode="anonymous")
    post = Post.objects.create(
        question=case.question,
        kind=Post.Kind.ANSWER,
        author=member,
        byline=byline,
        source=source,
        html=render_markdown(source),
        **fields,
    )
    key = name.lower()
    diagnosis = Diagnosis.objects.get_or_create(case=case, key=key, defaults={"name": name})[0]
    Reply.objects.create(post=post, case=case, member=member, diagnosis=diagnosis, confidence=80)
    Reference.objects.create(post=post, kind="pmid", value="12345678", place=1)
    return post


def commit(case, member):
    Commitment.objects.create(question=case.question, member=member, how="reading")


def address(case):
    return reverse("consults:note", args=[case.pk, case.question.slug])


def note(case, member) -> str:
    """What is printed of it."""
    response = client_of(member).get(address(case))
    assert response.status_code == 200
    return response.content.decode().split('<header class="stack-s">')[1].split("</article>")[0]


def test_visitors_and_applicants_do_not_come_in(client, applicant_client, case):
    assert "/accounts/login/" in client.get(address(case))["Location"]
    assert applicant_client.get(address(case))["Location"] == reverse("verification:start")


def test_of_what_is_not_open_to_one_there_is_no_note(colleague, case):
    Question.objects.filter(pk=case.pk).update(audience="connections")

    assert client_of(colleague).get(address(case)).status_code == 404


@pytest.mark.parametrize("gone", ["withdrawn", "removed"])
def test_of_what_is_gone_there_is_no_note_for_anybody(moderator, case, gone):
    if gone == "withdrawn":
        case.__class__.objects.filter(pk=case.pk).update(withdrawn_at=timezone.now(), withdrawn="author")
    else:
        Question.objects.filter(pk=case.pk).update(status="removed")

    assert client_of(moderator).get(address(case)).status_code == 404


def test_it_has_the_case_the_differential_in_counts_and_the_next_steps(case, colleague, third):
    reply(case, colleague)
    reply(case, third, saw_others=True)

    said = note(case, case.question.asker)

    assert "Female, 40s" in said
    assert said.count("What is this?") == 1
    assert "Central clearing" in said
    row = re.search(r'<th scope="row">Lupus</th><td class="n">(\d)</td><td class="n">(\d)</td>', said)
    assert row.groups() == ("1", "1")
    assert said.count("<li>Biopsy, as a colleague would; then wait.</li>") == 1
    assert "12345678" in said
    assert "not a formal consultation" in said
    assert re.search(r"Printed <time [^>]+>[A-Z][a-z]+ \d+, \d{4}, \d+:\d\d [ap]\.?m\.? E[SD]T</time>", said)


def test_nobody_is_named_and_no_moment_but_that_of_printing_is_finer_than_a_day(case, colleague, third):
    Question.objects.filter(pk=case.pk).update(
        title="A rash, @papular has seen it", outcome="Thanks @papular."
    )
    reply(case, colleague)

    said = note(case, case.question.asker)

    assert not [member.handle for member in (case.question.asker, colleague, third) if member.handle in said]
    assert "80%" not in said
    assert len(re.findall("<time", said)) == 1


def test_what_colleagues_said_is_folded_until_one_commits(case, colleague, third):
    reply(case, colleague)
    final = Diagnosis.objects.get(case=case)
    Question.objects.filter(pk=case.pk).update(solved_at=timezone.now(), outcome="It was as they said.")
    Solution.objects.create(case=case, diagnosis=final, confirmed="pathology")

    closed = note(case, third)
    commit(case, third)
    opened = note(case, third)

    assert not [
        word for word in ("Lupus", "Biopsy", "12345678", "Pathology", "as they said") if word in closed
    ]
    assert "What colleagues said is folded" in closed
    assert "<b>Lupus</b>. Pathology." in opened
    assert "It was as they said." in opened


def test_of_a_case_study_the_solution_is_in_it_once_one_commits(colleague):
    case = make_case(intent="teaching", images=0)

    closed = note(case, colleague)
    commit(case, colleague)

    assert "doxycycline" not in closed
    assert "doxycycline" in note(case, colleague)


def test_folded_removed_and_blocked_answers_give_no_next_step(case, colleague, third, moderator):
    now = timezone.now()
    reply(case, colleague, "**Next step.** Folded.", folded_at=now, fold_reason="misinformation")
    reply(case, third, "**Next step.** Removed.", removed_at=now, removed_by="author")
    reply(case, moderator, "**Next step.** Blocked.")
    Block.objects.create(
        blocker=case.question.asker, blocked=moderator, blocked_face="handle", blocker_face="handle"
    )

    said = note(case, case.question.asker)

    assert not [word for word in ("Folded", "Removed", "Blocked") if word in said]
    assert "None was named." in said


def test_a_folded_answer_is_not_in_the_differential(case, colleague, third):
    reply(case, colleague, name="Sarcoid")
    reply(case, third, folded_at=timezone.now(), fold_reason="misinformation")

    said = note(case, case.question.asker)

    assert ("Sarcoid" in said, "Lupus" in said) == (True, False)


def test_the_next_step_of_a_reply_as_it_is_composed_and_as_a_browser_sends_it_back(case, colleague):
    post = replies.reply(
        case=case,
        author=colleague,
        diagnosis="Lupus",
        confidence=80,
        next_step="Biopsy first.",
        comment="Soon.",
    )
    Post.objects.filter(pk=post.pk).update(source=post.source.replace("\n", "\r\n"))

    assert "<li>Biopsy first.</li>" in note(case, case.question.asker)


def test_the_page_of_a_case_leads_to_it(case, physician_client):
    assert f'href="{address(case)}"' in physician_client.get(case.get_absolute_url()).content.decode()


def test_it_costs_few_queries(case, colleague, third):
    reply(case, colleague)
    reply(case, third)
    client = client_of(case.question.asker)
    client.get(address(case))

    with CaptureQueriesContext(connection) as asked:
        client.get(address(case))

    assert len(asked) <= 10
