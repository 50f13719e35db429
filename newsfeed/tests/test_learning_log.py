"""The learning log: what goes into it, who sees it, and what leaves in a file."""

import csv
import io
from datetime import date, timedelta

import pytest
from django.db import IntegrityError, transaction
from django.template import Context, Template
from django.urls import reverse
from django.utils import timezone

from accounts.tests.factories import make_member, make_user
from conftest import client_of
from newsfeed import learning
from newsfeed.models import Discussion, LogEntry
from newsfeed.services import logging_learning as services
from newsfeed.tests.factories import make_article, make_source
from questions.models import Question
from questions.tests.factories import make_answer, make_comment, make_question

pytestmark = pytest.mark.django_db

ADD = reverse("newsfeed:log_add")
LOG = reverse("newsfeed:log")
SAID = {"minutes": "25", "done_on": "2026-03-04", "reflection": "Start the third drug before discharge."}


@pytest.fixture
def article(db):
    return make_article(make_source("Invented Heart Journal"), "An invented trial of ostrelimab", minutes=4)


@pytest.fixture
def answered(physician, colleague):
    """A discussion in which the physician answered."""
    question = make_question(colleague, title="How fast do you correct the sodium here?")
    make_answer(question, physician)
    return question


def log(member, article, done_on=date(2026, 3, 4), minutes=10, reflection=""):
    return services.add(
        member=member, article=article, minutes=minutes, done_on=done_on, reflection=reflection
    )


def rows_of(response) -> list[dict]:
    text = b"".join(response.streaming_content).decode()
    assert text.startswith("\ufeff")
    return list(csv.DictReader(io.StringIO(text.removeprefix("\ufeff"))))


# Services


def test_an_article_stands_once_in_a_log_and_adding_it_again_changes_nothing(physician, article):
    first = log(physician, article, minutes=10)
    again = log(physician, article, minutes=60)

    assert again == first
    assert LogEntry.objects.get().minutes == 10


def test_the_database_refuses_a_second_entry_and_one_about_nothing(physician, article):
    log(physician, article)

    for about in ({"article": article}, {}):
        with pytest.raises(IntegrityError), transaction.atomic():
            LogEntry.objects.create(member=physician, minutes=5, **about)


@pytest.mark.parametrize(
    "make", [make_answer, lambda question, who: make_comment(make_answer(question), who)]
)
def test_a_discussion_is_logged_by_whoever_wrote_in_it(physician, colleague, make):
    question = make_question(colleague)
    add = {"member": physician, "question": question, "minutes": 5, "done_on": date(2026, 3, 4)}

    with pytest.raises(services.NotAnswered):
        services.add(**add)
    make(question, physician)
    assert services.add(**add).question == question


@pytest.mark.parametrize(
    ("wrong", "refusal"),
    [
        ({"minutes": 0}, services.WrongMinutes),
        ({"minutes": 601}, services.WrongMinutes),
        ({"done_on": timezone.localdate() + timedelta(days=2)}, services.NotYet),
        ({"reflection": "x" * 1001}, services.TooLong),
    ],
)
def test_what_cannot_be_is_refused_at_first_and_later(physician, article, wrong, refusal):
    said = {"minutes": 5, "done_on": date(2026, 3, 4), "reflection": "", **wrong}

    with pytest.raises(refusal):
        services.add(member=physician, article=article, **said)
    with pytest.raises(refusal):
        services.change(entry=log(physician, article), **said)


def test_minutes_are_said_in_hours():
    said = {minutes: learning.in_words(minutes) for minutes in (5, 60, 95)}

    assert said == {5: "5 min", 60: "1 h", 95: "1 h 35 min"}


# Pages


def test_the_log_shows_months_and_years_with_all_of_their_minutes(physician, physician_client, monkeypatch):
    monkeypatch.setattr("newsfeed.views.log.PER_PAGE", 2)
    for day, minutes in ((date(2025, 12, 30), 20), (date(2026, 1, 2), 30), (date(2026, 1, 9), 45)):
        log(physician, make_article(title=f"Read on {day}"), day, minutes)

    page = physician_client.get(LOG)
    older = physician_client.get(LOG + page.context["older_url"])

    assert [(total.first, total.time) for total, _ in page.context["months"]] == [
        (date(2026, 1, 1), "1 h 15 min")
    ]
    assert [(total.first.year, total.entries, total.minutes) for total in page.context["years"]] == [
        (2026, 2, 75),
        (2025, 1, 20),
    ]
    assert [line.title for _, lines in older.context["months"] for line in lines] == ["Read on 2025-12-30"]
    assert "Sermo gives no credit." in page.content.decode()


def test_the_form_knows_the_day_and_the_time_of_an_editors_post(physician_client, article, answered):
    post = make_article(kind="sermo", minutes=4)

    of_post = physician_client.get(ADD, {"article": post.pk}).context["form"].initial
    of_article = physician_client.get(ADD, {"article": article.pk}).context["form"].initial
    of_question = physician_client.get(ADD, {"question": answered.pk}).context["form"].initial

    assert (of_post["minutes"], of_article["minutes"], of_question["minutes"]) == (4, 10, 10)
    assert of_article["done_on"] == timezone.localdate()


def test_an_article_is_added_and_adding_it_again_opens_the_entry(physician_client, article):
    address = f"{ADD}?article={article.pk}"

    assert physician_client.post(address, SAID).url == LOG
    entry = LogEntry.objects.get()
    assert (entry.minutes, entry.done_on, entry.reflection) == (25, date(2026, 3, 4), SAID["reflection"])
    assert physician_client.get(address).url == reverse("newsfeed:log_entry", args=[entry.pk])
    assert physician_client.post(address, SAID).url == LOG


@pytest.mark.parametrize("typed", [{"reflection": "Typed a second time."}, {"minutes": "soon"}])
def test_what_is_typed_of_an_entry_that_is_there_is_not_lost(physician, physician_client, article, typed):
    entry = log(physician, article, minutes=10)

    page = physician_client.post(f"{ADD}?article={article.pk}", {**SAID, **typed})

    words = page.content.decode()
    address = reverse("newsfeed:log_entry", args=[entry.pk])
    assert page.status_code == 422
    assert "in your learning log already" in words
    assert next(iter(typed.values())) in words
    assert words.count(f'action="{address}"') == 2  # to save, and to delete
    assert LogEntry.objects.get().minutes == 10
    if "reflection" in typed:
        physician_client.post(address, {**SAID, **typed})
        assert LogEntry.objects.get().reflection == typed["reflection"]


def test_rubbish_in_a_form_is_refused(physician_client, article):
    rubbish = {"minutes": "\x00", "done_on": "\x00", "reflection": "a\x00b"}

    for field, typed in rubbish.items():
        answer = physician_client.post(f"{ADD}?article={article.pk}", {**SAID, field: typed})
        assert answer.status_code == 422
    assert not LogEntry.objects.exists()


@pytest.mark.parametrize(
    "wrong",
    [
        {"minutes": "0"},
        {"minutes": "soon"},
        {"done_on": "2999-01-01"},
        {"done_on": ""},
        {"reflection": "Call the daughter at 212-555-0187 about the dose."},
    ],
)
def test_a_form_that_is_wrong_or_names_somebody_comes_back_as_typed(physician_client, article, wrong):
    page = physician_client.post(f"{ADD}?article={article.pk}", {**SAID, **wrong})

    assert page.status_code == 422
    assert next(iter(wrong.values())) in page.content.decode()
    assert not LogEntry.objects.exists()


def test_a_day_to_come_is_said_at_its_field_together_with_the_rest(physician_client, article):
    wrong = {**SAID, "done_on": "2999-01-01", "minutes": "0"}

    form = physician_client.post(f"{ADD}?article={article.pk}", wrong).context["form"]

    assert set(form.errors) == {"done_on", "minutes"}
    assert form.errors["done_on"] == [services.NotYet.message]


def test_what_is_named_must_be_one_thing_one_may_open(physician_client, article, answered):
    hidden = make_article(state="removed")
    for named in ({}, {"article": hidden.pk}, {"question": 10**30}, {"article": article.pk, "question": 1}):
        assert physician_client.get(ADD, named).status_code == 404


def test_a_discussion_one_did_not_write_in_is_not_offered(colleague_client, answered):
    assert colleague_client.get(ADD, {"question": answered.pk}).url == answered.get_absolute_url()
    assert colleague_client.post(f"{ADD}?question={answered.pk}", SAID).status_code == 422


def test_an_entry_is_changed_and_deleted_by_its_owner_alone(
    physician, physician_client, colleague_client, article
):
    entry = log(physician, article)
    address = reverse("newsfeed:log_entry", args=[entry.pk])

    assert colleague_client.get(address).status_code == 404
    assert colleague_client.post(address, {"delete": "1"}).status_code == 404
    assert physician_client.post(address, {**SAID, "minutes": ""}).status_code == 422
    physician_client.post(address, SAID)
    assert LogEntry.objects.get().minutes == 25
    asked = physician_client.get(address).content.decode().partition("Delete this entry</summary>")[2]
    assert "Delete for good" in asked.partition("</details>")[0]
    physician_client.post(address, {"delete": "1"})
    assert not LogEntry.objects.exists()
    assert physician_client.post(address, {"delete": "1"}).status_code == 404


def test_what_is_closed_to_one_by_now_stands_there_without_its_title(physician, physician_client, answered):
    services.add(member=physician, question=answered, minutes=5, done_on=date(2026, 3, 4))
    removed = make_article(title="Removed from the news", doi="10.5555/removed")
    log(physician, removed)
    removed.state = "removed"
    removed.save()
    Question.objects.filter(pk=answered.pk).update(status="removed", closed_at=None, close_reason="")

    pages = [physician_client.get(reverse(f"newsfeed:{name}")) for name in ("log", "log_print")]
    said = [page.content.decode() for page in pages]
    said.append(str(rows_of(physician_client.get(reverse("newsfeed:log_csv")))))

    for page in said:
        assert learning.HIDDEN_QUESTION in page
        assert learning.HIDDEN_ARTICLE in page
        assert answered.title not in page
        assert removed.title not in page


def test_the_file_holds_one_s_own_year_and_no_formulas(physician, colleague, physician_client, article):
    article.title = "=HYPERLINK(evil)"
    article.save()
    log(physician, article, reflection="Überdosis: -2 mg")
    log(physician, make_article(title="Of last year"), date(2025, 5, 5))
    log(colleague, make_article(title="Of a colleague"))

    rows = rows_of(physician_client.get(reverse("newsfeed:log_csv"), {"year": "2026"}))

    assert [tuple(row.values()) for row in rows] == [
        (
            *("2026-03-04", "10", "Read", "'=HYPERLINK(evil)", "Invented Heart Journal"),
            *(article.doi, article.link, "Überdosis: -2 mg"),
        )
    ]
    assert len(rows_of(physician_client.get(reverse("newsfeed:log_csv"), {"year": "0000"}))) == 2


@pytest.mark.parametrize("cell", ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", " =1"])
def test_no_cell_begins_a_formula(cell):
    assert learning.harmless(cell) == f"'{cell}"
    assert learning.harmless("A plain title = plain") == "A plain title = plain"


def test_the_printed_log_is_of_one_year(physician, physician_client, article):
    log(physician, article)
    log(physician, make_article(title="Of last year"), date(2025, 5, 5))

    page = physician_client.get(reverse("newsfeed:log_print"), {"year": "2026"}).content.decode()

    assert f"1. {article.title}" in page
    assert "Of last year" not in page
    assert page.index(">Name<") < page.index(">Signature<")


@pytest.mark.parametrize("name", ["log", "log_add", "log_csv", "log_print"])
def test_the_log_is_for_members_who_may_read(client, applicant, name):
    address = reverse(f"newsfeed:{name}")

    assert "/accounts/login/" in client.get(address).url
    assert client_of(applicant).get(address).url == reverse("verification:start")
    assert client_of(make_user()).get(address).status_code == 403


def test_a_log_costs_the_same_at_any_length(
    physician, physician_client, answered, django_assert_max_num_queries
):
    services.add(member=physician, question=answered, minutes=5, done_on=date(2026, 3, 4))
    source = make_source()
    for number in range(6):
        log(physician, make_article(source), date(2026, 3, 1 + number))
    physician_client.get(LOG)

    with django_assert_max_num_queries(7):
        physician_client.get(LOG)


# Links


def drawn(member, tag, **context) -> str:
    request = type("Request", (), {"user": member.user})()
    return Template("{% load news %}" + tag).render(Context({"request": request, **context})).strip()


def test_an_article_leads_to_the_form_and_then_to_its_entry(physician, article):
    assert f"{ADD}?article={article.pk}" in drawn(physician, "{% log_link article %}", article=article)

    entry = log(physician, article)

    link = drawn(physician, "{% log_link article %}", article=article)
    assert reverse("newsfeed:log_entry", args=[entry.pk]) in link


def test_a_discussion_leads_to_the_form_for_those_who_answered_in_it(physician_client, colleague, answered):
    link = f"{ADD}?question={answered.pk}"

    assert link in physician_client.get(answered.get_absolute_url()).content.decode()
    assert link not in client_of(colleague).get(answered.get_absolute_url()).content.decode()
    assert link not in client_of(answered.asker).get(answered.get_absolute_url()).content.decode()


def test_the_discussion_of_an_article_is_logged_as_the_article(
    physician, physician_client, article, answered
):
    Question.objects.filter(pk=answered.pk).update(kind="article")
    Discussion.objects.create(question=answered, article=article)
    answered.refresh_from_db()

    physician_client.post(f"{ADD}?question={answered.pk}", SAID)

    assert LogEntry.objects.get().article == article


def test_a_log_of_a_member_who_may_only_read_stays_theirs(article):
    reader = make_member(standing="read_only")

    client_of(reader).post(f"{ADD}?article={article.pk}", SAID)

    assert LogEntry.objects.get().member == reader
