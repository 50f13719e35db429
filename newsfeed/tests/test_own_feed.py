"""One's own feed: what stands in it, why, and how it pages."""

from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from django.utils import timezone

from accounts.tests.factories import make_specialty
from newsfeed.models import Article, ArticleSpecialty, ArticleTopic, Discussion, LessOf, SourceFollow
from newsfeed.own_feed import less_of, newest_for
from newsfeed.services import keeping
from newsfeed.tests.factories import make_article, make_source
from questions.models import Tag, TopicFollow, TopicMute
from questions.tests.factories import copy_of, make_question
from sermo.paging import cursor_after

NOON = datetime(2026, 5, 20, 12, tzinfo=ZoneInfo("America/New_York"))


@pytest.fixture
def heart(physician):
    return physician.specialty


@pytest.fixture
def kidney(db):
    return make_specialty("Nephrology")


@pytest.fixture
def nothing_from_outside(settings):
    settings.NEWS_OUTSIDE = 0


def titles(member, **asked):
    return [row.title for row in newest_for(member.user, **asked)]


def reasons(member):
    return {row.title: row.why for row in newest_for(member.user)}


def all_pages(member, size, between=lambda: None, start=None):
    found, after = [], start
    while True:
        page = newest_for(member.user, after=after, size=size)
        found.append([row.title for row in page])
        after = page.next
        if after is None:
            return found
        between()


def flat(pages):
    return [title for page in pages for title in page]


@pytest.mark.usefixtures("nothing_from_outside")
def test_each_article_says_why_it_stands_there(physician, heart, kidney):
    tag, followed = Tag.objects.create(slug="dialysis", name="dialysis"), make_source("Cornea")
    for follow in ({"specialty": kidney}, {"tag": tag}):
        TopicFollow.objects.create(member=physician, **follow)
    SourceFollow.objects.create(member=physician, source=followed)
    make_article(title="own", specialties=[heart, kidney])
    make_article(title="specialty", specialties=[kidney])
    tagged = make_article(title="tag", specialties=[make_specialty("Dermatology")])
    ArticleTopic.objects.create(article=tagged, tag=tag, shown_at=tagged.shown_at)
    make_article(followed, title="source", specialties=[make_specialty("Dermatology")])
    make_article(title="general", is_general=True)
    make_article(title="alert", kind="alert", region="us", specialties=[heart])
    make_article(title="ours", kind="sermo")
    make_article(title="alert elsewhere", kind="alert", region="uk")
    make_article(title="no field")

    assert reasons(physician) == {
        "own": "in your specialty",
        "specialty": "because you follow nephrology",
        "tag": "because you follow dialysis",
        "source": "because you follow Cornea",
        "general": "general medicine",
        "alert": "safety alert for the United States",
        "ours": "from the editors of Sermo",
    }


@pytest.mark.usefixtures("nothing_from_outside")
def test_what_is_muted_or_less_wanted_stays_away(physician, heart, kidney):
    quiet, muted_tag = make_source("Quiet"), Tag.objects.create(slug="opinion", name="opinion")
    TopicMute.objects.create(member=physician, specialty=kidney)
    TopicMute.objects.create(member=physician, tag=muted_tag)
    LessOf.objects.create(member=physician, source=quiet)
    LessOf.objects.create(member=physician, specialty=make_specialty("Dermatology"))
    make_article(title="muted specialty", specialties=[heart, kidney])
    make_article(title="less of a specialty", specialties=[heart, make_specialty("Dermatology")])
    make_article(quiet, title="less of a source", specialties=[heart])
    tagged = make_article(title="muted tag", specialties=[heart])
    ArticleTopic.objects.create(article=tagged, tag=muted_tag, shown_at=tagged.shown_at)
    make_article(title="wanted", specialties=[heart])

    assert titles(physician) == ["wanted"]


@pytest.mark.usefixtures("nothing_from_outside")
def test_a_followed_source_beats_less_of_a_specialty_and_nothing_beats_mute(physician, heart, kidney):
    source = make_source("Whole")
    keeping.see_less(member=physician, of=heart)
    TopicMute.objects.create(member=physician, specialty=kidney)
    make_article(source, title="hers anyway", specialties=[heart])
    make_article(source, title="muted", specialties=[heart, kidney])
    make_article(title="of another source", specialties=[heart])
    keeping.follow_source(member=physician, source=source)

    assert titles(physician) == ["hers anyway"]


@pytest.mark.usefixtures("nothing_from_outside")
def test_what_is_removed_or_a_draft_or_not_of_the_field_stays_away(physician, heart):
    make_article(title="removed", specialties=[heart], state=Article.State.REMOVED)
    make_article(title="draft", kind="sermo", state=Article.State.DRAFT)
    off = make_article(title="an editor said no")
    ArticleSpecialty.objects.create(
        article=off, specialty=heart, how="person", is_off=True, shown_at=off.shown_at
    )

    assert titles(physician) == []


@pytest.mark.usefixtures("nothing_from_outside")
def test_one_source_fills_no_page_and_says_how_much_it_has(physician, heart, settings):
    settings.NEWS_PER_SOURCE = 2
    busy, calm = make_source("Busy"), make_source("Calm")
    for minute in range(6):
        make_article(busy, f"busy {minute}", specialties=[heart], shown_at=NOON - timedelta(minutes=minute))
    for minute in range(3):
        make_article(
            calm, f"calm {minute}", specialties=[heart], shown_at=NOON - timedelta(hours=1, minutes=minute)
        )

    page = newest_for(physician.user, size=3)
    rest = newest_for(physician.user, size=3, after=page.next)

    assert [(row.title, row.held_back) for row in page] == [("busy 0", 0), ("busy 1", 4), ("calm 0", 0)]
    assert [row.title for row in rest] == ["calm 1", "calm 2"]
    assert rest.next is None


@pytest.mark.usefixtures("nothing_from_outside")
def test_pages_neither_repeat_nor_lose_while_news_arrive(physician, heart):
    for number in range(11):
        make_article(
            title=f"{number:02}", specialties=[heart], shown_at=NOON - timedelta(minutes=number // 3)
        )

    def arrives():
        make_article(title="new", specialties=[heart])

    pages = all_pages(physician, 3, arrives)

    assert sorted(flat(pages)) == [f"{number:02}" for number in range(11)]
    assert [len(page) for page in pages] == [3, 3, 3, 2]


@pytest.mark.usefixtures("nothing_from_outside")
def test_much_that_is_not_wanted_hides_nothing_behind_it(physician, heart, kidney, monkeypatch):
    monkeypatch.setattr("newsfeed.own_feed.TAKEN", 4)
    TopicMute.objects.create(member=physician, specialty=kidney)
    for minute in range(13):
        make_article(
            title=f"{minute}",
            specialties=[heart, kidney] if 2 <= minute < 12 else [heart],
            shown_at=NOON - timedelta(minutes=minute),
        )

    assert flat(all_pages(physician, 3)) == ["0", "1", "12"]


def from_outside(member, **asked):
    return [row.title for row in newest_for(member.user, **asked) if row.why == "outside your fields"]


def test_a_day_has_two_from_outside_of_different_sources_the_same_on_all_pages(physician, heart, kidney):
    skin, busy = make_specialty("Dermatology"), make_source("Busy")
    for hour in range(3):
        make_article(title=f"own {hour}", specialties=[heart], shown_at=NOON - timedelta(hours=hour))
        make_article(
            busy, f"skin {hour}", specialties=[skin], shown_at=NOON - timedelta(hours=hour, minutes=30)
        )
    make_article(title="of no field", shown_at=NOON)
    make_article(title="preprint", kind="preprint", specialties=[skin], shown_at=NOON - timedelta(hours=9))
    second = make_article(title="kidney", specialties=[kidney], shown_at=NOON - timedelta(hours=1))
    make_article(title="another day", specialties=[skin], shown_at=NOON - timedelta(days=3))

    rows = list(newest_for(physician.user))
    assert from_outside(physician) == ["skin 0", "kidney"]
    assert sorted(flat(all_pages(physician, 2))) == sorted(row.title for row in rows)

    make_article(title="came later", kind="guideline", specialties=[skin], shown_at=NOON)
    thread = copy_of(make_question(physician), kind="article", answer_count=9)
    Discussion.objects.create(question=thread, article=Article.objects.get(title="skin 2"))
    assert from_outside(physician) == ["skin 0", second.title]


def test_days_without_one_s_own_news_have_some_from_outside_too(physician, heart, kidney):
    make_article(title="own", specialties=[heart], shown_at=NOON)
    make_article(title="own, long ago", specialties=[heart], shown_at=NOON - timedelta(days=4))
    for days in (2, 6):
        make_article(title=f"{days} days before", specialties=[kidney], shown_at=NOON - timedelta(days=days))

    place = cursor_after([NOON + timedelta(hours=1), 1])
    assert titles(physician, after=place) == ["own", "2 days before", "own, long ago"]
    assert "2 days before" in flat(all_pages(physician, 1, start=place))


def test_what_is_new_since_a_moment_is_judged_by_when_it_was_seen(physician, heart):
    now = timezone.now()
    for title, shown, seen in (("before", 30, 20), ("came late", 30, 1), ("after", 2, 2)):
        make_article(
            title=title,
            specialties=[heart],
            shown_at=now - timedelta(hours=shown),
            first_seen_at=now - timedelta(hours=seen),
        )

    assert titles(physician, since=now - timedelta(hours=10)) == ["after", "came late"]
    assert titles(physician, since=now) == []


@pytest.mark.usefixtures("nothing_from_outside")
def test_a_followed_source_fills_half_a_page_at_most_and_all_of_a_feed(physician, heart):
    followed = make_source("Followed")
    keeping.follow_source(member=physician, source=followed)
    for minute in range(14):
        make_article(followed, f"followed {minute}", shown_at=NOON - timedelta(minutes=minute))
    for minute in range(14):
        make_article(title="other", specialties=[heart], shown_at=NOON - timedelta(hours=1, minutes=minute))

    page = list(newest_for(physician.user, size=20))
    whole = [titles(physician, size=20, **asked) for asked in ({"in_full": True}, {"since": NOON})]

    assert [row.title.split()[0] for row in page] == ["followed"] * 10 + ["other"] * 10
    assert [row.held_back for row in page] == [0] * 9 + [4] + [0] * 10
    assert [sum("followed" in title for title in some) for some in whole] == [14, 14]


@pytest.mark.usefixtures("nothing_from_outside")
def test_safety_alerts_stay_with_less_of_a_specialty_and_go_with_a_muted_topic(physician, heart):
    make_article(title="alert", kind="alert", region="us", specialties=[heart])
    make_article(title="article", specialties=[heart])
    keeping.see_less(member=physician, of=heart)
    assert titles(physician) == ["alert"]

    TopicMute.objects.create(member=physician, specialty=heart)
    assert titles(physician) == []


@pytest.mark.usefixtures("nothing_from_outside")
def test_following_a_specialty_and_less_of_it_the_newer_wish_holds(physician, kidney):
    make_article(title="on kidneys", specialties=[kidney])
    keeping.see_less(member=physician, of=kidney)
    TopicFollow.objects.create(member=physician, specialty=kidney)
    assert titles(physician) == ["on kidneys"]
    assert not less_of(physician).exists()

    keeping.see_less(member=physician, of=kidney)
    assert titles(physician) == []
    assert less_of(physician).exists()


@pytest.mark.parametrize(
    "after",
    [
        "nonsense",
        cursor_after([1, 2]),
        cursor_after([NOON.replace(tzinfo=None), 2]),
        cursor_after([datetime(1, 1, 1, tzinfo=ZoneInfo("UTC")), 2]),
        cursor_after([NOON, 1.5]),
    ],
    ids=["words", "no moment", "no time zone", "too early", "no whole number"],
)
def test_a_cursor_from_nowhere_is_the_first_page(physician, heart, after):
    make_article(title="first", specialties=[heart])

    assert titles(physician, after=after) == ["first"]


def test_who_is_no_member_sees_what_concerns_all(moderator, staff, applicant, heart):
    make_article(title="general", is_general=True)
    make_article(title="ours", kind="sermo", shown_at=timezone.now() - timedelta(hours=1))

    assert titles(moderator) == ["general", "ours"]
    assert titles(applicant) == []
    assert list(newest_for(staff)) == []
