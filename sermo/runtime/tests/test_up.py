"""`manage.py up` as it is: real servers, web and worker. One test, since each start takes seconds."""

import os
import signal
import sys
import urllib.request

import pytest

from sermo.runtime import processes
from sermo.runtime.tests.running import CHECKOUT, Run


@pytest.fixture
def start_site(var_dir, free_port, monkeypatch):
    started = []
    for name in ("DATABASE_URL", "REDIS_URL"):
        monkeypatch.delenv(name)

    def start():
        path = os.pathsep.join([str(CHECKOUT / "sermo" / "testing" / "quick"), str(CHECKOUT)])
        env = {"PORT": free_port, "VAR_DIR": str(var_dir), "DEMO": "0", "PYTHONPATH": path}
        run = Run([sys.executable, str(CHECKOUT / "manage.py"), "up"], **env)
        started.append(run)
        return run

    yield start
    for run in started:
        run.end()


def test_the_site_starts_survives_a_kill_and_stops_with_nothing_left(start_site, var_dir, free_port):
    first = start_site()
    first.wait_for("Ready after", seconds=120)
    page = f"http://localhost:{free_port}/readyz"

    assert urllib.request.urlopen(page, timeout=10).status == 200
    assert urllib.request.urlopen(page.replace("localhost", "127.0.0.1"), timeout=10).status == 200
    assert (var_dir / "secrets.env").stat().st_mode & 0o777 == 0o600

    first.process.send_signal(signal.SIGKILL)
    first.process.wait()
    second = start_site()
    second.wait_for("Ready after", seconds=120)

    assert urllib.request.urlopen(page, timeout=10).status == 200

    second.wait_for(r"worker +\|", seconds=60)
    pid_files = sorted((var_dir / "run").glob("*.pid"))
    running = [processes.recorded(path) for path in pid_files]
    code = second.stop(seconds=60)

    assert [path.stem for path in pid_files] == ["pager", "postgres", "valkey", "web", "worker"]
    assert code == 0
    assert {pid: processes.members_of_group(pid) for pid in running} == {pid: [] for pid in running}
    assert os.listdir(var_dir / "run") == []
