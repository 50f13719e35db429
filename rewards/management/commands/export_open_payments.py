from pathlib import Path

from django.core.management.base import BaseCommand, CommandError

from rewards.models import Firm, Report
from rewards.services import open_payments
from rewards.words import dollars
from sermo.errors import RuleBroken


class Command(BaseCommand):
    help = (
        "Open the Open Payments reports of a year, so that physicians may read them, or write those that were read for "
        "as long as they must be, one file for each firm. Can be stopped and run again."
    )

    def add_arguments(self, parser):
        parser.add_argument("year", type=int, help="the calendar year that was paid in")
        parser.add_argument("--firm", metavar="NAME", action="append", help="this firm only; may be repeated")
        parser.add_argument("--open", action="store_true", help="start the preview instead of writing files")
        parser.add_argument(
            "--into", metavar="FOLDER", default=".", help="where the files go; they name people"
        )

    def handle(self, *, year, **options):
        firms = self._firms(options["firm"])
        act = self._open if options["open"] else self._export
        refused = done = 0
        for place, firm in enumerate(firms, start=1):
            try:
                said = act(firm, year, Path(options["into"]))
                done += 1
            except RuleBroken as refusal:
                said = f"refused. {refusal}"
                refused += 1
            self.stdout.write(f"  {place} of {len(firms)}, {firm}: {said}")
        summary = f"Open Payments {year}: {done} done, {refused} refused"
        if refused:
            raise CommandError(summary)
        self.stdout.write(summary)

    def _firms(self, names: list[str] | None) -> list[Firm]:
        covered = Firm.objects.filter(is_covered=True)
        if not names:
            return list(covered)
        firms = list(covered.filter(name__in=names))
        if missing := set(names) - {firm.name for firm in firms}:
            raise CommandError(f"No firm that reports is called {', '.join(sorted(missing))}.")
        return firms

    def _open(self, firm: Firm, year: int, into: Path) -> str:
        report = open_payments.open_report(firm, year)
        lines = open_payments.rows_for(report)
        return f"{len(lines)} lines, may be read until {report.closes_on:%Y-%m-%d}"

    def _export(self, firm: Firm, year: int, into: Path) -> str:
        report = Report.objects.filter(firm=firm, year=year).first()
        if report is None:
            raise NotOpened
        made = open_payments.export(report=report)
        path = into / made.name
        part = path.with_suffix(".part")
        part.touch(mode=0o600)
        part.write_text(made.text, encoding="utf-8")
        part.replace(path)
        left_out = f"; {made.unnamed} lines left out, whose receiver is not known" if made.unnamed else ""
        return f"{made.lines} lines, {dollars(made.cents)}, in {path}{left_out}"


class NotOpened(RuleBroken):
    message = "Its report was not opened for physicians to read: run this with --open first."
