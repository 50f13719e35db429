from django.core.management.base import BaseCommand

from sermo.management.parts import parts


class Command(BaseCommand):
    help = (
        "Close the discussions that have been silent for 30 days, and the polls whose time is up. "
        "Can be stopped and run again."
    )

    def handle(self, **options):
        for close_due in parts("services.closing", "close_due"):
            close_due(self.stdout.write)
