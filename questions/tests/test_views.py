import re
from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.urls import reverse
from django.utils import timezone

from accounts.services import profiles
from accounts.tests.factories import make_member, make_specialty
from conftest import client_of
from questions.models import Draft, Post, Question, Vote
from questions.services import closing, voting, writing
from questions.services.tags import tags_named
from questions.tests.factories import corroborate, dispute, make_answer, make_comment, make_question

pytestmark = pytest.mark.usefixtures("nobody_told")

HTMX = {"HTTP_HX_REQUEST": "true"}


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


# The door


ADDRESSES = [
    "/questions/",
    "/questions/ask/",
    "/specialties/",
    "/drafts/",
    "/search/?q=heart",
    "/members/left_atrium/",
]


@pytest.mark.parametrize("address", ADDRESSES)
def test_visitors_log_in_first(client, physician, address):
    assert client.get(address).url.startswith("/accounts/login/")


@pytest.mark.parametrize("address", ADDRESSES)
def test_applicants_are_led_to_their_next_step(applicant_client, physician, address):
    assert applicant_client.get(address).url == reverse("verification:start")


def test_an_applicant_gets_nothing_that_members_wrote(applicant_client, question, answer):
    for address in (question.get_absolute_url(), f"/posts/{answer.pk}/history/"):
        assert applicant_client.get(address).url == reverse("verification:start")
    for address in (f"/posts/{answer.pk}/vote/", f"/questions/{question.pk}/answer/", "/drafts/ask/"):
        assert applicant_client.post(address, {"value": 1}).url == reverse("verification:start")


def test_a_lapsed_member_reads_and_does_not_write(question, answer):
    lapsed = make_member(standing="read_only")
    client = client_of(lapsed)

    page = client.get(question.get_absolute_url())

    assert page.status_code == 200
    assert "Corroborate" not in page.content.decode()
    assert client.post(f"/posts/{answer.pk}/vote/", {"value": 1}).status_code == 403
    assert not Vote.objects.exists()


def test_the_suspended_are_told_so(question):
    page = client_of(make_member(standing="suspended")).get(question.get_absolute_url())

    assert page.status_code == 403
    assert "suspended" in words(page)


def test_staff_without_a_membership_are_refused(staff, question):
    Authenticator.objects.create(user=staff, type=Authenticator.Type.TOTP, data={})
    client = client_of(staff)

    for address in ("/questions/", question.get_absolute_url(), "/search/?q=dialysis"):
        assert client.get(address).status_code == 403


def test_a_suspended_moderator_sees_nothing(moderator, question):
    moderator.standing = "suspended"
    moderator.save()

    assert client_of(moderator).get(question.get_absolute_url()).status_code == 403


@pytest.mark.parametrize("action", ["answer", "close", "reopen", "importance"])
def test_what_changes_something_is_a_post_and_its_address_leads_back(physician_client, question, action):
    page = physician_client.get(f"/questions/{question.pk}/{action}/", follow=True)

    assert page.redirect_chain[-1][0].startswith(question.get_absolute_url())
    question.refresh_from_db()
    assert (question.status, question.answer_count, question.importance_count) == ("open", 0, 0)


# The gate


def test_a_discussion_for_one_specialty_is_a_404_to_others(physician, colleague_client, physician_client):
    question = make_question(physician, audience="specialty")

    assert physician_client.get(question.get_absolute_url()).status_code == 200
    assert colleague_client.get(question.get_absolute_url()).status_code == 404
    assert colleague_client.post(f"/posts/{question.posts.get().pk}/vote/", {"value": 1}).status_code == 404
    for address in ("/questions/", "/", "/search/?q=dialysis", f"/members/{physician.handle}/"):
        assert question.title not in colleague_client.get(address).content.decode()
    peer = make_member(specialty=physician.specialty)
    assert question.title in client_of(peer).get("/questions/").content.decode()


def test_what_was_removed_is_a_404_to_members_and_open_to_moderators(physician, physician_client, moderator):
    question = make_question(physician)
    writing.remove_post(post=question.posts.get(), by=physician)

    assert physician_client.get(question.get_absolute_url()).status_code == 404
    assert client_of(moderator).get(question.get_absolute_url()).status_code == 200


# Lists


@pytest.mark.parametrize("length", [3, 24])
def test_the_list_costs_the_same_at_any_length(
    length, physician, colleague_client, django_assert_max_num_queries
):
    for number in range(length):
        make_answer(make_question(physician, title=f"Question number {number} of many?", tags=["dialysis"]))
    colleague_client.get("/questions/")

    with django_assert_max_num_queries(4):
        assert colleague_client.get("/questions/").status_code == 200


def test_a_list_page_of_long_rows_stays_under_40_kb(physician, physician_client):
    topics = [
        make_specialty(name)
        for name in ("Infectious Disease", "Emergency Medicine", "Critical Care Medicine")
    ]
    for number in range(22):
        asker = make_member(specialty="Maternal & Fetal Medicine")
        title = f"{number} " + "a title as long as they usually get, word by word " * 2
        make_answer(
            make_question(asker, title=title, source="word " * 80, specialties=topics, urgency="today")
        )

    page = physician_client.get("/questions/")

    assert len(page.context["page"]) == 20
    assert len(page.content) <= 40 * 1024


def test_lists_go_on_by_key_and_miss_nothing(physician, physician_client):
    made = {make_question(physician, title=f"Question number {number} of many?").pk for number in range(45)}

    seen, address = [], "/questions/?sort=new"
    while address:
        page = physician_client.get(address)
        seen += [question.pk for question in page.context["page"]]
        address = page.context["more_url"]

    assert len(seen) == 45
    assert set(seen) == made


def test_a_forged_cursor_is_the_first_page(physician_client, question):
    for cursor in ("x", "W" * 4000, "WzEsMl0", "W3siYSI6MX0sMV0", "WyJ4IiwieSJd", "bnVsbA", "W3RydWUsIFtdXQ"):
        page = physician_client.get(f"/questions/?after={cursor}")
        assert page.status_code == 200


@pytest.mark.parametrize("sort", ["hot", "new", "unanswered", "important"])
def test_each_order_shows_the_question_where_it_belongs(physician_client, question, answer, sort):
    shown = question.title in physician_client.get(f"/questions/?sort={sort}").content.decode()

    assert shown is (sort != "unanswered")


def test_important_sorts_by_the_bayesian_mean(physician, physician_client):
    questions = [make_question(physician, title=f"Question number {number} here?") for number in range(3)]
    for _ in range(6):
        voting.rate_importance(question=questions[1], rater=make_member(), value=4)
    voting.rate_importance(question=questions[2], rater=make_member(), value=5)

    page = physician_client.get("/questions/?sort=important")

    assert [question.pk for question in page.context["page"]] == [
        questions[1].pk,
        questions[2].pk,
        questions[0].pk,
    ]


def test_my_specialty_narrows_the_list(physician, colleague, physician_client):
    mine = make_question(physician)
    other = make_question(colleague, title="Something for the kidneys alone?")

    page = physician_client.get("/questions/?specialty=mine")

    assert [question.pk for question in page.context["page"]] == [mine.pk]
    assert [q.pk for q in physician_client.get(colleague.specialty.get_absolute_url()).context["page"]] == [
        other.pk
    ]


def test_tags_and_statuses_narrow_the_list(physician, physician_client):
    tagged = make_question(physician, tags=["Dialysis"])
    closed = make_question(physician, title="This one is closed by now?")
    closing.close_question(question=closed, by=physician)

    assert [q.pk for q in physician_client.get("/tags/dialysis/").context["page"]] == [tagged.pk]
    assert [q.pk for q in physician_client.get("/questions/?status=closed").context["page"]] == [closed.pk]
    assert [q.pk for q in physician_client.get("/questions/").context["page"]] == [tagged.pk]
    assert physician_client.get("/tags/none/").status_code == 404


def test_load_more_by_htmx_is_rows_alone(physician, physician_client):
    for number in range(21):
        make_question(physician, title=f"Question number {number} of many?")
    more = physician_client.get("/questions/").context["more_url"]

    fragment = physician_client.get(more, **HTMX).content.decode()

    assert fragment.count("<article") == 1
    assert "<html" not in fragment


# The page


def test_the_page_of_twenty_answers_takes_at_most_ten_queries(
    question, physician_client, django_assert_max_num_queries
):
    for number in range(22):
        answer = make_answer(question)
        make_comment(answer)
        if number < 3:
            for _ in range(5):
                corroborate(answer)
            dispute(answer)
    address = question.get_absolute_url()
    physician_client.get(address)

    with django_assert_max_num_queries(10):
        page = physician_client.get(address)

    assert len(page.context["posts"]) == 20
    assert page.context["more_url"]


def test_the_page_costs_the_same_however_many_questions_there_are(
    physician, question, answer, physician_client, django_assert_num_queries
):
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    physician_client.get(question.get_absolute_url())
    with CaptureQueriesContext(connection) as few:
        physician_client.get(question.get_absolute_url())
    for number in range(8):
        make_answer(make_question(physician, title=f"Question number {number} of many?"))

    with django_assert_num_queries(len(few)):
        physician_client.get(question.get_absolute_url())


def test_an_old_slug_leads_to_the_right_address(question, physician_client):
    assert physician_client.get(f"/questions/{question.pk}/").url == question.get_absolute_url()
    assert physician_client.get(f"/questions/{question.pk}/anything-else/").url == question.get_absolute_url()


def test_credited_answers_come_first_then_by_corroboration(question, physician, physician_client):
    credited, high, low = make_answer(question), make_answer(question), make_answer(question)
    corroborate(high)
    closing.solve_question(question=question, by=physician, answers=[credited])

    page = physician_client.get(question.get_absolute_url())
    newest = physician_client.get(question.get_absolute_url() + "?answers=newest")

    assert [post.pk for post in page.context["posts"]] == [credited.pk, high.pk, low.pk]
    assert [post.pk for post in newest.context["posts"]] == [low.pk, high.pk, credited.pk]


def test_answers_go_on_by_key(question, physician_client):
    made = {make_answer(question).pk for _ in range(43)}

    seen, address = [], question.get_absolute_url()
    while address:
        page = physician_client.get(address, **(HTMX if "after" in address else {}))
        seen += [post.pk for post in page.context["posts"]]
        address = page.context["more_url"]

    assert len(seen) == 43
    assert set(seen) == made


def test_a_link_to_an_answer_on_a_later_page_shows_it(question, physician_client):
    answers = [make_answer(question) for _ in range(22)]
    comment = make_comment(answers[21])

    page = physician_client.get(comment.get_absolute_url().partition("#")[0])

    assert f'id="post-{comment.pk}"' in page.content.decode()


def test_a_removed_answer_without_replies_vanishes_and_one_with_replies_leaves_a_tombstone(
    question, physician, physician_client
):
    authors = [make_member() for _ in range(2)]
    alone, replied = (
        make_answer(question, author, source="Words that must not be shown.") for author in authors
    )
    make_comment(replied, physician, source="I keep this reply.")
    for post, author in zip((alone, replied), authors, strict=True):
        writing.remove_post(post=post, by=author)

    page = physician_client.get(question.get_absolute_url())

    assert [post.pk for post in page.context["posts"]] == [replied.pk]
    assert "Words that must not be shown" not in page.content.decode()
    assert "I keep this reply" in words(page)


def test_disputes_show_their_reason_without_the_voter(question, answer, physician_client):
    disputer = make_member("harsh_word")
    dispute(answer, disputer, explanation="There is newer evidence against this.")

    page = words(physician_client.get(question.get_absolute_url()))

    assert "There is newer evidence against this." in page
    assert "1 dispute: evidence says otherwise." in page
    assert "harsh_word" not in page


def test_counts_by_specialty_appear_from_five(question, answer, physician_client):
    for _ in range(4):
        corroborate(answer, make_member(specialty="Urology"))
    assert "By specialty" not in words(physician_client.get(question.get_absolute_url()))

    corroborate(answer, make_member(specialty="Urology"))
    assert "By specialty, corroborate: Urology 5" in words(physician_client.get(question.get_absolute_url()))


# Anonymity


def test_a_public_byline_shows_the_name_and_nothing_leads_to_the_handle(physician, colleague_client):
    profiles.choose_byline(member=physician, mode="public", display_name="Amara Okafor, MD")
    physician.refresh_from_db()
    question = make_question(physician)

    for address in (question.get_absolute_url(), "/questions/", "/", physician.physician_url):
        page = colleague_client.get(address).content.decode()
        assert "Amara Okafor, MD" in page, address
        assert "left_atrium" not in page, address
    assert question.title not in colleague_client.get("/members/left_atrium/").content.decode()


def test_the_page_of_a_handle_never_shows_the_name(physician, colleague_client):
    question = make_question(physician)
    profiles.choose_byline(member=physician, mode="public", display_name="Amara Okafor, MD")

    handle_page = colleague_client.get("/members/left_atrium/").content.decode()
    named_page = colleague_client.get(physician.physician_url).content.decode()

    assert question.title in handle_page
    assert "Okafor" not in handle_page
    assert question.title not in named_page


def test_nothing_on_the_handle_s_page_moves_when_a_named_post_is_judged(physician, colleague, third):
    profiles.choose_byline(member=physician, mode="public", display_name="Amara Okafor, MD")
    physician.refresh_from_db()
    question = make_question(physician)
    client = client_of(third)
    before = words(client.get("/members/left_atrium/"))

    voting.rate_importance(question=question, rater=colleague, value=5)

    assert words(client.get("/members/left_atrium/")) == before


def test_who_goes_back_from_the_name_is_a_colleague_there_not_the_handle(physician, colleague_client):
    profiles.choose_byline(member=physician, mode="public", display_name="Amara Okafor, MD")
    physician.refresh_from_db()
    question = make_question(physician)
    profiles.choose_byline(member=physician, mode="anonymous")

    for address in (question.get_absolute_url(), "/questions/", "/members/left_atrium/"):
        page = colleague_client.get(address).content.decode()
        assert "Okafor" not in page
    for address in (question.get_absolute_url(), "/questions/"):
        assert "left_atrium" not in colleague_client.get(address).content.decode()
    assert question.title not in colleague_client.get("/members/left_atrium/").content.decode()


def test_the_mark_stands_beside_the_verified_alone(question, physician, colleague_client):
    physician.standing = "suspended"
    physician.save()

    page = colleague_client.get(question.get_absolute_url()).content.decode()

    assert "/members/left_atrium/" not in page
    assert page.count("license verified") == 1  # the reader's own, beside the answer form


def test_the_page_of_a_name_is_gone_once_the_profile_is_private_again(physician, colleague_client):
    profiles.choose_byline(member=physician, mode="public", display_name="Amara Okafor, MD")
    profiles.choose_byline(member=physician, mode="anonymous")

    assert colleague_client.get(physician.physician_url).status_code == 404


def test_a_partial_byline_adds_region_and_years(physician, colleague_client):
    physician.byline_mode = "partial"
    physician.face = {"state": "MN", "region": "West North Central", "years": "11-20"}
    physician.save()
    question = make_question(physician)

    page = words(colleague_client.get(question.get_absolute_url()))

    assert "West North Central" in page
    assert "11 to 20 years" in page
    assert "Minnesota" not in page


# Asking and answering


ASK = {
    "kind": "question",
    "title": "Which anticoagulant on hemodialysis?",
    "source": "In the 70s, three sessions a week. **What would you do?**",
    "tags": "dialysis, anticoagulation",
    "urgency": "days",
    "audience": "physicians",
    "byline": "anonymous",
    "submission": "6f1d9fd0-8f0f-4f52-9a4b-0a5b8b9d2c11",
}


@pytest.fixture(autouse=True)
def known_tags(db):
    """The tags of ASK: new members may not make any."""
    tags_named(["dialysis", "anticoagulation"])


def test_asking_leads_to_the_question_and_twice_makes_one(physician, physician_client):
    form = {**ASK, "specialties": [physician.specialty_id]}

    first = physician_client.post("/questions/ask/", form)
    second = physician_client.post("/questions/ask/", form)

    assert first.status_code == 302
    assert first.url == second.url
    page = physician_client.get(first.url).content.decode()
    assert "<strong>What would you do?</strong>" in page
    assert Question.objects.get().tags.count() == 2


@pytest.mark.parametrize(
    ("wrong", "message"),
    [
        ({"title": "Too short"}, "at least 12 characters"),
        ({"source": "Short"}, "at least 10 characters"),
        ({"specialties": []}, "Choose one to three specialties"),
        ({"tags": "a, b, c, d, e, f"}, "At most 5 tags"),
        ({"byline": "partial"}, "shows more of you"),
        ({"kind": "case"}, "Select a valid choice"),
    ],
)
def test_bad_input_gets_words_beside_the_field_and_loses_nothing(physician, physician_client, wrong, message):
    physician.face = {"region": "West North Central"}
    physician.save()
    form = {**ASK, "specialties": [physician.specialty_id], **wrong}

    page = physician_client.post("/questions/ask/", form)

    assert page.status_code == 422
    assert message in words(page)
    assert form["source"] in page.content.decode()
    assert form["title"] in page.content.decode()
    assert not Question.objects.exists()


def test_more_than_three_specialties_are_refused(physician_client):
    codes = [
        make_member(specialty=name).specialty_id
        for name in ("Urology", "Neurology", "Dermatology", "Pediatrics")
    ]

    page = physician_client.post("/questions/ask/", {**ASK, "specialties": codes})

    assert "at most three" in words(page)


def test_the_byline_can_be_confirmed_to_show_more(physician, physician_client):
    physician.face = {"region": "West North Central"}
    physician.save()
    form = {**ASK, "specialties": [physician.specialty_id], "byline": "partial", "byline_confirmed": "on"}

    assert physician_client.post("/questions/ask/", form).status_code == 302
    assert Post.objects.get().byline.mode == "partial"


def test_a_partial_byline_that_would_show_no_more_is_not_offered(physician_client):
    choices = physician_client.get("/questions/ask/").context["form"].fields["byline"].choices

    assert choices == [("anonymous", "left_atrium, Cardiovascular Disease")]


def test_answering_without_javascript_leads_to_the_answer(question, colleague_client):
    form = {
        "source": "Occlude, if they will take the patient.",
        "byline": "anonymous",
        "submission": ASK["submission"],
    }

    response = colleague_client.post(f"/questions/{question.pk}/answer/", form)

    assert response.url.endswith(f"#post-{question.posts.get(kind='answer').pk}")


def test_answering_by_htmx_returns_the_answer_and_an_empty_form(question, colleague_client):
    form = {
        "source": "Occlude, if they will take the patient.",
        "byline": "anonymous",
        "submission": ASK["submission"],
    }

    fragment = colleague_client.post(f"/questions/{question.pk}/answer/", form, **HTMX).content.decode()

    assert "Occlude, if they" in fragment
    assert 'id="your-answer"' in fragment
    assert "<html" not in fragment


@pytest.mark.parametrize("headers", [{}, HTMX])
def test_a_short_answer_comes_back_with_its_text(question, colleague_client, headers):
    page = colleague_client.post(
        f"/questions/{question.pk}/answer/",
        {"source": "No idea.", "submission": ASK["submission"]},
        **headers,
    )

    assert page.status_code == 422
    assert "No idea." in page.content.decode()
    assert "at least 10 characters" in words(page)


def test_an_answer_to_what_was_closed_meanwhile_is_not_lost(question, physician, colleague_client):
    closing.close_question(question=question, by=physician)

    page = colleague_client.post(
        f"/questions/{question.pk}/answer/",
        {"source": "I wrote this for ten minutes.", "byline": "anonymous", "submission": ASK["submission"]},
        **HTMX,
    )

    assert "I wrote this for ten minutes." in page.content.decode()
    assert "is closed" in words(page)


def test_commenting_and_its_refusal(answer, physician_client):
    address = f"/posts/{answer.pk}/comment/"
    assert physician_client.get(address).status_code == 200

    assert physician_client.post(address, {"source": "x", "submission": ASK["submission"]}).status_code == 422
    response = physician_client.post(address, {"source": "Which dose?", "submission": ASK["submission"]})

    assert response.status_code == 302
    assert answer.comments.get().author.handle == "left_atrium"


def test_editing_is_the_author_s_and_history_is_everybody_s(answer, physician_client, colleague_client):
    address = f"/posts/{answer.pk}/edit/"
    Post.objects.update(posted_at=timezone.now() - timedelta(hours=1))
    before = answer.source

    assert physician_client.get(address).status_code == 404
    assert (
        colleague_client.post(address, {"source": "Quite another opinion.", "was": before}).status_code == 302
    )

    page = words(physician_client.get(f"/posts/{answer.pk}/history/"))
    assert before in page
    assert "Quite another opinion." in page


def test_an_edit_that_met_another_keeps_both_texts(answer, colleague, colleague_client):
    writing.edit_post(post=answer, by=colleague, source="From the first window.")

    page = colleague_client.post(
        f"/posts/{answer.pk}/edit/", {"source": "From the second window.", "was": "Something older."}
    )

    assert page.status_code == 422
    assert "changed while you were editing" in words(page)
    assert "From the second window." in page.content.decode()


def test_preview_renders_safely(physician_client):
    page = physician_client.post(
        "/questions/preview/", {"source": "**bold** <script>alert(1)</script>"}, **HTMX
    )

    assert "<strong>bold</strong>" in page.content.decode()
    assert "<script>" not in page.content.decode()


# Drafts


def test_a_draft_is_kept_offered_again_and_discarded(physician, physician_client):
    assert (
        physician_client.post(
            "/drafts/ask/", {"title": "Half a question", "specialties": [physician.specialty_id]}
        ).status_code
        == 204
    )

    assert "Half a question" in physician_client.get("/questions/ask/").content.decode()
    assert "Half a question" in physician_client.get("/drafts/").content.decode()
    physician_client.post("/drafts/ask/", {"discard": "1"})
    assert not Draft.objects.exists()


def test_an_emptied_draft_is_forgotten(physician_client, question):
    physician_client.post(f"/drafts/answer:{question.pk}/", {"source": "Something"})
    physician_client.post(f"/drafts/answer:{question.pk}/", {"source": "  "})

    assert not Draft.objects.exists()


@pytest.mark.parametrize(
    "place", ["elsewhere", "answer:0", "answer:x", "ask:1", "answer:99999999999999999999"]
)
def test_drafts_have_known_places_only(physician_client, place):
    assert physician_client.post(f"/drafts/{place}/", {"source": "text"}).status_code == 404


# Voting


def test_voting_without_javascript_returns_to_the_answer(answer, physician_client):
    response = physician_client.post(f"/posts/{answer.pk}/vote/", {"value": "1"})

    assert response.url == answer.get_absolute_url()
    assert answer.votes.get().value == 1


def test_voting_by_htmx_returns_the_verdict_alone(answer, physician_client):
    fragment = physician_client.post(f"/posts/{answer.pk}/vote/", {"value": "1"}, **HTMX).content.decode()

    assert "You corroborated this." in fragment
    assert 'aria-pressed="true"' in fragment
    assert "<html" not in fragment


def test_a_refused_dispute_keeps_what_was_typed(answer, physician_client):
    page = physician_client.post(
        f"/posts/{answer.pk}/vote/", {"value": "-1", "reason": "unsafe", "explanation": "Too short"}, **HTMX
    )

    assert page.status_code == 422
    assert "Too short" in page.content.decode()
    assert "choose a reason" in words(page)
    assert re.search(r'value="unsafe"\s+checked', page.content.decode())


def test_voting_zero_withdraws(answer, physician_client):
    physician_client.post(f"/posts/{answer.pk}/vote/", {"value": "1"})
    physician_client.post(f"/posts/{answer.pk}/vote/", {"value": "0"})

    assert not Vote.objects.exists()


@pytest.mark.parametrize("value", ["", "2", "x", "-2"])
def test_no_other_vote_exists(answer, physician_client, value):
    assert physician_client.post(f"/posts/{answer.pk}/vote/", {"value": value}).status_code == 400


def test_own_posts_have_no_buttons(answer, colleague_client):
    page = colleague_client.get(answer.question.get_absolute_url()).content.decode()

    assert f'id="corroborate-{answer.pk}"' not in page


def test_rating_importance(question, colleague_client):
    colleague_client.post(f"/questions/{question.pk}/importance/", {"value": "4"})
    fragment = colleague_client.post(f"/questions/{question.pk}/importance/", {"value": "5"}, **HTMX)

    assert "You said 5" in words(fragment)
    assert "1 rating" in words(fragment)
    assert colleague_client.post(f"/questions/{question.pk}/importance/", {"value": "9"}).status_code == 400


# Solving, closing, removing


def test_the_asker_marks_the_solution(question, answer, physician_client, colleague_client):
    address = f"/questions/{question.pk}/solve/"
    assert colleague_client.get(address).status_code == 404

    assert physician_client.post(address, {"answers": [], "outcome": ""}).status_code == 422
    assert physician_client.post(address, {"answers": ["x"], "outcome": ""}).status_code == 422
    assert physician_client.post(address, {"answers": [answer.pk], "outcome": "It held."}).status_code == 302

    page = words(colleague_client.get(question.get_absolute_url()))
    assert "Credited with the solution" in page
    assert "It held." in page
    physician_client.post(address, {"unsolve": "1"})
    question.refresh_from_db()
    assert not question.is_solved


def test_closing_and_reopening_from_the_page(question, physician_client, colleague_client):
    colleague_client.post(f"/questions/{question.pk}/close/")
    question.refresh_from_db()
    assert question.is_open

    physician_client.post(f"/questions/{question.pk}/close/")
    assert "This discussion is closed." in words(physician_client.get(question.get_absolute_url()))
    physician_client.post(f"/questions/{question.pk}/reopen/")
    question.refresh_from_db()
    assert question.is_open


def test_removing_from_the_page(answer, colleague_client, physician_client):
    physician_client.post(f"/posts/{answer.pk}/remove/")
    answer.refresh_from_db()
    assert not answer.is_removed

    colleague_client.post(f"/posts/{answer.pk}/remove/")
    answer.refresh_from_db()
    assert answer.is_removed


# Search


@pytest.mark.parametrize("address", ["/search/?q=%00", "/members/%00/", "/questions/?after=%00"])
def test_an_address_with_a_nul_is_a_bad_request(physician_client, address):
    assert physician_client.get(address).status_code == 400


def test_search_finds_answers_marks_the_words_and_groups_by_question(question, physician_client):
    make_answer(question, source="Andexanet is what I would keep at hand, andexanet again.")
    make_answer(question, source="No andexanet in our pharmacy, sadly enough.")

    page = physician_client.get("/search/?q=Andexanet")

    assert len(page.context["results"]) == 1
    assert (
        "<mark>Andexanet</mark>" in page.content.decode() or "<mark>andexanet</mark>" in page.content.decode()
    )


def test_search_does_not_care_for_accents_and_survives_any_input(physician, physician_client):
    make_question(physician, title="Sjögren and a dry cough for months?")

    assert len(physician_client.get("/search/", {"q": "sjogren"}).context["results"]) == 1
    for typed in ("'", '"', "&|!", "a" * 900, "<script>", "-", "OR", ":*"):
        assert physician_client.get("/search/", {"q": typed}).status_code == 200
