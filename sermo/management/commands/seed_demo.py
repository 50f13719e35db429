import time

from django.conf import settings
from django.core.management.base import BaseCommand, CommandError

from sermo.management.parts import parts


class Command(BaseCommand):
    help = "Fill an empty site with synthetic people and discussions. Safe to repeat; needs DEMO=1."

    def handle(self, **options):
        if not settings.DEMO:
            raise CommandError("The demonstration has open log-ins, so it needs DEMO=1.")
        started = time.monotonic()
        for load in parts("reference", "load"):
            load(self.stdout)
        for seed in parts("demo", "seed"):
            seed(self.stdout)
        self.stdout.write(f"demonstration ready after {time.monotonic() - started:.1f} s")
