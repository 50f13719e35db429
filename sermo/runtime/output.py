"""Lines of several programs on one terminal: aligned, named, in color only where somebody looks."""

import os
import sys
from collections import deque
from collections.abc import Callable

COLORS = {"postgres": 34, "valkey": 31, "prepare": 33, "web": 32, "worker": 35, "pager": 35, "sermo": 36}
WIDTH = max(map(len, COLORS))


class Output:
    def __init__(self, stream=None):
        self.stream = stream or sys.stdout
        self.colored = self.stream.isatty() and not os.environ.get("NO_COLOR")
        self.is_gone = False  # nobody reads any more, as after `make run | head`

    def line(self, name: str, text: str) -> None:
        label = f"{name:<{WIDTH}}"
        if self.colored:
            label = f"\033[{COLORS.get(name, 0)}m{label}\033[0m"
        try:
            self.stream.write(f"{label} | {text}\n")
            self.stream.flush()
        except (BrokenPipeError, OSError):
            self.is_gone = True
        except UnicodeEncodeError:
            self.stream.write(f"{name:<{WIDTH}} | {text!a}\n")


class Lines:
    """The output of one program, read as it comes and shown line by line."""

    def __init__(self, pipe: int, show: Callable[[str], None], is_chatter: Callable[[str], bool]):
        self.pipe = pipe
        self.show = show
        self.is_chatter = is_chatter
        self.rest = b""
        self.unshown: deque[str] = deque(maxlen=20)  # chatter, of interest only when the program fails
        os.set_blocking(pipe, False)

    def read(self) -> bool:
        """Take what is there. False at the end of the output."""
        try:
            came = os.read(self.pipe, 65536)
        except BlockingIOError:
            return True
        except OSError:
            came = b""
        *whole, self.rest = (self.rest + came).split(b"\n")
        if not came and self.rest:
            whole, self.rest = [*whole, self.rest], b""
        for line in whole:
            self.pass_on(line.decode(errors="replace").rstrip())
        return bool(came)

    def pass_on(self, line: str) -> None:
        if self.is_chatter(line):
            self.unshown.append(line)
        elif line:
            self.show(line)

    def show_chatter(self) -> None:
        while self.unshown:
            self.show(self.unshown.popleft())
