from django.core.management.base import BaseCommand, CommandError

from sermo import retention as registered
from verification.services import retention


class Command(BaseCommand):
    help = "Remove whatever is past its time, by the table of docs/retention.md, as each night does."

    def add_arguments(self, parser):
        parser.add_argument(
            "--dry-run", action="store_true", help="count what is past its time, remove nothing"
        )
        parser.add_argument("--table", action="store_true", help="print docs/retention.md")

    def handle(self, *, dry_run, table, **options):
        if table:
            self.stdout.write(registered.as_markdown(), ending="")
        elif dry_run:
            self._count()
        else:
            self._enforce()

    def _count(self):
        for rule in registered.rules():
            left = retention.left_of(rule)
            self.stdout.write(
                f"{rule.name}: {'cannot be counted' if left is None else f'{left} past its time'}"
            )

    def _enforce(self):
        failed = 0
        for rule in registered.rules():
            run = retention.enforce(rule)
            failed += bool(run.failure or run.left_over)
            outcome = f"failed, {run.failure}" if run.failure else f"{run.removed} removed"
            self.stdout.write(f"{run.rule}: {outcome}" + (f", {run.left_over} LEFT" if run.left_over else ""))
        if failed:
            raise CommandError(f"{failed} rules did not do all they should.")
