"""How comments on articles stand: by corroboration, and disputed claims without a reference folded."""

import pytest
from django.urls import reverse

from accounts.models import Notice
from newsfeed.services import discussing
from newsfeed.tests.factories import make_article, make_source
from questions.models import Subscription
from questions.notices import read_posts
from questions.services import voting, writing
from questions.services.references import references_of
from questions.tests.factories import corroborate, dispute, make_answer, make_comment, make_question

pytestmark = pytest.mark.django_db
FOLDED = "Disputed, and it names no reference. Show it."
CLAIM = "Half the dose does as well."


@pytest.fixture
def thread(physician):
    return discussing.discuss(article=make_article(title="Apixaban"), user=physician.user).question


def disputed(thread, author, source=CLAIM, *, disputes=2, corroborations=0):
    post = make_answer(thread, author, source)
    for _ in range(disputes):
        dispute(post)
    for _ in range(corroborations):
        corroborate(post)
    return post


def page_of(thread, client, query=""):
    return client.get(f"{thread.get_absolute_url()}{query}", follow=True).text


def is_folded(page):
    """Whether the claim stands in a disclosure that says why; however it stands, it is on the page."""
    before, found, _ = page.partition(CLAIM)
    assert found
    return FOLDED in before.rpartition("<details")[2]


# Folding


@pytest.mark.parametrize(
    ("disputes", "corroborations", "folded"),
    [(1, 0, False), (2, 0, True), (2, 1, True), (2, 2, False), (3, 2, True)],
)
def test_two_disputes_that_outnumber_the_others_fold(
    thread, physician, colleague_client, disputes, corroborations, folded
):
    disputed(thread, physician, disputes=disputes, corroborations=corroborations)

    assert is_folded(page_of(thread, colleague_client)) is folded


def test_a_reference_keeps_it_open_and_one_added_later_opens_it(thread, physician, colleague_client):
    post = disputed(thread, physician)
    disputed(thread, make_answer(thread).author, "See PMID 31452104, which says otherwise.")
    assert page_of(thread, colleague_client).count(FOLDED) == 1

    writing.edit_post(post=post, by=physician, source=f"{CLAIM} See doi:10.5555/bleeding.7")
    assert FOLDED not in page_of(thread, colleague_client)
    writing.edit_post(post=post, by=physician, source=CLAIM)
    assert is_folded(page_of(thread, colleague_client))


def test_naming_the_article_itself_is_no_reference(physician, colleague_client):
    article = make_article(title="Apixaban", doi="10.5555/apixaban.1", pmid=31452104)
    thread = discussing.discuss(article=article, user=physician.user).question
    post = disputed(thread, physician, f"{CLAIM} See https://doi.org/10.5555/APIXABAN.1 and PMID 31452104.")
    assert is_folded(page_of(thread, colleague_client))

    writing.edit_post(post=post, by=physician, source=f"{CLAIM} See PMID 31452105.")
    assert not is_folded(page_of(thread, colleague_client))


def test_a_search_shows_why_in_place_of_the_claim(thread, physician, colleague_client):
    disputed(thread, physician)
    open_one = make_answer(thread, source="Another dose, and no word of it elsewhere.")
    found = colleague_client.get("/search/?q=half+dose+as+well").text

    assert "Comment: Disputed, and it names no reference.</p>" in found
    assert "does as" not in found
    assert "no word" in colleague_client.get("/search/?q=dose+elsewhere").text
    assert open_one.pk


def test_what_is_escaped_in_an_opening_is_found_in_plain_words(physician, colleague_client):
    source = make_source("Heartline (demonstration)")
    article = make_article(source, "Apixaban", doi="10.5555/a_b*c*")
    thread = discussing.discuss(article=article, user=physician.user).question
    make_answer(thread, physician)
    page = colleague_client.get("/search/?q=apixaban").text

    assert "Heartline (demonstration), doi:10.5555/a_b*c*" in page


def test_votes_that_change_open_it(thread, physician, third, colleague_client):
    post = make_answer(thread, physician, CLAIM)
    dispute(post)
    dispute(post, third)
    assert is_folded(page_of(thread, colleague_client))

    voting.withdraw_vote(post=post, voter=third)
    assert not is_folded(page_of(thread, colleague_client))


def test_it_stays_judged_replied_to_and_signed(thread, physician, colleague_client):
    post = disputed(thread, physician)
    make_comment(post, source="In which trial?")
    page = page_of(thread, colleague_client)

    assert "In which trial?" in page
    assert physician.handle in page
    assert f"corroborate-{post.pk}" in page


def test_questions_know_no_such_rule(physician, colleague, colleague_client):
    question = make_question(physician)
    disputed(question, colleague)

    assert FOLDED not in page_of(question, colleague_client)


def test_it_is_folded_wherever_its_text_is_listed(thread, physician, colleague_client):
    post = disputed(thread, physician)

    for address in (
        reverse("questions:print", args=[thread.pk]),
        reverse("questions:comment", args=[post.pk]),
        physician.get_absolute_url(),
        f"{thread.get_absolute_url()}?answers=newest",
        f"{thread.get_absolute_url()}?post={post.pk}",
    ):
        assert is_folded(colleague_client.get(address, follow=True).text), address


def test_it_takes_no_query_more(thread, physician, colleague_client, django_assert_max_num_queries):
    make_answer(thread, physician)
    page_of(thread, colleague_client)
    for number in range(4):
        disputed(thread, make_answer(thread).author, f"Claim {number}.")

    with django_assert_max_num_queries(14 + 2):  # those of the redirect, and the reasons of disputes
        assert page_of(thread, colleague_client).count(FOLDED) == 4


# Order


def test_comments_stand_by_corroboration_and_newest_first_on_demand(
    thread, physician, colleague, colleague_client
):
    first = make_answer(thread, physician, "First word.")
    later = make_answer(thread, colleague, "Later word.")
    corroborate(later)

    def order(query):
        page = page_of(thread, colleague_client, query)
        return sorted([first.pk, later.pk], key=lambda pk: page.index(f'id="post-{pk}"'))

    assert order("") == [later.pk, first.pk]
    corroborate(first)
    corroborate(first)
    assert order("") == [first.pk, later.pk]
    assert order("?answers=newest") == [later.pk, first.pk]


# Words


def test_drafts_are_called_what_they_will_be(thread, physician, colleague, colleague_client):
    post = make_answer(thread, physician)
    asked = make_question(physician)
    places = (f"answer:{thread.pk}", f"comment:{post.pk}", f"answer:{asked.pk}", "answer:9999999999999999999")
    for place in places:
        writing.save_draft(member=colleague, place=place, fields={"source": f"Words at {place}"})
    page = colleague_client.get(reverse("questions:drafts"))

    assert {draft.place: draft.kind for draft in page.context["drafts"]} == dict(
        zip(places, ("Comment", "Reply", "Answer", "Answer"), strict=True)
    )


def test_notices_speak_of_comments_and_replies(thread, physician, colleague, third):
    Subscription.objects.create(question=thread, member=third, level=Subscription.Level.ALERTS)
    first = make_answer(thread, physician)
    make_comment(first, colleague)
    make_comment(first, third)

    def told(member):
        rows = list(Notice.objects.filter(member=member).order_by("pk"))
        lines = read_posts(rows, member.user)
        return [f"{lines[row.pk].name} {lines[row.pk].text}" for row in rows]

    assert told(third) == [f"{physician.handle} commented on an article"]
    assert told(physician) == [
        f"{colleague.handle} replied to your comment",
        f"{third.handle} replied to your comment",
    ]
    assert told(colleague) == [f"{third.handle} replied after you"]


def test_references_are_in_comments(thread, physician):
    make_answer(thread, physician, "See PMID 31452104.")

    named = [whose for work in references_of(thread) for whose, _ in work.posts]
    assert named == [f"comment by {physician.handle}"]
