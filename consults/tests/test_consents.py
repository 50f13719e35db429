"""Consents: attesting, preparing, signing, renewing, taking back, and what a clock does."""

from datetime import timedelta

import pytest
from django.db import IntegrityError, transaction
from django.utils import timezone

from accounts import notice_kinds
from accounts.models import Kind, Notice
from accounts.tests.factories import make_member
from consults import tasks
from consults.models import Case, CaseDraft, Consent, Image
from consults.services import consents, withdrawing
from consults.standing import standing_of
from consults.tests.factories import make_case, make_consent, make_draft, make_image
from questions.services.writing import ReadOnly

pytestmark = pytest.mark.django_db
Kinds = Consent.Kind


@pytest.fixture(autouse=True)
def case_files(settings, tmp_path):
    """Files of pictures in a folder of the test's own."""
    own = {
        name: {**settings.STORAGES[name], "OPTIONS": {"location": tmp_path / name, "base_url": None}}
        for name in ("private", "staging")
    }
    settings.STORAGES = {**settings.STORAGES, **own}
    return tmp_path


@pytest.fixture
def prepared(physician):
    return consents.prepare(member=physician, note="rash, Tuesday")


def today():
    return timezone.now().date()


def signed(consent, **said):
    said = {"signer": "patient", "medium": "paper", "signed_on": timezone.localdate(), **said}
    return consents.sign(consent=consent, member=consent.member, **said)


def told(member):
    return [notice.key for notice in Notice.objects.filter(member=member, kind=Kind.CASE).order_by("pk")]


class TestCode:
    def test_has_four_groups_of_five_and_nothing_to_confuse(self):
        code = consents.new_code()

        assert [len(group) for group in consents.grouped(code).split("-")] == [5, 5, 5, 5]
        assert not set(code) & set("01ILOU")

    def test_is_never_drawn_twice(self):
        assert len({consents.new_code() for _ in range(200)}) == 200

    def test_is_read_as_patients_type_it(self):
        code = consents.new_code()

        assert consents.typed_code(f" {consents.grouped(code).lower().replace('-', ' - ')} ") == code
        assert consents.is_code(code)

    def test_a_wrong_sign_is_seen(self):
        code = consents.new_code()

        for place, sign in enumerate(code):
            for other in set(consents.SIGNS) - {sign}:
                assert not consents.is_code(code[:place] + other + code[place + 1 :])

    @pytest.mark.parametrize("typed", ["", "A", "ABCDE-FGHJK-MNPQR-STVW1", "Ö" * 20, "2" * 21])
    def test_what_is_none_is_seen(self, typed):
        assert not consents.is_code(consents.typed_code(typed))


class TestAttesting:
    @pytest.mark.parametrize("kind", [Kinds.DEIDENTIFIED, Kinds.INSTITUTION])
    def test_a_word_of_the_physician_stands_at_once(self, physician, kind):
        made = consents.attest(
            member=physician,
            kind=kind,
            statement=" No face, no text. ",
            for_teaching=True,
            expires_on=today(),
        )

        assert made.is_standing
        assert (made.statement, made.for_teaching, made.for_observers) == ("No face, no text.", True, False)
        assert made.code_hash is None

    def test_needs_a_reason(self, physician):
        with pytest.raises(consents.StatementMissing):
            consents.attest(member=physician, kind=Kinds.DEIDENTIFIED, statement="  ")

    def test_a_signature_is_not_attested_without_one(self, physician):
        with pytest.raises(consents.NotSignedYet):
            consents.attest(member=physician, kind=Kinds.SIGNED, statement="She agreed.")

    def test_nobody_who_may_not_write_attests_or_prepares(self):
        reader = make_member("reader", standing="read_only")

        with pytest.raises(ReadOnly):
            consents.attest(member=reader, kind=Kinds.DEIDENTIFIED, statement="No face.")
        with pytest.raises(ReadOnly):
            consents.prepare(member=reader)

    def test_its_last_day_is_to_come_and_not_far_off(self, physician):
        said = {"member": physician, "kind": Kinds.INSTITUTION, "statement": "Board, 2026-14."}

        with pytest.raises(consents.EndsInPast):
            consents.attest(**said, expires_on=today() - timedelta(days=1))
        with pytest.raises(consents.EndsTooLate):
            consents.attest(**said, expires_on=today() + timedelta(days=366 * 11))


class TestSigning:
    def test_what_is_prepared_covers_nothing_yet(self, prepared):
        assert not prepared.is_standing
        assert prepared.note == "rash, Tuesday"
        assert consents.is_code(Consent.objects.get().code)

    def test_signed_it_stands(self, prepared):
        made = signed(prepared, signer="guardian", for_observers=True)

        assert made.is_standing
        assert (made.signer, made.medium, made.form_version) == ("guardian", "paper", consents.FORM_VERSION)
        assert (made.for_teaching, made.for_observers) == (False, True)

    def test_it_is_signed_once(self, prepared):
        signed(prepared)

        with pytest.raises(consents.SignedAlready):
            signed(prepared)

    def test_paper_keeps_the_version_that_was_printed(self, prepared, monkeypatch):
        monkeypatch.setattr(consents, "FORM_VERSION", "2027-05")

        assert signed(prepared, medium="paper").form_version == "2026-12"

    def test_a_screen_shows_the_form_of_today(self, prepared, monkeypatch):
        monkeypatch.setattr(consents, "FORM_VERSION", "2027-05")

        assert signed(prepared, medium="screen").form_version == "2027-05"

    def test_nobody_signs_a_colleagues(self, prepared, colleague):
        with pytest.raises(consents.NotYours):
            consents.sign(
                consent=prepared, member=colleague, signer="patient", medium="paper", signed_on=today()
            )

    def test_not_on_a_day_to_come(self, prepared):
        with pytest.raises(consents.SignedInFuture):
            signed(prepared, signed_on=timezone.localdate() + timedelta(days=1))

    def test_not_once_taken_back(self, prepared):
        consents.revoke(consent=prepared, by=prepared.member)

        with pytest.raises(consents.TakenBack):
            signed(prepared)

    def test_only_what_a_patient_signs(self, physician):
        made = make_consent(physician)

        with pytest.raises(consents.NotSignedKind):
            signed(made)

    def test_not_by_who_may_only_read(self, prepared):
        prepared.member.standing = "read_only"
        prepared.member.save()

        with pytest.raises(ReadOnly):
            signed(prepared)

    def test_only_so_many_forms_wait_for_a_signature(self, physician, monkeypatch):
        monkeypatch.setattr(consents, "MOST_PREPARED", 2)
        first = consents.prepare(member=physician)
        consents.prepare(member=physician)

        with pytest.raises(consents.TooManyPrepared):
            consents.prepare(member=physician)
        signed(first)
        consents.prepare(member=physician)

    def test_the_table_refuses_a_signature_without_its_facts(self, prepared):
        with pytest.raises(IntegrityError), transaction.atomic():
            Consent.objects.update(attested_at=timezone.now())

    def test_the_code_is_stored_unreadable(self, prepared):
        from django.db import connection

        with connection.cursor() as cursor:
            cursor.execute("SELECT code, code_hash FROM consults_consent")
            code, known = cursor.fetchone()

        assert prepared.code.encode() not in bytes(code)
        assert prepared.code not in known


class TestRenewing:
    def renewed(self, consent, **said):
        said = {"signer": "patient", "medium": "screen", "signed_on": timezone.localdate(), **said}
        return consents.renew(consent=consent, member=consent.member, **{"expires_on": None, **said})

    def test_pictures_of_an_ended_one_show_again(self, prepared, colleague):
        signed(prepared, for_teaching=True)
        case = make_case(prepared.member, consent=prepared)
        Consent.objects.update(expires_on=today() - timedelta(days=3))
        assert not Image.objects.visible_to(colleague.user).exists()

        made = self.renewed(prepared)

        assert Image.objects.visible_to(colleague.user).get().case == case
        assert made.for_teaching
        assert made.reminded_on is None

    @pytest.mark.parametrize(("medium", "version"), [("paper", "2026-12"), ("screen", "2027-05")])
    def test_the_version_is_that_of_the_form_signed(self, prepared, monkeypatch, medium, version):
        signed(prepared)
        monkeypatch.setattr(consents, "FORM_VERSION", "2027-05")

        assert self.renewed(prepared, medium=medium).form_version == version

    def test_not_before_it_was_signed(self, prepared):
        with pytest.raises(consents.NotSignedYet):
            self.renewed(prepared)

    def test_not_once_taken_back(self, prepared):
        signed(prepared)
        consents.revoke(consent=prepared, by=prepared.member)

        with pytest.raises(consents.TakenBack):
            self.renewed(prepared)


class TestTakingBack:
    @pytest.fixture
    def consent(self, prepared):
        return signed(prepared)

    def test_everything_under_it_goes(self, consent, case_files, django_capture_on_commit_callbacks):
        first, second = make_case(consent.member, images=2, consent=consent), make_case(consent=consent)
        make_draft(consent.member, consent=consent)
        loose = make_draft(consent.member)
        Image.objects.filter(draft=loose).update(consent=consent)
        other = make_case(consent.member)

        with django_capture_on_commit_callbacks(execute=True):
            pictures = consents.revoke(consent=consent, by=consent.member)

        assert pictures == 5
        for case in (first, second):
            case.refresh_from_db()
            assert case.withdrawn == Case.Withdrawn.CONSENT
        assert not CaseDraft.objects.exists()
        left = {path.name.partition(".")[0] for path in case_files.rglob("*") if path.is_file()}
        assert left == {other.images.get().key}
        assert set(Image.objects.exclude(case=other).values_list("state", "shredded", "seal")) == {
            ("shredded", "consent", None)
        }

    def test_twice_is_as_good_as_once(self, consent):
        make_case(consent.member, consent=consent)
        consents.revoke(consent=consent, by=consent.member)
        moment = Consent.objects.get(pk=consent.pk).revoked_at

        assert consents.revoke(consent=consent, by=consent.member) == 0
        assert consents.revoke_by_code(consent.code) == 0
        assert Consent.objects.get(pk=consent.pk).revoked_at == moment
        assert Consent.objects.get(pk=consent.pk).revoked_by == "physician"

    def test_nobody_takes_back_a_colleagues(self, consent, colleague):
        with pytest.raises(consents.NotYours):
            consents.revoke(consent=consent, by=colleague)

        assert Consent.objects.get(pk=consent.pk).is_standing

    def test_who_may_only_read_takes_back_all_the_same(self, consent):
        consent.member.standing = "read_only"
        consent.member.save()

        consents.revoke(consent=consent, by=consent.member)

        assert Consent.objects.get(pk=consent.pk).revoked_at

    def test_a_code_hides_at_once_and_destroys_by_a_task(
        self, consent, colleague, django_capture_on_commit_callbacks, monkeypatch
    ):
        case, started = make_case(consent.member, images=2, consent=consent), []
        monkeypatch.setattr(tasks.carry_out_revocation, "delay", started.append)

        with django_capture_on_commit_callbacks(execute=True):
            pictures = consents.revoke_by_code(consents.grouped(consent.code).lower())

        assert pictures == 2
        assert not Image.objects.visible_to(colleague.user).exists()
        assert started == [consent.pk]
        tasks.carry_out_revocation(consent.pk)
        case.refresh_from_db()
        assert case.is_withdrawn

    def test_what_no_task_did_a_sweep_does(self, consent):
        case = make_case(consent.member, consent=consent)
        draft = make_draft(consent.member, consent=consent)
        consents.revoke_by_code(consent.code)

        tasks.finish_revocations()

        case.refresh_from_db()
        assert case.is_withdrawn
        assert not CaseDraft.objects.filter(pk=draft.pk).exists()
        assert consents.finish_revocations() == 0

    def test_a_fault_at_one_case_keeps_no_other(self, consent, monkeypatch):
        first, second = make_case(consent.member, consent=consent), make_case(consent.member, consent=consent)
        whole = withdrawing.withdraw

        def faulty(*, case, **more):
            if case.pk == first.pk:
                raise OSError
            return whole(case=case, **more)

        monkeypatch.setattr(withdrawing, "withdraw", faulty)
        consents.revoke(consent=consent, by=consent.member)

        second.refresh_from_db()
        assert second.is_withdrawn
        assert not Image.objects.exclude(state="shredded").filter(consent=consent).exists()
        monkeypatch.undo()
        assert consents.finish_revocations() == 1
        first.refresh_from_db()
        assert first.is_withdrawn

    def test_no_more_pictures_are_called_destroyed_than_are(self, consent, monkeypatch):
        stuck = make_case(consent.member, images=2, consent=consent).images.first()
        whole = withdrawing.shred

        def faulty(*, image, **more):
            if image == stuck:
                raise OSError
            return whole(image=image, **more)

        with monkeypatch.context() as patch:
            patch.setattr(withdrawing, "withdraw", lambda **more: 1 / 0)
            patch.setattr(withdrawing, "shred", faulty)
            assert consents.revoke(consent=consent, by=consent.member) == 1

        assert consents.revoke(consent=consent, by=consent.member) == 1
        assert consents.revoke(consent=consent, by=consent.member) == 0

    def test_the_physician_is_told_by_whom(self, consent):
        make_case(consent.member, consent=consent)

        consents.revoke_by_code(consent.code)

        notice = Notice.objects.get(member=consent.member, key=f"consent:{consent.pk}:revoked")
        assert "A patient took" in notice_kinds.lines([notice], consent.member.user)[notice.pk].text

    def test_an_unknown_code_does_nothing(self, consent):
        assert consents.revoke_by_code(consents.new_code()) == 0
        assert Consent.objects.get(pk=consent.pk).is_standing


class TestClock:
    @pytest.fixture
    def consent(self, physician):
        made = make_consent(physician, kind=Kinds.SIGNED, attested_at=timezone.now() - timedelta(days=300))
        make_case(physician, consent=made)
        return made

    def ends_in(self, consent, days):
        consent.expires_on = today() + timedelta(days=days)
        consent.save()
        return f"consent:{consent.pk}:{consent.expires_on:%Y%m%d}"

    @pytest.mark.parametrize(
        ("days", "step"),
        [(31, None), (30, 30), (8, 30), (7, 7), (1, 7), (0, 0), (-1, 0), (-30, 0), (-31, None)],
    )
    def test_reminds_30_and_7_days_before_and_on_the_day(self, consent, physician, days, step):
        key = self.ends_in(consent, days)

        consents.remind_due()

        assert told(physician) == ([] if step is None else [f"{key}:{step}"])

    def test_reminds_of_each_time_once(self, consent, physician, monkeypatch):
        key, end = self.ends_in(consent, 30), today() + timedelta(days=30)

        for days in (30, 30, 29, 8, 7, 6, 0, 0, -1):
            now = timezone.now() + timedelta(days=30 - days)
            monkeypatch.setattr(timezone, "now", lambda now=now: now)
            consents.remind_due()
            monkeypatch.undo()

        assert Consent.objects.get().expires_on == end
        assert told(physician) == [f"{key}:30", f"{key}:7", f"{key}:0"]

    def test_twice_a_day_is_once(self, consent, physician):
        self.ends_in(consent, 30)

        assert consents.remind_due() == 1
        assert consents.remind_due() == 0
        assert len(told(physician)) == 1

    def test_says_when(self, consent, physician):
        self.ends_in(consent, 7)
        consents.remind_due()

        notice = Notice.objects.get(member=physician)
        assert notice_kinds.lines([notice], physician.user)[notice.pk].text.startswith(
            "A consent for pictures ends "
        )

    def test_not_of_what_covers_nothing_was_taken_back_or_is_younger(self, physician):
        empty = make_consent(physician, attested_at=timezone.now() - timedelta(days=300))
        young = make_consent(physician)
        gone = make_consent(physician, attested_at=timezone.now() - timedelta(days=300))
        for made in (empty, young, gone):
            self.ends_in(made, 30)
        make_case(physician, consent=young)
        make_case(physician, consent=gone)
        Consent.objects.filter(pk=gone.pk).update(revoked_at=timezone.now(), revoked_by="patient")

        assert consents.remind_due() == 0

    def test_its_last_day_still_counts(self, consent, colleague):
        self.ends_in(consent, 0)
        assert Image.objects.visible_to(colleague.user).exists()

        self.ends_in(consent, -1)
        assert not Image.objects.visible_to(colleague.user).exists()

    def test_thirty_days_later_its_cases_are_withdrawn(self, consent, physician):
        self.ends_in(consent, -30)
        tasks.watch_consents()
        assert not Case.objects.get().is_withdrawn

        key = self.ends_in(consent, -31)
        tasks.watch_consents()

        assert Case.objects.get().withdrawn == Case.Withdrawn.CONSENT
        assert Consent.objects.get().revoked_at is None
        assert consents.end_expired() == 0
        assert key not in " ".join(told(physician)[1:])

    def test_a_draft_under_an_ended_one_goes_with_it(self, consent, physician):
        draft = make_draft(physician, consent=consent)
        image = draft.images.get()
        self.ends_in(consent, -31)

        consents.end_expired()

        image.refresh_from_db()
        assert image.is_shredded
        assert not CaseDraft.objects.exists()


@pytest.mark.parametrize(
    ("fields", "words", "may_renew"),
    [
        ({}, "Stands", False),
        ({"expires_on": 200}, "Stands until ", True),
        ({"expires_on": 30}, "Ends ", True),
        ({"expires_on": -1}, "Ended ", True),
        ({"expires_on": -31}, "Ended ", False),
        ({"is_attested": False}, "Not signed yet", False),
        ({"revoked_at": timezone.now(), "revoked_by": "patient"}, "Taken back by the patient", False),
        ({"revoked_at": timezone.now(), "revoked_by": "physician"}, "Taken back by you", False),
    ],
)
def test_how_it_stands_is_said(physician, fields, words, may_renew):
    if "expires_on" in fields:
        fields = {**fields, "expires_on": today() + timedelta(days=fields["expires_on"])}
    standing = standing_of(make_consent(physician, kind=Kinds.SIGNED, **fields))

    assert standing.text.startswith(words)
    assert standing.may_renew is may_renew


def test_a_picture_shredded_before_stays_as_it_was(physician):
    consent = make_consent(physician)
    case = make_case(physician, consent=consent)
    earlier = make_image(case=case, place=2)
    withdrawing.shred(image=earlier, why=Image.Shredded.IDENTITY)

    consents.revoke(consent=consent, by=physician)

    assert Image.objects.get(pk=earlier.pk).shredded == "identity"
