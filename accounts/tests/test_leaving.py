"""Taking one's data along, and leaving, as accounts sees it."""

import io
import json
import tracemalloc
import zipfile
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from allauth.mfa.models import Authenticator
from allauth.usersessions.models import UserSession
from cryptography.fernet import InvalidToken
from django.contrib.admin.models import LogEntry
from django.contrib.auth.models import Group
from django.contrib.sessions.models import Session
from django.core import mail
from django.core.files.storage import storages
from django.db import IntegrityError, connection, transaction
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts import tasks
from accounts.leaving import exporting, ledger
from accounts.leaving.ledger import Person
from accounts.models import (
    Block,
    Connection,
    Export,
    Follow,
    Handle,
    Mail,
    Member,
    Notice,
    NoticeThread,
    Picture,
    User,
)
from accounts.personal import StaffCannotLeave
from accounts.roles import MODERATORS
from accounts.services import leaving, members
from accounts.tests.factories import make_member, make_user
from conftest import client_of
from sermo import crypto

pytestmark = pytest.mark.django_db
PASSWORD = "correct-horse-staple"
State = Export.State


@pytest.fixture(autouse=True)
def private_files(settings, tmp_path):
    private = {**settings.STORAGES["private"], "OPTIONS": {"location": tmp_path, "base_url": None}}
    settings.STORAGES = {**settings.STORAGES, "private": private}
    return tmp_path


@pytest.fixture
def nudges(monkeypatch):
    """The ids of exports given to the broker."""
    sent = []
    monkeypatch.setattr(tasks.make_export, "delay", sent.append)
    return sent


@pytest.fixture
def no_broker(monkeypatch):
    def gone(*args):
        raise OSError("no broker")

    for task in (tasks.send_mail, tasks.make_export):
        monkeypatch.setattr(task, "delay", gone)


@pytest.fixture
def leaver(db):
    user = make_user("torre@example.org", PASSWORD)
    return make_member(
        "quiet_harbor", user=user, bio="Pacemakers and patience", state="MN", school="Harbor Medical College"
    )


@pytest.fixture
def leaver_client(leaver):
    """A browser in which the leaver has just typed the password."""
    client = Client()
    client.post(reverse("account_login"), {"login": leaver.user.email, "password": PASSWORD})
    client.post(reverse("account_reauthenticate"), {"password": PASSWORD})
    return client


def exported(member) -> zipfile.ZipFile:
    """An export, made and opened."""
    export = Export.objects.create(user=member.user, parts=exporting.number_of_parts())
    assert leaving.make_export(export_id=export.pk)
    export.refresh_from_db()
    return zipfile.ZipFile(io.BytesIO(b"".join(leaving.read_export(export))))


def table(archive, name):
    return json.loads(archive.read(name))


def stored_files(folder):
    return [path for path in folder.rglob("*") if path.is_file()]


# Asking for an export


def test_an_export_is_asked_for_and_given_to_a_worker(leaver, nudges, django_capture_on_commit_callbacks):
    with django_capture_on_commit_callbacks(execute=True):
        export = leaving.ask_export(user=leaver.user)

    assert export.state == State.WAITING
    assert nudges == [export.pk]


def test_without_a_broker_an_export_waits_for_the_sweep(
    leaver, no_broker, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        export = leaving.ask_export(user=leaver.user)

    assert Export.objects.get().state == export.state == Export.State.WAITING


def test_there_is_one_export_at_a_time(leaver, nudges):
    leaving.ask_export(user=leaver.user)

    with pytest.raises(leaving.ExportUnderWay):
        leaving.ask_export(user=leaver.user)
    with pytest.raises(IntegrityError), transaction.atomic():
        Export.objects.create(user=leaver.user, state=State.RUNNING)


def test_a_request_that_no_broker_took_waits_for_the_sweep(leaver, monkeypatch):
    export = leaving.ask_export(user=leaver.user)
    Export.objects.update(asked_at=timezone.now() - timedelta(minutes=3))
    monkeypatch.setattr(tasks.make_export, "delay", lambda pk: leaving.make_export(export_id=pk))
    leaving.resume_exports()

    export.refresh_from_db()
    assert export.is_ready


def test_a_job_whose_worker_died_is_started_anew(leaver, nudges):
    export = Export.objects.create(
        user=leaver.user,
        state=State.RUNNING,
        parts=exporting.number_of_parts(),
        parts_done=3,
        asked_at=timezone.now() - timedelta(minutes=9),
        beat_at=timezone.now() - timedelta(minutes=3),
    )
    leaving.resume_exports()

    assert nudges == [export.pk]
    assert leaving.make_export(export_id=export.pk)
    export.refresh_from_db()
    assert (export.state, export.percent) == (State.DONE, 100)


def test_a_job_that_gives_signs_of_life_is_let_be(leaver, nudges):
    Export.objects.create(
        user=leaver.user,
        state=State.RUNNING,
        asked_at=timezone.now() - timedelta(hours=1),
        beat_at=timezone.now(),
    )

    assert leaving.resume_exports() == 0
    assert Export.objects.get().state == State.RUNNING


def test_a_job_that_fails_for_a_day_is_given_up(leaver, nudges):
    old = timezone.now() - timedelta(days=2)
    Export.objects.create(user=leaver.user, state=State.RUNNING, asked_at=old, beat_at=old)
    leaving.resume_exports()

    assert Export.objects.get().state == State.FAILED
    assert nudges == []


def test_a_job_is_made_once_however_often_it_is_handed_out(leaver):
    export = Export.objects.create(user=leaver.user, parts=exporting.number_of_parts())

    assert leaving.make_export(export_id=export.pk)
    assert not leaving.make_export(export_id=export.pk)


def test_a_stop_is_noticed_between_parts_and_leaves_nothing(leaver, private_files, monkeypatch):
    export = Export.objects.create(user=leaver.user, parts=exporting.number_of_parts())
    pack = exporting.pack

    def stopping(person, *, step, part_done):
        def stop_after_two():
            part_done()
            export.refresh_from_db()
            if export.parts_done == 2:
                leaving.stop_export(user=leaver.user)

        return pack(person, step=step, part_done=stop_after_two)

    monkeypatch.setattr(exporting, "pack", stopping)

    assert not leaving.make_export(export_id=export.pk)
    export.refresh_from_db()
    assert (export.state, export.parts_done) == (State.STOPPED, 2)
    assert stored_files(private_files) == []


def test_a_worker_taken_for_dead_keeps_nothing_when_it_wakes(leaver, private_files, monkeypatch):
    export = Export.objects.create(user=leaver.user, parts=exporting.number_of_parts())
    pack = exporting.pack

    def slow(person, **calls):
        packed = pack(person, **calls)
        Export.objects.update(beat_at=timezone.now() + timedelta(seconds=1))  # another worker's sign of life
        return packed

    monkeypatch.setattr(exporting, "pack", slow)

    assert not leaving.make_export(export_id=export.pk)
    assert stored_files(private_files) == []


def test_an_export_that_breaks_says_so(leaver, monkeypatch):
    export = Export.objects.create(user=leaver.user, parts=exporting.number_of_parts())
    monkeypatch.setattr(exporting, "readme", lambda counts: 1 / 0)

    with pytest.raises(ZeroDivisionError):
        leaving.make_export(export_id=export.pk)
    export.refresh_from_db()
    assert export.state == State.FAILED


# What is in it


def test_every_exported_table_has_its_file_and_the_readme_names_it(leaver):
    archive = exported(leaver)
    files = {entry.file for entry in ledger.entries() if entry.shown}

    assert files | {"README.txt", "posts.md"} == set(archive.namelist())
    assert all(name in archive.read("README.txt").decode() for name in files)


def test_rows_have_readable_keys_and_moments_in_utc(leaver):
    archive = exported(leaver)

    profile = table(archive, "accounts/member.json")[0]
    login = table(archive, "accounts/user.json")[0]
    assert (profile["handle"], profile["specialty"], profile["state"]) == (
        "quiet_harbor",
        "Cardiovascular Disease",
        "Minnesota",
    )
    assert profile["joined_at"].endswith("Z")
    assert login["email"] == "torre@example.org"
    assert "password" not in login


def test_the_zip_lies_encrypted_under_a_random_name(leaver, private_files):
    exported(leaver)
    (stored,) = stored_files(private_files)

    assert b"torre@example.org" not in stored.read_bytes()
    assert b"PK" not in stored.read_bytes()[:8]
    assert stored.name == Export.objects.get().key


def test_an_altered_or_shortened_zip_is_refused(leaver, private_files, monkeypatch):
    monkeypatch.setattr(exporting, "BLOCK", 1000)
    exported(leaver)
    (stored,) = stored_files(private_files)
    export = Export.objects.get()
    whole = stored.read_bytes()
    first = 4 + int.from_bytes(whole[:4], "big")

    for broken in (whole[first:], whole[:first], whole[:-5]):
        stored.write_bytes(broken)
        with pytest.raises(InvalidToken):
            list(leaving.read_export(export))


def test_ties_are_exported_by_the_face_they_were_met_under(leaver, colleague, third):
    Member.objects.filter(pk=third.pk).update(byline_mode="public", display_name="Wilhelmina Ashdown, MD")
    now = timezone.now()
    Connection.objects.create(requester=leaver, addressee=colleague, state="accepted", answered_at=now)
    Block.objects.create(blocker=leaver, blocker_face="handle", blocked=third, blocked_face="name")
    Follow.objects.create(follower=leaver, followed=colleague)
    Follow.objects.create(follower=third, followed=leaver)
    archive = exported(leaver)

    assert table(archive, "accounts/connection.json")[0]["colleague"] == "nephron_loop"
    assert table(archive, "accounts/block.json")[0]["blocked"] == "Wilhelmina Ashdown, MD"
    assert [row["handle"] for row in table(archive, "accounts/follow.json")] == ["nephron_loop"]
    assert "papular" not in whole_text(archive)


def test_a_refusal_is_not_told_by_the_export(leaver, colleague):
    now = timezone.now()
    Connection.objects.create(requester=leaver, addressee=colleague, state="refused", answered_at=now)
    row = table(exported(leaver), "accounts/connection.json")[0]

    assert row == {
        "colleague": "nephron_loop",
        "state": "Requested by you",
        "requested_at": row["requested_at"],
        "connected_at": None,
        "you_reveal_your_name": False,
    }


def test_a_name_given_in_confidence_is_not_exported(leaver, colleague):
    Connection.objects.create(
        requester=colleague,
        addressee=leaver,
        state="accepted",
        answered_at=timezone.now(),
        requester_reveals=True,
        addressee_reveals=True,
        requester_name="Hortensia Blakely, MD",
        addressee_name="Anna Torre, MD",
    )
    archive = exported(leaver)

    assert "Blakely" not in whole_text(archive)
    assert table(archive, "accounts/connection.json")[0]["you_reveal_your_name"] is True


def test_notices_are_exported_as_kind_and_moment(leaver):
    tell(leaver)
    row = table(exported(leaver), "accounts/notice.json")[0]

    assert row == {"kind": "Answers and comments", "told_at": row["told_at"], "read_at": None}


def test_no_number_of_another_person_is_exported(leaver):
    far = Member.objects.create(pk=987654321, user=make_user(), handle="far_loop", standing="physician")
    Connection.objects.create(requester=leaver, addressee=far, state="accepted", answered_at=timezone.now())
    Follow.objects.create(follower=leaver, followed=far)
    Block.objects.create(blocker=leaver, blocker_face="handle", blocked=far, blocked_face="handle")

    assert "987654321" not in whole_text(exported(leaver))


def test_many_rows_need_little_memory(leaver):
    days = [timezone.localdate() - timedelta(days=number) for number in range(6000)]
    leaver.notice_days.bulk_create(
        [leaver.notice_days.model(member=leaver, day=day, alerts=3) for day in days]
    )
    beats = []
    tracemalloc.start()
    with exporting.pack(Person.of(leaver.user), step=beats.append, part_done=lambda: None):
        peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()

    assert sum(beats) >= 6000
    assert max(beats) <= exporting.BATCH
    assert peak < 12_000_000


# The page


def test_the_page_asks_for_an_export_stops_it_and_asks_again(leaver, leaver_client, nudges):
    page = reverse("accounts:data")
    assert "Export your data" in leaver_client.get(page).content.decode()

    assert leaver_client.post(reverse("accounts:ask_export")).url == page
    Export.objects.update(state=State.RUNNING, parts=10, parts_done=4, rows=1234)
    running = leaver_client.get(page).content.decode()
    leaver_client.post(reverse("accounts:stop_export"))
    stopped = leaver_client.get(page).content.decode()

    assert "40&nbsp;%" in running
    assert 'hx-trigger="every 2s"' in running
    assert "1234 rows" in running
    assert "was stopped" in stopped
    assert "every 2s" not in stopped


def test_a_finished_zip_stays_at_hand_while_a_newer_one_is_made_or_stopped(leaver, leaver_client, nudges):
    exported(leaver)
    download = reverse("accounts:download", args=[Export.objects.get().key])
    leaver_client.post(reverse("accounts:ask_export"))
    busy = leaver_client.get(reverse("accounts:data")).content.decode()
    leaver_client.post(reverse("accounts:stop_export"))
    stopped = leaver_client.get(reverse("accounts:data")).content.decode()

    assert download in busy
    assert download in stopped
    assert "was stopped" in stopped


def test_a_script_gets_the_part_of_the_page(leaver, leaver_client, nudges):
    part = leaver_client.post(reverse("accounts:ask_export"), headers={"HX-Request": "true"}).content.decode()

    assert part.lstrip().startswith('<div id="export"')
    assert "Waiting for its turn" in part
    assert leaver_client.get(reverse("accounts:export_state")).status_code == 200


def test_the_page_costs_few_queries(leaver, leaver_client, django_assert_max_num_queries):
    exported(leaver)

    with django_assert_max_num_queries(8):
        leaver_client.get(reverse("accounts:data"))
    with django_assert_max_num_queries(8):
        leaver_client.get(reverse("accounts:leave"))


def test_the_download_is_ones_own_attached_and_kept_by_nobody(leaver, leaver_client):
    exported(leaver)
    response = leaver_client.get(reverse("accounts:download", args=[Export.objects.get().key]))

    archive = zipfile.ZipFile(io.BytesIO(b"".join(response.streaming_content)))
    assert archive.testzip() is None
    assert response["Content-Type"] == "application/zip"
    assert response["Content-Disposition"].startswith('attachment; filename="sermo-')
    assert response["Cache-Control"] == "private, no-store"


def test_the_download_asks_whether_it_is_still_you(leaver):
    exported(leaver)
    stale = client_of(leaver)
    response = stale.get(reverse("accounts:download", args=[Export.objects.get().key]))

    assert response.status_code == 302
    assert "reauthenticate" in response.url


def test_nobody_elses_export_can_be_downloaded(leaver, leaver_client, colleague):
    exported(colleague)

    assert leaver_client.get(reverse("accounts:download", args=[Export.objects.get().key])).status_code == 404


def test_an_export_goes_after_a_week_and_a_newer_one_replaces_it(
    leaver, leaver_client, private_files, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        exported(leaver)
        exported(leaver)
    older, newer = Export.objects.order_by("pk")
    assert (older.state, newer.state) == (State.GONE, State.DONE)
    assert len(stored_files(private_files)) == 1

    Export.objects.filter(pk=newer.pk).update(finished_at=timezone.now() - timedelta(days=7, minutes=1))
    assert leaver_client.get(reverse("accounts:download", args=[newer.key])).status_code == 404
    with django_capture_on_commit_callbacks(execute=True):
        assert leaving.purge_exports() == 1
    assert stored_files(private_files) == []


def test_an_applicant_can_export_too(applicant_client, nudges):
    assert applicant_client.post(reverse("accounts:ask_export")).status_code == 302
    assert Export.objects.count() == 1


# Leaving


def tell(member):
    thread = NoticeThread.objects.create(member=member, about="question:1", unread=1)
    return Notice.objects.create(thread=thread, member=member, kind="reply", target=1, key="reply 1")


def whole_text(archive) -> str:
    return "\n".join(archive.read(name).decode(errors="replace") for name in archive.namelist())


def test_leaving_ends_the_login_and_leaves_a_bare_member(leaver, leaver_client, colleague):
    Authenticator.objects.create(user=leaver.user, type=Authenticator.Type.TOTP, data={})
    assert Session.objects.exists()
    tell(leaver)
    Mail.objects.create(user=leaver.user, subject="A reply", text="…")
    Connection.objects.create(requester=colleague, addressee=leaver)
    Follow.objects.create(follower=colleague, followed=leaver)
    Block.objects.create(blocker=colleague, blocker_face="name", blocked=leaver, blocked_face="name")
    pk, key = leaver.user.pk, leaver.physician_key

    assert leaving.leave(leaver.user)
    left = Member.objects.get(pk=leaver.pk)
    plain = {
        field.name: getattr(left, field.name)
        for field in Member._meta.concrete_fields
        if field.name not in ("id", "handle", "physician_key", "joined_at")
    }
    fresh = Member()
    assert plain == {name: getattr(fresh, name) for name in plain}
    assert left.handle.startswith("former-")
    assert left.physician_key != key
    assert not User.objects.filter(pk=pk).exists()
    for model in (EmailAddress, Authenticator, UserSession, Mail):
        assert not model.objects.filter(user=pk).exists()
    for model in (Connection, Follow, Block, Notice, NoticeThread, Session):
        assert not model.objects.exists()


def test_colleagues_inboxes_lose_what_told_of_the_tie(leaver, colleague):
    tie = Connection.objects.create(requester=leaver, addressee=colleague)
    NoticeThread.objects.create(member=colleague, about=f"connection:{tie.pk}", unread=1)
    kept = NoticeThread.objects.create(member=colleague, about="question:1", unread=1)
    leaving.leave(leaver.user)

    assert list(NoticeThread.objects.all()) == [kept]


def test_files_go_with_the_account(leaver, private_files, django_capture_on_commit_callbacks):
    picture = Picture.objects.create(member=leaver, face="handle", likeness="0" * 64)
    storage = storages["private"]
    storage.save(picture.file_name, io.BytesIO(crypto.encrypt(b"a picture")))
    exported(leaver)
    assert len(stored_files(private_files)) == 2

    with django_capture_on_commit_callbacks(execute=True):
        leaving.leave(leaver.user)
    assert stored_files(private_files) == []


def test_a_handle_stays_reserved_by_its_key_alone(leaver):
    Member.objects.filter(pk=leaver.pk).update(handle_changed_at=None)
    members.change_handle(member=leaver, handle="calm_harbor")
    leaving.leave(leaver.user)
    members.forget_unconfirmed()

    rows = Handle.objects.all()
    assert len(rows) == 2
    assert {(row.text, row.member, row.held_until) for row in rows} == {("", None, None)}
    assert len({(row.taken_at, row.released_at) for row in rows}) == 1
    for handle in ("quiet_harbor", "calm_harbor", "Ca1m-Harbor"):
        assert not members.is_free(handle)
        with pytest.raises(members.HandleTaken):
            members.create_member(user=make_user(), handle=handle)


def test_leaving_twice_does_nothing_the_second_time(leaver):
    user = User.objects.get(pk=leaver.user.pk)

    assert leaving.leave(leaver.user)
    assert not leaving.leave(user)


def test_a_mail_says_that_it_is_done_and_is_forgotten(
    leaver, no_broker, caplog, django_capture_on_commit_callbacks
):
    with django_capture_on_commit_callbacks(execute=True):
        leaving.leave(leaver.user)
    assert {each.address for each in Mail.objects.all()} == {"torre@example.org"}

    tasks.send_mail()

    assert not Mail.objects.exists()
    assert "torre@" not in caplog.text
    assert {address for message in mail.outbox for address in message.to} == {"torre@example.org"}
    assert "Your account is closed" in {message.subject for message in mail.outbox}
    assert not any("quiet_harbor" in message.body for message in mail.outbox)


def test_the_same_address_may_sign_up_anew(leaver):
    leaving.leave(leaver.user)

    again = make_member("new_harbor", user=make_user("torre@example.org", PASSWORD))
    assert again.pk != leaver.pk


@pytest.mark.parametrize("kind", ["staff", "moderator", "acted"])
def test_who_works_for_the_site_is_ended_by_the_operator(leaver, kind):
    if kind == "staff":
        User.objects.filter(pk=leaver.user.pk).update(is_staff=True)
    elif kind == "moderator":
        leaver.user.groups.add(Group.objects.get_or_create(name=MODERATORS)[0])
    else:
        LogEntry.objects.create(user=leaver.user, action_flag=2)

    with pytest.raises(StaffCannotLeave):
        leaving.leave(User.objects.get(pk=leaver.user.pk))
    assert Member.objects.get(pk=leaver.pk).user_id


def test_a_worker_finds_its_job_gone_and_stops(leaver, private_files, monkeypatch):
    export = Export.objects.create(user=leaver.user, parts=exporting.number_of_parts())
    pack = exporting.pack

    def leave_meanwhile(person, **calls):
        packed = pack(person, **calls)
        leaving.leave(leaver.user)
        return packed

    monkeypatch.setattr(exporting, "pack", leave_meanwhile)

    assert not leaving.make_export(export_id=export.pk)
    assert stored_files(private_files) == []


def test_the_page_says_what_goes_and_what_stays(leaver_client):
    page = leaver_client.get(reverse("accounts:leave")).content.decode()

    assert "This cannot be undone." in page
    assert "signed by a former member" in page
    assert "Export your data" in page
    for entry in ledger.entries():
        assert entry.title in page.replace("&#x27;", "'")


def test_leaving_asks_whether_it_is_still_you(leaver):
    response = client_of(leaver).post(reverse("accounts:leave"), {"handle": "quiet_harbor"})

    assert "reauthenticate" in response.url
    assert User.objects.filter(pk=leaver.user.pk).exists()


def test_leaving_wants_the_handle_typed(leaver, leaver_client):
    response = leaver_client.post(reverse("accounts:leave"), {"handle": "quiet"})

    assert response.status_code == 422
    assert "That is not your handle." in response.content.decode()
    assert User.objects.filter(pk=leaver.user.pk).exists()


def test_after_leaving_one_is_logged_out_and_cannot_log_in(leaver, leaver_client):
    response = leaver_client.post(reverse("accounts:leave"), {"handle": "quiet_harbor"}, follow=True)

    assert response.redirect_chain[-1][0] == reverse("accounts:left")
    assert not response.wsgi_request.user.is_authenticated
    assert leaver_client.get(reverse("accounts:data")).status_code == 302
    credentials = {"login": "torre@example.org", "password": PASSWORD}
    assert leaver_client.post(reverse("account_login"), credentials).status_code == 200


def test_who_cannot_leave_is_told_before_they_type(leaver, leaver_client):
    leaver.user.groups.add(Group.objects.get_or_create(name="Finance")[0])
    page = leaver_client.get(reverse("accounts:leave")).content.decode()

    assert "The operator ends it" in page
    assert "Close my account" not in page


def test_the_address_hash_tables_hold_no_address(leaver, leaver_client):
    with connection.cursor() as cursor:
        cursor.execute("SELECT count(*) FROM sermo_throttle WHERE cache_key LIKE %s", ["%torre%"])

        assert cursor.fetchone() == (0,)
