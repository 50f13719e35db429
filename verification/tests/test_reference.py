from io import StringIO

import pytest

from verification import demo_registry, reference
from verification.models import Education, Exclusion, ImportRun, MedicalSchool, Provider, StateBoard

pytestmark = pytest.mark.django_db


def test_schools_and_boards_are_loaded_once_and_keep_their_ids():
    reference.load(StringIO())
    before = dict(MedicalSchool.objects.values_list("name", "pk"))

    reference.load(StringIO())

    assert dict(MedicalSchool.objects.values_list("name", "pk")) == before
    assert MedicalSchool.objects.count() == 242
    assert MedicalSchool.objects.filter(degree="MD", status="open").count() == 163
    assert MedicalSchool.objects.filter(degree="DO", status="open", campus_of=None).count() == 49
    assert StateBoard.objects.count() == 69


def test_a_changed_row_is_put_right():
    reference.load(StringIO())
    MedicalSchool.objects.filter(name="PCOM Georgia").update(campus_of=None, city="Nowhere")

    reference.load(StringIO())

    school = MedicalSchool.objects.get(name="PCOM Georgia")
    assert (school.city, school.campus_of.name) == ("Suwanee", "Philadelphia College of Osteopathic Medicine")


@pytest.mark.parametrize(
    ("history", "names"),
    [
        ("", []),
        ("UCLA School of Medicine", ["UCLA School of Medicine"]),
        ("Brown Medical School; Brown University Program in Medicine",
         ["Brown Medical School", "Brown University Program in Medicine"]),
        ("Earlier Woman's Medical College of Pennsylvania; now Drexel University College of Medicine",
         ["Woman's Medical College of Pennsylvania"]),
        ("Merged with Medical College of Pennsylvania; now Drexel University College of Medicine", []),
        ("Became California College of Medicine (MD), now University of California, Irvine", []),
    ],
)  # fmt: skip
def test_former_names_are_told_from_what_became_of_a_school(history, names):
    assert reference.former_names(history) == names


def test_the_samples_are_loaded_once():
    demo_registry.load_samples(StringIO())
    demo_registry.load_samples(StringIO())

    assert (Provider.objects.count(), Education.objects.count(), Exclusion.objects.count()) == (256, 188, 10)
    assert ImportRun.objects.count() == 3


def test_the_samples_never_replace_a_registry():
    Provider.objects.create(npi="1234567893", is_physician=True, is_resident=False, run_id=1)

    demo_registry.load_samples(StringIO())

    assert Provider.objects.get().pk == "1234567893"
