"""The command line that the import commands share."""

import signal
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import ClassVar

from django.core.management.base import BaseCommand, CommandError
from django.db import OperationalError

from verification.imports.frame import Importer, Options
from verification.imports.refusals import ImportRefused, ImportStopped

INTERRUPTED = 130  # the shell's exit code after Ctrl-C


class ImportCommand(BaseCommand):
    """`manage.py import_<source> FILE`. Exit code 0 when loaded, 1 when refused, 130 when stopped."""

    importer: ClassVar[type[Importer]]
    has_weekly_files = False
    requires_system_checks: ClassVar[list] = []

    def add_arguments(self, parser):
        self.add_file(parser)
        parser.add_argument(
            "--dry-run", action="store_true", help="read, check and count, but change nothing"
        )
        parser.add_argument("--again", action="store_true", help="load a file even if it was loaded before")
        parser.add_argument(
            "--max-drop",
            type=float,
            default=5.0,
            metavar="PERCENT",
            help="stop if the file has that much less than the live registry (default 5)",
        )
        if self.has_weekly_files:
            parser.add_argument(
                "--weekly", action="store_true", help="a weekly increment: update, do not replace"
            )

    def add_file(self, parser):
        parser.add_argument("file", metavar="FILE", help="FILE.zip, FILE.csv, or - for standard input")

    def handle(self, *, file, dry_run, again, max_drop, weekly=False, **options):
        settings = Options(weekly=weekly, dry_run=dry_run, again=again, max_drop=max_drop)
        try:
            with stopped_by_sigterm():
                self.importer(file, settings, self.stdout).run()
        except ImportStopped as stopped:
            raise CommandError(str(stopped), returncode=INTERRUPTED) from None
        except ImportRefused as refused:
            raise CommandError(str(refused)) from None
        except OperationalError as error:
            raise CommandError(f"The database failed: {error}. The live registry is unchanged.") from error


@contextmanager
def stopped_by_sigterm() -> Iterator[None]:
    """A SIGTERM stops as cleanly as Ctrl-C. Signals can only be caught on the main thread."""
    if threading.current_thread() is not threading.main_thread():
        yield
        return
    previous = signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        yield
    finally:
        signal.signal(signal.SIGTERM, previous)
