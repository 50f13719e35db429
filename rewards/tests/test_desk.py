"""The finance desk: who has it, what can be done there, and that nothing of the ledger is edited."""

import re
from datetime import timedelta
from html import unescape
from types import SimpleNamespace
from uuid import uuid4

import pytest
from allauth.account.internal.flows.login import record_authentication
from allauth.mfa.models import Authenticator
from django.apps import apps
from django.contrib import admin
from django.contrib.auth.models import Group
from django.db import connection
from django.db.models import F
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from accounts.roles import FINANCE, REVIEWERS
from accounts.tests.factories import make_user
from conftest import client_of
from questions.models import Post
from questions.tests.factories import make_question
from rewards import tasks
from rewards.desk import figures
from rewards.desk.base import KeysFirst
from rewards.desk.permissions import FINANCE_MAY, allow_finance
from rewards.models import (
    Account,
    Award,
    Earmark,
    Firm,
    OpenPayment,
    Payout,
    PayoutBatch,
    Reconciliation,
    Report,
    TaxFiling,
    Transaction,
    YearRule,
)
from rewards.services import checking, clearing, ledger, open_payments
from rewards.services.approving import OwnPayout
from rewards.tests.factories import balance, fund, make_charity, make_earmark, make_firm, make_payee
from verification.models import Event
from verification.receivers import allow_groups

pytestmark = pytest.mark.django_db

MODELS = sorted(
    model._meta.model_name for model in admin.site._registry if model._meta.app_label == "rewards"
)
ACTS = [
    (model._meta.model_name, act)
    for model, desk in admin.site._registry.items()
    if model._meta.app_label == "rewards"
    for act in getattr(desk, "acts", ())
]


def make_finance():
    allow_finance(apps.get_app_config("rewards"), using="default")
    user = make_user(is_staff=True)
    user.groups.add(Group.objects.get(name=FINANCE))
    Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={})
    return user


def confirmed(user):
    """A browser in which somebody has just shown that it is them."""
    client = client_of(user)
    session = client.session
    record_authentication(SimpleNamespace(session=session), user, method="mfa", reauthenticated=True)
    session.save()
    return client


@pytest.fixture
def finance(db):
    return make_finance()


@pytest.fixture
def desk(finance):
    return confirmed(finance)


def page(model, name="changelist", *args):
    return reverse(f"admin:rewards_{model}_{name}", args=args)


def act(model, name, *args):
    return page(model, name.replace("-", "_"), *args)


def text_of(response):
    return unescape(response.content.decode())


def said(response):
    return [str(message) for message in response.context["messages"]]


def opening_of(member):
    """The opening of a new discussion, written two hours ago."""
    post = make_question(member).posts.get(kind="opening")
    Post.objects.filter(pk=post.pk).update(posted_at=timezone.now() - timedelta(hours=2))
    return post


def make_payout(receiver, cents=25_000, *, method="check", state="requested", days=10, **fields):
    """A payout with its money on the way, as `payouts` makes it."""
    of_member = hasattr(receiver, "subject")
    source = ledger.payable_to(receiver) if of_member else ledger.held_for(receiver)
    held = ledger.post(
        kind="payout",
        key=f"test:{uuid4()}",
        entries={source: -cents, ledger.house(Account.Kind.SENDING): cents},
    )
    owner = {"subject": receiver.subject, "payee": receiver} if of_member else {"charity": receiver}
    return Payout.objects.create(
        submission=uuid4(),
        method=method,
        provider="manual",
        details={"name": "Ottoline Quillfeather", "street": "12 Heron Walk"},
        cents=cents,
        state=state,
        promised_on=timezone.now().date() + timedelta(days=days),
        held=held,
        **owner,
        **fields,
    )


@pytest.fixture
def payout(physician):
    payee = make_payee(physician)
    fund(payee, 40_000)
    return make_payout(payee)


def make_payment(member, firm, **fields):
    """One payment of a covered firm, noted for its report."""
    post = opening_of(member)
    earmark = make_earmark(post, firm)
    payee = make_payee(member)
    written = ledger.post(
        kind="settle",
        key=f"earmark:{earmark.pk}:settle",
        entries={ledger.reserved_of(firm): -1_000, ledger.payable_to(payee): 1_000},
    )
    award = Award.objects.create(
        payee=payee,
        firm=firm,
        cause="author",
        earmark=earmark,
        cents=1_000,
        entry=written.entries.get(amount=1_000),
    )
    known = {
        **{"year": 2026, "paid_on": "2026-03-01", "cents": 1_000, "form": "Cash", "nature": "Honoraria"},
        "recipient": {"first_name": "Ottoline", "last_name": "Quillfeather"},
    }
    return OpenPayment.objects.create(award=award, firm=firm, subject=payee.subject, **{**known, **fields})


# the door


def test_only_finance_has_the_desk(physician_client, moderator, client, desk):
    reviewer = make_user(is_staff=True)
    reviewer.groups.add(Group.objects.get_or_create(name=REVIEWERS)[0])
    Authenticator.objects.create(user=reviewer, type=Authenticator.Type.TOTP, data={})
    moderator.user.is_staff = True
    moderator.user.save()
    others = [client_of(moderator), client_of(reviewer)]

    for model in MODELS:
        assert physician_client.get(page(model)).status_code in (302, 403, 404)
        assert client.get(page(model)).status_code in (302, 404)
        assert [other.get(page(model)).status_code for other in others] == [403, 403]
        assert desk.get(page(model)).status_code == 200


def test_every_right_that_finance_is_given_is_there(finance):
    given = finance.groups.get().permissions.filter(content_type__app_label="rewards")

    assert sorted(given.values_list("codename", flat=True)) == sorted(FINANCE_MAY)


def test_the_front_page_says_what_waits_to_finance_and_superusers_alone(desk, payout, moderator):
    operator = make_user(is_staff=True, is_superuser=True)
    Authenticator.objects.create(user=operator, type=Authenticator.Type.TOTP, data={})
    front = reverse("admin:app_list", args=["rewards"])
    moderator.user.is_staff = True
    moderator.user.save()

    for client in (desk, client_of(operator)):
        assert "Payouts waiting for approval" in text_of(client.get(front))
    assert client_of(moderator).get(front).status_code == 404


def test_reviewers_do_not_read_of_money_in_the_audit_trail(desk):
    allow_groups(apps.get_app_config("verification"), using="default")
    reviewer = make_user(is_staff=True)
    reviewer.groups.add(Group.objects.get(name=REVIEWERS))
    operator = make_user(is_staff=True, is_superuser=True)
    for user in (reviewer, operator):
        Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={})
    trail = reverse("admin:verification_event_changelist") + "?about=posts"
    desk.post(
        act("firm", "top-up", make_firm(balance=0).pk),
        {"cents": "10", "note": "Wire", "submission": str(uuid4())},
    )

    assert "finance_top_up" not in text_of(client_of(reviewer).get(trail))
    assert "finance_top_up" in text_of(client_of(operator).get(trail))


def test_nothing_of_the_ledger_is_edited_and_nothing_deleted(rf, finance):
    request = rf.get("/admin/")
    request.user = make_user(is_staff=True, is_superuser=True)
    words = {"firm", "charity"}

    for model, desk in admin.site._registry.items():
        if model._meta.app_label == "rewards":
            assert not desk.has_delete_permission(request)
            assert desk.has_change_permission(request) == (model._meta.model_name in words)
            assert desk.has_add_permission(request) == (model._meta.model_name in words)


def test_acts_are_finances_and_ask_who_sits_there(finance, moderator):
    """Whoever lacks the permission is refused at once; who has it is asked to confirm where it matters."""
    moderator.user.is_staff = True
    moderator.user.save()
    other, asked = confirmed(moderator.user), client_of(finance)

    for model, of in ACTS:
        address = act(model, of.name, *([] if of.of_list else [1]))
        assert other.post(address).status_code == 403
        assert ("reauthenticate" in getattr(asked.post(address), "url", "")) == of.is_guarded


def test_money_approvals_and_files_are_guarded():
    guarded = {(model, of.name) for model, of in ACTS if of.is_guarded}

    assert guarded >= {
        ("firm", "top-up"),
        ("firm", "pay-back"),
        ("payout", "approve"),
        ("payout", "found-paid"),
        ("payout", "never-sent"),
        ("payoutbatch", "take"),
        ("payoutbatch", "file"),
        ("yearrule", "1099"),
        ("report", "export"),
        ("transaction", "reverse"),
    }


# firms


def test_a_top_up_is_done_once(desk):
    firm = make_firm(balance=0)
    typed = {"cents": "1,250.50", "note": "Wire 7781", "submission": str(uuid4())}

    for _ in range(2):
        answer = desk.post(act("firm", "top-up", firm.pk), typed, follow=True)
        assert said(answer) == ["$1,250.50 are on the balance."]
    assert balance(ledger.firm_balance(firm)) == 125_050
    assert "Wire 7781" in text_of(answer)
    assert Event.objects.filter(kind="finance_top_up", object=f"firm:{firm.pk}").count() == 1


def test_the_same_form_with_another_amount_is_refused(desk):
    firm = make_firm(balance=0)
    typed = {"cents": "10", "note": "Wire", "submission": str(uuid4())}
    desk.post(act("firm", "top-up", firm.pk), typed)

    for change in ({"cents": "20"}, {"note": "Another"}):
        answer = desk.post(act("firm", "top-up", firm.pk), {**typed, **change})
        assert answer.status_code == 422
        assert "This form was used before" in text_of(answer)
    assert balance(ledger.firm_balance(firm)) == 1_000


def test_an_amount_that_is_none_is_kept_and_refused(desk):
    firm = make_firm(balance=0)

    for cents in ("", "0", "12.345", "-5", "much", "9999999999"):
        typed = {"cents": cents, "note": "Wire 1", "submission": str(uuid4())}
        answer = desk.post(act("firm", "top-up", firm.pk), typed)
        assert answer.status_code == 422
        assert "Wire 1" in text_of(answer)
    assert not Transaction.objects.exists()


def test_no_more_is_paid_back_than_is_on_the_balance(desk):
    firm = make_firm(balance=5_000)
    typed = {"cents": "50.01", "note": "Back", "submission": str(uuid4())}

    assert "not enough money" in text_of(desk.post(act("firm", "pay-back", firm.pk), typed))
    answer = desk.post(act("firm", "pay-back", firm.pk), {**typed, "cents": "50"}, follow=True)
    assert said(answer) == ["$50.00 are noted as paid back."]
    assert balance(ledger.firm_balance(firm)) == 0


def test_a_firm_that_is_not_active_takes_no_new_money(desk):
    firm = make_firm(balance=0, is_active=False)

    answer = desk.post(
        act("firm", "top-up", firm.pk), {"cents": "5", "note": "Wire", "submission": str(uuid4())}
    )

    assert answer.status_code == 422
    assert balance(ledger.firm_balance(firm)) == 0


def test_a_firm_is_added_and_its_products_are_lines(desk):
    typed = {
        **{"name": " Halden  Pharma ", "kind": "pharma", "is_covered": "on", "is_active": "on"},
        **{"registration_id": "100000000001", "products": "Cardolin\r\n\r\nCardolin\r\nNefrol "},
    }
    for wrong in ("", "../../etc", "1\r\nX: y", "１２"):
        assert desk.post(page("firm", "add"), {**typed, "registration_id": wrong}).status_code == 200
    assert not Firm.objects.exists()

    assert desk.post(page("firm", "add"), typed).status_code == 302
    firm = Firm.objects.get()
    assert (firm.name, firm.products) == ("Halden Pharma", ["Cardolin", "Nefrol"])
    assert "Cardolin\nNefrol" in text_of(desk.get(page("firm", "change", firm.pk)))
    assert Event.objects.filter(kind="finance_firm", object=f"firm:{firm.pk}").exists()


def test_the_balance_of_a_charity_is_paid_out(desk, settings, physician):
    settings.PAYOUT_PROVIDERS = {"charity": "manual"}
    charity = make_charity()
    payee = make_payee(physician)
    fund(payee, 7_000)
    ledger.post(
        kind="donation",
        key="gift",
        entries={ledger.payable_to(payee): -7_000, ledger.held_for(charity): 7_000},
    )
    typed = {"submission": str(uuid4())}

    for _ in range(2):
        answer = desk.post(act("charity", "pay-out", charity.pk), typed, follow=True)

    payout = Payout.objects.get()
    assert said(answer) == [f"Payout {payout.pk} of $70.00 waits for somebody else to approve it."]
    assert balance(ledger.held_for(charity)) == 0

    assert "Somebody else decides" in text_of(desk.post(act("payout", "approve", payout.pk)))
    other = confirmed(make_finance())
    other.post(act("payout", "approve", payout.pk))
    desk.post(act("charity", "pay-out", charity.pk), typed)
    payout.refresh_from_db()
    assert payout.state == "approved"
    assert "asked for by you" in text_of(desk.post(act("payoutbatch", "take"), {"method": "charity"}))
    assert charity.name in other.post(act("payoutbatch", "take"), {"method": "charity"}).content.decode()


def test_where_a_charitys_money_goes_is_changed_by_who_confirms_and_kept_in_the_trail(desk, finance):
    charity = make_charity()
    before = f"name: {charity.name} -> Feigned Fund"
    typed = {"name": "Feigned Fund", "ein": charity.ein, "is_active": "on"}

    for address in (page("charity", "change", charity.pk), page("charity", "add")):
        assert "reauthenticate" in client_of(finance).post(address, typed).url
    assert desk.post(page("charity", "change", charity.pk), typed).status_code == 302
    event = Event.objects.get(kind="finance_charity", object=f"charity:{charity.pk}")
    assert event.evidence == [before]


# earmarks and sponsorships


def test_an_earmark_is_placed_and_cancelled(desk, physician):
    firm = make_firm()
    post = opening_of(physician)
    typed = {
        **{"firm": firm.pk, "post": post.pk, "author_cents": "10", "voter_cents": "5", "voter_slots": 2},
        "submission": str(uuid4()),
    }

    for _ in range(2):
        answer = desk.post(act("earmark", "place"), typed, follow=True)
    earmark = Earmark.objects.get()
    assert said(answer) == [f"Earmark {earmark.pk}: $20.00 are reserved."]
    assert balance(ledger.reserved_of(firm)) == 2_000

    desk.post(act("earmark", "cancel", earmark.pk))
    assert balance(ledger.reserved_of(firm)) == 0
    assert "Canceled" in text_of(desk.get(page("earmark")))


def test_an_earmark_out_of_bounds_keeps_what_was_typed(desk, physician):
    post, bounds = opening_of(physician), "From $5.00 to $25.00."
    typed = {"firm": make_firm().pk, "post": post.pk, "author_cents": "10", "submission": str(uuid4())}

    for change, words in [
        ({"author_cents": "4.99"}, bounds),
        ({"author_cents": "25.01"}, bounds),
        ({"voter_slots": "3"}, "or neither"),
        ({"post": "999999999"}, "no post of this number"),
    ]:
        answer = desk.post(act("earmark", "place"), {**typed, **change})
        assert answer.status_code == 422
        assert words in text_of(answer)
    assert not Earmark.objects.exists()


def test_an_earmark_leads_to_no_account(desk, physician):
    earmark = make_earmark(opening_of(physician))
    placed = timezone.localtime(earmark.placed_at)

    shown = text_of(desk.get(page("earmark", "change", earmark.pk)))

    assert f"{placed:%Y-%m-%d}" in shown
    assert f"{placed:%H:%M}" not in shown
    assert not re.search(r"rewards/(transaction|account|entry)/\d", shown)
    assert physician.handle not in shown


def test_a_sponsorship_is_agreed_and_withdrawn(desk, physician):
    from polls.tests.factories import make_poll

    firm, poll = make_firm(), make_poll(asker=physician)
    typed = {
        **{"firm": firm.pk, "poll": poll.pk, "honorarium": "12", "quota": "50", "is_blinded": "on"},
        "submission": str(uuid4()),
    }

    answer = desk.post(act("sponsorship", "agree"), typed, follow=True)
    assert said(answer) == ["Agreed: 50 votes at $12.00 are reserved."]
    assert desk.post(act("sponsorship", "agree"), {**typed, "quota": "60"}).status_code == 422
    assert balance(ledger.reserved_of(firm)) == 60_000
    assert "0 of 50" in text_of(desk.get(page("sponsorship", "change", poll.pk)))

    answer = desk.post(act("sponsorship", "withdraw", poll.pk), follow=True)
    assert said(answer) == ["Withdrawn. What was reserved is back on the balance."]
    assert balance(ledger.reserved_of(firm)) == 0


@pytest.mark.parametrize("is_blinded", ["on", ""])
def test_the_label_of_a_poll_says_whether_its_sponsor_learns_who_takes_part(
    desk, physician, colleague_client, is_blinded
):
    from polls.tests.factories import make_poll

    poll = make_poll(asker=physician)
    typed = {"firm": make_firm().pk, "poll": poll.pk, "honorarium": "12", "quota": "50"}
    desk.post(act("sponsorship", "agree"), {**typed, "is_blinded": is_blinded, "submission": str(uuid4())})

    for address in (poll.question.get_absolute_url(), reverse("polls:list")):
        shown = text_of(colleague_client.get(address, follow=True))
        assert "Honorarium $12.00" in shown
        assert ("The sponsor learns who takes part" in shown) == (not is_blinded)


# the ledger


def test_a_transaction_is_reversed_once_and_for_a_reason(desk):
    firm = make_firm(balance=5_000)
    first = Transaction.objects.get()

    assert desk.post(act("transaction", "reverse", first.pk), {"note": " "}).status_code == 422
    for status in (302, 422):
        assert (
            desk.post(act("transaction", "reverse", first.pk), {"note": "Typed twice"}).status_code == status
        )
    assert balance(ledger.firm_balance(firm)) == 0
    assert Transaction.objects.get(reverses=first).note == "Typed twice"


def test_what_was_earned_goes_back_to_the_firm_and_is_not_reported(desk, physician):
    firm = make_firm(balance=5_000, is_covered=True)
    payment = make_payment(physician, firm)
    settled = payment.award.entry.transaction

    assert desk.post(act("transaction", "reverse", settled.pk), {"note": "Fraud"}).status_code == 302

    payment.refresh_from_db()
    assert payment.excluded
    assert balance(ledger.firm_balance(firm)) == 5_000
    assert balance(ledger.reserved_of(firm)) == 0
    assert balance(payment.award.entry.account) == 0
    assert list(checking.faults()) == []


def test_what_is_paid_out_already_is_not_reversed(desk, physician):
    firm = make_firm(balance=5_000)
    payment = make_payment(physician, firm)
    make_payout(payment.award.payee, 1_000)

    answer = desk.post(act("transaction", "reverse", payment.award.entry.transaction_id), {"note": "Fraud"})

    assert answer.status_code == 422
    assert "not enough money" in text_of(answer)
    payment.refresh_from_db()
    assert not payment.excluded


def test_what_other_records_tell_of_is_not_reversed_here(desk, payout):
    answer = desk.post(act("transaction", "reverse", payout.held_id), {"note": "No"})

    assert answer.status_code == 422
    assert "Other records tell of this" in text_of(answer)


def test_the_key_of_what_was_earned_is_not_shown(desk, physician):
    payment = make_payment(physician, make_firm(balance=5_000))
    settled = payment.award.entry.transaction

    assert "not shown" in text_of(desk.get(page("transaction", "change", settled.pk)))
    assert settled.key not in text_of(desk.get(page("transaction", "change", settled.pk)))
    assert "0 transactions" in text_of(desk.get(page("transaction"), {"q": settled.key}))


def test_a_post_and_an_account_are_not_joined(desk, physician):
    """From neither side of what was earned, nor from what took it back, nor by an address of one's own making."""
    payment = make_payment(physician, make_firm(balance=5_000))
    settled, account = payment.award.entry.transaction, payment.award.entry.account
    undone = ledger.reverse(earlier=settled, note="Of question 12")
    hidden = [str(account.subject), f"rewards/account/{account.pk}/"]

    for address in (
        *(page("transaction", "change", each.pk) for each in (settled, undone)),
        *(page(model) for model in ("transaction", "entry", "earmark")),
        page("entry") + "?account__kind__exact=payable",
    ):
        shown = text_of(desk.get(address))
        assert [each for each in hidden if each in shown] == []
    for each in (settled, undone):
        at = timezone.localtime(each.at)
        assert f"{at:%H:%M}" not in text_of(desk.get(page("transaction", "change", each.pk)))
    assert "a member" in text_of(desk.get(page("transaction", "change", settled.pk)))

    shown = text_of(desk.get(page("account", "change", account.pk)))
    assert "Earmark settled" in shown
    assert "Of question 12" not in shown
    assert not re.search(r"rewards/transaction/\d", shown)

    for address in (
        *(f"{page('entry')}?account={account.pk}", f"{page('entry')}?account__subject={account.subject}"),
        f"{page('earmark')}?ended={settled.pk}",
        f"{page('openpayment')}?subject={account.subject}",
    ):
        assert desk.get(address).status_code == 400
    assert "0 entries" in text_of(desk.get(page("entry"), {"q": str(account.subject)}))


def test_a_transaction_of_many_lines_is_read_in_pages(desk, monkeypatch):
    from rewards.desk import ledger as desk_of_ledger

    monkeypatch.setattr(desk_of_ledger, "LINES", 1)
    make_firm(balance=5_000)
    address = page("transaction", "change", Transaction.objects.get().pk)

    first = desk.get(address)
    assert "Further ones" in text_of(first)
    [table] = desk.get(address + first.context["tables"][0].more).context["tables"]
    assert (len(table.rows), table.more) == (1, "")


def test_accounts_name_no_member_and_show_their_entries_in_pages(desk, physician, monkeypatch):
    from rewards.desk import ledger as desk_of_ledger

    monkeypatch.setattr(desk_of_ledger, "ENTRIES", 2)
    payee = make_payee(physician)
    for cents in (101, 202, 303):
        fund(payee, cents)
    account = ledger.payable_to(payee)

    assert str(payee.subject) in text_of(desk.get(page("account"), {"q": str(payee.subject)}))
    first = desk.get(page("account", "change", account.pk))
    assert "$3.03" in text_of(first)
    assert "$1.01" not in text_of(first)
    assert "$1.01" in text_of(
        desk.get(page("account", "change", account.pk) + first.context["tables"][0].more)
    )
    assert first.context["tables"][0].more == "?skip=2"  # a cursor would be the key of an entry
    assert physician.handle not in text_of(first)

    house = desk.get(page("account", "change", ledger.house(Account.Kind.FEE).pk))
    assert "?after=" in house.context["tables"][0].more


# payouts


def test_a_payout_is_approved_by_somebody_else(desk, payout):
    answer = desk.post(act("payout", "approve", payout.pk), follow=True)

    assert said(answer) == ["Approved. It is on its way with the next round."]
    payout.refresh_from_db()
    assert payout.state == "approved"
    assert payout.approvals.count() == 1


def test_a_large_sum_takes_two_people(desk, physician):
    payee = make_payee(physician)
    fund(payee, 150_000)
    payout = make_payout(payee, 150_000)

    assert "second person" in said(desk.post(act("payout", "approve", payout.pk), follow=True))[0]
    assert desk.post(act("payout", "approve", payout.pk)).status_code == 422
    confirmed(make_finance()).post(act("payout", "approve", payout.pk))
    payout.refresh_from_db()
    assert payout.state == "approved"


def test_a_payout_is_refused_with_a_reason(desk, payout):
    assert desk.post(act("payout", "refuse", payout.pk), {"note": ""}).status_code == 422
    assert (
        desk.post(act("payout", "refuse", payout.pk), {"note": "The address is not whole."}).status_code
        == 302
    )

    payout.refresh_from_db()
    assert payout.state == "reversed"
    assert "The address is not whole." in text_of(desk.get(page("payout", "change", payout.pk)))
    assert "not possible any more" in text_of(desk.get(act("payout", "approve", payout.pk)))


def test_a_batch_is_taken_away_confirmed_and_comes_back(desk, payout, settings):
    settings.PAYOUT_PROVIDERS = {"check": "manual"}
    Payout.objects.filter(pk=payout.pk).update(state="approved")

    taken = desk.post(act("payoutbatch", "take"), {"method": "check"})
    assert taken["Content-Disposition"].startswith('attachment; filename="payouts-check-')
    assert "no-store" in taken["Cache-Control"]
    assert "Heron Walk" in taken.content.decode()
    assert "No approved payouts" in text_of(desk.post(act("payoutbatch", "take"), {"method": "check"}))

    payout.refresh_from_db()
    assert desk.post(act("payoutbatch", "file", payout.batch_id)).content == taken.content
    assert Event.objects.filter(kind="finance_batch_again").count() == 1

    desk.post(act("payout", "confirm", payout.pk), {"reference": "Check 1182"})
    payout.refresh_from_db()
    assert (payout.state, payout.reference) == ("paid", "Check 1182")
    desk.post(act("payout", "came-back", payout.pk), {"note": "Moved away"})
    payout.refresh_from_db()
    assert payout.state == "reversed"


def test_a_batch_of_a_method_that_is_sent_by_itself_now_can_still_be_taken(desk, payout, settings):
    settings.PAYOUT_PROVIDERS = {"check": "pretend"}
    assert desk.post(act("payoutbatch", "take"), {"method": "check"}).status_code == 422

    Payout.objects.update(state="approved")
    assert desk.post(act("payoutbatch", "take"), {"method": "check"}).status_code == 200


def test_nobody_takes_a_payout_of_their_own_away(payout, settings, physician):
    settings.PAYOUT_PROVIDERS = {"check": "manual"}
    Payout.objects.update(state="approved")
    physician.user.is_staff = True
    physician.user.save()
    physician.user.groups.add(make_finance().groups.get())
    Authenticator.objects.create(user=physician.user, type=Authenticator.Type.TOTP, data={})

    answer = confirmed(physician.user).post(act("payoutbatch", "take"), {"method": "check"})

    assert "is your own" in text_of(answer)
    assert not PayoutBatch.objects.exists()


def test_a_number_pays_one_payout_on_the_day_it_was_paid(desk, physician):
    payee = make_payee(physician)
    fund(payee, 50_000)
    first, second = (make_payout(payee, state="submitted") for _ in range(2))
    typed = {"reference": "Check 1182", "paid_on": figures.today()}

    assert desk.post(act("payout", "confirm", first.pk), typed).status_code == 302
    answer = desk.post(act("payout", "confirm", second.pk), {**typed, "reference": " check 1182 "})

    assert "under this number" in text_of(answer)
    first.refresh_from_db()
    assert (first.state, first.paid_on) == ("paid", figures.today())
    assert Payout.objects.get(pk=second.pk).state == "submitted"


def in_doubt(payee):
    fund(payee, 25_000)
    return make_payout(payee, state="in_doubt", sent_at=timezone.now())


def test_two_people_find_that_a_payout_in_doubt_was_paid(desk, physician):
    payout, other = in_doubt(make_payee(physician)), confirmed(make_finance())
    address, typed = (
        act("payout", "found-paid", payout.pk),
        {"reference": "PP-77", "paid_on": figures.today()},
    )

    assert said(desk.post(address, typed, follow=True)) == [
        "Noted. It counts once somebody else notes the same."
    ]
    assert "Somebody else now" in text_of(desk.post(address, typed))
    assert "Noted" in said(other.post(address, {**typed, "reference": "PP-78"}, follow=True))[0]
    assert Payout.objects.get().state == "in_doubt"
    assert said(other.post(address, typed, follow=True)) == [
        "Two people found the same. It is marked as paid."
    ]

    payout.refresh_from_db()
    assert (payout.state, payout.reference, payout.paid_on) == ("paid", "PP-77", figures.today())
    assert list(checking.faults()) == []
    reasons = Event.objects.filter(kind="finance_doubt").order_by("pk").values_list("reason", flat=True)
    assert list(reasons) == ["first", "first", "second"]
    assert "not possible any more" in text_of(desk.get(address))


def test_two_people_find_that_a_payout_in_doubt_was_never_sent(desk, physician):
    payee = make_payee(physician)
    payout, other = in_doubt(payee), confirmed(make_finance())
    address = act("payout", "never-sent", payout.pk)

    desk.post(address)
    Payout.objects.update(sent_at=timezone.now())
    other.post(address)
    assert Payout.objects.get().state == "in_doubt"  # what was found before it was sent again counts no more
    desk.post(address)

    payout.refresh_from_db()
    assert payout.state == "reversed"
    assert balance(ledger.payable_to(payee)) == 25_000
    assert list(checking.faults()) == []


def test_nobody_clears_up_a_payout_of_their_own(physician):
    payout = in_doubt(make_payee(physician))

    with pytest.raises(OwnPayout):
        clearing.never_sent(payout=payout, by=physician.user)
    with pytest.raises(OwnPayout):
        clearing.found_paid(payout=payout, reference="1", paid_on=figures.today(), by=physician.user)


def test_where_a_payout_goes_is_on_no_page(desk, payout, physician):
    for address in (page("payout"), page("payout", "change", payout.pk), act("payout", "approve", payout.pk)):
        shown = text_of(desk.get(address))
        assert "$250.00" in shown
        for secret in ("Quillfeather", "Heron Walk", physician.handle, physician.user.email):
            assert secret not in shown


def test_queues_hold_what_waits_for_the_same(desk, physician):
    payee = make_payee(physician)
    fund(payee, 500_000)
    kept = {
        "": make_payout(payee, 20_001),
        "file": make_payout(payee, 20_002, state="approved"),
        "sent": make_payout(payee, 20_003, state="submitted"),
        "doubt": make_payout(payee, 20_004, state="in_doubt"),
        "late": make_payout(payee, 20_005, state="in_doubt", days=-2),
    }

    for name, row in kept.items():
        found = desk.get(page("payout"), {"queue": name} if name else {}).context["cl"].result_list
        assert row in found
        assert len(found) == (2 if name == "doubt" else 1)
    assert len(desk.get(page("payout"), {"queue": "all"}).context["cl"].result_list) == 5


def test_what_is_typed_at_an_act_is_in_no_error_report(desk, payout):
    answer = desk.post(act("payout", "refuse", payout.pk), {"note": "Moved away"})

    assert answer.wsgi_request.sensitive_post_parameters == "__ALL__"


# reconciliations and reports


def test_reconciling_is_started_for_the_last_weeks_alone(
    desk, settings, monkeypatch, django_capture_on_commit_callbacks
):
    settings.PAYOUT_PROVIDERS, settings.DEMO = {"bank": "pretend", "check": "manual"}, True
    monkeypatch.setattr(tasks.reconcile_since, "delay", tasks.reconcile_since)
    address, today = act("reconciliation", "now"), timezone.now().date()

    def asked(provider, days):
        typed = {"provider": provider, "since": today - timedelta(days=days)}
        with django_capture_on_commit_callbacks(execute=True):
            return desk.post(address, typed, follow=True)

    assert said(asked("pretend", 90)) == ["Started. The result appears in this list within minutes."]
    made = Reconciliation.objects.get()
    assert (made.provider, made.since.date()) == ("pretend", today - timedelta(days=90))
    assert "of the last 90 days" in text_of(asked("pretend", 91))
    assert asked("manual", 1).status_code == 422
    assert Reconciliation.objects.count() == 1


def test_differences_are_read_line_by_line(desk):
    row = Reconciliation.objects.create(
        provider="stripe",
        since=timezone.now(),
        differences=[
            {"what": "The amounts differ", "key": "k", "reference": "tr_1", "ours": 1000, "theirs": 990}
        ],
    )

    shown = text_of(desk.get(page("reconciliation", "change", row.pk)))

    assert "$9.90" in shown
    assert "1 unexplained" in text_of(desk.get(page("reconciliation")))


def test_the_1099_export_is_a_file_and_leaves_an_event(desk):
    answer = desk.post(act("yearrule", "1099"), {"year": "2024"})

    assert answer["Content-Type"] == "text/csv; charset=utf-8"
    assert 'filename="1099-nec-2024.csv"' in answer["Content-Disposition"]
    assert Event.objects.filter(kind="finance_1099").count() == 1


def test_a_1099_export_of_a_running_year_is_called_preliminary(desk):
    address, year = act("yearrule", "1099"), figures.today().year

    assert "This year is not over" in text_of(desk.post(address, {"year": year}))
    assert "This year is over" in text_of(desk.post(address, {"year": year - 1, "is_preliminary": "on"}))
    answer = desk.post(address, {"year": year, "is_preliminary": "on"})
    assert f"1099-nec-{year}-preliminary.csv" in answer["Content-Disposition"]


def test_what_was_filed_and_is_otherwise_now_is_corrected(desk, physician):
    subject = make_payee(physician).subject
    rule = YearRule.objects.get_or_create(
        year=2024,
        defaults={"tax_cents": 60_000, "single_cents": 1_000, "total_cents": 10_000, "layout": "2024"},
    )[0]
    TaxFiling.objects.create(year=2024, subject=subject, cents=70_000)

    row = text_of(desk.get(page("yearrule", "change", rule.pk)))
    assert "$700.00" in row
    assert str(subject) not in row
    answer = desk.post(act("yearrule", "corrections"), {"year": "2024"})
    assert "1099-nec-2024-corrections.csv" in answer["Content-Disposition"]
    assert "$700.00" not in text_of(desk.get(page("yearrule", "change", rule.pk)))


def test_a_report_is_opened_disputed_answered_and_exported_in_turn(desk, physician, settings):
    settings.OPEN_PAYMENTS_PREVIEW_DAYS = 1
    firm = make_firm(balance=5_000, is_covered=True)
    known = {"is_blind": False, "unblinded_on": "2025-03-01", "unblinded_by": "public"}
    payment = make_payment(physician, firm, year=2025, **known)
    opened = desk.post(act("report", "open"), {"firm": firm.pk, "year": 2025}, follow=True)
    assert said(opened)[0].startswith("Opened. Physicians read it until")
    report = firm.reports.get()
    assert "Physicians may still read" in text_of(desk.post(act("report", "export", report.pk)))
    Report.objects.update(
        opened_on=F("opened_on") - timedelta(days=60), closes_on=F("closes_on") - timedelta(days=60)
    )

    open_payments.dispute(payment=payment, words="That was not me.")
    assert f"openpayment/{payment.pk}/" in text_of(desk.get(page("report", "change", report.pk)))
    assert "Answer that first" in text_of(desk.post(act("report", "export", report.pk)))
    shown = text_of(desk.get(page("openpayment", "change", payment.pk)))
    assert "That was not me." in shown
    assert "Quillfeather" not in shown

    answered = {"outcome": "kept", "words": "Registry and bank agree that it was."}
    assert desk.post(act("openpayment", "answer", payment.pk), answered).status_code == 302
    taken = desk.post(act("report", "export", report.pk))
    assert taken["Content-Type"] == "text/csv; charset=utf-8"


def test_a_dispute_found_right_leaves_the_payment_out(desk, physician):
    firm = make_firm(balance=5_000, is_covered=True)
    payment = make_payment(physician, firm, dispute="open", disputed_at=timezone.now())

    answered = {"outcome": "corrected", "words": "It is left out."}
    assert desk.post(act("openpayment", "answer", payment.pk), {**answered, "words": ""}).status_code == 422
    desk.post(act("openpayment", "answer", payment.pk), answered)

    payment.refresh_from_db()
    assert (payment.dispute, payment.excluded) == ("corrected", True)


def test_a_dispute_of_who_it_was_is_corrected(desk, physician):
    firm = make_firm(balance=5_000, is_covered=True)
    payment = make_payment(physician, firm, dispute="open", disputed_at=timezone.now())

    answered = {"outcome": "corrected", "words": "Now with the right name.", "last_name": "Quilfeather"}
    desk.post(act("openpayment", "answer", payment.pk), answered)

    payment.refresh_from_db()
    assert (payment.recipient["last_name"], payment.excluded) == ("Quilfeather", False)


def test_a_payment_of_a_firm_that_does_not_report_says_so(desk, physician):
    payment = make_payment(physician, make_firm(balance=5_000))

    assert "does not report" in text_of(desk.get(page("openpayment", "change", payment.pk)))


def test_the_desk_notes_that_a_firm_learned_whom_it_paid(desk, physician):
    payment = make_payment(physician, make_firm(balance=5_000, is_covered=True))

    desk.post(act("openpayment", "unblind", payment.pk))

    payment.refresh_from_db()
    assert (payment.is_blind, payment.unblinded_by) == (False, "finance")


# lists


@pytest.fixture
def full(physician, payout):
    """A row or more in every list."""
    firm = make_firm(balance=20_000, is_covered=True)
    for _ in range(2):
        make_payment(physician, firm, dispute="open", disputed_at=timezone.now())
    make_charity()
    Reconciliation.objects.create(provider="pretend", since=timezone.now())


def test_lists_take_few_queries(desk, full, django_assert_max_num_queries):
    for model in MODELS:
        with django_assert_max_num_queries(10):
            assert desk.get(page(model), {"queue": "all"} if model == "payout" else {}).status_code == 200


def test_a_list_of_transactions_reads_no_line_of_theirs(desk, full):
    with CaptureQueriesContext(connection) as queries:
        shown = text_of(desk.get(page("transaction")))

    assert "$200.00" in shown
    assert not [each for each in queries if each["sql"].startswith('SELECT "rewards_entry"')]


def test_pages_far_back_hold_the_same(desk, full, monkeypatch):
    """What they cost is in test_desk_many."""
    for name, value in {"list_per_page": 2, "list_max_show_all": 2}.items():
        monkeypatch.setattr(admin.site._registry[Transaction], name, value)

    def third():
        return [row.pk for row in desk.get(page("transaction"), {"p": 3}).context["cl"].result_list]

    near = third()
    monkeypatch.setattr(KeysFirst, "far", 1)
    assert third() == near
    assert len(near) == 2


def test_whatever_is_sought_is_answered(desk, full):
    terms = {"account": "²", "earmark": "post:x", "openpayment": "9" * 40, "payout": "²", "entry": "nobody"}
    for model, term in {**terms, "transaction": "9" * 40, "charity": "12-", "report": "-1"}.items():
        assert desk.get(page(model), {"q": term}).status_code == 200
