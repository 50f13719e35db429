"""Processor time that groups of processes have used, read from /proc (Linux)."""

import os
from pathlib import Path

TICKS = os.sysconf("SC_CLK_TCK")


def seconds_used(root: int) -> float:
    """By a process, its children and theirs, also by those of them that have ended and were waited for."""
    return sum(_own(pid) for pid in family(root)) / TICKS


def family(root: int) -> set[int]:
    """A process and all its living descendants."""
    parents = {}
    for stat in Path("/proc").glob("[0-9]*/stat"):
        fields = _fields(stat)
        if fields:
            parents[int(stat.parent.name)] = int(fields[1])
    found = {root}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found


def _own(pid: int) -> int:
    """Ticks in user and kernel mode, its own and those of children it waited for."""
    fields = _fields(Path(f"/proc/{pid}/stat"))
    return sum(map(int, fields[11:15])) if fields else 0


def _fields(stat: Path) -> list[str]:
    """What follows the name of the program: state, parent, ...; nothing where the process has ended."""
    try:
        return stat.read_text().rpartition(")")[2].split()
    except OSError:
        return []
