from django.core.management.base import BaseCommand, CommandError

from rewards.models import Account, Entry, Transaction
from rewards.services import checking


class Command(BaseCommand):
    help = (
        "Check that the ledger sums to zero, that balances are what their entries make, and that everything reserved, "
        "on its way and credited stands for something. Changes nothing; ends with 1 where something is wrong."
    )

    def handle(self, **options):
        found = 0
        for fault in checking.faults():
            self.stdout.write(fault)
            found += 1
        if found:
            raise CommandError(f"{found} faults in the ledger.")
        counts = [model.objects.count() for model in (Transaction, Entry, Account)]
        self.stdout.write("{} transactions, {} entries, {} accounts: the ledger is right.".format(*counts))
