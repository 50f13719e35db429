from datetime import UTC

from django.core.management.base import BaseCommand, CommandError
from django.utils import timezone
from django.utils.dateparse import parse_datetime

from newsfeed.services import digests


class Command(BaseCommand):
    help = (
        "Queue the digests of all members whose hour has come today and who have none of today yet. "
        "Can be stopped and run again."
    )

    def add_arguments(self, parser):
        parser.add_argument(
            "--at",
            metavar="MOMENT",
            help="as if it were this moment, in UTC unless it says otherwise, such as 2026-11-23T12:00; now by default",
        )

    def handle(self, *, at=None, **options):
        queued = empty = failed = 0
        for tally in digests.batches(self._moment(at)):
            queued, empty, failed = queued + tally.queued, empty + tally.empty, failed + tally.failed
            self.stdout.write(f"  {queued} digests queued, up to member {tally.reached}")
        self.stdout.write(
            f"send_digests: {queued} digests queued, {empty} had nothing to tell, {failed} failed"
        )

    def _moment(self, typed):
        if typed is None:
            return timezone.now()
        try:
            moment = parse_datetime(typed)
        except ValueError:
            moment = None
        if moment is None:
            raise CommandError(f"{typed!r} is no moment such as 2026-11-23T12:00.")
        return moment if moment.tzinfo else moment.replace(tzinfo=UTC)
