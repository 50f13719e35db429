import pytest

from accounts.tests.factories import make_specialty
from verification import reference
from verification.tests.factories import (
    CARDIOLOGY,
    make_applicant,
    make_provider,
    make_reviewer,
)


@pytest.fixture
def schools(db):
    reference.load_schools()


@pytest.fixture
def specialties(db):
    make_specialty("Cardiovascular Disease", CARDIOLOGY)
    for name in ("Dermatology", "Neurology", "Nephrology", "Urology", "Pediatrics", "Psychiatry"):
        make_specialty(name)


@pytest.fixture
def provider(schools, specialties):
    """Someone in the registry, with seven facts."""
    return make_provider(number="4301977598")


@pytest.fixture
def seeker(db):
    """An applicant who has claimed nothing yet."""
    return make_applicant()


@pytest.fixture
def reviewer(db):
    return make_reviewer()


@pytest.fixture
def second_reviewer(db):
    return make_reviewer()


@pytest.fixture(autouse=True)
def private_files(settings, tmp_path):
    """Documents of tests go into a folder of their own."""
    private = {**settings.STORAGES["private"], "OPTIONS": {"location": tmp_path, "base_url": None}}
    settings.STORAGES = {**settings.STORAGES, "private": private}
    return tmp_path
