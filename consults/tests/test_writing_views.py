"""The pages on which a case is written and looked at a last time."""

import uuid
from datetime import timedelta

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.models import IdentifierDecision
from accounts.tests.factories import make_member
from conftest import client_of
from consults import uploads
from consults.models import Case, CaseDraft, Consent, Image
from consults.services import consents, drafts, files, masking
from consults.tests.factories import FIELDS, jpeg, make_consent, make_draft, make_image
from consults.words import CHECKLIST
from questions.models import Question
from sermo.images import Intake, Rendition
from sermo.redaction import is_masked

NEW = "/consults/new/"
FACE = {"left": 300, "top": 200, "width": 200, "height": 300, "sort": "face"}


@pytest.fixture
def no_search(monkeypatch):
    """Pictures are taken in without the search for text and faces, which is tested by itself."""
    monkeypatch.setattr("consults.services.drafts.redaction.propose", lambda jpeg: [])


@pytest.fixture
def no_burning(monkeypatch):
    """Pictures stay as they are; what is burned into them is tested with a picture of its own."""
    monkeypatch.setattr(
        "consults.services.masking.redaction.burn",
        lambda jpegs, boxes: [dict.fromkeys(("full", "screen", "thumb"), jpeg) for jpeg in jpegs],
    )


def typed(member, **fields):
    return {**FIELDS, "specialties": [member.specialty_id], **fields}


def file(data=None, name="rash.jpg"):
    return SimpleUploadedFile(name, data or jpeg(), "image/jpeg")


def address(name, draft, *more):
    return reverse(f"consults:{name}", args=[draft.key, *more])


def looked_at(draft, **fields):
    """What the last page is sent with, when nothing on it is changed."""
    sent = {
        "ticks": [key for key, _ in CHECKLIST],
        "consent-kind": "deidentified",
        "consent-why": "close",
        "consent-signed": "new",
        "consent-signer": "patient",
        "post": "1",
    }
    for image in draft.images.exclude(state="shredded"):
        sent |= boxes(image, *([] if image.is_masked else image.boxes))
        sent[f"picture-{image.pk}-description"] = image.description
    return {**sent, **fields}


def boxes(image, *rows):
    """Rows as the page sends them; a box is a dict as `Image.boxes` holds it."""
    prefix = f"boxes-{image.pk}"
    sent = {f"{prefix}-TOTAL_FORMS": len(rows) + 1, f"{prefix}-INITIAL_FORMS": 0}
    for place, box in enumerate(rows):
        sent |= {
            f"{prefix}-{place}-{side}": f"{box[side] / 10:.1f}" for side in ("left", "top", "width", "height")
        }
        sent[f"{prefix}-{place}-sort"] = box.get("sort", "")
    return sent


def errors(page, form="form"):
    assert page.status_code == 422
    return page.context[form].errors


# The form


def test_a_case_goes_from_its_form_to_its_readers(physician, physician_client, no_search, no_burning):
    sent = physician_client.post(NEW, {**typed(physician), "start": uuid.uuid4(), "pictures": file()})
    draft = CaseDraft.objects.get()
    assert sent.url == address("check", draft)

    image = draft.images.get()
    fields = {f"picture-{image.pk}-description": "A ring with a pale middle."}
    posted = physician_client.post(sent.url, looked_at(draft, **fields))

    draft.refresh_from_db()
    assert posted.url == NEW
    assert draft.is_waiting  # the first cases of a member
    assert draft.consent.kind == "deidentified"
    assert draft.images.get().is_masked
    page = physician_client.get(NEW).content.decode()
    assert "place 1 in the queue" in page
    assert FIELDS["title"] in page


def test_the_own_specialty_and_days_are_chosen_already(physician, physician_client):
    form = physician_client.get(NEW).context["form"]

    assert form["specialties"].value() == [physician.specialty_id]
    assert form["urgency"].value() == "days"
    assert form["intent"].value() == "help"


def test_a_phone_offers_its_camera(physician_client):
    page = physician_client.get(NEW).content.decode()

    assert page.count('name="pictures"') == 2
    assert page.count('capture="environment"') == 1


def test_what_is_missing_is_said_beside_its_field_and_the_rest_is_kept(physician, physician_client):
    sent = typed(physician, ask="", age_band="", sex="", history="", intent="teaching", urgency="now")

    page = physician_client.post(NEW, {**sent, "start": uuid.uuid4()})

    assert set(errors(page)) == {
        *("ask", "age_band", "sex", "history", "solution", "care_under_way", "pictures")
    }
    assert page.context["form"]["title"].value() == FIELDS["title"]
    assert CaseDraft.objects.get().fields["title"] == FIELDS["title"]
    for name in ("ask", "history", "pictures"):
        assert f'id="id_{name}_error"' in page.content.decode()


@pytest.mark.parametrize(
    ("fields", "name"),
    [
        ({"audience": "connections"}, "audience"),
        ({"tags": "a-tag-that-nobody-knows"}, "tags"),
        ({"byline": "public"}, "byline"),
        ({"title": "Short"}, "title"),
        ({"specialties": []}, "specialties"),
    ],
)
def test_what_would_be_refused_in_the_end_is_refused_at_once(physician, physician_client, fields, name):
    draft = make_draft(physician)

    page = physician_client.post(address("write", draft), typed(physician, **fields))

    assert name in errors(page)
    assert CaseDraft.objects.get().fields["history"] == FIELDS["history"]


def test_what_could_identify_is_decided_once(physician, physician_client, no_burning):
    draft = make_draft(physician)
    sent = typed(physician, history="Seen at Lakeside General after a bite. Call 212-555-0187.")

    page = physician_client.post(address("write", draft), sent)
    rows = page.context["form"].checked_identifiers["history"].rows
    assert {row.is_stop for row in rows} == {True, False}

    sent["history"] = "Seen at Lakeside General after a bite."
    sent["not_patient"] = [row.key for row in rows if not row.is_stop]
    assert physician_client.post(address("write", draft), sent).status_code == 302
    assert "checked" in physician_client.get(address("write", draft)).content.decode().split("not_patient")[1]
    assert "as you decided" in physician_client.get(address("check", draft)).content.decode()

    physician_client.post(address("check", draft), looked_at(draft))
    assert CaseDraft.objects.get().is_waiting
    assert IdentifierDecision.objects.get().place == "case"


def test_a_replacement_is_kept_and_nothing_goes_on(physician, physician_client):
    draft = make_draft(physician)
    sent = typed(physician, history="Ten days after Mr. Okafor was bitten.")

    page = physician_client.post(address("write", draft), {**sent, "replace": "all"})

    assert page.status_code == 422
    assert "Okafor" not in CaseDraft.objects.get().fields["history"]


def test_what_is_typed_is_kept_without_a_word_and_makes_one_draft(physician, physician_client):
    start = uuid.uuid4()

    kept = [
        physician_client.post(f"{NEW}?keep", {"title": title, "start": start}) for title in ("Ras", "Rash")
    ]

    draft = CaseDraft.objects.get()
    assert [one.status_code for one in kept] == [204, 204]
    assert {one.headers["Location"] for one in kept} == {address("write", draft)}
    assert draft.fields["title"] == "Rash"
    assert physician_client.post(f"{address('write', draft)}?keep", {"title": "Rash \x00"}).status_code == 204
    draft.refresh_from_db()
    assert draft.fields["title"] == "Rash "


def test_more_cases_than_one_may_have_in_writing_are_refused_with_what_was_typed(physician, physician_client):
    for _ in range(5):
        make_draft(physician, images=0)

    assert "as many as you can have" in physician_client.get(NEW).content.decode()
    page = physician_client.post(NEW, typed(physician, title="The sixth case of them", start=uuid.uuid4()))

    assert page.status_code == 422
    assert "The sixth case of them" in page.content.decode()
    assert physician_client.post(f"{NEW}?keep", {"title": "x", "start": uuid.uuid4()}).status_code == 409


def test_save_and_close_leads_to_what_is_in_writing(physician, physician_client):
    page = physician_client.post(
        NEW, {"title": "Half a case", "save": "1", "start": uuid.uuid4()}, follow=True
    )

    assert page.redirect_chain == [(NEW, 302)]
    assert "Half a case" in page.content.decode()


def test_a_case_sent_back_says_why_on_both_pages(physician, physician_client):
    draft = make_draft(physician, state="returned", answer="The name band is still readable.")

    for page in (NEW, address("write", draft), address("check", draft)):
        assert "The name band is still readable." in physician_client.get(page).content.decode()


@pytest.mark.parametrize("page", ["write", "check"])
def test_while_a_moderator_looks_nothing_changes(physician, physician_client, page):
    draft = make_draft(
        physician, state="waiting", submitted_at="2026-11-20T10:00Z", consent=make_consent(physician)
    )

    assert physician_client.get(address(page, draft)).url == NEW
    assert physician_client.post(address(page, draft), {"title": "Another"}).url == NEW
    assert physician_client.post(f"{address(page, draft)}?keep", {"title": "Another"}).status_code == 409
    physician_client.post(address("discard", draft))
    assert CaseDraft.objects.get().fields["title"] == FIELDS["title"]


# Doors


@pytest.mark.parametrize("name", ["write", "check", "upload", "discard", "remove_image"])
@pytest.mark.parametrize("way", ["get", "post"])
def test_a_draft_of_another_member_is_not_there(physician, colleague_client, name, way):
    draft = make_draft(physician)
    more = [draft.images.get().key] if name == "remove_image" else []

    answer = getattr(colleague_client, way)(address(name, draft, *more))

    only_post = way == "get" and name in ("discard", "remove_image", "upload")
    assert answer.status_code == 404 or (only_post and answer.status_code == 302)
    assert draft.images.get().state == "staged"


@pytest.mark.parametrize("name", ["new", "write", "check", "upload"])
def test_only_physicians_who_may_write_come_in(applicant, physician, client, name):
    draft = make_draft(physician)
    place = NEW if name == "new" else address(name, draft)

    assert "/accounts/login/" in client.get(place).url
    assert client_of(applicant).get(place).status_code == 302
    assert client.post(place, headers={"HX-Request": "true"}).status_code == 401
    reader = make_member(standing="read_only")
    assert client_of(reader).get(place).status_code == 403


def test_a_form_of_another_site_is_refused(physician):
    client = Client(enforce_csrf_checks=True)
    client.force_login(physician.user)

    assert client.post(NEW, {"title": "x", "pictures": file()}).status_code == 403
    assert not CaseDraft.objects.exists()


# Pictures


def test_an_upload_sent_twice_is_one_picture(physician, physician_client, no_search):
    draft, number = make_draft(physician, images=0), uuid.uuid4()

    for _ in range(2):
        answer = physician_client.post(
            address("upload", draft), {"upload": number, "pictures": file()}, headers={"HX-Request": "true"}
        )
        assert answer.status_code == 200
        assert "data-image" in answer.content.decode()

    assert draft.images.get().upload == number


def test_a_form_without_a_script_sends_several_and_keeps_what_is_typed(
    physician, physician_client, no_search
):
    draft = make_draft(physician, images=0)
    sent = typed(physician, title="Typed before the pictures")

    for _ in range(2):  # sent again after a slow answer: the same files are the same pictures
        pictures = [file(), file(jpeg(color=(10, 20, 30))), file(b"no picture", "notes.txt")]
        answer = physician_client.post(address("upload", draft), {**sent, "pictures": pictures}, follow=True)

    assert draft.images.count() == 2
    assert CaseDraft.objects.get().fields["title"] == "Typed before the pictures"
    assert "notes.txt: Send a JPEG" in answer.content.decode()


@pytest.mark.parametrize(
    ("data", "words"),
    [(b"no picture", "Send a JPEG"), (b"\xff\xd8\xff" + b"x" * 200, "cannot be read"), (None, "32 MB")],
)
def test_a_file_that_is_no_picture_is_refused_in_words(physician, physician_client, monkeypatch, data, words):
    monkeypatch.setattr(uploads, "LARGEST", 500)
    draft = make_draft(physician, images=0)
    sent = {"upload": uuid.uuid4(), "pictures": file(data or jpeg())}

    answer = physician_client.post(address("upload", draft), sent, headers={"HX-Request": "true"})

    assert answer.status_code == 422
    assert words in answer.content.decode()
    assert not draft.images.exists()


def test_an_upload_is_never_written_to_a_temporary_file(physician, physician_client, monkeypatch, no_search):
    def refuse(*args, **kwargs):
        raise AssertionError("a temporary file")

    monkeypatch.setattr("django.core.files.uploadhandler.TemporaryUploadedFile.__init__", refuse)
    monkeypatch.setattr(
        "consults.services.drafts.images.take_in",
        lambda data: Intake("photo", 320, 240, (Rendition("", "", jpeg()),)),
    )
    draft = make_draft(physician, images=0)

    physician_client.post(address("upload", draft), {"pictures": file(jpeg() + bytes(5_000_000))})

    assert draft.images.exists()


def test_pictures_are_numbered_by_their_place_among_those_that_are_there(
    physician, physician_client, no_search
):
    draft = make_draft(physician, images=3)
    first = draft.images.in_order().first()
    physician_client.post(address("remove_image", draft, first.key))

    page = physician_client.get(address("write", draft)).content.decode()
    sent = {"upload": uuid.uuid4(), "pictures": file()}
    panel = physician_client.post(
        address("upload", draft), sent, headers={"HX-Request": "true"}
    ).content.decode()

    numbers = [f"<b>Picture <span data-number>{number}</span></b>" for number in (1, 2, 3)]
    assert [number in page for number in numbers] == [True, True, False]
    assert numbers[2] in panel
    assert 'data-place="4"' in panel


def test_the_summary_of_faults_names_a_field_by_its_first_line(physician, physician_client):
    page = physician_client.post(NEW, typed(physician, urgency="now", start=uuid.uuid4())).content.decode()

    assert '<a href="#id_care_under_way">Emergency care is under way</a>' in page


def test_a_removed_picture_is_shredded_and_what_is_typed_kept(physician, physician_client):
    draft = make_draft(physician, images=2)
    first, second = draft.images.in_order()
    sent = typed(physician, title="Typed before the removal")

    back = physician_client.post(address("remove_image", draft, first.key), sent)
    panel = physician_client.post(address("remove_image", draft, second.key), headers={"HX-Request": "true"})

    assert back.url == f"{address('write', draft)}#pictures"
    assert (panel.status_code, panel.content) == (200, b"")
    assert set(draft.images.values_list("state", flat=True)) == {"shredded"}
    assert CaseDraft.objects.get().fields["title"] == "Typed before the removal"


def test_a_discarded_case_takes_its_pictures_with_it(physician, physician_client):
    draft = make_draft(physician)

    physician_client.post(address("discard", draft))

    assert not CaseDraft.objects.exists()
    assert Image.objects.get().state == "shredded"


# The last look


def test_a_case_that_is_not_complete_leads_back_to_what_is_missing(physician, physician_client):
    draft = make_draft(physician, typed={"history": ""})

    page = physician_client.get(address("check", draft), follow=True)

    assert page.redirect_chain == [(f"{address('write', draft)}?incomplete", 302)]
    assert set(page.context["form"].errors) == {"history"}


def test_boxes_typed_as_numbers_are_burned_in(physician, physician_client):
    draft = make_draft(physician)
    image = draft.images.get()
    box = {"left": 100, "top": 205, "width": 300, "height": 250}

    physician_client.post(address("check", draft), looked_at(draft, **boxes(image, box)))

    image.refresh_from_db()
    assert image.boxes == [{**box, "sort": "own"}]
    assert is_masked(files.read(image, "full"), [drafts.Box(**image.boxes[0])])


def test_every_refusal_of_the_last_page_keeps_what_was_typed(physician, physician_client):
    draft = make_draft(physician)
    image = draft.images.get()
    box = {"left": 100, "top": 200, "width": 300, "height": 250}
    sent = looked_at(draft, **boxes(image, box))
    sent |= {"ticks": ["face"], "consent-why": "", "consent-expires_on": "2020-01-01"}
    sent[f"picture-{image.pk}-description"] = ""

    page = physician_client.post(address("check", draft), sent)

    sheet = page.context["sheet"]
    assert page.status_code == 422
    assert "7 of 8" in str(sheet.ticks.errors)
    assert set(sheet.consent.errors) == {"why", "expires_on"}
    assert set(sheet.pictures[0].errors) == {"description"}
    assert len(sheet.faults) == 4
    assert 'value="10.0"' in page.content.decode()
    image.refresh_from_db()
    assert image.boxes == [{**box, "sort": "own"}]
    assert image.state == "staged"
    assert not Consent.objects.exists()


def test_a_box_smaller_than_the_face_needs_a_reason(physician, physician_client, no_burning):
    draft = make_draft(physician, images=0)
    image = make_image(draft=draft, proposals=[FACE], boxes=[FACE])
    small = boxes(image, {**FACE, "height": 100})

    page = physician_client.post(address("check", draft), looked_at(draft, **small))
    assert "leaves a part of a face open" in str(page.context["sheet"].pictures[0].errors["why"])

    reason = {f"picture-{image.pk}-why": "other", f"picture-{image.pk}-why_words": "It is a doll."}
    physician_client.post(address("check", draft), looked_at(draft, **small, **reason))
    image.refresh_from_db()
    assert (image.is_masked, image.why_uncovered) == (True, "It is a doll.")


def test_a_number_that_makes_no_box_is_said_beside_it(physician, physician_client):
    draft = make_draft(physician)
    image = draft.images.get()
    sent = looked_at(draft, **boxes(image, {"left": 100, "top": 200, "width": 0, "height": 250}))
    sent[f"boxes-{image.pk}-0-left"] = "abc"

    page = physician_client.post(address("check", draft), sent)

    assert set(page.context["sheet"].pictures[0].boxes[0].errors) == {"left", "width"}


@pytest.mark.parametrize("way", ["keep", "save", "rows", "post"])
def test_a_wrong_number_takes_no_box_away(physician, physician_client, way):
    draft = make_draft(physician, images=0)
    name = {**FACE, "sort": "text"}
    image = make_image(draft=draft, proposals=[name], boxes=[name])
    opened = physician_client.get(address("check", draft)).content.decode()
    assert 'value="300 200 200 300"' in opened
    sent = looked_at(
        draft, **{f"boxes-{image.pk}-0-left": "120", f"boxes-{image.pk}-0-was": "300 200 200 300"}
    )
    if way != "post":
        del sent["post"]
        sent |= {way: str(image.pk)}

    place = address("check", draft)
    answer = physician_client.post(f"{place}?keep" if way == "keep" else place, sent, follow=True)

    image.refresh_from_db()
    assert image.boxes == [name]
    assert image.state == "staged"
    if way != "keep":
        page = answer.content.decode()
        assert "Picture 1, box 1, left" in page
    if way == "post":
        assert answer.status_code == 422
        assert '<rect x="300" y="200" width="200" height="300"/>' in page


def test_found_writing_left_open_needs_a_tick_for_just_that(physician, physician_client, no_burning):
    draft = make_draft(physician, images=0)
    found = [{**FACE, "sort": "text"}, {"left": 10, "top": 10, "width": 90, "height": 20, "sort": "text"}]
    image = make_image(draft=draft, proposals=found, boxes=found)
    tick = f"picture-{image.pk}-writing"
    assert "identifies nobody" not in physician_client.get(address("check", draft)).content.decode()

    def post(*rows, **more):
        return physician_client.post(address("check", draft), looked_at(draft, **boxes(image, *rows), **more))

    page = post(found[1])
    assert page.status_code == 422
    assert "Found writing is left open on picture 1: I looked, it identifies nobody." in page.content.decode()
    assert set(page.context["sheet"].pictures[0].errors) == {"writing"}
    elsewhere = {"left": 900, "top": 900, "width": 50, "height": 50}
    assert post(elsewhere, **{tick: ["0"]}).status_code == 422  # it was for the first alone
    image.refresh_from_db()
    assert image.state == "staged"

    assert post(found[1], **{tick: ["0"]}).url == NEW
    image.refresh_from_db()
    assert (image.is_masked, image.boxes) == (True, [found[1]])


def test_a_picture_that_came_meanwhile_keeps_its_boxes_and_is_to_be_looked_at(physician, physician_client):
    draft = make_draft(physician)
    sent = looked_at(draft)
    later = make_image(draft=draft, place=2, proposals=[FACE], boxes=[FACE])

    assert physician_client.post(f"{address('check', draft)}?keep", sent).status_code == 204
    page = physician_client.post(address("check", draft), sent)

    assert page.status_code == 422
    assert [fault["label"] for fault in page.context["sheet"].faults] == ["Picture 2"]
    later.refresh_from_db()
    assert (later.boxes, later.description, later.state) == ([FACE], later.description, "staged")
    assert later.description
    assert f'name="boxes-{later.pk}-0-left" value="30.0"' in page.content.decode()


def test_a_page_that_arrives_without_its_rows_takes_no_box_away(physician, physician_client):
    draft = make_draft(physician, images=0)
    image = make_image(draft=draft, proposals=[FACE], boxes=[FACE])

    for count in ("TOTAL", "INITIAL"):
        sent = looked_at(draft, **{f"boxes-{image.pk}-{count}_FORMS": ""})
        assert physician_client.post(address("check", draft), sent).status_code == 422

    image.refresh_from_db()
    assert (image.boxes, image.state) == ([FACE], "staged")


def test_a_found_face_is_no_face_by_a_tick_in_its_row(physician, physician_client, no_burning):
    draft = make_draft(physician, images=0)
    image = make_image(draft=draft, proposals=[FACE], boxes=[FACE])
    assert (
        f'name="boxes-{image.pk}-0-not_face"'
        in physician_client.get(address("check", draft)).content.decode()
    )

    physician_client.post(address("check", draft), looked_at(draft, **{f"boxes-{image.pk}-0-not_face": "on"}))

    image.refresh_from_db()
    assert (image.is_masked, image.boxes, image.why_uncovered) == (True, [], "Not a face")


def test_a_face_left_open_is_said_with_all_else_and_stays_as_it_was_drawn(physician, physician_client):
    draft = make_draft(physician, images=0)
    image = make_image(draft=draft, proposals=[FACE], boxes=[FACE])
    sent = looked_at(draft, **boxes(image, {**FACE, "height": 100}), ticks=["face"])

    page = physician_client.post(address("check", draft), sent)

    sheet = page.context["sheet"]
    assert set(sheet.pictures[0].errors) == {"why"}
    assert sheet.ticks.errors
    assert "Why a part of a face on picture 1 stays open" in [fault["label"] for fault in sheet.faults]
    image.refresh_from_db()
    assert image.boxes == [FACE]  # what would be burned in leaves nothing open
    again = physician_client.get(address("check", draft)).context["sheet"].pictures[0]
    assert again.boxes[0]["height"].value() == "10.0"


@pytest.mark.parametrize("way", ["keep", "save"])
def test_new_boxes_on_a_masked_picture_are_kept_until_they_are_burned_in(
    physician, physician_client, no_burning, way
):
    draft = make_draft(physician, image_state="masked")
    image = draft.images.get()
    box = {"left": 500, "top": 500, "width": 200, "height": 200, "sort": "own"}
    sent, place = looked_at(draft, **boxes(image, box)), address("check", draft)
    del sent["post"]

    physician_client.post(f"{place}?keep" if way == "keep" else place, {**sent, way: "1"})
    physician_client.post(address("write", draft), typed(physician))  # the text, saved later, keeps them

    rows = physician_client.get(place).context["sheet"].pictures[0].boxes
    assert [row["left"].value() for row in rows] == ["50.0", None, None]
    image.refresh_from_db()
    assert image.boxes == []
    physician_client.post(place, looked_at(draft, **boxes(image, box)))
    image.refresh_from_db()
    assert image.boxes == [box]


def test_the_page_says_what_will_be_and_not_what_was(physician, physician_client):
    page = physician_client.get(address("check", make_draft(physician))).content.decode()

    assert "When you post, the black boxes are burned in and the original is destroyed." in page
    assert "Empty: until it is taken back." in page
    assert page.count(">Consent<") == 1


def test_more_rows_keep_what_is_there(physician, physician_client):
    draft = make_draft(physician)
    image = draft.images.get()
    rows = [{"left": 100 * place, "top": 0, "width": 50, "height": 50} for place in range(3)]

    back = physician_client.post(
        address("check", draft), looked_at(draft, **boxes(image, *rows), rows=image.pk)
    )
    page = physician_client.get(back.url)

    assert back.url.endswith(f"#boxes-{image.pk}")
    assert len(page.context["sheet"].pictures[0].boxes.forms) == 5


def test_what_is_looked_at_is_kept_without_a_word(physician, physician_client):
    draft = make_draft(physician)
    image = draft.images.get()
    sent = looked_at(draft, **{f"picture-{image.pk}-description": "Half a"})
    del sent["post"], sent["ticks"]
    sent |= {"consent-kind": "institution", "consent-approval": "Board of the hospital"}

    assert physician_client.post(f"{address('check', draft)}?keep", sent).status_code == 204

    sheet = physician_client.get(address("check", draft)).context["sheet"]
    assert sheet.pictures[0]["description"].value() == "Half a"
    assert sheet.consent["approval"].value() == "Board of the hospital"
    physician_client.post(address("write", draft), typed(physician))  # the text, saved later, keeps it
    assert CaseDraft.objects.get().fields["consent"]["kind"] == "institution"


@pytest.mark.parametrize("is_new", [True, False])
def test_a_case_goes_out_under_a_signed_consent(physician, physician_client, is_new, no_burning):
    draft = make_draft(physician)
    known = make_consent(physician, "signed")
    sent = {
        "consent-kind": "signed",
        "consent-signed": "new" if is_new else str(known.pk),
        "consent-signer": "guardian",
        "consent-signed_on": "2026-01-02",
    }

    physician_client.post(address("check", draft), looked_at(draft, **sent))

    consent = CaseDraft.objects.get().consent
    assert (consent == known) is not is_new
    assert consent.is_standing
    assert not is_new or (consent.signer, consent.medium) == ("guardian", "paper")


def test_who_signed_a_form_of_nobodys_is_to_get_the_code(physician, physician_client, no_burning):
    draft, known = make_draft(physician), make_consent(physician, "signed")
    sent = {"consent-kind": "signed", "consent-signed": "new", "consent-signed_on": "2026-01-02"}

    page = physician_client.post(address("check", draft), looked_at(draft, **sent), follow=True)

    made = CaseDraft.objects.get().consent
    assert made != known
    assert f'<a href="{made.get_absolute_url()}">Show and print the code</a>' in page.content.decode()
    assert consents.grouped(made.code) in physician_client.get(made.get_absolute_url()).content.decode()


@pytest.mark.parametrize("kind", ["signed", "deidentified"])
def test_nobody_else_is(physician, physician_client, no_burning, kind):
    draft, known = make_draft(physician), make_consent(physician, "signed")
    sent = looked_at(draft, **{"consent-kind": kind, "consent-signed": str(known.pk)})

    page = physician_client.post(address("check", draft), sent, follow=True)

    assert CaseDraft.objects.get().is_waiting
    assert "Show and print the code" not in page.content.decode()


def test_every_consent_that_stands_or_waits_for_its_signature_is_offered(physician, physician_client):
    standing = make_consent(physician, "signed", made_at=timezone.now() - timedelta(days=90))
    prepared = make_consent(physician, "signed", is_attested=False, form_version="2026-11")
    for _ in range(20):
        make_consent(physician, "signed")
    yesterday = timezone.now().date() - timedelta(days=1)
    ended = make_consent(physician, "signed", expires_on=yesterday)
    taken_back = [
        make_consent(physician, "signed", revoked_at=timezone.now(), revoked_by="patient", is_attested=stood)
        for stood in (True, False)
    ]
    others = make_consent(make_member(), "signed")

    form = physician_client.get(address("check", make_draft(physician))).context["sheet"].consent

    offered = {key for key, _ in form.fields["signed"].choices}
    assert {str(standing.pk), str(prepared.pk)} <= offered
    assert not {str(one.pk) for one in (ended, *taken_back, others)} & offered


def test_a_consent_attested_in_vain_is_taken_again(physician, physician_client, monkeypatch, no_burning):
    draft = make_draft(physician)
    with monkeypatch.context() as patch:
        patch.setattr("consults.services.submitting.masking.mask", _refuse)
        assert physician_client.post(address("check", draft), looked_at(draft)).status_code == 422

    physician_client.post(address("check", draft), looked_at(draft))

    assert CaseDraft.objects.get().consent == Consent.objects.get()


def _refuse(image):
    raise drafts.UnreadableImage("broken")


def test_a_masked_picture_takes_more_boxes_and_no_fewer(physician, physician_client):
    draft = make_draft(physician, image_state="masked")
    image = draft.images.get()
    image.boxes = [{"left": 0, "top": 0, "width": 100, "height": 100, "sort": "own"}]
    image.save()
    box = {"left": 500, "top": 500, "width": 200, "height": 200, "sort": "own"}

    page = physician_client.get(address("check", draft))
    physician_client.post(address("check", draft), looked_at(draft, **boxes(image, box)))

    assert len(page.context["sheet"].pictures[0].boxes.forms) == 2  # nothing of before to change
    image.refresh_from_db()
    assert image.boxes[1:] == [box]
    assert is_masked(files.read(image, "full"), [drafts.Box(**box)])


@pytest.mark.parametrize("change", ["masked", "removed"])
def test_what_changes_in_another_tab_at_that_moment_is_shown_as_it_is_then(
    physician, physician_client, monkeypatch, no_burning, change
):
    draft = make_draft(physician)
    rows = list(draft.images.all())
    monkeypatch.setattr("consults.views.checking.pictures_of", lambda draft: rows)  # as they were before
    sent = looked_at(draft, **boxes(rows[0], {"left": 0, "top": 0, "width": 100, "height": 100}))
    if change == "masked":
        masking.mask(draft.images.get())
    else:
        Image.objects.update(draft=None)

    answer = physician_client.post(address("check", draft), sent)

    assert answer.url == address("check", draft)
    assert physician_client.post(f"{address('check', draft)}?keep", sent).status_code == 409


def test_a_case_posted_twice_is_one_and_leads_to_it(physician, physician_client, monkeypatch, no_burning):
    monkeypatch.setattr("consults.services.triage.is_newcomer", lambda *args: False)
    draft = make_draft(physician, typed={"history": "Itching for some weeks, no travel."})
    sent = looked_at(draft)

    posted = [physician_client.post(address("check", draft), sent) for _ in range(2)]

    case = Case.objects.get()
    assert [one.url for one in posted] == [case.get_absolute_url()] * 2
    assert physician_client.get(address("write", draft)).url == case.get_absolute_url()
    assert Question.objects.get().peers_only


@pytest.mark.parametrize("number", [1, 5])
def test_the_list_costs_the_same_at_any_length(
    physician, physician_client, django_assert_max_num_queries, number
):
    for _ in range(number):
        make_draft(physician)
    physician_client.get(NEW)

    with django_assert_max_num_queries(14):
        physician_client.get(NEW)


@pytest.mark.parametrize("number", [1, 8])
def test_the_last_page_costs_the_same_with_any_number_of_pictures(
    physician, physician_client, django_assert_max_num_queries, number
):
    draft = make_draft(physician, images=number)
    physician_client.get(address("check", draft))

    with django_assert_max_num_queries(20):
        assert physician_client.get(address("check", draft)).status_code == 200


class TestEndedConsent:
    @pytest.fixture
    def draft(self, physician):
        """Sent back by a moderator; its consent has ended since."""
        ended = make_consent(physician, expires_on=timezone.now().date() - timedelta(days=1))
        return make_draft(physician, state="returned", answer="Crop it.", consent=ended, image_state="masked")

    @pytest.mark.parametrize("name", ["write", "check"])
    def test_is_said(self, draft, physician_client, name):
        words = "The consent it was sent with has ended."
        assert words in physician_client.get(address(name, draft)).content.decode()

        draft.consent = make_consent(draft.member)
        draft.save()

        assert words not in physician_client.get(address(name, draft)).content.decode()

    def test_its_pictures_can_be_removed_all_the_same(self, draft, physician_client):
        image = draft.images.get()

        physician_client.post(address("remove_image", draft, image.key))

        image.refresh_from_db()
        assert image.is_shredded
