import pytest
from django.core.management import CommandError

from verification import reference
from verification.models import Education, MedicalSchool
from verification.schools import SchoolIndex
from verification.tests.registry_files import SAMPLES, clinicians_file, load, number

pytestmark = pytest.mark.django_db


def clinician(serial: int = 1, **values: str) -> dict[str, str]:
    row = {"npi": number(serial), "cred": "MD", "med_sch": "YALE SCHOOL OF MEDICINE", "grd_yr": "2004"}
    return row | values


def import_rows(tmp_path, *rows) -> str:
    return load(
        "import_clinicians", clinicians_file(tmp_path / "DAC_NationalDownloadableFile.csv", list(rows))
    )


def test_the_sample_loads_as_its_description_says():
    load("import_clinicians", SAMPLES / "clinicians_sample.csv")

    assert Education.objects.count() == 188
    assert Education.objects.filter(school=None).count() == 22
    assert set(Education.objects.filter(school=None).values_list("school_text", flat=True)) == {"OTHER"}
    assert not Education.objects.filter(grad_year=None).exists()


def test_a_school_is_found_by_its_former_name(tmp_path):
    import_rows(
        tmp_path,
        clinician(1, med_sch="BOWMAN GRAY SCHOOL OF MEDICINE"),
        clinician(2, med_sch="UMDNJ-SCHOOL OF OSTEOPATHIC MEDICINE", cred="DO"),
    )

    schools = [row.school.name for row in Education.objects.order_by("pk")]
    assert schools == [
        "Wake Forest University School of Medicine",
        "Rowan-Virtua School of Osteopathic Medicine",
    ]


def test_other_and_unknown_schools_are_no_fact(tmp_path):
    out = import_rows(
        tmp_path, clinician(1, med_sch="OTHER"), clinician(2, med_sch="ROYAL COLLEGE OF SOMEWHERE")
    )

    assert list(Education.objects.order_by("pk").values_list("school", "grad_year")) == [
        (None, 2004),
        (None, 2004),
    ]
    assert "1 schools not on our list" in out


def test_a_row_without_school_and_year_is_skipped(tmp_path):
    out = import_rows(tmp_path, clinician(med_sch="OTHER", grd_yr=""))

    assert not Education.objects.exists()
    assert "skipped   1" in out


def test_one_row_for_each_place_of_practice_becomes_one(tmp_path):
    out = import_rows(
        tmp_path, *[clinician(1, citytown=city) for city in ("TAMPA", "MIAMI", "OCALA")], clinician(2)
    )

    assert Education.objects.count() == 2
    assert "merged    2 duplicates" in out


def test_what_rows_disagree_about_is_no_fact(tmp_path):
    import_rows(
        tmp_path,
        clinician(1, grd_yr="2004"),
        clinician(2),
        clinician(1, grd_yr="2005"),
        clinician(1, med_sch="OTHER", grd_yr=""),
    )

    found = Education.objects.get(pk=number(1))
    assert (found.school.name, found.grad_year) == ("Yale School of Medicine", None)


def test_bad_rows_are_rejected_and_bad_years_left_blank(tmp_path):
    out = import_rows(
        tmp_path,
        clinician(1, npi="1234567898"),
        clinician(2, grd_yr="19"),
        clinician(3, grd_yr="MMIV"),
        clinician(4),
    )

    assert list(Education.objects.order_by("pk").values_list("grad_year", flat=True)) == [None, None, 2004]
    assert "1 NPI is not valid" in out
    assert "2 graduation years unreadable" in out


def test_header_spellings_of_other_years_are_understood(tmp_path):
    path = tmp_path / "older.csv"
    path.write_text(
        "NPI,Ind PAC ID,Credential,Medical school name,Graduation year\n"
        f'"{number(1)}","1","MD","YALE SCHOOL OF MEDICINE","2004"\n'
    )

    load("import_clinicians", path)

    assert Education.objects.get().grad_year == 2004


def test_another_table_is_refused(tmp_path):
    path = tmp_path / "file.csv"
    path.write_text("npi,name\n")

    with pytest.raises(CommandError, match="lacks the columns: med_sch, grd_yr, cred"):
        load("import_clinicians", path)


@pytest.mark.parametrize(
    ("text", "credential", "name"),
    [
        ("UNIV OF MICHIGAN MEDICAL SCH", "MD", "University of Michigan Medical School"),
        ("Jefferson Medical College of Thomas Jefferson University", "", "Sidney Kimmel Medical College"),
        ("UNIVERSITY OF CALIFORNIA, IRVINE, SCHOOL OF MEDICINE", "MD", "University of California, Irvine"),
        (
            "MICHIGAN STATE UNIVERSITY COLLEGE OF OSTEOPATHIC MEDICINE",
            "DO",
            "Michigan State University College of Ost",
        ),
        ("WASHINGTON UNIVERSITY SCHOOL OF MEDICINE", "MD", "Washington University in St. Louis"),
        ("UNIVERSITY OF WASHINGTON SCHOOL OF MEDICINE", "MD", "University of Washington"),
        ("MEDICINE WASHINGTON UNIVERSITY SCHOOL", "MD", None),
        ("MICHIGAN STATE UNIVERSITY", "MD", None),
        ("UNIVERSITY OF CALIFORNIA", "MD", None),
        ("SCHOOL OF MEDICINE", "MD", None),
        ("", "MD", None),
    ],
)
def test_schools_match_on_their_words_or_not_at_all(text, credential, name):
    reference.load_schools()

    found = SchoolIndex(MedicalSchool.objects.all()).find(text, credential)

    assert (MedicalSchool.objects.get(pk=found).name.startswith(name)) if name else found is None


def test_every_name_of_every_school_leads_back_to_it():
    reference.load_schools()
    index = SchoolIndex(MedicalSchool.objects.all())

    lost = [
        (school.name, name)
        for school in MedicalSchool.objects.all()
        for name in (school.name, *school.former_names)
        if index.find(name.upper(), school.degree) != school.pk
    ]

    assert lost == []
