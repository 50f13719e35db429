"""The main job, end to end in a real browser: from sign-up to a ranked answer."""

import io
import re
from datetime import timedelta

import pytest
from allauth.mfa.models import Authenticator
from django.conf import settings
from django.contrib.auth.models import Group
from django.core import mail
from django.core.management import call_command
from django.test import Client
from django.utils import timezone
from PIL import Image, ImageDraw
from playwright.sync_api import expect

from accounts.models import Member
from accounts.roles import REVIEWERS
from accounts.tests.factories import make_member, make_user
from questions.models import MemberRank, Question
from questions.services.counting import recount_questions
from questions.tests.factories import make_answer, make_question
from sermo.tests.people import PASSWORD, log_in
from verification import demo, demo_registry
from verification.models import Claim

pytestmark = [pytest.mark.browser, pytest.mark.django_db(transaction=True)]

PERSON = demo.APPLICANT
TITLE = "Apixaban dose on hemodialysis after a jejunal bleed?"


@pytest.fixture
def site(live_server):
    """The reference data, the sample registry and the reviewer's group, as a new installation has them."""
    call_command("migrate", verbosity=0)
    call_command("seed_reference", stdout=io.StringIO())
    demo_registry.load_samples(io.StringIO())
    return live_server.url


def license_card() -> bytes:
    card = Image.new("RGB", (900, 560), "white")
    ImageDraw.Draw(card).text(
        (40, 60), f"STATE OF COLORADO\n{PERSON['first']} {PERSON['last']}, MD", fill="black"
    )
    file = io.BytesIO()
    card.save(file, "JPEG")
    return file.getvalue()


def sign_up(page, site):
    page.goto(site)
    page.get_by_role("link", name="Join with your license").click()
    page.get_by_label("E-mail").fill("jacinta@example.org")
    page.get_by_label("Handle").fill("kidney_stone")
    page.get_by_label("Password").fill(PASSWORD)
    page.get_by_role("button", name="Send me a code").click()
    expect(page).to_have_url(re.compile("confirm-email"))
    code = re.search(r"^\s*([A-Z0-9]{3,4}-?[A-Z0-9]{3,4})\s*$", mail.outbox[-1].body, re.M)[1]
    page.get_by_label("Code").fill(code)
    page.get_by_role("main").get_by_role("button").first.click()
    expect(page).to_have_url(re.compile("/verify/"))


def claim_identity(page):
    page.get_by_role("link", name="Start").click()
    page.get_by_label("First name").fill(PERSON["first"])
    page.get_by_label("Last name").fill(PERSON["last"])
    page.get_by_label("MD", exact=False).first.check()
    page.get_by_label("License state").select_option(PERSON["state"])
    page.get_by_label("NPI").fill(PERSON["npi"])
    page.get_by_role("button", name="Go on").click()


def answer_the_questions(page):
    """Answer from what the registry says of this person; what is not offered is "None of these"."""
    if page.get_by_role("link", name="Go to the questions").count():
        page.get_by_role("link", name="Go to the questions").click()
    page.get_by_role("button", name="Start the questions").click()
    known = set(PERSON["answers"].values())
    for number in range(5):
        heading = page.locator("h1").inner_text()
        offered = page.locator(".choice-card span").all_inner_texts()
        right = [option for option in offered if option in known] or ["None of these"]
        page.locator(".choice-card", has_text=right[0]).first.click()
        page.get_by_role("button", name="Answer and").click()
        if number < 4:
            expect(page.locator("h1")).not_to_have_text(heading)


def send_a_document(page):
    expect(page.get_by_text("All questions answered")).to_be_visible()
    page.get_by_role("link", name="Choose a proof").click()
    page.get_by_label("License card").check()
    page.get_by_label("File").set_input_files(
        {"name": "card.jpg", "mimeType": "image/jpeg", "buffer": license_card()}
    )
    page.get_by_role("button", name="Send this document").click()
    expect(page.get_by_text("Nothing for you to do")).to_be_visible()


def decide(browser_page, site):
    reviewer = make_user("reviewer@example.org", PASSWORD, is_staff=True)
    reviewer.groups.add(Group.objects.get(name=REVIEWERS))
    Authenticator.objects.create(user=reviewer, type=Authenticator.Type.TOTP, data={})
    client = Client()  # signed in with the second factor, which is no part of this test
    client.force_login(reviewer)
    desk = browser_page()
    session = client.cookies[settings.SESSION_COOKIE_NAME].value
    desk.context.add_cookies([{"name": settings.SESSION_COOKIE_NAME, "value": session, "url": site}])
    desk.goto(f"{site}/admin/verification/claim/")
    desk.locator("#result_list tbody a").first.click()
    expect(desk.locator("#content")).to_contain_text(PERSON["last"])
    assert "kidney_stone" not in desk.content()
    assert "jacinta@example.org" not in desk.content()
    desk.locator("input[name=outcome][value=approve]").check()
    desk.get_by_label("Reason").select_option(index=1)
    desk.get_by_label("Why").fill("Card and registry agree.")
    desk.get_by_role("button", name="Go on").click()
    expect(desk.locator("#content")).to_contain_text("The license is verified at once.")
    desk.get_by_role("button", name="Approve", exact=True).click()
    expect(desk.locator(".messagelist")).to_contain_text("approved")


def test_from_sign_up_to_a_ranked_answer(browser_page, site):
    newcomer = browser_page(viewport={"width": 1280, "height": 900})

    sign_up(newcomer, site)
    claim_identity(newcomer)
    answer_the_questions(newcomer)
    send_a_document(newcomer)
    newcomer.goto(f"{site}/questions/")
    expect(newcomer).to_have_url(f"{site}/verify/")
    decide(browser_page, site)
    assert Claim.objects.get().state == "verified"
    member = Member.objects.get(handle="kidney_stone")
    assert (member.standing, member.specialty.name) == ("physician", "Nephrology")

    rival = make_question(make_member(), title="Something that was hotter this morning?")
    make_answer(rival)
    morning = timezone.now() - timedelta(hours=12)
    Question.objects.filter(pk=rival.pk).update(opened_at=morning)
    recount_questions([rival.pk])
    newcomer.goto(site)
    newcomer.get_by_role("link", name="Ask", exact=True).first.click()
    newcomer.get_by_label("Title").fill(TITLE)
    newcomer.get_by_label("Details").fill("In the 70s, three sessions a week. **Which dose**, if any?")
    newcomer.get_by_role("button", name="Post", exact=True).click()
    expect(newcomer.locator("h1")).to_have_text(TITLE)

    newcomer.goto(f"{site}/questions/")
    expect(newcomer.locator(".question-row h3")).to_have_text([rival.title, TITLE])

    colleague = make_member("left_atrium", email="colleague@example.org", password=PASSWORD)
    theirs = browser_page()
    log_in(theirs, site, "colleague@example.org")
    theirs.goto(f"{site}/questions/?sort=unanswered")
    theirs.get_by_role("link", name=TITLE).click()
    theirs.get_by_label("Your answer").last.fill(
        "2.5 mg twice daily, and say plainly that it is an extrapolation."
    )
    theirs.get_by_role("button", name="Post answer").click()
    expect(theirs.locator("article.post")).to_contain_text("an extrapolation")
    assert not MemberRank.objects.filter(member=colleague, points__gt=0).exists()

    third = make_member("papular", email="third@example.org", password=PASSWORD, specialty="Dermatology")
    phone = browser_page(viewport={"width": 390, "height": 844})
    log_in(phone, site, third.user.email)
    phone.goto(f"{site}/questions/")
    phone.get_by_role("link", name=TITLE).click()
    phone.get_by_role("button", name="Corroborate").click()
    expect(phone.get_by_text("You corroborated this.")).to_be_visible()

    assert MemberRank.objects.get(member=colleague).points == 5
    theirs.goto(f"{site}/members/left_atrium/")
    expect(theirs.locator("aside dl")).to_contain_text("5.0")
    newcomer.goto(f"{site}/questions/")
    expect(newcomer.locator(".question-row h3")).to_have_text([TITLE, rival.title])
    row = newcomer.locator(".question-row").first
    expect(row).to_contain_text(TITLE)
    expect(row.locator(".figures")).to_contain_text("1 answer")
