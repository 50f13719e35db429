"""The supervisor as a process of its own, with small programs in place of web and worker."""

import os
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

import pytest

from sermo.runtime import processes
from sermo.runtime.tests.running import CHECKOUT, Run

FAKE_SITE = Path(__file__).with_name("fake_site.py")


@pytest.fixture
def start_fake_site(var_dir, free_port):
    started = []

    def start(**env):
        run = Run([sys.executable, str(FAKE_SITE), str(var_dir)], **{"PORT": free_port, **env})
        started.append(run)
        return run

    yield start
    for run in started:
        run.end()


def is_running(pid):
    return bool(processes.started_at(pid))


def test_lines_carry_the_name_of_their_program_in_one_column(start_fake_site):
    run = start_fake_site()

    run.pid_of("web")
    run.pid_of("worker")

    assert {line.index("|") for line in run.lines} == {9}
    assert not any("\033" in line for line in run.lines)


def test_a_killed_child_is_started_again(start_fake_site):
    run = start_fake_site()
    first = run.pid_of("web")

    os.kill(first, signal.SIGKILL)

    run.wait_for(r"sermo +\| web ended by SIGKILL; starting it again in 1 s")
    assert run.pid_of("web", times=2) != first


def test_a_child_that_keeps_ending_is_given_longer_and_longer_pauses(start_fake_site):
    run = start_fake_site()

    for time_of_death in (1, 2):
        os.kill(run.pid_of("web", times=time_of_death), signal.SIGKILL)

    run.wait_for("starting it again in 2 s")


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_leaves_nothing_running(start_fake_site, number):
    run = start_fake_site()
    family = [run.pid_of("web"), run.pid_of("worker"), run.pid_of("worker", word="helper")]

    code = run.stop(number)

    assert code == 0
    assert not any(is_running(pid) for pid in family)


def test_a_second_ctrl_c_does_not_wait_for_a_stubborn_child(start_fake_site):
    run = start_fake_site(PATIENCE="60")
    stubborn = run.pid_of("worker")

    run.process.send_signal(signal.SIGINT)
    run.wait_for("Stopping")
    run.process.send_signal(signal.SIGINT)

    assert run.process.wait(timeout=10) == 0
    assert not is_running(stubborn)


def test_a_second_start_on_the_same_folder_is_one_clear_line(start_fake_site):
    start_fake_site().pid_of("worker")

    second = start_fake_site(PORT="1")

    assert second.process.wait(timeout=10) == 1
    second.wait_for(r"^sermo: Sermo already runs from this folder \(process \d+, http://localhost:\d+\)")
    assert len(second.lines) == 1


def test_a_taken_port_is_told_before_anything_is_started(start_fake_site, free_port):
    with socket.create_server(("127.0.0.1", int(free_port))):
        run = start_fake_site()

        assert run.process.wait(timeout=10) == 1
    run.wait_for(rf"^sermo: Port {free_port} is taken")
    assert len(run.lines) == 1


def test_what_a_killed_supervisor_left_is_stopped_by_the_next(start_fake_site):
    first = start_fake_site()
    stubborn, helper = first.pid_of("worker"), first.pid_of("worker", word="helper")
    first.process.kill()
    first.process.wait()

    start_fake_site().pid_of("worker")

    assert not is_running(stubborn)
    assert not is_running(helper)


@pytest.mark.skipif(sys.platform != "linux", reason="groups are looked up in /proc")
def test_forks_that_a_killed_child_left_are_stopped_by_the_next_run(start_fake_site):
    first = start_fake_site()
    leader, helper = first.pid_of("worker"), first.pid_of("worker", word="helper")
    first.process.kill()
    os.kill(leader, signal.SIGKILL)
    first.process.wait()

    start_fake_site().pid_of("worker")

    assert not is_running(helper)


def test_a_pid_file_of_an_earlier_boot_harms_nobody(start_fake_site, var_dir):
    (var_dir / "run").mkdir()
    bystander = subprocess.Popen([sys.executable, "-c", "import time; time.sleep(60)"])
    (var_dir / "run" / "web.pid").write_text(f'{{"pid": {bystander.pid}, "started": "1", "command": []}}')

    start_fake_site().pid_of("web")

    assert bystander.poll() is None
    bystander.kill()
    bystander.wait()


def test_the_site_ends_when_nobody_reads_it_any_more(var_dir, free_port):
    env = {**os.environ, "PYTHONPATH": str(CHECKOUT), "PORT": free_port}
    process = subprocess.Popen(
        [sys.executable, str(FAKE_SITE), str(var_dir)], env=env, stdout=subprocess.PIPE
    )

    process.stdout.readline()
    process.stdout.close()
    (worker,) = wait_for_files(var_dir / "run", "worker.pid")
    os.kill(processes.recorded(worker), signal.SIGKILL)  # the next line finds nobody

    assert process.wait(timeout=20) == 0


def wait_for_files(folder, name):
    deadline = time.monotonic() + 20
    while not (found := list(folder.glob(name))):
        assert time.monotonic() < deadline
        time.sleep(0.02)
    return found
