"""The viewer in a browser: by mouse, by fingers, by keys, and without a script."""

import io
import re

import pytest
from django.conf import settings
from PIL import Image as Drawing
from PIL import ImageDraw
from playwright.sync_api import expect

from accounts.tests.factories import make_member
from conftest import client_of
from consults.models import Image, Marker
from consults.tests.factories import make_case, make_image
from consults.tests.test_markers import make_mark
from questions.services.committing import open_for_reading
from questions.tests.factories import make_answer
from sermo.tests.test_accessibility import faults_by_look

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PHONE = {"viewport": {"width": 390, "height": 844}, "has_touch": True, "is_mobile": True}


def scan(width=640, height=480, color=(40, 40, 40)):
    """Something to look at: a ring on a dark ground."""
    drawn = Drawing.new("RGB", (width, height), color)
    ImageDraw.Draw(drawn).ellipse(
        (width // 4, height // 4, width // 2, height // 2), outline="white", width=9
    )
    out = io.BytesIO()
    drawn.save(out, "JPEG", quality=85)
    return out.getvalue()


@pytest.fixture
def reader():
    return make_member("left_atrium")


@pytest.fixture
def opened(browser_page, live_server, reader):
    """A page of a case, for a reader who is logged in; what went wrong in it is kept in `faults`."""

    def open_page(case=None, query="", *, path="", who=None, **options):
        page = browser_page(**options)
        name = settings.SESSION_COOKIE_NAME
        value = client_of(who or reader).cookies[name].value
        page.context.add_cookies([{"name": name, "value": value, "url": live_server.url}])
        page.faults = []
        page.on("console", lambda said: page.faults.append(said.text) if said.type == "error" else None)
        page.on("pageerror", lambda error: page.faults.append(str(error)))
        page.goto(live_server.url + (path or f"{case.get_absolute_url()}{query}"))
        return page

    return open_page


@pytest.fixture
def case(reader):
    """Three pictures, the first of them in two windows, with two marks, both named by an answer open to the reader."""
    made = make_case(images=0)
    sides = {"width": 640, "height": 480}
    windows = [["lung", "Lung"], ["bone", "Bone"]]
    make_image(case=made, place=1, windows=windows, picture=scan(), description="Lung slice.", **sides)
    make_image(case=made, place=2, picture=scan(480, 640), width=480, height=640, description="A tall one.")
    make_image(case=made, place=3, picture=scan(color=(90, 30, 30)), description="The neck.", **sides)
    author = make_member("agarplate")
    make_mark(made, author, left=375, top=375, label="Cavity?")
    make_mark(made, author, place=3, left=800, top=200, label="Wedge")
    make_answer(made.question, author, source="There is (mark 1), and (mark 2) too; (mark 9) is not.")
    open_for_reading(question=made.question, member=reader)
    return made


def turned(page, number=1) -> dict:
    """How a picture is drawn now: scale, angle, and how far its middle is moved."""
    script = """number => {
        const frame = document.querySelector(`[data-picture="${number}"] .frame`);
        const matrix = new DOMMatrix(getComputedStyle(frame).transform);
        return {
            scale: Math.hypot(matrix.a, matrix.b), angle: Math.round(Math.atan2(matrix.b, matrix.a) * 180 / Math.PI),
            x: matrix.e, y: matrix.f, filter: frame.querySelector("img").style.filter,
        };
    }"""
    return page.evaluate(script, number)


def pin_place(page, number=1) -> tuple[float, float]:
    box = page.locator(f'[data-pin="{number}"] .dot').bounding_box()
    return box["x"] + box["width"] / 2, box["y"] + box["height"] / 2, box["width"]


def until(page, condition):
    """Wait for what the page's own policy lets nobody poll for inside it."""
    for _ in range(50):
        if page.evaluate(condition):
            return
        page.wait_for_timeout(60)
    raise AssertionError(condition)


def tool(page, name):
    return page.locator(".viewer").get_by_role("button", name=name, exact=True)


def test_buttons_zoom_move_turn_invert_and_put_back(opened, case):
    page = opened(case)
    said = page.locator("[data-said]")

    tool(page, "Zoom in").click()
    tool(page, "Zoom in").click()
    assert turned(page)["scale"] == pytest.approx(1.69, abs=0.01)
    expect(said).to_have_text("Zoom 169 percent")
    expect(page.locator('[data-picture="1"] img')).to_have_attribute("src", re.compile("size=full"))
    tool(page, "Move").click()
    tool(page, "Move right").click()
    assert turned(page)["x"] == 60
    tool(page, "Rotate by 90 degrees").click()
    assert turned(page)["angle"] == 90
    assert pin_place(page)[2] == pytest.approx(22, abs=1)
    tool(page, "Invert").click()
    expect(tool(page, "Invert")).to_have_attribute("aria-pressed", "true")
    tool(page, "Brightness and contrast").click()
    page.get_by_role("slider", name="Brightness").fill("150")
    assert turned(page)["filter"] == "brightness(150%) contrast(100%) invert(1)"
    tool(page, "Reset").click()
    assert turned(page) == {"scale": 1, "angle": 0, "x": 0, "y": 0} | {
        "filter": "brightness(100%) contrast(100%) invert(0)"
    }
    expect(page.get_by_role("slider", name="Brightness")).to_have_value("100")

    tool(page, "Bone").click()
    expect(page.locator('[data-picture="1"] img')).to_have_attribute("src", re.compile("window=bone"))
    expect(tool(page, "Bone")).to_have_attribute("aria-pressed", "true")
    expect(tool(page, "Lung")).to_have_attribute("aria-pressed", "false")
    expect(page.locator("[data-said-image]")).to_have_text("Image 1 of 3, Bone")
    assert not page.faults


def test_the_mouse_zooms_and_moves_and_the_wheel_scrolls_the_page_until_one_turns_to_the_image(opened, case):
    page = opened(case)
    pane = page.locator("[data-pane]")
    box = pane.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2

    page.mouse.move(x, y)
    page.mouse.wheel(0, 40)
    until(page, "() => scrollY > 0")
    assert turned(page)["scale"] == 1
    page.evaluate("scrollTo(0, 0)")
    pane.focus()
    before = pin_place(page)
    page.mouse.move(*before[:2])
    page.mouse.wheel(0, -300)
    expect(page.locator("[data-said-zoom]")).not_to_have_text("100%")
    assert turned(page)["scale"] == pytest.approx(1.82, abs=0.02)
    assert pin_place(page)[:2] == pytest.approx(before[:2], abs=2)  # what is under the pointer stays there

    page.mouse.move(x + 60, y + 60)
    page.mouse.down()
    page.mouse.move(x + 100, y + 90, steps=4)
    page.mouse.up()
    after = pin_place(page)
    assert (after[0] - before[0], after[1] - before[1]) == pytest.approx((40, 30), abs=2)
    page.mouse.dblclick(x, y)
    assert turned(page)["scale"] == 1
    page.mouse.dblclick(x, y)
    assert turned(page)["scale"] == 2.5
    assert not page.faults


def test_the_keys_of_the_viewer_work_while_it_has_the_focus(opened, case):
    page = opened(case)

    page.locator("body").press("i")
    assert "invert(0)" in turned(page)["filter"]
    page.locator("[data-pane]").focus()
    for key in ("+", "+", "ArrowLeft", "r", "i"):
        page.keyboard.press(key)
    now = turned(page)
    assert (now["x"], now["angle"], now["scale"] > 1) == (60, 90, True)
    assert "invert(1)" in now["filter"]
    page.keyboard.press("0")
    page.keyboard.press("]")
    expect(page.locator('[data-picture="2"]')).to_be_visible()
    expect(page.locator('[data-picture="1"]')).to_be_hidden()
    expect(page.locator("[data-said]")).to_have_text("Image 2 of 3. A tall one.")
    expect(page.locator("[data-description]")).to_have_text("A tall one.")
    second = Image.objects.get(case=case, place=2)
    expect(page.get_by_role("link", name="Full size")).to_have_attribute(
        "href", f"{second.get_absolute_url()}full/"
    )
    expect(page.get_by_role("link", name="Report: shows patient identity")).to_have_attribute(
        "href", f"{second.get_absolute_url()}flag/"
    )
    page.keyboard.press("[")
    page.keyboard.press("[")
    expect(page.locator('[data-picture="3"]')).to_be_visible()
    page.keyboard.press("f")
    until(page, "() => document.fullscreenElement?.id === 'viewer'")
    expect(tool(page, "Full screen")).to_have_attribute("aria-pressed", "true")
    page.keyboard.press("f")
    until(page, "() => !document.fullscreenElement")
    assert not page.faults


def test_where_a_browser_has_no_full_screen_the_viewer_covers_the_page(opened, case):
    page = opened(case)
    page.evaluate("Element.prototype.requestFullscreen = undefined")

    tool(page, "Full screen").click()

    box = page.locator(".viewer").bounding_box()
    assert (box["x"], box["y"], box["width"]) == (0, 0, page.viewport_size["width"])
    page.keyboard.press("Escape")
    assert page.locator(".viewer").bounding_box()["y"] > 0
    assert not page.faults


def test_two_images_stand_side_by_side_and_move_together_until_one_parts_them(opened, case):
    page = opened(case)

    tool(page, "Compare").click()
    expect(page.locator('[data-picture="1"]')).to_be_visible()
    expect(page.locator('[data-picture="2"]')).to_be_visible()
    left, right = (page.locator("[data-pane]").nth(place).bounding_box() for place in (0, 1))
    assert left["y"] == right["y"]
    assert left["x"] + left["width"] <= right["x"]
    tool(page, "Zoom in").click()
    assert turned(page, 1)["scale"] == turned(page, 2)["scale"] == pytest.approx(1.3)
    tool(page, "Move both together").click()
    tool(page, "Zoom in").click()
    assert turned(page, 1)["scale"] > turned(page, 2)["scale"]

    page.locator("[data-pane]").nth(1).focus()
    page.get_by_role("link", name="Image 3", exact=True).click()
    expect(page.locator('[data-picture="3"]')).to_be_visible()
    expect(page.locator('[data-picture="2"]')).to_be_hidden()
    tool(page, "Slider").click()
    page.get_by_label("How much of the second image").fill("25")
    assert (
        page.locator("[data-pane]").nth(1).evaluate("one => one.style.clipPath") == "inset(0px 0px 0px 75%)"
    )
    assert (
        page.locator("[data-pane]").nth(0).bounding_box()["x"]
        == page.locator("[data-pane]").nth(1).bounding_box()["x"]
    )
    tool(page, "Compare").click()
    expect(page.locator("[data-pane]")).to_have_count(1)
    expect(page.locator('[data-picture="3"]')).to_be_visible()
    assert not page.faults


def test_marks_lead_from_the_text_to_the_image_and_are_set_by_mouse_and_by_keys(opened, case, reader):
    page = opened(case)
    answer = page.locator("article.post .prose")

    expect(answer.get_by_role("button")).to_have_count(2)
    expect(answer).to_contain_text("(mark 9) is not")
    answer.get_by_role("button", name="Mark 2: Wedge, agarplate").click()
    expect(page.locator('[data-pin="2"]')).to_be_focused()
    expect(page.locator('[data-picture="3"]')).to_be_visible()
    expect(page.locator("[data-caption]")).to_have_text("Mark 2: Wedge, agarplate")
    page.get_by_role("link", name="Show mark 1 on image 1").click()
    expect(page.locator('[data-pin="1"]')).to_be_focused()

    tool(page, "Zoom in").click()
    tool(page, "Rotate by 90 degrees").click()
    x, y, _ = pin_place(page, 1)
    tool(page, "Mark").click()
    page.mouse.click(x + 14, y + 14)  # beside the pin, which leads to its mark
    expect(page.get_by_label("What is there")).to_be_focused()
    left, top = (
        float(page.get_by_label(name).input_value()) for name in ("From the left, %", "From the top, %")
    )
    assert (left, top) == pytest.approx((37.5, 37.5), abs=6)
    tool(page, "Mark").click()
    tool(page, "Mark").click()
    for key in ("ArrowRight", "ArrowRight", "Shift+ArrowDown"):
        page.keyboard.press(key)
    assert float(page.get_by_label("From the left, %").input_value()) == pytest.approx(left + 2)
    assert float(page.get_by_label("From the top, %").input_value()) == pytest.approx(top + 5)
    page.keyboard.press("Enter")
    page.keyboard.type("Feeding vessel")
    page.keyboard.press("Enter")

    expect(page.get_by_text("Mark 3 stands on image 1.")).to_be_visible()
    mark = Marker.objects.get(number=3)
    assert (mark.member, mark.label, mark.left) == (reader, "Feeding vessel", round(left * 10) + 20)
    expect(page.locator('[data-pin="3"]')).to_be_visible()
    assert not page.faults


def test_on_a_phone_fingers_pinch_tap_and_move_and_every_target_is_large(opened, case):
    page = opened(case, **PHONE)
    pane = page.locator("[data-pane]")
    pane.scroll_into_view_if_needed()
    box = pane.bounding_box()
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 2
    touch = page.context.new_cdp_session(page)

    def fingers(kind, *points):
        spots = [{"x": px, "y": py, "id": number} for number, (px, py) in enumerate(points)]
        touch.send("Input.dispatchTouchEvent", {"type": kind, "touchPoints": spots})

    fingers("touchStart", (x - 30, y), (x + 30, y))
    for wide in (40, 50, 60):
        fingers("touchMove", (x - wide, y), (x + wide, y))
    fingers("touchEnd")
    assert turned(page)["scale"] == pytest.approx(2, abs=0.1)
    before = turned(page)
    fingers("touchStart", (x, y))
    for far in (15, 30, 45):
        fingers("touchMove", (x - far, y - far))
    fingers("touchEnd")
    now = turned(page)
    assert (now["x"] - before["x"], now["y"] - before["y"]) == pytest.approx((-45, -45), abs=14)
    for _ in range(2):
        page.touchscreen.tap(x, y)
    expect(page.locator("[data-said-zoom]")).to_have_text("100%")

    small = page.evaluate("""() => [...document.querySelectorAll(".viewer :is(.tools, .strip) :is(button, a)")]
        .filter(one => one.checkVisibility()).map(one => [one.textContent, one.getBoundingClientRect()])
        .filter(([, box]) => box.width < 44 || box.height < 44).map(([words]) => words)""")
    assert not small
    assert not page.faults


def test_without_a_script_there_is_the_image_its_marks_and_links(opened, case):
    page = opened(case, java_script_enabled=False)

    assert page.locator('[data-picture="1"] img').evaluate("one => one.naturalWidth") == 640
    expect(page.locator('[data-pin="1"]')).to_be_visible()
    expect(page.locator(".viewer button:visible")).to_have_count(0)
    page.get_by_role("link", name="Image 3", exact=True).click()
    expect(page.locator('[data-picture="3"]')).to_be_visible()
    expect(page.get_by_role("link", name="Full size")).to_be_visible()
    page.get_by_text("Mark a place on image 3").click()
    page.get_by_label("From the left, %").fill("20")
    page.get_by_label("What is there").fill("Vein")
    page.get_by_role("button", name="Set the mark").click()

    expect(page.get_by_role("link", name="Mark 3: Vein, left_atrium")).to_be_visible()
    assert Marker.objects.get(number=3).left == 200


def test_no_page_of_cases_has_a_serious_fault(opened, case, live_server, reader):
    own = make_case(reader, images=2, intent="teaching", urgency="now", care_under_way=True)
    Image.objects.filter(case=own, place=1).update(hidden_at="2026-01-01T00:00Z")
    page = opened(path="/consults/")
    found = []

    for path in ["/consults/", *(each.get_absolute_url() for each in (case, own))]:
        page.emulate_media(color_scheme="light")
        page.set_viewport_size({"width": 1280, "height": 900})
        assert page.goto(live_server.url + path).status == 200
        for row in page.locator("[data-opens], .about-images summary").all():
            row.click()
        if page.locator('[data-do="compare"]').count():
            page.locator('[data-do="compare"]').click()
        found += faults_by_look(page)
        page.set_viewport_size({"width": 320, "height": 700})
        if page.evaluate("document.documentElement.scrollWidth") > 320:
            found.append(f"{path}: scrolls sideways at 320 px")

    assert not found, "\n".join(found)
    assert not page.faults


def test_lines_around_burned_boxes_move_with_the_image(opened, case):
    box = {"left": 250, "top": 500, "width": 100, "height": 100, "sort": "text"}
    Image.objects.filter(case=case, place=1).update(boxes=[box])
    page = opened(case)
    lines, frame = page.locator('[data-picture="1"] .burned rect'), page.locator('[data-picture="1"] .frame')

    for name in (None, "Zoom in", "Rotate by 90 degrees"):
        if name:
            tool(page, name).click()
        drawn, whole = lines.bounding_box(), frame.bounding_box()
        left, top = (250, 500) if name != "Rotate by 90 degrees" else (400, 250)
        assert drawn["x"] - whole["x"] == pytest.approx(whole["width"] * left / 1000, abs=4)
        assert drawn["y"] - whole["y"] == pytest.approx(whole["height"] * top / 1000, abs=4)
    assert not page.faults


@pytest.mark.parametrize("has_script", [True, False])
def test_the_full_size_has_the_watermark(opened, case, reader, live_server, has_script):
    page = opened(case, java_script_enabled=has_script)
    page.get_by_role("link", name="Image 3", exact=True).click()
    page.get_by_role("link", name="Full size").click()
    page.wait_for_url("**/full/")  # until all of it is there

    picture, mark = page.get_by_role("img", name="The neck."), page.locator(".whole .watermark")
    assert picture.evaluate("one => one.naturalWidth") == picture.bounding_box()["width"] == 640
    assert mark.bounding_box() == picture.bounding_box()
    assert reader.handle in mark.text_content()
    assert not page.faults
    if has_script:
        assert not faults_by_look(page)
