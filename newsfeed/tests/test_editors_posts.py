"""Posts of the editors: drafts, published once together with their discussion."""

from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.models import Notice
from accounts.tests.factories import make_specialty
from newsfeed.models import Article, Discussion
from newsfeed.services import publishing_posts
from newsfeed.tests.factories import make_article
from questions.models import Question
from questions.services import closing
from questions.services.moderation import acts

pytestmark = pytest.mark.django_db


@pytest.fixture
def draft(db):
    return make_article(
        kind="sermo",
        state="draft",
        title="What a year of cases taught us",
        lines=["Half were solved here.", "Most within a day."],
        body="# What was asked\n\n" + "Fever and *rash*. " * 150,
        specialties=[make_specialty("Dermatology")],
        shown_at=timezone.now() - timedelta(days=9),
    )


def test_it_is_listed_as_of_now_and_ends_in_a_thread(draft, colleague_client):
    before = timezone.now()
    post = publishing_posts.publish(article=draft)
    thread = Discussion.objects.get(article=post).question

    assert post.state == Article.State.LISTED
    assert post.shown_at == post.first_seen_at >= before
    assert post.tags.get().shown_at == post.shown_at
    assert "<em>rash</em>" in post.body_html
    assert post.minutes == 3
    assert "fever and rash" in post.search_text
    assert (thread.title, thread.excerpt) == (
        "What a year of cases taught us",
        "From the editors of Sermo. Half were solved here. Most within a day.",
    )
    page = colleague_client.get(post.get_absolute_url()).text
    assert "From Sermo</span>" in page
    assert "The editors of Sermo" in page
    assert "<h3>What was asked</h3>" in page
    assert "Post comment" in page
    assert "3 min" in page


def test_twice_is_once(draft):
    first = publishing_posts.publish(article=draft)
    again = publishing_posts.publish(article=draft)

    assert again.shown_at == first.shown_at
    assert Question.objects.count() == 1


def test_nothing_half_done_is_left(draft, monkeypatch):
    def fail(article):
        raise RuntimeError

    monkeypatch.setattr(publishing_posts.discussing, "thread_of", fail)
    with pytest.raises(RuntimeError):
        publishing_posts.publish(article=draft)
    draft.refresh_from_db()
    assert draft.state == Article.State.DRAFT


def test_what_is_empty_removed_or_from_elsewhere_is_refused(draft):
    with pytest.raises(publishing_posts.NotAPost):
        publishing_posts.publish(article=make_article())
    Article.objects.filter(pk=draft.pk).update(body="  ")
    with pytest.raises(publishing_posts.NothingToPublish):
        publishing_posts.publish(article=draft)
    Article.objects.filter(pk=draft.pk).update(body="Words.", state="removed")
    with pytest.raises(publishing_posts.WasRemoved):
        publishing_posts.publish(article=draft)
    assert not Question.objects.exists()


def test_a_rewritten_one_carries_its_thread_along(draft):
    post = publishing_posts.publish(article=draft)
    shown_at = post.shown_at
    post.title, post.body, post.lines = "What two years taught us", "Now **more**.", ["All were solved."]
    post.save()
    publishing_posts.rewrite(article=post)
    post.refresh_from_db()
    thread = Question.objects.get()

    assert "<strong>more</strong>" in post.body_html
    assert (post.minutes, post.shown_at) == (1, shown_at)
    assert thread.title == "What two years taught us"
    assert "All were solved." in thread.excerpt
    assert not Notice.objects.exists()


def test_a_closed_thread_is_left_as_it_is(draft, moderator):
    post = publishing_posts.publish(article=draft)
    closing.close_question(question=Question.objects.get(), by=None, user=moderator.user)
    post.title, post.body = "Another title", "Other words."
    post.save()
    publishing_posts.rewrite(article=post)
    post.refresh_from_db()

    assert "Other words." in post.body_html
    assert Question.objects.get().title == "What a year of cases taught us"


def test_what_a_moderator_took_out_does_not_come_back(draft, moderator):
    post = publishing_posts.publish(article=draft)
    opening = Question.objects.get().posts.get()
    acts.act(
        post=opening,
        by=moderator.user,
        kind="redact",
        reason="identity",
        text=opening.source.replace("Half were solved here.", "[…]"),
    )
    publishing_posts.rewrite(article=post)

    assert "Half were" not in Question.objects.get().posts.get().source


def test_a_draft_may_be_rewritten_without_a_thread(draft):
    publishing_posts.rewrite(article=draft)

    assert not Question.objects.exists()
