import pytest
from django.core.management import CommandError

from verification.models import Exclusion
from verification.tests.registry_files import SAMPLES, leie_file, load, number

pytestmark = pytest.mark.django_db


def excluded(**values: str) -> dict[str, str]:
    row = {
        "LASTNAME": "Fernwick",
        "FIRSTNAME": "Magnus",
        "GENERAL": "PHYSICIAN (MD, DO)",
        "NPI": "0000000000",
        "DOB": "19400115",
        "STATE": "FL",
        "EXCLTYPE": "1128a1",
        "EXCLDATE": "20100420",
        "REINDATE": "00000000",
        "WAIVERDATE": "00000000",
    }
    return row | values


def import_rows(tmp_path, *rows) -> str:
    return load("import_leie", leie_file(tmp_path / "UPDATED.csv", list(rows)))


def test_the_sample_loads_as_its_description_says():
    out = load("import_leie", SAMPLES / "leie_sample.csv")

    assert "10 people excluded, 4 of them with an NPI" in out
    assert "skipped   2" in out
    assert Exclusion.objects.filter(npi=None).count() == 6


def test_a_row_arrives_with_normal_keys(tmp_path):
    import_rows(tmp_path, excluded(LASTNAME="O'BRIEN-DÍAZ", FIRSTNAME="Mary Ann", NPI=number(1)))

    row = Exclusion.objects.get()
    assert (row.npi, row.last_key, row.first_key, row.state) == (number(1), "obriendiaz", "mary", "FL")
    assert (row.excltype, str(row.excluded_on)) == ("1128a1", "2010-04-20")


def test_dates_of_birth_are_nowhere_stored():
    assert not [
        field.name for field in Exclusion._meta.get_fields() if "birth" in field.name or "dob" in field.name
    ]


@pytest.mark.parametrize("npi", ["0000000000", "", "1234567898"])
def test_an_unknown_or_wrong_npi_is_null_and_the_name_still_counts(tmp_path, npi):
    import_rows(tmp_path, excluded(NPI=npi))

    assert Exclusion.objects.get().npi is None


def test_people_reinstated_by_now_and_organizations_are_left_out(tmp_path):
    out = import_rows(
        tmp_path,
        excluded(REINDATE="20200101"),
        excluded(REINDATE="29990101"),
        excluded(LASTNAME="", FIRSTNAME="", BUSNAME="CLINIC LLC"),
        excluded(LASTNAME="", FIRSTNAME=""),
    )

    assert Exclusion.objects.count() == 1
    assert "skipped   2" in out
    assert "1 neither a person nor an organization" in out


def test_the_same_row_twice_is_one_and_two_exclusions_stay_two(tmp_path):
    out = import_rows(tmp_path, excluded(), excluded(), excluded(EXCLTYPE="1128b4"))

    assert Exclusion.objects.count() == 2
    assert "merged    1 duplicates" in out


def test_a_file_without_the_layout_is_refused(tmp_path):
    path = tmp_path / "file.csv"
    path.write_text("LASTNAME,FIRSTNAME\n")

    with pytest.raises(CommandError, match="lacks the columns: MIDNAME"):
        load("import_leie", path)
