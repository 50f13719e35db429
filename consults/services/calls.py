"""What a paged member does with a page: see it, accept it, pass on it, hand it over.

Each holds the discussion and the paging first, as the steps of the paging do: two who accept come one after the other.
"""

from datetime import datetime

from django.db import transaction
from django.utils import timezone

from accounts.models import Member
from consults.models import Call, Paging
from consults.on_call_board import named_to
from consults.services import duties, paging, routing
from questions.models import Question
from sermo.errors import RuleBroken

State = Call.State


class NotYours(RuleBroken):
    message = "This page went to somebody else."


class TakenByAnother(RuleBroken):
    message = "A colleague was faster: the page is taken."


class Over(RuleBroken):
    message = "This page has ended."


class WentOn(RuleBroken):
    message = (
        "A colleague took this page and left it, and it went on to others. You can still answer the case."
    )


class AcceptedAlready(RuleBroken):
    message = "You accepted this page. If you cannot answer, hand it over."


class PassedOn(RuleBroken):
    message = "You have passed this page on."


class CannotTake(RuleBroken):
    message = "This colleague cannot be paged now. Choose another one."


class NobodyElse(RuleBroken):
    message = "Nobody else on call can be paged now."


class NotAllowed(RuleBroken):
    message = "Your license needs a new check before you can accept a page."


@transaction.atomic
def see(*, member: Member, case_id: int | None = None) -> int:
    """Note that a member has seen their open calls, or those of one case alone; return how many were new."""
    new = Call.objects.select_for_update().filter(member=member, state=State.SENT).order_by("pk")
    new = new if case_id is None else new.filter(paging__case=case_id)
    calls = list(new.values_list("pk", flat=True))
    return Call.objects.filter(pk__in=calls).update(state=State.SEEN, seen_at=timezone.now())


@transaction.atomic
def accept(*, call: Call, member: Member) -> Call:
    """Take a page: escalation ends, what others hold open expires, and the asker is told. Twice is once.

    Raises NotYours, TakenByAnother, Over, WentOn, PassedOn, NotAllowed.
    """
    call = _lock(call, member)
    if call.state in (State.ACCEPTED, State.ANSWERED):
        return call
    _check_open(call)
    if not Member.objects.filter(pk=member.pk, standing=Member.Standing.PHYSICIAN).exists():
        raise NotAllowed
    is_visible = Question.objects.visible_to(member.user).open().filter(pk=call.paging.case_id).exists()
    if not is_visible or not routing.may_hear(call.paging).filter(pk=member.pk).exists():
        raise Over  # its audience, the member, or a block between them has changed since
    now, one = timezone.now(), call.paging
    _decide(call, State.ACCEPTED, now)
    one.state, one.next_at = Paging.State.ACCEPTED, None
    one.first_heard_at = one.first_heard_at or now
    one.save(update_fields=["state", "next_at", "first_heard_at"])
    paging.expire(one, now)
    paging.tell_asker(one, f"accepted:{call.pk}")
    return call


@transaction.atomic
def decline(*, call: Call, member: Member) -> Call:
    """Pass on a page that was not accepted. The next step comes at its time, also where nobody is left in this one.

    Twice is once. Raises NotYours, AcceptedAlready, TakenByAnother, Over, WentOn, PassedOn.
    """
    call = _lock(call, member)
    if call.state == State.DECLINED:
        return call
    _check_open(call)
    _decide(call, State.DECLINED, timezone.now())
    return call


@transaction.atomic
def hand_over(*, call: Call, member: Member, to: Member | None = None) -> Call:
    """Hand an open or accepted page to a colleague on call who shows their handle, or (None) to the next in line.

    They are called at once, also if a page of the same paging expired when another took it: that call is sent anew.
    An accepted page is open again, and escalates unless they accept within a few minutes. Returns their call; twice is
    once. Raises NotYours, TakenByAnother, Over, WentOn, PassedOn, CannotTake, NobodyElse.
    """
    call = _lock(call, member)
    one = call.paging
    if call.state == State.HANDED_OVER and (made := one.calls.filter(member=call.handed_to_id).first()):
        return made
    if call.state != State.ACCEPTED:
        _check_open(call)
    elif one.state != Paging.State.ACCEPTED or paging.is_over(one):
        raise Over
    duties.lock(one.specialty_id)
    now = timezone.now()
    chosen = _chosen(call, to, now)
    expired = one.calls.select_for_update(of=("self",)).filter(member=chosen.member).first()
    made = _send_anew(expired, chosen, now) if expired else paging.call(one, chosen, call.step, now)
    call.handed_to_id = made.member_id
    _decide(call, State.HANDED_OVER, now)
    if one.state == Paging.State.ACCEPTED:
        paging.reopen(one, now)
    paging.tell_paged(one, [made.member_id], again=f":{call.pk}" if expired else "")
    return made


def _send_anew(call: Call, to: routing.Candidate, now: datetime) -> Call:
    call.state, call.duty_id, call.sent_at = State.SENT, to.duty, now
    call.seen_at = call.decided_at = None
    call.save(update_fields=["state", "duty", "sent_at", "seen_at", "decided_at"])
    return call


def takers(*, call: Call) -> list[Member]:
    """The colleagues to whom a call can be handed by name, by handle: those whom the board may name, too."""
    found = routing.takers(call.paging, call.member, timezone.now())
    shown = named_to(call.member.user).filter(pk__in=[one.member for one in found])
    return list(shown.order_by("handle"))


def _lock(call: Call, member: Member) -> Call:
    """One's own call with its locked paging. Raises NotYours."""
    paging_id = Call.objects.filter(pk=call.pk, member=member).values_list("paging", flat=True).first()
    if paging_id is None:
        raise NotYours
    one = paging.lock(paging_id)
    call = Call.objects.select_for_update(of=("self",)).get(pk=call.pk)
    call.paging, call.member = one, member
    return call


def _check_open(call: Call) -> None:
    """Raises PassedOn, Over, AcceptedAlready, TakenByAnother, WentOn."""
    if call.state in (State.DECLINED, State.HANDED_OVER):
        raise PassedOn
    if call.paging.state not in paging.LIVE or paging.is_over(call.paging):
        raise Over
    if call.state == State.ACCEPTED:
        raise AcceptedAlready
    if call.paging.state == Paging.State.ACCEPTED:
        raise TakenByAnother
    if call.state not in Call.OPEN:
        raise WentOn


def _decide(call: Call, state: str, now: datetime) -> None:
    call.state, call.decided_at, call.seen_at = state, now, call.seen_at or now
    call.save(update_fields=["state", "decided_at", "seen_at", "handed_to"])


def _chosen(call: Call, to: Member | None, now: datetime) -> routing.Candidate:
    """Who takes it over, those first who were not called yet. That somebody hidden is on call cannot be found out by
    naming them.
    """
    found = routing.takers(call.paging, call.member, now, busy=set())
    if to is None:
        if not found:
            raise NobodyElse
        called = set(call.paging.calls.values_list("member", flat=True))
        order = routing.ranked(found, f"{call.paging_id}:handed:{call.pk}")
        return min(order, key=lambda one: one.member in called)
    shown = named_to(call.member.user).filter(pk=to.pk).exists()
    chosen = next((one for one in found if one.member == to.pk), None)
    if chosen is None or not shown:
        raise CannotTake
    return chosen
