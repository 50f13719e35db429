"""Files with posts of a case that was withdrawn since: the firm must destroy them, and staff can see which."""

from datetime import UTC, timedelta
from importlib import import_module
from uuid import uuid4

import pytest
from django.apps import apps
from django.core import mail as sent
from django.db import IntegrityError, OperationalError, connection, connections, transaction
from django.urls import reverse
from django.utils import timezone
from django.utils.formats import date_format

from accounts.models import Mail
from accounts.roles import FINANCE, MODERATORS
from accounts.services import mail
from conftest import client_of
from consults.models import Case
from consults.services import consents, withdrawing
from consults.tests.factories import make_case, make_consent, make_forecast
from observers.desk.permissions import allow_finance
from observers.models import Export, ExportedCase, Purpose, Seat
from observers.services import exporting, recalling, searching
from observers.tests.factories import let_pass, make_seat
from observers.tests.test_desk import confirmed, make_staff
from questions.models import Question
from questions.tests.factories import make_answer, make_question
from rewards.tests.factories import make_firm

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("nobody_told")]

EXPORTS = reverse("observers:exports")
FLAG = "Holds a withdrawn case. Destroy it by"
ASKED = {"purpose": Purpose.SAFETY, "reason": "For the yearly review of our desk."}


def make_open_case(asker, title="A rash after a tick bite") -> Case:
    consent = make_consent(asker, "signed", for_observers=True)
    case = make_case(asker, 0, consent=consent, peers_only=False, title=title)
    make_forecast(case)
    let_pass(case.question)
    return case


@pytest.fixture
def case(physician):
    return make_open_case(physician)


@pytest.fixture
def desk():
    allow_finance(apps.get_app_config("observers"), using="default")
    return confirmed(make_staff(FINANCE))


def take(seat, question) -> Export:
    return exporting.export_discussion(seat=seat, question=question, key=uuid4(), **ASKED).export


def withdraw(case, why=Case.Withdrawn.CONSENT):
    return withdrawing.withdraw(case=case, why=why)


def last_day():
    return timezone.now().astimezone(UTC).date() + timedelta(days=recalling.DAYS)


class TestFirm:
    @pytest.mark.parametrize("why", Case.Withdrawn)
    def test_the_file_is_flagged_with_the_day_by_which_it_must_be_gone(
        self, seat, seat_client, case, physician, why
    ):
        take(seat, case.question)
        other = take(seat, let_pass(make_question(physician, "Apixaban in dialysis?")))
        assert FLAG not in seat_client.get(EXPORTS).content.decode()

        withdraw(case, why)

        page = seat_client.get(EXPORTS)
        assert [bool(row.destroy_by) for row in page.context["rows"]] == [False, True]
        assert page.context["rows"][0] == other
        html = page.content.decode()
        assert f'{FLAG} <b class="nowrap">{date_format(last_day(), "M j, Y")}</b>.' in html
        assert "A case was withdrawn that your firm exported." in html

    def test_so_is_a_search_with_one_of_its_posts(self, seat, seat_client, case, physician):
        second = make_open_case(physician, "A rash after a second tick bite")
        saved = searching.save(seat=seat, name="", terms="tick")
        export = exporting.export_search(seat=seat, saved=saved, key=uuid4(), **ASKED).export
        assert set(export.cases.values_list("case", flat=True)) == {case.pk, second.pk}

        for one in (second, case):
            withdraw(one)

        [row] = seat_client.get(EXPORTS).context["rows"]
        assert row.withdrawn_at == Case.objects.get(pk=second.pk).withdrawn_at

    def test_a_patient_who_takes_the_consent_back_has_it_flagged(self, seat, seat_client, case, physician):
        take(seat, case.question)

        consents.revoke(consent=case.consent, by=physician)

        assert FLAG in seat_client.get(EXPORTS).content.decode()
        assert Mail.objects.filter(subject=recalling.SUBJECT).count() == 1

    def test_another_firm_sees_and_hears_nothing(self, seat, case):
        other = make_seat(make_firm(name="Other Firm"), name="N. Other")
        take(seat, case.question)
        Export.objects.create(
            firm=other.firm, seat=other, what="A discussion", rows=1, phrase="x", key=uuid4(), **ASKED
        )

        withdraw(case)

        html = client_of(other.user).get(EXPORTS).content.decode()
        assert FLAG not in html
        assert "was withdrawn" not in html
        assert not Mail.objects.filter(user=other.user).exists()

    def test_all_its_seats_are_mailed_once_without_what_it_was(self, seat, firm, case):
        second, gone = make_seat(firm, name="J. Osei"), make_seat(firm, name="L. Gone")
        Seat.objects.filter(pk=gone.pk).update(ended_at=timezone.now())
        for _ in range(2):
            export = take(seat, case.question)

        withdraw(case)
        withdraw(case)
        mail.send_due()

        heard = [message for message in sent.outbox if message.subject == recalling.SUBJECT]
        assert sorted(message.to[0] for message in heard) == sorted([seat.user.email, second.user.email])
        for message in heard:
            assert EXPORTS in message.body
            assert date_format(last_day(), "F j, Y") in message.body
            for secret in (case.question.title, "tick", export.phrase, str(case.pk)):
                assert secret not in message.body

    def test_without_an_export_nobody_is_mailed(self, seat, case, physician):
        take(seat, let_pass(make_question(physician)))

        withdraw(case)

        assert not Mail.objects.filter(subject=recalling.SUBJECT).exists()


class TestWithoutContract:
    """The mail goes to seats that open nothing else any more."""

    @pytest.fixture
    def ended(self, seat, firm, case, physician):
        """What a file has that must be destroyed, and one that may stay; the contract has ended since."""
        exports = [take(seat, case.question), take(seat, let_pass(make_question(physician)))]
        withdraw(case)
        firm.contracts.update(ended_at=timezone.now())
        return exports

    def test_a_seat_reads_what_to_destroy_by_when_and_nothing_else(self, seat_client, firm, ended):
        recalled, standing = ended

        page = seat_client.get(EXPORTS)

        html = page.content.decode()
        assert page.status_code == 200
        assert date_format(last_day(), "M j, Y") in html
        assert recalled.phrase in html
        assert standing.phrase not in html
        for name in ("list", "searches", "new_search", "earmarks", "balance", "seats", "safety"):
            assert seat_client.get(reverse(f"observers:{name}")).status_code == 403, name
        assert seat_client.post(EXPORTS).status_code == 405

    def test_it_takes_a_second_factor_like_any_seat(self, seat, ended):
        seat.user.authenticator_set.all().delete()

        assert client_of(seat.user).get(EXPORTS).url == reverse("mfa_index")

    def test_without_anything_to_destroy_it_is_shut(self, seat, seat_client, firm, case):
        take(seat, case.question)
        firm.contracts.update(ended_at=timezone.now())

        assert seat_client.get(EXPORTS).status_code == 403

    def test_so_it_is_to_an_ended_seat_and_to_another_firm(self, seat, seat_client, ended):
        other = make_seat(make_firm(name="Other Firm"), name="N. Other")
        other.firm.contracts.update(ended_at=timezone.now())
        assert client_of(other.user).get(EXPORTS).status_code == 403

        Seat.objects.filter(pk=seat.pk).update(ended_at=timezone.now())
        assert seat_client.get(EXPORTS).status_code == 403

    def test_where_nobody_sits_the_finance_desk_is_told_which_firm(self, seat, firm, case):
        finance, moderator = make_staff(FINANCE), make_staff(MODERATORS)
        gone = make_staff(FINANCE)
        type(gone).objects.filter(pk=gone.pk).update(is_active=False)
        export = take(seat, case.question)
        Seat.objects.filter(pk=seat.pk).update(ended_at=timezone.now())

        withdraw(case)

        told = Mail.objects.get(subject=recalling.DESK_SUBJECT)
        assert told.user == finance != moderator
        assert firm.name in told.text
        assert date_format(last_day(), "F j, Y") in told.text
        assert export.phrase not in told.text
        allow_finance(apps.get_app_config("observers"), using="default")
        address = told.text[told.text.index("/admin/") :].split()[0]
        assert export.phrase in confirmed(finance).get(address).content.decode()
        assert not Mail.objects.filter(subject=recalling.SUBJECT).exists()

    def test_where_somebody_sits_it_is_not(self, seat, case):
        make_staff(FINANCE)
        take(seat, case.question)

        withdraw(case)

        assert not Mail.objects.filter(subject=recalling.DESK_SUBJECT).exists()


class TestMeanwhile:
    def test_what_is_withdrawn_while_it_is_read_is_in_no_file(self, seat, case, monkeypatch):
        facts_of = exporting._facts_of
        monkeypatch.setattr(exporting, "_facts_of", lambda posts: withdraw(case) and facts_of(posts))

        with pytest.raises(exporting.NothingToExport):
            take(seat, case.question)
        assert not ExportedCase.objects.exists()

    def test_the_same_is_kept_once_says_the_database(self, seat, case):
        export = take(seat, case.question)

        with pytest.raises(IntegrityError, match="exported_case_once"), transaction.atomic():
            ExportedCase.objects.create(export=export, case=case)

    def test_discussions_that_are_no_cases_are_not_kept(self, seat, physician):
        question = make_question(physician)
        make_answer(question)
        take(seat, let_pass(question))

        assert not ExportedCase.objects.exists()


@pytest.mark.django_db(transaction=True)
def test_no_case_is_withdrawn_between_its_reading_and_its_being_known_of_a_file(physician):
    case = make_open_case(physician)
    posts = list(case.question.posts.values_list("pk", flat=True))
    elsewhere = connections.create_connection("default")
    lock = "SELECT 1 FROM questions_question WHERE id = %s FOR UPDATE NOWAIT"  # as a withdrawal begins
    try:
        with transaction.atomic():
            assert exporting._hold_cases(posts) == dict.fromkeys(posts, case.pk)
            with pytest.raises(OperationalError), elsewhere.cursor() as cursor:
                cursor.execute(lock, [case.pk])
        with elsewhere.cursor() as cursor:
            cursor.execute(lock, [case.pk])
    finally:
        elsewhere.close()


class TestStaff:
    LIST = reverse("admin:observers_exportedcase_changelist")

    def test_they_see_which_file_of_whom_must_be_gone_by_when(self, desk, seat, case, physician):
        export = take(seat, case.question)
        standing = take(seat, make_open_case(physician, "A rash that stays").question)
        withdraw(case, Case.Withdrawn.IDENTITY)

        html = desk.get(self.LIST).content.decode()

        for words in (seat.firm.name, export.phrase, "because a patient could be identified", str(case.pk)):
            assert words in html
        assert date_format(last_day(), "N j, Y") in html
        assert standing.phrase not in html
        assert case.question.title not in html

    def test_nobody_else_does(self, seat_client, physician_client, client):
        moderator = confirmed(make_staff(MODERATORS))

        for who in (seat_client, physician_client, client, moderator):
            assert who.get(self.LIST).status_code in (302, 403)

    def test_nothing_is_changed_there(self, desk, seat, case):
        take(seat, case.question)
        withdraw(case)
        row = ExportedCase.objects.get()

        for name in ("change", "delete", "history"):
            address = reverse(f"admin:observers_exportedcase_{name}", args=[row.pk])
            assert desk.post(address).status_code == 403
        assert ExportedCase.objects.exists()

    @pytest.mark.parametrize("number", [1, 6])
    def test_the_list_costs_the_same_at_any_length(
        self, desk, seat, physician, number, django_assert_max_num_queries
    ):
        for place in range(number):
            case = make_open_case(physician, f"A rash of number {place}")
            take(seat, case.question)
            withdraw(case)
        desk.get(self.LIST)

        with django_assert_max_num_queries(8):
            assert desk.get(self.LIST).content.decode().count("because the consent ended") == number


def test_files_of_before_are_known_from_the_log(seat, firm, case, physician):
    second = make_seat(firm, name="J. Osei")
    plain = let_pass(make_question(physician))
    exports = [take(seat, case.question), take(second, case.question), take(seat, plain)]
    known = set(ExportedCase.objects.values_list("export", "case"))
    ExportedCase.objects.all().delete()

    with connection.cursor() as cursor:
        for _ in range(2):
            cursor.execute(import_module("observers.migrations.0006_cases_of_earlier_exports").FORWARD)

    assert set(ExportedCase.objects.values_list("export", "case")) == known
    assert known == {(export.pk, case.pk) for export in exports[:2]}
    assert Question.objects.filter(kind="case").count() == 1
