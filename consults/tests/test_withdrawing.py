"""Withdrawing a case: nothing of its pictures and of its author's words is left, colleagues keep theirs."""

import json
from datetime import timedelta

import pytest
from django.utils import timezone

from accounts import notice_kinds
from accounts.models import Kind, Notice
from accounts.tests.factories import make_member
from consults.models import Case, CaseDraft, Image, Marker
from consults.services import withdrawing
from consults.signals import case_withdrawn
from consults.tests.factories import make_case, make_consent, make_diagnosis, make_draft, make_image
from polls.tests.factories import make_poll
from questions.models import Appeal, Draft, ModerationAction, Post, Question, Revision, Tag, Vote
from questions.services import closing, writing
from questions.services.moderation import acts, undoing
from questions.signals import question_closed
from questions.tests.factories import make_answer, make_comment
from sermo.errors import RuleBroken
from verification.models import Event, RetentionRun
from verification.tasks import enforce_hourly_retention, enforce_retention
from verification.tests.test_no_clear_identity import columns_with

pytestmark = pytest.mark.django_db
MARK = "zebrafinch"  # in all that its author wrote, in nothing else
Why = Case.Withdrawn


@pytest.fixture(autouse=True)
def case_files(settings, tmp_path):
    """Files of pictures in a folder of the test's own."""
    own = {
        name: {**settings.STORAGES[name], "OPTIONS": {"location": tmp_path / name, "base_url": None}}
        for name in ("private", "staging")
    }
    settings.STORAGES = {**settings.STORAGES, **own}
    return tmp_path


@pytest.fixture
def asker(physician):
    return physician


@pytest.fixture
def case(asker):
    return make_case(asker, images=2, consent=make_consent(asker))


def reloaded(row):
    return type(row).objects.get(pk=row.pk)


def files_of(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


def make_marker(case, member, label, **fields):
    byline = case.question.bylines.filter(member=member).first() or case.question.bylines.create(
        member=member, mode="anonymous"
    )
    number = case.markers.count() + 1
    return Marker.objects.create(
        case=case,
        image=case.images.first(),
        number=number,
        left=10,
        top=10,
        label=label,
        member=member,
        byline=byline,
        **fields,
    )


def write_everywhere(case, asker, moderator):
    """Plant the mark in everything an author can write in a discussion."""
    question, said = case.question, f"A {MARK} sat there, PMID 12345678, ten days after the bite."
    opening = question.posts.get(kind="opening")
    opening.posted_at = timezone.now() - timedelta(hours=1)
    opening.save()
    writing.edit_post(post=opening, by=asker, source=said, title=f"The {MARK} rash of a hiker")
    writing.edit_post(post=reloaded(opening), by=asker, source=f"{said} Twice {MARK}.")
    theirs = make_answer(question, make_member("answerer"), "Doxycycline, and see it again in a week.")
    make_comment(theirs, asker, f"It looked like a {MARK}.")
    gone = make_answer(question, asker, f"Mine: the {MARK} again.")
    writing.remove_post(post=gone, by=asker)
    kept = make_answer(question, asker, f"The {MARK} came with Mr Quuxbury.")
    question.tags.add(Tag.objects.create(slug=MARK, name=MARK))
    Tag.objects.update(created_at=timezone.now())
    Draft.objects.create(member=asker, place=f"edit:{opening.pk}", fields={"source": MARK})
    Draft.objects.create(member=asker, place=f"answer:{question.pk}", fields={"source": MARK})
    Draft.objects.create(member=asker, place=f"comment:{theirs.pk}", fields={"source": MARK})
    Vote.objects.create(
        post=theirs,
        voter=asker,
        author=theirs.author,
        value=-1,
        reason="evidence",
        explanation=f"No, it is the {MARK}.",
    )
    Question.objects.filter(pk=question.pk).update(outcome=f"A {MARK} it was")
    question.follow_ups.create(
        days=7, due_at=timezone.now(), answered_at=timezone.now(), finding="confirmed", text=f"Still a {MARK}"
    )
    Case.objects.filter(pk=case.pk).update(
        intent="teaching", solution=f"A {MARK}.", solution_html=f"<p>A {MARK}.</p>"
    )
    Image.objects.filter(case=case).update(description=f"A {MARK} on a leg", why_uncovered=f"A {MARK}'s face")
    make_marker(case, asker, f"{MARK} here")
    make_marker(case, theirs.author, "border", post=theirs)
    case.images.first().flags.create(member=asker, words=f"{MARK} on the band")
    acts.act(
        post=kept,
        by=moderator.user,
        kind="redact",
        reason="identity",
        text=f"The {MARK} came with […].",
    )
    return theirs


class TestWords:
    def test_none_is_left_in_any_table(self, case, asker, moderator):
        theirs = write_everywhere(case, asker, moderator)
        assert len(columns_with([MARK])) > 15
        action = ModerationAction.objects.get(kind="redact")
        assert MARK in json.dumps(action.before)

        withdrawing.withdraw(case=case, why=Why.AUTHOR, by=asker)

        assert columns_with([MARK]) <= {"questions_tag.slug", "questions_tag.name"}  # a topic, of nobody
        assert reloaded(action).before is None
        assert reloaded(theirs).source == "Doxycycline, and see it again in a week."
        assert not case.question.tags.exists()
        assert not Revision.objects.exists()

    def test_the_author_is_stubbed_and_says_why(self, case, asker):
        withdrawing.withdraw(case=case, why=Why.AUTHOR, by=asker)

        question, opening = reloaded(case.question), Post.objects.get()
        assert (question.title, question.excerpt) == ("Withdrawn case", "")
        assert opening.source == "*Withdrawn by its author.*"
        assert opening.html == "<p><em>Withdrawn by its author.</em></p>\n"
        assert opening.search_text == ""
        assert opening.edited_at is None

    def test_a_poll_beside_it_says_nothing_any_more(self, asker):
        case = make_case(asker)
        make_poll(
            options=(f"{MARK} A", f"{MARK} B"), asker=asker, question=case.question, prompt=f"Which {MARK}?"
        )

        withdrawing.withdraw(case=case, why=Why.AUTHOR, by=asker)

        assert columns_with([MARK]) == set()

    def test_no_diagnosis_that_a_colleague_names_stands_in_the_way(self, case, asker, colleague):
        first = make_diagnosis(case, "Erythema migrans")
        for number in range(first.pk, first.pk + 4):
            make_diagnosis(case, f"Withdrawn {number}")
            make_diagnosis(case, f"Withdrawn. {number}")

        withdrawing.withdraw(case=case, why=Why.AUTHOR, by=asker)

        assert set(case.diagnoses.values_list("name", flat=True)) == {"Withdrawn"}

    def test_others_drafts_stay(self, case, asker, colleague):
        Draft.objects.create(member=colleague, place=f"answer:{case.pk}", fields={"source": "Mine"})

        withdrawing.withdraw(case=case, why=Why.AUTHOR, by=asker)

        assert Draft.objects.get().member == colleague

    def test_marks_of_all_go_with_the_pictures(self, case, asker, colleague):
        mark = make_marker(case, colleague, "scale")

        withdrawing.withdraw(case=case, why=Why.AUTHOR, by=asker)

        assert (reloaded(mark).label, bool(reloaded(mark).removed_at)) == ("", True)


class TestPictures:
    def test_every_size_and_window_is_gone(self, case, asker, case_files, django_capture_on_commit_callbacks):
        case.images.all()[0].delete()
        make_image(case=case, place=3, windows=[["lung", "Lung"], ["bone", "Bone"]])
        Image.objects.filter(case=case, place=2).update(hidden_at=timezone.now())
        assert len([path for path in files_of(case_files) if "lung" in path.name]) == 3

        with django_capture_on_commit_callbacks(execute=True):
            withdrawing.withdraw(case=case, why=Why.AUTHOR, by=asker)

        shredded = case.images.all()
        left = {path.name.partition(".")[0] for path in files_of(case_files)}
        assert not left & {image.key for image in shredded}
        for image in shredded:
            assert (image.state, image.shredded, image.seal, image.description) == (
                "shredded",
                "author",
                None,
                "",
            )
            assert image.masked_hashes

    def test_a_single_one_can_be_shredded(self, case, asker, colleague):
        first, second = case.images.in_order()
        mark = make_marker(case, colleague, "border")

        withdrawing.shred(image=first, why=Image.Shredded.IDENTITY)
        moment = reloaded(first).shredded_at
        withdrawing.shred(image=first, why=Image.Shredded.AUTHOR)

        assert (reloaded(first).shredded, reloaded(first).shredded_at) == ("identity", moment)
        assert not reloaded(second).is_shredded
        assert reloaded(mark).label == ""

    def test_an_ended_draft_leaves_nothing(self, asker, case_files, django_capture_on_commit_callbacks):
        draft = make_draft(asker, images=2)

        with django_capture_on_commit_callbacks(execute=True):
            withdrawing.end_draft(draft=draft, why=Image.Shredded.CONSENT)
            withdrawing.end_draft(draft=draft, why=Image.Shredded.CONSENT)

        assert not CaseDraft.objects.exists()
        assert files_of(case_files) == []
        assert set(Image.objects.values_list("state", "shredded")) == {("shredded", "consent")}


class TestRules:
    def test_nobody_withdraws_a_colleagues_case(self, case, colleague):
        with pytest.raises(withdrawing.NotYours):
            withdrawing.withdraw(case=case, why=Why.AUTHOR, by=colleague)

        assert not reloaded(case).is_withdrawn

    def test_twice_is_as_good_as_once(self, case, asker, colleague):
        make_answer(case.question, colleague)
        withdrawing.withdraw(case=case, why=Why.AUTHOR, by=asker)
        moment = reloaded(case).withdrawn_at

        withdrawing.withdraw(case=case, why=Why.CONSENT)

        assert (reloaded(case).withdrawn, reloaded(case).withdrawn_at) == ("author", moment)
        assert Notice.objects.filter(kind=Kind.CASE).count() == 1
        assert Event.objects.filter(kind="case_withdrawn").count() == 1

    def test_it_closes_and_says_so(self, case, asker):
        heard = []
        question_closed.connect(
            lambda question, **more: heard.append(question.pk), weak=False, dispatch_uid="t1"
        )
        case_withdrawn.connect(lambda case, **more: heard.append(case), weak=False, dispatch_uid="t2")
        try:
            withdrawing.withdraw(case=case, why=Why.AUTHOR, by=asker)
        finally:
            question_closed.disconnect(dispatch_uid="t1")
            case_withdrawn.disconnect(dispatch_uid="t2")

        question = reloaded(case.question)
        assert heard == [case.pk, case]
        assert (question.status, question.close_reason) == ("closed", "author")

    def test_nobody_opens_it_again(self, case, asker, moderator):
        withdrawing.withdraw(case=case, why=Why.AUTHOR, by=asker)

        for user in (None, moderator.user):
            with pytest.raises(RuleBroken, match="withdrawn"):
                closing.reopen_question(question=reloaded(case.question), by=asker, user=user)

        assert not reloaded(case.question).is_open

    def test_its_author_withdraws_instead_of_removing(self, case, asker):
        with pytest.raises(RuleBroken, match="Withdraw the case instead"):
            writing.remove_post(post=case.question.posts.get(), by=asker)

    def test_put_back_by_a_moderator_it_is_closed(self, case, asker, moderator):
        action = acts.act(post=case.question.posts.get(), by=moderator.user, kind="remove", reason="identity")
        withdrawing.withdraw(case=case, why=Why.CONSENT)
        assert reloaded(case.question).is_removed

        undoing.undo(action=action, by=moderator.user)

        question = reloaded(case.question)
        assert (question.status, question.title) == ("closed", "Withdrawn case")

    def test_what_was_redacted_is_not_put_back(self, case, asker, moderator):
        opening = case.question.posts.get()
        opening.source = "**History.** Mr Quuxbury walked."
        opening.save()
        action = acts.act(
            post=opening, by=moderator.user, kind="redact", reason="identity", text="**History.** […] walked."
        )
        withdrawing.withdraw(case=case, why=Why.AUTHOR, by=asker)

        with pytest.raises(undoing.Forgotten):
            undoing.undo(action=action, by=moderator.user)

    def test_the_chain_names_nobody(self, case, asker):
        withdrawing.withdraw(case=case, why=Why.AUTHOR, by=asker)

        event = Event.objects.get(kind="case_withdrawn")
        assert (event.object, event.reason, event.actor, event.subject) == (
            f"case:{case.pk}",
            "author",
            None,
            None,
        )


class TestTelling:
    def words(self, member):
        found = Notice.objects.filter(member=member, kind=Kind.CASE)
        return [line.text for line in notice_kinds.lines(found, member.user).values()]

    def test_who_wrote_there_is_told_and_nobody_else(self, case, asker, colleague, third):
        make_answer(case.question, colleague)

        withdrawing.withdraw(case=case, why=Why.AUTHOR, by=asker)

        assert self.words(colleague) == ["A case you wrote in was withdrawn by its author"]
        assert self.words(asker) == self.words(third) == []

    def test_the_author_is_told_what_others_decided(self, case, asker):
        withdrawing.withdraw(case=case, why=Why.CONSENT)

        assert self.words(asker) == ["Your case was withdrawn: the patient's consent ended"]

    def test_nothing_of_it_is_said_where_it_may_not_be_read(self, case, asker, colleague):
        make_answer(case.question, colleague)
        withdrawing.withdraw(case=case, why=Why.AUTHOR, by=asker)
        Question.objects.update(audience="connections")

        assert self.words(colleague) == []

    def test_many_notices_cost_one_query(self, asker, colleague, django_assert_num_queries):
        for _ in range(3):
            case = make_case(asker)
            make_answer(case.question, colleague)
            withdrawing.withdraw(case=case, why=Why.AUTHOR, by=asker)
        found = list(Notice.objects.filter(member=colleague, kind=Kind.CASE))
        user = type(colleague.user).objects.select_related("member").get(pk=colleague.user.pk)

        with django_assert_num_queries(2):  # the moderators' groups are asked for once
            assert len(notice_kinds.lines(found, user)) == 3


class TestRemoved:
    def remove(self, case, moderator, days):
        acts.act(post=case.question.posts.get(), by=moderator.user, kind="remove", reason="spam")
        Post.objects.filter(question=case.pk).update(removed_at=timezone.now() - timedelta(days=days))

    def test_pictures_of_a_removed_discussion_go_once_that_stands(self, case, moderator, settings):
        self.remove(case, moderator, settings.APPEAL_WITHIN_DAYS + 1)

        withdrawing.shred_removed()

        assert set(case.images.values_list("shredded", flat=True)) == {"removed"}
        assert withdrawing.shred_removed() == 0

    def test_not_before(self, case, moderator, settings):
        self.remove(case, moderator, settings.APPEAL_WITHIN_DAYS - 1)

        assert withdrawing.shred_removed() == 0

    def test_not_while_an_appeal_waits(self, case, moderator, settings):
        self.remove(case, moderator, settings.APPEAL_WITHIN_DAYS + 1)
        Appeal.objects.create(action=ModerationAction.objects.get(), text="No.", due_at=timezone.now())

        assert withdrawing.shred_removed() == 0


def test_staged_pictures_are_purged_each_hour_and_by_nothing_else(asker, settings):
    draft = make_draft(asker)
    Image.objects.update(staged_at=timezone.now() - timedelta(hours=25))

    enforce_retention()
    assert draft.images.get().state == "staged"
    enforce_hourly_retention()

    assert draft.images.get().shredded == "expired"
    runs = RetentionRun.objects.filter(rule="consults.staged")
    assert [(run.removed, run.left_over, run.failure) for run in runs] == [(1, 0, "")]
    by_clock = {entry["task"] for entry in settings.CELERY_BEAT_SCHEDULE.values()}
    assert {each for each in by_clock if "purge" in each or "retention" in each} == {
        "verification.tasks.enforce_retention",
        "verification.tasks.enforce_hourly_retention",
    }
