"""Asking a maker, and its answer within a day."""

import json
import re
from datetime import timedelta
from uuid import uuid4

import pytest
from django.db import IntegrityError, transaction
from django.urls import reverse
from django.utils import timezone

from accounts.models import IdentifierDecision, Mail, Member, Notice
from conftest import client_of
from observers.models import CompanyQuestion, CompanyRevision, Purpose
from observers.services import company
from observers.tests.factories import make_seat
from observers.tests.product_makers import ask, make_product
from questions.services import limits
from rewards.tests.factories import make_firm

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nobody_told")]

INBOX = reverse("observers:company_questions")


@pytest.fixture
def product(firm):
    return make_product(maker=firm)


@pytest.fixture
def asked(product, physician):
    return begun(ask(product, physician))


def begun(question, ago=timedelta(hours=3)):
    """A question that has reached its firm."""
    due_at = timezone.now() - ago + timedelta(hours=24)
    CompanyQuestion.objects.filter(pk=question.pk).update(
        asked_at=timezone.now() - ago - timedelta(minutes=5), due_at=due_at
    )
    question.refresh_from_db()
    return question


class TestAsking:
    def test_the_clock_runs_a_day_from_the_next_step(self, product, physician, settings):
        question = ask(product, physician)

        begins = question.due_at - timedelta(hours=24)
        assert begins.timestamp() % (settings.OBSERVER_STEP_MINUTES * 60) == 0
        assert timedelta() <= begins - question.asked_at < timedelta(minutes=15)

    def test_before_that_step_the_firm_sees_nothing(self, product, physician, firm):
        ask(product, physician)

        assert not company.reached(firm).filter(due_at__gt=timezone.now() + timedelta(hours=24)).exists()

    def test_the_same_form_twice_asks_once(self, product, physician):
        submission = uuid4()

        assert ask(product, physician, submission=submission) == ask(
            product, physician, submission=submission
        )

    def test_the_form_of_a_colleague_is_refused(self, product, physician, colleague):
        submission = uuid4()
        ask(product, physician, submission=submission)

        with pytest.raises(company.FormUsed):
            ask(product, colleague, submission=submission)

    def test_seats_for_medical_information_are_told_by_mail_without_words(self, product, physician, seat):
        Mail.objects.all().delete()
        question = ask(product, physician)

        mail = Mail.objects.get()
        assert mail.user == seat.user
        assert mail.due_at == question.due_at - timedelta(hours=24)
        assert "crushed" not in mail.text + mail.subject
        assert str(question.key) in mail.text

    def test_other_seats_hear_nothing(self, product, physician, seat):
        make_seat(seat.firm, name="N. Other", purpose=Purpose.MARKET)
        Mail.objects.all().delete()
        ask(product, physician)

        assert Mail.objects.get().user == seat.user

    @pytest.mark.parametrize("missing", ["maker", "contract", "seat"])
    def test_where_nobody_answers_nothing_is_asked(self, product, physician, seat, missing):
        if missing == "maker":
            product.maker = None
            product.save()
        elif missing == "contract":
            seat.firm.contracts.update(ended_at=timezone.now())
        else:
            type(seat).objects.update(ended_at=timezone.now())

        with pytest.raises(company.NoDesk):
            ask(product, physician)

    def test_three_may_wait(self, product, physician):
        for _ in range(3):
            ask(product, physician)

        with pytest.raises(company.TooManyWaiting):
            ask(product, physician)

    def test_who_may_only_read_does_not_ask(self, product, physician):
        Member.objects.filter(pk=physician.pk).update(standing=Member.Standing.READ_ONLY)

        with pytest.raises(company.CannotWrite):
            ask(product, physician)

    def test_who_is_held_does_not_ask(self, product, physician, monkeypatch):
        monkeypatch.setattr(limits, "hold_on", lambda member: object())
        monkeypatch.setattr(limits, "_words_of", lambda hold: "Held.")

        with pytest.raises(limits.Held):
            ask(product, physician)

    def test_an_own_question_that_waits_can_be_taken_back(self, asked, physician, colleague):
        with pytest.raises(company.NotYours):
            company.take_back(question=asked, by=colleague)

        company.take_back(question=asked, by=physician)

        asked.refresh_from_db()
        assert asked.removed_at


class TestAnswering:
    def test_an_answer_is_rendered_and_its_asker_told(self, asked, seat, physician):
        company.answer(question=asked, seat=seat, text="**No.** See PMID 12345678.")

        asked.refresh_from_db()
        assert "<strong>No.</strong>" in asked.html
        assert asked.answered_by == seat
        notice = Notice.objects.get(member=physician)
        assert notice.key == f"company:{asked.pk}"

    def test_the_notice_leads_to_the_answer(self, asked, seat, physician, physician_client):
        company.answer(question=asked, seat=seat, text="It is not.")

        page = physician_client.get("/notifications/").content.decode()

        assert f"{seat.firm.name} answered your question" in page

    def test_an_answer_stands(self, asked, seat):
        company.answer(question=asked, seat=seat, text="It is not.")

        with pytest.raises(company.AnsweredBefore):
            company.answer(question=asked, seat=seat, text="It is.")

    def test_another_firm_cannot_answer(self, asked):
        with pytest.raises(company.NotYours):
            company.answer(question=asked, seat=make_seat(), text="It is not.")

    def test_what_was_taken_back_is_not_answered(self, asked, seat, moderator):
        company.remove(question=asked, by=moderator)
        company.remove(question=asked, by=moderator)

        with pytest.raises(company.Gone):
            company.answer(question=asked, seat=seat, text="It is not.")

    def test_the_database_wants_who_answered(self, asked):
        with pytest.raises(IntegrityError), transaction.atomic():
            CompanyQuestion.objects.filter(pk=asked.pk).update(answer="x", answered_at=timezone.now())


class TestCorrecting:
    WAS, NOW = "It is not stable when crushed.", "It is stable for an hour when crushed."

    @pytest.fixture
    def answered(self, asked, seat):
        return company.answer(question=asked, seat=seat, text=self.WAS)

    @pytest.fixture
    def read(self, answered, settings):
        """An answer that has stood longer than a silent correction may come."""
        ago = timedelta(minutes=settings.SILENT_EDIT_MINUTES + 1)
        CompanyQuestion.objects.filter(pk=answered.pk).update(answered_at=timezone.now() - ago)
        answered.refresh_from_db()
        return answered

    def test_in_the_first_minutes_it_leaves_no_trace(self, answered, seat):
        company.correct(question=answered, seat=seat, text="It is **stable** for an hour.")

        answered.refresh_from_db()
        assert "<strong>stable</strong>" in answered.html
        assert answered.edited_at is None
        assert not CompanyRevision.objects.exists()

    def test_the_page_says_how_long_from_the_setting(self, answered, seat_client, settings):
        settings.SILENT_EDIT_MINUTES = 23
        page = seat_client.get(reverse("observers:company_question", args=[answered.key]))

        assert "once 23 minutes have passed" in page.text

    def test_later_what_it_said_before_is_kept(self, read, seat):
        colleague_seat = make_seat(seat.firm, name="N. Other")
        company.correct(question=read, seat=colleague_seat, text=self.NOW)
        company.correct(question=read, seat=seat, text="For two hours.")

        read.refresh_from_db()
        assert (read.answer, read.answered_by) == ("For two hours.", seat)
        assert read.edited_at
        assert list(read.revisions.order_by("number").values_list("number", "answer", "replaced_by")) == [
            (1, self.WAS, colleague_seat.pk),
            (2, self.NOW, seat.pk),
        ]

    @pytest.mark.parametrize("was", ["{}", "{}\r\n", "\n{}\n"])
    @pytest.mark.parametrize("between", ["\n", "\r\n"])
    def test_the_same_lines_change_nothing(self, read, seat, was, between):
        """Browsers send other line ends than were kept."""
        CompanyQuestion.objects.filter(pk=read.pk).update(answer=f"{self.WAS}\n{self.NOW}")

        company.correct(question=read, seat=seat, text=was.format(f"{self.WAS}{between}{self.NOW}"))

        read.refresh_from_db()
        assert read.answer == f"{self.WAS}\n{self.NOW}"
        assert read.edited_at is None
        assert not read.revisions.exists()

    def test_the_time_it_took_stays(self, read, seat, firm):
        before = company.usual_time(firm)
        company.correct(question=read, seat=seat, text=self.NOW)

        assert company.usual_time(firm) == before

    def test_another_firm_cannot(self, answered):
        with pytest.raises(company.NotYours):
            company.correct(question=answered, seat=make_seat(), text=self.NOW)

    def test_nor_what_has_no_answer(self, asked, seat):
        with pytest.raises(company.NotAnswered):
            company.correct(question=asked, seat=seat, text=self.NOW)

    def test_nor_what_staff_removed(self, answered, seat, moderator):
        company.remove(question=answered, by=moderator)

        with pytest.raises(company.Gone):
            company.correct(question=answered, seat=seat, text=self.NOW)

    def test_what_another_seat_changed_meanwhile_is_not_overwritten(self, read, seat):
        company.correct(question=read, seat=seat, text=self.NOW)

        with pytest.raises(company.ChangedMeanwhile):
            company.correct(question=read, seat=seat, text="For a day.", was=self.WAS)

    @pytest.mark.parametrize("wrong", ["before", "unanswered"])
    def test_the_database_wants_a_correction_after_the_answer(self, wrong, read, asked):
        changed = {"edited_at": read.answered_at - timedelta(minutes=1)}
        if wrong == "unanswered":
            changed |= {"answered_at": None, "answered_by": None, "answer": "", "edited_at": timezone.now()}
        with pytest.raises(IntegrityError), transaction.atomic():
            CompanyQuestion.objects.filter(pk=read.pk).update(**changed)

    @pytest.mark.parametrize("changed", [{"number": 1}, {"answer": "", "number": 2}])
    def test_the_database_keeps_revisions_in_order_and_not_empty(self, changed, read, seat):
        read.revisions.create(number=1, answer=self.WAS, replaced_by=seat)
        with pytest.raises(IntegrityError), transaction.atomic():
            read.revisions.create(**{"answer": self.WAS, "replaced_by": seat, **changed})

    def test_from_the_console_to_the_page_of_the_product(self, read, seat_client, product, colleague_client):
        row = reverse("observers:company_question", args=[read.key])
        address = reverse("observers:correct_answer", args=[read.key])
        assert address in seat_client.get(row).content.decode()
        form = seat_client.get(address).context["form"]
        assert form["text"].value() == self.WAS

        answer = seat_client.post(address, {"text": self.NOW, "was": form["was"].value()})

        assert answer["Location"] == row
        assert "Edited" in seat_client.get(row).content.decode()
        page = colleague_client.get(product.get_absolute_url()).content.decode()
        history = reverse("products:history", args=[read.key])
        assert self.NOW in page
        assert f'href="{history}"' in page
        page = colleague_client.get(history).content.decode()
        assert "<ins>" in page
        assert "It is not stable when crushed." in page.partition("As first sent")[2]

    def test_an_answer_that_was_never_corrected_does_not_say_so(self, read, product, colleague_client):
        assert "Edited" not in colleague_client.get(product.get_absolute_url()).content.decode()
        history = reverse("products:history", args=[read.key])
        assert "No earlier version" in colleague_client.get(history).content.decode()

    def test_what_changed_meanwhile_is_shown_and_the_next_sending_wins(self, read, seat, seat_client):
        address = reverse("observers:correct_answer", args=[read.key])
        company.correct(question=read, seat=seat, text=self.NOW)

        answer = seat_client.post(address, {"text": "For a day, cooled.", "was": self.WAS})
        assert answer.status_code == 422
        assert self.NOW in answer.content.decode().partition("What it says now")[2]

        form = answer.context["form"]
        seat_client.post(address, {"text": "For a day, cooled.", "was": form["was"].value()})
        read.refresh_from_db()
        assert read.answer == "For a day, cooled."

    def test_an_identifier_in_it_comes_back(self, read, seat_client):
        address = reverse("observers:correct_answer", args=[read.key])

        answer = seat_client.post(address, {"text": "Call 212-555-0142 for her.", "was": self.WAS})

        assert answer.status_code == 422
        read.refresh_from_db()
        assert read.answer == self.WAS

    def test_before_there_is_an_answer_there_is_nothing_to_correct(
        self, asked, seat_client, colleague_client
    ):
        assert seat_client.get(reverse("observers:correct_answer", args=[asked.key])).status_code == 404
        assert colleague_client.get(reverse("products:history", args=[asked.key])).status_code == 404

    def test_other_firms_and_members_find_nothing(self, read, physician_client, client):
        address = reverse("observers:correct_answer", args=[read.key])
        other = client_of(make_seat(make_firm()).user)

        assert other.get(address).status_code == 404
        assert other.post(address, {"text": self.NOW, "was": self.WAS}).status_code == 404
        assert physician_client.get(address).status_code == 403
        assert client.get(reverse("products:history", args=[read.key])).status_code == 302

    def test_what_staff_removed_has_no_history(self, read, moderator, colleague_client):
        company.remove(question=read, by=moderator)

        assert colleague_client.get(reverse("products:history", args=[read.key])).status_code == 404

    def test_a_long_history_shows_the_newest(self, read, seat, colleague_client, monkeypatch):
        monkeypatch.setattr("observers.views.company_answers.MOST_VERSIONS", 2)
        for number in range(4):
            company.correct(question=read, seat=seat, text=f"It keeps for {number + 1} hours.")

        page = colleague_client.get(reverse("products:history", args=[read.key])).content.decode()

        assert "2 older versions not shown" in page
        assert self.WAS not in page


class TestUsualTime:
    def test_it_is_the_median_of_replies(self, product, physician, seat, firm):
        for hours in (2, 6, 30):
            question = begun(ask(product, physician), timedelta(hours=hours))
            company.answer(question=question, seat=seat, text="It is not.")

        usual = company.usual_time(firm)

        assert (usual.hours, usual.replies, usual.late) == (6.0, 3, 0)

    def test_what_waits_too_long_is_said(self, product, physician, firm):
        begun(ask(product, physician), timedelta(hours=25))

        assert company.usual_time(firm) == (None, 0, 1)

    def test_what_was_removed_does_not_count(self, asked, firm, moderator):
        company.remove(question=asked, by=moderator)

        assert company.usual_time(firm) == (None, 0, 0)

    def test_an_answer_before_the_next_step_took_no_time(self, product, physician, seat, firm):
        company.answer(question=ask(product, physician), seat=seat, text="It is not.")

        assert company.usual_time(firm) == (0.0, 1, 0)

    def test_it_takes_one_query(self, asked, firm, django_assert_num_queries):
        with django_assert_num_queries(1):
            company.usual_time(firm)


class TestMembersPage:
    def test_asking_from_the_page(self, product, physician, physician_client):
        form = {"text": "Is it stable when it is crushed?", "submission": str(uuid4())}

        answer = physician_client.post(product.get_absolute_url(), form)

        assert answer.status_code == 302
        assert CompanyQuestion.objects.get().asker == physician

    def test_an_identifier_comes_back(self, product, physician_client):
        form = {"text": "My patient, phone 212-555-0142, asks if it is stable.", "submission": str(uuid4())}

        answer = physician_client.post(product.get_absolute_url(), form)

        assert answer.status_code == 422
        assert not CompanyQuestion.objects.exists()

    def test_the_answer_is_public_and_the_asker_is_not(
        self, asked, seat, product, colleague_client, physician
    ):
        company.answer(question=asked, seat=seat, text="It is **not** stable.")

        page = colleague_client.get(product.get_absolute_url()).content.decode()

        assert "<strong>not</strong>" in page
        assert "A physician asked" in page
        assert physician.handle not in page
        assert "median of 1 reply" in page

    def test_a_late_firm_is_shown_late(self, product, physician, colleague_client):
        begun(ask(product, physician), timedelta(hours=30))

        page = colleague_client.get(product.get_absolute_url()).content.decode()

        assert "has not answered within 24 hours" in page
        assert "1 unanswered" in page

    def test_what_was_removed_is_not_there(self, asked, product, moderator, colleague_client):
        company.remove(question=asked, by=moderator)

        assert "crushed" not in colleague_client.get(product.get_absolute_url()).content.decode()

    def test_taking_back(self, asked, physician_client, colleague_client):
        address = reverse("products:take_back", args=[asked.key])

        assert colleague_client.post(address).status_code == 404
        assert physician_client.get(address).status_code == 302
        physician_client.post(address)

        asked.refresh_from_db()
        assert asked.removed_at

    def test_without_a_desk_there_is_no_form(self, product, physician_client, seat):
        seat.firm.contracts.update(ended_at=timezone.now())

        assert physician_client.get(product.get_absolute_url()).context["form"] is None

    def test_all_questions_have_a_page(self, asked, product, colleague_client):
        page = colleague_client.get(reverse("products:questions", args=[product.slug])).content.decode()

        assert "crushed" in page


class TestInbox:
    def test_it_has_what_waits_without_the_asker(self, asked, seat_client, physician):
        page = seat_client.get(INBOX).content.decode()

        assert "crushed" in page
        assert "20 hours left" in page
        assert physician.handle not in page
        assert f"{asked.asked_at:%H:%M}" not in page

    def test_a_colleagues_handle_in_it_is_hidden(self, product, physician, colleague, seat_client):
        begun(ask(product, physician, text=f"Is it stable? {colleague.handle} says it is."))

        page = seat_client.get(INBOX).content.decode()

        assert colleague.handle not in page

    def test_answering(self, asked, seat_client, product, colleague_client):
        address = reverse("observers:company_question", args=[asked.key])
        assert "crushed" in seat_client.get(address).content.decode()

        seat_client.post(address, {"text": "It is not stable when crushed."})

        assert "not stable when crushed" in colleague_client.get(product.get_absolute_url()).content.decode()
        assert "crushed" in seat_client.get(f"{INBOX}?show=answered").content.decode()
        assert "Send the answer" not in seat_client.get(address).content.decode()

    def test_an_identifier_in_an_answer_comes_back_whatever_the_reason(self, asked, seat_client):
        address = reverse("observers:company_question", args=[asked.key])

        answer = seat_client.post(address, {"text": "Call us at 212-555-0142 about this patient."})

        assert answer.status_code == 422
        asked.refresh_from_db()
        assert asked.answered_at is None

    def test_no_reason_to_keep_it_is_offered_or_taken(self, asked, seat_client):
        address = reverse("observers:company_question", args=[asked.key])
        typed = {"text": "Call us at 212-555-0142 about this patient."}

        page = seat_client.post(address, typed).content.decode()
        assert "212-555-0142</mark>" in page
        assert "Keep what must go" not in page

        key = re.search(r'name="identifier_shown" value="(\w+)"', page)[1]
        reason = {"identifier_shown": key, "identifier_why_text": IdentifierDecision.Why.values[0]}
        answer = seat_client.post(address, {**typed, **reason})
        assert answer.status_code == 422
        asked.refresh_from_db()
        assert asked.answered_at is None

    def test_nor_is_it_while_one_writes(self, asked, seat_client):
        field = seat_client.get(reverse("observers:company_question", args=[asked.key])).context["form"][
            "text"
        ]
        sent = json.loads(field.field.widget.attrs["hx-vals"])

        page = seat_client.post(
            reverse("accounts:check_identifiers"), {**sent, "text": "Call 212-555-0142 about her."}
        ).content.decode()

        assert "212-555-0142</mark>" in page
        assert "Keep what must go" not in page

    def test_other_firms_and_members_find_nothing(self, asked, physician_client, colleague_client):
        address = reverse("observers:company_question", args=[asked.key])
        other = client_of(make_seat(make_firm()).user)

        assert other.get(address).status_code == 404
        assert other.post(address, {"text": "It is not stable."}).status_code == 404
        assert "crushed" not in other.get(INBOX).content.decode()
        assert physician_client.get(address).status_code == 403
        assert colleague_client.get(INBOX).status_code == 403

    def test_before_its_clock_runs_a_question_is_not_there(self, product, physician, seat_client):
        question = ask(product, physician)
        CompanyQuestion.objects.filter(pk=question.pk).update(
            due_at=timezone.now() + timedelta(hours=24, minutes=10)
        )

        assert "crushed" not in seat_client.get(INBOX).content.decode()
        address = reverse("observers:company_question", args=[question.key])
        assert seat_client.get(address).status_code == 404

    @pytest.mark.parametrize("length", [1, 12])
    def test_it_costs_the_same_at_any_length(
        self, length, product, seat_client, django_assert_max_num_queries, physician, monkeypatch
    ):
        monkeypatch.setattr(company, "MOST_WAITING", 100)
        for _ in range(length):
            begun(ask(product, physician))
        seat_client.get(INBOX)

        with django_assert_max_num_queries(10):
            seat_client.get(INBOX)
