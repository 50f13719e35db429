"""Cases as physicians write them, in a real browser: on a phone, by finger, mouse, keyboard, and without a script."""

import io
import os
import re
import time

import pytest
from django.conf import settings
from django.urls import reverse
from PIL import Image as Picture
from playwright.sync_api import expect

from conftest import client_of
from consults.models import CaseDraft, Image
from consults.services import files
from consults.tests.factories import jpeg, make_draft, make_image
from consults.words import CHECKLIST
from sermo.tests.test_accessibility import faults_by_look, faults_of, open_details

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}
DESK = {"viewport": {"width": 1280, "height": 900}}
NEW = "/consults/new/"
FACE = {"left": 300, "top": 200, "width": 200, "height": 300, "sort": "face"}


@pytest.fixture
def open_page(browser_page, live_server, physician):
    """A page in which the physician is logged in."""

    def opened(**options):
        page = browser_page(**options)
        name = settings.SESSION_COOKIE_NAME
        value = client_of(physician).cookies[name].value
        page.context.add_cookies([{"name": name, "value": value, "url": live_server.url}])
        return page

    return opened


@pytest.fixture
def no_search(monkeypatch):
    monkeypatch.setattr("consults.services.drafts.redaction.propose", lambda jpeg: [])


def photo(name="rash.jpg", data=None):
    return {"name": name, "mimeType": "image/jpeg", "buffer": data or jpeg()}


def check_page(page, live_server, draft):
    page.goto(f"{live_server.url}{reverse('consults:check', args=[draft.key])}")


def post(page):
    """Tick all, say why no consent is needed, and post."""
    for _, words in CHECKLIST:
        page.get_by_label(words).check()
    page.get_by_label("Why not", exact=True).select_option("close")
    page.get_by_role("button", name="Post the case").click()
    page.wait_for_url(re.compile(f"{NEW}$"))


def burned():
    """The one picture there is, masked, and what it looks like."""
    image = Image.objects.get()
    assert image.is_masked
    return image, Picture.open(io.BytesIO(files.read(image, "full"))).convert("L")


def is_black(picture, left, top, right, bottom):
    """Whether a part of a picture, in thousandths, is black all over."""
    columns, rows = picture.size
    part = (left * columns // 1000, top * rows // 1000, right * columns // 1000, bottom * rows // 1000)
    return picture.crop(part).getextrema()[1] < 8


def test_a_case_is_posted_on_a_phone_in_less_than_90_seconds(open_page, live_server, physician):
    page = open_page(**PHONE)
    begin = time.monotonic()
    page.goto(f"{live_server.url}{NEW}")
    page.locator("#id_pictures").set_input_files(photo())
    page.get_by_text("What is this?", exact=True).tap()
    page.get_by_label("In one line").fill("Ring-shaped rash on the trunk")
    page.get_by_label("Age", exact=True).select_option("40s")
    page.get_by_text("Female", exact=True).tap()
    page.get_by_label("History").fill("Itching ring for two weeks, growing at its edge. No fever.")
    page.get_by_role("button", name="Next: look at the pictures").tap()

    page.get_by_label("What picture 1 shows").fill("A red ring of about 8 cm with a pale middle.")
    assert page.evaluate("document.documentElement.scrollWidth") == 390
    post(page)

    expect(page.locator("main")).to_contain_text("place 1 in the queue")
    took = time.monotonic() - begin
    print(f"posted in {took:.1f} s")
    assert took < 90
    assert burned()[0].draft.fields["title"] == "Ring-shaped rash on the trunk"


def test_a_box_is_drawn_by_finger(open_page, live_server, physician):
    draft = make_draft(physician)
    page = open_page(**PHONE)
    check_page(page, live_server, draft)
    page.get_by_role("button", name="Draw", exact=True).tap()
    stage = page.locator("[data-stage]")
    stage.scroll_into_view_if_needed()
    area = stage.bounding_box()
    touch = page.context.new_cdp_session(page)

    def at(x, y):
        return [{"x": area["x"] + x * area["width"], "y": area["y"] + y * area["height"]}]

    def drag(start, end):
        touch.send("Input.dispatchTouchEvent", {"type": "touchStart", "touchPoints": at(*start)})
        middle = [(one + other) / 2 for one, other in zip(start, end, strict=True)]
        for place in (middle, end):
            touch.send("Input.dispatchTouchEvent", {"type": "touchMove", "touchPoints": at(*place)})
        touch.send("Input.dispatchTouchEvent", {"type": "touchEnd", "touchPoints": []})

    drag((0.2, 0.3), (0.5, 0.6))
    expect(page.get_by_role("button", name=re.compile("^Box 1:"))).to_be_focused()
    drag((0.35, 0.45), (0.55, 0.65))  # taken in its middle and moved
    post(page)

    image, picture = burned()
    assert len(image.boxes) == 1
    assert is_black(picture, 420, 520, 680, 780)
    assert not is_black(picture, 200, 300, 380, 480)


def test_boxes_are_drawn_sized_and_taken_back_by_mouse(open_page, live_server, physician):
    draft = make_draft(physician)
    page = open_page(**DESK)
    check_page(page, live_server, draft)
    stage = page.locator("[data-stage]")
    stage.scroll_into_view_if_needed()
    area = stage.bounding_box()

    def drag(start, end):
        for place, act in ((start, page.mouse.down), (end, page.mouse.up)):
            page.mouse.move(area["x"] + place[0] * area["width"], area["y"] + place[1] * area["height"])
            act()

    drag((0.1, 0.1), (0.3, 0.3))
    drag((0.3, 0.3), (0.6, 0.5))  # by its lower right corner
    drag((0.7, 0.7), (0.9, 0.9))
    expect(page.locator(".redact-box")).to_have_count(2)
    page.get_by_role("button", name="Undo").click()
    expect(page.locator(".redact-box")).to_have_count(1)
    drag((0.7, 0.1), (0.9, 0.2))
    page.get_by_role("button", name="Remove box").click()
    expect(page.locator(".redact-box")).to_have_count(1)
    expect(page.locator("[data-draft-status]")).to_contain_text("Draft saved")  # by itself
    page.reload()
    expect(page.locator(".redact-box")).to_have_count(1)
    post(page)

    image, picture = burned()
    assert len(image.boxes) == 1
    assert is_black(picture, 110, 110, 590, 490)
    assert not is_black(picture, 700, 700, 900, 900)


def test_a_face_is_covered_and_a_box_added_with_the_keyboard_alone(open_page, live_server, physician):
    draft = make_draft(physician, images=0)
    make_image(draft=draft, proposals=[FACE], boxes=[FACE])
    page = open_page(**DESK)
    check_page(page, live_server, draft)
    press = page.keyboard.press

    def tab_to(target):
        for _ in range(60):
            press("Tab")
            if target.evaluate("one => one === document.activeElement"):
                return
        raise AssertionError(f"the keyboard does not come to {target}")

    tab_to(page.get_by_role("button", name=re.compile("^Face 1:")))
    press("Shift+ArrowRight")
    tab_to(page.get_by_role("button", name="Add a box"))
    press("Enter")
    for key in ["ArrowRight"] * 20 + ["ArrowDown"] * 20 + ["Shift+ArrowLeft"] * 5:
        press(key)
    expect(page.locator("[data-said]")).to_have_text(
        "Box 2: 60% from the left, 60% from the top, 15% wide, 20% high"
    )
    tab_to(page.get_by_role("button", name="Add a box"))
    press("Enter")
    press("Delete")
    expect(page.locator(".redact-box")).to_have_count(2)
    for _, words in CHECKLIST:
        tab_to(page.get_by_label(words))
        press("Space")
    tab_to(page.get_by_label("Why not", exact=True))
    press("ArrowDown")
    tab_to(page.get_by_role("button", name="Post the case"))
    press("Enter")
    page.wait_for_url(re.compile(f"{NEW}$"))

    image, picture = burned()
    assert [box["sort"] for box in image.boxes] == ["face", "own"]
    assert is_black(picture, 300, 200, 510, 500)
    assert is_black(picture, 600, 600, 750, 800)


def test_a_false_face_goes_by_a_button_and_a_wrong_number_moves_nothing(open_page, live_server, physician):
    draft = make_draft(physician, images=0)
    writing = {"left": 100, "top": 700, "width": 300, "height": 100, "sort": "text"}
    image = make_image(draft=draft, proposals=[FACE, writing], boxes=[FACE, writing])
    page = open_page(**PHONE)
    check_page(page, live_server, draft)
    not_face = page.get_by_role("button", name="Not a face")

    page.get_by_role("button", name=re.compile("^Writing 2:")).tap()
    expect(not_face).to_be_hidden()
    page.get_by_role("button", name=re.compile("^Face 1:")).tap()
    tops = page.locator(".tools .button:visible").evaluate_all("all => all.map((one) => one.offsetTop)")
    assert (len(tops), len(set(tops))) == (6, 1)
    not_face.tap()
    expect(page.get_by_label("Why a part of a face on picture 1 stays open")).to_have_value("not_a_face")
    page.get_by_role("button", name="Undo").tap()
    expect(page.get_by_label("Why a part of a face on picture 1 stays open")).to_have_value("")
    page.get_by_role("button", name=re.compile("^Face 1:")).tap()
    not_face.tap()

    page.get_by_text("Boxes as numbers").tap()
    left = page.locator("[data-row]").nth(1).get_by_label("Left")
    left.press_sequentially("0")  # 10.0 becomes 10.00
    left.fill("120")
    left.blur()
    name = page.get_by_role("button", name=re.compile("^Writing 2: 10% from the left"))
    expect(name).to_have_count(1)
    expect(page.get_by_text("these numbers make no box, it stays as it was")).to_be_visible()
    expect(page.locator("[data-draft-status]")).to_contain_text("Draft saved")

    image.refresh_from_db()
    assert (image.boxes, image.why_uncovered) == ([writing], "Not a face")


def test_pictures_stand_in_the_order_of_the_case_and_failed_ones_take_no_place(
    open_page, live_server, physician, no_search
):
    draft = make_draft(physician, images=6)
    page, held = open_page(**DESK), []

    def answer(route):
        if b"slow.jpg" in route.request.post_data_buffer:
            held.append(route)  # chosen first, taken in last
        else:
            route.continue_()

    page.goto(f"{live_server.url}{draft.get_absolute_url()}")
    page.locator("#id_pictures").set_input_files(photo("notes.jpg", b"no picture"))
    expect(page.locator("[data-waiting].failed")).to_have_count(1)
    page.route(re.compile(r"/images/$"), answer)
    page.locator("#id_pictures").set_input_files(
        [photo("slow.jpg"), photo("other.jpg", jpeg(color=(9, 9, 9)))]
    )
    expect(page.locator("[data-image]")).to_have_count(7)
    held[0].continue_()

    expect(page.locator("[data-image]")).to_have_count(8)
    places = page.locator("[data-image]").evaluate_all("all => all.map((one) => Number(one.dataset.place))")
    assert places == sorted(places)
    page.get_by_role("button", name="Remove picture 2").click()
    expect(page.locator("[data-image]")).to_have_count(7)
    assert page.locator("[data-image] b").all_inner_texts() == [f"Picture {number}" for number in range(1, 8)]
    page.unroute_all(behavior="ignoreErrors")


def test_a_case_is_written_and_masked_without_a_script(open_page, live_server, physician, no_search):
    page = open_page(**PHONE, java_script_enabled=False)
    page.goto(f"{live_server.url}{NEW}")
    page.locator("#id_pictures").set_input_files([photo(), photo("other.jpg", jpeg(color=(20, 90, 160)))])
    page.get_by_label("History").fill("Itching ring for two weeks, growing at its edge.")
    page.get_by_role("button", name="Next: look at the pictures").click()
    page.get_by_text("Choose what you ask.").first.wait_for()
    expect(page.locator("[data-image]")).to_have_count(2)
    page.get_by_role("button", name="Remove picture 2").click()
    expect(page.get_by_label("History")).to_have_value(re.compile("^Itching ring"))
    page.get_by_text("What is this?", exact=True).click()
    page.get_by_label("In one line").fill("Ring-shaped rash on the trunk")
    page.get_by_label("Age", exact=True).select_option("40s")
    page.get_by_text("Female", exact=True).click()
    page.get_by_role("button", name="Next: look at the pictures").click()

    page.get_by_text("Boxes as numbers").click()
    row = page.locator("[data-row]").first
    for label, number in (("Left", "10"), ("Top", "20.5"), ("Width", "30"), ("Height", "40")):
        row.get_by_label(label).fill(number)
    page.get_by_role("button", name="Save these, more rows").click()
    expect(page.locator("svg[data-still] rect")).to_have_count(1)
    page.get_by_label("What picture 1 shows").fill("A red ring of about 8 cm.")
    for _, words in CHECKLIST:
        page.get_by_label(words).check()
    page.get_by_role("button", name="Post the case").click()
    page.get_by_text("Say why no consent is required.").first.wait_for()
    post(page)

    image = Image.objects.get(state="masked")
    picture = Picture.open(io.BytesIO(files.read(image, "full"))).convert("L")
    assert is_black(picture, 100, 205, 400, 605)
    assert not is_black(picture, 500, 205, 800, 605)


def test_an_upload_is_tried_again_and_can_be_stopped(open_page, live_server, physician, no_search):
    page = open_page(**PHONE)
    tries = []

    def answer(route):
        body = route.request.post_data_buffer
        if b"slow.jpg" in body:
            return None  # never answered: it is stopped
        tries.append(re.search(rb'name="upload"\r\n\r\n(\S+)', body)[1])
        return route.abort() if len(tries) == 1 else route.continue_()

    page.route(re.compile(r"/images/$"), answer)
    page.goto(f"{live_server.url}{NEW}")
    page.get_by_label("History").fill("Typed before the connection dropped.")
    page.locator("#id_pictures").set_input_files([photo("first.jpg"), photo("slow.jpg")])

    page.locator("[data-waiting]", has_text="slow.jpg").get_by_role("button", name="Cancel").tap()
    expect(page.locator("[data-image]")).to_have_count(1)
    expect(page.locator("[data-waiting]")).to_have_count(0)
    assert len(set(tries)) == 1
    assert len(tries) == 2
    page.reload()
    expect(page.get_by_label("History")).to_have_value("Typed before the connection dropped.")
    expect(page.locator("[data-image]")).to_have_count(1)
    assert CaseDraft.objects.get().images.count() == 1
    page.unroute_all(behavior="ignoreErrors")


def test_a_large_photo_is_made_smaller_before_it_is_sent(open_page, live_server, physician, no_search):
    noise = Picture.frombytes("RGB", (500, 375), os.urandom(500 * 375 * 3)).resize((4000, 3000))
    data = io.BytesIO()
    noise.save(data, "JPEG", quality=95)
    page, sizes = open_page(**PHONE), []
    page.on(
        "request", lambda sent: "/images/" in sent.url and sizes.append(len(sent.post_data_buffer or b""))
    )
    page.goto(f"{live_server.url}{NEW}")
    page.locator("#id_pictures").set_input_files(photo(data=data.getvalue()))

    expect(page.locator("[data-image]")).to_have_count(1, timeout=20_000)

    assert len(data.getvalue()) > 2_000_000
    assert (Image.objects.get().width, Image.objects.get().height) == (3000, 2250)
    assert sizes[0] < len(data.getvalue())


def test_the_pages_are_accessible(open_page, live_server, physician):
    draft = make_draft(physician, state="returned", answer="The name band is still readable.")
    make_image(draft=draft, place=2, proposals=[FACE], boxes=[FACE])
    page, found = open_page(**PHONE), []
    pages = [NEW, draft.get_absolute_url(), reverse("consults:check", args=[draft.key])]
    for address in pages:
        page.emulate_media(color_scheme="light")
        page.goto(f"{live_server.url}{address}")
        open_details(page)
        found += faults_by_look(page)
    page.set_viewport_size(PHONE["viewport"])
    page.get_by_role("button", name="Post the case").click()
    expect(page.get_by_role("alert")).to_be_focused()
    found += faults_of(page, {})

    assert found == []
