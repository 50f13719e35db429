from datetime import timedelta
from types import SimpleNamespace

import pytest
from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.models import Authenticator
from django.contrib.auth.models import Group
from django.core import mail
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from accounts.models import Mail
from accounts.roles import MODERATORS, PRIVACY, REVIEWERS
from accounts.services import members
from accounts.services.leaving import leave
from accounts.tasks import send_mail
from accounts.tests.factories import make_member, make_user
from conftest import client_of
from verification import tasks
from verification.models import Event, Unmasking
from verification.models.claims import State
from verification.personal import DecidedForOthers
from verification.services import events, unmasking
from verification.tests.factories import make_claim, make_holder, make_provider, make_reviewer
from verification.tests.test_parallel import at_once

pytestmark = pytest.mark.django_db
WHY = "The court wants to know who wrote it."
FINE = "I have read the order, and it names this handle."


def make_officer(**fields):
    user = make_user(is_staff=True, **fields)
    user.groups.add(Group.objects.get(name=PRIVACY))
    Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={})
    return user


@pytest.fixture
def officer(db):
    return make_officer()


@pytest.fixture
def second(db):
    return make_officer()


@pytest.fixture
def holder(provider):
    return make_holder(provider)


def ask(member, officer, **changes):
    return unmasking.ask(
        handle=member.handle, by=officer, **{"basis": "harm", "reason": WHY, "reference": "F-12", **changes}
    )


def granted(member, officer, second, **changes):
    return unmasking.grant(request=ask(member, officer, **changes), by=second, why=FINE)


def today():
    return timezone.now().date()


def at(monkeypatch, **later):
    moment = timezone.now() + timedelta(**later)
    monkeypatch.setattr(timezone, "now", lambda: moment)


# Asking, granting, reading


def test_two_people_and_a_reason_show_the_name_to_the_one_who_asked(holder, officer, second, provider):
    request = granted(holder, officer, second)

    found = unmasking.read(request=request, by=officer)

    assert found.name == "Ottoline Quillfeather"
    assert (found.license_state, found.license_number) == ("Michigan", "4301977598")
    assert found.npi == provider.npi
    assert found.standing == "Verified"
    assert "Quillfeather" not in repr(found)
    request.refresh_from_db()
    assert request.seen_at


def test_every_look_is_an_event_that_leads_from_no_handle_to_a_claim(holder, officer, second):
    request = granted(holder, officer, second)
    for _ in range(2):
        unmasking.read(request=request, by=officer)

    rows = Event.objects.filter(object=f"unmasking:{request.pk}").order_by("pk")

    assert [row.kind for row in rows] == [
        "unmasking_asked",
        "unmasking_granted",
        "unmasking_seen",
        "unmasking_seen",
    ]
    assert {row.case_number for row in rows} == {""}
    assert {row.subject for row in rows} == {None}
    assert rows[0].actor == events.subject_of(officer).pk
    assert rows[1].actor == events.subject_of(second).pk
    assert rows[0].evidence == ["harm"]
    assert events.first_broken() is None


def test_nobody_else_reads_it(holder, officer, second):
    request = granted(holder, officer, second)
    for other in (second, make_officer(), make_user(is_staff=True, is_superuser=True)):
        with pytest.raises(unmasking.NotAllowed):
            unmasking.read(request=request, by=other)
    assert not Event.objects.filter(kind="unmasking_seen").exists()


def test_it_is_open_for_an_hour(holder, officer, second, monkeypatch):
    request = granted(holder, officer, second)
    at(monkeypatch, minutes=59)
    unmasking.read(request=request, by=officer)

    at(monkeypatch, minutes=1, seconds=1)
    with pytest.raises(unmasking.NotOpen):
        unmasking.read(request=request, by=officer)


def test_what_was_not_granted_is_not_read(holder, officer, second):
    request = ask(holder, officer)
    with pytest.raises(unmasking.NotOpen):
        unmasking.read(request=request, by=officer)

    unmasking.refuse(request=request, by=second, why=FINE)
    with pytest.raises(unmasking.NotOpen):
        unmasking.read(request=request, by=officer)


def test_who_lost_the_permission_reads_nothing(holder, officer, second):
    request = granted(holder, officer, second)
    officer.groups.clear()

    with pytest.raises(unmasking.NotAllowed):
        unmasking.read(request=request, by=type(officer).objects.get(pk=officer.pk))


@pytest.mark.parametrize("group", [REVIEWERS, MODERATORS, None])
def test_other_staff_neither_ask_nor_grant(holder, officer, group):
    other = make_user(is_staff=True)
    if group:
        other.groups.add(Group.objects.get(name=group))
    with pytest.raises(unmasking.NotAllowed):
        ask(holder, other)
    for act in (unmasking.grant, unmasking.refuse):
        with pytest.raises(unmasking.NotAllowed):
            act(request=ask(holder, officer), by=other, why=FINE)


def test_superusers_need_a_second_person_too(holder):
    root = make_user(is_staff=True, is_superuser=True)

    with pytest.raises(unmasking.TakesTwo):
        unmasking.grant(request=ask(holder, root), by=root, why=FINE)


def test_the_database_wants_two_people(holder, officer):
    request = ask(holder, officer)
    for decided_by in (officer, None):
        with pytest.raises(IntegrityError), transaction.atomic():
            Unmasking.objects.filter(pk=request.pk).update(decided_by=decided_by, decided_at=timezone.now())
    with pytest.raises(IntegrityError), transaction.atomic():
        Unmasking.objects.filter(pk=request.pk).update(open_until=timezone.now())


def test_nobody_unmasks_themselves_or_decides_on_it(provider, officer):
    own = make_member(user=make_officer())
    make_claim(own, provider, state=State.VERIFIED)

    with pytest.raises(unmasking.NotOneself):
        ask(own, own.user)
    request = ask(own, officer)
    for act in (unmasking.grant, unmasking.refuse):
        with pytest.raises(unmasking.NotOneself):
            act(request=request, by=own.user, why=FINE)
    assert request not in unmasking.visible_to(own.user)
    assert request in unmasking.visible_to(officer)


# What is asked


@pytest.mark.parametrize(
    ("changes", "refusal"),
    [
        ({"reason": "Because."}, unmasking.ReasonMissing),
        ({"reason": "   " * 20}, unmasking.ReasonMissing),
        ({"basis": "court", "reference": " "}, unmasking.NumberMissing),
        ({"basis": "fraud", "barred_until": "later"}, unmasking.BarIsForCourts),
        ({"basis": "court", "barred_until": "today"}, unmasking.BarIsOver),
        ({"handle": "nobody_of_that_name"}, unmasking.NobodyThere),
    ],
)
def test_what_is_asked_has_its_ground(holder, officer, changes, refusal):
    days = {"later": today() + timedelta(days=30), "today": today()}
    if "barred_until" in changes:
        changes = {**changes, "barred_until": days[changes["barred_until"]]}
    given = {"handle": holder.handle, "basis": "harm", "reason": WHY, "reference": "F-12", **changes}

    with pytest.raises(refusal):
        unmasking.ask(by=officer, **given)
    assert not Unmasking.objects.exists()


def test_a_decision_says_why(holder, officer, second):
    request = ask(holder, officer)
    for act in (unmasking.grant, unmasking.refuse):
        with pytest.raises(unmasking.ReasonMissing):
            act(request=request, by=second, why="Fine.")


def test_a_former_handle_finds_its_member(holder, officer):
    before = holder.handle
    members.change_handle(member=holder, handle="quite_another_one")

    assert unmasking.ask(handle=f"@{before.upper()}", by=officer, basis="harm", reason=WHY).member == holder


@pytest.mark.parametrize("state", [None, State.DRAFT, State.NEEDS_REVIEW, State.REJECTED, State.WITHDRAWN])
def test_applicants_have_no_verified_name(seeker, provider, officer, state):
    if state:
        make_claim(seeker, provider, state=state, rejected_for="mismatch")

    with pytest.raises(unmasking.NobodyThere):
        ask(seeker, officer)


@pytest.mark.parametrize("state", [State.LAPSED, State.SUSPENDED, State.RETIRED, State.REVOKED])
def test_who_was_verified_has_a_name(seeker, provider, officer, second, state):
    make_claim(seeker, provider, state=state, verified_at=timezone.now())

    request = granted(seeker, officer, second)

    assert unmasking.read(request=request, by=officer).name == "Ottoline Quillfeather"


def test_of_who_has_left_there_is_nothing_to_see(holder, officer, second):
    request, waiting = granted(holder, officer, second), ask(holder, second)
    leave(holder.user)

    with pytest.raises(unmasking.NobodyThere):
        unmasking.read(request=request, by=officer)
    with pytest.raises(unmasking.NobodyThere):
        unmasking.grant(request=waiting, by=officer, why=FINE)
    with pytest.raises(unmasking.NobodyThere):
        ask(holder, make_officer())
    request.refresh_from_db()
    assert (request.reason, request.reference, request.why) == (None, None, None)
    Unmasking.objects.filter(pk=request.pk).update(tell_on=today())
    assert unmasking.tell_due() == 0


def test_who_unmasked_others_stays_on_record(holder, officer, second):
    member = make_member(user=second)
    granted(holder, officer, second)

    with pytest.raises(DecidedForOthers):
        leave(member.user)


# Safe to repeat, and never twice at once


def test_asking_again_in_the_same_words_is_the_same_request(holder, officer):
    assert ask(holder, officer) == ask(holder, officer)
    with pytest.raises(unmasking.AskedAlready):
        ask(holder, officer, reason="Somebody else may be in danger too.")
    assert Event.objects.filter(kind="unmasking_asked").count() == 1


def test_what_is_open_is_not_asked_for_again(holder, officer, second, monkeypatch):
    granted(holder, officer, second)
    with pytest.raises(unmasking.OpenAlready):
        ask(holder, officer)

    at(monkeypatch, minutes=61)
    assert ask(holder, officer).decided_at is None


def test_a_decision_stands(holder, officer, second):
    request = ask(holder, officer)
    first = unmasking.grant(request=request, by=second, why=FINE)
    again = unmasking.grant(request=request, by=second, why=FINE)

    assert again.open_until == first.open_until
    for act, who in ((unmasking.refuse, second), (unmasking.grant, make_officer())):
        with pytest.raises(unmasking.DecidedAlready):
            act(request=request, by=who, why=FINE)
    assert Event.objects.filter(kind="unmasking_granted").count() == 1


@pytest.mark.django_db(transaction=True)
def test_two_who_decide_at_once_decide_once(holder, officer, second):
    request, third = ask(holder, officer), make_officer()

    outcomes = at_once(
        lambda: unmasking.grant(request=request, by=second, why=FINE),
        lambda: unmasking.refuse(request=request, by=third, why=FINE),
    )

    assert [type(each) for each in outcomes].count(unmasking.DecidedAlready) == 1
    request.refresh_from_db()
    assert request.is_granted == (request.decided_by_id == second.pk)


@pytest.mark.django_db(transaction=True)
def test_asked_at_once_it_is_one_request(holder, officer):
    requests = at_once(*[lambda: ask(holder, officer)] * 4)

    assert {request.pk for request in requests} == {Unmasking.objects.get().pk}


@pytest.mark.django_db(transaction=True)
def test_the_limit_holds_for_two_at_once(holder, officer, settings):
    settings.UNMASKINGS_ASKED = 1
    other = make_holder(make_provider("Brightwater", "Simeon", number="4301111111"))

    outcomes = at_once(lambda: ask(holder, officer), lambda: ask(other, officer))

    assert [type(each) for each in outcomes].count(unmasking.AskedTooOften) == 1
    assert Unmasking.objects.count() == 1


# What nobody decides


def events_of(request):
    rows = Event.objects.filter(object=f"unmasking:{request.pk}").order_by("pk")
    return list(rows.values_list("kind", flat=True))


def test_what_nobody_decides_in_two_weeks_runs_out(holder, officer, second, monkeypatch):
    request = ask(holder, officer)
    at(monkeypatch, days=13, hours=23)
    assert tasks.end_unmaskings() == 0
    assert unmasking.may_decide(request, second)

    at(monkeypatch, hours=1, minutes=1)
    for act in (unmasking.grant, unmasking.refuse):  # before the clock comes round, too
        with pytest.raises(unmasking.Ended):
            act(request=request, by=second, why=FINE)
    with pytest.raises(unmasking.Ended):
        unmasking.withdraw(request=request, by=officer)
    assert not unmasking.may_decide(request, second)
    assert [tasks.end_unmaskings(), tasks.end_unmaskings()] == [1, 0]

    request.refresh_from_db()
    assert (request.end, request.is_granted, request.decided_at) == ("run_out", False, None)
    assert events_of(request) == ["unmasking_asked", "unmasking_run_out"]
    assert Event.objects.get(kind="unmasking_run_out").actor is None
    assert events.first_broken() is None
    with pytest.raises(unmasking.Ended):
        unmasking.grant(request=request, by=second, why=FINE)
    with pytest.raises(unmasking.NotOpen):
        unmasking.read(request=request, by=officer)


def test_how_long_it_waits_is_a_setting(holder, officer, second, settings, monkeypatch):
    settings.UNMASKING_WAIT_DAYS = 3
    ask(holder, officer)

    at(monkeypatch, days=3)

    assert tasks.end_unmaskings() == 1


def test_what_ran_out_can_be_asked_again(holder, officer, second, monkeypatch):
    old = ask(holder, officer)
    at(monkeypatch, days=14)

    new = ask(holder, officer)  # before the clock came round

    assert new != old
    assert events_of(old) == ["unmasking_asked", "unmasking_run_out"]
    assert unmasking.grant(request=new, by=second, why=FINE).is_granted
    assert tasks.end_unmaskings() == 0


def test_whoever_asked_takes_it_back(holder, officer, second, monkeypatch):
    request = ask(holder, officer)
    for other in (second, make_user(is_staff=True, is_superuser=True)):
        with pytest.raises(unmasking.NotAllowed):
            unmasking.withdraw(request=request, by=other)

    taken_back = unmasking.withdraw(request=request, by=officer)
    again = unmasking.withdraw(request=request, by=officer)

    assert (taken_back.end, again.ended_at) == ("withdrawn", taken_back.ended_at)
    assert events_of(request) == ["unmasking_asked", "unmasking_withdrawn"]
    assert Event.objects.get(kind="unmasking_withdrawn").actor == events.subject_of(officer).pk
    for act in (unmasking.grant, unmasking.refuse):
        with pytest.raises(unmasking.Ended):
            act(request=request, by=second, why=FINE)
    assert unmasking.limits_of(officer).asked == 1
    assert ask(holder, officer) != request
    at(monkeypatch, days=400)
    assert unmasking.tell_due() == 0


def test_what_was_decided_is_not_taken_back(holder, officer, second):
    request = granted(holder, officer, second)

    with pytest.raises(unmasking.DecidedAlready):
        unmasking.withdraw(request=request, by=officer)


@pytest.mark.django_db(transaction=True)
def test_who_takes_back_and_who_grants_at_once_do_not_both(holder, officer, second):
    request = ask(holder, officer)

    outcomes = at_once(
        lambda: unmasking.withdraw(request=request, by=officer),
        lambda: unmasking.grant(request=request, by=second, why=FINE),
    )

    refused = [type(each) for each in outcomes if isinstance(each, Exception)]
    assert refused in ([unmasking.DecidedAlready], [unmasking.Ended])
    request.refresh_from_db()
    assert bool(request.end) != request.is_granted


def test_the_database_knows_one_end_of_a_request(holder, officer, second):
    request = granted(holder, officer, second)
    for wrong in (
        {"end": "withdrawn", "ended_at": timezone.now()},
        {"ended_at": timezone.now()},
        {"end": "forgotten"},
    ):
        with pytest.raises(IntegrityError), transaction.atomic():
            Unmasking.objects.filter(pk=request.pk).update(**wrong)


# Limits


def test_asking_and_granting_have_a_limit_in_30_days(
    holder, officer, second, settings, monkeypatch, provider
):
    settings.UNMASKINGS_ASKED = settings.UNMASKINGS_GRANTED = 1
    granted(holder, officer, second)
    other = make_holder(make_provider("Brightwater", "Simeon", number="4301111111"))

    with pytest.raises(unmasking.AskedTooOften, match="1 times"):
        ask(other, officer)
    with pytest.raises(unmasking.GrantedTooOften):
        unmasking.grant(request=ask(other, make_officer()), by=second, why=FINE)
    assert unmasking.limits_of(officer).asked == 1
    assert unmasking.limits_of(second).granted == 1

    at(monkeypatch, days=30, seconds=1)
    assert unmasking.limits_of(officer).asked == 0
    assert ask(other, officer)


# Telling


def test_the_member_is_told_a_week_after_it_was_granted_and_once(holder, officer, second, monkeypatch):
    request = granted(holder, officer, second)
    assert tasks.tell_unmasked() == 0

    at(monkeypatch, days=7)
    assert tasks.tell_unmasked() == 1
    assert tasks.tell_unmasked() == 0
    send_mail()

    (message,) = mail.outbox
    assert message.to == [holder.user.email]
    assert reverse("verification:unmaskings") in message.body
    for secret in (holder.handle, "Quillfeather", WHY, "F-12", "harm", "name"):
        assert secret not in message.subject + message.body
    request.refresh_from_db()
    assert request.told_at
    assert Event.objects.filter(kind="unmasking_told").count() == 1


def test_a_court_delays_it_and_the_last_day_counts(holder, officer, second, monkeypatch):
    until = today() + timedelta(days=30)
    request = granted(holder, officer, second, basis="court", barred_until=until)
    assert request.tell_on == until + timedelta(days=1)

    at(monkeypatch, days=30)
    assert unmasking.tell_due() == 0
    at(monkeypatch, days=1)
    assert unmasking.tell_due() == 1


def test_a_short_bar_does_not_hasten_it(holder, officer, second):
    until = today() + timedelta(days=2)

    request = granted(holder, officer, second, basis="court", barred_until=until)

    assert request.tell_on == today() + timedelta(days=7)


def test_of_a_refusal_the_member_never_hears(holder, officer, second, monkeypatch):
    unmasking.refuse(request=ask(holder, officer), by=second, why=FINE)

    at(monkeypatch, days=400)
    assert unmasking.tell_due() == 0
    assert not unmasking.told_to(holder).exists()
    assert not Mail.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_two_clocks_tell_once(holder, officer, second):
    request = granted(holder, officer, second)
    Unmasking.objects.filter(pk=request.pk).update(tell_on=today())

    assert sum(at_once(unmasking.tell_due, unmasking.tell_due)) == 1
    assert Mail.objects.count() == 1


# At the desk


def desk(name, *args):
    return reverse(f"admin:verification_unmasking_{name}", args=args)


def asked(**changes):
    return {"basis": "harm", "reason": WHY, "reference": "", "barred_until": "", **changes}


def browser(user, *, is_fresh=True):
    """Somebody who has just said again that it is them, or has not."""
    client = client_of(user)
    if is_fresh:
        session = client.session
        record_authentication(SimpleNamespace(session=session), user, method="mfa", reauthenticated=True)
        session.save()
    return client


def test_from_the_request_to_the_name(holder, officer, second):
    asking, granting = browser(officer), browser(second)
    answer = asking.post(desk("add"), asked(handle=holder.handle))
    request = Unmasking.objects.get()
    assert answer["Location"] == desk("change", request.pk)
    assert "Grant" not in asking.get(desk("change", request.pk)).content.decode()

    page = granting.get(desk("change", request.pk)).content.decode()
    assert WHY in page
    assert "you asked 0 of 5 times and granted 0 of 10" in page
    assert f"User {officer.pk} asked 1 of 5 times" in page
    assert granting.post(desk("change", request.pk), {"why": FINE, "decision": "Grant"}).status_code == 302
    assert "Read the name" not in granting.get(desk("change", request.pk)).content.decode()
    assert granting.post(desk("name", request.pk)).status_code == 403

    name = asking.post(desk("name", request.pk))
    assert name.status_code == 200
    assert "Ottoline Quillfeather" in name.content.decode()
    assert f"request {request.pk}  user {officer.pk}" in name.content.decode()
    assert "no-store" in name["Cache-Control"]
    for address in (desk("change", request.pk), desk("changelist")):
        for client in (asking, granting):
            assert "Quillfeather" not in client.get(address).content.decode()


def test_the_desk_says_when_it_runs_out_and_takes_it_back(holder, officer, second, monkeypatch):
    asking, granting = browser(officer), browser(second)
    first = ask(holder, officer)
    page = asking.get(desk("change", first.pk)).content.decode()
    assert "Take it back" in page
    assert f"{first.asked_at + timedelta(days=14):%Y-%m-%d}" in page
    assert "Take it back" not in granting.get(desk("change", first.pk)).content.decode()
    assert granting.post(desk("withdraw", first.pk)).status_code == 403
    assert asking.get(desk("withdraw", first.pk)).status_code == 302

    asking.post(desk("withdraw", first.pk))

    for client in (asking, granting):
        page = client.get(desk("change", first.pk)).content.decode()
        assert "Withdrawn" in page
        assert 'value="Grant"' not in page
        assert "Take it back" not in page
    second_one = ask(holder, officer)
    Unmasking.objects.filter(pk=second_one.pk).update(asked_at=timezone.now() - timedelta(days=15))
    assert "Ran out" in granting.get(desk("change", second_one.pk)).content.decode()
    tasks.end_unmaskings()
    for state, number in (("withdrawn", first.pk), ("run_out", second_one.pk)):
        rows = granting.get(desk("changelist"), {"state": state}).content.decode()
        assert f'"{desk("change", number)}' in rows
        assert rows.count("field-basis") == 1
    assert "field-basis" not in granting.get(desk("changelist"), {"state": "waiting"}).content.decode()


def test_a_followed_link_is_no_look(holder, officer, second):
    request = granted(holder, officer, second)

    assert browser(officer).get(desk("name", request.pk))["Location"] == desk("change", request.pk)
    assert not Event.objects.filter(kind="unmasking_seen").exists()


@pytest.mark.parametrize("address", ["add", "change", "name"])
def test_it_is_confirmed_that_it_is_still_them(holder, officer, second, address):
    request = granted(holder, officer, second)

    client = browser(officer, is_fresh=False)
    answer = client.post(
        desk(address, *([] if address == "add" else [request.pk])), {"reason": WHY, "why": WHY}
    )

    assert answer.status_code == 302
    assert "reauthenticate" in answer["Location"]
    assert WHY not in str(dict(client.session.items()))  # where it would wait in clear
    assert not Event.objects.filter(kind="unmasking_seen").exists()


def test_a_refusal_of_the_rules_is_said_beside_its_field(officer, holder):
    page = browser(officer).post(desk("add"), asked(handle="nobody_there", reason=WHY))
    assert page.status_code == 422
    assert "No verified name stands behind this handle." in page.content.decode()

    page = browser(officer).post(desk("add"), asked(handle=holder.handle, basis="court"))
    assert "Write the file number of the court." in page.content.decode()


def test_a_decision_without_words_is_not_taken(holder, officer, second):
    request = ask(holder, officer)

    page = browser(second).post(desk("change", request.pk), {"why": "Fine.", "decision": "Grant"})

    assert page.status_code == 422
    request.refresh_from_db()
    assert request.decided_at is None


def test_the_doors(holder, officer, second, reviewer, moderator, seeker):
    request = granted(holder, officer, second)
    addresses = [desk("changelist"), desk("add"), desk("change", request.pk)]
    with_a_factor = make_reviewer()
    with_a_factor.groups.clear()
    for who in (reviewer, with_a_factor):
        client = browser(who)
        assert {client.get(address).status_code for address in addresses} == {403}
        assert client.post(desk("name", request.pk)).status_code == 403
    for member in (holder, seeker, moderator):
        client = browser(member.user)
        assert {client.get(address).status_code for address in addresses} <= {302, 403}


def test_no_officer_finds_what_concerns_them(provider, officer, second):
    own = make_member(user=make_officer())
    make_claim(own, provider, state=State.VERIFIED)
    request = granted(own, officer, second)

    client = browser(own.user)

    assert client.get(desk("change", request.pk)).status_code == 404
    assert client.post(desk("name", request.pk)).status_code == 404
    assert client.post(desk("withdraw", request.pk)).status_code == 404
    assert own.handle not in client.get(desk("changelist")).content.decode().split('id="content-main"')[1]


def test_the_list_costs_the_same_at_any_length(schools, specialties, officer, django_assert_max_num_queries):
    for number in range(4):
        ask(make_holder(make_provider(number=f"43012222{number}")), officer)
    client = browser(officer)
    client.get(desk("changelist"))

    with django_assert_max_num_queries(14):
        assert client.get(desk("changelist")).content.decode().count("field-basis") == 4


# The member's own page


def test_the_member_reads_on_what_ground_and_when(holder, officer, second, monkeypatch):
    request = granted(holder, officer, second)
    own = client_of(holder)
    assert "Nobody that you can be told of" in own.get(reverse("verification:unmaskings")).content.decode()

    Unmasking.objects.filter(pk=request.pk).update(tell_on=today())
    unmasking.tell_due()
    page = own.get(reverse("verification:unmaskings")).content.decode()

    assert "Danger to somebody" in page
    assert f"privacy officer {officer.pk}" in page
    assert "was not read" in page
    for hidden in (WHY, FINE, "F-12", officer.email):
        assert hidden not in page


def test_nobody_reads_of_others(holder, officer, second, physician_client, client):
    request = granted(holder, officer, second)
    Unmasking.objects.filter(pk=request.pk).update(told_at=timezone.now())
    address = reverse("verification:unmaskings")

    assert "Danger" not in physician_client.get(address).content.decode()
    assert client.get(address).status_code == 302


def test_the_page_costs_the_same_at_any_length(
    holder, officer, second, settings, django_assert_max_num_queries
):
    for _ in range(3):
        request = granted(holder, officer, second)
        Unmasking.objects.filter(pk=request.pk).update(told_at=timezone.now(), open_until=timezone.now())
    own = client_of(holder)

    with django_assert_max_num_queries(6):
        own.get(reverse("verification:unmaskings"))
