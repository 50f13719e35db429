"""An identity that somebody holds answers exactly like one that nobody holds."""

import re
from contextlib import contextmanager
from itertools import count
from types import SimpleNamespace

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from verification import options
from verification.models import Challenge, Claim, Document, IdentityGuard
from verification.models.claims import State
from verification.services import challenge as challenges
from verification.services import vouching
from verification.tests.factories import image_bytes, make_applicant, make_claim, make_provider, new_npi

pytestmark = pytest.mark.django_db
CHANGING = [
    (rb'(name="csrfmiddlewaretoken" value=")[^"]+', rb"\1"),
    (rb'("X-CSRFToken": ")[^"]+', rb"\1"),
    (rb'(nonce=")[^"]+', rb"\1"),
]


@pytest.fixture(autouse=True)
def still_world(monkeypatch):
    """The clock stands, and what is drawn at random is drawn alike in both worlds."""
    now = timezone.now()
    monkeypatch.setattr(timezone, "now", lambda: now)
    draw(monkeypatch, Claim, "started_at", lambda: now)
    draw(monkeypatch, Document, "uploaded_at", lambda: now)
    monkeypatch.setattr(challenges, "secrets", SimpleNamespace(SystemRandom=AlwaysTheSame))
    monkeypatch.setattr(
        vouching, "secrets", SimpleNamespace(token_urlsafe=lambda length: "the-same-code-in-both-worlds")
    )


def draw(monkeypatch, model, name, default):
    """Give a field another default; Django keeps the one it has looked up."""
    field = model._meta.get_field(name)
    monkeypatch.setattr(field, "default", default)
    monkeypatch.setitem(field.__dict__, "_get_default", default)


class AlwaysTheSame:
    def shuffle(self, rows):
        rows.sort(key=str)


@contextmanager
def world():
    """What happens in it is undone at its end."""
    point = transaction.savepoint()
    try:
        yield
    finally:
        transaction.savepoint_rollback(point)


class Visitor:
    """A browser that writes down every answer, with only token, nonce and request id made equal."""

    def __init__(self, member):
        self.browser = Client(headers={"user-agent": "test"})
        self.browser.force_login(member.user)
        self.seen = []

    def go(self, name, data=None, *args):
        address = reverse(f"verification:{name}", args=args)
        response = self.browser.get(address) if data is None else self.browser.post(address, data)
        body = response.content
        for pattern, kept in CHANGING:
            body = re.sub(pattern, kept, body)
        headers = {
            key: value
            for key, value in response.items()
            if key not in ("X-Request-Id", "Content-Security-Policy")
        }
        self.seen.append((name, response.status_code, headers, body))
        return response


def identity_form(provider, **changes):
    return {
        "first": "Ottoline",
        "last": "Quillfeather",
        "degree": "MD",
        "state": "MI",
        "npi": provider.npi,
        **changes,
    }


def whole_way(member, provider, monkeypatch, *, fail=0, vouch=False):
    """An applicant's way up to the reviewer's decision: every page and every form."""
    numbers = count(1)
    draw(monkeypatch, Claim, "case_number", lambda: f"V-2222-{next(numbers):04}")
    visitor = Visitor(member)
    visitor.go("start")
    visitor.go("identity")
    visitor.go("identity", identity_form(provider, npi="1234567898"))
    visitor.go("identity", identity_form(provider))
    for attempt in range(1 + fail):
        visitor.go("start")
        visitor.go("challenge")
        visitor.go("challenge_start", {})
        running = Challenge.objects.filter(claim__user=member.user).running().first()
        for position, entry in enumerate(running.sheet if running else []):
            visitor.go("challenge")
            choice = entry["right"] if attempt == fail and fail < 2 else (entry["right"] + 1) % 6
            visitor.go("challenge_answer", {"question": position, "answer": choice})
        visitor.go("start")
        a_day_later(member)
    visitor.go("proof")
    if vouch:
        visitor.go("colleagues_ask", {})
        visitor.go("proof")
    file = SimpleUploadedFile("card.jpg", image_bytes(), "image/jpeg")
    visitor.go("document_add", {"sort": "license", "file": file})
    visitor.go("start")
    visitor.go("proof")
    return visitor.seen


def a_day_later(member):
    """The last try began 25 hours ago."""
    for challenge in Challenge.objects.filter(claim__user=member.user):
        challenge.issued_at -= timezone.timedelta(hours=25)
        challenge.save()


def hold(provider, *, tries=0):
    """Somebody verified with this license, after so many tries of the questions."""
    holder = make_claim(make_applicant(), provider, state=State.VERIFIED)
    for number in range(tries):
        Challenge.objects.create(
            claim=holder, number=number + 1, facts=[], sheet=[], verdict="passed" if number + 1 == tries else "failed",
            finished_at=timezone.now(),
        )  # fmt: skip
    IdentityGuard.objects.create(identity_hash=holder.npi_hash)
    return holder


@pytest.mark.parametrize("way", [{}, {"fail": 1}, {"fail": 2}, {"vouch": True}])
def test_claimed_and_unclaimed_answer_byte_for_byte_alike(provider, seeker, monkeypatch, way):
    with world():
        unclaimed = whole_way(seeker, provider, monkeypatch, **way)
    for tries in (0, 1, 2):
        with world():
            hold(provider, tries=tries)
            claimed = whole_way(seeker, provider, monkeypatch, **way)

        assert [step[:3] for step in claimed] == [step[:3] for step in unclaimed], f"held after {tries} tries"
        for one, other in zip(claimed, unclaimed, strict=True):
            assert one[3].decode().splitlines() == other[3].decode().splitlines(), f"held after {tries} tries"


def test_a_claim_that_turned_out_disputed_reads_like_any_in_review(provider, seeker, reviewer, monkeypatch):
    def page(state):
        with world():
            claim = make_claim(
                seeker, provider, state=state, case_number="V-2222-3333", queued_at=timezone.now()
            )
            visitor = Visitor(seeker)
            visitor.go("start")
            visitor.go("challenge")
            assert claim.user == seeker.user
            return visitor.seen

    assert page(State.PROVEN) == page(State.DISPUTED_RIVAL) == page(State.NEEDS_REVIEW)


def test_no_match_few_facts_failure_and_others_tries_lead_to_one_page(
    schools, specialties, seeker, monkeypatch
):
    known = make_provider(number="4301977598")
    few = make_provider(second=None, school=None, year=None, practice_zip="")

    def pages(provider, prepare=lambda: None, *, answers=False, **changes):
        with world():
            prepare()
            monkeypatch.setattr(options.Lots, "fraction", lambda self, label: 0.5 / (1 + len(label)))
            draw(monkeypatch, Claim, "case_number", lambda: "V-2222-3333")
            visitor = Visitor(seeker)
            visitor.browser.post(reverse("verification:identity"), identity_form(provider, **changes))
            if answers:
                fail_twice(seeker)
            visitor.go("start")
            visitor.go("proof")
            visitor.go("challenge")
            return visitor.seen

    def used_up():
        from sermo.crypto import keyed_hash

        IdentityGuard.objects.create(identity_hash=keyed_hash(known.npi, "npi"), tries_used=2)

    no_match = pages(known, npi=new_npi())
    assert no_match == pages(few)
    assert no_match == pages(known, used_up)
    assert no_match == pages(known, answers=True)


def fail_twice(member):
    claim = Claim.objects.get(user=member.user)
    for _ in range(2):
        challenges.start_challenge(claim=claim)
        for position, entry in enumerate(claim.challenges.running().get().sheet):
            challenges.answer(claim=claim, position=position, choice=(entry["right"] + 1) % 6)
        a_day_later(member)
