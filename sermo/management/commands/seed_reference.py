from django.core.management.base import BaseCommand

from sermo.management.parts import parts


class Command(BaseCommand):
    help = "Load what the site refers to: specialties, staff groups, medical schools, state boards. Safe to repeat."

    def handle(self, **options):
        for load in parts("reference", "load"):
            load(self.stdout)
