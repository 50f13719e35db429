from verification.imports.command import ImportCommand
from verification.imports.nppes import NppesImporter


class Command(ImportCommand):
    help = "Load the registry of providers (NPPES), or a weekly increment of it."
    importer = NppesImporter
    has_weekly_files = True
