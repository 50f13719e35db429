from collections import Counter

from django.core.management.base import BaseCommand, CommandError

from verification.imports.command import INTERRUPTED, stopped_by_sigterm
from verification.imports.progress import Progress
from verification.services import rechecks, rosters


class Counted(Progress):
    """The progress of something that is counted and not read."""

    def line(self, rows: int, size: int) -> str:
        speed = f"{rows:,} of {size:,}  {rows / self.seconds:,.0f}/s"
        return f"{self.label}  [{20 * rows // size * '#' if size else '':.<20}]  {speed}"


class Command(BaseCommand):
    """Exit code 0 when done, 130 when stopped; what was stopped is run again from its start and does nothing twice."""

    help = "Compare the claims that hold a license with what was imported since they were last compared."

    def add_arguments(self, parser):
        parser.add_argument(
            "--rosters", action="store_true", help="compare with the rosters of all states, also those known"
        )

    def handle(self, *, rosters: bool, **options):
        recheck = recheck_rosters if rosters else rechecks.recheck_due
        try:
            with stopped_by_sigterm(), Counted(self.stdout, "Re-check", None) as progress:
                done = recheck(progress.show)
        except KeyboardInterrupt:
            raise CommandError("Stopped. Run it again to go on.", returncode=INTERRUPTED) from None
        self.stdout.write(f"Re-check  {said(done)} ({progress.seconds:.1f} s)")


def recheck_rosters(say) -> Counter:
    return rosters.recheck_all(say)


def said(done: Counter) -> str:
    return ", ".join(f"{number:,} {what}" for what, number in done.items() if number) or "nothing to compare"
