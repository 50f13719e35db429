"""Become a program that does not outlive its supervisor: `python -I -S child.py PARENT SIGNAL USER -- COMMAND...`.

Run as a script, by path, in the moment between fork and exec: it drops to USER (empty: stay), asks Linux to send
SIGNAL the moment PARENT dies, however it dies, and turns into COMMAND, keeping the process id. Elsewhere than on
Linux the next start finds leftovers by their pid files instead.
"""

import os
import sys


def main(parent: int, death_signal: int, user: str, command: list[str]) -> None:
    bind_to_parent = dying_with_parent(death_signal) if sys.platform == "linux" else None
    if user:
        drop_to(user)
    if bind_to_parent:
        bind_to_parent()  # after the drop, which would undo it
        if os.getppid() != parent:  # it died before we asked
            sys.exit(1)
    os.execvp(command[0], command)


def drop_to(user: str) -> None:
    import pwd

    entry = pwd.getpwnam(user)
    os.setgroups([])
    os.setgid(entry.pw_gid)
    os.setuid(entry.pw_uid)


def dying_with_parent(death_signal: int):
    """The call that asks for it, made ready beforehand: USER may be unable to read this Python's own modules."""
    import ctypes

    PR_SET_PDEATHSIG = 1
    prctl = ctypes.CDLL(None).prctl
    return lambda: prctl(PR_SET_PDEATHSIG, death_signal)


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]), sys.argv[3], sys.argv[5:])
