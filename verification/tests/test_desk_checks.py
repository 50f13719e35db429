import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from accounts.roles import REVIEWERS
from verification import reference
from verification.desk import casefile
from verification.models import (
    Challenge,
    Claim,
    Decision,
    Document,
    Event,
    LicenseCheck,
    MailDomain,
    Objection,
    Proof,
    Provider,
)
from verification.models.claims import State
from verification.reason_templates import LICENSE, templates_by_act
from verification.services import claims, held, license_clock, outcome
from verification.tests.factories import make_claim, make_exclusion, make_provider, make_reviewer
from verification.tests.license_cases import days, list_license, make_licensed, now
from verification.tests.test_no_clear_identity import columns_with

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("schools", "specialties")]
LIST = "admin:verification_licensecheck_changelist"


def desk_of(user):
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def desk(reviewer):
    return desk_of(reviewer)


@pytest.fixture
def drawn(settings):
    """A license that its member confirmed and the lot has drawn."""
    settings.LOOK_UP_SHARE = 1
    reference.load_boards()
    return license_clock.confirm(user=make_licensed().user, expires_on=days(300))


def page_of(check):
    return reverse("admin:verification_licensecheck_change", args=[check.pk])


def held_page(claim):
    return reverse("admin:verification_licensecheck_held", args=[claim.pk])


def decided(claim, **changes):
    """An answer as the page sends it, confirmed."""
    seen = casefile.fingerprint(now(claim))
    return {"note": "Compared.", "message": "", "seen": seen, "confirmed": "1", **changes}


def text_of(response):
    return response.content.decode()


def secrets_of(claim):
    return (
        claim.registry["last_name"],
        claim.registry["last_name"].title(),
        claim.registry["npi"],
        claim.registry["licenses"][0]["number"],
        claim.user.email,
        claim.user.as_member.handle,
    )


# Looking up


def test_the_list_has_what_waits_and_names_nobody(desk, drawn, settings):
    settings.LOOK_UP_SHARE = 0
    other = license_clock.confirm(user=make_licensed().user, expires_on=days(300))

    waiting = text_of(desk.get(reverse(LIST)))
    everything = text_of(desk.get(reverse(LIST) + "?looks=all"))

    assert drawn.claim.case_number in waiting
    assert other.claim.case_number not in waiting
    assert other.claim.case_number in everything
    for part in secrets_of(drawn.claim):
        assert part not in everything


def test_the_list_says_days_and_leaves_out_what_has_not_been(desk, drawn):
    seen = text_of(desk.get(reverse(LIST)))

    assert f'field-said_on nowrap">{date_format(timezone.localdate())}<' in seen
    assert 'field-looked_on"></td>' in seen


def test_whoever_holds_it_no_more_is_not_waited_for(desk, drawn):
    Claim.objects.update(state=State.REVOKED)

    assert drawn.claim.case_number not in text_of(desk.get(reverse(LIST)))


@pytest.mark.parametrize("length", [1, 12])
def test_the_list_costs_the_same_at_any_length(desk, drawn, length, django_assert_max_num_queries):
    for _ in range(length):
        license_clock.confirm(user=make_licensed().user, expires_on=days(300))

    with django_assert_max_num_queries(9):
        desk.get(reverse(LIST))


def test_the_page_has_the_number_and_the_boards_own_page(desk, drawn):
    seen = text_of(desk.get(page_of(drawn)))

    assert drawn.claim.registry["licenses"][0]["number"] in seen
    assert 'rel="noreferrer noopener"' in seen
    assert "michigan.gov" in seen.lower()
    assert drawn.claim.user.email not in seen
    assert Event.objects.filter(kind="identity_viewed", case_number=drawn.claim.case_number).count() == 1


def test_what_was_found_is_written_down(desk, drawn):
    sent = {"finding": "in_force", "status": "Active", "expires_on": days(250), "note": "Seen there."}
    sent |= {"seen": casefile.fingerprint(now(drawn.claim))}

    first = text_of(desk.post(page_of(drawn), sent))
    assert "a lapsed license is verified again" in first
    assert now(drawn.claim).license_expires_on == days(300)
    response = desk.post(page_of(drawn), {**sent, "confirmed": "1"})

    assert response["Location"] == reverse(LIST)
    assert now(drawn.claim).license_expires_on == days(250)
    assert "Seen there." in text_of(desk.get(page_of(drawn)))
    assert "Go on" not in text_of(desk.get(page_of(drawn)))


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"finding": ""}, "Choose what the board says."),
        ({"note": ""}, "Write what you saw, in a sentence."),
        ({"expires_on": days(-3)}, license_clock.Expired.message),
    ],
)
def test_what_cannot_be_is_refused_and_kept(desk, drawn, changes, words):
    sent = {"finding": "in_force", "status": "Active", "expires_on": days(250), "note": "Seen.", **changes}
    sent |= {"seen": casefile.fingerprint(now(drawn.claim)), "confirmed": "1"}

    seen = text_of(desk.post(page_of(drawn), sent))

    assert words in seen
    assert 'value="Active"' in seen
    drawn.refresh_from_db()
    assert drawn.looked_at is None


# What is held


def test_then_and_now_stand_side_by_side_with_differences_marked(desk):
    provider = make_provider("Quillfeather", "Ottoline")
    claim = make_licensed(provider=provider)
    provider.last_name = "MARSH"
    provider.save()
    held.raise_doubt(claim=claim, doubt="new_name", fact="marsh")

    seen = text_of(desk.get(held_page(claim)))

    assert "<ins>MARSH</ins>" in seen
    assert "The registry has another name than when the license was verified" in seen
    assert claim.user.email not in seen
    assert claim.user.as_member.handle not in seen


def test_a_reviewer_keeps_it(desk):
    claim = make_licensed()
    held.raise_doubt(claim=claim, doubt="gone", fact="gone")

    sent = decided(claim, outcome="keep", reason="record_fits")
    del sent["confirmed"]
    first = text_of(desk.post(held_page(claim), sent))
    assert "The license is verified without a doubt again." in first
    assert now(claim).state == State.NEEDS_REVIEW_HELD
    response = desk.post(held_page(claim), {**sent, "confirmed": "1"})

    assert response["Location"] == reverse("admin:verification_claim_changelist")
    assert now(claim).state == State.VERIFIED


def test_an_appeal_is_read_and_an_exclusion_of_the_npi_stands(desk):
    claim = make_licensed()
    make_exclusion(make_provider(), npi=claim.registry["npi"])
    held.suspend(claim=claim, reason="excluded", fact="row")
    claims.appeal(user=claim.user, text="That NPI was typed wrong in the list.")
    sent = decided(claim, outcome="keep", reason="license_holds", exclusion_checked="on")

    seen = text_of(desk.get(held_page(claim)))
    refused = desk.post(held_page(claim), sent)

    assert "That NPI was typed wrong in the list." in seen
    assert held.WORDS["excluded"] in seen
    assert held.StillExcluded.message in text_of(refused)
    assert refused.status_code == 422
    assert now(claim).state == State.SUSPENDED


def test_a_namesake_is_compared_and_ticked(desk):
    claim = make_licensed()
    make_exclusion(make_provider(), npi=None)
    held.raise_doubt(claim=claim, doubt="namesake", fact="row")
    sent = decided(claim, outcome="keep", reason="license_holds")

    assert outcome.ExclusionNotChecked.message in text_of(desk.post(held_page(claim), sent))
    desk.post(held_page(claim), {**sent, "exclusion_checked": "on"})

    assert now(claim).state == State.VERIFIED


def test_revoking_takes_a_second_who_has_not_read_the_first(desk, second_reviewer):
    claim = make_licensed(State.SUSPENDED)
    sent = {"outcome": "revoke", "reason": "not_own", "note": "THE FIRST REASON"}

    desk.post(held_page(claim), decided(claim, **sent))
    again = text_of(desk.post(held_page(claim), decided(claim, **sent)))
    second = desk_of(second_reviewer)
    claim_page = reverse("admin:verification_claim_change", args=[claim.pk])
    seen = text_of(second.get(held_page(claim)))

    assert held.AlreadySaid.message in again
    assert "1 reviewer would revoke this claim" in seen
    assert "THE FIRST REASON" not in seen
    assert "THE FIRST REASON" not in text_of(second.get(claim_page))
    assert "THE FIRST REASON" in text_of(desk.get(claim_page))
    second.post(held_page(claim), decided(claim, **{**sent, "note": "Mine."}))
    assert now(claim).state == State.REVOKED


def test_another_reads_who_has_it_and_cannot_answer(desk, reviewer, second_reviewer):
    claim = make_licensed()
    held.raise_doubt(claim=claim, doubt="gone", fact="gone")
    desk.get(held_page(claim))
    assert now(claim).held_by == reviewer

    second = desk_of(second_reviewer)
    sent = decided(claim, outcome="keep", reason="record_fits")

    assert f"Reviewer {reviewer.pk} reads this claim until" in text_of(second.get(held_page(claim)))
    assert "Go on" not in text_of(second.get(held_page(claim)))
    second.post(held_page(claim), sent)
    assert now(claim).state == State.NEEDS_REVIEW_HELD


def test_an_answer_is_about_what_was_on_the_page(desk):
    claim = make_licensed()
    held.raise_doubt(claim=claim, doubt="gone", fact="gone")
    sent = decided(claim, outcome="keep", reason="record_fits")
    held.raise_doubt(claim=claim, doubt="new_name", fact="marsh")

    response = desk.post(held_page(claim), sent)

    assert "Something came in since you opened this page" in text_of(response)
    assert now(claim).state == State.NEEDS_REVIEW_HELD


def test_the_next_claim_leads_to_where_it_is_decided_and_on(desk):
    first, second = make_licensed(), make_licensed()
    for claim in (first, second):
        held.raise_doubt(claim=claim, doubt="gone", fact="gone")

    taken = desk.post(reverse("admin:verification_claim_next"))
    sent = decided(first, outcome="keep", reason="record_fits", then="next")
    onward = desk.post(taken["Location"], sent)

    assert (taken["Location"], onward["Location"]) == (held_page(first), held_page(second))
    assert now(first).state == State.VERIFIED


def test_a_ready_sentence_fills_the_form_and_decides_nothing(desk):
    claim = make_licensed()
    held.raise_doubt(claim=claim, doubt="gone", fact="gone")
    ready = templates_by_act(LICENSE)[1][1][0]

    seen = text_of(desk.post(held_page(claim), decided(claim, template=ready.key)))

    assert ready.words.split(".")[0] in seen
    assert ready.note in seen
    assert now(claim).state == State.NEEDS_REVIEW_HELD


def test_a_member_is_shown_as_retired(desk):
    claim = make_licensed()

    desk.post(held_page(claim), decided(claim, outcome="retire", reason="retired"))

    assert now(claim).state == State.RETIRED


def test_a_license_is_brought_before_staff_to_look_up(desk, settings):
    settings.LOOK_UP_SHARE = 0
    check = license_clock.confirm(user=make_licensed().user, expires_on=days(300))

    response = desk.post(reverse("admin:verification_licensecheck_look", args=[check.claim_id]))

    assert response["Location"] == page_of(check)
    assert check.claim.case_number in text_of(desk.get(reverse(LIST)))


def test_the_roster_we_have_is_shown(desk):
    claim = make_licensed()
    list_license(claim, "Active", discipline="Reprimand 2020")

    assert "discipline: Reprimand 2020" in text_of(desk.get(held_page(claim)))


@pytest.mark.parametrize("state", [State.MATCHED, State.REVOKED, State.WITHDRAWN])
def test_claims_that_hold_nothing_have_no_such_page(desk, state):
    assert desk.get(held_page(make_licensed(state))).status_code == 404


def test_the_claim_leads_there(desk):
    claim = make_licensed()

    assert held_page(claim) in text_of(desk.get(reverse("admin:verification_claim_change", args=[claim.pk])))


MOST_QUERIES = 25  # of a page that shows all that is known of one license, from a dozen tables


def costs(browser, address, capture):
    """How many queries a page takes, its second time; where a transaction begins and ends is none."""
    assert browser.get(address).status_code == 200
    with capture as asked:
        assert browser.get(address).status_code == 200
    bounds = ("SAVEPOINT", "RELEASE SAVEPOINT")
    return len([each for each in asked.captured_queries if not each["sql"].startswith(bounds)])


def with_history(claim, reviewer):
    """A license with a document, a try of the questions, a code, an objection, looks and a decision behind it."""
    proof = Proof.objects.create(claim=claim, kind="document", ok_at=claim.verified_at)
    for number in range(3):
        Document.objects.create(proof=proof, sort="license", sha256=str(number), size=9, pages=2)
    domain = MailDomain.objects.create(name="mercy.example")
    Proof.objects.create(claim=claim, kind="email", domain=domain, ok_at=claim.verified_at)
    Challenge.objects.create(
        claim=claim, number=1, facts=["school"], sheet=[], verdict="passed", finished_at=claim.verified_at
    )
    Objection.objects.create(claim=claim, way="fax", code_hash="-", objected_at=claim.verified_at)
    Decision.objects.create(
        claim=claim, reviewer=reviewer, outcome="keep", reason="record_fits", note="Fits."
    )
    LicenseCheck.objects.create(claim=claim, source="member", finding="in_force")
    list_license(claim, "Active", discipline="Reprimand 2020")
    make_claim(provider=Provider.objects.get(pk=claim.registry["npi"]), state=State.NEEDS_REVIEW)
    return claim


def test_the_page_takes_few_queries(desk, reviewer, django_assert_max_num_queries):
    claim = with_history(make_licensed(), reviewer)

    assert costs(desk, held_page(claim), django_assert_max_num_queries(99)) <= MOST_QUERIES


def test_so_it_does_of_a_license_in_doubt(desk, reviewer, django_assert_max_num_queries):
    claim = with_history(make_licensed(), reviewer)
    held.raise_doubt(claim=claim, doubt="new_name", fact="new_name")

    assert costs(desk, held_page(claim), django_assert_max_num_queries(99)) <= MOST_QUERIES


def test_what_a_suspended_member_reads_is_not_said_to_the_reviewer(desk):
    claim = make_licensed()
    held.suspend(claim=claim, reason=held.LICENSE_ENDED, fact="Revoked")

    assert "The member reads: “Your board says that your license" in text_of(desk.get(held_page(claim)))


def test_so_it_does_of_a_suspension_that_is_appealed(desk, reviewer, django_assert_max_num_queries):
    claim = with_history(make_licensed(), make_reviewer())
    held.suspend(claim=claim, reason=held.LICENSE_ENDED, fact="Revoked")
    claims.appeal(user=claim.user, text="The board's page is behind; I can send its letter.")

    assert costs(desk, held_page(claim), django_assert_max_num_queries(99)) <= MOST_QUERIES


# The door


def test_nobody_but_reviewers_comes_in(drawn, colleague):
    claim = drawn.claim
    other_staff = make_reviewer()
    other_staff.groups.clear()
    for browser in (Client(), desk_of(colleague.user), desk_of(other_staff)):
        for address in (reverse(LIST), page_of(drawn), held_page(claim)):
            assert browser.get(address).status_code in (302, 403)
        assert browser.post(reverse("admin:verification_licensecheck_look", args=[claim.pk])).status_code in (
            302,
            403,
        )


def test_whoever_may_only_look_cannot_decide(drawn, reviewer):
    permissions = Group.objects.get(name=REVIEWERS).permissions
    reviewer.groups.clear()
    reviewer.user_permissions.add(permissions.get(codename="view_licensecheck"))
    browser = desk_of(reviewer)

    assert "Go on" not in text_of(browser.get(page_of(drawn)))
    assert "Go on" not in text_of(browser.get(held_page(drawn.claim)))
    for address in (page_of(drawn), held_page(drawn.claim)):
        assert browser.post(address, {"outcome": "suspend"}).status_code == 403
    assert (
        browser.post(reverse("admin:verification_licensecheck_look", args=[drawn.claim_id])).status_code
        == 403
    )


def test_nobody_decides_their_own(drawn):
    own = make_reviewer()
    claim = now(drawn.claim)
    claim.user = own
    claim.save()

    sent = decided(claim, outcome="retire", reason="retired", note="I am done.")
    seen = text_of(desk_of(own).post(held_page(claim), sent))

    assert "never their own" in seen
    assert now(claim).state == State.VERIFIED


def test_notes_and_appeals_stand_nowhere_in_clear(desk, drawn):
    look = {"finding": "ended", "status": "Revoked", "note": "Zephyrine Oddfellow, 99887766."}
    desk.post(page_of(drawn), {**look, "seen": casefile.fingerprint(now(drawn.claim)), "confirmed": "1"})
    claims.appeal(user=drawn.claim.user, text="Zephyrine Oddfellow is another person.")
    words = {"note": "Of Oddfellow.", "message": "Dr. Oddfellow, a letter."}
    sent = decided(drawn.claim, outcome="ask", reason="unreadable", **words)
    desk_of(make_reviewer()).post(held_page(drawn.claim), sent)

    assert now(drawn.claim).asked_for == "Dr. Oddfellow, a letter."
    assert columns_with(["zephyrine", "oddfellow", "99887766"]) == set()


def test_the_queue_leads_to_where_it_is_decided(desk):
    claim = make_licensed()
    held.raise_doubt(claim=claim, doubt="gone", fact="gone")

    assert held_page(claim) in text_of(desk.get(reverse("admin:verification_claim_changelist")))
