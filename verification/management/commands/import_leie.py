from verification.imports.command import ImportCommand
from verification.imports.leie import LeieImporter


class Command(ImportCommand):
    help = "Load the list of excluded people (OIG LEIE)."
    importer = LeieImporter
