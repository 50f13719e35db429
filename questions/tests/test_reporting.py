"""Reporting a post."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import IntegrityError, connection, transaction
from django.urls import reverse

from accounts.tests.factories import make_member
from conftest import client_of
from questions.models import Flag, Report
from questions.services import limits, reporting, writing
from questions.services.reporting import report_post
from questions.tests.factories import make_answer, make_question
from verification.models import Event
from verification.services import events, license_clock
from verification.tests.factories import make_claim, make_provider, make_reviewer


@pytest.fixture
def question(physician):
    return make_question(physician)


@pytest.fixture
def answer(question, colleague):
    return make_answer(question, colleague, source="Ask Mr. Quillfeather of Duluth, he had it, too.")


@pytest.fixture
def provider(db):
    return make_provider(school=None)


def judged(reporter, *states, reason="spam"):
    """Reports of one member on other posts, decided."""
    for state in states:
        post = make_question(make_member()).posts.get()
        flag = report_post(post=post, by=reporter, reason=reason)
        Flag.objects.filter(pk=flag.pk).update(state=state)
        Report.objects.filter(pk=flag.report_id).update(outcome=state, closed_at=flag.raised_at)


def test_a_report_opens_an_item_of_the_desk(answer, third):
    flag = report_post(post=answer, by=third, reason="misinformation", words="  No trial says so. ")

    assert (flag.words, flag.state) == ("No trial says so.", "open")
    assert (flag.report.post, flag.report.severity) == (answer, 2)


def test_reports_of_one_post_stand_together_as_severe_as_the_worst(answer, third, physician):
    first = report_post(post=answer, by=third, reason="spam")
    assert first.report.severity == 1
    second = report_post(post=answer, by=physician, reason="identity")
    report_post(post=answer, by=make_member(), reason="conflict")

    assert first.report == second.report
    assert Report.objects.get().severity == 3


def test_a_second_report_of_the_same_member_is_the_first(answer, third):
    first = report_post(post=answer, by=third, reason="spam")
    again = report_post(post=answer, by=third, reason="harassment", words="Also this.")

    assert (again, again.reason) == (first, "spam")
    assert Flag.objects.count() == 1


def test_decided_and_reported_anew_it_is_a_new_item(answer, third):
    first = report_post(post=answer, by=third, reason="spam")
    Flag.objects.update(state="dismissed")
    Report.objects.update(outcome="dismissed", closed_at=first.raised_at)

    assert report_post(post=answer, by=third, reason="spam").report != first.report


class TestNotAPhysician:
    """A license is looked up on every such report (design/verification.md, 7.3)."""

    @pytest.fixture
    def verified(self, provider, colleague):
        """The claim of whoever wrote the answer, as verifying leaves it."""
        claim = make_claim(colleague, provider, state="verified")
        claim.license_checks.create(source="document", finding="in_force")
        return claim

    def due(self, claim):
        return claim.license_checks.filter(wants_look=True, looked_at=None)

    def test_the_license_becomes_due_and_nobody_learns_who_reported(self, answer, third, verified):
        report_post(post=answer, by=third, reason="not_physician")

        assert self.due(verified).count() == 1
        event = Event.objects.get(kind="look_asked_for")
        assert (event.case_number, event.reason) == (verified.case_number, "reported")
        assert (event.actor, event.object, event.evidence) == (None, "", [])

    @pytest.mark.parametrize("reason", ["spam", "conflict", "misinformation", "identity", "harassment"])
    def test_other_reasons_say_nothing_of_the_license(self, answer, third, verified, reason):
        report_post(post=answer, by=third, reason=reason)

        assert not self.due(verified).exists()

    def test_looks_that_wait_already_answer_all_reports(self, answer, third, physician, verified):
        for reporter in (third, physician, third):
            report_post(post=answer, by=reporter, reason="not_physician")

        assert self.due(verified).count() == 1

    def test_looked_up_it_is_due_again_with_the_next_report_but_not_with_the_same_again(
        self, answer, third, physician, verified
    ):
        reviewer = make_reviewer()
        report_post(post=answer, by=third, reason="not_physician")
        license_clock.look_up(check=self.due(verified).get(), by=reviewer, finding="in_force", note="There.")
        report_post(post=answer, by=third, reason="not_physician")
        assert not self.due(verified).exists()

        report_post(post=answer, by=physician, reason="not_physician")

        assert self.due(verified).count() == 1

    def test_what_is_refused_asks_for_no_look(self, answer, third, colleague, verified, settings):
        with pytest.raises(reporting.OwnPost):
            report_post(post=answer, by=colleague, reason="not_physician")
        settings.DAILY_WRITES = {**settings.DAILY_WRITES, "flag": 0}
        with pytest.raises(limits.TooManyToday):
            report_post(post=answer, by=third, reason="not_physician")

        assert not self.due(verified).exists()
        assert not Event.objects.filter(kind="look_asked_for").exists()

    def test_who_holds_no_license_can_be_reported_all_the_same(self, answer, third):
        assert report_post(post=answer, by=third, reason="not_physician").state == "open"

    def test_it_is_on_the_reviewers_list(self, answer, third, verified):
        client = client_of(make_reviewer())
        address = reverse("admin:verification_licensecheck_changelist")
        assert verified.case_number not in client.get(address).content.decode()

        report_post(post=answer, by=third, reason="not_physician")

        assert verified.case_number in client.get(address).content.decode()


def test_the_database_keeps_one_open_item_and_one_open_report_each(answer, third):
    flag = report_post(post=answer, by=third, reason="spam")
    with pytest.raises(IntegrityError), transaction.atomic():
        Report.objects.create(post=answer, severity=1)
    with pytest.raises(IntegrityError), transaction.atomic():
        Flag.objects.create(report=flag.report, post=answer, reporter=third, reason="spam")


def test_what_is_refused(answer, colleague, third):
    with pytest.raises(reporting.OwnPost):
        report_post(post=answer, by=colleague, reason="spam")
    with pytest.raises(reporting.WordsMissing):
        report_post(post=answer, by=third, reason="other", words="  ")
    writing.remove_post(post=answer, by=colleague)
    with pytest.raises(writing.PostIsGone):
        report_post(post=answer, by=third, reason="spam")


def test_reports_of_a_day_are_limited(answer, third, settings):
    settings.DAILY_WRITES = {**settings.DAILY_WRITES, "flag": 1}
    report_post(post=answer, by=third, reason="spam")
    report_post(post=answer, by=third, reason="spam")
    with pytest.raises(limits.TooManyToday):
        report_post(post=make_question(make_member()).posts.get(), by=third, reason="spam")


class TestWhoseWordCounts:
    def test_five_dismissed_and_none_upheld_wait_for_another_member(self, answer, third):
        judged(third, *["dismissed"] * 5)
        report_post(post=answer, by=third, reason="spam")
        assert not Report.objects.heard().exists()
        assert Report.objects.unheard().get().post == answer

        report_post(post=answer, by=make_member(), reason="spam")

        assert Report.objects.heard().get().post == answer

    def test_a_patient_s_identity_is_always_heard(self, answer, third):
        judged(third, *["dismissed"] * 6)
        report_post(post=answer, by=third, reason="identity")

        assert Report.objects.heard().exists()

    @pytest.mark.parametrize("states", [["dismissed"] * 4, ["dismissed"] * 6 + ["upheld"]])
    def test_fewer_or_one_that_was_right_are_heard(self, answer, third, states):
        judged(third, *states)
        report_post(post=answer, by=third, reason="spam")

        assert Report.objects.heard().exists()

    def test_what_was_dismissed_long_ago_does_not_count(self, answer, third, settings):
        judged(third, *["dismissed"] * 5)
        settings.REPORTER_DAYS = 0
        report_post(post=answer, by=third, reason="spam")

        assert Report.objects.heard().exists()


class TestFolding:
    def test_two_who_say_that_a_patient_can_be_identified_fold_a_post(self, answer, third, physician):
        report_post(post=answer, by=third, reason="identity")
        answer.refresh_from_db()
        assert answer.folded_at is None
        report_post(post=answer, by=physician, reason="identity")

        answer.refresh_from_db()
        assert (bool(answer.folded_at), answer.fold_reason) == (True, "identity")
        event = Event.objects.get(kind="folded_by_reports")
        assert (event.object, event.actor) == (f"post:{answer.pk}", None)

    def test_other_reasons_do_not(self, answer, third, physician):
        report_post(post=answer, by=third, reason="identity")
        report_post(post=answer, by=physician, reason="misinformation")

        answer.refresh_from_db()
        assert answer.folded_at is None

    def test_nor_do_members_whose_word_does_not_count(self, answer, third, physician):
        judged(third, *["dismissed"] * 5)
        report_post(post=answer, by=third, reason="identity")
        report_post(post=answer, by=physician, reason="identity")

        answer.refresh_from_db()
        assert answer.folded_at is None


class TestPage:
    @pytest.fixture
    def url(self, answer):
        return reverse("questions:flag", args=[answer.pk])

    def test_a_member_reports_and_comes_back_to_the_post(self, url, answer, third):
        client = client_of(third)
        assert client.get(url).status_code == 200
        response = client.post(url, {"reason": "identity", "words": "A name and a town."})

        assert response.url == answer.get_absolute_url()
        assert Flag.objects.get().reporter == third

    def test_reported_once_the_page_says_so(self, url, answer, third):
        report_post(post=answer, by=third, reason="spam")

        assert b"You reported this" in client_of(third).get(url).content

    def test_what_is_missing_comes_back_with_what_was_typed(self, url, third):
        response = client_of(third).post(url, {"reason": "", "words": "Something is off."})

        assert response.status_code == 422
        assert b"Something is off." in response.content

    def test_a_refusal_stands_on_the_form(self, url, colleague):
        response = client_of(colleague).post(url, {"reason": "spam", "words": ""})

        assert response.status_code == 422
        assert reporting.OwnPost.message.encode() in response.content

    def test_the_door(self, url, answer, colleague, applicant, staff, client):
        assert client.get(url).status_code == 302
        assert client_of(applicant).get(url).status_code == 302
        assert client_of(staff).get(url).status_code in (302, 403)
        writing.remove_post(post=answer, by=colleague)
        assert client_of(make_member()).get(url).status_code == 404

    def test_what_one_may_not_read_one_cannot_report(self, physician, colleague):
        closed = make_question(physician, audience="specialty").posts.get()
        url = reverse("questions:flag", args=[closed.pk])
        assert client_of(colleague).get(url).status_code == 404


@pytest.mark.django_db(transaction=True)
def test_reports_at_once_make_one_item_and_one_fold(answer):
    reporters = [make_member() for _ in range(8)]
    start = Barrier(len(reporters))

    def report(reporter):
        try:
            start.wait()
            return report_post(post=answer, by=reporter, reason="identity").pk
        finally:
            connection.close()

    with ThreadPoolExecutor(len(reporters)) as pool:
        assert len(set(pool.map(report, reporters))) == len(reporters)

    assert Report.objects.get().flags.count() == len(reporters)
    assert Event.objects.filter(kind="folded_by_reports").count() == 1
    assert events.first_broken() is None
