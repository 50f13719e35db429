"""The one discussion of an article: opened by the site itself, whoever pressed the button."""

import threading
from datetime import datetime, timedelta

import pytest
from django.contrib.admin.models import LogEntry
from django.db import connection
from django.urls import reverse
from django.utils import timezone
from django.utils.timezone import get_current_timezone

from accounts.leaving import ledger
from accounts.models import FanOut, Member, Notice
from accounts.services import members
from accounts.tests.factories import make_member, make_specialty
from conftest import client_of
from newsfeed.models import Article, ArticleSpecialty, Discussion
from newsfeed.services import discussing
from newsfeed.services.house import house
from newsfeed.tests.factories import make_article, make_source
from questions import ranking
from questions.models import Byline, MemberRank, Post, Question
from questions.rows import Open, Waiting, first_rows
from questions.search.language import parse
from questions.search.matching import Search
from questions.services import voting, writing
from questions.services.moderation import acts
from questions.similar import similar_to
from questions.tests.factories import make_answer

pytestmark = pytest.mark.django_db


@pytest.fixture
def article(db):
    source = make_source("Invented Annals", short_name="Inv Ann")
    return make_article(
        source,
        "Apixaban on dialysis: a [sham] *trial*",
        specialties=[make_specialty("Nephrology"), make_specialty()],
        doi="10.5555/dialysis.1",
        published_at=datetime(2026, 11, 12, 9, tzinfo=get_current_timezone()),
    )


@pytest.fixture
def thread(article, physician):
    return discussing.discuss(article=article, user=physician.user).question


def titles(rows):
    return [row.title for row in rows]


# Made once, by nobody


def test_it_is_opened_by_the_site_with_what_is_known_of_the_work(thread, article):
    opening = thread.posts.get()

    assert (thread.kind, thread.title) == ("article", article.title)
    assert [one.name for one in thread.specialties.order_by("questionspecialty__place")] == [
        "Nephrology",
        "Cardiovascular Disease",
    ]
    assert (opening.author, opening.byline.mode) == (house(), Byline.Mode.HOUSE)
    assert thread.excerpt == "Invented Annals, November 12, 2026, doi:10.5555/dialysis.1"
    assert [one.value for one in opening.references.all()] == ["10.5555/dialysis.1"]


def test_words_of_a_source_are_never_read_as_markup(physician):
    named = make_article(make_source("<b>*Annals*</b> [x](https://example.org)"), doi=None, pmid=31452104)
    opening = discussing.discuss(article=named, user=physician.user).question.posts.get()

    assert "<em>" not in opening.html
    assert "&lt;b&gt;*Annals*" in opening.html
    assert "PMID 31452104" in opening.html


def test_what_has_no_specialty_goes_to_internal_medicine(physician):
    usual = make_specialty("Internal Medicine")
    article = make_article()
    off = ArticleSpecialty(article=article, specialty=make_specialty(), how="person", is_off=True)
    off.shown_at = article.shown_at
    off.save()

    thread = discussing.discuss(article=article, user=physician.user).question
    assert list(thread.specialties.all()) == [usual]


def test_a_long_title_is_clipped(physician):
    thread = discussing.discuss(article=make_article(title="A trial of " * 40), user=physician.user).question

    assert len(thread.title) <= 140
    assert thread.title.endswith("…")


def test_pressing_again_finds_the_same(thread, article, colleague):
    assert discussing.discuss(article=article, user=colleague.user).question == thread
    assert Question.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_who_press_at_once_make_one(physician, colleague):
    article, start, found = make_article(), threading.Barrier(2), []

    def press(user):
        try:
            start.wait(timeout=10)
            found.append(discussing.discuss(article=article, user=user).pk)
        finally:
            connection.close()

    pressing = [threading.Thread(target=press, args=[one.user]) for one in (physician, colleague)]
    for one in pressing:
        one.start()
    for one in pressing:
        one.join(timeout=30)

    assert len(found) == 2
    assert len(set(found)) == 1
    assert (Question.objects.count(), Discussion.objects.count(), Post.objects.count()) == (1, 1, 1)
    assert Member.objects.filter(user=None).count() == 1


@pytest.mark.parametrize("who", ["applicant", "staff"])
def test_whoever_may_not_see_the_article_makes_nothing(who, article, request):
    someone = request.getfixturevalue(who)

    with pytest.raises(discussing.NotInTheNews):
        discussing.discuss(article=article, user=getattr(someone, "user", someone))
    assert not Discussion.objects.exists()


def test_a_removed_article_gets_none(article, physician):
    Article.objects.update(state="removed")

    with pytest.raises(discussing.NotInTheNews):
        discussing.discuss(article=article, user=physician.user)


def test_who_pressed_first_stands_nowhere(article, colleague, colleague_client):
    person = ledger.Person.of(colleague.user)

    def known():
        return {entry.model: entry.rows(person).count() for entry in ledger.entries() if entry.shown}

    before = known()
    answered = colleague_client.post(reverse("newsfeed:discuss", args=[article.pk]))

    assert answered.url == f"/news/{article.pk}/#answers"
    assert Discussion.objects.count() == 1
    assert known() == before
    assert not Notice.objects.exists()
    assert not FanOut.objects.exists()
    assert not LogEntry.objects.exists()
    assert not Question.objects.get().subscriptions.exists()
    assert not Post.objects.filter(author=colleague).exists()


def test_a_get_makes_nothing_and_leads_back(article, colleague_client):
    assert colleague_client.get(reverse("newsfeed:discuss", args=[article.pk])).url == f"/news/{article.pk}/"
    assert not Discussion.objects.exists()


def test_who_may_only_read_opens_none(article):
    reader = make_member(standing="read_only")

    assert client_of(reader).post(reverse("newsfeed:discuss", args=[article.pk])).status_code == 403
    assert not Discussion.objects.exists()


# The site among members


def test_the_site_is_no_member_to_anybody(thread, physician, physician_client, moderator, staff):
    own = house()

    assert own not in Member.objects.visible_to(physician.user)
    assert own not in Member.objects.visible_to(moderator.user)
    assert own not in Member.objects.physicians()
    assert physician_client.get("/members/Sermo/").status_code == 404
    assert physician_client.get(f"/physicians/{own.physician_key}/").status_code == 404
    members.forget_unconfirmed()
    assert house() == own


def test_the_site_has_no_rank_whatever_members_think(thread, physician, colleague):
    voting.rate_importance(question=thread, rater=colleague, value=5)
    ranking.recompute_points(house().pk)

    assert not MemberRank.objects.filter(member=house()).exists()
    assert house().pk not in [row[0] for row in ranking.points_on(thread.opened_at.date())]


def test_the_administration_lists_no_such_member(thread, client):
    from django.contrib import admin

    from accounts.admin import MemberAdmin

    rows = MemberAdmin(Member, admin.site).get_queryset(None)
    assert not rows.filter(pk=house().pk).exists()
    assert rows.exists()


def test_moderators_act_on_its_post_alone(thread, moderator, physician):
    opening = thread.posts.get()
    desk = client_of(moderator).get(reverse("questions:moderate_post", args=[opening.pk]))

    offered = {value for value, _ in desk.context["form"].fields["kind"].choices}
    assert offered == {"redact", "fold", "remove", "close"}
    with pytest.raises(acts.TheSiteItself):
        acts.act(post=opening, by=moderator.user, kind="warn", reason="spam")
    acts.act(post=opening, by=moderator.user, kind="close", reason="spam")
    acts.act(post=opening, by=moderator.user, kind="remove", reason="spam")
    assert Question.objects.get().is_removed
    assert not Notice.objects.exists()


# Lists


def test_a_thread_nobody_wrote_in_stands_in_no_list(thread, physician, colleague, colleague_client):
    user, row = colleague.user, f'href="{thread.get_absolute_url()}"'

    def listed():
        search = parse("apixaban dialysis")
        return [
            row in colleague_client.get("/questions/").text,
            row in colleague_client.get("/questions/?kind=article").text,
            row in colleague_client.get("/specialties/nephrology/").text,
            row in colleague_client.get("/").text,
            Search(search, user).posts.filter(question=thread).exists(),
            thread.pk
            in [row["question_id"] for row in similar_to(user, "Apixaban on dialysis, which dose?")],
            thread.pk in [row.pk for row in first_rows(user, Open(), order=("-hot", "-pk"), size=9)],
        ]

    assert listed() == [False] * 7
    assert Question.objects.visible_to(user).filter(pk=thread.pk).exists()

    post = make_answer(thread, physician)
    assert listed() == [True] * 7
    writing.remove_post(post=post, by=physician)
    assert listed() == [False] * 7


def test_it_never_waits_for_an_answer(thread, colleague, colleague_client):
    waiting = Waiting(make_specialty("Nephrology").pk)

    assert first_rows(colleague.user, waiting, order=("-pk",), size=9) == []
    assert "Apixaban" not in colleague_client.get("/questions/?status=unanswered").text


def test_it_does_not_close_before_anybody_has_spoken(thread, physician):
    long_after = timezone.now() + timedelta(days=400)
    silent = Question.objects.silent_since(long_after)

    assert thread not in silent
    make_answer(thread, physician)
    assert thread in silent.all()


def test_a_row_reads_as_an_article_s(thread, physician, colleague_client):
    make_answer(thread, physician)
    found = colleague_client.get("/questions/?kind=article").text
    sought = colleague_client.get("/search/?q=apixaban").text

    for page in (found, sought):
        assert f'href="/news/discussions/{thread.pk}/"' in page
        assert ">Article</span>" in page
        assert "<b>1</b> comment<" in page
    assert "Sermo" in found
    assert "<b>1</b> answer<" not in found + sought
    assert "Articles" in found
