"""What is open to a firm, and what is not."""

from datetime import timedelta

import pytest
from django.utils import timezone

from consults.models import Case, Consent
from consults.tests.factories import make_case, make_consent
from observers.models import FirmBlock
from observers.tests.factories import let_pass
from questions.models import Post, Question, Report, Severity, openness
from questions.tests.factories import make_answer, make_comment, make_question
from rewards.models import Firm
from rewards.tests.factories import make_firm

pytestmark = pytest.mark.django_db


@pytest.fixture
def question(physician):
    return let_pass(make_question(physician))


def is_open(question, firm):
    return Question.objects.open_to(firm).filter(pk=question.pk).exists()


def test_what_is_put_to_all_is_open_after_the_delay(question, firm):
    assert is_open(question, firm)
    assert Post.objects.open_to(firm).count() == 1


def test_a_fresh_discussion_is_not_open_yet(physician, firm):
    assert not is_open(make_question(physician), firm)


@pytest.mark.parametrize(
    "changed",
    [{"peers_only": True}, {"audience": "specialty"}, {"audience": "connections"}, {"status": "removed"}],
)
def test_what_is_not_put_to_all_is_closed(question, firm, changed):
    Question.objects.filter(pk=question.pk).update(**changed)

    assert not is_open(question, firm)
    assert not Post.objects.open_to(firm).exists()


@pytest.mark.parametrize(
    "changed", [{"peers_only": True}, {"folded_at": timezone.now(), "fold_reason": "other"}]
)
def test_a_closed_opening_closes_its_discussion(question, firm, changed):
    Post.objects.filter(question=question).update(**changed)

    assert not is_open(question, firm)


def test_comments_go_with_the_answer_they_stand_under(question, colleague, third, firm):
    answer = make_answer(question, colleague)
    make_comment(answer, third)
    let_pass(question)
    assert Post.objects.open_to(firm).count() == 3

    Post.objects.filter(pk=answer.pk).update(peers_only=True)

    assert Post.objects.open_to(firm).get().kind == Post.Kind.OPENING


def test_an_edited_post_is_closed_until_the_edit_is_as_old(question, firm):
    Post.objects.filter(question=question).update(edited_at=timezone.now())

    assert not is_open(question, firm)


def test_posts_reach_firms_in_steps(settings):
    until = openness.released_until()

    assert until.timestamp() % (settings.OBSERVER_STEP_MINUTES * 60) == 0
    assert timedelta(minutes=60) <= timezone.now() - until < timedelta(minutes=76)


class TestBlocks:
    def test_a_blocked_firm_reads_nothing_of_a_member_and_others_do(self, question, physician, firm):
        other = make_firm(name="Another firm")
        FirmBlock.objects.create(member=physician, firm=firm)

        assert not is_open(question, firm)
        assert is_open(question, other)

    def test_a_blocked_sector_is_every_firm_of_it(self, question, physician, firm):
        FirmBlock.objects.create(member=physician, sector=firm.kind)
        other = make_firm(name="A fund", kind=Firm.Kind.FINANCE)

        assert not is_open(question, firm)
        assert is_open(question, other)

    def test_answers_of_who_blocked_are_closed_with_what_stands_under_them(
        self, question, colleague, third, firm
    ):
        answer = make_answer(question, colleague)
        make_comment(answer, third)
        let_pass(question)
        FirmBlock.objects.create(member=colleague, firm=firm)

        assert Post.objects.open_to(firm).get().kind == Post.Kind.OPENING

    def test_two_kinds_of_firms_read_of_one_discussion_what_each_may(self, question, colleague, third, firm):
        fund = make_firm(name="A fund", kind=Firm.Kind.FINANCE)
        by_colleague, by_third = make_answer(question, colleague), make_answer(question, third)
        under = make_comment(by_third, colleague)
        let_pass(question)
        FirmBlock.objects.create(member=colleague, sector=fund.kind)
        FirmBlock.objects.create(member=third, sector=firm.kind)

        opening = question.posts.get(kind=Post.Kind.OPENING)
        read = {reader: set(Post.objects.open_to(reader)) for reader in (firm, fund)}
        assert read == {firm: {opening, by_colleague}, fund: {opening, by_third}}
        assert under not in read[firm] | read[fund]

    def test_a_member_may_shut_out_one_firm_and_another_kind(self, question, colleague, firm):
        same, fund = make_firm(name="Another firm"), make_firm(name="A fund", kind=Firm.Kind.FINANCE)
        answer = make_answer(question, colleague)
        let_pass(question)
        FirmBlock.objects.create(member=colleague, firm=firm)
        FirmBlock.objects.create(member=colleague, sector=fund.kind)

        readers = [one for one in (firm, same, fund) if answer in Post.objects.open_to(one)]
        assert readers == [same]


class TestCases:
    """A case is open while a patient's consent to observers stands."""

    @pytest.fixture
    def consent(self, physician):
        return make_consent(physician, Consent.Kind.SIGNED, for_observers=True)

    @pytest.fixture
    def case(self, physician, consent):
        case = make_case(physician, consent=consent, peers_only=False)
        let_pass(case.question)
        return case

    def test_with_it_both_the_case_and_its_answers_are_open(self, case, colleague, firm):
        make_answer(case.question, colleague)
        let_pass(case.question)

        assert is_open(case.question, firm)
        assert Post.objects.open_to(firm).count() == 2

    @pytest.mark.parametrize(
        "changed",
        [
            {"for_observers": False},
            {"for_observers": False, "for_teaching": True},
            {"revoked_at": timezone.now(), "revoked_by": "patient"},
            {"revoked_at": timezone.now(), "revoked_by": "physician"},
            {"expires_on": timezone.now().date() - timedelta(days=1)},
            {"attested_at": None},
        ],
    )
    def test_without_one_that_stands_neither_is(self, case, consent, colleague, firm, changed):
        make_answer(case.question, colleague)
        let_pass(case.question)
        Consent.objects.filter(pk=consent.pk).update(**changed)

        assert not is_open(case.question, firm)
        assert not Post.objects.open_to(firm).exists()

    def test_the_last_day_of_a_consent_counts(self, case, consent, firm):
        Consent.objects.filter(pk=consent.pk).update(expires_on=timezone.now().date())

        assert is_open(case.question, firm)

    def test_a_withdrawn_case_is_closed_whatever_its_consent_says(self, case, firm):
        Case.objects.filter(pk=case.pk).update(withdrawn_at=timezone.now(), withdrawn="author")

        assert not is_open(case.question, firm)

    def test_the_consent_of_another_case_opens_none(self, case, consent, physician, firm):
        closed = make_case(physician, consent=make_consent(physician, Consent.Kind.SIGNED), peers_only=False)
        let_pass(closed.question)

        assert not is_open(closed.question, firm)
        assert is_open(case.question, firm)


def test_before_anybody_says_who_shut_firms_out_nothing_is_open(question, firm, monkeypatch):
    monkeypatch.setattr(openness, "SHUT_OUT", [])

    assert not is_open(question, firm)
    assert not Post.objects.open_to(firm).exists()


class TestReports:
    def report(self, post, severity):
        return Report.objects.create(post=post, severity=severity)

    def test_while_a_patient_may_be_identified_by_a_post_no_firm_reads_it(
        self, question, colleague, third, firm
    ):
        answer = make_answer(question, colleague)
        make_comment(answer, third)
        let_pass(question)

        report = self.report(answer, Severity.IDENTITY)
        assert Post.objects.open_to(firm).get().kind == Post.Kind.OPENING

        report.closed_at, report.outcome = timezone.now(), Report.Outcome.DISMISSED
        report.save()
        assert Post.objects.open_to(firm).count() == 3

    def test_of_an_opening_it_closes_the_discussion(self, question, firm):
        self.report(question.posts.get(), Severity.IDENTITY)

        assert not is_open(question, firm)

    def test_other_reports_close_nothing(self, question, firm):
        self.report(question.posts.get(), Severity.SAFETY)

        assert is_open(question, firm)
