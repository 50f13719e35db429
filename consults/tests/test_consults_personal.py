"""What leaving does with cases, and what an export says of them."""

import json

import pytest
from django.utils import timezone

from accounts.leaving import ledger
from accounts.leaving.ledger import Person
from accounts.models import Member
from accounts.services import leaving
from accounts.tests.factories import make_member, make_user
from consults.models import Case, CaseDraft, Consent, Image, ImageFlag, Marker
from consults.personal import ENTRIES, LEFT
from consults.services import consents, drafts, markers
from consults.tests.factories import make_case, make_consent, make_draft

pytestmark = pytest.mark.django_db
NOTE = "the tall gardener"


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
def leaver(db):
    return make_member("quiet_harbor", user=make_user("torre@example.org"))


@pytest.fixture
def signed(leaver):
    made = consents.prepare(member=leaver, note=NOTE)
    return consents.sign(
        consent=made, member=leaver, signer="patient", medium="screen", signed_on=timezone.localdate()
    )


def rows_of(member, model) -> list[dict]:
    person = Person.of(member.user)
    entry = next(entry for entry in ENTRIES if entry.model == model)
    return [entry.row(row) for row in entry.rows(person)]


def mark(case, member, number, **fields):
    byline, _ = case.question.bylines.get_or_create(member=member, defaults={"mode": "anonymous"})
    return Marker.objects.create(
        case=case,
        image=case.images.get(),
        number=number,
        left=1,
        top=1,
        label="border",
        member=member,
        byline=byline,
        **fields,
    )


class TestLeaving:
    def test_a_case_stays_with_its_pictures(self, leaver, signed, colleague):
        case = make_case(leaver, consent=signed)

        leaving.leave(leaver.user)

        assert Case.objects.get().question_id == case.pk
        assert Image.objects.visible_to(colleague.user).get().case_id == case.pk

    def test_the_patient_takes_it_back_all_the_same(self, leaver, signed):
        make_case(leaver, consent=signed)
        code = signed.code
        leaving.leave(leaver.user)

        assert consents.revoke_by_code(code) == 1
        consents.carry_out(consent_id=signed.pk)

        assert Case.objects.get().withdrawn == "consent"
        assert Image.objects.get().is_shredded

    def test_drafts_go_and_their_pictures_are_shredded(
        self, leaver, case_files, django_capture_on_commit_callbacks
    ):
        consent = make_consent(leaver)
        make_draft(leaver, images=2)
        make_draft(
            leaver, state="waiting", submitted_at=timezone.now(), consent=consent, image_state="masked"
        )

        with django_capture_on_commit_callbacks(execute=True):
            leaving.leave(leaver.user)

        assert not CaseDraft.objects.exists()
        assert set(Image.objects.values_list("state", flat=True)) == {"shredded"}
        assert [path for path in case_files.rglob("*") if path.is_file()] == []

    def test_consents_keep_neither_notes_nor_codes_to_print(self, leaver, signed):
        make_case(leaver, consent=signed)
        approved = make_consent(leaver, kind="institution", statement="Board of Quuxbury Clinic, 2026-14.")
        make_case(leaver, consent=approved)
        consents.prepare(member=leaver, note=NOTE)

        leaving.leave(leaver.user)

        kept = {consent.kind: consent for consent in Consent.objects.all()}
        assert set(kept) == {"signed", "institution"}
        assert (kept["signed"].note, kept["signed"].code) == ("", None)
        assert kept["signed"].code_hash
        assert kept["institution"].statement == LEFT

    def test_loose_marks_and_words_of_flags_go(self, leaver, colleague):
        case = make_case(colleague)
        ImageFlag.objects.create(image=case.images.get(), member=leaver, words="A name on the band")
        mark(case, leaver, 1)
        kept = mark(case, leaver, 2, post=case.question.posts.get())

        leaving.leave(leaver.user)

        assert ImageFlag.objects.get().words == ""
        gone, stays = Marker.objects.order_by("number")
        assert (gone.number, gone.label, gone.left, gone.top) == (1, "", 0, 0)
        assert gone.removed_at
        assert (stays, stays.label, stays.removed_at) == (kept, "border", None)

    def test_a_number_never_means_another_mark(self, leaver, colleague):
        case = make_case(colleague)
        mark(case, leaver, 1)
        moment = timezone.now()
        earlier = mark(case, leaver, 2, removed_at=moment)

        leaving.leave(leaver.user)
        made = markers.add_marker(image=case.images.get(), member=make_member(), left=5, top=5, label="rim")

        assert made.number == 3
        earlier.refresh_from_db()
        assert earlier.removed_at == moment

    def test_nothing_of_others_is_touched(self, leaver, colleague):
        theirs = make_consent(colleague, kind="institution", note="mine")
        make_draft(colleague)

        leaving.leave(leaver.user)

        theirs.refresh_from_db()
        assert theirs.note == "mine"
        assert CaseDraft.objects.count() == 1
        assert not Image.objects.get().is_shredded

    def test_somebody_without_a_membership_leaves(self):
        make_case()
        user = make_user("torre@example.org")

        leaving.leave(user)

        assert Consent.objects.exists()
        assert Member.objects.filter(user__isnull=False).exists()


class TestExport:
    def test_says_what_one_did_and_gives_no_keys(self, leaver, signed, colleague):
        case = make_case(leaver, consent=signed, intent="teaching")
        make_draft(leaver, typed={"history": "Two days of fever."})
        make_case(colleague)

        said = {entry.model: rows_of(leaver, entry.model) for entry in ENTRIES if entry.shown}

        assert [row["question"] for row in said["consults.Case"]] == [case.pk]
        assert said["consults.Case"][0]["solution_markdown"].startswith("Erythema")
        assert said["consults.Consent"][0]["note"] == NOTE
        assert said["consults.CaseDraft"][0]["fields"]["history"] == "Two days of fever."
        assert len(said["consults.Image"]) == 2
        everything = json.dumps(said, default=str)
        for secret in (signed.code, signed.code_hash, *(image.seal for image in Image.objects.all())):
            assert secret not in everything

    def test_every_model_is_in_the_ledger(self):
        book = ledger.entries()

        assert not [name for name in ledger.missing_tables(book) if name.startswith("consults.")]
        assert not [name for name in ledger.missing_fields(book) if name.startswith("consults.")]

    def test_a_shredded_picture_says_why(self, leaver):
        draft = make_draft(leaver)
        drafts.remove_image(image=draft.images.get(), member=leaver)

        assert rows_of(leaver, "consults.Image")[0]["shredded"] == "by its author"
