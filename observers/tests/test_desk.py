"""The desk of contracts: who has it, what is agreed and ended there, and where a copy is traced."""

from datetime import date, timedelta
from types import SimpleNamespace
from uuid import uuid4

import pytest
from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from accounts.roles import FINANCE, MODERATORS, REVIEWERS
from accounts.tests.factories import make_user
from conftest import client_of
from focusgroups.services import exporting
from focusgroups.tests.factories import make_answer, make_moderator, make_participant, make_running_room
from observers import marks
from observers.desk.permissions import allow_finance
from observers.models import Contract, Export, FirmSearch, Plan, Seat, SeatInvitation
from observers.services import searching, seating
from observers.tests.factories import let_pass, make_contract, make_plan
from questions.tests.factories import make_question
from rewards.tests.factories import make_earmark, make_firm
from verification.models import Event

pytestmark = pytest.mark.django_db
OURS = ("plan", "contract", "seat", "seatinvitation", "export", "read")


def confirmed(user):
    """A browser in which somebody has just shown that it is them."""
    client = client_of(user)
    session = client.session
    record_authentication(SimpleNamespace(session=session), user, method="mfa", reauthenticated=True)
    session.save()
    return client


def make_staff(group):
    user = make_user(is_staff=True)
    user.groups.add(Group.objects.get_or_create(name=group)[0])
    Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={})
    return user


@pytest.fixture
def desk(db):
    allow_finance(apps.get_app_config("observers"), using="default")
    return confirmed(make_staff(FINANCE))


def page(model, name="changelist", *args):
    return reverse(f"admin:observers_{model}_{name}", args=args)


def make_export(seat, phrase="amber lattice heron quay"):
    fields = {"what": "Search", "reason": "A board meeting", "purpose": "market", "rows": 3}
    return Export.objects.create(firm=seat.firm, seat=seat, phrase=phrase, key=uuid4(), **fields)


def terms(firm, **more):
    same = {"firm": firm.pk, "plan": make_plan().pk, "purposes": ["safety"], "starts_on": "2026-03-01"}
    return {**same, "ends_on": "", **more}


def tick(desk, model, action, *rows, **more):
    return desk.post(
        page(model), {"action": action, "_selected_action": [row.pk for row in rows], **more}, follow=True
    )


class TestDoor:
    @pytest.mark.parametrize("group", [MODERATORS, REVIEWERS])
    def test_other_staff_have_none_of_it(self, group, seat):
        client = confirmed(make_staff(group))

        for model in OURS:
            assert client.get(page(model)).status_code == 403
        assert client.get(page("seatinvitation", "add")).status_code == 403
        assert client.post(page("contract", "add"), {}).status_code == 403
        assert client.get(page("export", "trace")).status_code == 403

    def test_a_seat_has_none_of_it(self, seat_client):
        for model in OURS:
            assert seat_client.get(page(model)).status_code == 302

    def test_nothing_of_ours_is_deleted(self, desk, rf):
        request = rf.get("/")
        request.user = make_user(is_staff=True, is_superuser=True)

        for model, desk_of in admin.site._registry.items():
            if model._meta.model_name in OURS and model._meta.app_label == "observers":
                assert not desk_of.has_delete_permission(request)

    @pytest.mark.parametrize("model", OURS)
    def test_lists_are_found_and_read_within_ten_queries(
        self, model, desk, seat, django_assert_max_num_queries
    ):
        make_export(seat)
        SeatInvitation.objects.create(
            firm=seat.firm, email="a@b.example", token_hash="x", expires_at=timezone.now(), name="A"
        )

        with django_assert_max_num_queries(10):
            assert desk.get(page(model)).status_code == 200
        assert desk.get(page(model), {"q": "1"}).status_code == 200


class TestContracts:
    def test_one_is_agreed_and_stands_in_the_trail(self, desk):
        firm = make_firm()

        assert desk.post(page("contract", "add"), terms(firm)).status_code == 302

        contract = Contract.objects.current().get(firm=firm)
        assert contract.purposes == ["safety"]
        assert Event.objects.filter(kind="contract", object=f"contract:{contract.pk}").exists()

    def test_who_agrees_it_confirms_first_who_they_are(self, desk):
        desk.get(page("contract", "add"))
        session = desk.session
        session["account_authentication_methods"] = []
        session.save()

        response = desk.post(page("contract", "add"), terms(make_firm()))

        assert "reauthenticate" in response["Location"]
        assert not Contract.objects.exists()

    @pytest.mark.parametrize(
        "change", [{"purposes": []}, {"ends_on": "2026-02-01"}, {"starts_on": ""}, {"plan": ""}]
    )
    def test_a_contract_without_sense_is_refused(self, desk, change):
        assert desk.post(page("contract", "add"), terms(make_firm(), **change)).status_code == 200

        assert not Contract.objects.exists()

    def test_a_firm_has_one_at_a_time(self, desk):
        firm = make_contract(ends_on="2026-12-31").firm

        overlapping = desk.post(page("contract", "add"), terms(firm))
        desk.post(page("contract", "add"), terms(firm, starts_on="2027-01-01"))

        assert overlapping.content.decode().count("another contract") == 1
        assert firm.contracts.count() == 2

    def test_the_database_keeps_it_to_one_at_a_time(self):
        contract = make_contract(starts_on=date(2026, 3, 1), ends_on=date(2026, 12, 31))
        for starts_on, ends_on in ((date(2026, 12, 31), None), (date(2026, 1, 1), date(2026, 3, 1))):
            with pytest.raises(IntegrityError), transaction.atomic():
                make_contract(contract.firm, starts_on=starts_on, ends_on=ends_on)

        make_contract(contract.firm, starts_on=date(2027, 1, 1))
        make_contract(starts_on=date(2026, 6, 1))
        Contract.objects.filter(pk=contract.pk).update(ended_at=timezone.now())
        make_contract(contract.firm, starts_on=date(2026, 6, 1), ends_on=date(2026, 12, 31))

    def test_a_change_cannot_make_two_of_one(self, desk):
        contract = make_contract(ends_on="2026-12-31")
        make_contract(contract.firm, starts_on="2027-01-01")

        response = desk.post(page("contract", "change", contract.pk), terms(contract.firm))

        assert response.content.decode().count("another contract") == 1
        contract.refresh_from_db()
        assert contract.ends_on == date(2026, 12, 31)

    def test_its_firm_stays_and_its_purposes_change(self, desk):
        contract = make_contract()

        desk.post(page("contract", "change", contract.pk), terms(make_firm(), purposes=["market"]))

        firm = contract.firm
        contract.refresh_from_db()
        assert (contract.firm, contract.purposes) == (firm, ["market"])

    def test_one_is_ended_at_once_and_can_be_read_then(self, desk, seat):
        contract = seat.firm.contracts.get()

        tick(desk, "contract", "end", contract, confirmed="1")

        assert not seating.may_watch(seat.user)
        shown = desk.get(page("contract", "change", contract.pk)).content.decode()
        assert "Drug and device safety" in shown
        assert "_save" not in shown

    def test_before_it_ends_it_is_said_what_ends_with_it(self, desk, seat, physician):
        question = let_pass(make_question(physician))
        make_earmark(question.posts.get(), seat.firm, author_cents=1_700)
        searching.save(seat=seat, name="Velorin", terms="velorin", alert=FirmSearch.Alert.DAILY)
        contract = seat.firm.contracts.get()

        asked = tick(desk, "contract", "end", contract)

        said = {fact.what: fact.there for fact in asked.context["rows"][0][1]}
        assert said["Seats"] == "1: M. Ruiz"
        assert said["Saved searches"] == "1, 1 with alerts"
        assert said["Reserved for earmarks"] == "$17.00 for 1"
        assert said["Reserved for polls"] == "nothing"
        assert f'name="_selected_action" value="{contract.pk}"' in asked.content.decode()
        assert seating.may_watch(seat.user)

    def test_one_that_is_to_come_takes_its_days_alone(self, desk, seat):
        later = timezone.now().date() + timedelta(days=9)
        contract = seat.firm.contracts.get()
        Contract.objects.filter(pk=contract.pk).update(starts_on=later)

        asked = tick(desk, "contract", "end", contract)

        assert [fact.what for fact in asked.context["rows"][0][1]] == ["Its days"]

    def test_one_that_has_ended_is_not_asked_about(self, desk, seat):
        contract = seat.firm.contracts.get()
        tick(desk, "contract", "end", contract, confirmed="1")

        again = tick(desk, "contract", "end", contract)

        assert "Nothing was changed" in again.content.decode()

    @pytest.mark.parametrize(
        ("model", "name"),
        [("plan", "add"), ("contract", "add"), ("seatinvitation", "add"), ("export", "trace")],
    )
    def test_what_is_missing_is_said_in_words_of_its_own(self, desk, model, name):
        form = desk.post(page(model, name), {"sent": "1"}).content.decode()

        assert "error" in form
        assert "This field is required" not in form

    def test_plans_are_made(self, desk):
        fields = {name.name: 1 for name in Plan._meta.fields if name.name not in ("id", "slug", "name")}

        desk.post(page("plan", "add"), {**fields, "slug": "small", "name": "Small"})

        plan = Plan.objects.get()
        assert plan.seats == 1
        assert "seats: None -> 1" in Event.objects.get(kind="plan", object=f"plan:{plan.pk}").evidence

    def test_a_plan_that_changes_stands_in_the_trail(self, desk):
        plan = make_plan("small", exports_a_day=1)
        values = {name.name: getattr(plan, name.name) for name in Plan._meta.fields if name.name != "id"}

        desk.post(page("plan", "change", plan.pk), {**values, "exports_a_day": 9})

        assert Event.objects.get(kind="plan").evidence == ["exports_a_day: 1 -> 9"]

    @pytest.mark.parametrize("deed", ["end a contract", "end a seat", "withdraw an offer", "change a plan"])
    def test_whoever_does_any_of_it_confirms_first_who_they_are(self, desk, seat, deed):
        offer = SeatInvitation.objects.create(
            firm=seat.firm, email="a@b.example", token_hash="x", expires_at=timezone.now(), name="A"
        )
        session = desk.session
        session["account_authentication_methods"] = []
        session.save()
        rows = {
            "end a contract": ("contract", "end", seat.firm.contracts.get()),
            "end a seat": ("seat", "end", seat),
        }
        rows |= {"withdraw an offer": ("seatinvitation", "withdraw", offer)}

        if deed in rows:
            model, action, row = rows[deed]
            response = desk.post(page(model), {"action": action, "_selected_action": [row.pk]})
        else:
            response = desk.post(page("plan", "change", Plan.objects.get().pk), {})

        assert "reauthenticate" in response["Location"]
        assert Seat.objects.get().ended_at is None
        assert seat.firm.contracts.get().ended_at is None
        offer.refresh_from_db()
        assert offer.withdrawn_at is None


class TestSeats:
    def test_a_firms_first_is_offered(self, desk):
        firm = make_contract().firm
        typed = {
            "firm": firm.pk,
            "name": "A",
            "email": "a@firm.example",
            "purpose": "safety",
            "is_admin": "on",
        }

        response = desk.post(page("seatinvitation", "add"), typed)

        assert response.status_code == 302
        assert SeatInvitation.objects.get().is_admin
        assert "a@firm.example" in desk.get(page("seatinvitation"), {"state": "open"}).content.decode()
        assert "a@firm.example" not in desk.get(page("seatinvitation"), {"state": "over"}).content.decode()

    def test_a_refusal_stands_in_the_form(self, desk):
        firm = make_contract(purposes=["market"]).firm
        typed = {"firm": firm.pk, "name": "A", "email": "a@firm.example", "purpose": "safety"}

        response = desk.post(page("seatinvitation", "add"), typed)

        assert response.status_code == 422
        assert "does not name this purpose" in response.content.decode()

    def test_only_firms_under_contract_are_offered_seats(self, desk):
        make_firm(name="Without a contract")

        assert "Without a contract" not in desk.get(page("seatinvitation", "add")).content.decode()

    def test_one_is_withdrawn(self, desk):
        firm = make_contract().firm
        typed = {"firm": firm.pk, "name": "A", "email": "a@firm.example", "purpose": "safety"}
        desk.post(page("seatinvitation", "add"), typed)

        tick(desk, "seatinvitation", "withdraw", SeatInvitation.objects.get())

        assert SeatInvitation.objects.get().withdrawn_at

    def test_one_is_ended(self, desk, seat):
        tick(desk, "seat", "end", seat)

        assert Seat.objects.get().ended_at
        assert "M. Ruiz" in desk.get(page("seat"), {"state": "ended"}).content.decode()
        assert "M. Ruiz" not in desk.get(page("seat"), {"state": "taken"}).content.decode()


class TestTrace:
    def test_a_mark_and_a_phrase_lead_to_the_seat(self, desk, seat):
        make_export(seat)
        text = f"amber lattice heron quay, and {marks.copy_mark(seat)}"

        shown = desk.post(page("export", "trace"), {"text": text}).content.decode()

        assert shown.count(f"{seat.number}: {seat.name}") == 2
        assert "Search" in shown

    def test_what_is_none_of_ours_is_said_so(self, desk, seat):
        shown = desk.post(page("export", "trace"), {"text": "ABC-1-0000"}).content.decode()

        assert "No seat and no export" in shown or f"{seat.number}: {seat.name}" in shown

    @pytest.mark.parametrize("by", ["words", "mark"])
    def test_a_file_of_a_focus_group_is_found_by_number_alone(self, by, desk, seat):
        moderator = make_moderator(email="mod@example.test")
        room = make_running_room(by=moderator, title="Chelation in the clinic", closed_at=timezone.now())
        make_answer(make_participant(room), room.sections.first().prompts.first())
        room.watching = "words"
        room.save()
        made = exporting.export(
            room=room, by=moderator, kind="transcript", reason="For the report.", for_sponsor=True
        ).export
        text = f"they say {made.mark.upper()}" if by == "words" else exporting.copy_mark(made)

        shown = desk.post(page("export", "trace"), {"text": text}).content.decode()

        assert "Transcript, for the sponsor" in shown
        assert f'data-label="Focus group">{room.pk}<' in shown
        assert "mod@example.test" in shown
        assert "No seat and no export" not in shown
        assert room.title not in shown
        assert "For the report." not in shown

    def test_exports_lead_there(self, desk):
        assert page("export", "trace") in desk.get(page("export")).content.decode()


def test_a_contract_to_come_opens_nothing_yet(seat):
    later = timezone.now().date() + timedelta(days=2)
    Contract.objects.filter(firm=seat.firm).update(starts_on=later)

    assert not seating.may_watch(seat.user)
