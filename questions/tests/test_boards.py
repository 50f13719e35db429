import time
from concurrent.futures import ThreadPoolExecutor
from datetime import date, timedelta
from threading import Barrier

import pytest
from django.core.management import call_command
from django.db import connection, transaction

from accounts.models import Block, Member
from accounts.services import profiles
from accounts.tests.factories import make_member, make_specialty, make_user
from conftest import client_of
from questions import boards, ranking
from questions.models import Board, BoardPlace, MemberRank, Post, Vote
from questions.ranking.daily import last_months
from questions.tests.factories import copy_of, corroborate, make_answer, make_question
from questions.tests.test_views import words

pytestmark = pytest.mark.usefixtures("nobody_told")

ADDRESS = "/leaderboards/"


def days_ago(number):
    return ranking.midnight() - timedelta(days=number) + timedelta(hours=9)


def earn(member, votes, *, on=None, question=None, active=True):
    """Give a member so many corroborations of different colleagues, cast on one day (yesterday)."""
    question = question or make_question(make_member())
    answer = make_answer(question, member)
    vote = corroborate(answer) if votes else None
    for _ in range(votes - 1):
        copy_of(vote, voter=make_member())
    when = on or days_ago(1)
    Vote.objects.filter(post=answer).update(cast_at=when)
    Post.objects.filter(question=question).update(posted_at=when if active else days_ago(100))
    return answer


def places(board):
    return [(place.place, place.standing, place.member.handle) for place in board.places.order_by("place")]


@pytest.fixture
def crowd(db):
    """Eleven active members who show urology; three of them have points."""
    members = [make_member(specialty="Urology") for _ in range(11)]
    question = make_question(make_member())
    for place, member in enumerate(members):
        earn(member, max(0, 3 - place), question=question)
    return members


# Drawing


def test_the_board_orders_members_by_points(physician, colleague, third):
    for member, votes in ((physician, 1), (colleague, 3), (third, 2)):
        earn(member, votes)

    ranking.recount_ranks()

    board = boards.find()
    assert places(board) == [(1, 1, colleague.handle), (2, 2, third.handle), (3, 3, physician.handle)]
    assert board.size == 3


def test_equal_points_share_a_place_in_the_order_of_handles(physician, colleague, third):
    for member, votes in ((third, 2), (physician, 1), (colleague, 2)):
        earn(member, votes)

    ranking.recount_ranks()

    assert places(boards.find()) == [(1, 1, colleague.handle), (2, 1, third.handle), (3, 3, physician.handle)]


def test_what_happened_today_is_on_tomorrow_s_board(physician, colleague):
    corroborate(make_answer(make_question(physician), colleague))

    ranking.recount_ranks()

    assert MemberRank.objects.get(member=colleague).points == 5
    assert not BoardPlace.objects.exists()


def test_a_month_counts_its_deeds_unfaded(physician, colleague):
    this_month, last_month = last_months(ranking.midnight().date(), 2)
    when = ranking.midnight(last_month) + timedelta(days=14)
    earn(colleague, 2, on=when)

    ranking.recount_ranks()

    assert boards.find(month=last_month).places.get().points == 10
    assert boards.find().places.get().points < 10
    assert not boards.find(month=this_month).places.exists()


def test_a_month_begins_and_ends_at_midnight_utc(physician, colleague, third):
    this_month, last_month, before = last_months(ranking.midnight().date(), 3)
    earn(colleague, 1, on=ranking.midnight(this_month) - timedelta(seconds=1))
    earn(third, 1, on=ranking.midnight(last_month))
    earn(physician, 1, on=ranking.midnight(last_month) - timedelta(seconds=1))

    ranking.recount_ranks(months=3)

    assert {row.member for row in boards.find(month=last_month).places.all()} == {colleague, third}
    assert [row.member for row in boards.find(month=before).places.all()] == [physician]


def test_months_older_than_twelve_lose_their_boards(physician, colleague):
    old = last_months(ranking.midnight().date(), 13)[-1]
    board = Board.objects.create(month=old, size=1, drawn_on=old)
    BoardPlace.objects.create(board=board, place=1, standing=1, member=colleague, points=5)

    ranking.recount_ranks()

    assert not Board.objects.filter(month=old).exists()


def test_recount_draws_all_twelve_months_as_the_nights_did(physician, colleague):
    months = last_months(ranking.midnight().date(), 12)
    for month in months[2:5]:
        earn(colleague, 1, on=ranking.midnight(month) + timedelta(days=3))

    call_command("recount")

    assert {board.month for board in Board.objects.filter(specialty=None)} == {None, *months}
    assert BoardPlace.objects.filter(board__month__in=months[2:5], points=5).count() == 3


@pytest.mark.django_db(transaction=True)
def test_two_draws_at_once_wait_for_each_other(physician, colleague):
    earn(physician, 1)
    earn(colleague, 2)
    barrier = Barrier(2)

    def draw(_):
        barrier.wait()
        try:
            with transaction.atomic():
                done = ranking.recount_ranks()
                time.sleep(0.3)  # so that the other one comes in between
            return done
        finally:
            connection.close()

    with ThreadPoolExecutor(2) as pool:
        drawn = list(pool.map(draw, range(2)))

    assert [done.places for done in drawn] == [drawn[0].places] * 2
    assert places(boards.find()) == [(1, 1, colleague.handle), (2, 2, physician.handle)]


def test_drawing_again_changes_nothing(crowd):
    ranking.recount_ranks()
    before = sorted(BoardPlace.objects.values_list("board", "place", "standing", "member", "points"))

    ranking.recount_ranks()

    after = sorted(BoardPlace.objects.values_list("board", "place", "standing", "member", "points"))
    assert before == after
    assert before


@pytest.mark.parametrize(
    "change",
    [{"standing": "suspended"}, {"standing": "read_only"}, {"user": None}],
    ids=["suspended", "read only", "gone"],
)
def test_only_members_in_good_standing_are_drawn(physician, colleague, change):
    earn(colleague, 1)
    Member.objects.filter(pk=colleague.pk).update(**change)

    ranking.recount_ranks()

    assert not BoardPlace.objects.exists()


def test_posts_under_a_name_lift_nobody_on_a_board(physician, colleague):
    profiles.choose_byline(member=colleague, mode="public", display_name="Amara Okafor, MD")
    colleague.refresh_from_db()
    earn(colleague, 3)

    ranking.recount_ranks()

    assert not BoardPlace.objects.exists()


# Specialties


def test_a_specialty_has_a_board_from_eleven_active_members_on(crowd):
    ranking.recount_ranks()
    urology = make_specialty("Urology")
    assert [row.member for row in boards.find(specialty=urology).places.order_by("place")] == crowd[:3]

    Post.objects.filter(author=crowd[-1]).update(posted_at=days_ago(100))
    ranking.recount_ranks()

    assert boards.find(specialty=urology) is None
    assert boards.find().size == 3


def test_a_specialty_board_goes_by_what_handles_show(crowd):
    fine = make_specialty("Pediatric Urology", group="Urology")
    Member.objects.filter(pk__in=[member.pk for member in crowd]).update(specialty=fine)
    Member.objects.filter(pk=crowd[0].pk).update(face={"specialty": "Urology"})

    ranking.recount_ranks()

    assert boards.find(specialty=fine) is None
    assert boards.find(specialty=make_specialty("Urology")).size == 3


def test_a_shown_specialty_has_its_own_board(crowd):
    fine = make_specialty("Pediatric Urology", group="Urology")
    Member.objects.filter(pk__in=[member.pk for member in crowd]).update(
        specialty=fine, face={"specialty": fine.name}
    )

    ranking.recount_ranks()

    assert boards.find(specialty=fine).size == 3
    assert boards.find(specialty=make_specialty("Urology")) is None


def test_a_place_is_gone_once_the_handle_shows_another_specialty(crowd, physician_client):
    ranking.recount_ranks()
    Member.objects.filter(pk=crowd[0].pk).update(face={"specialty": "Something Coarser"})

    page = words(physician_client.get(f"{ADDRESS}?specialty=urology"))

    assert crowd[0].handle not in page
    assert crowd[1].handle in page


# Reading


def test_the_board_shows_handles_in_order_and_one_s_own_place(physician, colleague, third, colleague_client):
    for member, votes in ((physician, 1), (colleague, 2), (third, 3)):
        earn(member, votes)
    ranking.recount_ranks()

    page = words(colleague_client.get(ADDRESS))

    assert "You are 2nd of 3, as of 00:00 UTC." in page
    assert page.index(third.handle) < page.index("nephron_loop (you)") < page.index(physician.handle)


def test_a_member_who_signs_publicly_appears_by_handle_alone(physician, colleague, colleague_client):
    earn(physician, 2)
    profiles.choose_byline(member=physician, mode="public", display_name="Amara Okafor, MD")
    ranking.recount_ranks()

    page = colleague_client.get(ADDRESS).content.decode()

    assert physician.handle in page
    assert "Okafor" not in page
    assert physician.physician_key not in page
    assert "/physicians/" not in page


def test_a_month_and_a_specialty_can_be_combined(crowd, physician, physician_client):
    month = ranking.midnight(days_ago(1).date()).date().replace(day=1)
    earn(physician, 9)
    ranking.recount_ranks()

    page = words(physician_client.get(f"{ADDRESS}?specialty=urology&month={month:%Y-%m}"))

    assert crowd[0].handle in page
    assert "You have no place on this board." in page
    assert f"Urology, {month:%B %Y}" in page


@pytest.mark.parametrize("query", ["month=2020-01", "month=soon", "month=2999-01", "specialty=alchemy"])
def test_what_is_no_board_is_no_page(physician_client, query):
    assert physician_client.get(f"{ADDRESS}?{query}").status_code == 404


def test_a_specialty_that_few_show_says_so(physician_client):
    make_specialty("Phlebology")

    page = words(physician_client.get(f"{ADDRESS}?specialty=phlebology"))

    assert "No board for Phlebology" in page
    assert "11 active members" in page


def test_before_the_first_draw_the_page_says_when_it_comes(physician_client):
    assert "Boards are drawn once a day, at 00:00 UTC." in words(physician_client.get(ADDRESS))


def test_a_month_without_points_says_so(physician_client):
    ranking.recount_ranks()

    assert "Nobody has points here yet" in words(physician_client.get(ADDRESS))


def test_members_suspended_since_the_draw_are_left_out(physician, colleague, physician_client):
    earn(colleague, 1)
    ranking.recount_ranks()
    Member.objects.filter(pk=colleague.pk).update(standing="suspended")

    assert colleague.handle not in words(physician_client.get(ADDRESS))


@pytest.mark.parametrize("blocker_is_reader", [True, False])
def test_a_block_hides_places_from_each_other(physician, colleague, third, blocker_is_reader):
    earn(colleague, 1)
    ranking.recount_ranks()
    one, other = (physician, colleague) if blocker_is_reader else (colleague, physician)
    Block.objects.create(blocker=one, blocker_face="handle", blocked=other, blocked_face="handle")

    assert colleague.handle not in words(client_of(physician).get(ADDRESS))
    assert colleague.handle in words(client_of(third).get(ADDRESS))


def test_a_block_of_a_name_hides_no_place_of_the_handle(physician, colleague):
    earn(colleague, 1)
    ranking.recount_ranks()
    Block.objects.create(blocker=physician, blocker_face="handle", blocked=colleague, blocked_face="name")

    assert colleague.handle in words(client_of(physician).get(ADDRESS))


def test_pages_follow_each_other_without_a_gap(physician, physician_client, settings):
    settings.PLACES_PER_PAGE = 2
    question = make_question(physician)
    members = [make_member() for _ in range(5)]
    for place, member in enumerate(members):
        earn(member, 5 - place, question=question)
    ranking.recount_ranks()

    address, seen = ADDRESS, []
    while address:
        context = physician_client.get(address).context
        seen += [row.member for row in context["page"]]
        address = context["more_url"]

    assert seen == members


def test_moderators_without_a_membership_may_look(moderator, physician, colleague):
    earn(colleague, 1)
    ranking.recount_ranks()
    staff = make_user(is_staff=True)
    staff.groups.set(moderator.user.groups.all())
    staff_client = client_of(staff)
    from allauth.mfa.models import Authenticator

    Authenticator.objects.create(user=staff, type=Authenticator.Type.TOTP, data={})

    page = words(staff_client.get(ADDRESS))

    assert colleague.handle in page
    assert "Hide my place" not in page


def test_visitors_and_applicants_see_no_board(client, applicant_client):
    assert client.get(ADDRESS).url.startswith("/accounts/login/")
    assert applicant_client.get(ADDRESS).status_code == 302


def test_the_page_costs_the_same_at_any_length(physician, physician_client, django_assert_max_num_queries):
    question = make_question(make_member())
    for _ in range(12):
        earn(make_member(), 1, question=question)
    earn(physician, 1)
    ranking.recount_ranks()
    physician_client.get(ADDRESS)

    with django_assert_max_num_queries(8):
        physician_client.get(ADDRESS)


# Hiding


def test_hiding_takes_effect_at_once_and_in_the_next_draw(colleague, physician_client, colleague_client):
    earn(colleague, 1)
    ranking.recount_ranks()

    answer = colleague_client.post("/leaderboards/hide/", {"hides": "1"})

    assert answer.url == ADDRESS
    assert not BoardPlace.objects.exists()
    assert colleague.handle not in words(physician_client.get(ADDRESS))
    assert "Your place is hidden on every board." in words(colleague_client.get(ADDRESS))
    ranking.recount_ranks()
    assert not BoardPlace.objects.exists()
    assert MemberRank.objects.get(member=colleague).points > 0


def test_a_place_drawn_while_its_member_hid_is_not_shown(colleague, physician_client):
    earn(colleague, 1)
    ranking.recount_ranks()
    MemberRank.objects.filter(member=colleague).update(hides_place=True)

    assert colleague.handle not in words(physician_client.get(ADDRESS))


def test_showing_again_comes_with_the_next_draw(colleague, colleague_client):
    earn(colleague, 1)
    colleague_client.post("/leaderboards/hide/", {"hides": "1"})
    colleague_client.post("/leaderboards/hide/?specialty=nephrology", {"hides": "0"})
    assert not BoardPlace.objects.exists()

    ranking.recount_ranks()

    assert BoardPlace.objects.get(board=boards.find()).member == colleague


def test_hiding_keeps_the_board_one_was_looking_at(physician_client):
    answer = physician_client.post("/leaderboards/hide/?month=2026-11", {"hides": "1"})

    assert answer.url == f"{ADDRESS}?month=2026-11"


def test_hiding_is_asked_by_post(physician_client):
    assert physician_client.get("/leaderboards/hide/").status_code == 405


def test_the_hidden_keep_their_tier(colleague):
    boards.choose_hiding(member=colleague, hides=True)
    earn(colleague, 12)

    ranking.recount_ranks()

    rank = MemberRank.objects.get(member=colleague)
    assert (rank.hides_place, rank.tier) == (True, "trusted")


def test_last_months_cross_the_year():
    assert last_months(date(2027, 2, 14), 4) == [
        date(2027, 2, 1),
        date(2027, 1, 1),
        date(2026, 12, 1),
        date(2026, 11, 1),
    ]
