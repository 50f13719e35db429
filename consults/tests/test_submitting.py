"""Sending a case: what it needs, what becomes of its pictures, and that it is one however often it is sent."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta
from threading import Barrier

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import IdentifierDecision, Member
from accounts.services.identifiers import Kept
from accounts.tests.factories import make_member
from consults import written
from consults.models import Case, CaseDraft, Image
from consults.services import consents, masking, reviewing, submitting, withdrawing
from consults.services.submitting import submit
from consults.tests.factories import make_case, make_consent, make_draft, make_image
from consults.words import CHECKLIST, TICKS
from questions.models import Byline, Hold, ModerationAction, Post, Question
from questions.services import limits, writing
from questions.services.tags import NewTagNeedsRank
from questions.tests.factories import make_question
from sermo.errors import RuleBroken

pytestmark = pytest.mark.django_db
State = CaseDraft.State


@pytest.fixture
def author():
    member = make_member()
    for _ in range(3):
        make_case(member, images=0)
    return member


@pytest.fixture
def draft(author):
    return make_draft(author, images=2, image_state=Image.State.MASKED)


@pytest.fixture
def consent(author):
    return make_consent(author, for_teaching=True)


def send(draft, consent, ticks=TICKS, **how):
    return submit(draft=draft, member=draft.member, consent=consent, ticks=ticks, **how)


def hold(member, moderator):
    post = make_question(member).posts.get()
    action = ModerationAction.objects.create(
        kind="hold", post=post, member=member, moderator=moderator.user, reason="identity", days=3
    )
    Hold.objects.create(member=member, action=action, until=timezone.now() + timedelta(days=3))


@pytest.mark.parametrize(
    ("consented", "keeps", "is_among_peers"), [(True, False, False), (False, False, True), (True, True, True)]
)
def test_firms_see_a_case_by_consent_and_where_its_author_lets_them(
    author, draft, consented, keeps, is_among_peers
):
    Member.objects.filter(pk=author.pk).update(peers_only=keeps)
    draft.member.refresh_from_db()

    send(draft, make_consent(author, for_observers=consented))

    assert Question.objects.latest("pk").peers_only == is_among_peers


class TestNeeds:
    @pytest.mark.parametrize("missing", [key for key, _ in CHECKLIST])
    def test_every_point_of_the_checklist_is_ticked(self, draft, consent, missing):
        with pytest.raises(submitting.ChecklistOpen) as refusal:
            send(draft, consent, TICKS - {missing})

        assert refusal.value.missing == (missing,)
        assert not Question.objects.filter(title=draft.title, case__images__isnull=False).exists()

    def test_the_checklist_has_its_eight_points(self):
        assert len(CHECKLIST) == len(TICKS) == 8

    def test_what_is_missing_in_the_text_is_named(self, author, consent):
        draft = make_draft(author, image_state=Image.State.MASKED, typed={"history": ""})

        with pytest.raises(written.Incomplete) as refusal:
            send(draft, consent)

        assert refusal.value.field == "history"

    def test_a_title_is_no_longer_than_a_discussion_takes(self, author, consent):
        draft = make_draft(author, image_state=Image.State.MASKED, typed={"title": "Rash " * 60})

        with pytest.raises(written.Incomplete) as refusal:
            send(draft, consent)

        assert refusal.value.field == "title"

    def test_a_solution_that_shows_nothing_is_none(self, author, consent):
        typed = {"intent": "teaching", "solution": "[a]: https://example.org"}
        draft = make_draft(author, image_state=Image.State.MASKED, typed=typed)

        with pytest.raises(written.Incomplete) as refusal:
            send(draft, consent)

        assert refusal.value.field == "solution"

    def test_a_case_has_a_picture(self, author, consent):
        with pytest.raises(submitting.NoPictures):
            send(make_draft(author, images=0), consent)

    def test_each_picture_is_described(self, draft, consent):
        bare = make_image(draft=draft, place=3, state=Image.State.MASKED, description="")

        with pytest.raises(submitting.DescriptionMissing) as refusal:
            send(draft, consent)

        assert refusal.value.image == bare

    def test_a_consent_stands(self, draft, author):
        revoked = make_consent(author, revoked_at=timezone.now(), revoked_by="physician")
        expired = make_consent(author, expires_on=timezone.now().date() - timedelta(days=1))
        unsigned = make_consent(author, kind="signed", is_attested=False)

        for consent in (revoked, expired, unsigned):
            with pytest.raises(submitting.ConsentMissing):
                send(draft, consent)

    def test_a_consent_is_ones_own(self, draft):
        with pytest.raises(submitting.ConsentMissing):
            send(draft, make_consent())

    def test_teaching_needs_a_consent_for_teaching(self, author):
        typed = {"intent": "teaching", "solution": "Erythema migrans."}
        draft = make_draft(author, image_state=Image.State.MASKED, typed=typed)

        with pytest.raises(submitting.NotForTeaching):
            send(draft, make_consent(author))

        assert send(draft, make_consent(author, for_teaching=True)).is_teaching

    def test_nobody_sends_anothers_draft(self, draft, consent, colleague):
        with pytest.raises(CaseDraft.DoesNotExist):
            submit(draft=draft, member=colleague, consent=consent, ticks=TICKS)

    def test_who_may_not_write_sends_nothing(self, draft, consent):
        Member.objects.filter(pk=draft.member_id).update(standing=Member.Standing.READ_ONLY)

        with pytest.raises(writing.ReadOnly):
            send(draft, consent)

    def test_nor_does_who_is_held_and_no_picture_is_masked(self, author, consent, moderator):
        draft = make_draft(author)
        hold(author, moderator)

        with pytest.raises(limits.Held):
            send(draft, consent)

        assert draft.images.get().state == Image.State.STAGED

    def test_readers_one_may_not_choose_are_refused_before_an_original_is_destroyed(self, author, consent):
        draft = make_draft(author, typed={"audience": "connections"})

        with pytest.raises(writing.NoConnections):
            send(draft, consent)

        assert draft.images.get().state == Image.State.STAGED


class TestFaces:
    """A consent whose end takes away cases of both faces at one moment would show them for one person."""

    @pytest.fixture
    def author(self):
        member = make_member("amber_vein")
        member.byline_mode, member.display_name, member.physician_key = "public", "Amara Okafor, MD", "k-1"
        member.save()
        return member

    def draft(self, author, byline):
        return make_draft(author, image_state=Image.State.MASKED, typed={"byline": byline})

    @pytest.mark.parametrize(("first", "then"), [("anonymous", "public"), ("public", "anonymous")])
    @pytest.mark.parametrize("is_out", [True, False])
    def test_it_covers_no_cases_of_both(self, author, consent, settings, first, then, is_out):
        settings.CASE_FIRST_REVIEWED = 0 if is_out else 3
        assert isinstance(send(self.draft(author, first), consent), Case if is_out else CaseDraft)

        with pytest.raises(submitting.ConsentOfOtherFace, match="Take another consent for this signature"):
            send(self.draft(author, then), consent)

        assert send(self.draft(author, then), make_consent(author))

    @pytest.mark.parametrize("byline", ["anonymous", "public"])
    def test_it_covers_several_of_one(self, author, consent, settings, byline):
        settings.CASE_FIRST_REVIEWED = 0
        for _ in range(2):
            assert isinstance(send(self.draft(author, byline), consent), Case)

    def test_no_original_is_destroyed_for_it(self, author, consent, settings):
        settings.CASE_FIRST_REVIEWED = 0
        send(self.draft(author, "public"), consent)
        draft = make_draft(author)

        with pytest.raises(submitting.ConsentOfOtherFace):
            send(draft, consent)

        assert draft.images.get().state == Image.State.STAGED

    def test_a_name_that_was_taken_back_is_not_the_handle(self, author, consent, settings):
        settings.CASE_FIRST_REVIEWED = 0
        send(self.draft(author, "public"), consent)
        Byline.objects.filter(member=author).update(mode=Byline.Mode.MASKED)

        with pytest.raises(submitting.ConsentOfOtherFace):
            send(self.draft(author, "anonymous"), consent)

    def test_what_was_withdrawn_ends_with_no_consent_any_more(self, author, consent, settings):
        settings.CASE_FIRST_REVIEWED = 0
        withdrawing.withdraw(case=send(self.draft(author, "public"), consent), why=Case.Withdrawn.AUTHOR)

        assert isinstance(send(self.draft(author, "anonymous"), consent), Case)

    def test_it_is_asked_once_more_when_a_moderator_publishes(self, author, consent, settings):
        waiting = send(self.draft(author, "anonymous"), consent)
        settings.CASE_FIRST_REVIEWED = 0
        other = self.draft(author, "public")
        CaseDraft.objects.filter(pk=waiting.pk).update(consent=make_consent(author))
        send(other, consent)
        CaseDraft.objects.filter(pk=waiting.pk).update(consent=consent)

        with pytest.raises(submitting.ConsentOfOtherFace):
            submitting.publish(draft=waiting)


class TestPublishing:
    def test_a_clean_case_goes_out_at_once(self, draft, consent):
        case = send(draft, consent)

        question = case.question
        assert (question.kind, question.title, question.asker) == ("case", draft.title, draft.member)
        assert (case.intent, case.ask, case.age_band, case.sex) == ("help", "what", "40-49", "female")
        assert (case.consent, case.reviewed_by) == (consent, None)
        assert "Ten days after a tick bite." in question.posts.get().source

    def test_its_pictures_hang_on_it_in_order_and_the_draft_is_gone(self, draft, consent):
        case = send(draft, consent)

        assert list(case.images.in_order().values_list("place", "consent", "draft")) == [
            (1, consent.pk, None),
            (2, consent.pk, None),
        ]
        assert not CaseDraft.objects.exists()
        assert Image.objects.visible_to(make_member().user).count() == 2

    def test_gaps_between_pictures_close(self, author, consent):
        draft = make_draft(author, images=0)
        for place in (2, 5):
            make_image(draft=draft, place=place, state=Image.State.MASKED)

        assert list(send(draft, consent).images.in_order().values_list("place", flat=True)) == [1, 2]

    def test_destroyed_pictures_stay_behind(self, draft, consent):
        gone = {"state": Image.State.SHREDDED, "seal": None, "shredded_at": timezone.now()}
        draft.images.filter(place=1).update(shredded="author", **gone)

        assert send(draft, consent).images.count() == 1

    @pytest.mark.parametrize(("for_observers", "peers_only"), [(True, False), (False, True)])
    def test_observers_read_it_where_the_consent_says_so(self, draft, author, for_observers, peers_only):
        case = send(draft, make_consent(author, for_observers=for_observers))

        assert case.question.peers_only is peers_only

    def test_a_solution_is_kept_folded_and_never_searched(self, author, consent):
        typed = {"intent": "teaching", "solution": "It was *Borrelia*."}
        draft = make_draft(author, image_state=Image.State.MASKED, typed=typed)

        case = send(draft, consent)

        assert "<em>Borrelia</em>" in case.solution_html
        assert "borrelia" not in case.question.posts.get().search_text
        assert "Borrelia" not in case.question.posts.get().source

    def test_urgency_now_goes_with_its_tick(self, author, consent):
        typed = {"urgency": "now", "care_under_way": "on"}
        draft = make_draft(author, image_state=Image.State.MASKED, typed=typed)

        case = send(draft, consent)

        assert case.care_under_way
        assert case.question.urgency == "now"

    def test_what_open_question_refuses_leaves_the_draft_as_it_was(self, author, consent):
        draft = make_draft(author, image_state=Image.State.MASKED, typed={"tags": "never-seen-before"})

        with pytest.raises(NewTagNeedsRank):
            send(draft, consent)

        draft.refresh_from_db()
        assert (draft.state, draft.consent) == (State.WRITING, consent)
        assert not Case.objects.filter(images__isnull=False).exists()

    def test_without_a_moderator_only_what_is_clean_is_published(self, draft, consent):
        draft.images.update(left_over=1)
        CaseDraft.objects.filter(pk=draft.pk).update(consent=consent)

        with pytest.raises(submitting.NotReviewed):
            submitting.publish(draft=draft)


class TestWaiting:
    @pytest.fixture
    def waiting(self, draft, consent):
        draft.images.update(left_over=1)
        return send(draft, consent)

    def test_what_was_found_makes_it_wait(self, waiting, consent):
        assert isinstance(waiting, CaseDraft)
        waiting.refresh_from_db()
        assert (waiting.state, waiting.consent, waiting.hits["pictures"]) == (State.WAITING, consent, 2)
        assert waiting.submitted_at

    def test_no_discussion_is_there_yet(self, waiting):
        assert not Post.objects.filter(submission=waiting.pk).exists()

    def test_the_same_again_changes_nothing(self, waiting, consent):
        again = send(waiting, consent)

        assert (again.pk, again.submitted_at) == (waiting.pk, waiting.submitted_at)

    def test_what_was_sent_back_can_be_sent_again(self, waiting, consent):
        CaseDraft.objects.filter(pk=waiting.pk).update(state=State.RETURNED, answer="Cover the label.")

        again = send(waiting, consent)

        again.refresh_from_db()
        assert (again.state, again.answer) == (State.WAITING, "")
        assert again.submitted_at > waiting.submitted_at


class TestMasking:
    def test_every_staged_picture_is_masked_before_anybody_reads(self, author, consent):
        draft = make_draft(author, images=2)

        case = send(draft, consent)

        assert set(case.images.values_list("state", flat=True)) == {Image.State.MASKED}
        assert not case.images.filter(destroyed_at=None).exists()

    def test_one_that_cannot_be_masked_stops_all(self, author, consent, monkeypatch):
        def fail(image):
            raise masking.MaskingFailed

        monkeypatch.setattr(masking, "mask", fail)
        draft = make_draft(author)

        with pytest.raises(masking.MaskingFailed):
            send(draft, consent)

        draft.refresh_from_db()
        assert draft.state == State.WRITING

    def test_a_picture_added_meanwhile_is_looked_at_first(self, draft, consent, monkeypatch):
        added = []
        monkeypatch.setattr(
            masking, "mask", lambda image: added or added.append(make_image(draft=draft, place=3))
        )

        with pytest.raises(submitting.ChangedMeanwhile):
            send(draft, consent)

        assert added[0].state == Image.State.STAGED

    def test_what_was_masked_goes_with_its_consent_although_the_case_was_refused(self, author):
        draft = make_draft(author, typed={"tags": "never-seen-before"})
        consent = make_consent(author, kind="signed")
        with pytest.raises(NewTagNeedsRank):
            send(draft, consent)
        assert draft.images.get().is_masked

        consents.revoke(consent=consent, by=author)

        image = Image.objects.get(received_hash="0" * 64, draft=None, case=None)
        assert (image.state, image.shredded) == (Image.State.SHREDDED, Image.Shredded.CONSENT)


class TestLocks:
    """Whoever leaves locks the member and then drafts; in another order two would wait for each other."""

    @pytest.fixture
    def locked(self):
        """The tables of rows locked so far, in order."""
        with CaptureQueriesContext(connection) as ran:

            def tables():
                locks = [one["sql"] for one in ran.captured_queries if " FOR " in one["sql"]]
                return [sql.partition('FROM "')[2].partition('"')[0] for sql in locks]

            yield tables

    def test_sending_locks_the_member_before_the_draft(self, draft, consent, locked):
        send(draft, consent)

        assert locked()[:2] == ["accounts_member", "consults_casedraft"]

    def test_so_does_publishing(self, draft, consent, locked):
        CaseDraft.objects.filter(pk=draft.pk).update(consent=consent)
        submitting.publish(draft=draft)

        assert locked()[:2] == ["accounts_member", "consults_casedraft"]

    def test_so_does_a_moderators_decision(self, draft, consent, moderator, locked):
        sent = {"state": State.WAITING, "consent": consent, "submitted_at": timezone.now()}
        CaseDraft.objects.filter(pk=draft.pk).update(**sent)
        reviewing.approve(draft=draft, by=moderator.user)

        assert locked()[:2] == ["accounts_member", "consults_casedraft"]


class TestIdentifiers:
    KEPT = Kept(stops={"phone": 1}, why="published")

    def test_what_is_kept_is_noted_with_the_case(self, draft, consent):
        send(draft, consent, kept=self.KEPT)

        noted = IdentifierDecision.objects.get(place="case")
        assert (noted.member, noted.stops) == (draft.member, {"phone": 1})

    def test_and_once(self, draft, consent):
        send(draft, consent, kept=self.KEPT)
        send(draft, consent, kept=self.KEPT)

        assert IdentifierDecision.objects.filter(place="case").count() == 1

    def test_and_not_where_nothing_was_sent(self, draft):
        with pytest.raises(submitting.ConsentMissing):
            send(draft, make_consent(), kept=self.KEPT)

        assert not IdentifierDecision.objects.exists()

    def test_what_no_form_asked_about_makes_the_case_wait_all_the_same(self, author, consent):
        draft = make_draft(
            author, image_state=Image.State.MASKED, typed={"history": "Call 612-555-0143 first."}
        )

        assert send(draft, consent).hits["text"] == {"phone": 1}


class TestTwice:
    def test_the_same_draft_twice_is_one_case(self, draft, consent):
        case = send(draft, consent)

        assert send(draft, consent) == case
        assert Post.objects.filter(submission=draft.pk).count() == 1

    @pytest.mark.django_db(transaction=True)
    def test_also_at_once(self, draft, consent):
        start = Barrier(4)

        def run(_):
            try:
                start.wait()
                return send(draft, consent).pk
            except RuleBroken as refusal:
                return type(refusal).__name__
            finally:
                connection.close()

        with ThreadPoolExecutor(4) as pool:
            made = set(pool.map(run, range(4)))

        assert made == {Case.objects.get(images__isnull=False, images__place=1).pk}
        assert Post.objects.filter(submission=draft.pk).count() == 1
