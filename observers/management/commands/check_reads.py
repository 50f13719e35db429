from django.core.management.base import BaseCommand, CommandError

from observers.models import Read, ReadDay
from observers.services import reading


class Command(BaseCommand):
    help = (
        "Check that the log of reads and the counts that authors are shown agree, read by read. Changes nothing; ends "
        "with 1 where something is wrong."
    )

    def handle(self, **options):
        found = 0
        for fault in reading.faults():
            self.stdout.write(fault)
            found += 1
        if found:
            raise CommandError(f"{found} faults in the log of reads.")
        counts = [model.objects.count() for model in (Read, ReadDay)]
        self.stdout.write("{} reads, {} counts: they agree.".format(*counts))
