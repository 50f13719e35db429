"""The embedded servers, started for real."""

import contextlib
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import psycopg
import pytest
import redis

from sermo.runtime import postgres, processes
from sermo.runtime.trouble import Trouble

MADE_ANEW = (  # the rest begin with a copy of one cluster
    "test_the_database_keeps_what_was_written",
    "test_its_folder_is_closed_to_others",
    "test_a_start_that_was_killed_midway_leaves_no_half_made_cluster",
    "test_under_root_the_database_runs_as_nobody",
)


@pytest.fixture(scope="module")
def cluster(binaries):
    folder = Path(tempfile.mkdtemp(prefix="sermo-var-", dir="/tmp"))
    if os.geteuid() == 0:
        folder.chmod(0o711)
    home = folder / "pg"
    made = postgres.Postgres(home=home, socket_dir=home, binaries=binaries, durable=False)
    made.prepare()
    yield made.data
    shutil.rmtree(folder, ignore_errors=True)


@pytest.fixture(autouse=True)
def quick_clusters(request, monkeypatch):
    if "database" in request.fixturenames and request.node.name not in MADE_ANEW:
        data = request.getfixturevalue("cluster")
        monkeypatch.setattr(
            postgres.Postgres,
            "make_cluster",
            lambda self: subprocess.run(["cp", "-a", data, self.data], check=True),
        )


@contextlib.contextmanager
def running(server):
    server.prepare()
    child = processes.start(
        server.command,
        env=server.env,
        user=server.user,
        stop_signal=server.stop_signal,
        output=subprocess.DEVNULL,
    )
    try:
        wait_until(lambda: server.ready(child.pid) or child.poll() is not None)
        assert child.poll() is None, f"{server.name} ended with {child.returncode}"
        yield child
    finally:
        child.send_signal(server.stop_signal)
        child.wait(timeout=20)


def wait_until(condition, seconds=20):
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "waited in vain"
        time.sleep(0.02)


def connect(database):
    return psycopg.connect(host=str(database.socket_dir), user="sermo", dbname="sermo", autocommit=True)


def test_the_database_keeps_what_was_written(database):
    with running(database), connect(database) as line:
        line.execute("CREATE TABLE kept (word text)")
        line.execute("INSERT INTO kept VALUES ('ångström')")

    with running(database), connect(database) as line:
        assert line.execute("SELECT word FROM kept").fetchone() == ("ångström",)


def test_the_database_of_make_run_is_durable_and_listens_on_a_socket_alone(database):
    database.durable = True

    assert "fsync=on" in database.command
    assert "listen_addresses=" in database.command


def test_its_folder_is_closed_to_others(database):
    database.prepare()

    assert database.home.stat().st_mode & 0o777 == 0o700


def test_a_start_that_was_killed_midway_leaves_no_half_made_cluster(database):
    database.make_folders()
    (database.home / "data.new").mkdir()
    (database.home / "data.new" / "PG_VERSION").write_text("18\n")

    with running(database), connect(database) as line:
        assert line.execute("SELECT 1").fetchone() == (1,)


def test_a_stale_pid_file_does_not_keep_the_database_from_starting(database):
    database.prepare()
    somebody_else = os.getpid()
    (database.data / "postmaster.pid").write_text(
        f"{somebody_else}\n{database.data}\n0\n5432\n\n\n0 0\nready\n"
    )

    with running(database), connect(database) as line:
        assert line.execute("SELECT 1").fetchone() == (1,)


def test_a_server_left_running_is_recognized_and_stopped(database):
    with running(database) as left_over:
        database.stop_leftover()

        assert left_over.wait(timeout=10) == 0


def test_a_killed_server_recovers_with_every_row(database):
    database.durable = True

    with running(database) as child, connect(database) as line:
        line.execute("CREATE TABLE kept AS SELECT 1 AS number")
        child.kill()
        child.wait()

    with running(database), connect(database) as line:
        assert line.execute("SELECT number FROM kept").fetchone() == (1,)


def test_a_cluster_of_another_major_version_is_one_clear_line(database):
    database.prepare()
    (database.data / "PG_VERSION").write_text("15\n")

    with pytest.raises(Trouble, match=r"made by PostgreSQL 15, this is \d+: set PG_BIN"):
        database.prepare()


def test_a_folder_of_somebody_else_is_refused(tmp_path, monkeypatch):
    (tmp_path / "theirs").mkdir()
    monkeypatch.setattr(os, "geteuid", lambda: 4242)

    with pytest.raises(PermissionError):
        postgres.private_folder(tmp_path / "theirs")


def test_a_wrong_pg_bin_is_one_clear_line(tmp_path, monkeypatch):
    monkeypatch.setenv("PG_BIN", str(tmp_path))

    with pytest.raises(Trouble, match="holds no postgres program"):
        postgres.find_binaries(tmp_path / "pg0")


@pytest.mark.skipif(
    os.geteuid() != 0, reason="PostgreSQL refuses root, so only under root it runs as somebody else"
)
def test_under_root_the_database_runs_as_nobody(database):
    with running(database) as child:
        assert Path(f"/proc/{child.pid}").stat().st_uid != 0


def test_valkey_keeps_the_queue_and_never_evicts(broker):
    with running(broker):
        client = redis.Redis(unix_socket_path=str(broker.socket))
        client.lpush("queue", "task")
        assert client.config_get("maxmemory-policy") == {"maxmemory-policy": "noeviction"}

    with running(broker):
        assert redis.Redis(unix_socket_path=str(broker.socket)).llen("queue") == 1


def test_an_old_valkey_is_gone_before_a_new_one_starts(broker):
    with running(broker) as old, running(broker):
        assert old.poll() is not None
        assert redis.Redis(unix_socket_path=str(broker.socket)).ping()


def test_a_pid_file_of_somebody_else_harms_nobody(broker):
    broker.folder.mkdir(mode=0o700)
    (broker.folder / "valkey.pid").write_text(str(os.getpid()))

    broker.stop_leftover()

    assert not (broker.folder / "valkey.pid").exists()


@pytest.mark.skipif(sys.platform != "linux", reason="only Linux tells a child that its parent died")
def test_a_server_does_not_outlive_a_killed_supervisor(broker):
    broker.prepare()
    start = (
        "import json, os, subprocess, sys, time; from sermo.runtime import processes; "
        "print(processes.start(json.loads(sys.argv[1]), output=subprocess.DEVNULL).pid, flush=True); time.sleep(60)"
    )
    parent = subprocess.Popen(
        [sys.executable, "-c", start, json.dumps(broker.command)], stdout=subprocess.PIPE, text=True
    )
    child = int(parent.stdout.readline())
    wait_until(lambda: broker.ready(child))

    parent.send_signal(signal.SIGKILL)
    parent.communicate()

    assert processes.wait_gone(child, seconds=10)


def test_a_database_whose_checkout_was_removed_is_set_aside_and_not_taken_over(database, var_dir):
    database.prepare()
    database.link = var_dir / "other" / "pg"  # of a checkout that was made where another had been
    database.link.parent.mkdir()

    told = database.prepare()

    assert "stands aside in" in told[0]
    assert database.data.exists()
    assert len(list(var_dir.glob("pg-before-*"))) == 1


def test_a_copied_checkout_does_not_share_the_database_of_its_original(database, var_dir):
    for checkout in ("original", "copy"):
        (var_dir / checkout).mkdir()
        (var_dir / checkout / "pg").symlink_to(database.home)
    database.link = var_dir / "original" / "pg"
    database.prepare()

    database.link = var_dir / "copy" / "pg"

    with pytest.raises(Trouble, match=r"is the database of .*original"):
        database.prepare()
