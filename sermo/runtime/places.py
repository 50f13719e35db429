"""Where the embedded servers keep their files and sockets, given the `var` folder of a checkout.

Pure decisions, made from the file system alone, so that the supervisor and every command started in another
shell come to the same answer.
"""

import hashlib
import os
import stat
import sys
import tempfile
from pathlib import Path

from sermo.runtime.trouble import Trouble

SOCKET_NAME = ".s.PGSQL.5432"
LONGEST_SOCKET_PATH = 103 if sys.platform == "darwin" else 107  # bytes; sun_path less its final NUL


def server_base(var_dir: Path) -> Path:
    """The folder that holds `pg` (data, socket) and `pg0` (unpacked binaries).

    It is `var_dir`, unless we are root: PostgreSQL then runs as `nobody`, who may not be able to walk to a
    checkout under a private folder such as root's home.
    """
    var_dir = Path(os.path.abspath(var_dir))
    if os.geteuid() == 0 and not walkable_by_all(var_dir):
        return Path("/var/lib") / f"sermo-{digest_of(var_dir)}"
    return var_dir


def make_var(var_dir: Path) -> None:
    """Make the folder all of this lives in: ours alone, though root lets `nobody` walk through to the database.

    Raises Trouble where it cannot be made or written.
    """
    try:
        var_dir.mkdir(mode=0o700, parents=True, exist_ok=True)
        if os.geteuid() == 0:
            var_dir.chmod(var_dir.stat().st_mode | 0o111)
        with tempfile.TemporaryFile(dir=var_dir):
            pass
    except OSError as error:
        raise Trouble(
            f"Cannot write in {var_dir}: {error.strerror}. Use a folder of your own, or name another with VAR_DIR=..."
        ) from error


def postgres_home(var_dir: Path) -> Path:
    """The folder of the embedded cluster; `var_dir/pg` decides where it exists, as a folder or as a link."""
    link = Path(os.path.abspath(var_dir)) / "pg"
    if link.is_symlink() or link.exists():
        return Path(os.path.realpath(link))
    return Path(os.path.realpath(server_base(var_dir) / "pg"))


def postgres_socket_dir(var_dir: Path) -> Path:
    home = postgres_home(var_dir)
    return short_enough(home / SOCKET_NAME, otherwise=short_folder(var_dir, "pg") / SOCKET_NAME).parent


def valkey_socket(var_dir: Path) -> Path:
    var_dir = Path(os.path.realpath(var_dir))
    return short_enough(var_dir / "valkey.sock", otherwise=short_folder(var_dir, "valkey") / "valkey.sock")


def short_enough(path: Path, *, otherwise: Path) -> Path:
    """`path`, or `otherwise` where the kernel would refuse a socket of that length."""
    return path if len(os.fsencode(path)) <= LONGEST_SOCKET_PATH else otherwise


def short_folder(var_dir: Path, purpose: str) -> Path:
    return Path("/tmp") / f"sermo-{os.geteuid()}-{digest_of(var_dir)}-{purpose}"  # noqa: S108 - 0700, owner checked


def digest_of(path: Path) -> str:
    return hashlib.sha256(os.fsencode(os.path.realpath(path))).hexdigest()[:12]


def walkable_by_all(folder: Path) -> bool:
    """Whether any user of this machine can pass through `folder` and all above it (missing ones aside)."""
    for step in (folder, *folder.parents):
        try:
            if not step.stat().st_mode & stat.S_IXOTH:
                return False
        except FileNotFoundError:
            continue
    return True
