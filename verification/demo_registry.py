"""The synthetic registry of the demo: three sample files, through the importers that read the real ones."""

from pathlib import Path

from verification.imports.clinicians import CliniciansImporter
from verification.imports.frame import Importer, Options
from verification.imports.leie import LeieImporter
from verification.imports.nppes import NppesImporter
from verification.models import Education, Exclusion, Provider

SAMPLES = Path(__file__).parent / "data" / "samples"
_SOURCES = (
    (NppesImporter, Provider, "nppes_sample.csv"),
    (CliniciansImporter, Education, "clinicians_sample.csv"),
    (LeieImporter, Exclusion, "leie_sample.csv"),
)


def load_samples(stdout) -> None:
    """Fill empty registry tables from the samples. A table with rows is left alone: no registry is lost."""
    for importer, model, file_name in _SOURCES:
        if not model.objects.exists():
            _load(importer, file_name, stdout)


def _load(importer: type[Importer], file_name: str, stdout) -> None:
    # --again: the tables are empty, whatever the record of runs says.
    importer(str(SAMPLES / file_name), Options(again=True), stdout).run()
