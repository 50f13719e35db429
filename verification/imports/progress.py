"""A progress line: rewritten in place on a terminal, now and then a new line elsewhere."""

import time

ON_TERMINAL = 0.2  # seconds between updates
IN_LOG = 10.0
BAR = 20


class Progress:
    """Shows rows and bytes of a file being read, inside a with block. `total`: bytes, None where unknown."""

    def __init__(self, out, label: str, total: int | None):
        self.out, self.label, self.total = out, label, total
        self.started = time.monotonic()
        self.live = out.isatty()
        self._due = self.started + (0 if self.live else IN_LOG)

    @property
    def seconds(self) -> float:
        return max(time.monotonic() - self.started, 1e-6)

    def show(self, rows: int, size: int) -> None:
        """Call as often as convenient; it writes only when it is time."""
        if time.monotonic() < self._due:
            return
        self._due = time.monotonic() + (ON_TERMINAL if self.live else IN_LOG)
        self._write(self.line(rows, size))

    def step(self, text: str) -> None:
        """Say what is being done after reading."""
        self._write(f"{self.label}  {text}")

    def __enter__(self):
        return self

    def __exit__(self, *error) -> None:
        """Leave the terminal's line free for what is said next."""
        if self.live:
            self.out.write("\r\033[K", ending="")

    def line(self, rows: int, size: int) -> str:
        speed = f"{rows:,} rows  {rows / self.seconds:,.0f} rows/s  {size / 1e6 / self.seconds:.1f} MB/s"
        if not self.total:
            return f"{self.label}  {speed}"
        share = min(size / self.total, 1)
        left = self.seconds / share * (1 - share) if share else 0
        bar = "#" * int(share * BAR)
        return f"{self.label}  [{bar:.<{BAR}}] {share:4.0%}  {speed}  {left // 60:.0f}:{left % 60:02.0f} left"

    def _write(self, text: str) -> None:
        if self.live:
            self.out.write(f"\r{text}\033[K", ending="")
        else:
            self.out.write(text)
        self.out.flush()
