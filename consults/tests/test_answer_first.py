"""Answer first: nothing of the answers to a case reaches a reader who has neither answered nor asked to only read.

A case is filled with words that stand nowhere else, each in another place. A reader then opens every page that links
lead to, searches for each word, asks for fragments, gets notices, mails and an export.
"""

import re
from collections import deque
from datetime import timedelta

import pytest
from django.core import mail
from django.urls import reverse
from django.utils import timezone

from accounts.models import Kind, Way
from accounts.services import mail as outbox
from accounts.services import notices, ties
from accounts.tests.factories import make_member
from conftest import client_of
from consults.models import DiagnosisVote
from consults.services import markers, replies
from consults.tests.factories import make_case, make_diagnosis, make_solution
from questions import ranking
from questions.models import Credit, FollowUp, Question, SavedSearch, Subscription
from questions.search import alerts
from questions.services import following, voting, writing
from questions.services.committing import open_for_reading
from questions.tests.factories import corroborate, make_answer, make_comment, make_question
from sermo.tests.test_two_faces import body_of, export_of, links_in

pytestmark = pytest.mark.django_db

ANSWERER, TITLE = "sable_quill", "Annular rash after a walk"
WORDS = {
    "answer": "quarzolith",
    "answer as it was": "brombarium",
    "next step": "wexomoral",
    "comment": "vellutine",
    "dispute": "marnovex",
    "mark of an answer": "tolpidane",
    "mark": "gryphonal",
    "link": "ferrundle",
    "outcome": "oxtandria",
    "what became of it": "plimsaver",
    "diagnosis": "corvastine",
    "synonym": "dulcimand",
    "dispute of a diagnosis": "hexanthor",
    "final diagnosis": "jorvikite",
    "solution": "kestrelin",
}
SKIPPED = re.compile(
    r"/(static|accounts|admin|demo|settings|about|consults/images|tags|specialties|connections|keys)/"
    r"|/(questions|leaderboards|consults|topics)/\?|/questions/ask/"  # the same rows in other orders
)
MOST_PAGES = 120


@pytest.fixture
def reader(db):
    reader = make_member("nephron_loop", specialty="Nephrology")
    notices.change_settings(member=reader, ways=dict.fromkeys(Kind, Way.EMAIL))
    for word in WORDS.values():
        SavedSearch.objects.create(
            member=reader, place="search", name=word[:3], query=f"q={word}", alerts=True, seen_post=0
        )
    return reader


@pytest.fixture
def case(reader):
    """A solved case with a word in each place, whose reader follows all that can be followed."""
    answerer, other = make_member(ANSWERER), make_member("pale_heron")
    ties.follow(follower=reader, followed=answerer)
    ties.set_alerts(follower=reader, followed=answerer, alerts=True)
    case = make_case(intent="help", title=TITLE)
    question = case.question
    following.subscribe(member=reader, question=question, level=Subscription.Level.ALERTS)
    image = case.images.get()
    markers.add_marker(image=image, member=answerer, left=1, top=1, label=WORDS["mark of an answer"])
    markers.add_marker(image=image, member=other, left=9, top=9, label=WORDS["mark"])
    answer = replies.reply(
        case=case,
        author=answerer,
        diagnosis=WORDS["diagnosis"].capitalize(),
        confidence=70,
        next_step=f"Give {WORDS['next step']}.",
        comment=f"{WORDS['answer as it was']} (mark 1), PMID 31535829, https://example.org/{WORDS['link']}",
    )
    answer.posted_at -= timedelta(hours=1)
    answer.save(update_fields=["posted_at"])
    text = answer.source.replace(WORDS["answer as it was"], WORDS["answer"])
    writing.edit_post(post=answer, by=answerer, source=f"{text} @nephron_loop may differ.")
    make_answer(question, other, source="No word of mine.")
    make_comment(answer, other, source=f"Also {WORDS['comment']}. @nephron_loop?")
    voting.cast_vote(
        post=answer,
        voter=other,
        value=-1,
        reason="evidence",
        explanation=f"No trial says {WORDS['dispute']}.",
    )
    _name_diagnoses(case, answer.reply.diagnosis, other)
    now = timezone.now()
    Question.objects.filter(pk=question.pk).update(solved_at=now, outcome=f"It was {WORDS['outcome']}.")
    Credit.objects.create(question=question, post=answer, place=1)
    FollowUp.objects.create(
        question=question,
        days=7,
        due_at=now,
        answered_at=now,
        finding="confirmed",
        text=f"Still {WORDS['what became of it']}.",
    )
    question.refresh_from_db()
    return case


def _name_diagnoses(case, diagnosis, voter):
    make_diagnosis(case, WORDS["synonym"].capitalize(), merged_into=diagnosis)
    DiagnosisVote.objects.create(
        diagnosis=diagnosis,
        voter=voter,
        value=-1,
        reason="evidence",
        explanation=f"The rash is not {WORDS['dispute of a diagnosis']} at all.",
    )
    make_solution(case, WORDS["final diagnosis"].capitalize(), "pathology")


@pytest.fixture
def teaching(db):
    solution = f"It was {WORDS['solution']}."
    return make_case(
        intent="teaching", title="What would you call it?", solution=solution, solution_html=f"<p>{solution}"
    )


def starts(case, teaching):
    question = case.question
    pages = [case.get_absolute_url(), teaching.get_absolute_url(), reverse("questions:print", args=[case.pk])]
    for post in question.posts.exclude(kind="opening"):
        names = ("history", "comment", "flag", "edit")
        pages += [reverse(f"questions:{name}", args=[post.pk]) for name in names]
        pages += [
            f"{question.get_absolute_url()}?post={post.pk}",
            f"{question.get_absolute_url()}?comments={post.pk}",
        ]
    return [
        *pages,
        f"{question.get_absolute_url()}?after=x",
        f"{question.get_absolute_url()}?answers=newest",
        f"/questions/{case.pk}/solve/",
        f"/questions/{case.pk}/follow-up/",
        "/",
        "/questions/?status=all",
        "/questions/?status=all&reference=1",
        "/consults/",
        "/notifications/",
        f"/members/{ANSWERER}/",
        f"/search/?q=author:{ANSWERER}",
        "/search/?q=has:reference",
        "/search/?q=kind:case",
        "/points/",
        "/leaderboards/",
        "/bookmarks/",
        "/transparency/",
    ]


def crawl(member, first) -> dict[str, str]:
    """Every page that links and scripts lead to, and what a script would get in its place."""
    client, waiting, seen = client_of(member), deque(first), {}
    while waiting and len(seen) < MOST_PAGES:
        path = waiting.popleft()
        if path in seen or (path not in first and (SKIPPED.match(path) or path.count("=") > 1)):
            continue
        response = client.get(path)
        seen[path] = body_of(response)
        waiting.extend(link for link in links_in(response, path) if link not in seen)
    assert len(seen) < MOST_PAGES
    for path in first:
        seen[f"{path} by htmx"] = body_of(client.get(path, headers={"HX-Request": "true"}))
    return seen


def found_in(pages: dict[str, str]) -> set[tuple[str, str]]:
    return {
        (place, path) for path, page in pages.items() for place, word in WORDS.items() if word in page.lower()
    }


def tell_all():
    alerts.SETTLED, kept = timedelta(0), alerts.SETTLED
    try:
        alerts.tell_of_new_matches()
    finally:
        alerts.SETTLED = kept
    for fan_out in notices.unfinished_fan_outs():
        while notices.tell_next_batch(fan_out_id=fan_out):
            pass
    outbox.send_due()


def searched(member, *places) -> dict[str, list[str]]:
    """The titles and hints that a search for each word finds, or for those in some places."""
    client, found = client_of(member), {}
    for place in places or WORDS:
        context = client.get("/search/", {"q": WORDS[place]}).context
        found[place] = [row.title for row in context["results"]] + [str(hint) for hint in context["hints"]]
    return found


def test_no_word_leaves_before_the_reader_commits_and_all_are_there_after(reader, case, teaching):
    tell_all()
    SavedSearch.objects.all().delete()  # whose own words would be found
    ranking.recount_ranks()

    pages = crawl(reader, starts(case, teaching))

    pages |= {f"export, {name}": text for name, text in export_of(reader).items()}
    pages |= {f"mail {number}": f"{one.subject} {one.body}" for number, one in enumerate(mail.outbox)}
    assert found_in(pages) == set()
    assert not any(searched(reader).values())
    archive = f"/consults/archive/?q={WORDS['final diagnosis']}"
    assert TITLE not in client_of(reader).get(archive).content.decode()
    own = {case.get_absolute_url(), "/notifications/", reverse("questions:print", args=[case.pk])}
    assert [path for path in own if ANSWERER in pages[path]] == []
    assert "A colleague answered" in pages["/notifications/"]
    page = " ".join(pages[case.get_absolute_url()].split())
    assert page.count("Just reading") == 1
    assert "2 colleagues answered." in page
    assert "is known of the outcome, opens once you answer, or now if you only want to read" in page

    client_of(reader).post(reverse("questions:open_answers", args=[case.pk]))
    make_answer(teaching.question, reader)

    client, answer = client_of(reader), case.question.posts.answers().order_by("pk")[0]
    opened = [case.get_absolute_url(), teaching.get_absolute_url(), answer.history_url]
    shown = found_in({path: client.get(path).content.decode() for path in opened})
    assert {place for place, _ in shown} == WORDS.keys()
    assert searched(reader, "answer", "comment") == {"answer": [TITLE], "comment": [TITLE]}
    assert TITLE in client.get(archive).content.decode()


def test_nobody_sees_scripts_parts_of_closed_answers(reader, case):
    """What a script fetches while one scrolls, and similar discussions while one asks."""
    client, address = client_of(reader), case.get_absolute_url()

    for query in ("?after=x", "?after=WzAsMCwxXQ", "?answers=newest&after=x"):
        assert client.get(f"{address}{query}", headers={"HX-Request": "true"}).content.strip() == b""
    body = {"title": f"{WORDS['answer']} {WORDS['comment']}", "source": WORDS["answer"]}
    assert "Annular rash" not in client.post("/questions/similar/", body).content.decode()

    open_for_reading(question=case.question, member=reader)

    assert "Annular rash" in client.post("/questions/similar/", body).content.decode()


def test_the_filter_by_reference_knows_closed_answers_of_no_case(reader, case):
    address = "/questions/?status=all&reference=1"
    assert "Annular rash" not in client_of(reader).get(address).content.decode()

    open_for_reading(question=case.question, member=reader)

    assert "Annular rash" in client_of(reader).get(address).content.decode()


def test_a_colleague_s_mark_is_closed_with_the_answers_and_the_asker_s_is_not(reader):
    case = make_case()
    for member, label in (
        (case.question.asker, "Pale middle"),
        (make_member(), "Scaly rim"),
        (reader, "Own finding"),
    ):
        markers.add_marker(image=case.images.get(), member=member, left=5, top=5, label=label)

    page = client_of(reader).get(case.get_absolute_url()).content.decode()
    assert ("Pale middle" in page, "Scaly rim" in page, "Own finding" in page) == (True, False, True)

    make_answer(case.question, reader)

    assert "Scaly rim" in client_of(reader).get(case.get_absolute_url()).content.decode()


def test_the_button_beside_the_solution_opens_the_answers_too(reader, teaching):
    make_answer(teaching.question, source="Erythema, I think.")
    client = client_of(reader)

    client.post(reverse("consults:look", args=[teaching.pk, teaching.question.slug]))

    page = client.get(teaching.get_absolute_url()).content.decode()
    assert WORDS["solution"] in page
    assert "Erythema, I think." in page
    assert make_answer(teaching.question, reader).saw_others


def test_moderators_and_the_asker_see_all_from_the_start(case, moderator):
    for who in (case.question.asker, moderator):
        page = client_of(who).get(case.get_absolute_url()).content.decode()
        assert WORDS["answer"] in page
        assert "Just reading" not in page


def test_other_discussions_are_as_open_as_ever(reader):
    question = make_question(make_member())
    corroborate(make_answer(question, source="As open as ever."), reader)

    assert "As open as ever." in client_of(reader).get(question.get_absolute_url()).content.decode()
