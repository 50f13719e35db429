"""A supervisor started by a test, and what it says."""

import os
import re
import signal
import subprocess
import threading
import time
from pathlib import Path

CHECKOUT = Path(__file__).resolve().parents[3]


class Run:
    """A started supervisor and the lines it has shown so far."""

    def __init__(self, command, **env):
        self.process = subprocess.Popen(
            command,
            cwd=CHECKOUT,
            env={**os.environ, "PYTHONPATH": str(CHECKOUT), **env},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
        )
        self.lines = []
        self.reader = threading.Thread(target=self.read, daemon=True)
        self.reader.start()

    def read(self):
        for line in self.process.stdout:
            self.lines.append(line.rstrip("\n"))

    def wait_for(self, pattern, *, times=1, seconds=20):
        """The matches of a pattern in the lines, once there are so many."""
        deadline = time.monotonic() + seconds
        while time.monotonic() < deadline:
            found = [match for line in list(self.lines) if (match := re.search(pattern, line))]
            if len(found) >= times:
                return found
            time.sleep(0.02)
        raise AssertionError("\n".join([f"no {pattern!r} in:", *self.lines]))

    def pid_of(self, name, *, times=1, word="pid"):
        return int(self.wait_for(rf"^{name} +\| {word} (\d+)", times=times)[-1][1])

    def stop(self, number=signal.SIGTERM, *, seconds=30):
        self.process.send_signal(number)
        return self.process.wait(timeout=seconds)

    def end(self):
        """Whatever happened in the test."""
        self.process.kill()
        self.process.wait()
        self.reader.join(timeout=5)
        self.process.stdout.close()
