from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Group, Permission
from django.db import IntegrityError

from accounts.models import Member
from accounts.roles import MODERATORS
from accounts.services import profiles
from accounts.tests.factories import make_member
from conftest import client_of
from questions import pairs, ranking
from questions.models import MemberRank, PairFlag, Post
from questions.services import voting
from questions.tests.factories import copy_of, corroborate, make_answer, make_question

LIST = "/admin/questions/pairflag/"
Verdict = PairFlag.Verdict


def days_ago(number):
    return ranking.midnight() - timedelta(days=number) + timedelta(hours=9)


def give(voter, author, votes, *, days=3):
    """Let one member corroborate so many answers of another, some days ago."""
    answer = make_answer(make_question(make_member()), author)
    vote = corroborate(answer, voter)
    vote.cast_at = days_ago(days)
    vote.save()
    for _ in range(votes - 1):
        question = copy_of(answer.question)
        byline = copy_of(answer.byline, question=question)
        copy_of(vote, post=copy_of(answer, question=question, byline=byline))
    ranking.recompute_points(author.pk)


def points(member):
    return MemberRank.objects.get(member=member).points


@pytest.fixture
def pair(physician, colleague):
    """Five votes each way, flagged."""
    give(physician, colleague, 5)
    give(colleague, physician, 5)
    pairs.flag_pairs()
    return PairFlag.objects.get()


@pytest.fixture
def moderating(moderator):
    moderator.user.is_staff = True
    moderator.user.save()
    return moderator


# Finding


def test_two_who_lift_each_other_are_flagged(pair, physician, colleague):
    assert (pair.low, pair.high) == (physician, colleague)
    assert (pair.votes_up, pair.votes_down, pair.verdict) == (5, 5, "open")
    assert pair.flagged_at == ranking.midnight() - timedelta(days=2)  # the first midnight that shows it


@pytest.mark.parametrize(("up", "down"), [(5, 4), (4, 5), (9, 0)])
def test_fewer_votes_than_five_either_way_are_no_pair(physician, colleague, up, down):
    give(physician, colleague, up)
    give(colleague, physician, down)

    assert pairs.flag_pairs() == 0


def test_those_who_give_to_many_others_are_no_pair(physician, colleague, third):
    give(physician, colleague, 5)
    give(colleague, physician, 5)
    give(physician, third, 6)

    assert pairs.flag_pairs() == 0


def test_exactly_half_is_enough(physician, colleague, third):
    give(physician, colleague, 5)
    give(colleague, physician, 5)
    give(physician, third, 5)

    assert pairs.flag_pairs() == 1


def test_votes_spread_over_more_than_thirty_days_are_no_pair(physician, colleague):
    give(physician, colleague, 3, days=33)
    give(physician, colleague, 2, days=2)
    give(colleague, physician, 5)

    assert pairs.flag_pairs() == 0


def test_votes_of_today_wait_for_the_night(physician, colleague):
    give(physician, colleague, 5, days=0)
    give(colleague, physician, 5, days=0)

    assert pairs.flag_pairs() == 0


def test_votes_on_named_posts_make_no_pair(physician, colleague):
    profiles.choose_byline(member=colleague, mode="public", display_name="Amara Okafor, MD")
    colleague.refresh_from_db()
    give(physician, colleague, 5)
    give(colleague, physician, 5)

    assert pairs.flag_pairs() == 0


def test_flagging_twice_flags_once_and_keeps_the_verdict(pair, moderating):
    pairs.decide(flag=pair, by=moderating.user, verdict=Verdict.INNOCENT)

    assert pairs.flag_pairs() == 0
    assert pairs.flag_all_pairs() == 0
    assert PairFlag.objects.get().verdict == Verdict.INNOCENT


def test_old_pairs_are_found_by_recount(physician, colleague):
    give(physician, colleague, 5, days=200)
    give(colleague, physician, 5, days=200)
    assert pairs.flag_pairs() == 0

    assert pairs.flag_all_pairs() == 1
    assert PairFlag.objects.get().flagged_at == ranking.midnight() - timedelta(days=199)


def test_a_flag_alone_takes_no_points(pair, physician):
    ranking.recompute_points(physician.pk)

    assert ranking.unscored_of(physician) == []
    assert points(physician) > 0


def test_a_pair_is_kept_once_and_in_order(physician, colleague):
    with pytest.raises(IntegrityError):
        PairFlag.objects.create(low=colleague, high=physician, votes_up=5, votes_down=5)


# Deciding


def test_discounting_takes_the_votes_between_the_two_and_no_others(
    pair, physician, colleague, third, moderating
):
    give(third, colleague, 1, days=0)
    before = points(colleague)

    decided = pairs.decide(flag=pair, by=moderating.user, verdict=Verdict.DISCOUNTED)

    assert before > 5
    assert (points(physician), points(colleague)) == (0, 5)
    assert (decided.decided_by, decided.verdict) == (moderating, "discounted")


def test_a_discount_can_be_undone(pair, physician, moderating):
    before = points(physician)
    pairs.decide(flag=pair, by=moderating.user, verdict=Verdict.DISCOUNTED)

    pairs.decide(flag=pair, by=moderating.user, verdict=Verdict.INNOCENT)

    assert points(physician) == before


def test_recount_keeps_a_discount(pair, physician, colleague, moderating):
    pairs.decide(flag=pair, by=moderating.user, verdict=Verdict.DISCOUNTED)

    ranking.recount_ranks()

    assert (points(physician), points(colleague)) == (0, 0)


def test_a_discounted_mark_uses_up_none_of_the_twenty_a_day(physician, colleague):
    from questions.tests.factories import make_comment

    low, high = sorted((physician, colleague), key=lambda member: member.pk)
    PairFlag.objects.create(
        low=low, high=high, votes_up=5, votes_down=5, verdict="discounted", decided_at=days_ago(1)
    )
    comment = make_comment(make_answer(make_question(make_member())), colleague)
    corroborate(comment, physician)
    for _ in range(20):
        corroborate(comment)

    assert points(colleague) == 20


def test_new_votes_of_a_discounted_pair_count_nothing(pair, physician, colleague, moderating):
    pairs.decide(flag=pair, by=moderating.user, verdict=Verdict.DISCOUNTED)

    corroborate(make_answer(make_question(make_member()), colleague), physician)

    assert points(colleague) == 0


def test_nobody_decides_on_a_pair_of_their_own(pair, physician):
    physician.user.groups.add(Group.objects.get(name=MODERATORS))

    with pytest.raises(pairs.OwnPair):
        pairs.decide(flag=pair, by=physician.user, verdict=Verdict.INNOCENT)


def test_only_moderators_in_good_standing_decide(pair, third, moderating):
    with pytest.raises(pairs.NotForYou):
        pairs.decide(flag=pair, by=third.user, verdict=Verdict.DISCOUNTED)
    Member.objects.filter(pk=moderating.pk).update(standing="suspended")
    moderating.user.member.refresh_from_db()
    with pytest.raises(pairs.NotForYou):
        pairs.decide(flag=pair, by=moderating.user, verdict=Verdict.DISCOUNTED)


def test_a_pair_is_not_put_back_to_open(pair, moderating):
    with pytest.raises(ValueError, match="innocent or discounted"):
        pairs.decide(flag=pair, by=moderating.user, verdict=Verdict.OPEN)


# The desk


def test_moderators_may_see_and_decide_after_every_migration(db):
    group = Group.objects.get(name=MODERATORS)

    assert set(
        Permission.objects.filter(group=group, content_type__model="pairflag").values_list(
            "codename", flat=True
        )
    ) == {
        "view_pairflag",
        "change_pairflag",
    }


def test_the_desk_lists_handles_and_counts(pair, moderating, physician, colleague):
    page = client_of(moderating).get(LIST).content.decode()

    assert physician.handle in page
    assert colleague.handle in page
    assert physician.user.email not in page
    assert "questions/pairflag/add/" not in page


@pytest.mark.parametrize(("action", "verdict"), [("discount", "discounted"), ("nothing_to_it", "innocent")])
def test_actions_decide(pair, moderating, action, verdict):
    client_of(moderating).post(LIST, {"action": action, "_selected_action": [pair.pk]})

    pair.refresh_from_db()
    assert (pair.verdict, pair.decided_by) == (verdict, moderating)


def test_who_is_part_of_a_pair_does_not_see_it(pair, physician):
    physician.user.groups.add(Group.objects.get(name=MODERATORS))
    physician.user.is_staff = True
    physician.user.save()
    Authenticator.objects.create(user=physician.user, type=Authenticator.Type.TOTP, data={})
    client = client_of(physician)

    page = client.get(LIST)
    client.post(LIST, {"action": "nothing_to_it", "_selected_action": [pair.pk]})

    assert page.status_code == 200
    assert "nephron_loop" not in page.content.decode()
    assert PairFlag.objects.get().verdict == "open"


def test_nothing_is_added_changed_or_deleted_by_hand(pair, moderating):
    client = client_of(moderating)

    assert client.get(f"{LIST}add/").status_code == 403
    assert client.get(f"{LIST}{pair.pk}/delete/").status_code == 403
    assert client.post(f"{LIST}{pair.pk}/change/", {"verdict": "innocent"}).status_code == 403
    assert "delete_selected" not in client.get(LIST).content.decode()


def test_staff_who_do_not_moderate_stay_out(pair, staff):
    Authenticator.objects.create(user=staff, type=Authenticator.Type.TOTP, data={})

    assert client_of(staff).get(LIST).status_code == 403


def test_a_vote_on_a_removed_post_makes_no_pair(physician, colleague):
    give(physician, colleague, 5)
    give(colleague, physician, 5)
    Post.objects.filter(author=colleague, kind="answer").update(
        removed_at=ranking.midnight(), removed_by="author"
    )

    assert pairs.flag_pairs() == 0


def test_a_withdrawn_vote_is_not_counted(physician, colleague):
    give(physician, colleague, 5)
    give(colleague, physician, 5)
    voting.withdraw_vote(post=Post.objects.filter(author=colleague, kind="answer").first(), voter=physician)

    assert pairs.flag_pairs() == 0
