"""A PostgreSQL and a Valkey for one test session: in a short folder under /tmp, nothing kept or synced."""

import contextlib
import os
import shutil
import signal
import subprocess
import tempfile
import time
from pathlib import Path
from urllib.parse import quote

from sermo.runtime import addresses, places, postgres, processes, valkey

FOLDERS = "sermo-test-"
CHECKOUT = Path(__file__).resolve().parents[2]


class SessionServers:
    """Start on entry what the environment does not name, name it there, and clear it all away on `stop()`."""

    def __init__(self):
        self.folder = Path(tempfile.mkdtemp(prefix=FOLDERS, dir="/tmp"))
        self.running: list[tuple[subprocess.Popen, signal.Signals]] = []
        self.has_own_postgres = False

    def start(self) -> None:
        if os.geteuid() == 0:
            self.folder.chmod(0o711)  # PostgreSQL runs as nobody, in a private folder below
        processes.record(self.folder / "session.pid", os.getpid(), [])
        os.environ["VAR_DIR"] = str(self.folder / "var")
        if not os.environ.get("DATABASE_URL"):
            self.has_own_postgres = True
            self.run(self.own_postgres(), stop=signal.SIGQUIT)  # at once: nothing is to be kept
            os.environ["DATABASE_URL"] = (
                f"postgres://{addresses.USER}@/{quote(str(self.folder / 'pg'))}/{addresses.DATABASE}"
            )
        if not os.environ.get("REDIS_URL"):
            self.run(self.own_valkey())
            os.environ["REDIS_URL"] = f"unix://{quote(str(self.folder / 'valkey' / 'valkey.sock'))}?db=0"

    def own_postgres(self) -> postgres.Postgres:
        home = self.folder / "pg"
        return postgres.Postgres(home=home, socket_dir=home, binaries=self.postgres_binaries(), durable=False)

    def postgres_binaries(self) -> Path:
        """Those that `make run` unpacked or will; where the checkout is read-only, a set for this session."""
        try:
            return postgres.find_binaries(places.server_base(CHECKOUT / "var") / "pg0")
        except OSError:
            return postgres.find_binaries(self.folder / "pg0")

    def own_valkey(self) -> valkey.Valkey:
        folder = self.folder / "valkey"
        program = valkey.find_program()
        return valkey.Valkey(folder=folder, socket=folder / "valkey.sock", program=program, durable=False)

    def run(self, server: postgres.Postgres | valkey.Valkey, stop: signal.Signals | None = None) -> None:
        server.prepare()
        log = self.folder / f"{server.name}.log"
        with log.open("wb") as output:
            child = processes.start(
                server.command,
                env=server.env,
                user=server.user,
                stop_signal=server.stop_signal,
                output=output.fileno(),
            )
        self.running.append((child, stop or server.stop_signal))
        deadline = time.monotonic() + 30
        while not server.ready(child.pid):
            if child.poll() is not None or time.monotonic() > deadline:
                said = log.read_text(errors="replace")
                self.stop()
                raise RuntimeError(f"The tests' {server.name} did not start:\n{said}")
            time.sleep(0.02)

    def stop(self) -> None:
        """Safe to call twice, and from an exit handler."""
        while self.running:
            child, number = self.running.pop()
            child.send_signal(number)
            try:
                child.wait(timeout=10)
            except subprocess.TimeoutExpired:
                child.kill()
                child.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def clear_killed_sessions() -> None:
    """Remove folders of test sessions that were killed; their servers ended with them."""
    for folder in Path("/tmp").glob(f"{FOLDERS}*"):  # noqa: S108
        with contextlib.suppress(OSError):
            note = folder / "session.pid"
            if folder.stat().st_uid == os.geteuid() and note.exists() and processes.recorded(note) is None:
                shutil.rmtree(folder, ignore_errors=True)
