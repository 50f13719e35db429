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
from newsfeed.models import Article, ArticleSpecialty, ArticleTopic, Discussion
from newsfeed.services import discussing, editing
from newsfeed.services.house import house
from newsfeed.tests.factories import make_article, make_source
from questions import ranking
from questions.models import Byline, MemberRank, Post, Question, Tag, TopicMute, WriteCount
from questions.rows import Open, Waiting, first_rows
from questions.search.language import parse
from questions.search.matching import Search
from questions.services import closing, limits, voting, writing
from questions.services.moderation import acts
from questions.services.tags import merge_tags
from questions.similar import similar_to
from questions.tests.factories import make_answer, make_question

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


def test_a_doi_is_no_markup_and_its_number_in_pubmed_stands_beside_it(physician):
    doi = "10.5555/a_b_c(2026)*x*;1"
    thread = discussing.discuss(article=make_article(doi=doi, pmid=31452104), user=physician.user).question

    assert thread.excerpt.endswith(f"doi:{doi}, PMID 31452104")
    assert {one.value for one in thread.posts.get().references.all()} == {doi, "31452104"}


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


def test_opening_one_counts_as_a_write_and_finding_it_does_not(article, physician, colleague, settings):
    settings.DAILY_WRITES = {**settings.DAILY_WRITES, "comment": 1}
    for _ in range(2):
        discussing.discuss(article=article, user=physician.user)

    assert WriteCount.objects.get(member=physician).count == 1
    with pytest.raises(limits.TooManyToday):
        discussing.discuss(article=make_article(), user=physician.user)
    assert Discussion.objects.count() == 1
    again = client_of(physician).post(reverse("newsfeed:discuss", args=[make_article().pk]), follow=True)
    assert "That was all for today" in again.text


@pytest.mark.parametrize(
    ("kind", "words"), [("close", "A moderator closed"), ("remove", "A moderator removed")]
)
def test_one_that_a_moderator_ended_is_not_opened_by_pressing(
    kind, words, thread, article, moderator, colleague_client
):
    acts.act(post=thread.posts.get(), by=moderator.user, kind=kind, reason="other")
    answered = colleague_client.post(reverse("newsfeed:discuss", args=[article.pk]))

    assert answered.url == f"/news/{article.pk}/#answers"
    said = [str(each) for each in colleague_client.get("/").context["messages"]]
    assert len(said) == 1
    assert said[0].startswith(words)
    assert Discussion.objects.count() == 1


def test_a_removed_article_gets_none(article, physician):
    Article.objects.update(state="removed")

    with pytest.raises(discussing.NotInTheNews):
        discussing.discuss(article=article, user=physician.user)


def test_who_pressed_first_stands_nowhere(article, colleague, colleague_client):
    person = ledger.Person.of(colleague.user)

    def known():
        rows = {entry.model: entry.rows(person).count() for entry in ledger.entries() if entry.shown}
        return {model: number for model, number in rows.items() if model != WriteCount._meta.label}

    before = known()
    assert before
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


# Its tags and specialties


def tagged(article, *tags):
    article.topics.all().delete()
    for tag in tags:
        ArticleTopic.objects.create(article=article, tag=tag, shown_at=article.shown_at)


def test_it_has_the_tags_of_its_article_that_all_may_know(article, physician, moderator):
    asked = make_question(physician, tags=["dialysis", "kidney", "renal"])
    shut = make_question(physician, audience="specialty", tags=["guarded"])
    dialysis, kidney, renal = asked.tags.order_by("name")
    merge_tags(tag=renal, into=kidney, by=moderator.user)
    lone = Tag.objects.create(slug="lone", name="lone")
    tagged(article, dialysis, renal, lone, shut.tags.get())
    before = Tag.objects.count()
    thread = discussing.discuss(article=article, user=physician.user).question

    assert list(thread.tags.all()) == [dialysis]
    assert Tag.objects.count() == before
    make_answer(thread)
    TopicMute.objects.create(member=physician, tag=dialysis)
    muted = Question.objects.besides_muted(physician)
    assert thread not in muted
    assert thread in Question.objects.besides_muted(None)


def test_what_an_article_is_about_is_carried_over(thread, article, physician):
    dialysis = make_question(physician, tags=["dialysis"]).tags.get()
    tagged(article, dialysis)
    article.tags.filter(specialty__name="Nephrology").delete()
    added = ArticleSpecialty(article=article, specialty=make_specialty("Critical Care Medicine"), how="rule")
    added.shown_at = article.shown_at
    added.save()
    article.title = "Apixaban on dialysis, once more"
    discussing.carry_over(article)
    thread.refresh_from_db()

    assert thread.title == "Apixaban on dialysis, once more"
    assert [one.name for one in thread.specialties.order_by("questionspecialty__place")] == [
        "Cardiovascular Disease",
        "Critical Care Medicine",
    ]
    assert list(thread.tags.all()) == [dialysis]


def test_nothing_to_carry_over_costs_one_query(article, django_assert_max_num_queries):
    with django_assert_max_num_queries(3):  # a savepoint is two
        discussing.carry_over(article)


# An article that is taken out


def test_it_closes_with_its_article_and_opens_with_it(thread, article, physician, colleague_client):
    make_answer(thread, physician)
    active = Question.objects.get().activity_at
    editing.remove(article=article)
    page = colleague_client.get(thread.get_absolute_url()).text

    assert "taken out of the news" in page
    assert "with its article" in page
    with pytest.raises(writing.NotOpen):
        make_answer(thread)
    Question.objects.update(
        closed_at=timezone.now() + timedelta(days=-60), opened_at=active - timedelta(days=99)
    )
    Article.objects.update(title="A better title")
    for _ in range(2):
        editing.put_back(article=article)
    again = Question.objects.get()
    assert (again.is_open, again.activity_at, again.title) == (True, active, "A better title")


def test_what_a_moderator_closed_does_not_open_with_its_article(thread, article, moderator):
    acts.act(post=thread.posts.get(), by=moderator.user, kind="close", reason="other")
    discussing.withdraw(article)
    discussing.bring_back(article)

    assert Question.objects.get().close_reason == "moderator"


def test_a_silent_one_of_an_article_taken_out_is_not_there(thread, physician, colleague_client):
    Article.objects.update(state="removed")

    assert colleague_client.get(thread.get_absolute_url()).status_code == 404
    make_answer(thread, physician)
    assert colleague_client.get(thread.get_absolute_url()).status_code == 200


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
    assert offered == {"remove", "close"}
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


def test_silence_closes_none(thread, article, physician, colleague_client):
    make_answer(thread, physician)
    long_ago = timezone.now() - timedelta(days=400)
    Question.objects.update(opened_at=long_ago, activity_at=long_ago)

    assert thread.pk not in closing.silent_questions()
    assert not closing.close_if_silent(question_id=thread.pk)
    assert "Closes if silent" not in colleague_client.get(article.get_absolute_url()).text


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
