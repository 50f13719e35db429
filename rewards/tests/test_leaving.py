"""Money of those who leave: a link for 90 days, then charity, and nobody is known any more."""

import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.utils import timezone

from accounts.models import Mail, Member
from accounts.services.leaving import leave
from accounts.tests.factories import make_member
from focusgroups.models import Room
from focusgroups.tests.factories import make_completion, make_participant, make_room, make_section
from polls.models import Sponsor
from polls.tests.factories import make_poll
from questions.tests.factories import make_answer, make_question
from rewards.models import Affiliation, Award, Payee, PayoutMethod, Slot, TaxForm
from rewards.services import checking, choosing, honoraria, leaving, ledger, rooms, sponsoring
from rewards.tests.factories import fund, make_charity, make_earmark, make_firm, make_payee, owed

pytestmark = pytest.mark.django_db


def letter_of(member):
    """The mail about money that a member gets who leaves now, and the secret in it."""
    leave(member.user)
    text = Mail.objects.filter(subject__startswith="Money").latest("pk").text
    return text, re.search(r"/rewards/left/([^/\s]+)/", text)[1]


def years_later(payee, days=91):
    Payee.objects.filter(pk=payee.pk).update(left_at=timezone.now() - timedelta(days=days))


def test_the_link_of_the_letter_leads_to_the_payee():
    member = make_member()
    payee = make_payee(member)

    _, secret = letter_of(member)

    assert leaving.payee_by(secret) == payee
    assert leaving.payee_by(secret + "x") is None


def test_after_90_days_it_does_not():
    member = make_member()
    payee = make_payee(member)
    _, secret = letter_of(member)
    years_later(payee)

    assert leaving.payee_by(secret) is None


def test_the_letter_is_the_same_with_and_without_an_earmark():
    plain, marked = make_member(), make_member()
    make_earmark(make_answer(make_question(make_member()), author=marked))

    letters = [letter_of(member) for member in (plain, marked)]

    assert len({text.replace(secret, "") for text, secret in letters}) == 1


def test_an_applicant_who_earned_nothing_gets_none():
    member = make_member(standing=Member.Standing.APPLICANT)

    leave(member.user)

    assert not Mail.objects.filter(subject__startswith="Money").exists()
    assert not Payee.objects.exists()


def test_leaving_takes_the_way_of_payouts_and_the_ties_to_posts(nobody_told):
    member, firm = make_member(), make_firm()
    payee, answer = make_payee(member), make_answer(make_question(make_member()), author=member)
    entry = fund(payee, 1_500).entries.get(amount__gt=0)
    Award.objects.create(
        payee=payee, firm=firm, cause="author", earmark=make_earmark(answer, firm), question=answer.question,
        post=answer, cents=1_500, entry=entry,
    )  # fmt: skip
    PayoutMethod.objects.create(payee=payee, method="check", details={"name": "A"})
    Affiliation.objects.create(member=member, firm=firm)

    leave(member.user)

    award = Award.objects.get()
    assert (award.payee, award.question, award.post) == (payee, None, None)
    assert not PayoutMethod.objects.exists()
    assert not Affiliation.objects.exists()
    assert owed(payee) == 1_500


def test_what_is_left_goes_to_charity_and_the_way_to_the_member_ends():
    member, charity = make_member(), make_charity()
    payee = make_payee(member)
    fund(payee, 1_500)
    leave(member.user)
    years_later(payee)

    assert leaving.close_due() == 1
    assert leaving.close_due() == 0
    assert owed(payee.subject) == 0
    assert ledger.held_for(charity).balance == 1_500
    assert not Payee.objects.exists()


def test_the_charity_is_the_one_that_was_chosen():
    make_charity("Aid")
    member, chosen = make_member(), make_charity("Zebra Fund")
    payee = choosing.choose(member=member, takes="charity", charity=chosen)
    fund(payee, 700)
    leave(member.user)
    years_later(payee)

    leaving.close_due()

    assert ledger.held_for(chosen).balance == 700


def test_without_a_charity_the_money_waits():
    member = make_member()
    payee = make_payee(member)
    fund(payee, 700)
    leave(member.user)
    years_later(payee)

    assert leaving.close_due() == 0
    assert owed(payee) == 700


def test_a_paid_vote_that_nobody_waits_for_any_more_is_another_ones():
    make_charity()
    member, poll = make_member(), make_poll()
    sponsoring.agree(poll=poll, firm=make_firm(), honorarium=1_000, quota=1, key=uuid4())
    honoraria.take(poll=poll, member=member)
    leave(member.user)
    years_later(member.payee)

    leaving.close_due()

    assert not Slot.objects.exists()
    assert Sponsor.objects.get().taken == 0


def test_a_fault_at_one_keeps_no_other_waiting(monkeypatch):
    make_charity()
    payees = [make_payee(make_member(), left_at=timezone.now()) for _ in range(2)]
    nobodys = make_payee(make_member())
    for payee in (*payees, nobodys):
        fund(payee, 700)
    years_later(payees[0], days=92)
    years_later(payees[1])
    subject = nobodys.subject
    nobodys.delete()
    real = ledger.post

    def post(*, entries, **said):
        if ledger.payable_to(payees[0]) in entries:
            raise RuntimeError
        return real(entries=entries, **said)

    monkeypatch.setattr(ledger, "post", post)

    assert leaving.close_due() == 1
    assert [owed(each) for each in (payees[0].pk, payees[1].pk, subject)] == [700, 0, 0]


def test_what_comes_back_to_nobody_goes_to_charity():
    charity = make_charity()
    payee = make_payee(make_member())
    fund(payee, 1_500)
    payee.delete()

    leaving.close_due()

    assert ledger.held_for(charity).balance == 1_500


def test_before_90_days_nothing_ends():
    member = make_member()
    payee = make_payee(member)
    leave(member.user)
    years_later(payee, days=89)

    assert leaving.close_due() == 0


@pytest.mark.parametrize(("years", "is_kept"), [(3, True), (6, False)])
def test_a_tax_form_outlives_its_payee_by_four_years(years, is_kept):
    payee = make_payee(make_member())
    TaxForm.objects.create(
        subject=payee.subject, form={}, certified_at=timezone.now() - timedelta(days=366 * years)
    )
    leaving.forget_tax_forms()
    assert TaxForm.objects.exists()
    payee.delete()

    leaving.forget_tax_forms()

    assert TaxForm.objects.exists() is is_kept


def test_what_is_done_in_a_focus_group_and_not_final_is_earned_by_leaving():
    firm, member = make_firm(), make_member()
    room = make_room(seats=4)
    sections = [make_section(room, honorarium=cents) for cents in (5_000, 3_000)]
    rooms.agree(room=room, firm=firm, key=uuid4())
    Room.objects.filter(pk=room.pk).update(published_at=timezone.now())
    participant = make_participant(room, member=member)
    make_completion(participant, sections[0])

    _, secret = letter_of(member)

    assert owed(leaving.payee_by(secret)) == 5_000
    participant.refresh_from_db()
    assert participant.member is None
    assert list(checking.faults()) == []
