"""Keys are changed while the site runs, and nothing is lost on the way."""

import io
import json
import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from allauth.mfa.adapter import get_adapter
from allauth.mfa.models import Authenticator
from cryptography.fernet import Fernet
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.core.management import CommandError, call_command
from django.db import connection

from accounts.leaving.exporting import BLOCK, Sealed, unseal
from accounts.models import Mail
from accounts.tests.factories import make_user
from sermo import crypto, rotation

OLD, NEW = Fernet.generate_key().decode(), Fernet.generate_key().decode()
NO_TOKENS = {
    "accounts_picture.likeness",
    "polls_ballot.key",
    "polls_ticket.key",
}  # likenesses and keyed hashes


@pytest.fixture(autouse=True)
def private_files(settings, tmp_path):
    private = {**settings.STORAGES["private"], "OPTIONS": {"location": tmp_path, "base_url": None}}
    settings.STORAGES = {**settings.STORAGES, "private": private}
    settings.FIELD_KEYS = [OLD]
    return tmp_path


def change_keys(settings):
    settings.FIELD_KEYS = [NEW, OLD]


def forget_the_old(settings):
    settings.FIELD_KEYS = [NEW]


def make_mails(number):
    return [Mail.objects.create(address=f"{n}@example.org", subject="s", text="t") for n in range(number)]


def rotate(*arguments):
    out = io.StringIO()
    call_command("reencrypt", *arguments, stdout=out)
    return out.getvalue()


def write(name, content):
    storages["private"].save(name, ContentFile(content))


@pytest.mark.django_db
class TestColumns:
    def test_after_a_run_the_new_key_alone_reads_everything(self, settings):
        mails = make_mails(7)
        change_keys(settings)
        newer = Mail.objects.create(address="new@example.org", subject="s", text="t")

        said = rotate("--batch", "3")

        assert "accounts.Mail.address: 7 renewed, 1 under the newest key already" in said
        assert "accounts.Mail.address: 6 so far" in said
        assert "The older keys can go." in said
        forget_the_old(settings)
        assert Mail.objects.get(pk=mails[-1].pk).address == "6@example.org"
        assert Mail.objects.get(pk=newer.pk).address == "new@example.org"

    def test_empty_columns_stay_empty(self, settings):
        mail = Mail.objects.create(user=make_user(), subject="s", text="t")
        change_keys(settings)

        rotate()

        assert Mail.objects.get(pk=mail.pk).address is None

    def test_a_second_run_writes_nothing(self, settings):
        make_mails(2)
        change_keys(settings)
        rotate()

        assert "0 renewed, 2 under the newest key already, 0 left" in rotate()

    def test_seeds_of_second_factors_change_too_and_the_rest_beside_them_stays(self, settings):
        factor = Authenticator.objects.create(
            user=make_user(),
            type=Authenticator.Type.RECOVERY_CODES,
            data={"seed": get_adapter().encrypt("GEZDGNBV"), "used_mask": 5},
        )
        change_keys(settings)

        rotate()

        forget_the_old(settings)
        factor.refresh_from_db()
        assert get_adapter().decrypt(factor.data["seed"]) == "GEZDGNBV"
        assert factor.data["used_mask"] == 5

    def test_what_the_site_writes_at_that_moment_is_never_overwritten(self, settings, monkeypatch):
        mail = make_mails(1)[0]
        change_keys(settings)
        put = rotation.Column.put

        def late(column, pk, old, new):
            if column.model is Mail and Mail.objects.get(pk=pk).address != "changed@example.org":
                Mail.objects.filter(pk=pk).update(address="changed@example.org")
            return put(column, pk, old, new)

        monkeypatch.setattr(rotation.Column, "put", late)
        rotate()

        assert Mail.objects.get(pk=mail.pk).address == "changed@example.org"

    def test_a_row_that_goes_meanwhile_is_no_fault(self, settings, monkeypatch):
        make_mails(1)
        change_keys(settings)
        put = rotation.Column.put

        def gone(column, pk, old, new):
            column.model.objects.filter(pk=pk).delete()
            return put(column, pk, old, new)

        monkeypatch.setattr(rotation.Column, "put", gone)

        assert "0 left under older keys" in rotate()

    def test_check_changes_nothing_and_fails_while_any_is_left(self, settings):
        make_mails(3)
        change_keys(settings)

        with pytest.raises(
            CommandError, match="0 renewed, 0 under the newest key already, 3 left"
        ) as refusal:
            rotate("--check")
        assert refusal.value.returncode == 1
        rotate()

        assert "0 left under older keys" in rotate("--check")

    def test_what_no_key_opens_is_named_and_left_alone(self, settings):
        settings.FIELD_KEYS = [Fernet.generate_key().decode()]
        make_mails(1)
        change_keys(settings)

        with pytest.raises(CommandError, match="1 that no key opens"):
            rotate()

    def test_two_runs_at_once_are_one(self, settings, monkeypatch):
        monkeypatch.setattr("sermo.management.commands.reencrypt._alone", lambda: False)

        with pytest.raises(CommandError, match="Another run is under way"):
            rotate()

    def test_no_batch_is_refused(self):
        with pytest.raises(CommandError, match="at least one row"):
            rotate("--batch", "0")

    def test_every_column_of_bytes_is_known(self):
        """A column of bytes is encrypted, and so found, or is named here as one that needs not be."""
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT table_name, column_name FROM information_schema.columns"
                " WHERE table_schema = 'public' AND data_type = 'bytea'"
            )
            stored = {f"{table}.{column}" for table, column in cursor.fetchall()}
        found = {f"{one.model._meta.db_table}.{one.field.column}" for one in rotation.columns()}

        assert stored - found <= NO_TOKENS
        assert "mfa_authenticator.data" in found

    def test_no_append_only_table_holds_anything_encrypted(self):
        """Their triggers would refuse the new token; what must never change holds no identity data at all."""
        tables = [one.model._meta.db_table for one in rotation.columns()]
        with connection.cursor() as cursor:
            cursor.execute(
                "SELECT tgrelid::regclass::text FROM pg_trigger WHERE NOT tgisinternal"
                " AND tgtype & 2 = 2 AND tgtype & 16 = 16 AND tgrelid::regclass::text = ANY(%s)",
                [tables],
            )
            assert cursor.fetchall() == []


@pytest.mark.django_db
class TestFiles:
    def test_single_tokens_and_long_files_change(self, settings, private_files):
        write("documents/ab/abc-1", crypto.encrypt(b"a page"))
        long = io.BytesIO()
        with Sealed(long) as sealed:
            sealed.write(b"x" * (BLOCK + 9))
            sealed.write(b"end")
        write("exports/cd/cde", long.getvalue())
        before = Path(private_files, "documents/ab/abc-1").stat()
        change_keys(settings)

        said = rotate()

        assert "files in documents/: 1 renewed" in said
        assert "files in exports/: 1 renewed" in said
        forget_the_old(settings)
        assert crypto.decrypt(Path(private_files, "documents/ab/abc-1").read_bytes()) == b"a page"
        with Path(private_files, "exports/cd/cde").open("rb") as file:
            assert b"".join(unseal(file)) == b"x" * (BLOCK + 9) + b"end"
        after = Path(private_files, "documents/ab/abc-1").stat()
        assert after.st_mtime == before.st_mtime
        assert after.st_mode & 0o777 == 0o600
        assert not Path(private_files, rotation.WORKPLACE).exists()

    def test_pictures_of_cases_have_keys_of_their_own_which_change_with_their_rows(
        self, settings, private_files
    ):
        content = Fernet(Fernet.generate_key()).encrypt(b"skin")
        write("cases/ab/abc.0123.picture.full", content)
        change_keys(settings)

        rotate()

        assert Path(private_files, "cases/ab/abc.0123.picture.full").read_bytes() == content

    def test_a_file_deleted_at_that_moment_does_not_come_back(self, settings, private_files, monkeypatch):
        write("documents/ab/abc-1", crypto.encrypt(b"a page"))
        change_keys(settings)
        exchange = rotation._exchange

        def deleted_before(one, other):
            storages["private"].delete("documents/ab/abc-1")
            exchange(one, other)

        monkeypatch.setattr(rotation, "_exchange", deleted_before)
        rotate()

        assert not Path(private_files, "documents/ab/abc-1").exists()

    def test_a_file_written_anew_at_that_moment_keeps_what_is_new(self, settings, private_files, monkeypatch):
        write("exports/ab/abc", crypto.encrypt(b"first"))
        change_keys(settings)
        exchange, calls = rotation._exchange, []

        def replaced_before(one, other):
            if not calls:
                storages["private"].delete("exports/ab/abc")
                write("exports/ab/abc", crypto.encrypt(b"second"))
            calls.append(one)
            exchange(one, other)

        monkeypatch.setattr(rotation, "_exchange", replaced_before)
        rotate()

        assert crypto.decrypt(Path(private_files, "exports/ab/abc").read_bytes()) == b"second"

    def test_check_counts_files_and_what_is_broken(self, settings, private_files):
        write("stimuli/ab/one", crypto.encrypt(b"one"))
        write("stimuli/ab/two", crypto.encrypt(b"two")[:-9])
        os.utime(Path(private_files, "stimuli/ab/two"), (1, 1))
        change_keys(settings)

        with pytest.raises(CommandError, match="1 left under older keys, 1 that no key opens"):
            rotate("--check")

    def test_what_a_killed_run_left_beside_the_folders_goes(self, settings, private_files):
        write(f"{rotation.WORKPLACE}/left", b"of a killed run")

        rotate()

        assert not Path(private_files, rotation.WORKPLACE).exists()


@pytest.mark.django_db(transaction=True)
def test_a_run_killed_in_the_middle_is_gone_on_with(settings, private_files):
    """Really killed: a process of its own, with SIGKILL, while some rows are renewed and others are not."""
    make_mails(60)
    for number in range(20):
        write(f"documents/ab/{number:032}-1", crypto.encrypt(b"page %d" % number))
    change_keys(settings)
    process = subprocess.Popen(
        [sys.executable, "-m", "sermo.tests.slow_rotation", connection.settings_dict["NAME"], private_files],
        cwd=settings.BASE_DIR,
        env={**os.environ, "FIELD_KEYS": f"{NEW},{OLD}", "SECRET_KEY": "x" * 50, "HASH_KEY": "ab" * 32},
        stdout=subprocess.DEVNULL,
    )
    deadline = time.monotonic() + 60
    while renewed_mails() < 5 and time.monotonic() < deadline:
        time.sleep(0.02)
    process.send_signal(signal.SIGKILL)
    process.wait()
    done = renewed_mails()

    rotate()

    assert 5 <= done < 60
    forget_the_old(settings)
    assert sorted(mail.address for mail in Mail.objects.all()) == sorted(
        f"{n}@example.org" for n in range(60)
    )
    pages = {crypto.decrypt(path.read_bytes()) for path in Path(private_files, "documents/ab").iterdir()}
    assert pages == {b"page %d" % number for number in range(20)}


def renewed_mails():
    column = next(one for one in rotation.columns() if one.model is Mail)
    return sum(crypto.is_of_newest_key(token) for _, token in column.rows(None, 1000))


def test_json_without_tokens_stays_as_it_is():
    said = {"a": ["plain", 1, None], "b": {"c": True}}

    assert rotation._renewed_within(said) == said
    assert json.loads(json.dumps(said)) == said
