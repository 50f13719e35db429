from django.core.management.base import BaseCommand

from rewards.services import running


class Command(BaseCommand):
    help = (
        "Send the approved payouts and ask providers about those without an answer. "
        "Can be stopped with Ctrl-C and run again; nothing is sent twice."
    )

    def handle(self, **options):
        try:
            running.run(self.stdout.write)
        except KeyboardInterrupt:
            self.stdout.write("Stopped. Run it again to go on.")
