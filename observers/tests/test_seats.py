"""Seats: offered by mail, taken by a link, ended at once; and what a plan includes under a lock."""

import logging
import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth import authenticate
from django.contrib.auth.models import Permission
from django.db import IntegrityError, connection, transaction
from django.urls import reverse
from django.utils import timezone

from accounts.models import Mail, User
from accounts.roles import OBSERVERS
from accounts.tests.factories import make_member, make_user
from conftest import client_of
from observers.models import Contract, Purpose, Seat, SeatInvitation
from observers.services import seating
from observers.tests.factories import make_contract, make_plan, make_seat
from rewards.tests.factories import make_firm
from sermo.logging import unnamed
from verification.models import Event

pytestmark = pytest.mark.django_db
PASSWORD = "a-long-enough-word"


@pytest.fixture
def giver(db):
    """Who gives the seats of a firm."""
    return make_seat(is_admin=True)


@pytest.fixture
def staff(db):
    user = make_user(is_staff=True)
    user.user_permissions.add(Permission.objects.get(codename="change_contract"))
    return User.objects.get(pk=user.pk)


def invite(giver, email="new@firm.example", **more):
    fields = {"firm": giver.firm, "by": giver.user, "name": "A. Okafor", "purpose": Purpose.MEDICAL, **more}
    return seating.invite(email=email, **fields)


def mailed_to(address):
    """The text of the last mail; addresses are encrypted."""
    return next(mail.text for mail in Mail.objects.order_by("-pk") if mail.address == address)


def token_in_mail(address="new@firm.example"):
    return re.search(r"/observe/join/([\w-]+)/", mailed_to(address))[1]


def take(address="new@firm.example"):
    return seating.accept(token=token_in_mail(address), password=PASSWORD)


class TestOffering:
    def test_the_link_is_mailed_and_known_here_by_its_hash_alone(self, giver):
        invitation = invite(giver, email=" New@Firm.example ")

        token = token_in_mail()
        assert invitation.email == "new@firm.example"
        assert token not in invitation.token_hash
        assert seating.invitation_by(token) == invitation
        assert invitation.expires_at - invitation.invited_at == timedelta(days=settings.OBSERVER_INVITE_DAYS)
        assert Event.objects.filter(kind="seat_offered", object=f"seatinvitation:{invitation.pk}").exists()

    def test_whoever_is_not_named_for_it_offers_none(self, giver):
        other = make_seat(giver.firm)
        stranger = make_seat(is_admin=True)

        for user in (other.user, stranger.user, make_user(is_staff=True)):
            with pytest.raises(seating.NotYoursToGive):
                invite(giver, by=user)

    def test_the_desk_offers_a_firm_its_first_seat(self, staff):
        firm = make_firm()
        make_contract(firm)

        seating.invite(
            firm=firm, by=staff, email="new@firm.example", name="A", purpose="market", is_admin=True
        )

        assert take().is_admin

    def test_without_a_contract_in_force_there_is_none(self, giver):
        Contract.objects.update(ends_on=timezone.now().date() - timedelta(days=1))

        with pytest.raises(seating.NoContract):
            invite(giver)

    def test_a_purpose_that_the_contract_does_not_name_is_refused(self, giver):
        Contract.objects.update(purposes=["safety"])

        with pytest.raises(seating.PurposeNotAgreed):
            invite(giver)

    def test_an_address_has_one_open_invitation_of_a_firm(self, giver):
        invite(giver)

        with pytest.raises(seating.AlreadyInvited):
            invite(giver)

    def test_one_that_ran_out_makes_room_for_another(self, giver):
        SeatInvitation.objects.filter(pk=invite(giver).pk).update(expires_at=timezone.now())

        invite(giver)

        assert seating.open_invitations(giver.firm).count() == 1

    def test_who_has_a_seat_of_the_firm_gets_no_other(self, giver):
        invite(giver)
        take()

        with pytest.raises(seating.AlreadySeated):
            invite(giver)

    def test_seats_taken_and_offered_are_counted_together(self, giver):
        make_plan(seats=2)
        invite(giver)

        with pytest.raises(seating.NoSeatLeft):
            invite(giver, email="other@firm.example")

    def test_a_firm_sends_so_many_a_day(self, giver, monkeypatch):
        monkeypatch.setattr(seating, "MOST_INVITED_A_DAY", 2)
        for number in range(2):
            seating.withdraw(invitation=invite(giver, email=f"{number}@firm.example"), by=giver.user)

        with pytest.raises(seating.InvitedEnough):
            invite(giver)

    def test_a_withdrawn_link_leads_nowhere(self, giver):
        seating.withdraw(invitation=invite(giver), by=giver.user)

        with pytest.raises(seating.InvitationGone):
            take()

    def test_others_withdraw_nothing(self, giver):
        invitation = invite(giver)

        with pytest.raises(seating.NotYoursToGive):
            seating.withdraw(invitation=invitation, by=make_seat(is_admin=True).user)

    @pytest.mark.django_db(transaction=True)
    def test_at_once_no_more_are_offered_than_the_plan_includes(self, giver):
        make_plan(seats=3)

        def offer(number):
            try:
                return bool(invite(giver, email=f"{number}@firm.example"))
            except seating.NoSeatLeft:
                return False
            finally:
                connection.close()

        with ThreadPoolExecutor(4) as pool:
            offered = list(pool.map(offer, range(6)))

        assert sum(offered) == 2


class TestAddressesWithAnAccount:
    """The inviter sees no difference; the owner of the address is told by mail, and gets no link."""

    @pytest.fixture(params=["member", "staff", "another firm's"])
    def address(self, request):
        make = {
            "member": lambda: make_member().user,
            "staff": lambda: make_user(is_staff=True),
            "another firm's": lambda: make_seat().user,
        }
        return make[request.param]().email

    def test_the_answer_is_the_same_and_the_mail_another(self, giver, address):
        known, unknown = invite(giver, email=address), invite(giver)
        page = client_of(giver.user).get(reverse("observers:seats")).content.decode()

        assert (known.accepted_at, known.withdrawn_at) == (unknown.accepted_at, unknown.withdrawn_at)
        assert page.count("Withdraw<") == 2
        text = mailed_to(address)
        assert "has an account" in text
        assert "/join/" not in text

    def test_an_account_made_meanwhile_takes_no_seat(self, giver):
        invite(giver)
        member = make_member(email="new@firm.example")

        with pytest.raises(seating.InvitationGone):
            take()

        assert not Seat.objects.filter(user=member.user).exists()


class TestTaking:
    def test_a_link_makes_a_log_in_and_gives_the_next_number(self, giver):
        invitation = invite(giver)

        seat = take()

        invitation.refresh_from_db()
        assert (seat.number, seat.name, seat.is_admin) == (2, "A. Okafor", False)
        assert invitation.seat == seat
        assert seat.user.groups.get().name == OBSERVERS
        assert seat.user.emailaddress_set.get().verified
        assert authenticate(None, username=seat.user.email, password=PASSWORD) == seat.user
        assert seating.may_watch(seat.user)

    def test_it_is_taken_once(self, giver):
        invite(giver)
        take()

        with pytest.raises(seating.InvitationGone):
            take()

    def test_a_plan_that_became_smaller_gives_none(self, giver):
        invite(giver)
        make_plan(seats=1)

        with pytest.raises(seating.NoSeatLeft):
            take()

    def test_the_first_page_is_the_second_factor(self, giver):
        invite(giver)
        user = take().user

        response = client_of(user).get("/observe/seats/")

        assert response.status_code == 302
        assert response["Location"] == reverse("mfa_index")

    def test_who_comes_back_gets_a_new_seat_and_sets_everything_up_anew(self, giver):
        invite(giver)
        old = take()
        Authenticator.objects.create(user=old.user, type=Authenticator.Type.TOTP, data={})
        seating.end(seat=old, by=giver.user)
        invite(giver)

        new = take()

        old.refresh_from_db()
        assert (new.number, new.user.email) == (3, "new@firm.example")
        assert old.user is None
        assert new.user.is_active
        assert not Authenticator.objects.filter(user=new.user).exists()


class TestEnding:
    def test_it_ends_at_once_with_its_sessions_and_its_log_in(self, giver):
        seat = make_seat(giver.firm)
        client = client_of(seat.user)

        seating.end(seat=seat, by=giver.user)

        assert client.get("/observe/seats/").status_code == 302  # to the log-in
        seat.user.refresh_from_db()
        assert not seat.user.is_active
        assert not seating.may_watch(seat.user)
        assert Event.objects.filter(kind="seat_ended", object=f"seat:{seat.pk}").exists()

    def test_what_it_offered_is_withdrawn(self, giver):
        second = make_seat(giver.firm, is_admin=True)
        invite(second)

        seating.end(seat=second, by=giver.user)

        assert not seating.open_invitations(giver.firm).exists()

    def test_others_end_none(self, giver):
        seat = make_seat(giver.firm)

        for by in (seat.user, make_seat(is_admin=True).user):
            with pytest.raises(seating.NotYoursToGive):
                seating.end(seat=seat, by=by)

    def test_the_last_who_gives_seats_stays_unless_the_desk_ends_it(self, giver, staff):
        make_seat(giver.firm)
        with pytest.raises(seating.LastGiver):
            seating.end(seat=giver, by=giver.user)

        seating.end(seat=giver, by=staff)

        giver.refresh_from_db()
        assert giver.ended_at

    def test_nobody_but_the_desk_ends_a_contract(self, giver):
        contract = giver.firm.contracts.get()

        with pytest.raises(seating.NotYoursToEnd):
            seating.end_contract(contract=contract, by=giver.user)

        contract.refresh_from_db()
        assert contract.ended_at is None

    def test_a_seat_without_a_second_factor_sets_one_up_whatever_its_groups(self, giver, settings):
        Authenticator.objects.filter(user=giver.user).delete()
        giver.user.groups.clear()
        client = client_of(giver.user)

        assert client.get(reverse("observers:list"))["Location"] == reverse("mfa_index")

        settings.DEMO = True
        type(giver.user).objects.filter(pk=giver.user.pk).update(email="observer@demo.sermo.test")
        assert client.get(reverse("observers:list")).status_code == 200

    def test_a_withdrawn_offer_stands_in_the_trail_once(self, giver):
        invitation = invite(giver)

        for _ in range(2):
            seating.withdraw(invitation=invitation, by=giver.user)

        events = Event.objects.filter(kind="seat_withdrawn", object=f"seatinvitation:{invitation.pk}")
        assert events.count() == 1

    def test_an_ended_contract_closes_the_console(self, giver, staff):
        client = client_of(giver.user)
        assert client.get("/observe/seats/").status_code == 200

        seating.end_contract(contract=giver.firm.contracts.get(), by=staff)

        assert client.get("/observe/seats/").status_code == 403
        assert not seating.may_watch(giver.user)


class TestConstraints:
    def test_a_number_is_given_once(self, giver):
        with pytest.raises(IntegrityError), transaction.atomic():
            Seat.objects.create(firm=giver.firm, number=1, name="B", purpose="market")

    def test_an_accepted_invitation_has_its_seat(self, giver):
        with pytest.raises(IntegrityError), transaction.atomic():
            SeatInvitation.objects.filter(pk=invite(giver).pk).update(accepted_at=timezone.now())


class TestPages:
    def test_seats_are_given_by_those_named_for_it(self, giver):
        client = client_of(make_seat(giver.firm).user)

        for address in ("/observe/seats/", "/observe/seats/invite/", "/observe/seats/1/end/"):
            assert client.get(address).status_code == 403
        assert client.post("/observe/seats/1/end/").status_code == 403

    @pytest.mark.parametrize("who", ["physician", "staff"])
    def test_nobody_else_comes_in(self, who, request):
        person = request.getfixturevalue(who)
        client = client_of(person if who == "staff" else person.user)

        assert client.get("/observe/purpose/").status_code in (302, 403)
        assert client.post("/observe/seats/invite/").status_code in (302, 403)

    def test_another_firms_seats_are_not_there(self, giver):
        stranger = make_seat(is_admin=True)
        make_seat(stranger.firm)
        invitation = invite(stranger)
        client = client_of(giver.user)

        assert client.get("/observe/seats/2/end/").status_code == 404
        assert client.post("/observe/seats/2/end/").status_code == 404
        assert client.post(f"/observe/seats/invitations/{invitation.pk}/withdraw/").status_code == 404

    def test_offering_taking_and_ending(self, giver, client):
        own = client_of(giver.user)
        typed = {"name": "A. Okafor", "email": "new@firm.example", "purpose": "safety"}
        assert own.post("/observe/seats/invite/", typed).status_code == 302
        assert b"new@firm.example" in own.get("/observe/seats/").content
        address = reverse("observers:join", args=[token_in_mail()])

        assert giver.firm.name in client.get(address).content.decode()
        assert client.post(address, {"password": "short"}).status_code == 422
        assert client.post(address, {"password": PASSWORD})["Location"] == reverse("account_login")
        assert client.get(address).status_code == 404

        assert b"Keep it" in own.get("/observe/seats/2/end/").content
        own.post("/observe/seats/2/end/")
        assert Seat.objects.get(firm=giver.firm, number=2).ended_at

    def test_a_refusal_stands_in_the_form(self, giver):
        invite(giver)
        typed = {"name": "A", "email": "new@firm.example", "purpose": "safety"}

        response = client_of(giver.user).post("/observe/seats/invite/", typed)

        assert response.status_code == 422
        assert "open invitation" in response.content.decode()

    def test_a_link_that_was_made_up_leads_nowhere(self, client):
        response = client.get(reverse("observers:join", args=["x" * 43]))

        assert response.status_code == 404
        assert "not open any more" in response.content.decode()

    @pytest.mark.parametrize("number", [1, 5])
    def test_the_list_costs_the_same_at_any_length(self, giver, number, django_assert_max_num_queries):
        make_plan(seats=40)
        for each in range(number):
            make_seat(giver.firm)
            invite(giver, email=f"{each}@firm.example")
        client = client_of(giver.user)

        with django_assert_max_num_queries(7):
            client.get("/observe/seats/")


def test_no_log_line_holds_the_link_of_an_invitation():
    line = logging.LogRecord(
        "django.request", 40, "", 1, "%s: %s", ("Not Found", "/observe/join/a-secret_key/"), None
    )

    assert unnamed(line)
    assert line.getMessage() == "Not Found: /observe/join/..."


class TestPurpose:
    def test_it_is_chosen_and_stays(self, seat, seat_client):
        page = seat_client.get("/observe/purpose/")
        assert "You read for medical information" in page.content.decode()

        response = seat_client.post("/observe/purpose/", {"purpose": "safety", "next": "/observe/seats/"})

        seat.refresh_from_db()
        assert response["Location"] == "/observe/seats/"
        assert seat.purpose == "safety"
        assert "You read for drug" in seat_client.get("/observe/purpose/").content.decode()

    @pytest.mark.parametrize(
        "back", ["https://elsewhere.example/observe/", "//elsewhere.example", "/questions/", ""]
    )
    def test_one_goes_back_into_the_console_only(self, seat_client, back):
        response = seat_client.post("/observe/purpose/", {"purpose": "safety", "next": back})

        assert response["Location"] == "/observe/"

    def test_a_purpose_outside_the_contract_is_refused(self, seat, seat_client):
        Contract.objects.update(purposes=["safety"])

        assert seat_client.post("/observe/purpose/", {"purpose": "market"}).status_code == 422
        with pytest.raises(seating.PurposeNotAgreed):
            seating.choose_purpose(seat=seat, contract=Contract.objects.get(), purpose="market")


class TestHome:
    def test_a_seat_starts_in_the_console(self, seat_client):
        assert seat_client.get("/")["Location"] == "/observe/"

    def test_who_has_none_is_told(self, seat, seat_client, giver):
        Contract.objects.filter(firm=seat.firm).update(ended_at=timezone.now())

        response = seat_client.get("/")

        assert response.status_code == 200
        assert "No firm has given you a seat" in response.content.decode()


def test_the_list_says_days_and_no_moments(giver):
    seating.end(seat=make_seat(giver.firm, name="J. Osei"), by=giver.user)
    invite(giver)
    night = datetime(2026, 11, 18, 2, tzinfo=UTC)  # still the 17th in New York
    Seat.objects.update(taken_at=night)
    Seat.objects.filter(ended_at__isnull=False).update(ended_at=night)

    page = client_of(giver.user).get(reverse("observers:seats")).text

    assert page.count('<time datetime="2026-11-18">Nov 18') == 3
    assert "Offered" in page
    assert not re.search(r'datetime="[^"]*T', page)
