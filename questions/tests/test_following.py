"""Following topics, discussions and handles, and the list of what one follows."""

import re

import pytest
from django.db import IntegrityError, transaction

from accounts.models import Face, Follow
from accounts.services import profiles, ties
from accounts.tests.factories import make_member, make_specialty
from conftest import client_of
from questions.models import Question, Subscription, Tag, TopicFollow
from questions.services import following
from questions.services.tags import tags_named
from questions.tests.factories import make_answer, make_comment, make_question

LIST = "/questions/?following=1"


def listed(client, address=LIST):
    return client.get(address).content.decode()


@pytest.fixture
def named(db):
    return make_member("open_book", byline_mode="public", display_name="Anna Vale, MD")


# Topics


def test_a_followed_tag_brings_its_discussions(physician, colleague, colleague_client):
    make_question(physician, title="What of dialysis tonight?", tags=["dialysis"])
    make_question(physician, title="Something else entirely?")

    colleague_client.post("/tags/dialysis/follow/", {"follow": "1"})

    page = listed(colleague_client)
    assert "What of dialysis tonight?" in page
    assert "Something else entirely?" not in page


def test_a_followed_specialty_brings_its_discussions(physician, colleague, colleague_client):
    question = make_question(physician)
    make_question(colleague, title="A question for nephrologists?")

    colleague_client.post(f"/specialties/{physician.specialty.slug}/follow/", {"follow": "1"})

    page = listed(colleague_client)
    assert question.title in page
    assert "A question for nephrologists?" not in page


def test_following_composes_with_the_other_filters(physician, colleague, colleague_client):
    make_question(physician, title="What of dialysis tonight?", tags=["dialysis"])
    answered = make_question(physician, title="What of dialysis tomorrow?", tags=["dialysis"])
    make_answer(answered)
    following.follow_topic(member=colleague, topic=Tag.objects.get())

    page = listed(colleague_client, LIST + "&sort=unanswered")

    assert "What of dialysis tonight?" in page
    assert "What of dialysis tomorrow?" not in page
    assert "following=1" in re.search(r'href="([^"]*sort=new[^"]*)"', page)[1]
    assert "What of dialysis tonight?" not in listed(colleague_client, LIST + "&specialty=mine")


def test_following_twice_is_one_follow_and_leaving_ends_it(physician, colleague, colleague_client):
    make_question(physician, tags=["dialysis"])
    for _ in range(2):
        colleague_client.post("/tags/dialysis/follow/", {"follow": "1"})
    assert not TopicFollow.objects.get().alerts
    colleague_client.post("/tags/dialysis/follow/", {"follow": "1", "alerts": "1"})
    assert TopicFollow.objects.get().alerts

    colleague_client.post("/tags/dialysis/follow/", {"follow": "0"})

    assert not TopicFollow.objects.exists()


def test_the_page_of_a_topic_says_whether_it_is_followed(physician, colleague, colleague_client):
    make_question(physician, tags=["dialysis"])
    assert 'aria-pressed="false"' in listed(colleague_client, "/tags/dialysis/")

    following.follow_topic(member=colleague, topic=Tag.objects.get())

    assert 'aria-pressed="true"' in listed(colleague_client, "/tags/dialysis/")
    assert "Tell me at once" in listed(colleague_client, "/tags/dialysis/")
    assert "Tell me at once" not in listed(client_of(physician), "/tags/dialysis/")


def test_there_is_a_most_of_topics(colleague, monkeypatch):
    monkeypatch.setattr(following, "MOST_TOPICS", 1)
    following.follow_topic(member=colleague, topic=colleague.specialty)
    following.follow_topic(member=colleague, topic=colleague.specialty)

    with pytest.raises(following.TooMany):
        following.follow_topic(member=colleague, topic=make_specialty("Urology"))


def test_the_database_refuses_a_follow_of_nothing_or_of_two(colleague):
    tag = Tag.objects.create(slug="dialysis", name="dialysis")
    for topic in ({}, {"tag": tag, "specialty": colleague.specialty}):
        with pytest.raises(IntegrityError), transaction.atomic():
            TopicFollow.objects.create(member=colleague, **topic)


# Discussions


def test_a_followed_discussion_is_listed_and_a_muted_one_is_not(physician, colleague, colleague_client):
    question = make_question(physician)
    following.follow_topic(member=colleague, topic=physician.specialty)
    colleague_client.post(f"/questions/{question.pk}/follow/", {"level": "alerts"})
    assert question.title in listed(colleague_client)

    colleague_client.post(f"/questions/{question.pk}/follow/", {"level": "muted"})

    assert Subscription.objects.get().level == "muted"
    assert question.title not in listed(colleague_client)
    assert question.title in listed(colleague_client, "/questions/")


def test_leaving_a_discussion_forgets_it(physician, colleague, colleague_client):
    question = make_question(physician)
    following.subscribe(member=colleague, question=question, level="digest")

    colleague_client.post(f"/questions/{question.pk}/follow/", {"level": ""})

    assert not Subscription.objects.exists()
    assert colleague_client.post(f"/questions/{question.pk}/follow/", {"level": "loud"}).status_code == 400


def test_what_one_may_not_read_one_cannot_follow(physician, colleague_client):
    question = make_question(physician, audience="specialty")

    assert colleague_client.post(f"/questions/{question.pk}/follow/", {"level": "digest"}).status_code == 404


# Handles


def test_a_followed_handle_brings_what_is_asked_under_it(physician, colleague, colleague_client):
    question = make_question(physician)
    ties.follow(follower=colleague, followed=physician)

    assert question.title in listed(colleague_client)


def test_a_followed_handle_never_brings_what_is_asked_under_the_name(named, colleague, colleague_client):
    ties.follow(follower=colleague, followed=named)
    question = make_question(named, title="Asked under the name, of course?")
    anonymous = make_question(named, title="Asked under the handle, of course?", byline="anonymous")

    page = listed(colleague_client)
    assert question.title not in page
    assert anonymous.title in page

    profiles.choose_byline(member=named, mode="anonymous")

    page = listed(colleague_client)
    assert question.title not in page
    assert anonymous.title in page


# The page of all one follows


def test_everything_one_follows_stands_on_one_page(physician, colleague, colleague_client):
    question = make_question(physician, tags=["dialysis"])
    following.follow_topic(member=colleague, topic=Tag.objects.get())
    following.follow_topic(member=colleague, topic=physician.specialty)
    following.subscribe(member=colleague, question=question, level="digest")
    ties.follow(follower=colleague, followed=physician)

    topics = listed(colleague_client, "/topics/")
    assert "dialysis" in topics
    assert physician.specialty.name in topics
    assert physician.handle in listed(colleague_client, "/topics/?show=members")
    assert question.title in listed(colleague_client, "/topics/?show=discussions")


def test_a_followed_discussion_that_closed_to_one_is_not_named(physician, colleague, colleague_client):
    question = make_question(physician)
    following.subscribe(member=colleague, question=question, level="digest")
    Question.objects.update(audience="specialty")

    assert question.title not in listed(colleague_client, "/topics/?show=discussions")


@pytest.mark.parametrize("show", ["topics", "members", "discussions"])
def test_the_page_is_paged_and_costs_the_same_at_any_length(
    physician, colleague, colleague_client, show, django_assert_max_num_queries
):
    for number in range(33):
        if show == "topics":
            tag = Tag.objects.create(slug=f"tag-{number}", name=f"tag {number}")
            following.follow_topic(member=colleague, topic=tag)
        elif show == "members":
            Follow.objects.create(follower=colleague, followed=make_member())
        else:
            question = make_question(physician, title=f"Question number {number} of many?")
            following.subscribe(member=colleague, question=question, level="digest")
    colleague_client.get("/topics/")

    with django_assert_max_num_queries(8):
        page = listed(colleague_client, f"/topics/?show={show}")

    assert page.count('class="list-row') == 30
    more = re.search(r'hx-get="([^"]+)"', page)[1].replace("&amp;", "&")
    rest = colleague_client.get(more, HTTP_HX_REQUEST="true").content.decode()
    assert rest.count('class="list-row') == 3


def test_the_list_of_what_one_follows_costs_no_more_queries(
    physician, colleague, colleague_client, django_assert_max_num_queries
):
    make_question(physician, tags=["dialysis"])
    following.follow_topic(member=colleague, topic=Tag.objects.get())
    ties.follow(follower=colleague, followed=physician)
    colleague_client.get(LIST)

    with django_assert_max_num_queries(4):
        colleague_client.get(LIST)


# Blocks in discussions


FOLDED = "You blocked this member. Show the post"


def test_a_blocked_handle_is_left_out_of_the_lists_of_the_blocker_alone(physician, colleague, third):
    question = make_question(physician)
    ties.block(blocker=colleague, blocked=physician, blocked_face=Face.HANDLE)

    for address in ("/questions/", "/", "/search/?q=dialysis"):
        assert question.title not in listed(client_of(colleague), address)
        assert question.title in listed(client_of(third), address)
        assert question.title in listed(client_of(physician), address)


def test_a_block_does_not_let_one_escape_from_being_disputed(physician, colleague, colleague_client):
    question = make_question(physician)
    ties.block(blocker=physician, blocked=colleague, blocked_face=Face.HANDLE)

    page = listed(colleague_client, question.get_absolute_url())

    assert FOLDED not in page
    assert question.title in listed(colleague_client, "/questions/")
    answer = make_answer(question, colleague)
    assert colleague_client.post(f"/posts/{answer.pk}/vote/", {"value": 1}).status_code == 302


def test_posts_of_the_blocked_are_folded_for_the_blocker_alone(physician, colleague, third):
    question = make_question(physician)
    answer = make_answer(question, colleague)
    make_comment(answer, colleague)
    ties.block(blocker=third, blocked=colleague, blocked_face=Face.HANDLE)

    page = listed(client_of(third), question.get_absolute_url())

    assert page.count(FOLDED) == 2
    assert FOLDED not in listed(client_of(physician), question.get_absolute_url())
    assert FOLDED not in listed(client_of(colleague), question.get_absolute_url())


def test_a_folded_opening_can_be_shown(physician, third):
    question = make_question(physician)
    ties.block(blocker=third, blocked=physician, blocked_face=Face.HANDLE)

    page = listed(client_of(third), question.get_absolute_url())

    assert page.count(FOLDED) == 1
    assert "new atrial fibrillation" in page


@pytest.mark.parametrize(
    ("face", "mode", "folded"),
    [
        (Face.HANDLE, "anonymous", True),
        (Face.HANDLE, "public", False),
        (Face.NAME, "anonymous", False),
        (Face.NAME, "public", True),
    ],
)
def test_a_block_folds_and_leaves_out_just_the_face_it_names(physician, named, face, mode, folded):
    """Were the other face folded too, everybody could try which name belongs to a handle."""
    asked = make_question(named, title="Which of the two is this one?", byline=mode)
    question = make_question(physician)
    make_answer(question, named, byline=mode)
    ties.block(blocker=physician, blocked=named, blocked_face=face)
    client = client_of(physician)

    assert (FOLDED in listed(client, question.get_absolute_url())) is folded
    assert (FOLDED in listed(client, asked.get_absolute_url())) is folded
    for address in ("/questions/", "/", "/search/?q=dialysis"):
        assert (asked.title not in listed(client, address)) is folded


@pytest.mark.parametrize("face", Face.values)
def test_a_masked_post_is_folded_by_no_block(physician, named, face):
    question = make_question(physician)
    make_answer(question, named)
    ties.block(blocker=physician, blocked=named, blocked_face=face)
    profiles.choose_byline(member=named, mode="anonymous")

    assert FOLDED not in listed(client_of(physician), question.get_absolute_url())


@pytest.mark.parametrize(("level", "is_seen"), [("me", False), ("connections", False), ("physicians", True)])
def test_what_one_follows_stands_beside_the_handle_only_for_whom_one_chose(
    physician, colleague_client, level, is_seen
):
    following.follow_topic(member=physician, topic=tags_named(["Amyloid watch"])[0])
    profiles.change_profile(member=physician, visibility={"interests": level})

    page = colleague_client.get(physician.get_absolute_url())

    assert ("amyloid watch" in page.content.decode()) is is_seen
