"""The programs the supervisor keeps: what each is, and how one of them lives."""

import os
import re
import signal
import sys
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from subprocess import Popen

from sermo.runtime import processes
from sermo.runtime.options import CHECKOUT, Options
from sermo.runtime.output import Lines, Output

QUEUES = "default,pages,mail,feeds,images,imports"
LONGEST_PAUSE = 30.0  # seconds before a child that keeps failing is tried again
STEADY = 30.0  # seconds of life after which an end counts as the first


@dataclass
class Program:
    name: str
    command: list[str]
    env: Mapping[str, str]
    cwd: Path = CHECKOUT
    user: str = ""
    stop_signal: signal.Signals = signal.SIGTERM
    patience: float = 8.0  # seconds to a clean stop
    before_start: Callable[[], None] = lambda: None
    ready: Callable[[int], bool] | None = None
    chatter: str = r"(?!)"  # lines not worth showing while all goes well


def server_program(server, env: Mapping[str, str]) -> Program:
    """A Postgres or a Valkey as a child; before each start it clears away what the last one left."""
    return Program(
        name=server.name,
        command=server.command,
        env=server.env or env,
        cwd=Path("/"),
        user=server.user,
        stop_signal=server.stop_signal,
        patience=server.patience,
        before_start=server.stop_leftover,
        ready=server.ready,
        chatter=r"LOG:  |.*overcommit_memory|.*signal-handler|.*ready to exit",
    )


def prepare_program(env: Mapping[str, str]) -> Program:
    """Migrations need the owner of the tables, who may be another than the one that serves."""
    owner = env.get("MIGRATE_DATABASE_URL")
    env = {**env, "DATABASE_URL": owner} if owner else env
    return Program("prepare", [sys.executable, "-m", "sermo.runtime.prepare"], env)


def web_program(options: Options, env: Mapping[str, str]) -> Program:
    return Program("web", [sys.executable, "-m", "sermo.runtime.web", options.bind, str(options.port)], env)


def worker_program(env: Mapping[str, str]) -> Program:
    """A worker with the scheduler inside: right for one machine, where there is only one of either."""
    return _celery_program("worker", env, "--beat", "-Q", QUEUES, "--concurrency", "2")


def pager_program(env: Mapping[str, str]) -> Program:
    """A worker for pages alone, which wait for no long task, nor for a slow mail of another page."""
    return _celery_program("pager", env, "-n", "pager@%h", "-Q", "pages", "--pool", "threads", "-c", "4")


def _celery_program(name: str, env: Mapping[str, str], *switches: str) -> Program:
    command = [sys.executable, "-m", "celery", "-q", "-A", "sermo.celery:app", "worker"]
    alike = ("--loglevel", "INFO", "--without-gossip", "--without-mingle")
    as_root = r".*running the worker with superuser privileges"  # said at every start, in vain
    return Program(name, [*command, *switches, *alike], env, patience=10.0, chatter=as_root)


@dataclass
class Child:
    """One program as it runs, ends and is started again."""

    program: Program
    output: Output
    pid_file: Path
    process: Popen | None = None
    lines: Lines | None = None
    failures: int = 0
    started: float = 0.0
    again_at: float = field(default=float("inf"))  # when to start it again

    @property
    def name(self) -> str:
        return self.program.name

    @property
    def is_running(self) -> bool:
        return self.process is not None and self.process.poll() is None

    @property
    def is_ready(self) -> bool:
        return self.is_running and self.program.ready(self.process.pid)

    def start(self) -> None:
        program = self.program
        program.before_start()
        self.again_at = float("inf")
        self.started = time.monotonic()
        self.process = processes.start(
            program.command,
            env=program.env,
            cwd=program.cwd,
            user=program.user,
            stop_signal=program.stop_signal,
        )
        processes.record(self.pid_file, self.process.pid, program.command)
        is_chatter = re.compile(program.chatter).match
        self.lines = Lines(self.process.stdout.fileno(), self.show, lambda line: bool(is_chatter(line)))

    def show(self, line: str) -> None:
        self.output.line(self.name, line)

    def plan_restart(self) -> float:
        """After an unwanted end: how many seconds to wait, longer each time it fails soon after its start."""
        lived = time.monotonic() - self.started
        self.failures = 1 if lived > STEADY else self.failures + 1
        pause = min(LONGEST_PAUSE, 2.0 ** (self.failures - 1))
        self.again_at = time.monotonic() + pause
        return pause

    def ask_to_stop(self) -> None:
        """Signal the program itself; it knows best how to end its own children."""
        self.again_at = float("inf")
        if self.is_running:
            self.process.send_signal(self.program.stop_signal)

    def end_now(self) -> None:
        """Kill what is left of it and its process group."""
        if self.process is None:
            return
        processes.signal_group(self.process.pid, signal.SIGKILL)
        self.process.wait()

    def clean_up(self) -> None:
        """After its end: nothing of its group stays, nor the pid file."""
        processes.end_group(self.process.pid)
        self.pid_file.unlink(missing_ok=True)

    def how_it_ended(self) -> str:
        code = self.process.returncode
        return f"by {signal.Signals(-code).name}" if code < 0 else f"with code {code}"


def child_environment(options: Options, env: Mapping[str, str]) -> dict[str, str]:
    """What every part of the site is told, whether or not the caller's shell said it."""
    return {
        **env,
        "DJANGO_SETTINGS_MODULE": env.get("DJANGO_SETTINGS_MODULE", "sermo.settings"),
        "PORT": str(options.port),
        "VAR_DIR": str(options.var_dir),
        "PYTHONUNBUFFERED": "1",
        "PYTHONPATH": os.pathsep.join(filter(None, [str(CHECKOUT), env.get("PYTHONPATH")])),
    }
