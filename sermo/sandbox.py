"""Work on what strangers sent, done in a child process with limits on memory and time.

What breaks a decoder breaks only its own process. The site calls `run`; a module that can be run this way ends in
`sys.exit(sandbox.serve(work, ...))`. Both sides speak in frames: bytes, each after its length in four bytes. Of a
child that fails, the last line it wrote to stderr is the reason.
"""

import struct
import subprocess
import sys
from collections.abc import Callable, Iterable
from pathlib import Path

MEMORY = 1_200_000_000  # bytes of address space
SECONDS = 20  # of the processor; twice that by the clock
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
    """No work came back. `reason` is what the child said last, or "broken", or "timeout"."""

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
            capture_output=True,
            timeout=seconds * 2,
            cwd=ROOT,
            env=ENVIRONMENT,
            check=False,
        )
    except subprocess.TimeoutExpired as error:
        raise ChildFailed("timeout") from error
    if child.returncode != 0:
        said = child.stderr.decode(errors="replace").strip().splitlines()
        raise ChildFailed(said[-1] if said else "broken")
    return unpack(child.stdout)


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
    limit(memory=memory, seconds=seconds)
    data = sys.stdin.buffer.read()
    try:
        packed = pack(work(data))
    except Refused as refusal:
        return _fail(str(refusal))
    except MemoryError:
        return _fail("big")
    except Exception:  # whatever a decoder trips over, the file is at fault
        return _fail("broken")
    sys.stdout.buffer.write(packed)
    sys.stdout.buffer.flush()
    return 0


def limit(*, memory: int = MEMORY, seconds: int = SECONDS) -> None:
    """From here on, no more than this. No files are written, not even of a crash."""
    import resource

    resource.setrlimit(resource.RLIMIT_AS, (memory, memory))
    resource.setrlimit(resource.RLIMIT_CPU, (seconds, seconds))
    resource.setrlimit(resource.RLIMIT_FSIZE, (0, 0))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _fail(reason: str) -> int:
    print(reason, file=sys.stderr)
    return 1
