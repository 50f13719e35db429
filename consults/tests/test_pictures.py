"""Pictures of a draft: taken in, boxed, masked, destroyed."""

import io
import uuid
from datetime import timedelta

import pytest
from django.core.files.storage import storages
from django.db import transaction
from django.test import override_settings
from django.utils import timezone
from PIL import Image as Picture

from accounts.tests.factories import make_member
from consults.models import CaseDraft, Image
from consults.services import drafts, files, masking
from consults.tests.factories import jpeg, make_case, make_consent, make_draft, make_image
from questions.services.writing import ReadOnly
from sermo import images, redaction
from sermo.redaction import Box
from verification.models import Event

pytestmark = pytest.mark.django_db
NOTHING = {"left": 0, "top": 0, "width": 0, "height": 0}
CORNER = Box(left=0, top=0, width=300, height=250, sort="own")
PHI = "JANE ROE 03/04/1961"


@pytest.fixture
def author():
    return make_member()


@pytest.fixture
def draft(author):
    return drafts.start(member=author)


@pytest.fixture
def on_commit(django_capture_on_commit_callbacks):
    return lambda: django_capture_on_commit_callbacks(execute=True)


def send(draft, data=None, upload=None):
    return drafts.add_image(
        draft=draft, member=draft.member, upload=upload or uuid.uuid4(), data=data or jpeg(640, 480)
    )


def describe(image, *boxes, **words):
    return drafts.describe(
        image=image, member=image.draft.member, boxes=boxes, **{"description": "A rash.", **words}
    )


def pixels(data):
    return Picture.open(io.BytesIO(data)).convert("RGB")


def all_files():
    """The names of all files of pictures, by storage."""

    def below(storage, folder):
        if not storage.exists(folder):
            return []
        folders, names = storage.listdir(folder)
        deeper = [name for inner in folders for name in below(storage, f"{folder}/{inner}")]
        return [*(f"{folder}/{name}" for name in names), *deeper]

    return {name: set(below(storages[name], files.FOLDER)) for name in ("staging", "private")}


class TestStarting:
    def test_a_draft_keeps_what_was_typed(self, author):
        draft = drafts.start(member=author, fields={"title": "A rash"})
        drafts.save(draft=draft, member=author, fields={"title": "A rash on the trunk"})

        assert CaseDraft.objects.get().fields == {"title": "A rash on the trunk"}

    def test_five_are_enough(self, author):
        for _ in range(5):
            drafts.start(member=author)

        with pytest.raises(drafts.TooManyDrafts):
            drafts.start(member=author)

    def test_who_may_only_read_writes_none(self):
        with pytest.raises(ReadOnly):
            drafts.start(member=make_member(standing="read_only"))

    def test_what_waits_stays_as_it_is(self, author):
        draft = make_draft(
            author, state="waiting", submitted_at=timezone.now(), consent=make_consent(author), images=1
        )
        image = draft.images.get()

        for act in (
            lambda: drafts.save(draft=draft, member=author, fields={}),
            lambda: send(draft),
            lambda: drafts.remove_image(image=image, member=author),
            lambda: describe(image),
            lambda: drafts.discard(draft=draft, member=author),
        ):
            with pytest.raises(drafts.NotInWriting):
                act()

    def test_nobody_else_gets_at_it(self, draft):
        image = make_image(draft=draft)

        for act in (
            lambda: drafts.save(draft=draft, member=make_member(), fields={}),
            lambda: drafts.remove_image(image=image, member=make_member()),
            lambda: drafts.discard(draft=draft, member=make_member()),
        ):
            with pytest.raises(CaseDraft.DoesNotExist):
                act()


class TestTakingIn:
    def test_a_picture_is_staged_under_its_own_key_alone(self, draft):
        data = jpeg(640, 480)
        image = send(draft, data)

        assert (image.state, image.place, image.width, image.height) == ("staged", 1, 640, 480)
        with storages["staging"].open(files.staged_name(image)) as stored:
            assert not stored.read().startswith(b"\xff\xd8")
        assert pixels(files.read_staged(image)).size == (640, 480)
        assert pixels(files.read_staged(image)).getpixel((9, 9)) == pytest.approx((180, 140, 120), abs=3)

    @pytest.mark.parametrize(("size", "longest"), [("full", 2400), ("screen", 1600), ("thumb", 480)])
    def test_a_small_size_is_sent_small(self, draft, size, longest):
        image = make_image(draft=draft, picture=jpeg(2400, 1200))

        assert max(pixels(files.read_staged(image, size=size)).size) == longest

    def test_what_is_found_is_boxed_from_the_beginning(self, draft):
        image = send(draft, jpeg(1000, 700, color=(20, 20, 24), text=PHI))

        assert [box["sort"] for box in image.boxes] == ["text"] * len(image.boxes)
        assert image.boxes == image.proposals != []

    def test_what_only_a_wider_window_of_a_slice_shows_is_found_too(self, draft, monkeypatch):
        plain, written = jpeg(900, 700, color=(9, 9, 9)), jpeg(900, 700, color=(9, 9, 9), text=PHI)
        windows = [("lung", "Lung", plain), ("soft", "Soft tissue", plain), ("bone", "Bone", written)]
        sent = images.Intake("dicom", 900, 700, tuple(images.Rendition(*one) for one in windows))
        monkeypatch.setattr(images, "take_in", lambda data: sent)

        assert send(draft).proposals

    def test_a_search_that_fails_leaves_the_looking_to_a_person(self, draft, monkeypatch):
        def fail(jpeg):
            raise redaction.ProposalFailed

        monkeypatch.setattr(redaction, "propose", fail)

        assert not send(draft).was_looked_at

    def test_the_same_upload_twice_is_one(self, draft):
        upload = uuid.uuid4()

        assert send(draft, upload=upload) == send(draft, upload=upload)
        assert len(all_files()["staging"] & {files.staged_name(Image.objects.get())}) == 1

    def test_also_where_the_consent_it_was_sent_with_has_ended(self, draft):
        upload = uuid.uuid4()
        image = send(draft, upload=upload)
        draft.consent = make_consent(draft.member, revoked_at=timezone.now(), revoked_by="patient")
        draft.save()

        assert send(draft, upload=upload) == image

    def test_a_ninth_is_refused_and_leaves_no_file(self, draft):
        for place in range(1, 9):
            make_image(draft=draft, place=place)
        before = all_files()

        with pytest.raises(drafts.TooManyImages), transaction.atomic():
            send(draft)
        files.sweep()

        assert draft.images.count() == 8
        assert len(all_files()["staging"]) <= len(before["staging"]) + 1

    def test_a_place_left_free_is_taken(self, draft):
        one, two = send(draft), send(draft)
        drafts.remove_image(image=one, member=draft.member)
        three = send(draft)
        for _ in range(6):
            send(draft)

        assert (two.place, three.place) == (2, 3)
        assert sorted(draft.images.exclude(state="shredded").values_list("place", flat=True)) == [
            *range(1, 9)
        ]

    @pytest.mark.parametrize(("data", "reason"), [(b"GIF89a", "format"), (b"\xff\xd8\xff" * 9, "broken")])
    def test_what_cannot_be_read_is_refused_in_words(self, draft, data, reason):
        with pytest.raises(drafts.UnreadableImage) as refusal:
            send(draft, data)

        assert (refusal.value.reason, str(refusal.value)) == (reason, drafts.REFUSALS[reason])
        assert not draft.images.exists()

    def test_every_reason_has_its_words(self):
        of_documents = {"pages", "locked"}

        assert set(images.REASONS) - of_documents <= drafts.REFUSALS.keys()

    @override_settings(CASE_UPLOADS_PER_DAY=2)
    def test_so_many_a_day(self, draft):
        with pytest.raises(drafts.UnreadableImage):
            send(draft, b"nothing")
        send(draft)

        with pytest.raises(drafts.TooManyToday):
            send(draft)


class TestBoxes:
    FACE = {"left": 400, "top": 300, "width": 200, "height": 300, "sort": "face"}

    def test_are_kept_with_the_words(self, draft):
        image = describe(send(draft), CORNER, description=" A rash with a pale middle. ")

        assert masking.boxes_of(image.boxes) == [CORNER]
        assert image.description == "A rash with a pale middle."

    def test_a_face_stays_covered_whole_unless_there_is_a_reason(self, draft):
        image = make_image(draft=draft, proposals=[self.FACE], boxes=[self.FACE])
        smaller = Box(left=400, top=300, width=200, height=200, sort="face")

        with pytest.raises(drafts.FaceUncovered):
            describe(image, smaller)
        assert describe(image, smaller, why_uncovered="No face: the knot of a bandage").why_uncovered
        assert describe(image, Box(**self.FACE), why_uncovered="No face").why_uncovered == ""

    def test_two_boxes_cover_it_as_well(self, draft):
        image = make_image(draft=draft, proposals=[self.FACE], boxes=[self.FACE])
        halves = [Box(left=left, top=300, width=100, height=300, sort="own") for left in (400, 500)]

        assert drafts.uncovered_faces(describe(image, *halves)) == 0

    def test_found_text_may_be_left_open(self, draft):
        text = {**self.FACE, "sort": "text"}
        image = make_image(draft=draft, proposals=[text], boxes=[text])

        assert masking.left_over(describe(image)) == 1

    def test_sixty_are_enough(self, draft):
        boxes = [Box(left=step, top=0, width=5, height=5, sort="own") for step in range(61)]

        with pytest.raises(drafts.TooManyBoxes):
            describe(send(draft), *boxes)

    def test_on_a_masked_picture_only_the_words_change(self, draft):
        image = make_image(draft=draft, state="masked", boxes=masking.as_dicts([CORNER]))

        assert describe(image, CORNER, description="A target.").description == "A target."
        with pytest.raises(drafts.MaskedAlready):
            describe(image)


class TestMasking:
    def test_burns_the_boxes_into_every_size_and_destroys_the_original(self, draft, on_commit):
        image = describe(send(draft, jpeg(1000, 800)), CORNER)
        staged = files.staged_names(image)

        with on_commit():
            image = masking.mask(image)

        for size in ("full", "screen", "thumb"):
            drawn = pixels(files.read(image, size))
            width, height = drawn.width * 3 // 10, drawn.height // 4
            assert drawn.crop((0, 0, width, height)).getcolors() == [(width * height, (0, 0, 0))]
            assert drawn.getpixel((drawn.width - 9, drawn.height - 9)) == pytest.approx(
                (180, 140, 120), abs=6
            )
        assert not any(storages["staging"].exists(name) for name in staged)
        assert image.destroyed_at
        assert (image.state, image.left_over) == ("masked", 0)
        with pytest.raises(FileNotFoundError):
            files.read_staged(image)

    def test_what_a_crash_leaves_behind_cannot_be_opened(self, draft):
        image = describe(send(draft), CORNER)
        left = files.staged_name(image)
        masked = masking.mask(image)  # the commit, and with it the deleting, never comes

        assert storages["staging"].exists(left)
        with pytest.raises(FileNotFoundError):
            files.read_staged(masked)

    def test_twice_is_as_good_as_once(self, draft):
        image = masking.mask(describe(send(draft), CORNER))

        assert masking.mask(image).masked_hashes == image.masked_hashes

    def test_leaves_proof_that_names_nobody(self, draft):
        image = masking.mask(describe(send(draft), CORNER))

        event = Event.objects.get(kind="case_picture_masked")
        assert (event.object, event.actor, event.subject) == (f"image:{image.pk}", None, None)
        assert event.evidence == ["boxes:1", f"sha256:{image.masked_hashes[0]}"]

    def test_more_masks_can_follow_and_none_goes(self, draft):
        image = masking.mask(describe(send(draft, jpeg(1000, 800)), CORNER))
        below = Box(left=500, top=500, width=500, height=500, sort="own")

        image = masking.mask_more(image, [CORNER, below])

        drawn = pixels(files.read(image, "full"))
        assert {drawn.getpixel((9, 9)), drawn.getpixel((990, 790))} == {(0, 0, 0)}
        assert masking.boxes_of(image.boxes) == [CORNER, below]

    def test_more_masks_that_are_rolled_back_lose_nothing(self, draft):
        image = masking.mask(describe(send(draft, jpeg(1000, 800)), CORNER))

        with transaction.atomic():
            masking.mask_more(image, [Box(left=500, top=500, width=500, height=500, sort="own")])
            transaction.set_rollback(True)

        image.refresh_from_db()
        assert pixels(files.read(image, "full")).getpixel((990, 790)) == pytest.approx((180, 140, 120), abs=6)

    def test_more_masks_leave_only_the_new_files(self, draft, on_commit):
        image = masking.mask(describe(send(draft), CORNER))
        before = set(files.masked_names(image))

        with on_commit():
            image = masking.mask_more(image, [Box(left=500, top=500, width=500, height=500, sort="own")])

        assert not before & all_files()["private"]
        assert set(files.masked_names(image)) <= all_files()["private"]

    def test_what_was_staged_too_long_is_not_masked_any_more(self, draft):
        late = make_image(draft=draft, staged_at=timezone.now() - timedelta(hours=24, minutes=1))

        with pytest.raises(masking.NoPictureAnyMore):
            masking.mask(late)

    def test_every_window_of_a_dicom_file_is_masked(self, draft):
        windows = [["lung", "Lung"], ["bone", "Bone"]]
        image = make_image(
            draft=draft, windows=windows, picture=jpeg(400, 400), boxes=masking.as_dicts([CORNER])
        )

        image = masking.mask(image)

        for window, _ in windows:
            assert pixels(files.read(image, "screen", window)).getpixel((5, 5)) == (0, 0, 0)

    def test_what_is_shredded_or_lost_is_not_masked(self, draft):
        image, lost = make_image(draft=draft), make_image(draft=draft, place=2)
        drafts.remove_image(image=image, member=draft.member)
        storages["staging"].delete(files.staged_name(lost))

        for gone in (image, lost):
            with pytest.raises(masking.NoPictureAnyMore):
                masking.mask(gone)

    def test_a_picture_that_cannot_be_burned_stays_staged(self, draft, monkeypatch):
        def fail(*args):
            raise redaction.BurningFailed

        image = make_image(draft=draft)
        monkeypatch.setattr(redaction, "burn", fail)
        with pytest.raises(masking.MaskingFailed):
            masking.mask(image)

        monkeypatch.undo()
        assert masking.mask(image).is_masked


class TestShredding:
    def test_a_removed_picture_is_nowhere(self, draft, on_commit):
        image = make_image(draft=draft, state="masked")
        known = set(files.masked_names(image))
        assert known <= all_files()["private"]

        with on_commit():
            drafts.remove_image(image=image, member=draft.member)

        image.refresh_from_db()
        assert not known & all_files()["private"]
        assert (image.state, image.seal, image.description, image.shredded) == (
            "shredded",
            None,
            "",
            "author",
        )

    def test_a_discarded_draft_takes_its_pictures_along(self, draft, on_commit):
        image = make_image(draft=draft)

        with on_commit():
            drafts.discard(draft=draft, member=draft.member)

        assert not CaseDraft.objects.exists()
        assert Image.objects.get(pk=image.pk).is_shredded
        assert not set(files.staged_names(image)) & all_files()["staging"]

    def test_after_a_day_what_was_staged_is_gone(self, draft, on_commit):
        old = make_image(draft=draft, staged_at=timezone.now() - timedelta(hours=25))
        make_image(draft=draft, place=2)
        make_case().images.update(staged_at=timezone.now() - timedelta(days=9))

        with on_commit():
            assert drafts.purge_expired() == 1

        old.refresh_from_db()
        assert (old.state, old.shredded) == ("shredded", "expired")
        assert not set(files.staged_names(old)) & all_files()["staging"]
        assert drafts.purge_expired() == 0

    def test_masked_pictures_of_a_draft_left_alone_go_after_a_month(self, draft, on_commit):
        ago = timezone.now() - timedelta(days=31)
        left = make_image(draft=draft, state="masked", masked_at=ago)
        CaseDraft.objects.filter(pk=draft.pk).update(saved_at=ago)
        in_writing = make_draft(images=1, image_state="masked")
        shown = make_case()

        with on_commit():
            assert drafts.purge_expired() == 1

        left.refresh_from_db()
        assert left.is_shredded
        assert in_writing.images.get().is_masked
        assert shown.images.get().is_masked

    def test_what_a_crash_left_staged_goes_within_the_hour(self, draft):
        masked, staged = make_image(draft=draft, state="masked"), make_image(draft=draft, place=2)
        files.stage(masked, [("", jpeg())])

        drafts.purge_expired()

        assert not {*files.staged_names(masked)} & all_files()["staging"]
        assert {*files.staged_names(staged)} <= all_files()["staging"]

    def test_the_sweep_finds_what_no_picture_needs(self, draft, monkeypatch):
        masked, staged = make_image(draft=draft, state="masked"), make_image(draft=draft, place=2)
        files.stage(masked, [("", jpeg())])
        stray = f"{files.FOLDER}/zz/zzstray.picture.full"
        from django.core.files.base import ContentFile

        storages["private"].save(stray, ContentFile(b"noise"))
        monkeypatch.setattr("sermo.private_files.YOUNG", timedelta(seconds=-5))

        files.sweep()

        assert not {*files.staged_names(masked)} & all_files()["staging"]
        assert stray not in all_files()["private"]
        assert {*files.staged_names(staged)} <= all_files()["staging"]
        assert {*files.masked_names(masked)} <= all_files()["private"]
