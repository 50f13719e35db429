"""The servers of a bench: as `manage.py up` starts them, in a folder of their own below VAR_DIR/bench/."""

import contextlib
import http.client
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
from pathlib import Path

from sermo.runtime import children, places, postgres, processes, valkey
from sermo.runtime.options import CHECKOUT, Options
from sermo.runtime.supervisor import only_one
from sermo.testing.plugin import NOT_FOR_TESTS

NOT_FOR_THE_BENCH = (*NOT_FOR_TESTS, "DATABASE_URL", "REDIS_URL", "DJANGO_SETTINGS_MODULE")
PATIENCE = 60.0  # seconds for a server to answer


class Stack:
    """The servers of one scale, and within a `with` nobody else's: `start_servers`, `run_targets`, `start_web`."""

    def __init__(self, var: Path, scale: str):
        self.scale = scale
        self.folder = var / "bench" / scale
        self.port = free_port()
        self.running: dict[str, tuple[subprocess.Popen, signal.Signals]] = {}
        clean = {name: value for name, value in os.environ.items() if name not in NOT_FOR_THE_BENCH}
        asked = {"VAR_DIR": str(self.folder), "PORT": str(self.port), "DEMO": "0"}
        self.options = Options.read({**clean, **asked})
        settings = {"DJANGO_SETTINGS_MODULE": "sermo.bench.settings"}
        self.env = children.child_environment(self.options, {**clean, **asked, **settings})

    def __enter__(self) -> "Stack":
        """Raises Trouble where another bench measures with the same data."""
        places.make_var(self.folder)
        if os.geteuid() == 0:
            for above in (self.folder.parent, self.folder.parent.parent):
                above.chmod(above.stat().st_mode | 0o111)  # for the user nobody, on the way to the data
        self.lock = only_one(self.options)
        self.lock.__enter__()
        return self

    def __exit__(self, *error) -> None:
        self.stop()
        self.lock.__exit__(*error)

    def forget_data(self) -> None:
        home = places.postgres_home(self.folder)
        shutil.rmtree(home, ignore_errors=True)
        shutil.rmtree(self.folder, ignore_errors=True)

    def start_servers(self, *, durable: bool) -> None:
        """Not durable is faster for loading data: a machine that fails meanwhile costs only another load."""
        for server in (self._postgres(durable), valkey.embedded(self.folder)):
            server.prepare()
            self._start(server.name, server.command, server.env or self.env, server.user, server.stop_signal)
            child = self.running[server.name][0]
            self._wait(lambda server=server, child=child: server.ready(child.pid), server.name)

    def _postgres(self, durable: bool) -> postgres.Postgres:
        """As `postgres.embedded` has it, with the binaries that the checkout has unpacked already."""
        home = places.postgres_home(self.folder)
        link = self.folder / "pg"
        return postgres.Postgres(
            home=home,
            socket_dir=places.postgres_socket_dir(self.folder),
            binaries=postgres.find_binaries(places.server_base(CHECKOUT / "var") / "pg0"),
            link=None if os.path.realpath(self.folder) == str(home.parent) else link,
            durable=durable,
        )

    def run_targets(self) -> Path:
        """Load the data and write down what to ask for. Returns that file."""
        file = self.folder / "targets.json"
        command = [sys.executable, "-m", "sermo.bench.targets", self.scale, str(file)]
        if subprocess.run(command, env=self.env, cwd=CHECKOUT).returncode:  # noqa: S603 - our own module
            raise SystemExit("Preparing failed; the lines above say why.")
        return file

    def start_web(self) -> None:
        program = children.web_program(self.options, self.env)
        self._start("web", program.command, program.env)
        self._wait(self._answers, "web")

    def _answers(self) -> bool:
        with contextlib.suppress(OSError, http.client.HTTPException):
            line = http.client.HTTPConnection("127.0.0.1", self.port, timeout=5)
            line.request("GET", "/healthz", headers={"Host": f"localhost:{self.port}"})
            return line.getresponse().status == 200
        return False

    def pid(self, name: str) -> int:
        return self.running[name][0].pid

    def _start(self, name, command, env, user="", stop_signal=signal.SIGTERM) -> None:
        with (self.folder / f"{name}.log").open("wb") as log:
            child = processes.start(
                command,
                env=env,
                cwd=CHECKOUT if name == "web" else Path("/"),
                user=user,
                stop_signal=stop_signal,
                output=log.fileno(),
            )
        self.running[name] = (child, stop_signal)

    def _wait(self, condition, name: str) -> None:
        deadline = time.monotonic() + PATIENCE
        while not condition():
            if self.running[name][0].poll() is not None or time.monotonic() > deadline:
                raise SystemExit(f"{name} did not start; see {self.folder / f'{name}.log'}.")
            time.sleep(0.05)

    def stop(self) -> None:
        """The web server first, the database last. Safe to call twice."""
        for name in ("web", "valkey", "postgres"):
            if name in self.running:
                child, number = self.running.pop(name)
                child.send_signal(number)
                try:
                    child.wait(timeout=60)
                except subprocess.TimeoutExpired:
                    processes.signal_group(child.pid, signal.SIGKILL)
                    child.wait()
                processes.end_group(child.pid)


def free_port() -> int:
    with socket.socket() as line:
        line.bind(("127.0.0.1", 0))
        return line.getsockname()[1]
