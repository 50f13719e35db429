"""Solving a case, scoring forecasts by it, and all that may change either."""

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts import notice_kinds
from accounts.models import Notice
from accounts.tests.factories import make_member
from consults.models import Diagnosis, DiagnosisVote, Reply, Solution
from consults.services import diagnoses, replies, settling, solving, withdrawing
from consults.tests.factories import make_case, make_diagnosis, make_forecast, make_solution
from questions.models import Credit, Question
from questions.services import closing, writing
from questions.services.committing import open_for_reading
from questions.services.limits import Held
from questions.services.moderation import acts, undoing
from questions.tests.factories import make_answer

pytestmark = pytest.mark.django_db

NAME = "Erythema migrans"


@pytest.fixture
def case(physician):
    return make_case(physician, images=0)


def reply(case, author=None, diagnosis=NAME, confidence=80, **said):
    author = author or make_member()
    return replies.reply(case=case, author=author, diagnosis=diagnosis, confidence=confidence, **said)


def solve(case, **said):
    return solving.solve_case(
        case=case,
        by=case.question.asker,
        **{"name": NAME, "confirmed": "imaging", "outcome": "It healed.", **said},
    )


def scored(case):
    """Was right, by member."""
    return dict(Reply.objects.filter(case=case, is_forecast=True).values_list("member", "was_right"))


class TestSolving:
    def test_by_a_colleague_with_a_diagnosis_of_the_board(self, case):
        post = reply(case)
        found = Diagnosis.objects.get()

        solve(case, diagnosis=found, name="", confirmed="pathology", answers=[post], outcome="")

        final = Solution.objects.get()
        assert (final.case, final.diagnosis, final.confirmed) == (case, found, "pathology")
        assert Credit.objects.get().post == post
        assert Question.objects.get().is_solved
        assert Question.objects.get().is_open

    def test_with_a_diagnosis_nobody_had_named(self, case):
        reply(case)

        solve(case, name=" Tinea  corporis", code="b354")

        found = Solution.objects.get().diagnosis
        assert (found.name, found.code) == ("Tinea corporis", "B35.4")

    def test_a_name_spelled_like_one_of_the_board_is_that_one(self, case):
        reply(case)

        solve(case, name="erythema MIGRANS.")

        assert Solution.objects.get().diagnosis == Diagnosis.objects.get()

    def test_elsewhere_takes_a_sentence(self, case):
        with pytest.raises(closing.NothingCredited):
            solve(case, outcome="")

        assert not Question.objects.get().is_solved
        assert not Solution.objects.exists()

    def test_a_removed_answer_solves_nothing(self, case):
        post = reply(case)
        writing.remove_post(post=post, by=post.author)

        with pytest.raises(closing.NothingCredited):
            solve(case, answers=[post], outcome="")

    def test_nor_does_ones_own(self, case):
        own = make_answer(case.question, author=case.question.asker)

        with pytest.raises(closing.NothingCredited):
            solve(case, answers=[own], outcome="")

    def test_at_most_three_are_credited(self, case):
        with pytest.raises(closing.TooManyCredits):
            solve(case, answers=[reply(case) for _ in range(4)])

    @pytest.mark.parametrize(
        ("said", "refusal"),
        [
            ({"name": "  "}, solving.FinalDiagnosisMissing),
            ({"name": "?!"}, diagnoses.NoName),
            ({"code": "rash"}, diagnoses.CodeMalformed),
            ({"confirmed": ""}, solving.ConfirmationMissing),
            ({"confirmed": "rumor"}, solving.ConfirmationMissing),
        ],
    )
    def test_what_has_to_be_said(self, case, said, refusal):
        with pytest.raises(refusal):
            solve(case, **said)

        assert not Question.objects.get().is_solved

    def test_no_diagnosis_of_another_case(self, case):
        with pytest.raises(solving.NotOfThisCase):
            solve(case, diagnosis=make_diagnosis(make_case(images=0), NAME))

    def test_only_its_author_solves_it(self, case, colleague, moderator):
        for member in (colleague, moderator):
            with pytest.raises(writing.NotYours):
                solving.solve_case(case=case, by=member, name=NAME, confirmed="imaging", outcome="It healed.")
            with pytest.raises(writing.NotYours):
                solving.unsolve_case(case=case, by=member)

    def test_only_while_it_is_open(self, case):
        closing.close_question(question=case.question, by=case.question.asker)

        with pytest.raises(writing.NotOpen):
            solve(case)

    def test_not_while_held(self, case, monkeypatch):
        def refuse(member):
            raise Held

        monkeypatch.setattr(closing.limits, "check_not_held", refuse)

        with pytest.raises(Held):
            solve(case)

    def test_one_that_teaches_was_solved_before(self, physician):
        case = make_case(physician, images=0, intent="teaching")

        with pytest.raises(solving.TeachesAlready):
            solve(case)
        with pytest.raises(solving.TeachesAlready):
            solving.unsolve_case(case=case, by=physician)

    def test_no_way_leads_around_the_final_diagnosis(self, case, physician):
        with pytest.raises(solving.SolveAsCase):
            closing.solve_question(question=case.question, by=physician, outcome="It healed.")
        solve(case)
        with pytest.raises(solving.SolveAsCase):
            closing.unsolve_question(question=case.question, by=physician)

    def test_doing_it_again_replaces_and_leaves_no_name_behind(self, case):
        post = reply(case)
        solve(case, name="Tinea corporis", answers=[post])
        first = Question.objects.get().solved_at

        solve(case, confirmed="pathology", answers=[post])

        assert set(Diagnosis.objects.values_list("name", flat=True)) == {NAME}
        assert Solution.objects.get().confirmed == "pathology"
        assert Question.objects.get().solved_at == first
        assert Credit.objects.count() == 1

    def test_twice_is_as_good_as_once(self, case):
        solve(case)
        stated = Solution.objects.get().stated_at

        solve(case)

        assert Solution.objects.get().stated_at == stated

    def test_taken_back_nothing_of_it_stays(self, case):
        reply(case)
        solve(case, name="Tinea corporis")

        solving.unsolve_case(case=case, by=case.question.asker)
        solving.unsolve_case(case=case, by=case.question.asker)

        assert not Solution.objects.exists()
        assert Diagnosis.objects.get().name == NAME
        assert (Question.objects.get().solved_at, Question.objects.get().outcome) == (None, "")
        assert set(scored(case).values()) == {None}

    def test_all_who_wrote_there_are_told_and_not_what_it_was(self, case):
        credited, other = reply(case), reply(case, diagnosis="Tinea corporis")
        Notice.objects.all().delete()

        solve(case, answers=[credited], outcome=f"It was {NAME}.")

        said = {
            post: [
                line.text
                for line in notice_kinds.lines(list(post.author.notices.all()), post.author.user).values()
            ]
            for post in (credited, other)
        }
        assert said == {credited: ["Your answer was credited"], other: ["A case you wrote in is solved"]}
        assert not Notice.objects.filter(key__icontains="erythema").exists()

    def test_the_author_is_asked_what_became_of_it(self, case):
        solve(case)

        assert [row.days for row in case.question.follow_ups.order_by("days")] == [7, 30, 90]


class TestScoring:
    def test_forecasts_are_right_or_wrong_once_it_is_confirmed(self, case):
        right, wrong = reply(case), reply(case, diagnosis="Tinea corporis")
        assert scored(case) == {right.author_id: None, wrong.author_id: None}

        solve(case)

        assert scored(case) == {right.author_id: True, wrong.author_id: False}

    @pytest.mark.parametrize(
        ("confirmed", "was_right"),
        [("pathology", True), ("imaging", True), ("response", True), ("expert", True), ("unknown", None)],
    )
    def test_by_what_is_confirmed_only(self, case, confirmed, was_right):
        reply(case)

        solve(case, confirmed=confirmed)

        assert list(scored(case).values()) == [was_right]

    def test_taking_the_confirmation_back_takes_the_scores_back(self, case):
        reply(case)
        solve(case)

        solve(case, confirmed="unknown")

        assert list(scored(case).values()) == [None]

    def test_another_final_diagnosis_scores_anew(self, case):
        first, second = reply(case), reply(case, diagnosis="Tinea corporis")
        solve(case)

        solve(case, name="Tinea corporis")

        assert scored(case) == {first.author_id: False, second.author_id: True}

    def test_whoever_read_first_is_not_scored(self, case, colleague):
        reply(case)
        open_for_reading(question=case.question, member=colleague)
        reply(case, colleague)

        solve(case)

        assert Reply.objects.get(member=colleague).was_right is None
        assert colleague.pk not in scored(case)

    def test_synonyms_are_one_diagnosis(self, case):
        lyme = reply(case, diagnosis="Early Lyme disease")
        solve(case)
        assert scored(case) == {lyme.author_id: False}
        synonym, root = Diagnosis.objects.get(name__startswith="Early"), Diagnosis.objects.get(name=NAME)

        diagnoses.merge(diagnosis=synonym, into=root, by=case.question.asker)
        assert scored(case) == {lyme.author_id: True}

        diagnoses.unmerge(diagnosis=synonym, by=case.question.asker)
        assert scored(case) == {lyme.author_id: False}

    def test_the_final_one_may_be_the_synonym(self, case):
        post = reply(case)
        solve(case, name="Early Lyme disease")
        final, root = Solution.objects.get().diagnosis, Diagnosis.objects.get(name=NAME)

        diagnoses.merge(diagnosis=final, into=root, by=case.question.asker)

        assert scored(case) == {post.author_id: True}

    def test_an_answer_after_the_solution_is_scored_at_once(self, case):
        solve(case)

        late = reply(case)

        assert scored(case) == {late.author_id: True}

    def test_one_that_teaches_scores_from_the_start(self, physician):
        case = make_case(physician, images=0, intent="teaching")

        right, wrong = reply(case), reply(case, diagnosis="Tinea corporis")

        assert scored(case) == {right.author_id: True, wrong.author_id: False}

    def test_settling_once_more_writes_nothing(self, case):
        reply(case)
        reply(case, diagnosis="Tinea corporis")
        solve(case)

        with CaptureQueriesContext(connection) as asked:
            settling.settle(case.pk)

        assert len(asked) < 8
        assert not [one for one in asked if one["sql"].startswith("UPDATE")]


class TestRemoving:
    def test_no_wrong_forecast_is_taken_back_by_removing_it(self, case):
        post = reply(case, diagnosis="Tinea corporis")
        writing.remove_post(post=post, by=post.author)

        solve(case)

        assert list(scored(case).values()) == [False]

    def test_what_a_moderator_removes_is_not_scored_until_put_back(self, case, moderator):
        post, other = reply(case), reply(case)
        solve(case, answers=[other])

        act = acts.act(post=post, by=moderator.user, kind="remove", reason="identity")
        assert scored(case) == {post.author_id: None, other.author_id: True}

        undoing.undo(action=act, by=moderator.user)
        assert scored(case) == {post.author_id: True, other.author_id: True}

    def test_with_the_last_credited_answer_the_solution_goes_and_comes_back(self, case, moderator):
        post, other = reply(case), reply(case)
        solve(case, answers=[post], outcome="")

        act = acts.act(post=post, by=moderator.user, kind="remove", reason="identity")
        assert not Question.objects.get().is_solved
        assert diagnoses.final_root(case.pk) is None
        assert scored(case) == {post.author_id: None, other.author_id: None}

        undoing.undo(action=act, by=moderator.user)
        assert Question.objects.get().is_solved
        assert scored(case) == {post.author_id: True, other.author_id: True}

    def test_of_a_removed_case_nothing_is_scored(self, case, moderator):
        reply(case)
        solve(case)
        opening = case.question.posts.get(kind="opening")

        act = acts.act(post=opening, by=moderator.user, kind="remove", reason="identity")
        assert list(scored(case).values()) == [None]

        undoing.undo(action=act, by=moderator.user)
        assert list(scored(case).values()) == [True]

    def test_closing_and_reopening_change_nothing(self, case):
        reply(case)
        solve(case)

        closing.close_question(question=case.question, by=case.question.asker)
        closing.reopen_question(question=case.question, by=case.question.asker)

        assert list(scored(case).values()) == [True]
        assert Solution.objects.exists()


class TestWords:
    """Diagnoses are words about a patient."""

    def make_said(self, case, name="Quillfeather disease of Mr. Quillfeather"):
        post = reply(case, diagnosis=name)
        found = Diagnosis.objects.get()
        DiagnosisVote.objects.create(
            diagnosis=found,
            voter=make_member(),
            value=-1,
            reason="evidence",
            explanation="Mr. Quillfeather never had it, said Mr. Quillfeather.",
        )
        return post, found

    def redact(self, post, moderator, text, **more):
        return acts.act(post=post, by=moderator.user, kind="redact", reason="identity", text=text, **more)

    def test_a_withdrawn_case_names_none_and_keeps_what_was_scored(self, case):
        self.make_said(case)
        solve(case, name="Quillfeather disease", code="a692")

        withdrawing.withdraw(case=case, why="author", by=case.question.asker)

        for row in [*Diagnosis.objects.values(), *DiagnosisVote.objects.values()]:
            assert "uillfeather" not in str(row)
            assert "A69" not in str(row)
        settling.settle(case.pk)
        assert list(scored(case).values()) == [False]

    def test_words_redacted_from_an_answer_leave_its_diagnosis(self, case, moderator):
        post, found = self.make_said(case)
        said, key = found.name, found.key

        act = self.redact(post, moderator, "**Diagnosis.** […] disease of […], 80% sure.")
        found.refresh_from_db()
        assert found.name == "[…] disease of […]"
        assert "quill" not in found.key

        undoing.undo(action=act, by=moderator.user)
        found.refresh_from_db()
        assert (found.name, found.key) == (said, key)

    def test_what_the_answer_still_says_its_diagnosis_says_too(self, case, moderator):
        post = reply(case, diagnosis="Q fever", comment="High fever in a man.")

        self.redact(post, moderator, "**Diagnosis.** Q fever, 80% sure.\n\nHigh […] in a man.")

        assert Diagnosis.objects.get().name == "Q fever"

    def test_words_redacted_from_the_opening_leave_all_of_the_board(self, case, moderator):
        self.make_said(case)
        opening = case.question.posts.get(kind="opening")

        act = self.redact(opening, moderator, opening.source, elsewhere="Mr. Quillfeather\nQuillfeather")
        assert Diagnosis.objects.get().name == "[…] disease of […]"
        assert DiagnosisVote.objects.get().explanation == "[…] never had it, said […]."

        undoing.undo(action=act, by=moderator.user)
        assert Diagnosis.objects.get().name.startswith("Quillfeather")
        assert DiagnosisVote.objects.get().explanation.startswith("Mr. Quillfeather")


def test_a_name_taken_meanwhile_is_put_back_without_its_key(case, moderator):
    post = make_forecast(case, name="Quillfeather disease").post
    act = acts.act(
        post=post,
        by=moderator.user,
        kind="redact",
        reason="identity",
        text="**Diagnosis.** […] disease, 80% sure.",
    )
    make_diagnosis(case, "Quillfeather disease")

    undoing.undo(action=act, by=moderator.user)

    assert Diagnosis.objects.filter(name="Quillfeather disease").count() == 2


def test_a_solution_is_no_outcome_before_the_case_is_solved(case):
    make_forecast(case)
    make_solution(case)

    settling.settle(case.pk)
    assert list(scored(case).values()) == [None]

    Question.objects.filter(pk=case.pk).update(solved_at=timezone.now())
    settling.settle(case.pk)
    assert list(scored(case).values()) == [True]
