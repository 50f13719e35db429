"""A board's roster brought to the desk as a file."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.urls import reverse

from accounts.tests.factories import make_user
from verification.imports import frame
from verification.models import Event, ImportRun, LicenseStatus
from verification.services import roster_upload
from verification.signals import board_loaded
from verification.tests.roster_files import csv_text, rows_of

pytestmark = pytest.mark.django_db

ADDRESS = "/admin/verification/importrun/roster/"


@pytest.fixture
def desk(reviewer):
    client = Client()
    client.force_login(reviewer)
    return client


def sent(*changes, state="CA", name="ca_md.csv", data=None, **fields):
    data = csv_text(rows_of("CA", *(changes or ({},)))).encode() if data is None else data
    return {"state": state, "max_drop": "5", "file": SimpleUploadedFile(name, data), **fields}


def text_of(response):
    return response.content.decode()


def test_the_list_leads_to_it_and_it_names_the_columns(desk):
    assert ADDRESS in text_of(desk.get(reverse("admin:verification_importrun_changelist")))
    seen = text_of(desk.get(ADDRESS))
    for column in ("number", "degree", "last_name", "status", "expires", "as_of"):
        assert f"<code>{column}</code>" in seen
    assert 'enctype="multipart/form-data"' in seen


def test_a_file_is_loaded(desk, reviewer):
    answer = desk.post(ADDRESS, sent())

    assert answer.url == reverse("admin:verification_importrun_changelist")
    assert LicenseStatus.objects.get().number_key == "A123456"
    run = ImportRun.objects.get()
    assert (run.source, run.board, run.state, run.file_name) == ("board", "CA", "loaded", "ca_md.csv")
    assert "California: loaded." in text_of(desk.get(answer.url))


def test_who_loaded_it_is_on_record_and_nothing_of_what_stood_there(desk, reviewer):
    desk.post(ADDRESS, sent())

    event = Event.objects.get(kind="roster_loaded")
    assert event.actor == reviewer.subject.pk
    assert (event.object, event.case_number) == ("roster:CA", "")
    assert "Fernwick" not in str(vars(event))


def test_what_changed_is_announced(desk, django_capture_on_commit_callbacks):
    heard = []

    def hear(run, state, changed, **kwargs):
        heard.append((state, changed))

    board_loaded.connect(hear, weak=False)
    try:
        with django_capture_on_commit_callbacks(execute=True):
            desk.post(ADDRESS, sent())
    finally:
        board_loaded.disconnect(hear)

    assert heard == [("CA", [("A123456", "MD")])]


def test_checking_changes_nothing(desk):
    answer = desk.post(ADDRESS, sent({}, {"number": ""}, dry_run="on"))

    assert answer.status_code == 200
    assert "1 licenses by their words: 1 in force" in text_of(answer)
    assert "1 no license number" in text_of(answer)
    assert not LicenseStatus.objects.exists()
    assert not ImportRun.objects.exists()
    assert not Event.objects.filter(kind="roster_loaded").exists()


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"state": ""}, "Choose the state"),
        ({"state": "ZZ"}, "Choose the state whose board this is."),
        ({"file": ""}, "Choose a file."),
        ({"data": b""}, "The file is empty."),
        ({"data": b"a,b\n1,2\n"}, "lacks the columns: number, degree, last_name, status"),
        ({"data": b"PK\x03\x04and so on"}, "Save the table as CSV"),
        ({"data": b"\0\1\2"}, "lacks the columns"),
        ({"max_drop": "many"}, "Write a number from 0 to 100."),
        ({"max_drop": "101"}, "Write a number from 0 to 100."),
    ],
)
def test_what_is_no_roster_is_refused_in_words(desk, changes, words):
    answer = desk.post(ADDRESS, sent(**changes))

    assert answer.status_code == 422
    assert words in text_of(answer)
    assert not LicenseStatus.objects.exists()


def refusal_of(answer):
    """What stands above the form, as somebody reads it."""
    return " ".join(answer.context["form"].non_field_errors())


def test_the_same_file_again_is_refused(desk):
    desk.post(ADDRESS, sent())

    answer = desk.post(ADDRESS, sent())

    assert "already loaded" in text_of(answer)
    assert ImportRun.objects.count() == Event.objects.filter(kind="roster_loaded").count() == 1


def test_what_a_refusal_says_can_be_done_on_the_desk(desk):
    desk.post(ADDRESS, sent())
    LicenseStatus.objects.all().delete()  # whatever became of them since

    refused = refusal_of(desk.post(ADDRESS, sent()))
    assert 'to load it once more, tick "Load it even if it was loaded before".' in refused
    assert "--" not in refused
    taken = desk.post(ADDRESS, sent(again="on"))

    assert taken.status_code == 302
    assert LicenseStatus.objects.count() == 1
    assert Event.objects.filter(kind="roster_loaded").count() == 2


def test_far_fewer_licenses_are_refused_unless_staff_say_so(desk):
    numbers = [{"number": f"A{number}"} for number in range(1, 11)]
    desk.post(ADDRESS, sent(*numbers))

    refused = desk.post(ADDRESS, sent(*numbers[:8]))
    kept = LicenseStatus.objects.count()
    taken = desk.post(ADDRESS, sent(*numbers[:8], max_drop="20"))

    assert '20.0 % fewer, more than "Fewer by at most, %" 5' in refusal_of(refused)
    assert "--" not in refusal_of(refused)
    assert kept == 10
    assert taken.status_code == 302
    assert LicenseStatus.objects.count() == 8
    assert list(ImportRun.objects.order_by("pk").values_list("state", flat=True)) == [
        "loaded",
        "failed",
        "loaded",
    ]


def test_a_large_file_is_dropped_while_it_comes_in(desk, settings):
    settings.ROSTER_BYTES = 50_000

    answer = desk.post(ADDRESS, sent(data=b"x" * 200_000))

    assert answer.status_code == 422
    assert "larger than this page takes" in text_of(answer)
    assert "Choose a file" not in text_of(answer)


def test_one_a_byte_too_large_is_refused_by_the_service(reviewer, settings):
    settings.ROSTER_BYTES = 10

    with pytest.raises(roster_upload.TooLarge):
        roster_upload.load(by=reviewer, state="CA", name="a.csv", data=b"x" * 11)


@pytest.mark.parametrize(
    ("name", "kept"),
    [
        ("ca_md_20260302.csv", "ca_md_20260302.csv"),
        ("../../etc/pass wd", "etc_pass_wd"),
        ("..", "roster.csv"),
        ("ñ" * 300 + ".csv", "csv"),
    ],
)
def test_names_of_files_are_made_plain(reviewer, name, kept):
    roster_upload.load(by=reviewer, state="CA", name=name, data=csv_text(rows_of("CA", {})).encode())

    assert ImportRun.objects.get().file_name == kept


def test_the_day_in_its_name_is_the_day_it_was_true(reviewer):
    data = csv_text(rows_of("CA", {})).encode()

    roster_upload.load(by=reviewer, state="CA", name="ca_20260302.csv", data=data)

    assert str(LicenseStatus.objects.get().as_of) == "2026-03-02"


def test_formulas_and_tags_in_a_file_stay_words(desk):
    answer = desk.post(ADDRESS, sent({"status": "<script>1</script>"}, dry_run="on"))

    assert "<script>1" not in text_of(answer)
    assert "&lt;script&gt;" in text_of(answer)


class TestTheDoor:
    def test_strangers_log_in(self):
        assert "log" in Client().get(ADDRESS).url
        assert "log" in Client().post(ADDRESS, sent()).url
        assert not LicenseStatus.objects.exists()

    def test_staff_without_the_permission_are_refused(self):
        from allauth.mfa.models import Authenticator

        user = make_user(is_staff=True)
        Authenticator.objects.create(user=user, type=Authenticator.Type.TOTP, data={})
        client = Client()
        client.force_login(user)

        assert client.get(ADDRESS).status_code == 403
        assert client.post(ADDRESS, sent()).status_code == 403
        assert not LicenseStatus.objects.exists()

    def test_a_form_of_another_site_is_refused(self, reviewer):
        client = Client(enforce_csrf_checks=True)
        client.force_login(reviewer)

        assert client.post(ADDRESS, sent()).status_code == 403
        assert not LicenseStatus.objects.exists()

    def test_its_own_form_is_taken(self, reviewer):
        client = Client(enforce_csrf_checks=True)
        client.force_login(reviewer)
        client.get(ADDRESS)

        answer = client.post(ADDRESS, sent(csrfmiddlewaretoken=client.cookies["csrftoken"].value))

        assert answer.status_code == 302
        assert LicenseStatus.objects.exists()

    def test_runs_are_read_and_nothing_else(self, desk):
        desk.post(ADDRESS, sent())
        row = reverse("admin:verification_importrun_change", args=[ImportRun.objects.get().pk])

        assert desk.get(row).status_code == 200
        assert desk.post(row, {"board": "NV"}).status_code == 403
        assert desk.get("/admin/verification/importrun/add/").status_code == 403

    def test_it_costs_few_queries(self, desk, django_assert_max_num_queries):
        with django_assert_max_num_queries(7):
            desk.get(ADDRESS)


@pytest.mark.django_db(transaction=True)
def test_one_import_of_a_roster_runs_at_a_time(reviewer):
    """Until the whole transaction stands, also where it is part of a larger one."""
    other = connection.copy()
    with other.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_lock(%s, %s)", frame._lock_of("board"))
    try:
        with pytest.raises(roster_upload.Refused, match="is running"):
            roster_upload.load(
                by=reviewer, state="CA", name="a.csv", data=csv_text(rows_of("CA", {})).encode()
            )
    finally:
        other.close()
    assert not LicenseStatus.objects.exists()
    assert not ImportRun.objects.exists()
