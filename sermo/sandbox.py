"""Work on what strangers sent, done in a child process with limits on memory and time.

What breaks a decoder breaks only its own process. The site calls `run`; a module that can be run this way ends in
`sys.exit(sandbox.serve(work, ...))`. Both sides speak in frames: bytes, each after its length in four bytes. A child
that refuses says why in place of frames; what libraries write of their own accord, to stdout or stderr, is lost.
"""

import os
import signal
import struct
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

MEMORY = 1_200_000_000  # bytes of address space
SECONDS = 20  # of the processor; twice that by the clock
REFUSED = 3  # the child's exit status where stdout holds a reason
ROOT = Path(__file__).resolve().parent.parent
ENVIRONMENT = {  # nothing of the site's own: no keys, no settings
    "PATH": "",
    "PYTHONDONTWRITEBYTECODE": "1",
    "MALLOC_ARENA_MAX": "2",  # arenas and threads take address space, of which there is little
    "OMP_NUM_THREADS": "1",
    "OPENBLAS_NUM_THREADS": "1",
    "OPENCV_FOR_THREADS_NUM": "1",
    "OPENCV_OPENCL_RUNTIME": "disabled",
}


class ChildFailed(Exception):
    """No work came back. `reason` is that of the child's refusal, or "broken", or "timeout"."""

    def __init__(self, reason: str):
        super().__init__(reason)
        self.reason = reason


class Refused(Exception):
    """Raised by the work in the child: its text becomes the reason."""


def run(module: str, *args: str, data: bytes, seconds: float = SECONDS) -> list[bytes]:
    """What `python -m module *args` makes of `data`. Raises ChildFailed."""
    try:
        child = subprocess.run(  # noqa: S603 - our own module, words and numbers of ours
            [sys.executable, "-m", module, *args],
            input=data,
            stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL,
            timeout=seconds * 2,
            cwd=ROOT,
            env=ENVIRONMENT | _compiled(),
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ChildFailed("timeout") from error
    if child.returncode == REFUSED:
        raise ChildFailed(child.stdout.decode(errors="replace"))
    if child.returncode:
        raise ChildFailed("timeout" if child.returncode == -signal.SIGXCPU else "broken")
    return unpack(child.stdout)


def _compiled() -> dict[str, str]:
    """Where the child reads modules that the site compiled, if not beside them."""
    return {"PYTHONPYCACHEPREFIX": sys.pycache_prefix} if sys.pycache_prefix else {}


def pack(frames: Iterable[bytes]) -> bytes:
    return b"".join(struct.pack(">I", len(frame)) + frame for frame in frames)


def unpack(stream: bytes) -> list[bytes]:
    """The frames that were packed. Raises ChildFailed where one was cut short."""
    frames = []
    place = 0
    while place < len(stream):
        start = place + 4
        place = start + int.from_bytes(stream[place:start], "big")
        if place > len(stream):
            raise ChildFailed("broken")
        frames.append(stream[start:place])
    return frames


# The child


def serve(work: Callable[[bytes], Iterable[bytes]], *, memory: int = MEMORY, seconds: int = SECONDS) -> int:
    """Do the work on stdin within limits and write its frames to stdout. Returns the exit status."""
    with _own_stdout() as out:
        try:
            limit(memory=memory, seconds=seconds)
            status, said = 0, pack(work(sys.stdin.buffer.read()))
        except Refused as refusal:
            status, said = REFUSED, str(refusal).encode()
        except MemoryError:
            status, said = REFUSED, b"big"
        except Exception:  # whatever a decoder trips over, the file is at fault
            status, said = REFUSED, b"broken"
        out.write(said)
    return status


def _own_stdout():
    """The child's stdout, for the frames alone: a library that prints would print into them."""
    out = os.fdopen(os.dup(1), "wb")
    nowhere = os.open(os.devnull, os.O_WRONLY)
    os.dup2(nowhere, 1)
    os.close(nowhere)
    return out


def limit(*, memory: int = MEMORY, seconds: int = SECONDS) -> None:
    """From here on, no more than this, or than there was before. No files are written, not even of a crash."""
    import resource

    for what, soft, hard in (
        (resource.RLIMIT_AS, memory, memory),
        (resource.RLIMIT_CPU, seconds, seconds + 1),  # a signal first, which says what it was
        (resource.RLIMIT_FSIZE, 0, 0),
        (resource.RLIMIT_CORE, 0, 0),
    ):
        _, before = resource.getrlimit(what)
        most = hard if before == resource.RLIM_INFINITY else min(hard, before)
        resource.setrlimit(what, (min(soft, most), most))
