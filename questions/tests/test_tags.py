"""Tags: found, made by members of rank, suggested, merged by moderators, muted."""

import threading

import pytest
from django.db import connection, transaction

from accounts.models import FanOut
from conftest import client_of
from questions.models import MemberRank, Question, Tag, TopicFollow, TopicMute
from questions.services import following, muting, telling, writing
from questions.services.tags import (
    NewTagNeedsRank,
    NotAModerator,
    SameTag,
    merge_tags,
    nearest,
    suggested,
    tags_named,
)
from questions.tests.factories import BODY, make_question
from verification.models import Event


@pytest.fixture
def dialysis(db):
    return tags_named(["Dialysis"])[0]


@pytest.fixture
def hemodialysis(db):
    return tags_named(["hemodialysis"])[0]


def rank(member, tier):
    MemberRank.objects.update_or_create(member=member, defaults={"tier": tier})


# Finding and making


def test_names_that_differ_in_case_and_spacing_are_one_tag(dialysis):
    assert tags_named(["dialysis", " DIALYSIS ", ""]) == [dialysis]


@pytest.mark.parametrize("tier", ["contributor", "trusted", "expert", "top"])
def test_members_of_rank_make_tags(physician, tier):
    rank(physician, tier)

    assert tags_named(["Amyloid watch"], member=physician)[0].slug == "amyloid-watch"


def test_new_members_use_the_tags_there_are(physician, dialysis):
    assert tags_named(["dialysis"], member=physician) == [dialysis]

    with pytest.raises(NewTagNeedsRank) as refusal:
        tags_named(["dialysis", "dialyses"], member=physician)

    assert "“dialyses” is no tag yet" in str(refusal.value)
    assert "Contributor" in str(refusal.value)
    assert "There is: dialysis." in str(refusal.value)
    assert not Tag.objects.filter(slug="dialyses").exists()


def test_moderators_make_tags_whatever_their_tier(moderator):
    assert tags_named(["a new one"], member=moderator)


def test_a_refused_tag_asks_nothing_and_comes_back_in_the_form(physician, physician_client):
    form = physician_client.get("/questions/ask/").context["form"]
    answer = physician_client.post(
        "/questions/ask/",
        {
            "submission": form["submission"].value(),
            "kind": "question",
            "title": "How long do you hold it before the procedure?",
            "source": BODY,
            "specialties": [physician.specialty_id],
            "tags": "brand new words",
            "urgency": "days",
            "audience": "physicians",
            "byline": "anonymous",
        },
    )

    assert answer.status_code == 422
    assert "“brand new words” is no tag yet" in answer.content.decode()
    assert not Question.objects.exists()


def test_nearest_names_come_from_any_of_the_words(dialysis):
    tags_named(["atrial fibrillation", "atrial flutter", "gout"])

    assert nearest("atrial fibrilation")[0] == "atrial fibrillation"
    assert nearest("zzz") == []


def test_suggestions_begin_with_what_is_typed_and_give_the_tag_for_a_synonym(
    moderator, dialysis, hemodialysis
):
    tags_named(["peritoneal dialysis"])
    merge_tags(tag=hemodialysis, into=dialysis, by=moderator.user)

    assert [tag.name for tag in suggested("dia", 8)] == ["dialysis", "peritoneal dialysis"]
    assert suggested("hemo", 8) == [dialysis]
    assert suggested(" ", 8) == []


def test_the_last_of_several_tags_is_suggested(physician_client, dialysis):
    html = physician_client.get("/tags/suggest/?tags=gout,+dia").content.decode()

    assert '<option value="gout, dialysis">' in html


# Merging


@pytest.fixture
def merged(moderator, dialysis, hemodialysis):
    return merge_tags(tag=hemodialysis, into=dialysis, by=moderator.user)


def test_a_merge_takes_discussions_follows_and_mutes_along(physician, colleague, third, moderator):
    old, both = make_question(physician, tags=["hd"]), make_question(colleague, tags=["hd", "dialysis"])
    hd, dialysis = Tag.objects.get(slug="hd"), Tag.objects.get(slug="dialysis")
    following.follow_topic(member=physician, topic=hd)
    following.set_topic_alerts(member=physician, topic=hd, alerts=True)
    following.follow_topic(member=physician, topic=dialysis)
    following.follow_topic(member=colleague, topic=dialysis)
    muting.mute_topic(member=colleague, topic=hd)
    muting.mute_topic(member=third, topic=hd)

    merge_tags(tag=hd, into=dialysis, by=moderator.user)

    assert [list(question.tags.all()) for question in (old, both)] == [[dialysis], [dialysis]]
    follow = TopicFollow.objects.get()
    assert (follow.member, follow.tag, follow.alerts) == (physician, dialysis, True)
    assert {mute.member for mute in TopicMute.objects.filter(tag=dialysis)} == {colleague, third}


def test_what_is_merged_is_typed_and_addressed_as_before(merged, physician, physician_client):
    assert tags_named(["Hemodialysis"], member=physician) == [merged]
    assert physician_client.get("/tags/hemodialysis/?sort=new").url == "/tags/dialysis/?sort=new"
    assert "Also: hemodialysis" in physician_client.get("/tags/dialysis/").content.decode()


def test_following_and_muting_a_synonym_is_for_what_it_stands_for(
    merged, hemodialysis, colleague, colleague_client, third
):
    colleague_client.post(f"/tags/{hemodialysis.slug}/follow/", {"follow": "1", "alerts": "1"})
    hemodialysis.refresh_from_db()
    muting.mute_topic(member=third, topic=hemodialysis)

    assert (TopicFollow.objects.get().tag, TopicFollow.objects.get().alerts) == (merged, True)
    assert TopicMute.objects.get().tag == merged
    colleague_client.post(f"/tags/{hemodialysis.slug}/follow/", {"follow": "0"})
    muting.unmute_topic(member=third, topic=hemodialysis)
    assert not TopicFollow.objects.exists()
    assert not TopicMute.objects.exists()


def test_merging_again_changes_nothing_and_is_told_once(merged, moderator, hemodialysis):
    merge_tags(tag=hemodialysis, into=merged, by=moderator.user)

    event = Event.objects.get(kind="tag_merged")
    assert event.object == f"tag:{hemodialysis.pk}"


def test_synonyms_stay_one_step_from_their_tag(merged, moderator, hemodialysis):
    renal = tags_named(["renal replacement"])[0]
    merge_tags(tag=merged, into=renal, by=moderator.user)
    gout = tags_named(["gout"])[0]
    merge_tags(tag=gout, into=hemodialysis, by=moderator.user)

    assert set(renal.synonyms.all()) == {merged, hemodialysis, gout}


def test_nothing_is_merged_into_itself_or_its_synonym(merged, moderator, hemodialysis):
    for into in (merged, hemodialysis):
        with pytest.raises(SameTag):
            merge_tags(tag=merged, into=into, by=moderator.user)


def test_only_moderators_merge(physician, dialysis, hemodialysis, physician_client):
    with pytest.raises(NotAModerator):
        merge_tags(tag=hemodialysis, into=dialysis, by=physician.user)
    assert physician_client.get("/moderation/tags/").status_code == 404
    assert (
        physician_client.post("/moderation/tags/", {"tag": "hemodialysis", "into": "dialysis"}).status_code
        == 404
    )


def test_the_desk_merges_by_name_and_says_what_became_of_what(moderator, dialysis, hemodialysis):
    client = client_of(moderator)

    page = client.post("/moderation/tags/", {"tag": "Hemodialysis", "into": "dialysis"}, follow=True)

    assert "is now a synonym of" in page.content.decode()
    assert "Synonym of dialysis" in client.get("/moderation/tags/?q=hemo").content.decode()
    assert (
        "no tag of that name"
        in client.post(
            "/moderation/tags/", {"tag": "dialysis", "into": "nothing"}, follow=True
        ).content.decode()
    )


@pytest.mark.django_db(transaction=True)
def test_a_question_posted_during_a_merge_carries_the_tag_that_stays(physician, moderator):
    tags_named(["dialysis", "hd"])
    dialysis, hd = Tag.objects.get(slug="dialysis"), Tag.objects.get(slug="hd")
    merging, asked = threading.Event(), threading.Event()

    def ask():
        merging.wait(10)
        try:
            make_question(physician, tags=["hd"])
        finally:
            asked.set()
            connection.close()

    thread = threading.Thread(target=ask)
    thread.start()
    with transaction.atomic():
        merge_tags(tag=hd, into=dialysis, by=moderator.user)
        merging.set()
        assert not asked.wait(0.5)  # it waits for the merge to be over
    thread.join()

    assert list(Question.objects.get().tags.all()) == [dialysis]


@pytest.mark.django_db(transaction=True)
def test_two_questions_with_one_tag_do_not_wait_for_each_other(physician, colleague):
    tags_named(["dialysis"])
    done = threading.Event()

    def ask():
        try:
            make_question(colleague, tags=["dialysis"])
            done.set()
        finally:
            connection.close()

    with transaction.atomic():
        make_question(physician, tags=["dialysis"])
        thread = threading.Thread(target=ask)
        thread.start()
        assert done.wait(10)
    thread.join()


# Pages


def test_all_tags_stand_by_name_with_what_one_may_read(physician, colleague, colleague_client, merged):
    make_question(physician, tags=["dialysis"])
    make_question(physician, tags=["dialysis"], audience="specialty")
    tags_named(["atrial flutter"])

    page = colleague_client.get("/tags/")

    assert [(tag.name, tag.figure) for tag in page.context["page"]] == [
        ("atrial flutter", "0"),
        ("dialysis", "1"),
    ]
    assert [tag.name for tag in colleague_client.get("/tags/?q=FLUTTER").context["page"]] == [
        "atrial flutter"
    ]
    assert "No tag like that" in colleague_client.get("/tags/?q=zebra").content.decode()


def test_all_tags_go_on_by_key(settings, physician_client, db):
    settings.TAGS_PER_PAGE = 2
    made = {tag.pk for tag in tags_named(f"tag {number}" for number in range(5))}

    seen, address = [], "/tags/"
    while address:
        page = physician_client.get(address)
        seen += [tag.pk for tag in page.context["page"]]
        address = page.context["more_url"]

    assert len(seen) == 5
    assert set(seen) == made


def test_a_tag_s_page_names_the_tags_beside_it_that_one_may_see(physician, colleague_client):
    make_question(physician, tags=["dialysis", "potassium"])
    make_question(physician, tags=["dialysis", "secret plans"], audience="specialty")

    html = colleague_client.get("/tags/dialysis/?counts=1").content.decode()

    assert '<a href="/tags/potassium/">potassium</a>' in html
    assert "secret plans" not in html


def test_the_doors(client, applicant_client, db):
    for address in ("/tags/", "/tags/suggest/", "/moderation/tags/"):
        assert client.get(address).status_code == 302
        assert applicant_client.get(address).status_code in (302, 404)


# Muting


def test_muting_ends_following_and_is_taken_back(physician, dialysis, physician_client):
    following.follow_topic(member=physician, topic=dialysis)
    for _ in range(2):
        physician_client.post("/tags/dialysis/mute/", {"mute": "1"})

    assert TopicMute.objects.get().tag == dialysis
    assert not TopicFollow.objects.exists()
    assert "dialysis" in physician_client.get("/topics/?show=muted").content.decode()
    physician_client.post("/tags/dialysis/mute/", {"mute": "0"})
    assert not TopicMute.objects.exists()


def test_a_specialty_is_muted_as_a_tag_is(physician, colleague, colleague_client):
    make_question(physician)

    colleague_client.post(f"/specialties/{physician.specialty.slug}/mute/", {"mute": "1"})

    assert TopicMute.objects.get().specialty == physician.specialty
    assert list(Question.objects.besides_muted(colleague)) == []
    assert Question.objects.besides_muted(colleague, but=physician.specialty).count() == 1


def test_there_is_a_most_to_mute(settings, physician, dialysis, hemodialysis):
    settings.MOST_MUTED = 1
    muting.mute_topic(member=physician, topic=dialysis)

    with pytest.raises(muting.TooManyMuted):
        muting.mute_topic(member=physician, topic=hemodialysis)


def test_nobody_is_told_of_a_topic_they_muted(physician, colleague, third, dialysis):
    for member in (colleague, third):
        following.follow_topic(member=member, topic=physician.specialty)
        following.set_topic_alerts(member=member, topic=physician.specialty, alerts=True)
    muting.mute_topic(member=third, topic=dialysis)

    question = make_question(physician, tags=["dialysis"])

    fan_out = FanOut(target=question.posts.get().pk)
    assert telling.next_topic_followers(fan_out, 0, 10) == [colleague.pk]


def test_the_ask_service_takes_a_synonym_for_its_tag(merged, physician):
    question = writing.open_question(
        asker=physician,
        kind="question",
        title="How long do you hold it before the procedure?",
        source=BODY,
        specialties=[physician.specialty],
        tags=["HEMODIALYSIS"],
    )

    assert list(question.tags.all()) == [merged]


def test_many_tags_cost_no_more_queries(physician_client, django_assert_max_num_queries):
    tags_named(f"tag {number}" for number in range(30))
    physician_client.get("/tags/")

    with django_assert_max_num_queries(6):
        physician_client.get("/tags/")
