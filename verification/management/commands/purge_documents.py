from django.core.management.base import BaseCommand

from verification.services import proofs


class Command(BaseCommand):
    help = "Delete the files of documents 30 days after their claims were decided."

    def handle(self, **options):
        self.stdout.write(f"{proofs.purge_documents()} documents deleted.")
