"""Connections, blocks and follows, and which pages they open and close."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
import time_machine
from allauth.mfa.models import Authenticator
from django.db import IntegrityError, connection, transaction
from django.utils import timezone

from accounts.models import Block, Connection, Face, Follow, Member, Notice
from accounts.services import ties
from accounts.tests.factories import make_member
from conftest import client_of
from sermo.errors import RuleBroken

State = Connection.State
NOON = datetime(2026, 11, 2, 17, tzinfo=UTC)


def connect(one, other):
    return ties.accept(connection=ties.request_connection(requester=one, addressee=other), by=other)


def ask(one, other):
    return ties.request_connection(requester=one, addressee=other)


def seen(client, address):
    """A page without what is drawn anew for each request: CSRF tokens, nonces, the id of the request."""
    page = client.get(address)
    text = re.sub(r"\b[A-Za-z0-9]{64}\b", "", page.content.decode())
    return page.status_code, re.sub(r'nonce="[^"]+"', "", text)


def words(client, address):
    """What a page says, without its tags."""
    return " ".join(re.sub(r"<[^>]+>", " ", client.get(address).content.decode()).split())


@pytest.fixture
def named(db):
    """A member whose posts are signed with the real name."""
    return make_member("open_book", byline_mode="public", display_name="Anna Vale, MD")


# Asking


def test_who_is_asked_hears_of_it_and_accepts(physician, colleague):
    asked = ask(physician, colleague)
    assert Notice.objects.get().member == colleague

    ties.accept(connection=asked, by=colleague)

    assert ties.are_connected(physician, colleague)
    assert ties.are_connected(colleague, physician)
    assert list(ties.connected_ids(physician)) == [colleague.pk]
    assert set(Notice.objects.values_list("member", flat=True)) == {colleague.pk, physician.pk}


def test_two_who_ask_each_other_are_connected(physician, colleague):
    ask(physician, colleague)

    assert ask(colleague, physician).state == State.ACCEPTED
    assert Connection.objects.count() == 1


def test_asking_again_after_connecting_changes_nothing(physician, colleague):
    made = connect(physician, colleague)

    assert ask(colleague, physician).pk == made.pk
    assert Connection.objects.get().state == State.ACCEPTED


def test_nobody_asks_themselves_and_the_lapsed_ask_nobody(physician, colleague):
    with pytest.raises(ties.NotOneself):
        ask(physician, physician)
    with pytest.raises(ties.ReadOnly):
        ask(make_member(standing="read_only"), colleague)


@pytest.mark.parametrize("standing", ["applicant", "suspended"])
def test_only_verified_physicians_are_asked(physician, standing):
    with pytest.raises(ties.NoSuchMember):
        ask(physician, make_member(standing=standing))


def test_a_lapsed_license_cannot_be_told_by_asking(physician, colleague):
    """Boards publish lapses by name: a handle that refuses requests from that day on would be known."""
    lapsed = make_member(standing="read_only")

    assert ask(physician, lapsed).state == ask(physician, colleague).state == State.REQUESTED
    with pytest.raises(ties.ReadOnly):
        ties.accept(connection=Connection.objects.get(addressee=lapsed), by=lapsed)


def test_only_the_one_asked_answers_and_only_the_one_who_asked_withdraws(physician, colleague, third):
    asked = ask(physician, colleague)

    for by in (physician, third):
        with pytest.raises(ties.NotWaiting):
            ties.accept(connection=asked, by=by)
        with pytest.raises(ties.NotWaiting):
            ties.refuse(connection=asked, by=by)
    with pytest.raises(ties.NotWaiting):
        ties.withdraw(connection=asked, by=colleague)
    with pytest.raises(ties.NotConnected):
        ties.end(connection=asked, by=physician)


def test_either_ends_a_connection_and_twice_is_as_good_as_once(physician, colleague, third):
    made = connect(physician, colleague)
    with pytest.raises(ties.NotConnected):
        ties.end(connection=made, by=third)

    ties.end(connection=made, by=colleague)
    ties.end(connection=made, by=physician)

    assert not ties.are_connected(physician, colleague)


# The silence of a refusal


def pages_of_requester(requester, addressee):
    client = client_of(requester)
    lists = ["/connections/", "/connections/?show=sent", "/connections/?show=received"]
    addresses = [*lists, "/notifications/", "/topics/?show=members"]
    return [seen(client, address) for address in [*addresses, addressee.get_absolute_url(), "/"]]


@pytest.mark.parametrize("days", [0, 40, 89, 91, 200])
def test_a_refused_request_looks_like_one_that_waits(physician, colleague, days):
    with time_machine.travel(NOON, tick=False):
        asked = ask(physician, colleague)
    with time_machine.travel(NOON + timedelta(days=days), tick=False):
        waiting = pages_of_requester(physician, colleague)
        Connection.objects.filter(pk=asked.pk).update(
            state=State.REFUSED, answered_at=NOON + timedelta(minutes=1)
        )

        assert pages_of_requester(physician, colleague) == waiting
        assert all(status == 200 for status, _ in waiting)


def test_a_refusal_is_not_told(physician, colleague):
    asked = ask(physician, colleague)
    ties.refuse(connection=asked, by=colleague)

    assert not Notice.objects.filter(member=physician).exists()


@pytest.mark.parametrize("fate", ["waiting", "refused", "withdrawn", "ended"])
def test_asking_again_too_soon_meets_the_same_words_whatever_became_of_it(physician, colleague, fate):
    with time_machine.travel(NOON, tick=False):
        asked = ask(physician, colleague)
        if fate == "refused":
            ties.refuse(connection=asked, by=colleague)
        if fate == "withdrawn":
            ties.withdraw(connection=asked, by=physician)
        if fate == "ended":
            ties.accept(connection=asked, by=colleague)
            ties.end(connection=asked, by=colleague)
    with (
        time_machine.travel(NOON + timedelta(days=89, hours=23), tick=False),
        pytest.raises(ties.AskedLately) as refusal,
    ):
        ask(physician, colleague)

    words = "You asked nephron_loop on Nov 2, 2026. You can ask again from Jan 31, 2027."
    assert str(refusal.value) == words


@pytest.mark.parametrize("fate", ["waiting", "refused", "withdrawn"])
def test_after_ninety_days_one_may_ask_again_whatever_became_of_it(physician, colleague, fate):
    with time_machine.travel(NOON, tick=False):
        asked = ask(physician, colleague)
        if fate == "refused":
            ties.refuse(connection=asked, by=colleague)
        if fate == "withdrawn":
            ties.withdraw(connection=asked, by=physician)

    with time_machine.travel(NOON + timedelta(days=90), tick=False):
        again = ask(physician, colleague)

        assert (again.pk, again.state, again.requested_at) == (asked.pk, State.REQUESTED, timezone.now())


def test_after_ninety_days_nobody_answers_the_old_request(physician, colleague):
    with time_machine.travel(NOON, tick=False):
        asked = ask(physician, colleague)

    with time_machine.travel(NOON + timedelta(days=90), tick=False), pytest.raises(ties.NotWaiting):
        ties.accept(connection=asked, by=colleague)


@pytest.mark.parametrize("refused", [False, True])
def test_who_asks_back_is_connected_also_after_refusing(physician, colleague, refused):
    """To the one who asked the request still stands, so asking back must do the same in both cases."""
    asked = ask(physician, colleague)
    if refused:
        ties.refuse(connection=asked, by=colleague)

    assert ask(colleague, physician).state == State.ACCEPTED


@pytest.mark.parametrize("refused", [False, True])
def test_a_refused_request_is_withdrawn_like_one_that_waits(physician, colleague, refused):
    asked = ask(physician, colleague)
    if refused:
        ties.refuse(connection=asked, by=colleague)

    page = client_of(physician).post(f"/connections/{asked.pk}/", {"answer": "withdraw"}, follow=True)

    assert "Withdrawn." in page.content.decode()
    assert Connection.objects.get().state == State.WITHDRAWN


def test_being_asked_in_between_does_not_reset_ones_own_ninety_days(physician, colleague):
    with time_machine.travel(NOON, tick=False):
        ties.withdraw(connection=ask(physician, colleague), by=physician)
    with time_machine.travel(NOON + timedelta(days=2), tick=False):
        ties.withdraw(connection=ask(colleague, physician), by=colleague)
    with time_machine.travel(NOON + timedelta(days=3), tick=False), pytest.raises(ties.AskedLately):
        ask(physician, colleague)

    with time_machine.travel(NOON + timedelta(days=90), tick=False):
        assert ask(physician, colleague).requester_id == physician.pk


@pytest.mark.parametrize("answer", [ties.accept, ties.refuse])
def test_an_answered_request_is_not_unread_any_more(physician, colleague, answer):
    asked = ask(physician, colleague)

    answer(connection=asked, by=colleague)

    assert Notice.objects.get(member=colleague).read_at
    assert not colleague.notice_threads.filter(unread__gt=0).exists()


def test_two_who_ask_each_other_leave_no_request_unread(physician, colleague):
    ask(physician, colleague)

    ask(colleague, physician)

    assert Notice.objects.get(member=colleague).read_at


@pytest.mark.parametrize(
    ("act", "refusal"),
    [
        (lambda row, one, other: ties.accept(connection=row, by=other), ties.NotWaiting),
        (lambda row, one, other: ties.refuse(connection=row, by=other), ties.NotWaiting),
        (lambda row, one, other: ties.withdraw(connection=row, by=one), ties.NotWaiting),
        (lambda row, one, other: ties.end(connection=row, by=one), ties.NotConnected),
        (lambda row, one, other: ties.unreveal(connection=row, member=one), ties.NotConnected),
        (lambda row, one, other: ties.reveal(connection=row, member=one, names={}), ties.NotConnected),
    ],
)
def test_a_connection_whose_other_side_has_just_left_is_no_more(physician, colleague, act, refusal):
    asked = ask(physician, colleague)
    Connection.objects.all().delete()

    with pytest.raises(refusal):
        act(asked, physician, colleague)


def test_who_has_just_left_follows_nobody(physician, colleague):
    Member.objects.filter(pk=physician.pk).update(user=None)

    with pytest.raises(ties.NoSuchMember):
        ties.follow(follower=physician, followed=colleague)


# Blocks and pages


def may_open(reader, address):
    return client_of(reader).get(address).status_code == 200


def test_a_block_between_handles_closes_both_pages_and_ends_all_ties(physician, colleague):
    connect(physician, colleague)
    ties.follow(follower=physician, followed=colleague)
    ties.follow(follower=colleague, followed=physician)

    ties.block(blocker=physician, blocked=colleague, blocked_face=Face.HANDLE)
    ties.block(blocker=physician, blocked=colleague, blocked_face=Face.HANDLE)

    assert not may_open(physician, colleague.get_absolute_url())
    assert not may_open(colleague, physician.get_absolute_url())
    assert not ties.are_connected(physician, colleague)
    assert not Follow.objects.exists()
    assert Block.objects.count() == 1


def test_a_block_of_a_handle_never_touches_the_page_of_the_name(physician, named):
    ties.block(blocker=physician, blocked=named, blocked_face=Face.HANDLE)

    assert may_open(physician, named.physician_url)
    assert not may_open(physician, named.get_absolute_url())
    assert may_open(named, named.get_absolute_url())
    assert may_open(named, named.physician_url)


def test_a_block_of_a_name_touches_neither_the_handle_nor_its_ties(physician, named):
    connect(physician, named)
    ties.follow(follower=physician, followed=named)

    ties.block(blocker=physician, blocked=named, blocked_face=Face.NAME)

    assert not may_open(physician, named.physician_url)
    assert may_open(physician, named.get_absolute_url())
    assert not may_open(named, physician.get_absolute_url())
    assert ties.are_connected(physician, named)
    assert Follow.objects.count() == 1


def test_a_blocker_hides_one_face_and_keeps_the_other_open(physician, named):
    ties.block(blocker=named, blocked=physician, blocked_face=Face.HANDLE, blocker_face=Face.NAME)

    assert not may_open(physician, named.physician_url)
    assert may_open(physician, named.get_absolute_url())
    assert not may_open(named, physician.get_absolute_url())


def test_a_name_is_hidden_only_by_those_who_show_one(physician, colleague):
    with pytest.raises(ties.NoNamePage):
        ties.block(blocker=physician, blocked=colleague, blocked_face=Face.HANDLE, blocker_face=Face.NAME)
    with pytest.raises(ties.NotOneself):
        ties.block(blocker=physician, blocked=physician, blocked_face=Face.HANDLE)


def test_an_unblocked_page_opens_again_and_the_connection_stays_ended(physician, colleague):
    connect(physician, colleague)
    made = ties.block(blocker=physician, blocked=colleague, blocked_face=Face.HANDLE)

    ties.unblock(block=made, by=colleague)
    assert Block.objects.exists()
    ties.unblock(block=made, by=physician)

    assert may_open(physician, colleague.get_absolute_url())
    assert may_open(colleague, physician.get_absolute_url())
    assert not ties.are_connected(physician, colleague)


def test_a_blocked_member_finds_nobody_to_ask_or_follow(physician, colleague, colleague_client):
    ties.block(blocker=physician, blocked=colleague, blocked_face=Face.HANDLE)

    for act in (
        lambda: ask(colleague, physician),
        lambda: ties.follow(follower=colleague, followed=physician),
        lambda: ask(physician, colleague),
    ):
        with pytest.raises(ties.NoSuchMember):
            act()
    for verb in ("connect", "follow", "block"):
        hidden = colleague_client.post(f"/members/{physician.handle}/{verb}/")
        unknown = colleague_client.post(f"/members/nobody_at_all/{verb}/")
        assert hidden.status_code == unknown.status_code == 404


def of_name_by_handle(handle, named):
    ties.block(blocker=handle, blocked=named, blocked_face=Face.NAME)


def of_handle_by_name(handle, named):
    ties.block(blocker=named, blocked=handle, blocked_face=Face.HANDLE, blocker_face=Face.NAME)


@pytest.mark.parametrize("block", [of_name_by_handle, of_handle_by_name])
@pytest.mark.parametrize("one_person", [True, False])
def test_requests_pass_between_handles_whatever_name_is_blocked(physician, named, block, one_person):
    """Would a request stay without an echo once the name is blocked, the name could be sieved out of the handles."""
    handle = named if one_person else make_member("second_book")
    block(physician, named)

    asked = ask(physician, handle)

    assert Notice.objects.get().member == handle
    assert "left_atrium asks to connect" in words(client_of(handle), "/notifications/")
    assert "left_atrium" in seen(client_of(handle), "/connections/?show=received")[1]
    ties.accept(connection=asked, by=handle)
    assert f"{handle.handle} accepted your request" in words(client_of(physician), "/notifications/")


@pytest.mark.parametrize("block", [of_name_by_handle, of_handle_by_name])
def test_a_handle_may_ask_and_follow_whatever_name_is_blocked(physician, named, block):
    block(physician, named)

    assert ask(named, physician).state == State.REQUESTED
    assert ties.follow(follower=named, followed=physician)
    assert list(Connection.objects.received_by(physician)) == [Connection.objects.get()]


def test_moderators_see_past_blocks_and_staff_without_membership_see_nobody(physician, moderator, staff):
    ties.block(blocker=physician, blocked=moderator, blocked_face=Face.HANDLE)
    Authenticator.objects.create(user=staff, type=Authenticator.Type.TOTP, data={})

    assert may_open(moderator, physician.get_absolute_url())
    assert client_of(staff).get(physician.get_absolute_url()).status_code == 403
    assert not Member.objects.visible_to(staff).exists()


def test_the_gate_shows_verified_members_to_verified_members(physician, applicant, named, client):
    lapsed, suspended = make_member(standing="read_only"), make_member(standing="suspended")
    gone = make_member()
    Member.objects.filter(pk=gone.pk).update(user=None)

    assert set(Member.objects.visible_to(physician.user)) == {physician, lapsed, named}
    assert set(Member.objects.visible_to(lapsed.user)) == {physician, lapsed, named}
    assert set(Member.objects.visible_to(physician.user, face=Face.NAME)) == {named}
    for nobody in (applicant.user, suspended.user):
        assert not Member.objects.visible_to(nobody).exists()


@pytest.mark.parametrize("blocked_face", Face.values)
@pytest.mark.parametrize("blocker_face", Face.values)
def test_a_block_hides_just_the_two_faces_it_names(named, blocker_face, blocked_face):
    other = make_member("second_book", byline_mode="public", display_name="Bo Reed, MD")
    ties.block(blocker=named, blocked=other, blocked_face=blocked_face, blocker_face=blocker_face)

    for face in Face.values:
        hidden = face == blocked_face
        assert (other in Member.objects.visible_to(named.user, face=face)) is not hidden
        hidden = face == blocker_face
        assert (named in Member.objects.visible_to(other.user, face=face)) is not hidden


def test_the_lapsed_may_block(colleague):
    lapsed = make_member(standing="read_only")

    client_of(lapsed).post(f"/members/{colleague.handle}/block/")

    assert Block.objects.get().blocker == lapsed


def test_the_form_offers_a_choice_of_face_only_to_those_with_two(physician, colleague, named):
    assert "own_face" not in seen(client_of(physician), colleague.get_absolute_url())[1]
    page = seen(client_of(named), colleague.get_absolute_url())[1]
    assert page.count('name="own_face"') == 2
    assert 'value="both"' not in page


def test_the_list_of_blocks_names_the_face_that_was_blocked(physician, named, physician_client):
    physician_client.post(f"/physicians/{named.physician_key}/block/")

    page = seen(physician_client, "/settings/blocks/")[1]

    assert "Anna Vale, MD" in page
    assert "open_book" not in page
    physician_client.post(f"/settings/blocks/{Block.objects.get().pk}/")
    assert not Block.objects.exists()


def test_nobody_lifts_the_block_of_another(physician, colleague, colleague_client):
    made = ties.block(blocker=physician, blocked=colleague, blocked_face=Face.HANDLE)

    assert colleague_client.post(f"/settings/blocks/{made.pk}/").status_code == 404


# Following


def test_the_followed_see_a_number_and_no_more(physician, colleague, physician_client, colleague_client):
    colleague_client.post(f"/members/{physician.handle}/follow/", {"follow": "1"})
    colleague_client.post(f"/members/{physician.handle}/follow/", {"follow": "1", "alerts": "1"})

    page = seen(physician_client, physician.get_absolute_url())[1]

    assert "1 member follows you" in page
    assert colleague.handle not in page
    assert Follow.objects.get().alerts
    assert not Notice.objects.exists()
    assert "follow you" not in seen(colleague_client, physician.get_absolute_url())[1]


def test_unfollowing_works_also_once_the_page_is_closed(physician, colleague, colleague_client):
    ties.follow(follower=colleague, followed=physician)
    Member.objects.filter(pk=physician.pk).update(standing="suspended")

    colleague_client.post(f"/members/{physician.handle}/follow/", {"follow": "0"})

    assert not Follow.objects.exists()


def test_alerts_are_off_until_switched_on(physician, colleague):
    assert not ties.follow(follower=physician, followed=colleague).alerts
    ties.set_alerts(follower=physician, followed=colleague, alerts=True)
    assert ties.follow(follower=physician, followed=colleague).alerts


# Pages


def test_the_buttons_of_a_page_follow_the_tie(physician, colleague, physician_client, colleague_client):
    page = lambda client, member: seen(client, member.get_absolute_url())[1]  # noqa: E731
    assert "/connect/" in page(physician_client, colleague)

    physician_client.post(f"/members/{colleague.handle}/connect/")
    assert "Requested" in page(physician_client, colleague)
    assert "Accept the connection" in page(colleague_client, physician)

    colleague_client.post(f"/connections/{Connection.objects.get().pk}/", {"answer": "accept"})
    assert "Connected" in page(physician_client, colleague)
    assert "Connected" in page(colleague_client, physician)


def test_a_connection_of_others_is_a_404(physician, colleague, third):
    made = connect(physician, colleague)

    assert client_of(third).post(f"/connections/{made.pk}/", {"answer": "end"}).status_code == 404


def test_a_form_leads_back_to_this_site_alone(physician, colleague, physician_client):
    for wanted, place in (
        ("/topics/?show=members", "/topics/?show=members"),
        ("https://elsewhere.example/", colleague.get_absolute_url()),
        ("//elsewhere.example/", colleague.get_absolute_url()),
    ):
        page = physician_client.post(f"/members/{colleague.handle}/follow/", {"follow": "1", "next": wanted})
        assert page.url == place


def test_a_get_of_a_button_changes_nothing_and_leads_back(physician, colleague, physician_client):
    page = physician_client.get(f"/members/{colleague.handle}/connect/")

    assert page.url == colleague.get_absolute_url()
    assert not Connection.objects.exists()


@pytest.mark.parametrize("show", ["connected", "received", "sent"])
def test_lists_are_paged_and_cost_the_same_at_any_length(physician, show, django_assert_max_num_queries):
    for _ in range(33):
        other = make_member()
        one, two = (physician, other) if show == "sent" else (other, physician)
        connect(one, two) if show == "connected" else ask(one, two)
    client = client_of(physician)
    client.get("/connections/")

    with django_assert_max_num_queries(8):
        page = client.get(f"/connections/?show={show}").content.decode()

    assert page.count('class="list-row') == 30
    more = re.search(r'hx-get="([^"]+)"', page)[1].replace("&amp;", "&")
    rest = client.get(more, HTTP_HX_REQUEST="true").content.decode()
    assert rest.count('class="list-row') == 3


def test_a_members_page_costs_at_most_eight_queries(
    physician, colleague, physician_client, django_assert_max_num_queries
):
    connect(physician, colleague)
    ties.follow(follower=physician, followed=colleague)
    physician_client.get(colleague.get_absolute_url())

    with django_assert_max_num_queries(8):
        physician_client.get(colleague.get_absolute_url())
    with django_assert_max_num_queries(8):
        physician_client.get(physician.get_absolute_url())


def test_all_of_a_tie_is_one_query(physician, colleague, django_assert_num_queries):
    connect(physician, colleague)

    with django_assert_num_queries(1):
        assert ties.between(physician, colleague).state == "connected"


@pytest.mark.parametrize("address", ["/connections/", "/settings/blocks/"])
def test_the_lists_are_for_members(client, applicant_client, staff, address):
    Authenticator.objects.create(user=staff, type=Authenticator.Type.TOTP, data={})

    assert client.get(address).url.startswith("/accounts/login/")
    assert applicant_client.get(address).status_code == 302
    assert client_of(staff).get(address).status_code == 403


# What the database refuses


@pytest.mark.parametrize(
    "broken",
    [
        {"state": "accepted", "answered_at": None},
        {"state": "unknown"},
        {"requester_name": "Anna Vale, MD", "requester_reveals": True},
    ],
)
def test_the_database_refuses_broken_connections(physician, colleague, broken):
    with pytest.raises(IntegrityError), transaction.atomic():
        Connection.objects.create(requester=physician, addressee=colleague, **broken)


def test_the_database_keeps_one_connection_for_a_pair(physician, colleague):
    Connection.objects.create(requester=physician, addressee=colleague)

    with pytest.raises(IntegrityError), transaction.atomic():
        Connection.objects.create(requester=colleague, addressee=physician)


# At once


def at_once(*acts):
    """Run all acts together, each on a connection of its own; what each returned, or the refusal it met."""
    barrier = Barrier(len(acts))

    def run(act):
        barrier.wait()
        try:
            return act()
        except RuleBroken as refusal:
            return refusal
        finally:
            connection.close()

    with ThreadPoolExecutor(len(acts)) as pool:
        return list(pool.map(run, acts))


@pytest.mark.django_db(transaction=True)
def test_two_requests_that_cross_give_one_accepted_connection(physician, colleague):
    at_once(lambda: ask(physician, colleague), lambda: ask(colleague, physician))

    assert Connection.objects.get().state == State.ACCEPTED


@pytest.mark.django_db(transaction=True)
def test_a_form_sent_four_times_at_once_is_one_request(physician, colleague):
    results = at_once(*[lambda: ask(physician, colleague)] * 4)

    assert Connection.objects.get().state == State.REQUESTED
    assert Notice.objects.count() == 1
    assert sum(isinstance(result, ties.AskedLately) for result in results) == 3


@pytest.mark.django_db(transaction=True)
def test_a_block_and_an_acceptance_at_once_leave_no_connection(physician, colleague):
    asked = ask(physician, colleague)

    at_once(
        lambda: ties.accept(connection=asked, by=colleague),
        lambda: ties.block(blocker=physician, blocked=colleague, blocked_face=Face.HANDLE),
    )

    assert Connection.objects.get().state == State.ENDED
    assert Block.objects.count() == 1


@pytest.mark.django_db(transaction=True)
def test_a_withdrawal_and_an_acceptance_at_once_agree_on_one(physician, colleague):
    asked = ask(physician, colleague)

    results = at_once(
        lambda: ties.accept(connection=asked, by=colleague),
        lambda: ties.withdraw(connection=asked, by=physician),
    )

    assert sum(isinstance(result, ties.NotWaiting) for result in results) == 1
    assert Connection.objects.get().state in (State.ACCEPTED, State.WITHDRAWN)


@pytest.mark.django_db(transaction=True)
def test_a_follow_and_a_block_at_once_leave_no_follow(physician, colleague):
    at_once(
        lambda: ties.follow(follower=colleague, followed=physician),
        lambda: ties.block(blocker=physician, blocked=colleague, blocked_face=Face.HANDLE),
    )

    assert not Follow.objects.exists()
