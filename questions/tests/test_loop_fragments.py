"""What the question page and the home page take in."""

import pytest
from django.template.loader import render_to_string

from accounts.tests.factories import make_member
from conftest import client_of
from questions.models import Asked
from questions.services import asking, closing, follow_ups, references
from questions.tests.factories import make_answer, make_question


@pytest.fixture
def solved(physician, colleague):
    question = make_question(physician)
    answer = make_answer(question, colleague, source="PMID 1234567 says so.")
    closing.solve_question(
        question=question, by=physician, answers=[answer], outcome="Closure, no bleeding since."
    )
    question.refresh_from_db()
    return question


def page_of(question, member):
    return " ".join(client_of(member).get(question.get_absolute_url()).content.decode().split())


def test_what_happened_starts_with_the_outcome_and_goes_on_in_order(solved, physician, colleague):
    for days, text in ((30, "Walks again."), (7, "Home.")):
        follow_ups.answer(
            follow_up=solved.follow_ups.get(days=days), by=physician, finding="partly", text=text
        )

    words = page_of(solved, colleague)

    parts = ["Closure, no bleeding since.", "A week later:", "partly as they said. Home.", "A month later:"]
    assert sorted(words.index(part) for part in parts) == [words.index(part) for part in parts]
    assert "follow-up/" not in words


def test_the_asker_alone_is_led_to_the_form(solved, physician, colleague):
    assert "Say what became of it" in page_of(solved, physician)
    assert "Say what became of it" not in page_of(solved, colleague)


def test_a_solution_taken_back_leaves_nothing_pinned(solved, physician):
    follow_ups.answer(
        follow_up=solved.follow_ups.get(days=7), by=physician, finding="confirmed", text="Home."
    )
    closing.unsolve_question(question=solved, by=physician)

    words = page_of(solved, physician)

    assert "What happened." not in words
    assert "follow-up/" not in words


def test_words_of_an_asker_are_no_markup(solved, physician):
    follow_ups.answer(
        follow_up=solved.follow_ups.get(days=7), by=physician, finding="confirmed", text="<b>Home.</b>"
    )

    assert "&lt;b&gt;Home." in page_of(solved, physician)


def test_the_references_lead_to_the_work_and_to_the_post(solved):
    words = render_to_string("questions/_references.html", {"references": references.references_of(solved)})

    assert 'href="https://pubmed.ncbi.nlm.nih.gov/1234567/"' in words
    assert "answer by nephron_loop" in words
    assert render_to_string("questions/_references.html", {"references": []}).strip() == ""


@pytest.mark.parametrize(
    ("reach", "words"),
    [
        (None, ""),
        (asking.Reach(is_under_way=True), "being put to colleagues"),
        (asking.Reach(False, 0, 0), "Put to fewer than five colleagues, or to none yet."),
        (asking.Reach(False, 4, 1), "Put to fewer than five colleagues, or to none yet."),
        (asking.Reach(False, 25, 4), "fewer than five reached now"),
        (asking.Reach(False, 25, 12, is_among_connections=True), "those of your connections who can answer"),
        (asking.Reach(False, 25, 12), "12 of 25 reached now, the others"),
        (asking.Reach(False, 25, 25), "Put to 25 colleagues: all of them are reached.</p>"),
    ],
)
def test_the_asker_learns_how_many_were_asked_and_never_a_small_number(reach, words):
    shown = render_to_string("questions/_reach.html", {"reach": reach})

    assert words in shown
    assert not (reach and reach.is_among_connections and "25" in shown)
    assert bool(shown.strip()) == bool(words)


def test_the_home_page_has_what_is_put_to_one(physician, colleague):
    make_member()
    question = make_question(physician)
    Asked.objects.create(question=question, member=colleague, why="newcomer")

    mine = render_to_string("questions/_put_to_you.html", {"asked": asking.put_to(colleague.user)[:3]})
    yours = render_to_string("questions/_put_to_you.html", {"asked": asking.put_to(physician.user)[:3]})

    assert question.title in mine
    assert yours.strip() == ""
