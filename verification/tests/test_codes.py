"""Codes by telephone, fax and mail: to whom, how often, how long, and what the right one does."""

from datetime import timedelta

import pytest
from django.core import mail
from django.utils import timezone

from verification import rules, tasks
from verification.models import Challenge, Claim, DayCount, Event, MailDomain, Objection, Proof, Provider
from verification.models.claims import State
from verification.services import codes, domains, limits, proofs
from verification.tests import calls as recorded
from verification.tests.calls import code_said
from verification.tests.factories import make_applicant, make_claim, make_provider

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("calls", "at_noon")]
FAX = "5175550199"
ANYBODY = make_provider


@pytest.fixture
def provider(schools, specialties):
    return make_provider(number="4301977598", practice_phone="517-555-0100", practice_fax=FAX)


@pytest.fixture
def claim(provider, seeker):
    return make_claim(seeker, provider, state=State.CHALLENGED)


@pytest.fixture
def hospital(db):
    return MailDomain.objects.create(
        name="mercy.example",
        institution="Mercy",
        sort="hospital",
        state="accepted",
        note="Staff alone.",
        reviewed_at=timezone.now(),
    )


def ask(claim, kind="phone", address=""):
    """Ask for a code and have it sent; the proof as it is then."""
    proof = codes.send_code(claim=claim, kind=kind, address=address)
    codes.deliver(proof_id=proof.pk)
    proof.refresh_from_db()
    return proof


def wrong(code):
    return f"{(int(code) + 1) % 10**6:06}"


class TestSending:
    def test_the_number_is_the_registrys_of_today(self, claim, provider, calls):
        Provider.objects.filter(pk=provider.pk).update(practice_phone="5175550142")

        proof = ask(claim)

        (call,) = calls
        assert call[:2] == ("phone", "+15175550142")
        assert proof.target == "+15175550142"
        assert proof.target_masked == "ends in 42"

    def test_a_fax_goes_to_the_fax(self, claim, calls):
        ask(claim, "fax")

        (fax,) = calls
        assert fax[:2] == ("fax", f"+1{FAX}")

    def test_mail_goes_to_an_accepted_domain_and_never_through_the_outbox(self, claim, hospital):
        from accounts.models import Mail

        proof = ask(claim, "email", "O.Quill@Wards.Mercy.example")

        (message,) = mail.outbox
        assert message.to == ["O.Quill@Wards.Mercy.example"]
        assert code_said(message.body) in message.subject
        assert (proof.domain, proof.target_masked) == (hospital, "...@Wards.Mercy.example")
        assert not Mail.objects.exists()

    def test_the_code_is_kept_as_a_hash_alone(self, claim, calls):
        proof = ask(claim)

        code = code_said(calls[0][2])
        assert len(proof.code_hash) == 64
        assert code not in proof.code_hash
        assert proof.code is None
        assert all(code not in str(event.evidence) + event.reason for event in Event.objects.all())

    def test_a_task_sends_it_after_the_answer_and_another_does_not_send_it_again(self, claim, calls):
        proof = codes.send_code(claim=claim, kind="phone")
        assert not calls

        assert [codes.deliver(proof_id=proof.pk) for _ in range(2)] == [True, False]
        assert tasks.deliver_due_codes() == 0
        assert len(calls) == 1

    def test_what_no_task_has_sent_a_sweep_sends(self, claim, calls):
        codes.send_code(claim=claim, kind="phone")

        assert tasks.deliver_due_codes() == 1
        assert len(calls) == 1

    def test_what_waits_too_long_is_not_sent_and_used_nothing_up(self, claim, calls, at_noon):
        codes.send_code(claim=claim, kind="phone")
        at_noon(minutes=16)

        assert tasks.deliver_due_codes() == 0
        assert not calls
        assert codes.has_failed(Proof.objects.get())
        assert limits.sends_left(claim.user) == 3

    def test_a_claim_that_ended_meanwhile_gets_no_call(self, claim, calls):
        proof = codes.send_code(claim=claim, kind="phone")
        Claim.objects.update(state=State.WITHDRAWN)

        assert codes.deliver(proof_id=proof.pk) is False
        assert not calls

    @pytest.mark.parametrize(
        ("kind", "good", "over"),
        [
            ("phone", timedelta(minutes=9), timedelta(minutes=10)),
            ("fax", timedelta(hours=23), timedelta(hours=24)),
            ("email", timedelta(hours=23), timedelta(hours=24)),
        ],
    )
    def test_how_long_a_code_is_good(self, claim, hospital, kind, good, over):
        sent = ask(claim, kind, "a@mercy.example")

        assert codes.is_entered(sent, timezone.now() + good)
        assert not codes.is_entered(sent, timezone.now() + over)

    @pytest.mark.parametrize(
        "state",
        [
            *(State.DRAFT, State.MATCHED, State.LOCKED, State.VERIFIED, State.REJECTED, State.WITHDRAWN),
            *(State.NEEDS_REVIEW_HELD, State.LAPSED, State.SUSPENDED),
        ],
    )
    def test_only_claims_that_need_a_proof_get_one(self, seeker, provider, state):
        claim = make_claim(
            seeker,
            provider,
            state=state,
            rejected_for="mismatch",
            method="document",
            verified_at=timezone.now(),
        )

        with pytest.raises(codes.NotNow):
            codes.send_code(claim=claim, kind="phone")

    @pytest.mark.parametrize("kind", ["phone", "fax"])
    def test_without_a_provider_there_are_no_calls(self, claim, settings, kind):
        settings.CALL_PROVIDER = "verification.calling.Nobody"

        with pytest.raises(codes.NotOffered):
            codes.send_code(claim=claim, kind=kind)

    @pytest.mark.parametrize("kind", ["document", "endpoint", "vouch", "pigeon"])
    def test_other_proofs_have_no_code(self, claim, kind):
        with pytest.raises(codes.NotOffered):
            codes.send_code(claim=claim, kind=kind)

    def test_a_number_the_registry_does_not_have_is_said(self, claim):
        Provider.objects.update(practice_fax="")

        with pytest.raises(codes.NoNumber):
            codes.send_code(claim=claim, kind="fax")
        assert limits.sends_left(claim.user) == 3

    def test_telephones_do_not_ring_at_night_and_faxes_do(self, claim, calls, at_noon):
        at_noon(hours=9)

        with pytest.raises(codes.Night):
            codes.send_code(claim=claim, kind="phone")
        ask(claim, "fax")
        assert [kind for kind, *_ in calls] == ["fax"]
        assert limits.sends_left(claim.user) == 2

    def test_a_code_that_was_right_is_not_sent_again(self, claim, calls):
        ask(claim)
        codes.check_code(claim=claim, kind="phone", code=code_said(calls[0][2]))

        with pytest.raises(codes.RightAlready):
            codes.send_code(claim=claim, kind="phone")


class TestMailDomains:
    @pytest.mark.parametrize(
        "address", ["a@other.example", "a@mercy.example.evil.example", "a@notmercy.example"]
    )
    def test_an_unknown_domain_is_told_apart_from_nothing_else(self, claim, hospital, address):
        MailDomain.objects.create(name="other.example")

        with pytest.raises(codes.UnknownDomain):
            codes.send_code(claim=claim, kind="email", address=address)
        assert limits.sends_left(claim.user) == 3

    def test_a_refused_part_of_an_accepted_domain_stays_out(self, claim, hospital):
        MailDomain.objects.create(
            name="students.mercy.example", state="refused", note="Students.", reviewed_at=timezone.now()
        )

        assert domains.accepted_for("x.students.mercy.example") is None
        assert domains.accepted_for("wards.mercy.example") == hospital

    @pytest.mark.parametrize("part", ["students", "alumni", "Alum", "mail.student"])
    def test_who_studies_there_or_has_left_is_not_staff(self, claim, hospital, part):
        with pytest.raises(codes.UnknownDomain):
            codes.send_code(claim=claim, kind="email", address=f"o.quill@{part}.mercy.example")

        domains.ask_for(user=claim.user, address=f"o.quill@{part}.mercy.example")
        MailDomain.objects.filter(state="asked").update(
            state="accepted", institution="Mercy", sort="hospital", note="Staff.", reviewed_at=timezone.now()
        )
        assert codes.send_code(claim=claim, kind="email", address=f"o.quill@{part}.mercy.example")

    @pytest.mark.parametrize("address", ["a@gmail.com", "a@Mail.Yahoo.com", "a@proton.me"])
    def test_free_mail_is_refused_at_once(self, claim, address):
        with pytest.raises(domains.FreeMail):
            codes.send_code(claim=claim, kind="email", address=address)
        with pytest.raises(domains.FreeMail):
            domains.ask_for(user=claim.user, address=address)

    @pytest.mark.parametrize(
        "address",
        [
            *("", "a", "a@", "a@localhost", "a@b c.example", "x, y@mercy.example", "a\n@mercy.example"),
            *(
                '"a@evil.example"@mercy.example',
                "a%evil.example@mercy.example",
                "evil.example!a@mercy.example",
            ),
            *("\u00e4@mercy.example", "a@merc\u0443.example", "a@mercy\u3002example"),
        ],
    )
    def test_what_is_no_address_is_refused(self, claim, hospital, address):
        with pytest.raises(domains.NoDomain):
            codes.send_code(claim=claim, kind="email", address=address)

    def test_a_domain_refused_after_the_code_was_sent_takes_the_code_with_it(self, claim, hospital):
        ask(claim, "email", "a@mercy.example")
        MailDomain.objects.update(state="refused")

        with pytest.raises(codes.NoCode):
            codes.check_code(claim=claim, kind="email", code=code_said(mail.outbox[0].body))

    def test_asking_adds_a_domain_once_and_names_nobody(self, claim):
        for address in ("a@new.example", "b@NEW.example", "new.example"):
            domains.ask_for(user=claim.user, address=address)

        row = MailDomain.objects.get()
        assert (row.name, row.state) == ("new.example", "asked")

    def test_asking_for_a_known_one_changes_nothing_and_counts_all_the_same(self, claim, hospital):
        for _ in range(3):
            domains.ask_for(user=claim.user, address="a@mercy.example")

        with pytest.raises(limits.TooManyDomains):
            domains.ask_for(user=claim.user, address="a@new.example")
        assert MailDomain.objects.get().state == "accepted"


class TestLimits:
    def test_three_codes_a_day_by_whatever_way(self, claim, hospital, at_noon):
        for kind in ("phone", "fax", "email"):
            ask(claim, kind, "a@mercy.example")
        at_noon(minutes=2)

        with pytest.raises(limits.TooManyCodes):
            codes.send_code(claim=claim, kind="phone")
        at_noon(days=1)
        assert ask(claim).sent == 2

    def test_nine_codes_ever(self, claim, at_noon):
        for _ in range(3):
            for _ in range(3):
                ask(claim)
                at_noon(minutes=2)
            at_noon(days=1)

        with pytest.raises(codes.TooManyEver):
            codes.send_code(claim=claim, kind="fax")

    def test_a_minute_lies_between_two_codes(self, claim, at_noon):
        codes.send_code(claim=claim, kind="phone")
        with pytest.raises(codes.OnItsWay):
            codes.send_code(claim=claim, kind="phone")
        tasks.deliver_due_codes()
        at_noon(seconds=59)
        with pytest.raises(codes.OnItsWay):
            codes.send_code(claim=claim, kind="phone")

        at_noon(seconds=1)
        assert codes.send_code(claim=claim, kind="phone").sent == 2

    def test_a_number_never_rings_a_fourth_time_a_day_whoever_asks(self, provider, calls):
        claims = [make_claim(provider=provider, state=State.CHALLENGED) for _ in range(4)]

        sent = [ask(claim) for claim in claims]

        assert len(calls) == 3
        assert [Event.objects.filter(kind="code_sent", reason="target_limit").count()] == [1]
        assert {(proof.sent, bool(proof.code_hash), proof.expires_at) for proof in sent} == {
            (1, True, sent[0].expires_at)
        }, "who asked for the fourth sees what the others see"
        assert {limits.sends_left(claim.user) for claim in claims} == {2}

    def test_a_refused_call_is_not_counted(self, claim):
        Provider.objects.update(practice_phone="")
        for _ in range(5):
            with pytest.raises(codes.NoNumber):
                codes.send_code(claim=claim, kind="phone")

        assert not DayCount.objects.exists()


def test_a_message_that_somebody_was_verified_comes_before_codes(claim, provider, calls):
    """Whoever takes the three calls of each day would otherwise keep the physician from hearing of it."""
    holder = make_claim(provider=provider, state=State.VERIFIED)
    Objection.objects.create(claim=holder, way="fax", code_hash="x")

    proof = ask(claim, "fax")
    assert (calls, Event.objects.get(kind="code_sent").reason) == ([], "objection_first")
    assert codes.is_entered(proof, timezone.now())

    assert tasks.ask_whether() == 1
    assert [call[:2] for call in calls] == [("fax", f"+1{FAX}")]


def test_who_was_not_reached_is_noted_after_all_that_is_counted(claim, settings, monkeypatch):
    """Whoever holds the chain waits for nobody's count, or two who wait for each other would."""
    settings.CALL_PROVIDER = recorded.name(recorded.Deaf)
    order, give_back, record = [], limits.give_target_back, codes.events.record
    monkeypatch.setattr(limits, "give_target_back", lambda *args: (order.append("count"), give_back(*args)))
    monkeypatch.setattr(
        codes.events, "record", lambda **said: (order.append(said["kind"]), record(**said))[1]
    )

    ask(claim)

    assert order[-2:] == ["count", "code_not_sent"]


class TestUnreachable:
    def test_nobody_reached_uses_nothing_up(self, claim, settings, calls):
        settings.CALL_PROVIDER = recorded.name(recorded.Deaf)

        proof = ask(claim)

        assert codes.has_failed(proof)
        assert (proof.sent, proof.code_hash) == (0, None)
        assert DayCount.objects.count() == 1, "that it was asked for, and nothing else"
        settings.CALL_PROVIDER = recorded.name(recorded.Recorder)
        assert ask(claim).sent == 1

    def test_what_reaches_nobody_cannot_be_asked_for_all_day(self, claim, settings, at_noon):
        settings.CALL_PROVIDER = recorded.name(recorded.Deaf)
        for _ in range(10):
            ask(claim)

        with pytest.raises(limits.TooManyAsked):
            codes.send_code(claim=claim, kind="phone")
        assert limits.sends_left(claim.user) == 3
        at_noon(days=1)
        assert ask(claim)

    def test_what_may_have_rung_counts_for_the_number_and_not_for_the_applicant(self, claim, settings, calls):
        settings.CALL_PROVIDER = recorded.name(recorded.Unheard)
        for _ in range(4):
            ask(claim)

        assert len(calls) == 3, "then the number stays silent"
        assert Event.objects.filter(kind="code_not_sent").count() == 3
        assert limits.sends_left(claim.user) == 2

    def test_mail_that_is_not_taken_uses_nothing_up(self, claim, hospital, monkeypatch):
        def refuse(self, *args, **kwargs):
            raise ConnectionRefusedError

        monkeypatch.setattr("verification.services.codes.EmailMessage.send", refuse)

        assert codes.has_failed(ask(claim, "email", "a@mercy.example"))
        assert limits.sends_left(claim.user) == 3


class TestTyping:
    def test_the_right_code_proves_a_claim_that_passed_the_questions(self, claim, calls):
        ask(claim)
        code = code_said(calls[0][2])

        codes.check_code(claim=claim, kind="phone", code=f" {code[:3]}-{code[3:]} ")

        claim.refresh_from_db()
        proof = Proof.objects.get()
        assert (claim.state, claim.queued_at) == (State.PROVEN, None)
        assert proof.ok_at
        assert proof.code_hash is None
        assert Event.objects.filter(kind="code_right").count() == 1

    def test_the_right_code_twice_is_right_once(self, claim, calls):
        ask(claim)
        for _ in range(2):
            codes.check_code(claim=claim, kind="phone", code=code_said(calls[0][2]))

        assert Event.objects.filter(kind="code_right").count() == 1
        assert Event.objects.filter(kind="state", to_state=State.PROVEN).count() == 1

    @pytest.mark.parametrize(
        "state",
        [State.NEEDS_REVIEW, State.DISPUTED_RIVAL, State.DISPUTED_HOLDER],
    )
    def test_for_any_other_claim_it_is_evidence_for_the_reviewer(self, seeker, provider, calls, state):
        more = {"method": "document", "verified_at": timezone.now()} if state == State.DISPUTED_HOLDER else {}
        claim = make_claim(seeker, provider, state=state, asked_for="Something.", **more)
        ask(claim, "fax")

        codes.check_code(claim=claim, kind="fax", code=code_said(calls[0][2]))

        claim.refresh_from_db()
        assert claim.state == state
        assert claim.queued_at
        assert claim.asked_for is None
        assert Proof.objects.get().ok_at

    def test_five_wrong_codes_end_one_and_a_new_one_has_five_again(self, claim, calls, at_noon):
        ask(claim)
        code = code_said(calls[0][2])
        for left in ("4 tries are left", "3 tries are left", "2 tries are left", "1 try is left", "used up"):
            with pytest.raises(codes.WrongCode, match=left):
                codes.check_code(claim=claim, kind="phone", code=wrong(code))

        with pytest.raises(codes.NoCode):
            codes.check_code(claim=claim, kind="phone", code=code)
        at_noon(minutes=2)
        ask(claim)
        codes.check_code(claim=claim, kind="phone", code=code_said(calls[1][2]))
        assert Proof.objects.get().ok_at

    def test_a_new_code_ends_the_one_before(self, claim, calls, at_noon):
        ask(claim)
        at_noon(minutes=2)
        ask(claim)
        old, new = (code_said(words) for _, _, words in calls)

        if old != new:
            with pytest.raises(codes.WrongCode):
                codes.check_code(claim=claim, kind="phone", code=old)
        codes.check_code(claim=claim, kind="phone", code=new)

    def test_a_code_over_its_time_is_none(self, claim, calls, at_noon):
        ask(claim)
        at_noon(minutes=10)

        with pytest.raises(codes.NoCode):
            codes.check_code(claim=claim, kind="phone", code=code_said(calls[0][2]))
        assert Proof.objects.get().tries == 0

    @pytest.mark.parametrize("typed", ["", "12345", "1234567", "12345a", "١٢٣٤٥٦"])
    def test_what_is_not_six_digits_is_no_try(self, claim, typed):
        ask(claim)

        with pytest.raises(codes.NotSixDigits):
            codes.check_code(claim=claim, kind="phone", code=typed)
        assert Proof.objects.get().tries == 0

    def test_there_is_nothing_to_type_before_a_code_was_asked_for(self, claim):
        with pytest.raises(codes.NoCode):
            codes.check_code(claim=claim, kind="phone", code="123456")

    def test_a_code_of_one_way_is_none_of_another(self, claim, calls):
        ask(claim)
        ask(claim, "fax")
        by_phone, by_fax = (code_said(words) for _, _, words in calls)

        if by_phone != by_fax:
            with pytest.raises(codes.WrongCode):
                codes.check_code(claim=claim, kind="fax", code=by_phone)

    def test_a_claim_that_ended_takes_no_code(self, claim, calls):
        ask(claim)
        Claim.objects.update(state=State.WITHDRAWN)

        with pytest.raises(codes.NotNow):
            codes.check_code(claim=claim, kind="phone", code=code_said(calls[0][2]))


class TestMailbox:
    """An insider with one address would otherwise be every physician of the house."""

    def prove(self, claim, address):
        ask(claim, "email", address)
        codes.check_code(claim=claim, kind="email", code=code_said(mail.outbox[-1].body))
        claim.refresh_from_db()
        return claim

    @pytest.mark.parametrize(
        "again", ["O.Quill@Mercy.example", "o.quill+two@mercy.example", "o.quill@wards.mercy.example"]
    )
    def test_one_address_proves_one_person_and_people_decide_about_the_second(self, claim, hospital, again):
        other = make_claim(provider=make_provider(), state=State.CHALLENGED)

        first, second = self.prove(claim, "o.quill@mercy.example"), self.prove(other, again)

        assert (first.doubts, second.doubts) == ([], ["mailbox"])
        assert second.state == State.PROVEN
        tasks.decide_due()
        assert sorted(Claim.objects.values_list("state", flat=True)) == ["proven", "verified"]

    def test_it_proves_nobody_else_once_the_address_is_forgotten_either(self, claim, hospital):
        self.prove(claim, "o.quill@mercy.example")
        tasks.decide_due()
        long_ago = timezone.now() - timedelta(days=40)
        Proof.objects.update(started_at=long_ago, sent_at=long_ago)
        Claim.objects.update(decided_at=long_ago)

        assert proofs.forget_codes() == 1
        assert proofs.forget_codes() == 0

        assert Proof.objects.get().target is None
        other = make_claim(provider=make_provider(), state=State.CHALLENGED)
        assert self.prove(other, "O.Quill@Mercy.example").doubts == ["mailbox"]

    def test_what_nobody_typed_is_forgotten_before_any_decision(self, claim, hospital):
        ask(claim, "email", "o.q@mercy.example")
        old, new = timezone.now() - timedelta(days=31), timezone.now() - timedelta(days=29)
        Proof.objects.update(started_at=old, sent_at=new, expires_at=new)
        assert proofs.forget_codes() == 0

        Proof.objects.update(sent_at=old, expires_at=old)
        assert proofs.forget_codes() == 1

        proof = Proof.objects.get()
        assert (proof.target, proof.code_hash) == (None, None)

    def test_another_address_of_the_house_is_another_matter(self, claim, hospital):
        other = make_claim(provider=make_provider(), state=State.CHALLENGED)

        assert not self.prove(claim, "a.quill@mercy.example").doubts
        assert not self.prove(other, "b.quill@mercy.example").doubts

    def test_an_address_that_any_colleague_could_have_is_looked_at(self, claim, hospital):
        assert self.prove(claim, "a.miller@mercy.example").doubts == ["mailbox_name"]

        tasks.decide_due()
        claim.refresh_from_db()
        assert claim.state == State.PROVEN
        assert claim.queued_at

    def test_a_name_that_was_typed_besides_the_registrys_shows_nothing(self, claim, hospital):
        claim.identity["typed"]["last"] = "Quillfeather-Miller"
        claim.save()

        assert self.prove(claim, "a.miller@mercy.example").doubts == ["mailbox_name"]

    def test_a_mailbox_is_known_after_its_code_is_forgotten(self, claim, hospital, at_noon):
        self.prove(claim, "o.quill@mercy.example")
        tasks.decide_due()
        Proof.objects.update(started_at=timezone.now())
        at_noon(days=32)
        assert proofs.forget_codes() == 1
        assert proofs.forget_codes() == 0
        assert Proof.objects.get().target is None

        other = make_claim(provider=make_provider(), state=State.CHALLENGED)

        assert self.prove(other, "o.quill@mercy.example").doubts == ["mailbox"]

    def test_who_starts_anew_with_the_same_license_may_use_it_again(self, claim, provider, hospital, at_noon):
        self.prove(claim, "a.quill@mercy.example")
        Claim.objects.update(state=State.WITHDRAWN)
        at_noon(minutes=2)
        again = make_claim(claim.user.as_member, provider, state=State.CHALLENGED)

        assert not self.prove(again, "a.quill@mercy.example").doubts

    def test_three_mails_a_day_go_to_one_address_however_it_is_written(self, hospital, provider):
        claims = [make_claim(provider=provider, state=State.CHALLENGED) for _ in range(4)]
        for claim, address in zip(
            claims, ("a@mercy.example", "A+x@mercy.example", "a@MERCY.example") * 2, strict=False
        ):
            ask(claim, "email", address)

        assert len(mail.outbox) == 3


def test_a_code_that_was_never_said_cannot_be_guessed(claim, calls, monkeypatch):
    monkeypatch.setattr(codes.secrets, "randbelow", lambda below: 123456)
    for _ in range(3):
        limits.take_target("+15175550100")
    ask(claim)

    with pytest.raises(codes.WrongCode):
        codes.check_code(claim=claim, kind="phone", code="123456")
    assert not calls


class TestWhoMayNotLearnOfTheRecord:
    """Without passed questions, the words are the same whether the registry knows the person or not."""

    @pytest.fixture
    def unknown(self, seeker, provider):
        claim = make_claim(seeker, provider, state=State.NEEDS_REVIEW)
        identity = {**claim.identity, "registry": None}
        Claim.objects.update(identity=identity)
        claim.refresh_from_db()
        return claim

    def test_nobody_to_call_looks_like_a_call(self, unknown, provider, calls):
        known = make_claim(make_applicant(), provider, state=State.NEEDS_REVIEW)

        pair = [ask(unknown), ask(known)]

        assert len(calls) == 1
        assert {(each.target_masked, each.sent, each.sent_at, each.expires_at) for each in pair} == {
            ("", 1, timezone.now(), timezone.now() + timedelta(minutes=rules.PHONE_MINUTES))
        }
        assert all(each.code_hash for each in pair)
        with pytest.raises(codes.WrongCode):
            codes.check_code(claim=unknown, kind="phone", code="000000")

    def test_a_call_that_reached_nobody_looks_like_one_that_did(self, seeker, provider, settings, calls):
        settings.CALL_PROVIDER = recorded.name(recorded.Deaf)
        claim = make_claim(seeker, provider, state=State.NEEDS_REVIEW)

        proof = ask(claim)

        assert not codes.has_failed(proof)
        assert limits.sends_left(claim.user) == 2

    def test_night_at_a_practice_elsewhere_is_not_told(self, seeker, provider, calls):
        Provider.objects.update(practice_state="HI")
        claim = make_claim(seeker, provider, state=State.NEEDS_REVIEW)
        claim.identity["registry"]["practice_state"] = "HI"
        claim.save()

        ask(claim)

        assert not calls
        assert Event.objects.get(kind="code_sent").reason == "night"

    def test_who_passed_the_questions_is_told(self, seeker, provider):
        claim = make_claim(seeker, provider, state=State.NEEDS_REVIEW)
        assert not codes.is_told(claim)

        Challenge.objects.create(
            claim=claim, number=1, facts=[], sheet=[], verdict="passed", finished_at=timezone.now()
        )
        assert codes.is_told(claim)


def test_right_codes_count_for_a_reviewer_who_approves(seeker, provider, calls, reviewer):
    from verification.services import decisions

    claim = make_claim(seeker, provider, state=State.NEEDS_REVIEW)
    ask(claim)
    codes.check_code(claim=claim, kind="phone", code=code_said(calls[0][2]))

    decisions.approve(claim=claim, by=reviewer, reason="document_fits", note="The code was right.")

    claim.refresh_from_db()
    assert (claim.state, claim.method) == (State.VERIFIED, "phone")
