"""The desk for cases in a real browser: no fault at either width, and a decision without a script."""

import pytest
from django.conf import settings
from django.urls import reverse
from playwright.sync_api import expect

from conftest import client_of
from consults.models import Case, Image, Incident
from consults.tests.factories import jpeg, make_case, make_image
from consults.tests.test_flags import decide, flag_image
from consults.tests.test_reviewing import make_moderator, make_waiting
from sermo.tests.test_accessibility import faults_by_look, open_details

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PHOTO = jpeg(900, 700, text="WARD 7")


@pytest.fixture
def open_page(browser_page, live_server):
    def opened(who, **options):
        page = browser_page(**options)
        name = settings.SESSION_COOKIE_NAME
        value = client_of(who).cookies[name].value
        page.context.add_cookies([{"name": name, "value": value, "url": live_server.url}])
        return page

    return opened


@pytest.fixture
def draft(physician):
    draft = make_waiting(
        physician,
        minutes=20,
        images=0,
        hits={"newcomer": True, "pictures": 1},
        typed={"history": "Seen on ward 7, call 612-555-0143."},
    )
    make_image(draft=draft, state=Image.State.MASKED, picture=PHOTO, left_over=1)
    return draft


@pytest.fixture
def addresses(draft, physician, colleague, moderator, third):
    flag = flag_image(_photo_of(physician), colleague)
    decide(flag_image(make_case(third).images.get(), colleague), make_moderator("evenhanded"))
    return {
        moderator: [
            reverse("consults:desk"),
            reverse("consults:review", args=[draft.pk]),
            reverse("consults:decide_flag", args=[flag.pk]),
            reverse("consults:incident", args=[Incident.objects.get().pk]),
        ],
        third: [reverse("consults:flag", args=[make_case(physician).images.get().key])],
    }


def _photo_of(member):
    return make_image(case=make_case(member, images=0), picture=PHOTO)


def test_no_page_has_a_serious_fault_at_either_width_in_either_theme(open_page, live_server, addresses):
    found = []
    for who, paths in addresses.items():
        page = open_page(who)
        for path in paths:
            page.emulate_media(color_scheme="light")
            page.goto(f"{live_server.url}{path}")
            open_details(page)
            found += faults_by_look(page)

    assert found == []


def test_a_case_is_covered_and_published_without_a_script(open_page, live_server, draft, moderator):
    page = open_page(moderator, java_script_enabled=False)
    page.goto(f"{live_server.url}{reverse('consults:desk')}")
    page.get_by_role("link", name=draft.title).click()
    page.get_by_text("Boxes as numbers, picture 1").click()
    for name, value in (("Left", "5"), ("Top", "5"), ("Width", "40"), ("Height", "20")):
        page.get_by_label(name).fill(value)
    page.get_by_role("button", name="Draw them first").click()
    assert page.locator("[data-still] rect").bounding_box()["width"] == pytest.approx(
        page.locator("[data-stage]").bounding_box()["width"] * 0.4, abs=2
    )
    assert Image.objects.get(draft=draft).boxes == []
    page.get_by_role("button", name="Burn new boxes in").click()
    expect(page.get_by_text("1 box burned in")).to_be_visible()
    page.get_by_role("radio", name="Publish").check()
    page.get_by_role("button", name="Decide", exact=True).click()
    expect(page.get_by_text("Published.")).to_be_visible()

    assert Case.objects.get().images.get().boxes[-1]["width"] == 400


@pytest.mark.parametrize("width", [390, 1280])
def test_boxes_are_drawn_over_what_was_found_before_they_are_burned_in(
    open_page, live_server, draft, moderator, width
):
    face = {"left": 100, "top": 100, "width": 300, "height": 300, "sort": "face"}
    Image.objects.filter(draft=draft).update(proposals=[face])
    page = open_page(moderator, viewport={"width": width, "height": 1400})
    faults = []
    page.on("console", lambda said: faults.append(said.text) if said.type == "error" else None)
    page.on("pageerror", lambda error: faults.append(str(error)))
    page.goto(f"{live_server.url}{reverse('consults:review', args=[draft.pk])}")

    stage = page.locator("[data-stage]")
    stage.scroll_into_view_if_needed()
    found, box = page.locator(".found-open rect").bounding_box(), stage.bounding_box()
    assert found["x"] - box["x"] == pytest.approx(box["width"] / 10, abs=3)
    page.mouse.move(found["x"] - 4, found["y"] - 4)
    page.mouse.down()
    page.mouse.move(found["x"] + found["width"] + 4, found["y"] + found["height"] + 4, steps=4)
    page.mouse.up()
    expect(page.locator(".redact-box")).to_have_count(1)
    expect(page.get_by_text("1 found and not covered")).to_be_visible()
    page.get_by_role("button", name="Burn new boxes in").click()

    expect(page.get_by_text("1 box burned in")).to_be_visible()
    expect(page.locator(".found-open")).to_have_count(0)
    expect(page.get_by_text("found and not covered")).to_have_count(0)
    made = Image.objects.get(draft=draft).boxes[0]
    assert (made["left"], made["width"]) == pytest.approx((100, 300), abs=35)
    decide = page.get_by_role("button", name="Decide", exact=True).bounding_box()
    assert decide["y"] > stage.bounding_box()["y"] + stage.bounding_box()["height"]
    assert not faults
