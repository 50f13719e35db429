"""An identity that somebody holds answers exactly like one that nobody holds."""

import re
from collections import defaultdict
from contextlib import contextmanager
from itertools import count
from statistics import median
from time import perf_counter
from types import SimpleNamespace

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection, transaction
from django.test import Client
from django.test.utils import CaptureQueriesContext
from django.urls import reverse
from django.utils import timezone

from verification import options, tasks
from verification.models import Challenge, Claim, Document, IdentityGuard, MailDomain, Provider
from verification.models.claims import State
from verification.services import challenge as challenges
from verification.services import codes, limits, switch, vouching
from verification.tests.factories import (
    image_bytes,
    make_applicant,
    make_claim,
    make_exclusion,
    make_provider,
    new_npi,
)

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


@pytest.fixture
def accepted_domain(db):
    return MailDomain.objects.create(
        name="mercy.example",
        institution="Mercy",
        sort="hospital",
        state="accepted",
        note="Staff alone.",
        reviewed_at=timezone.now(),
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
        self.queries = []

    def go(self, name, data=None, *args):
        address = reverse(f"verification:{name}", args=args)
        with CaptureQueriesContext(connection) as queries:
            response = self.browser.get(address) if data is None else self.browser.post(address, data)
        self.queries.append((name, len(queries)))
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


def code_way(member, provider, monkeypatch, *, by="phone", passed=True, last_check=False):
    """From the questions over every code to what is read before, and after, the last check."""
    numbers = count(1)
    draw(monkeypatch, Claim, "case_number", lambda: f"V-2222-{next(numbers):04}")
    monkeypatch.setattr(codes, "secrets", SimpleNamespace(randbelow=lambda below: 123456))
    visitor = Visitor(member)
    visitor.go("identity", identity_form(provider))
    if passed:
        visitor.go("challenge_start", {})
        for position, entry in enumerate(
            Challenge.objects.filter(claim__user=member.user).running().get().sheet
        ):
            visitor.go("challenge_answer", {"question": position, "answer": entry["right"]})
    else:
        visitor.go("challenge_skip", {})
    visitor.go("start")
    visitor.go("proof")
    address = {"address": "o.quill@mercy.example"}
    visitor.go("code_send", {"address": "o.quill@unknown.example"}, "email")
    visitor.go("domain_ask", {"address": "o.quill@unknown.example"})
    visitor.go("code_send", address if by == "email" else {}, by)
    visitor.go("proof")
    tasks.deliver_due_codes()
    visitor.go("proof")
    visitor.go("code_send", address if by == "email" else {}, by)
    visitor.go("code_check", {"code": "654321"}, by)
    visitor.go("code_check", {"code": "12"}, by)
    visitor.go("code_check", {"code": "123456"}, by)
    visitor.go("start")
    visitor.go("proof")
    if last_check:
        tasks.decide_due()
        visitor.go("start")
        visitor.go("proof")
    return visitor


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


@pytest.mark.usefixtures("calls", "at_noon")
@pytest.mark.parametrize("by", ["phone", "fax", "email"])
@pytest.mark.parametrize("passed", [True, False])
def test_claimed_and_unclaimed_answer_alike_to_every_code(
    provider, seeker, monkeypatch, by, passed, accepted_domain
):
    Provider.objects.update(practice_fax="5175550199")
    with world():
        unclaimed = code_way(seeker, provider, monkeypatch, by=by, passed=passed)
    with world():
        hold(provider, tries=1)
        claimed = code_way(seeker, provider, monkeypatch, by=by, passed=passed)

    same(claimed.seen, unclaimed.seen)
    assert claimed.queries[-12:] == unclaimed.queries[-12:], (
        "a code is no more work for the one than the other"
    )
    assert ("The last check runs now" in unclaimed.seen[-2][3].decode()) == passed


@pytest.mark.usefixtures("calls", "at_noon")
def test_a_number_that_stays_silent_answers_like_one_that_rang(provider, seeker, monkeypatch):
    """Somebody else had its three calls of the day: nothing on the page tells of them."""
    with world():
        rang = code_way(seeker, provider, monkeypatch).seen
    with world():
        for _ in range(3):
            limits.take_target("+15175550100")
        silent = code_way(seeker, provider, monkeypatch).seen

    until_the_right_code = [step[0] for step in rang].index("code_check") + 2
    same(silent[:until_the_right_code], rang[:until_the_right_code])


@pytest.mark.usefixtures("calls", "at_noon")
def test_what_the_last_check_leaves_to_reviewers_reads_alike_claimed_and_unclaimed(
    provider, seeker, monkeypatch
):
    make_exclusion(provider, npi=None)
    with world():
        unclaimed = code_way(seeker, provider, monkeypatch, last_check=True).seen
    with world():
        hold(provider, tries=1)
        claimed = code_way(seeker, provider, monkeypatch, last_check=True).seen

    same(claimed, unclaimed)
    assert "With a reviewer" in unclaimed[-2][3].decode()


def same(claimed, unclaimed):
    assert [step[:3] for step in claimed] == [step[:3] for step in unclaimed]
    for one, other in zip(claimed, unclaimed, strict=True):
        assert one[3].decode().splitlines() == other[3].decode().splitlines()


def test_a_claim_that_turned_out_disputed_reads_like_any_in_review(provider, seeker, reviewer, monkeypatch):
    def page(state):
        with world():
            claim = make_claim(
                seeker, provider, state=state, case_number="V-2222-3333", queued_at=timezone.now()
            )
            Challenge.objects.create(
                claim=claim, number=1, facts=[], sheet=[], verdict="passed", finished_at=timezone.now()
            )
            visitor = Visitor(seeker)
            visitor.go("start")
            visitor.go("challenge")
            visitor.go("proof")
            assert claim.user == seeker.user
            return visitor.seen

    proven, disputed, in_review = page(State.PROVEN), page(State.DISPUTED_RIVAL), page(State.NEEDS_REVIEW)
    assert proven == disputed
    assert in_review[:2] == disputed[:2], (
        "on the third, colleagues can be asked, who are too late for the others"
    )


@pytest.mark.usefixtures("calls", "at_noon")
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
            for kind in ("phone", "fax"):
                visitor.go("code_send", {}, kind)
                tasks.deliver_due_codes()
                visitor.go("code_check", {"code": "000000"}, kind)
            visitor.go("proof")
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


def test_all_dead_ends_lead_to_one_page(schools, specialties, seeker, reviewer, monkeypatch, settings):
    """Nobody found, too few facts, questions failed; tries used up by others; questions off; skipped."""
    known = make_provider(number="4301977598")
    few = make_provider(second=None, school=None, year=None, practice_zip="")

    def page(provider, end=lambda claim: None, **changes):
        with world():
            draw(monkeypatch, Claim, "case_number", lambda: "V-2222-3333")
            visitor = Visitor(seeker)
            visitor.browser.post(reverse("verification:identity"), identity_form(provider, **changes))
            end(Claim.objects.get(user=seeker.user))
            assert Claim.objects.get().state == State.NEEDS_REVIEW
            for name in ("start", "proof", "challenge"):
                visitor.go(name)
            visitor.go("challenge_start", {})
            return visitor.seen

    def use_up(claim):
        IdentityGuard.objects.update(tries_used=2)
        challenges.start_challenge(claim=claim)

    def turn_off(claim):
        switch.turn(on=False, by=reviewer, why="Somebody is guessing.")
        challenges.start_challenge(claim=claim)

    nobody = page(known, npi=new_npi())
    assert page(few) == nobody
    assert page(known, lambda claim: fail_twice(seeker)) == nobody
    assert page(known, use_up) == nobody
    assert page(known, turn_off) == nobody
    assert page(known, lambda claim: challenges.skip(claim=claim)) == nobody


def within_20_ms(least, most):
    return most - least < 20


def about_as_long(least, most):
    """On a machine that does other things besides, too."""
    return most < 2.5 * least


@pytest.fixture
def site_pace(settings):
    """As fast as the site answers, and no faster."""
    settings.NEUTRAL_SECONDS = 0.25


class TestTime:
    """The same time, too: for an identity that is held, and for the ways to end at documents."""

    def test_no_answer_comes_before_its_time(self, schools, specialties, settings):
        settings.NEUTRAL_SECONDS = 0.4

        self.check(self.dead_ends(), tries=1, is_alike=lambda least, most: least >= 400)

    def times(self, worlds, tries):
        """Milliseconds of each request in each world, by turns, so that a slow moment hits all of them alike."""
        found = {name: defaultdict(list) for name in worlds}
        for attempt in range(tries + 1):
            for name, way in worlds.items():
                with world():
                    for step, request in way():
                        began = perf_counter()
                        response = request()
                        took = (perf_counter() - began) * 1000
                        assert response.status_code == 302
                        if attempt:  # the first of each fills caches
                            found[name][step].append(took)
        return {name: {step: median(each) for step, each in steps.items()} for name, steps in found.items()}

    def through_the_questions(self, provider, before=lambda: None):
        def way():
            before()
            member = make_applicant()
            browser = Client(headers={"user-agent": "test"})
            browser.force_login(member.user)

            def send(name, data):
                return browser.post(reverse(f"verification:{name}"), data)

            yield "identity", lambda: send("identity", identity_form(provider))
            yield "start", lambda: send("challenge_start", {})
            running = Challenge.objects.filter(claim__user=member.user).get()
            running.position = last = len(running.sheet) - 1
            running.save()
            yield "last answer", lambda: send("challenge_answer", {"question": last, "answer": 0})

        return way

    def to_documents(self, provider, before=lambda: None, **changes):
        def way():
            before()
            browser = Client(headers={"user-agent": "test"})
            browser.force_login(make_applicant().user)
            form = identity_form(provider, **changes)
            yield "identity", lambda: browser.post(reverse("verification:identity"), form)

        return way

    def check(self, worlds, tries, is_alike):
        found = self.times(worlds, tries)
        for name, steps in found.items():
            print(name, {step: round(each, 1) for step, each in steps.items()})
        for step in next(iter(found.values())):
            each = [steps[step] for steps in found.values()]
            assert is_alike(min(each), max(each)), step

    def claimed_and_unclaimed(self, provider):
        return {
            "unclaimed": self.through_the_questions(provider),
            "claimed": self.through_the_questions(provider, lambda: hold(provider, tries=1)),
        }

    def dead_ends(self):
        known, few = make_provider(), make_provider(second=None, school=None, year=None, practice_zip="")

        def used_up():
            holder = make_claim(make_applicant(), known, state=State.WITHDRAWN)
            IdentityGuard.objects.create(identity_hash=holder.npi_hash, tries_used=2)

        return {
            "nobody": self.to_documents(known, npi=new_npi()),
            "few facts": self.to_documents(few),
            "used up": self.to_documents(known, used_up),
        }

    def test_claimed_and_unclaimed_take_about_as_long(self, provider):
        self.check(self.claimed_and_unclaimed(provider), tries=7, is_alike=about_as_long)

    def test_dead_ends_take_about_as_long(self, schools, specialties):
        self.check(self.dead_ends(), tries=7, is_alike=about_as_long)

    @pytest.mark.scale
    def test_claimed_and_unclaimed_take_as_long(self, provider, site_pace):
        self.check(self.claimed_and_unclaimed(provider), tries=200, is_alike=within_20_ms)

    @pytest.mark.scale
    def test_dead_ends_take_as_long(self, schools, specialties, site_pace):
        self.check(self.dead_ends(), tries=200, is_alike=within_20_ms)
