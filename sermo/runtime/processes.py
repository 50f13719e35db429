"""Starting programs, and recognizing ones an earlier run left behind."""

import contextlib
import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Iterable, Mapping
from pathlib import Path

CHILD = Path(__file__).with_name("child.py")


def start(
    command: Iterable[str | Path],
    *,
    env: Mapping[str, str] | None = None,
    cwd: Path | None = None,
    user: str = "",
    stop_signal: signal.Signals = signal.SIGTERM,
    output: int | None = subprocess.PIPE,
) -> subprocess.Popen:
    """Start a program in a process group of its own, which gets `stop_signal` if this process dies.

    Call it from the main thread: Linux means the death of the *thread* that started a child.
    """
    wrapper = [sys.executable, "-I", "-S", CHILD, str(os.getpid()), str(int(stop_signal)), user, "--"]
    return subprocess.Popen(
        [*map(str, wrapper), *map(str, command)],
        stdin=subprocess.DEVNULL,
        stdout=output,
        stderr=subprocess.STDOUT,
        env=None if env is None else dict(env),
        cwd=cwd,
        start_new_session=True,
    )


def command_of(pid: int) -> list[str]:
    """The command line of a running process, empty where there is none (or it is a zombie)."""
    if Path("/proc/self").exists():
        try:
            return [
                os.fsdecode(part) for part in Path(f"/proc/{pid}/cmdline").read_bytes().split(b"\0") if part
            ]
        except OSError:
            return []
    listing = subprocess.run(["ps", "-ww", "-o", "command=", "-p", str(pid)], capture_output=True, text=True)
    return listing.stdout.split()


def started_at(pid: int) -> str:
    """A mark that tells a process from a later one with the same id; empty where there is none."""
    if Path("/proc/self").exists():
        try:
            fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
        except OSError:
            return ""
        return "" if fields[0] in "ZX" else fields[19]  # state, and start time in clock ticks
    listing = subprocess.run(["ps", "-o", "lstart=", "-p", str(pid)], capture_output=True, text=True)
    return listing.stdout.strip()


def record(path: Path, pid: int, command: Iterable[str]) -> None:
    """Note a child down so that a later run can find it."""
    draft = path.with_suffix(".new")
    draft.write_text(json.dumps({"pid": pid, "started": started_at(pid), "command": list(command)}))
    draft.replace(path)


def recorded(path: Path) -> int | None:
    """The process group a pid file speaks of, if that very child or a fork it left behind still runs."""
    try:
        note = json.loads(path.read_text())
        pid, started, command = int(note["pid"]), str(note["started"]), note["command"]
    except (OSError, ValueError, KeyError, TypeError):
        return None
    if now := started_at(pid):
        return pid if now == started else None  # else the number is somebody else's by now
    return pid if any(command_of(member) == command for member in members_of_group(pid)) else None


def members_of_group(group: int) -> list[int]:
    """The living processes of a group, on Linux."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            state, _parent, its_group = stat.read_text().rpartition(")")[2].split()[:3]
            if its_group == str(group) and state not in "ZX":
                found.append(int(stat.parent.name))
    return found


def stop_leftovers(folder: Path, *, patience: float = 5.0) -> list[str]:
    """Stop what pid files in `folder` still name, and remove the files. Returns the names of what ran."""
    found = {path: pid for path in sorted(folder.glob("*.pid")) if (pid := recorded(path))}
    for pid in found.values():
        signal_group(pid, signal.SIGTERM)
    for pid in found.values():
        if not wait_gone(pid, seconds=patience):
            signal_group(pid, signal.SIGKILL)
            wait_gone(pid, seconds=2)
        end_group(pid)
    for path in folder.glob("*.pid"):
        path.unlink(missing_ok=True)
    return [path.stem for path in found]


def signal_group(pid: int, number: signal.Signals) -> None:
    """Signal the group a child leads (`start` makes each one a leader)."""
    with contextlib.suppress(ProcessLookupError, PermissionError):
        os.killpg(pid, number)


def end_group(pid: int) -> None:
    """Kill whatever a child that ended left in its group, and see it gone."""
    signal_group(pid, signal.SIGKILL)
    deadline = time.monotonic() + 2
    while members_of_group(pid) and time.monotonic() < deadline:
        time.sleep(0.02)


def wait_gone(pid: int, *, seconds: float) -> bool:
    """Whether a process that is not our child ends within `seconds`."""
    mark = started_at(pid)
    deadline = time.monotonic() + seconds
    while mark and started_at(pid) == mark:
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
