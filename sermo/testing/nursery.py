"""The children of `sermo.sandbox`, forked from a process that has loaded what they load: their start takes a second.

For tests of what becomes of a picture. Whether a child is a process of its own, with limits, is tested with real ones,
in `sermo/tests`. Run as a module, this file is such a process.
"""

import atexit
import json
import os
import subprocess
import sys
import threading
from importlib import import_module

from sermo import sandbox

LOADED = {  # what a child of each module loads once it has something to do
    "sermo.images": ("numpy", "pillow_heif", "PIL.ImageMath", "PIL.ImageOps", "sermo.dicom", "sermo.images"),
    "sermo.redaction": ("PIL.Image", "sermo.burned_text", "sermo.faces", "sermo.reading", "sermo.redaction"),
}
PIPE, DEVNULL, TimeoutExpired = subprocess.PIPE, subprocess.DEVNULL, subprocess.TimeoutExpired
_running: dict[str, subprocess.Popen] = {}
_one_at_a_time = threading.Lock()


def run(command, *, input, **options):
    """In place of `subprocess.run`, as the sandbox calls it: this module stands in for `subprocess` there."""
    module, *args = command[2:]
    if module not in LOADED:
        return subprocess.run(command, input=input, **options)  # noqa: S603 - as the sandbox does
    with _one_at_a_time:
        process = _process(module)
        process.stdin.write(sandbox.pack([json.dumps(args).encode(), input]))
        process.stdin.flush()
        status, said = _frame(process.stdout), _frame(process.stdout)
    return subprocess.CompletedProcess(command, int(status), said)


def _process(module: str) -> subprocess.Popen:
    if module not in _running:
        _running[module] = process = subprocess.Popen(  # noqa: S603 - our own module
            [sys.executable, "-m", __name__, module],
            stdin=PIPE,
            stdout=PIPE,
            stderr=DEVNULL,
            cwd=sandbox.ROOT,
            env=sandbox.ENVIRONMENT | sandbox._compiled(),
        )
        atexit.register(_end, process)
    return _running[module]


def _end(process: subprocess.Popen) -> None:
    with process:  # which closes its stdin, and it ends
        pass


def _frame(stream) -> bytes:
    return stream.read(int.from_bytes(stream.read(4), "big"))


# The process


def main(name: str) -> None:
    for each in LOADED[name]:
        import_module(each)
    module, told, out = import_module(name), sys.stdin.buffer, os.fdopen(os.dup(1), "wb")
    while args := _frame(told):
        out.write(sandbox.pack(_forked(module, json.loads(args), _frame(told))))
        out.flush()


def _forked(module, args: list[str], data: bytes) -> list[bytes]:
    file = os.memfd_create("file")
    os.write(file, data)
    os.lseek(file, 0, os.SEEK_SET)
    end, other_end = os.pipe()
    if not (child := os.fork()):
        os.dup2(file, 0)
        os.dup2(other_end, 1)
        sys.stdin, sys.stdout = os.fdopen(0), os.fdopen(1, "w")
        os._exit(module.main(*args))
    os.close(file)
    os.close(other_end)
    with open(end, "rb") as stream:
        said = stream.read()
    _, status = os.waitpid(child, 0)
    return [str(os.waitstatus_to_exitcode(status)).encode(), said]


if __name__ == "__main__":
    main(sys.argv[1])
