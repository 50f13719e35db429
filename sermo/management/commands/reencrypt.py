from django.core.management.base import BaseCommand, CommandError
from django.db import connection

from sermo import rotation

ONE_AT_A_TIME = 7_300_012  # number of the advisory lock


class Command(BaseCommand):
    help = (
        "Bring everything that is encrypted under the newest of FIELD_KEYS, while the site runs. "
        "It may be ended at any moment and run again. See docs/keys.md."
    )

    def add_arguments(self, parser):
        parser.add_argument("--check", action="store_true", help="change nothing; exit code 1 if any is left")
        parser.add_argument("--batch", type=int, default=rotation.BATCH, help="rows read at once")

    def handle(self, *, check, batch, **options):
        if batch < 1:
            raise CommandError("A batch has at least one row.")
        if not check and not _alone():
            raise CommandError("Another run is under way.")
        try:
            tallies = rotation.reencrypt(tell=self._tell, only_count=check, batch=batch)
        finally:
            if not check:
                _ended()
        renewed, newest, left, unreadable = (
            sum(getattr(tally, what) for tally in tallies)
            for what in ("renewed", "newest", "left", "unreadable")
        )
        said = f"{renewed} renewed, {newest} under the newest key already, {left} left under older keys"
        if left or unreadable:
            raise CommandError(f"{said}, {unreadable} that no key opens. Keep the older keys.")
        self.stdout.write(f"{said}. The older keys can go.")

    def _tell(self, line):
        self.stdout.write(line)
        self.stdout.flush()


def _alone() -> bool:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_try_advisory_lock(%s)", [ONE_AT_A_TIME])
        return cursor.fetchone()[0]


def _ended() -> None:
    with connection.cursor() as cursor:
        cursor.execute("SELECT pg_advisory_unlock(%s)", [ONE_AT_A_TIME])
