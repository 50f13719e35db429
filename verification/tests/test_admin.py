import pytest
from django.contrib.auth.models import Group
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.roles import REVIEWERS
from verification import comparison
from verification.desk import casefile
from verification.models import Claim, Dispute, Event
from verification.models.claims import State
from verification.names import PersonName
from verification.services import decisions, proofs
from verification.tests.factories import (
    image_bytes,
    make_claim,
    make_exclusion,
    make_provider,
    make_reviewer,
    make_vouchers,
    start,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def desk(reviewer):
    client = Client()
    client.force_login(reviewer)
    return client


@pytest.fixture
def claim(provider, seeker):
    claim = make_claim(seeker, provider, state=State.CHALLENGED)
    proofs.add_document(claim=claim, sort="license", data=image_bytes())
    return claim


def page_of(claim):
    return reverse("admin:verification_claim_change", args=[claim.pk])


def queue():
    return reverse("admin:verification_claim_changelist")


def decision(claim, **changes):
    """What the second page sends: the decision, confirmed, about what was on the first."""
    claim.refresh_from_db()
    return {
        "outcome": "approve",
        "reason": "document_fits",
        "note": "Card and registry agree.",
        "message": "",
        "confirmed": "1",
        "seen": casefile.fingerprint(claim),
        **changes,
    }


def text_of(response):
    return response.content.decode()


def test_the_queue_shows_the_longest_waiting_first(desk, claim, schools, specialties):
    older = make_claim(
        provider=make_provider(),
        state=State.NEEDS_REVIEW,
        queued_at=timezone.now() - timezone.timedelta(days=2),
    )
    decided = make_claim(provider=make_provider(), state=State.VERIFIED)

    seen = text_of(desk.get(queue()))

    assert seen.index(older.case_number) < seen.index(claim.case_number)
    assert decided.case_number not in seen
    assert "2\xa0days" in seen


@pytest.mark.parametrize("length", [1, 50])
def test_the_queue_costs_the_same_at_any_length(
    desk, schools, specialties, length, django_assert_max_num_queries
):
    for _ in range(length):
        make_claim(provider=make_provider(), state=State.NEEDS_REVIEW, queued_at=timezone.now())

    with django_assert_max_num_queries(12):
        assert desk.get(queue()).status_code == 200


def test_claim_and_registry_stand_side_by_side_with_differences_marked(desk, seeker, schools, specialties):
    provider = make_provider(last="Quillfeather-Marsh", credential="MD", middle_name="ROSE")
    claim = start(seeker, provider, name=PersonName("Quillfeather", "Ottoline", "Jane"))

    seen = text_of(desk.get(page_of(claim)))
    rows = {row.label: row.differs for row in comparison.rows_of(claim)}

    assert "QUILLFEATHER<ins>-MARSH</ins>" in seen
    assert "only in the registry: “-MARSH”" in seen
    assert rows["Last name"] is True
    assert rows["First name"] is False
    assert rows["Middle name"] is True
    assert rows["NPI"] is False
    assert provider.npi in seen


def test_identity_and_case_number_but_neither_handle_nor_email(desk, claim, seeker):
    for address in (queue(), page_of(claim), queue() + "?queue=all", queue() + f"?q={claim.case_number}"):
        seen = text_of(desk.get(address))
        assert claim.case_number in seen
        assert seeker.handle not in seen
        assert seeker.user.email not in seen


def test_nobody_is_found_by_email_or_handle(desk, claim, seeker):
    for words in (seeker.handle, seeker.user.email):
        assert claim.case_number not in text_of(desk.get(queue() + f"?queue=all&q={words}"))


def test_looking_at_an_identity_leaves_a_trace(desk, claim):
    desk.get(page_of(claim))

    assert Event.objects.filter(kind="identity_viewed", case_number=claim.case_number).count() == 1


def test_approving(desk, claim, seeker):
    response = desk.post(page_of(claim), decision(claim))

    seeker.refresh_from_db()
    assert response.url == queue()
    assert seeker.standing == "physician"


def test_rejecting(desk, claim):
    desk.post(page_of(claim), decision(claim, outcome="reject", reason="no_license"))

    claim.refresh_from_db()
    assert (claim.state, claim.rejected_for) == (State.REJECTED, "no_license")


def test_asking_for_more(desk, claim):
    desk.post(
        page_of(claim), decision(claim, outcome="ask", reason="unreadable", message="The whole card, please.")
    )

    claim.refresh_from_db()
    assert claim.asked_for == "The whole card, please."


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"note": ""}, "Write why, in a sentence."),
        ({"reason": ""}, "Choose a reason."),
        ({"reason": "no_license"}, "This reason does not go with that decision."),
        ({"outcome": "ask", "reason": "unreadable"}, "Write what the applicant should send."),
    ],
)
def test_a_decision_without_its_reason_is_not_taken(desk, claim, changes, words):
    response = desk.post(page_of(claim), decision(claim, **changes))

    claim.refresh_from_db()
    assert words in text_of(response)
    assert claim.state == State.CHALLENGED


def test_a_refusal_of_the_rules_is_said_on_the_page(desk, claim, provider):
    make_exclusion(provider)

    response = desk.post(page_of(claim), decision(claim))

    assert "on the list of exclusions" in text_of(response)
    assert "Exclusions: definite" in text_of(response)


def test_a_namesake_on_the_list_is_shown_and_ticked_off(desk, claim, provider):
    make_exclusion(provider, npi=None, city="FLINT")

    assert "FLINT" in text_of(desk.get(page_of(claim)))
    desk.post(page_of(claim), decision(claim, exclusion_checked="on"))

    claim.refresh_from_db()
    assert claim.first_approval is not None


def test_a_locked_claim_is_unlocked(desk, seeker, provider):
    claim = make_claim(seeker, provider, state=State.LOCKED, queued_at=timezone.now())

    desk.post(page_of(claim), decision(claim, note="Three typing errors."))

    claim.refresh_from_db()
    assert claim.state == State.NEEDS_REVIEW


def test_vouchers_are_met_by_case_number(desk, provider, seeker):
    claim = make_claim(seeker, provider, state=State.CHALLENGED)
    vouchers = make_vouchers(claim)

    seen = text_of(desk.get(page_of(claim)))

    for voucher in vouchers:
        assert Claim.objects.get(user=voucher.user).case_number in seen
        assert voucher.handle not in seen
    assert "We share the night shifts." in seen


def test_a_dispute_is_settled_by_two_reviewers(desk, claim, provider):
    holder = make_claim(provider=provider, state=State.VERIFIED)
    desk.post(page_of(claim), decision(claim))
    second = Client()
    second.force_login(make_reviewer())

    address = reverse("admin:verification_dispute_change", args=[Dispute.objects.get().pk])
    for browser in (desk, second):
        browser.post(address, decision(claim, side="holder", note="The new card is forged."))

    holder.refresh_from_db()
    assert Dispute.objects.get().outcome == "holder"
    assert holder.state == State.VERIFIED


class TestDocumentView:
    @pytest.fixture
    def address(self, claim):
        document = claim.proofs.get().documents.get()
        return reverse("admin:verification_claim_document", args=[claim.pk, document.key, 1])

    def test_a_page_is_an_image_that_nobody_keeps(self, desk, address):
        response = desk.get(address)

        assert response.content.startswith(b"\xff\xd8\xff")
        assert response["Content-Type"] == "image/jpeg"
        assert {"private", "no-store"} <= set(response["Cache-Control"].split(", "))
        assert response["Content-Security-Policy"] == "sandbox"
        assert response["X-Content-Type-Options"] == "nosniff"
        assert Event.objects.filter(kind="document_viewed").count() == 1

    def test_the_decision_page_shows_it(self, desk, claim, address):
        assert address in text_of(desk.get(page_of(claim)))

    @pytest.mark.parametrize("change", [("/1/", "/2/"), ("/1/", "/0/"), ("documents/", "documents/f")])
    def test_other_addresses_give_nothing(self, desk, address, change):
        assert desk.get(address.replace(*change)).status_code == 404

    def test_the_document_of_one_case_is_not_found_under_another(
        self, desk, address, claim, schools, specialties
    ):
        other = make_claim(provider=make_provider(), state=State.CHALLENGED)

        assert desk.get(address.replace(f"/{claim.pk}/", f"/{other.pk}/")).status_code == 404

    def test_deleted_files_are_gone(self, desk, address, claim):
        claim.proofs.get().documents.update(deleted_at=timezone.now())

        assert desk.get(address).status_code == 404
        assert "The files were deleted on" in text_of(desk.get(page_of(claim)))

    def test_applicants_and_physicians_see_nothing(self, address, seeker, physician):
        for member in (seeker, physician):
            browser = Client()
            browser.force_login(member.user)
            assert browser.get(address).status_code in (302, 403)
        assert not Event.objects.filter(kind="document_viewed").exists()

    def test_staff_who_are_no_reviewers_see_nothing(self, address, claim, reviewer):
        reviewer.groups.clear()
        browser = Client()
        browser.force_login(reviewer)

        assert browser.get(address).status_code == 403
        assert browser.get(page_of(claim)).status_code == 403
        assert browser.get(queue()).status_code == 403


def test_whoever_may_only_look_cannot_decide(claim, reviewer):
    permissions = Group.objects.get(name=REVIEWERS).permissions
    reviewer.groups.clear()
    reviewer.user_permissions.add(permissions.get(codename="view_claim"))
    browser = Client()
    browser.force_login(reviewer)

    assert "Nothing is done before you confirm it" not in text_of(browser.get(page_of(claim)))
    assert browser.post(page_of(claim), decision(claim)).status_code == 403


def test_nothing_can_be_deleted_or_added_even_by_superusers(claim, reviewer):
    reviewer.is_superuser = True
    reviewer.save()
    browser = Client()
    browser.force_login(reviewer)

    for model in ("claim", "dispute", "event"):
        assert browser.get(reverse(f"admin:verification_{model}_add")).status_code == 403
        assert browser.get(reverse(f"admin:verification_{model}_delete", args=[claim.pk])).status_code in (
            302,
            403,
            404,
        )
    assert "delete_selected" not in text_of(browser.get(queue() + "?queue=all"))
    assert Claim.objects.filter(pk=claim.pk).exists()


def test_no_permission_to_delete_exists(db):
    from django.contrib.auth.models import Permission

    models = [
        "claim",
        "challenge",
        "proof",
        "document",
        "vouch",
        "decision",
        "dispute",
        "event",
        "subject",
        "identityguard",
    ]
    found = Permission.objects.filter(content_type__app_label="verification", content_type__model__in=models)

    assert not found.filter(codename__startswith="delete").exists()
    assert not found.filter(codename__startswith="change").exists()


def test_the_events_are_read_only(desk, claim):
    event = Event.objects.first()
    address = reverse("admin:verification_event_change", args=[event.pk])

    assert event.case_number in text_of(desk.get(reverse("admin:verification_event_changelist")))
    assert desk.post(address, {"reason": "other"}).status_code == 403


def test_a_reviewer_cannot_decide_their_own_claim(provider):
    from verification.tests.factories import make_applicant

    user = make_reviewer()
    claim = make_claim(make_applicant(user=user), provider, state=State.CHALLENGED)
    proofs.add_document(claim=claim, sort="license", data=image_bytes())
    browser = Client()
    browser.force_login(user)

    response = browser.post(page_of(claim), decision(claim))

    assert decisions.NotAReviewer.message in response.content.decode()
