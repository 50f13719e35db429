from verification.imports.clinicians import CliniciansImporter
from verification.imports.command import ImportCommand


class Command(ImportCommand):
    help = "Load medical schools and graduation years (CMS Doctors and Clinicians)."
    importer = CliniciansImporter
