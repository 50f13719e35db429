"""The questions: asked, answered and judged on the server."""

import secrets
from datetime import datetime, timedelta

from django.db import transaction
from django.utils import timezone

from accounts.models import User
from sermo.errors import RuleBroken
from verification import options, registry, rules
from verification.models import Challenge, Claim, Provider
from verification.models.claims import TRIES, State
from verification.services import claims, events, limits, notices, states

# A page sends its form when its own clock runs out; the way from there to here is not the applicant's time.
GRACE = timedelta(seconds=3)
Verdict = Challenge.Verdict


class NotNow(RuleBroken):
    message = "There are no questions to answer now."


class TooSoon(RuleBroken):
    message = "The second try opens 24 hours after the first."


class ChooseOne(RuleBroken):
    message = "Choose one of the six answers."


@transaction.atomic
def start_challenge(*, claim: Claim, address: str = "") -> Challenge | None:
    """Begin a try of the questions and its clock; the try is used from now on, finished or not.

    Called again while a try runs, it returns that try. Returns None when there is nothing to start: the last try has
    just run out of time, or people must decide and the claim is now in review. Raises NotNow, TooSoon,
    TooManyFromHere.
    """
    states.lock_account(claim.user)
    guards = states.lock_identity(claim)
    claim = states.lock(claim)
    if running := claim.challenges.running().first():
        return None if _timed_out(claim, running) else running
    if claim.state != State.MATCHED:
        raise NotNow
    guard = guards[claim.npi_hash]
    if doubts := claims.reasons_against_a_try(claim, guard):
        claims.to_review(claim, *doubts)
        return None
    if (opens := next_try_at(claim)) and opens > timezone.now():
        raise TooSoon
    sheet = _sheet(claim)
    if sheet is None:
        claims.to_review(claim, "few_facts")
        return None
    limits.count_start(address)
    now = timezone.now()
    guard.tries_used, guard.last_try_at = guard.tries_used + 1, now
    guard.save(update_fields=["tries_used", "last_try_at"])
    challenge = Challenge.objects.create(
        claim=claim,
        number=claim.challenges.count() + 1,
        facts=[entry["fact"] for entry in sheet],
        sheet=sheet,
        issued_at=now,
        asked_at=now,
    )
    events.record(
        kind="challenge_started",
        claim=claim,
        by=claim.user,
        evidence=challenge.facts,
        address_hash=limits.address_hash(address),
    )
    return challenge


@transaction.atomic
def answer(*, claim: Claim, position: int, choice: int | None) -> Challenge:
    """Take the answer to the open question; the last one brings the verdict, and so does one that comes too late.

    An answer to any other question is an old page or a second click and changes nothing. Raises NotNow when no try
    runs, ChooseOne.
    """
    states.lock_identity(claim)
    claim = states.lock(claim)
    challenge = claim.challenges.running().first()
    if challenge is None:
        raise NotNow
    if _timed_out(claim, challenge) or position != challenge.position:
        return challenge
    if choice is None and seconds_left(challenge) == 0:  # sent by the page's own clock, with nothing chosen
        _finish(claim, challenge, Verdict.TIMED_OUT)
        return challenge
    if choice is None or not 0 <= choice < options.OPTIONS:
        raise ChooseOne
    challenge.sheet[position]["given"] = choice
    challenge.position, challenge.asked_at = position + 1, timezone.now()
    if challenge.position == len(challenge.sheet):
        is_right = all(entry["given"] == entry["right"] for entry in challenge.sheet)
        _finish(claim, challenge, Verdict.PASSED if is_right else Verdict.FAILED)
    else:
        challenge.save(update_fields=["sheet", "position", "asked_at"])
    return challenge


@transaction.atomic
def skip(*, claim: Claim) -> Claim:
    """Go on with documents instead; a try that runs is used up. Does nothing where there are no questions."""
    states.lock_identity(claim)
    claim = states.lock(claim)
    if claim.state != State.MATCHED:
        return claim
    leave_running(claim)
    return claims.to_review(claim, "skipped", as_=states.APPLICANT, by=claim.user)


@transaction.atomic
def settle(*, claim: Claim) -> Claim:
    """End a try whose time ran out. Called wherever a claim is shown, so nobody need watch the clock."""
    running = claim.challenges.running().first()
    if running is None or deadline(running) > timezone.now():
        return claim
    states.lock_identity(claim)
    claim = states.lock(claim)
    if running := claim.challenges.running().first():
        _timed_out(claim, running)
    return states.lock(claim)


def _timed_out(claim: Claim, challenge: Challenge) -> bool:
    if deadline(challenge) > timezone.now():
        return False
    _finish(claim, challenge, Verdict.TIMED_OUT)
    return True


def deadline(challenge: Challenge) -> datetime:
    """When the open question's time is over."""
    return challenge.asked_at + timedelta(seconds=rules.CHALLENGE_SECONDS) + GRACE


def seconds_left(challenge: Challenge) -> int:
    """Whole seconds the page shows for the open question."""
    left = challenge.asked_at + timedelta(seconds=rules.CHALLENGE_SECONDS) - timezone.now()
    return max(0, int(left.total_seconds()))


def next_try_at(claim: Claim) -> datetime | None:
    """When this account may start its second try, or None before the first."""
    last = Challenge.objects.filter(claim__user=claim.user).order_by("-issued_at").first()
    return last.issued_at + timedelta(hours=rules.CHALLENGE_WAIT_HOURS) if last else None


def question_count(claim: Claim) -> int:
    """How many questions the next try will have."""
    provider = Provider.objects.filter(npi=claim.registry["npi"]).first()
    known = len(registry.facts_of(provider, claim.license_state, claims.leave_out(claim))) if provider else 0
    return min(options.QUESTIONS, known)


def tries_of(user: User) -> int:
    return Challenge.objects.filter(claim__user=user).count()


def _sheet(claim: Claim) -> list[dict] | None:
    """The questions of the next try in the order of section 6.2, facts not yet asked first, or None for too few."""
    provider = Provider.objects.filter(npi=claim.registry["npi"]).first()
    if provider is None:
        return None
    facts = registry.facts_of(provider, claim.license_state, claims.leave_out(claim))
    asked = {kind for kinds in _earlier(claim).values_list("facts", flat=True) for kind in kinds}
    facts.sort(key=lambda fact: fact.kind in asked)
    offers = [found for fact in facts if (found := options.options_for(provider, fact))]
    offers = offers[: options.QUESTIONS]
    if len(offers) < options.FEWEST_QUESTIONS:
        return None
    kinds = [fact.kind for fact in registry.facts_of(provider, claim.license_state)]
    none = options.none_questions(provider.npi, kinds)
    shuffle = secrets.SystemRandom().shuffle
    return [options.question(provider, offer, none.get(offer.fact), shuffle) for offer in offers]


def _earlier(claim: Claim):
    return Challenge.objects.filter(claim__user=claim.user, claim__npi_hash=claim.npi_hash)


def leave_running(claim: Claim) -> None:
    """Close a try that runs on a locked claim: it is used up, and the holder of the identity hears of it."""
    if running := claim.challenges.running().first():
        _close(claim, running, Verdict.LEFT)


def _finish(claim: Claim, challenge: Challenge, verdict: str) -> None:
    """Close a try and draw the consequence, which says nothing of single answers."""
    _close(claim, challenge, verdict)
    if verdict == Verdict.PASSED:
        states.move(claim=claim, to=State.CHALLENGED, as_=states.SYSTEM, evidence=["questions"])
        return
    guard = states.lock_identity(claim)[claim.npi_hash]
    if tries_of(claim.user) >= TRIES or guard.tries_used >= TRIES:
        claims.to_review(claim, "questions_failed")


def _close(claim: Claim, challenge: Challenge, verdict: str) -> None:
    """Answers and options are forgotten with the verdict; which kinds of fact were asked stays."""
    challenge.sheet, challenge.verdict, challenge.finished_at = [], verdict, timezone.now()
    challenge.save(update_fields=["sheet", "position", "asked_at", "verdict", "finished_at"])
    events.record(kind="challenge", claim=claim, by=claim.user, reason=verdict, evidence=challenge.facts)
    notices.tell_holder(claim)
