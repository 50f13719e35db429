from datetime import timedelta

import pytest
from django.utils import timezone

from accounts.tests.factories import make_specialty
from newsfeed import hosts
from newsfeed.models import Article, Feed
from newsfeed.services import checking, discussing, editing, mapping, publishing_posts, sourcing, turns
from newsfeed.tests.factories import make_article, make_feed, make_source

pytestmark = pytest.mark.django_db


def test_a_removed_article_stays_as_a_row_and_comes_back():
    article = make_article()

    editing.remove(article=article)
    removed = editing.remove(article=article)
    assert removed.state == "removed"
    assert not Article.objects.listed().exists()

    assert editing.put_back(article=article).state == "listed"


def test_a_draft_is_neither_removed_nor_put_back():
    draft = editing.write_post(title="Draft", body="")

    for act in (editing.remove, editing.put_back):
        with pytest.raises(editing.NotADraft):
            act(article=draft)


def test_up_to_three_lines_sum_an_article_up():
    article = make_article(
        abstract="<p>" + "word " * 219 + "</p>", source=make_source(shows_abstracts=True, license="CC BY 4.0")
    )

    article = editing.write_lines(article=article, lines=["  The key   point. ", "", "Then this."])

    assert article.lines == ["The key point.", "Then this."]
    assert article.minutes == 2
    assert editing.write_lines(article=article, lines=[]).minutes == 1


@pytest.mark.parametrize(
    ("lines", "refusal"), [(["a"] * 4, editing.TooManyLines), (["a" * 161], editing.LineTooLong)]
)
def test_lines_have_their_limits(lines, refusal):
    with pytest.raises(refusal):
        editing.write_lines(article=make_article(), lines=lines)


def test_a_corrected_title_is_found_mapped_and_kept_from_feeds():
    from newsfeed.models import MappingRule

    MappingRule.objects.create(where="keyword", pattern="dialysis", specialty=make_specialty("Nephrology"))
    mapping.forget()
    article = make_article(title="Dialisys", search_text="dialisys a. author")

    article = editing.set_right(article=article, title=" Dialysis  at night ", kind="guideline")

    assert (article.title, article.kind, article.edited_by_hand) == ("Dialysis at night", "guideline", True)
    assert article.search_text == "dialysis at night a. author"
    assert [tag.why for tag in article.tags.all()] == ["“dialysis” in the title"]


def test_a_corrected_title_is_that_of_its_discussion_too():
    make_specialty("Internal Medicine")
    article = make_article(title="Dialisys")
    question = discussing.thread_of(article).question

    editing.set_right(article=article, title="Dialysis", kind="article")

    question.refresh_from_db()
    assert question.title == "Dialysis"


def test_saying_the_same_is_no_edit():
    article = make_article()

    assert not editing.set_right(article=article, title=article.title, kind=article.kind).edited_by_hand


@pytest.mark.parametrize(
    ("title", "kind", "refusal"),
    [
        ("", "article", editing.NoTitle),
        ("x" * 501, "article", editing.NoTitle),
        ("A title", "sermo", editing.WrongKind),
        ("A title", "poem", editing.WrongKind),
    ],
)
def test_a_title_and_a_kind_are_needed(title, kind, refusal):
    with pytest.raises(refusal):
        editing.set_right(article=make_article(), title=title, kind=kind)


def test_a_post_is_a_draft_that_nobody_sees_and_may_be_written_anew():
    draft = editing.write_post(title="News of  ours", body="Some **words**.")
    draft = editing.write_lines(article=draft, lines=["The point"])

    assert (draft.state, draft.kind, draft.source) == ("draft", "sermo", None)
    assert "<strong>words</strong>" in draft.body_html
    assert draft.search_text == "news of ours the point some words."
    assert draft.minutes == 1

    again = editing.write_post(article=draft, title="Ours", body="Others <script>alert(1)</script>")
    assert again.pk == draft.pk
    assert "<script" not in again.body_html


def test_what_is_published_keeps_a_text():
    make_specialty("Internal Medicine")
    post = publishing_posts.publish(article=editing.write_post(title="Ours", body="Words."))

    with pytest.raises(editing.NoBody):
        editing.write_post(article=post, title="Ours", body=" ")
    with pytest.raises(editing.BodyTooLong):
        editing.write_post(article=post, title="Ours", body="x" * 20_001)


def test_only_posts_of_ours_have_a_text():
    with pytest.raises(editing.NotOurs):
        editing.write_post(article=make_article(), title="Ours", body="Words.")


def test_what_is_made_due_and_what_of_the_others():
    source, later = make_source(), timezone.now() + timedelta(hours=5)
    first, reserve = make_feed(source, next_at=later), make_feed(source, next_at=later)
    beside = make_feed(source, next_at=later, is_beside=True)
    make_feed(is_on=False)
    make_feed(make_source(is_on=False))
    make_feed(status="disabled", disabled_at=timezone.now())
    claimed = timezone.now() + turns.back_off(1)
    under_way = make_feed(error=turns.UNENDED, failures=1, status="failing", next_at=claimed)
    make_feed(address="https://slow.example.org/feed")
    hosts.park("slow.example.org", until=timezone.now() + timedelta(minutes=5), why="Asked")

    due = sourcing.make_due(Feed.objects.all())

    assert due == sourcing.Due(checked=2, under_way=1, parked=1, reserve=1, disabled=1, off=2)
    assert {first.pk, beside.pk} < {*checking.due(timezone.now())}
    for feed, moment in ((reserve, later), (under_way, claimed)):
        feed.refresh_from_db()
        assert feed.next_at == moment


def test_a_disabled_feed_starts_afresh():
    now = timezone.now()
    feed = make_feed(
        make_source(), status="disabled", disabled_at=now, failures=10, error="Gone", status_code=410
    )
    assert sourcing.make_due(type(feed).objects.all()) == sourcing.Due(disabled=1)

    feed = sourcing.enable_again(feed=feed)

    assert (feed.status, feed.failures, feed.error, feed.disabled_at) == ("new", 0, "", None)
    assert feed.next_at >= now
