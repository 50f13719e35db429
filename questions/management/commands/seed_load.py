import time
from dataclasses import replace

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from accounts.models import User
from questions.load import people
from questions.load.filling import OtherScale, fill
from questions.load.resetting import reset
from questions.load.scale import SCALES
from sermo.management.parts import parts


class Command(BaseCommand):
    help = (
        "Fill an empty or a demonstration database with invented members and discussions, by COPY. "
        "Can be stopped and run again; a second run does nothing."
    )

    def add_arguments(self, parser):
        parser.add_argument("--scale", choices=SCALES, default="medium")
        for name in ("questions", "posts", "votes", "members"):
            parser.add_argument(f"--{name}", type=int, metavar="N", help=f"other than the scale's {name}")
        parser.add_argument("--reset", action="store_true", help="delete what an earlier run made, and stop")

    def handle(self, *, scale, reset, **options):
        self._check_place()
        if reset:
            self._reset()
        else:
            self._fill(scale, {name: options[name] for name in ("questions", "posts", "votes", "members")})

    def _check_place(self) -> None:
        """Invented members among real ones would be a lie, and --reset a danger."""
        if not settings.LOOPBACK:
            raise CommandError("Load data are for a site on this machine (SITE_URL on localhost).")
        if User.objects.filter(member__isnull=False).exclude(email__endswith=".test").exists():
            raise CommandError("This database has members of its own. Take an empty or a demonstration one.")

    def _reset(self) -> None:
        began = time.monotonic()
        deleted = reset(lambda line: self.stdout.write(f"  {line}"))
        self.stdout.write(f"load removed: {deleted:,} rows in {time.monotonic() - began:.1f} s")

    def _fill(self, name: str, given: dict) -> None:
        try:
            scale = replace(SCALES[name], **{key: value for key, value in given.items() if value is not None})
        except ValueError as error:
            raise CommandError(str(error)) from error
        began = time.monotonic()
        for load in parts("reference", "load"):
            load(self.stdout)
        try:
            written = fill(scale, lambda line: self.stdout.write(f"  {line}"))
        except OtherScale as error:
            raise CommandError(f"Another load is in this database: {error}. Use --reset first.") from error
        took = time.monotonic() - began
        self.stdout.write(
            f"load: {people.of_the_load().count():,} members, {scale.questions:,} discussions, "
            f"{scale.posts:,} posts, {scale.votes:,} votes; "
            f"{written:,} rows written in {took:.1f} s, {written / took:,.0f} rows/s"
        )
