"""The reviewers' pages: the queue, taking the next, ready sentences, the two steps of a decision, disputes."""

from datetime import timedelta

import pytest
from django.contrib.auth.models import Permission
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from verification.desk import casefile
from verification.models import Claim, Decision, Dispute, Event
from verification.models.claims import State
from verification.reason_templates import template
from verification.services import decisions, disputes, proofs, queue
from verification.tests.factories import image_bytes, make_claim, make_exclusion, make_provider

pytestmark = pytest.mark.django_db


def browser_of(user):
    client = Client()
    client.force_login(user)
    return client


@pytest.fixture
def desk(reviewer):
    return browser_of(reviewer)


@pytest.fixture
def second_desk(second_reviewer):
    return browser_of(second_reviewer)


@pytest.fixture
def claim(provider, seeker):
    claim = make_claim(seeker, provider, state=State.CHALLENGED)
    proofs.add_document(claim=claim, sort="license", data=image_bytes())
    return Claim.objects.get(pk=claim.pk)


def page_of(claim):
    return reverse("admin:verification_claim_change", args=[claim.pk])


QUEUE = "admin:verification_claim_changelist"
NEXT = "admin:verification_claim_next"


def written(claim, **changes):
    return {
        "outcome": "approve",
        "reason": "document_fits",
        "note": "Card and registry agree.",
        "message": "",
        "seen": casefile.fingerprint(Claim.objects.get(pk=claim.pk)),
        **changes,
    }


def text_of(response):
    return response.content.decode()


def make_waiting(hours=1, **fields):
    since = timezone.now() - timedelta(hours=hours)
    return make_claim(provider=make_provider(), **{"state": State.NEEDS_REVIEW, "queued_at": since, **fields})


@pytest.mark.usefixtures("schools", "specialties")
class TestQueue:
    def test_the_head_of_the_queue_stands_first(self, desk):
        old, ahead = make_waiting(9), make_waiting(1, is_ahead=True)

        seen = text_of(desk.get(reverse(QUEUE)))

        assert seen.index(ahead.case_number) < seen.index(old.case_number)

    def test_it_says_how_risky_who_reads_and_who_approved(self, desk, reviewer, second_reviewer):
        claim = make_waiting(
            risk=7, held_by=second_reviewer, held_until=timezone.now() + timedelta(minutes=9)
        )
        first = Decision.objects.create(
            claim=claim, reviewer=second_reviewer, outcome="approve", reason="document_fits", note="Fits."
        )
        Claim.objects.update(first_approval=first)

        seen = text_of(desk.get(reverse(QUEUE)))

        assert '<span class="badge urgent">high</span> 7' in seen
        assert f"reviewer {second_reviewer.pk}" in seen
        assert "approved once" in seen
        assert "Fits." not in seen

    @pytest.mark.parametrize(
        ("narrowed", "found"),
        [
            ("risk=high", {"risky"}),
            ("risk=medium", {"middling"}),
            ("risk=low", {"plain", "mine"}),
            ("waiting=4", {"plain", "mine", "middling"}),
            ("waiting=more", {"risky"}),
            ("reader=me", {"mine"}),
            ("reader=nobody", {"plain", "risky", "middling"}),
            ("reader=others", set()),
            ("queue=locked", {"middling"}),
            ("second=wanted", set()),
            ("risk=invented", {"plain", "mine", "middling", "risky"}),
        ],
    )
    def test_it_is_narrowed(self, desk, reviewer, narrowed, found):
        soon = timezone.now() + timedelta(minutes=5)
        made = {
            "plain": make_waiting(1, risk=0),
            "mine": make_waiting(2, risk=2, held_by=reviewer, held_until=soon),
            "middling": make_waiting(3, risk=3, state=State.LOCKED),
            "risky": make_waiting(80, risk=6),
        }

        seen = text_of(desk.get(f"{reverse(QUEUE)}?{narrowed}"))

        assert {name for name, claim in made.items() if claim.case_number in seen} == found

    def test_it_says_how_much_waits_and_how_long_decisions_take(self, desk):
        make_waiting(5, risk=9)

        seen = text_of(desk.get(reverse(QUEUE)))

        assert "<b>1</b> waits, the oldest for 5" in seen
        assert "Too few claims were decided so far to say how long it takes." in seen

    def test_no_identity_stands_in_it(self, desk):
        claim = make_waiting(member=None)

        seen = text_of(desk.get(reverse(QUEUE)))

        for secret in ("Quillfeather", "QUILLFEATHER", claim.typed["npi"], claim.user.email):
            assert secret not in seen


@pytest.mark.usefixtures("schools", "specialties")
class TestNext:
    def test_it_opens_the_first_that_nobody_reads(self, desk, second_desk):
        first, second = make_waiting(9), make_waiting(1)

        assert desk.post(reverse(NEXT)).url == page_of(first)
        assert second_desk.post(reverse(NEXT)).url == page_of(second)

    def test_from_a_claim_it_goes_on_behind_it(self, desk):
        first, second = make_waiting(9), make_waiting(1)

        assert desk.post(reverse(NEXT), {"after": first.pk}).url == page_of(second)

    def test_with_nothing_free_it_says_so(self, desk):
        response = desk.post(reverse(NEXT), follow=True)

        assert "No claim is free" in text_of(response)

    @pytest.mark.parametrize("after", ["", "x", "-1", "99999999"])
    def test_what_is_no_claim_is_no_matter(self, desk, after):
        assert desk.post(reverse(NEXT), {"after": after}).url == reverse(QUEUE)

    def test_looking_changes_nothing(self, desk):
        claim = make_waiting()

        assert desk.get(reverse(NEXT)).status_code == 405
        claim.refresh_from_db()
        assert claim.held_by is None

    def test_only_who_may_decide(self, reviewer, physician):
        reviewer.groups.clear()
        reviewer.user_permissions.add(Permission.objects.get(codename="view_claim"))

        assert browser_of(reviewer).post(reverse(NEXT)).status_code == 403
        assert browser_of(physician.user).post(reverse(NEXT)).status_code == 302


class TestReading:
    def test_opening_a_claim_holds_it(self, desk, reviewer, claim):
        desk.get(page_of(claim))

        claim.refresh_from_db()
        assert claim.held_by == reviewer

    def test_another_reviewer_reads_who_holds_it_and_cannot_decide(self, desk, second_desk, reviewer, claim):
        desk.get(page_of(claim))

        seen = text_of(second_desk.get(page_of(claim)))
        refused = second_desk.post(page_of(claim), written(claim, confirmed="1"))

        assert f"Reviewer {reviewer.pk} reads this claim until" in seen
        assert 'id="decide"' not in seen
        assert "reads this claim until" in text_of(refused)
        assert not Decision.objects.exists()

    def test_it_can_be_put_back(self, desk, claim):
        desk.get(page_of(claim))

        desk.post(reverse("admin:verification_claim_back", args=[claim.pk]))

        claim.refresh_from_db()
        assert claim.held_by is None

    def test_who_only_looks_holds_nothing(self, reviewer, claim):
        reviewer.groups.clear()
        reviewer.user_permissions.add(Permission.objects.get(codename="view_claim"))
        browser = browser_of(reviewer)

        assert browser.get(page_of(claim)).status_code == 200
        assert browser.post(reverse("admin:verification_claim_back", args=[claim.pk])).status_code == 403
        claim.refresh_from_db()
        assert claim.held_by is None

    def test_the_page_says_all_that_speaks_for_and_against(self, desk, claim, provider):
        make_claim(provider=provider, state=State.CHALLENGED)
        make_exclusion(provider, npi=None, city="FLINT")
        Claim.objects.filter(pk=claim.pk).update(doubts=["name", "skipped"], name_score=0.9)

        seen = text_of(desk.get(page_of(claim)))

        assert "The name is close to the registry&#x27;s, not equal" in seen
        assert "weighs nothing" in seen
        assert "Another account claims or holds this identity" in seen
        assert "Name score 0.900: close, and for a person to judge" in seen
        assert "An approval takes two reviewers." in seen
        assert "No roster that is loaded has this license." in seen
        assert "FLINT" in seen

    def test_a_page_of_a_document_can_be_turned_and_enlarged_without_a_script(self, desk, claim):
        key = claim.proofs.get().documents.get().key

        seen = text_of(desk.get(page_of(claim)))

        assert f'name="turn-own{key}-1" value="270"' in seen
        assert f'name="size-own{key}-1" value="4"' in seen

    def test_a_bounded_number_of_queries(self, desk, claim, django_assert_max_num_queries):
        desk.get(page_of(claim))

        with django_assert_max_num_queries(60):
            desk.get(page_of(claim))


class TestReadySentences:
    def test_choosing_one_fills_the_form_in_and_decides_nothing(self, desk, claim):
        chosen = template("claim-reject-1")

        seen = text_of(desk.post(page_of(claim), {"template": chosen.key, "note": "typed before"}))

        assert chosen.words in seen
        assert chosen.note in seen
        assert 'value="reject" data-key="r" checked' in seen
        assert not Decision.objects.exists()

    def test_an_unknown_one_leaves_what_was_typed(self, desk, claim):
        seen = text_of(desk.post(page_of(claim), {"template": "claim-reject-99", "note": "typed before"}))

        assert "typed before" in seen

    def test_the_applicant_reads_the_words_of_a_rejection(self, desk, claim):
        chosen = template("claim-reject-1")
        desk.post(
            page_of(claim),
            written(
                claim,
                outcome="reject",
                reason=chosen.reason,
                note=chosen.note,
                message=chosen.words,
                confirmed="1",
            ),
        )

        seen = text_of(browser_of(claim.user).get(reverse("verification:start")))

        assert chosen.words in seen
        assert chosen.note not in seen


class TestTwoSteps:
    def test_the_first_step_only_says_what_will_happen(self, desk, claim):
        response = desk.post(page_of(claim), written(claim))

        claim.refresh_from_db()
        seen = text_of(response)
        assert "The license is verified at once." in seen
        assert "Document and registry agree" in seen
        assert "Card and registry agree." in seen
        assert claim.state == State.CHALLENGED
        assert not Decision.objects.exists()

    def test_the_second_takes_the_decision(self, desk, claim):
        response = desk.post(page_of(claim), written(claim, confirmed="1"))

        claim.refresh_from_db()
        assert response.url == reverse(QUEUE)
        assert claim.state == State.VERIFIED

    def test_and_goes_on_to_the_next_claim(self, desk, claim):
        waiting = make_waiting()

        response = desk.post(page_of(claim), written(claim, confirmed="1", then="next"))

        assert response.url == page_of(waiting)

    def test_going_back_keeps_what_was_written(self, desk, claim):
        seen = text_of(
            desk.post(page_of(claim), written(claim, confirmed="1", back="1", note="Still thinking."))
        )

        claim.refresh_from_db()
        assert "Still thinking." in seen
        assert claim.state == State.CHALLENGED

    def test_a_decision_is_about_what_was_on_the_page(self, desk, claim):
        sent = written(claim, confirmed="1")
        proofs.add_document(claim=claim, sort="badge", data=image_bytes((500, 500)))

        response = desk.post(page_of(claim), sent)

        claim.refresh_from_db()
        assert "Something came in since you opened this page." in text_of(response)
        assert response.status_code == 422
        assert claim.state == State.CHALLENGED

    @pytest.mark.parametrize(
        ("changes", "words"),
        [
            ({"outcome": "reject", "reason": "mismatch"}, "They can appeal once, to another reviewer"),
            (
                {"outcome": "ask", "reason": "unreadable", "message": "All of the card."},
                "It leaves the queue until",
            ),
        ],
    )
    def test_each_act_says_what_follows(self, desk, claim, changes, words):
        assert words in text_of(desk.post(page_of(claim), written(claim, **changes)))

    def test_a_held_identity_is_said_before_the_dispute_opens(self, desk, claim, provider):
        make_claim(provider=provider, state=State.VERIFIED)

        assert "so a dispute opens" in text_of(desk.post(page_of(claim), written(claim)))

    def test_what_the_rules_refuse_is_not_confirmed(self, desk, claim, provider):
        make_exclusion(provider)

        response = desk.post(page_of(claim), written(claim))

        assert response.status_code == 422
        assert "The claim cannot be approved." in text_of(response)

    def test_unlocking_is_confirmed_too(self, desk, provider, seeker):
        locked = make_claim(seeker, provider, state=State.LOCKED, queued_at=timezone.now())
        first = desk.post(page_of(locked), written(locked, note="Typed wrong numbers."))
        locked.refresh_from_db()
        assert "can go on with documents" in text_of(first)
        assert locked.state == State.LOCKED

        desk.post(page_of(locked), written(locked, note="Typed wrong numbers.", confirmed="1"))

        locked.refresh_from_db()
        assert locked.state == State.NEEDS_REVIEW

    def test_a_claim_decided_meanwhile_has_no_form(self, desk, second_reviewer, claim):
        sent = written(claim, confirmed="1")
        decisions.reject(claim=claim, by=second_reviewer, reason="mismatch", note="Another name.")

        response = desk.post(page_of(claim), sent)

        assert response.status_code == 200
        assert 'id="decide"' not in text_of(response)
        assert Decision.objects.count() == 1


class TestTwoReviewers:
    @pytest.fixture
    def approved(self, claim, second_reviewer):
        Claim.objects.filter(pk=claim.pk).update(doubts=["license_differs"])
        return decisions.approve(
            claim=claim, by=second_reviewer, reason="name_changed", note="THE FIRST REASON"
        )

    def test_the_page_says_that_it_takes_two(self, desk, claim):
        Claim.objects.filter(pk=claim.pk).update(doubts=["license_differs"])

        assert "An approval takes two reviewers." in text_of(desk.get(page_of(claim)))
        assert "Nobody is verified yet." in text_of(desk.post(page_of(claim), written(claim)))

    def test_the_second_sees_who_approved_and_not_why(self, desk, approved, second_reviewer):
        seen = text_of(desk.get(page_of(approved)))

        assert f"Reviewer {second_reviewer.pk} approved this claim" in seen
        assert "THE FIRST REASON" not in seen
        assert "Name differs, the change is documented" not in seen.split('id="decide"')[0]

    def test_after_their_own_they_see_it(self, desk, approved):
        desk.post(page_of(approved), written(approved, confirmed="1"))

        approved.refresh_from_db()
        assert approved.state == State.VERIFIED
        assert "THE FIRST REASON" in text_of(desk.get(page_of(approved)))

    def test_the_first_sees_that_it_waits_for_another(self, second_desk, approved):
        seen = text_of(second_desk.get(page_of(approved)))

        assert "You approved this claim." in seen
        assert 'id="decide"' not in seen
        approved.refresh_from_db()
        assert approved.held_by is None


class TestDisputes:
    @pytest.fixture
    def dispute(self, claim, provider, second_reviewer):
        make_claim(provider=provider, state=State.VERIFIED)
        decisions.approve(claim=claim, by=second_reviewer, reason="document_fits", note="They agree.")
        return Dispute.objects.get()

    @staticmethod
    def address(dispute):
        return reverse("admin:verification_dispute_change", args=[dispute.pk])

    def opinion(self, dispute, **changes):
        seen = casefile.fingerprint(Claim.objects.get(pk=dispute.rival_claim_id))
        return {"side": "holder", "note": "The new card is forged.", "seen": seen, **changes}

    def test_the_list_has_the_nearest_day_first_and_no_identity(self, desk, dispute, provider, schools):
        other = make_provider()
        later = Dispute.objects.create(
            holder_claim=make_claim(
                provider=other, state=State.DISPUTED_HOLDER, verified_at=timezone.now(), method="document"
            ),
            rival_claim=make_claim(provider=other, state=State.DISPUTED_RIVAL),
            due_at=timezone.now() + timedelta(days=40),
        )

        seen = text_of(desk.get(reverse("admin:verification_dispute_changelist")))

        assert seen.index(dispute.rival_claim.case_number) < seen.index(later.rival_claim.case_number)
        assert "QUILLFEATHER" not in seen.upper()
        assert provider.npi not in seen

    @pytest.mark.parametrize(("due", "count"), [("", 1), ("now", 0), ("settled", 0), ("all", 1)])
    def test_the_list_is_narrowed(self, desk, dispute, due, count):
        seen = text_of(
            desk.get(reverse("admin:verification_dispute_changelist"), {"due": due} if due else {})
        )

        assert seen.count(dispute.rival_claim.case_number) == count

    def test_the_list_costs_the_same_at_any_length(
        self, desk, schools, specialties, django_assert_max_num_queries
    ):
        for _ in range(20):
            other = make_provider()
            Dispute.objects.create(
                holder_claim=make_claim(
                    provider=other, state=State.DISPUTED_HOLDER, verified_at=timezone.now(), method="document"
                ),
                rival_claim=make_claim(provider=other, state=State.DISPUTED_RIVAL),
                due_at=timezone.now() + timedelta(days=1),
            )

        with django_assert_max_num_queries(10):
            assert desk.get(reverse("admin:verification_dispute_changelist")).status_code == 200

    def test_both_sides_stand_on_one_page(self, desk, dispute):
        seen = text_of(desk.get(self.address(dispute)))

        assert dispute.holder_claim.case_number in seen
        assert dispute.rival_claim.case_number in seen
        assert seen.count("Beside the registry record") == 2
        assert "License card or certificate" in seen
        viewed = Event.objects.filter(kind="identity_viewed").values_list("case_number", flat=True)
        assert set(viewed) == {dispute.holder_claim.case_number, dispute.rival_claim.case_number}

    def test_an_opinion_is_confirmed(self, desk, dispute):
        first = desk.post(self.address(dispute), self.opinion(dispute))
        assert "Nothing changes before a second reviewer is of the same mind." in text_of(first)
        assert not dispute.opinions.exists()

        desk.post(self.address(dispute), self.opinion(dispute, confirmed="1"))

        assert dispute.opinions.get().side == "holder"

    def test_the_second_of_one_mind_reads_what_follows(self, desk, dispute, second_reviewer):
        disputes.give_opinion(dispute=dispute, by=second_reviewer, side="holder", note="THE OTHER OPINION")

        seen = text_of(desk.post(self.address(dispute), self.opinion(dispute)))

        assert "The new claim is rejected" in seen

    def test_others_opinions_are_read_after_ones_own(self, desk, dispute, second_reviewer):
        disputes.give_opinion(dispute=dispute, by=second_reviewer, side="holder", note="THE OTHER OPINION")
        Dispute.objects.update(due_at=timezone.now() + timedelta(seconds=1))
        assert "THE OTHER OPINION" not in text_of(desk.get(self.address(dispute)))

        desk.post(self.address(dispute), self.opinion(dispute, confirmed="1"))

        assert "THE OTHER OPINION" in text_of(desk.get(self.address(dispute)))

    def test_too_early_for_the_rival_is_said_before_confirming(self, desk, dispute):
        response = desk.post(self.address(dispute), self.opinion(dispute, side="rival"))

        assert response.status_code == 422
        assert "The holder has 14 days" in text_of(response)

    def test_a_settled_one_can_only_be_read(self, desk, dispute):
        Dispute.objects.update(outcome="holder", settled_at=timezone.now())

        assert 'method="post" novalidate' not in text_of(desk.get(self.address(dispute)))
        assert desk.post(self.address(dispute), self.opinion(dispute, confirmed="1")).status_code == 403

    def test_only_reviewers(self, dispute, reviewer, physician):
        reviewer.groups.clear()

        assert browser_of(reviewer).get(self.address(dispute)).status_code == 403
        assert browser_of(physician.user).get(self.address(dispute)).status_code == 302

    def test_the_claim_leads_there(self, desk, dispute):
        assert self.address(dispute) in text_of(desk.get(page_of(dispute.rival_claim)))


def test_the_pages_say_who_by_number_never_by_address(desk, second_desk, reviewer, claim):
    queue.hold(claim=claim, by=reviewer)

    for address in (reverse(QUEUE), page_of(claim)):
        assert reviewer.email not in text_of(second_desk.get(address))
