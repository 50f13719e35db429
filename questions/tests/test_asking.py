from datetime import timedelta
from threading import Thread

import pytest
from django.db import IntegrityError, connection, transaction
from django.urls import reverse
from django.utils import timezone

from accounts import tasks as account_tasks
from accounts.models import Block, FanOut, Kind, Member, Notice, NoticeChoice, NoticeSettings, Way
from accounts.services import notices
from accounts.tests.factories import make_member
from conftest import client_of
from questions.asking import Candidate, choose, wilson
from questions.models import Asked, MemberRank, Question, TopicMute
from questions.services import asking, closing, following, writing
from questions.tests.factories import corroborate, make_answer, make_question

Why = Asked.Why


def put(asker, **fields):
    """A question whose colleagues have been asked."""
    question = make_question(asker, put_to_colleagues=True, **fields)
    account_tasks.work_off_fan_outs()
    return question


def asked_of(question):
    return dict(question.asked.values_list("member__handle", "why"))


# The choice


def test_many_votes_bear_out_more_than_few():
    assert wilson(0, 0) == 0
    assert wilson(1, 1) < wilson(10, 10) < wilson(90, 100) < 1


def test_the_best_past_comes_first_and_a_fifth_are_newcomers():
    known = [Candidate(number, corroborated=number) for number in range(1, 101)]
    new = [Candidate(number, is_newcomer=True) for number in range(101, 201)]

    chosen = choose([*known, *new], most=25, newcomers_percent=20, seed="a")

    assert len(chosen) == 25
    assert list(chosen.values()).count(Why.NEWCOMER) == 5
    assert {member for member, why in chosen.items() if why == Why.PAST} == set(range(81, 101))


def test_seats_nobody_with_a_past_takes_are_drawn_by_lot_and_the_same_each_time():
    everyone = [Candidate(number) for number in range(100)]

    one, again, other = (choose(everyone, most=25, newcomers_percent=20, seed=seed) for seed in "aab")

    assert one == again != other
    assert set(one.values()) == {Why.INTEREST}


def test_a_draw_does_not_depend_on_who_else_stands_in_it():
    everyone = [Candidate(number) for number in range(100)]

    with_all = choose(everyone, most=25, newcomers_percent=20, seed="a")
    one_less = choose(everyone[1:], most=25, newcomers_percent=20, seed="a")

    assert len(with_all.keys() - one_less.keys()) <= 1


# Whom


def test_colleagues_of_the_specialty_and_followers_of_a_topic_are_asked(physician, colleague, third):
    peer = make_member("peer_of_his")
    tag_question = make_question(third, tags=["dialysis"])
    following.follow_topic(member=colleague, topic=tag_question.tags.get())

    question = put(physician, tags=["dialysis"])

    assert asked_of(question) == {peer.handle: "newcomer", colleague.handle: "newcomer"}
    assert not Notice.objects.filter(member=physician, kind=Kind.ASKED).exists()


def test_without_the_wish_nobody_is_asked(physician):
    make_member()
    question = make_question(physician)

    account_tasks.work_off_fan_outs()

    assert not question.asked.exists()


def test_who_was_corroborated_on_the_topic_is_asked_for_that(physician, colleague):
    earlier = make_question(physician)
    corroborate(make_answer(earlier, colleague))

    assert asked_of(put(physician))[colleague.handle] == "past"


def test_a_past_under_the_real_name_never_counts_for_the_handle(physician):
    named = make_member(specialty="Nephrology", byline_mode="public", display_name="Amara Okafor, MD")
    corroborate(make_answer(make_question(physician), named))

    assert named.handle not in asked_of(put(physician))


def test_those_of_a_tier_who_never_answered_there_are_newcomers_too(physician):
    MemberRank.objects.update_or_create(member=make_member("well_known"), defaults={"tier": "expert"})

    assert asked_of(put(physician)) == {"well_known": "newcomer"}


def test_those_who_answered_there_without_an_echo_share_the_topic(physician, colleague):
    peer = make_member("peer_of_his")
    MemberRank.objects.update_or_create(member=peer, defaults={"tier": "contributor"})
    make_answer(make_question(physician), peer)

    assert asked_of(put(physician))["peer_of_his"] == "interest"


@pytest.mark.parametrize(
    "reason", ["blocks", "is_blocked", "muted", "off", "read_only", "suspended", "often"]
)
def test_nobody_is_asked_who_should_not_be(physician, reason, settings):
    peer = make_member("peer_of_his")
    if reason == "blocks":
        Block.objects.create(blocker=peer, blocked=physician, blocker_face="handle", blocked_face="handle")
    if reason == "is_blocked":
        Block.objects.create(blocker=physician, blocked=peer, blocker_face="handle", blocked_face="handle")
    if reason == "muted":
        TopicMute.objects.create(member=peer, specialty=physician.specialty)
    if reason == "off":
        NoticeChoice.objects.create(member=peer, kind=Kind.ASKED, way=Way.OFF)
    if reason in ("read_only", "suspended"):
        Member.objects.filter(pk=peer.pk).update(standing=reason)
    if reason == "often":
        settings.ASKED_PER_WEEK = 2
        for _ in range(2):
            put(physician)

    assert asked_of(put(physician)) == {}


def test_after_a_week_one_may_be_asked_again(physician, settings):
    settings.ASKED_PER_WEEK = 1
    make_member("peer_of_his")
    put(physician)
    Asked.objects.update(asked_at=timezone.now() - timedelta(days=8))

    assert asked_of(put(physician))


def test_only_readers_are_asked(physician, colleague):
    following.follow_topic(member=colleague, topic=physician.specialty)

    assert asked_of(put(physician, audience="specialty")) == {}


def test_no_more_are_asked_than_the_setting_says(physician, settings):
    settings.ASK_MOST = 3
    for _ in range(5):
        make_member()

    assert put(physician).asked.count() == 3


# Telling


def test_who_has_room_today_is_reached_now_the_others_later(physician):
    peer, busy = make_member("peer_of_his"), make_member("busy_today")
    NoticeSettings.objects.create(member=busy, budget=0)

    question = put(physician)

    assert dict(question.asked.values_list("member", "reached")) == {peer.pk: True, busy.pk: False}
    reach = asking.reach_of(question.posts.get())
    assert (reach.asked, reach.reached, reach.is_under_way, reach.is_few) == (2, 1, False, True)


def test_nobody_is_told_twice_of_one_question(physician):
    peer = make_member("peer_of_his")
    following.follow_topic(member=peer, topic=physician.specialty)
    following.set_topic_alerts(member=peer, topic=physician.specialty, alerts=True)

    put(physician)

    assert Notice.objects.get(member=peer).kind == Kind.ASKED


def test_a_worker_that_dies_has_asked_nobody_and_another_asks_each_once(physician, monkeypatch):
    make_member("peer_of_his")
    question = make_question(physician, put_to_colleagues=True)
    row = FanOut.objects.get(kind=Kind.ASKED)

    def die(**_):
        raise RuntimeError

    with monkeypatch.context() as patch:
        patch.setattr(notices, "tell_first", die)
        with pytest.raises(RuntimeError):
            notices.tell_next_batch(fan_out_id=row.pk)
    assert not question.asked.exists()

    account_tasks.work_off_fan_outs()
    account_tasks.work_off_fan_outs()

    assert question.asked.count() == Notice.objects.filter(kind=Kind.ASKED).count() == 1


def test_a_question_removed_meanwhile_is_put_to_nobody(physician):
    make_member("peer_of_his")
    question = make_question(physician, put_to_colleagues=True)
    writing.remove_post(post=question.posts.get(), by=physician)

    account_tasks.work_off_fan_outs()

    assert not question.asked.exists()


def test_the_database_asks_nobody_twice(physician, colleague):
    question = make_question(physician)
    Asked.objects.create(question=question, member=colleague, why="past")

    with pytest.raises(IntegrityError):
        Asked.objects.create(question=question, member=colleague, why="interest")


def test_the_notice_says_that_it_was_put_to_one(physician):
    peer = make_member("peer_of_his")
    put(physician)

    page = client_of(peer).get(reverse("accounts:notices")).content.decode()

    assert "asked, and this is put to you" in page


# Pages


def test_the_list_has_what_waits_for_an_answer_of_mine(physician, colleague, django_assert_max_num_queries):
    waiting, answered, solved = (put(physician, title=f"A question of number {n}?") for n in range(3))
    for question in (waiting, answered, solved):
        Asked.objects.create(question=question, member=colleague, why="past")
    make_answer(answered, colleague)
    closing.solve_question(question=solved, by=physician, outcome="It passed by itself.")
    client = client_of(colleague)

    with django_assert_max_num_queries(8):
        page = client.get(reverse("questions:asked")).content.decode()

    assert waiting.title in page
    assert "Colleagues corroborated what you wrote" in page
    assert answered.title not in page
    assert solved.title not in page


def test_what_is_out_of_reach_by_now_is_not_listed(physician, colleague):
    question = make_question(physician)
    Asked.objects.create(question=question, member=colleague, why="past")
    Block.objects.create(blocker=colleague, blocked=physician, blocker_face="handle", blocked_face="handle")

    assert not asking.put_to(colleague.user).exists()


def test_the_list_goes_on_by_key(colleague, physician, monkeypatch):
    monkeypatch.setattr("questions.views.asking.ASKED_PER_PAGE", 2)
    for number in range(3):
        question = make_question(physician, f"A question of number {number}?")
        Asked.objects.create(question=question, member=colleague, why="interest")
    client = client_of(colleague)

    first = client.get(reverse("questions:asked"))
    more = client.get(first.context["more_url"], headers={"HX-Request": "true"}).content.decode()

    assert "number 0" in more
    assert "<html" not in more


def test_the_list_is_for_members(client, applicant_client, moderator):
    address = reverse("questions:asked")

    assert client.get(address).status_code == applicant_client.get(address).status_code == 302
    assert client_of(moderator).get(address).status_code == 200


def test_a_question_put_to_nobody_has_no_reach(physician, colleague):
    quiet = make_question(physician)
    alone = put(physician)

    assert asking.reach_of(quiet.posts.get()) is None
    assert asking.reach_of(alone.posts.get()).asked == 0


def test_of_one_s_connections_no_number_is_told(physician):
    question = put(physician)
    Question.objects.filter(pk=question.pk).update(audience=Question.Audience.CONNECTIONS)
    question.refresh_from_db()

    assert asking.reach_of(question.posts.get()).is_among_connections


@pytest.mark.django_db(transaction=True)
def test_two_questions_at_once_stay_within_the_week_of_a_member(physician, settings):
    settings.ASKED_PER_WEEK = 1
    make_member("peer_of_his")
    rows = []
    for _ in range(2):
        question = make_question(physician, put_to_colleagues=True)
        rows.append(FanOut.objects.get(kind=Kind.ASKED, target=question.posts.get().pk))
    second = Thread(target=in_own_connection, args=[lambda: notices.tell_next_batch(fan_out_id=rows[1].pk)])

    with transaction.atomic():
        notices.tell_next_batch(fan_out_id=rows[0].pk)
        second.start()
        second.join(1)
        assert second.is_alive()
    second.join(20)

    assert Asked.objects.count() == 1


def in_own_connection(work):
    try:
        work()
    finally:
        connection.close()


def test_until_it_is_worked_off_it_is_under_way(physician):
    question = make_question(physician, put_to_colleagues=True)

    assert asking.reach_of(question.posts.get()).is_under_way
