"""Parsing in a second process, so that a big file uses two processors: one reads and sorts out, one parses.

The helper is `python -m verification.imports.helper`, fed through its standard input and read through its standard
output. When the import ends, however it ends, its input closes and it goes: a killed import leaves no helper behind.
It has no database connection. Ctrl-C reaches the import alone, which then ends it.
"""

import gc
import os
import queue
import subprocess
import sys
import threading
import traceback
from collections.abc import Iterable, Iterator
from multiprocessing.connection import Connection
from pathlib import Path

from verification.imports.parsing import Parsed, Parser

UNDER_WAY = 4  # batches given to the helper and not yet taken back; what bounds the memory of both
PROJECT = Path(__file__).parent.parent.parent


def parse_here(parser: Parser, batches: Iterable[list]) -> Iterator[Parsed]:
    """Parse batches one after the other in this process."""
    for batch in batches:
        yield parser.parse(batch)


def parse_in_helper(parser: Parser, batches: Iterable[list]) -> Iterator[Parsed]:
    """Parse batches in a helper, a few of them ahead. Raises RuntimeError if it fails or dies."""
    process = subprocess.Popen(  # noqa: S603 - our own module, by this interpreter
        [sys.executable, "-m", __name__],
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        cwd=PROJECT,
        start_new_session=True,
    )
    # Results are read by a thread of their own: with both sides writing, each would wait for the other to read.
    results: queue.Queue[Parsed | str | None] = queue.Queue()
    given = Connection(os.dup(process.stdin.fileno()), readable=False)
    reader = threading.Thread(target=_read_results, args=(process.stdout.fileno(), results), daemon=True)
    try:
        process.stdin.close()
        reader.start()
        given.send(parser)
        under_way = 0
        for batch in batches:
            given.send(batch)
            under_way += 1
            if under_way == UNDER_WAY:
                yield _taken(results)
                under_way -= 1
        for _ in range(under_way):
            yield _taken(results)
    except BrokenPipeError:
        raise RuntimeError("The parsing process died.") from None
    finally:
        given.close()
        process.kill()
        process.wait()
        reader.join()
        process.stdout.close()


def _taken(results: queue.Queue) -> Parsed:
    result = results.get()
    if isinstance(result, Parsed):
        return result
    raise RuntimeError(f"The parsing process failed.\n{result}" if result else "The parsing process died.")


def _read_results(descriptor: int, results: queue.Queue) -> None:
    with Connection(os.dup(descriptor), writable=False) as taken:
        while True:
            try:
                results.put(taken.recv())
            except (EOFError, OSError):
                results.put(None)
                return


def _serve() -> None:
    """The helper: a parser first, then batches, until the input closes."""
    gc.disable()  # rows make no cycles, and looking for some takes a tenth of the time
    with Connection(os.dup(0), writable=False) as given, Connection(os.dup(1), readable=False) as results:
        try:
            parser = given.recv()
            while True:
                results.send(parser.parse(given.recv()))
        except (EOFError, BrokenPipeError):
            return
        except Exception:
            results.send(traceback.format_exc())


if __name__ == "__main__":
    _serve()
