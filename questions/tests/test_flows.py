"""What happens when things go otherwise than the page expected: nobody loses a text, and nobody votes by mistake."""

import re

import pytest
from django.urls import reverse

from accounts.tests.factories import make_member
from conftest import client_of
from questions.models import Post, Question, Vote
from questions.services import closing, writing
from questions.tests.factories import dispute, make_answer, make_comment, make_question

HTMX = {"HTTP_HX_REQUEST": "true"}
SUBMISSION = "6f1d9fd0-8f0f-4f52-9a4b-0a5b8b9d2c11"


@pytest.fixture
def question(physician):
    return make_question(physician)


@pytest.fixture
def answer(question, colleague):
    return make_answer(question, colleague)


def words(response):
    """The text of a page, as somebody reads it."""
    text = re.sub(r"<(script|style|svg)\b.*?</\1>", " ", response.content.decode(), flags=re.S)
    return " ".join(re.sub(r"<[^>]+>", " ", text).split())


# Back from logging in


@pytest.mark.parametrize("action", ["vote", "remove"])
def test_coming_back_to_what_acts_on_a_post_leads_to_the_post(physician_client, answer, action):
    response = physician_client.get(f"/posts/{answer.pk}/{action}/")

    assert response.url == answer.get_absolute_url()
    answer.refresh_from_db()
    assert not answer.is_removed
    assert not Vote.objects.exists()


def test_coming_back_to_a_post_one_may_not_see_is_a_404(physician, colleague_client):
    question = make_question(physician, audience="specialty")

    assert colleague_client.get(f"/posts/{question.posts.get().pk}/vote/").status_code == 404
    assert colleague_client.get(f"/questions/{question.pk}/answer/", follow=True).status_code == 404


@pytest.mark.parametrize("address", ["/questions/preview/", "/drafts/ask/"])
def test_coming_back_to_what_has_no_page_leads_to_the_drafts(physician_client, address):
    assert physician_client.get(address).url == reverse("questions:drafts")


def test_what_nobody_asks_for_is_refused(physician_client, answer):
    assert physician_client.put(f"/posts/{answer.pk}/vote/").status_code == 405


# Disputes


def test_a_refused_dispute_without_scripts_comes_back_open_with_its_words(answer, physician_client):
    page = physician_client.post(
        f"/posts/{answer.pk}/vote/", {"value": "-1", "reason": "unsafe", "explanation": "Too short"}
    )

    assert page.status_code == 422
    html = page.content.decode()
    verdict = html[html.index(f'id="verdict-{answer.pk}"') :]
    assert "<details open>" in verdict
    assert "Too short</textarea>" in verdict
    assert re.search(r'value="unsafe"\s+checked', verdict)
    assert "20 characters" in words(page)
    assert not Vote.objects.exists()


def test_a_refused_dispute_of_an_answer_far_down_shows_that_answer(question, physician_client):
    answers = [make_answer(question) for _ in range(22)]

    page = physician_client.post(
        f"/posts/{answers[21].pk}/vote/", {"value": "-1", "reason": "unsafe", "explanation": "Too short"}
    )

    assert "Too short</textarea>" in page.content.decode()


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_dispute_of_what_was_closed_meanwhile_shows_what_was_written(
    question, answer, physician, colleague, headers
):
    closing.close_question(question=question, by=physician)

    page = client_of(physician).post(
        f"/posts/{answer.pk}/vote/",
        {"value": "-1", "reason": "unsafe", "explanation": "I looked for the trial for ten minutes."},
        **headers,
    )

    assert page.status_code == 422
    assert "is closed" in words(page)
    assert "I looked for the trial for ten minutes." in words(page)


def test_the_dispute_has_a_form_of_its_own(answer, physician_client):
    html = physician_client.get(answer.question.get_absolute_url()).content.decode()
    verdict = html[html.index(f'id="verdict-{answer.pk}"') :]
    forms = re.findall(r"<form\b.*?</form>", verdict, flags=re.S)[:2]

    assert ["Corroborate" in form for form in forms] == [True, False]
    assert ['name="reason"' in form for form in forms] == [False, True]
    assert all('value="1"' not in form for form in forms[1:])


def test_only_ten_explanations_are_loaded_and_every_one_is_counted(answer, physician_client):
    dispute(answer, reason="unsafe", explanation="The very first, and it was unsafe.")
    for number in range(13):
        dispute(answer, explanation=f"Explanation with the number {number:02}.")

    page = physician_client.get(answer.question.get_absolute_url())

    text = words(page)
    assert "14 disputes: evidence says otherwise 13, unsafe for this patient 1." in text
    assert "10 of 14 shown" in text
    assert "number 12." in text
    assert "The very first" not in text
    assert len(page.context["posts"][0].disputes) == 10


def test_a_vote_that_cannot_be_is_answered_by_the_site_s_own_page(answer, physician_client):
    page = physician_client.post(f"/posts/{answer.pk}/vote/", {"value": "7"})

    assert page.status_code == 400
    assert "This request could not be read." in words(page)


# What was closed meanwhile


def test_rating_what_was_closed_meanwhile_says_so_and_offers_no_form(question, physician, colleague_client):
    closing.close_question(question=question, by=physician)

    fragment = colleague_client.post(f"/questions/{question.pk}/importance/", {"value": "4"}, **HTMX)

    assert fragment.status_code == 422
    assert "is closed" in words(fragment)
    assert "<form" not in fragment.content.decode()


@pytest.mark.parametrize("action", ["comment", "edit"])
def test_a_page_to_write_on_leads_back_once_the_discussion_is_closed(
    question, answer, physician, colleague_client, action
):
    closing.close_question(question=question, by=physician)

    response = colleague_client.get(f"/posts/{answer.pk}/{action}/", follow=True)

    assert response.redirect_chain[0][0] == answer.get_absolute_url()
    assert "nobody can answer or vote any more" in words(response)


@pytest.mark.parametrize("action", ["comment", "edit"])
def test_what_was_written_for_a_discussion_closed_meanwhile_is_shown(
    question, answer, physician, colleague_client, action
):
    closing.close_question(question=question, by=physician)

    page = colleague_client.post(
        f"/posts/{answer.pk}/{action}/",
        {
            "source": "I wrote this for ten minutes.",
            "was": answer.source,
            "submission": SUBMISSION,
            "byline": "anonymous",
        },
    )

    assert page.status_code == 422
    assert "I wrote this for ten minutes." in page.content.decode()


# Edits that meet


def test_an_edit_that_met_another_shows_both_texts_and_can_be_saved_again(
    answer, colleague, colleague_client
):
    address, before = f"/posts/{answer.pk}/edit/", answer.source
    writing.edit_post(post=answer, by=colleague, source="**From** the first window.")

    page = colleague_client.post(address, {"source": "From the second window.", "was": before})
    assert page.status_code == 422
    assert "What it says now" in words(page)
    assert "<strong>From</strong> the first window." in page.content.decode()
    assert "From the second window.</textarea>" in page.content.decode()

    fields = {name: page.context["form"][name].value() for name in ("source", "was")}
    assert colleague_client.post(address, fields).status_code == 302
    answer.refresh_from_db()
    assert answer.source == "From the second window."


# Long threads of comments


def comments_under(answer, count):
    """Many comments by one author, one second apart, made in one statement."""
    first = make_comment(answer, source="Comment number 000.")
    rest = [
        Post(
            question=first.question,
            parent=answer,
            kind="comment",
            author=first.author,
            byline=first.byline,
            source=f"Comment number {number:03}.",
            html=f"<p>Comment number {number:03}.</p>",
        )
        for number in range(1, count)
    ]
    return [first, *Post.objects.bulk_create(rest)]


def test_more_than_sixty_comments_are_reached_by_a_link(answer, physician_client):
    comments_under(answer, 63)
    address = answer.question.get_absolute_url()

    page = physician_client.get(address)
    assert "Show all 63 comments" in words(page)
    assert "Comment number 059." in words(page)
    assert "Comment number 060." not in words(page)

    link = re.search(r'href="([^"]*comments=\d+)#post-\d+">Show all', page.content.decode())[1]
    everything = words(physician_client.get(link))
    assert "Comment number 062." in everything
    assert "Show all" not in everything


def test_sixty_comments_need_no_link(answer, physician_client):
    comments_under(answer, 60)

    assert "Show all" not in words(physician_client.get(answer.question.get_absolute_url()))


def test_all_comments_of_an_answer_far_down_are_shown(question, physician_client):
    answers = [make_answer(question) for _ in range(21)]
    comments_under(answers[20], 62)

    page = physician_client.get(f"{question.get_absolute_url()}?comments={answers[20].pk}")

    assert "Comment number 061." in words(page)


def test_a_link_to_a_comment_beyond_sixty_shows_it_unfolded(answer, physician_client):
    wanted = comments_under(answer, 63)[62]

    page = physician_client.get(wanted.get_absolute_url().partition("#")[0])

    assert f'id="post-{wanted.pk}"' in page.content.decode()
    assert '<details class="small" open>' in page.content.decode()
    assert "Comment number 061." not in words(page)


# Addresses


def test_an_old_slug_keeps_what_else_the_address_says(question, answer, physician_client):
    response = physician_client.get(f"/questions/{question.pk}/an-older-title/?post={answer.pk}")

    assert response.status_code == 302
    assert response.url == f"{question.get_absolute_url()}?post={answer.pk}"


@pytest.mark.parametrize("name", ["post", "comments"])
@pytest.mark.parametrize("typed", ["9" * 19, "9" * 18, "-1", "x", "", "0"])
def test_no_id_in_an_address_breaks_the_page(question, physician_client, name, typed):
    assert physician_client.get(f"{question.get_absolute_url()}?{name}={typed}").status_code == 200


# Words


def test_an_open_question_without_answers_is_not_said_to_have_got_none(question):
    page = words(client_of(make_member(standing="read_only")).get(question.get_absolute_url()))

    assert "No answer yet." in page
    assert "No answer was given." not in page


def test_a_closed_question_without_answers_says_so(question, physician, colleague_client):
    closing.close_question(question=question, by=physician)

    assert "No answer was given." in words(colleague_client.get(question.get_absolute_url()))


def test_the_asker_may_say_it_was_solved_elsewhere_before_anybody_answers(question, physician_client):
    assert "Mark as solved" in words(physician_client.get(question.get_absolute_url()))

    outcome = {"answers": [], "outcome": "The pharmacist knew."}
    assert physician_client.post(f"/questions/{question.pk}/solve/", outcome).status_code == 302
    assert Question.objects.get().is_solved


def test_a_fixed_byline_is_named_where_one_writes(question, answer, colleague_client):
    for address in (question.get_absolute_url(), f"/posts/{answer.pk}/comment/"):
        page = words(colleague_client.get(address))
        assert "Signed as nephron_loop, fixed by your first post here." in page


def test_a_draft_says_when_it_was_saved(question, answer, colleague, colleague_client):
    for place in ("ask", f"answer:{question.pk}", f"comment:{answer.pk}"):
        writing.save_draft(member=colleague, place=place, fields={"source": "Half a thought."})

    for address in ("/questions/ask/", question.get_absolute_url(), f"/posts/{answer.pk}/comment/"):
        page = colleague_client.get(address)
        assert "Half a thought." in page.content.decode(), address
        assert re.search(r"Draft saved \d+:\d\d [ap]m", words(page)), address


def test_enter_in_a_field_posts_and_does_not_preview(physician_client):
    html = physician_client.get("/questions/ask/").content.decode()
    form = html[html.index("data-draft-url") :]

    submits = [tag for tag in re.findall(r"<button\b[^>]*>", form) if 'type="button"' not in tag]
    assert "formaction" not in submits[0]
    assert "name=" not in submits[0]
