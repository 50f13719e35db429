from datetime import UTC, datetime, timedelta

import pytest
from django.conf import settings
from django.urls import reverse

from accounts.models import Member
from accounts.services.leaving import leave
from conftest import client_of
from verification.models import Claim
from verification.models.claims import Method, State
from verification.services import badge
from verification.tests.factories import make_applicant, make_claim, make_provider

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("schools", "specialties")]
MARCH = datetime(2026, 3, 17, 12, tzinfo=UTC)
MOST = settings.SMALL_CELL


def make_verified(number=1, *, at=MARCH, method="document", state=State.VERIFIED, score=1.0):
    """So many members whose licenses were verified alike; the last one."""
    for _ in range(number):
        member = make_applicant(standing="read_only" if state == State.LAPSED else "physician")
        make_claim(
            member,
            make_provider(),
            state=state,
            method=method,
            verified_at=at,
            decided_at=at,
            name_score=score,
        )
    return member


def words(member):
    return badge.badge_of(member).words


def test_what_was_verified_how_and_in_which_month():
    assert words(make_verified(MOST)) == "License verified March 2026, registry and document"


@pytest.mark.parametrize(
    ("method", "how"),
    [
        ("vouch", "registry and three colleagues"),
        ("phone", "registry and a call to the registered number"),
        ("fax", "registry and a fax to the registered number"),
        ("endpoint", "registry and an entry in the own record"),
        ("email", "registry and hospital mail"),
        ("pioneer", "registry and document"),
    ],
)
def test_each_way_in_words(method, how):
    assert words(make_verified(MOST, method=method)) == f"License verified March 2026, {how}"


def test_every_way_has_words():
    assert set(badge._WAYS) == set(Method.values)


def test_outside_the_registry_it_does_not_say_registry():
    assert words(make_verified(MOST, score=None)) == "License verified March 2026, document"


def test_what_ten_share_is_the_year():
    make_verified(MOST - 1, at=MARCH - timedelta(days=60))

    assert words(make_verified(MOST - 1)) == "License verified 2026, registry and document"


def test_the_few_outside_a_month_of_many_are_not_told_apart_by_the_year():
    make_verified(MOST, at=MARCH - timedelta(days=60))

    assert words(make_verified(MOST - 1)) == "License verified"


def test_what_ten_share_of_a_year_is_nothing():
    make_verified(MOST, at=MARCH - timedelta(days=365))

    assert words(make_verified(MOST - 1)) == "License verified"


@pytest.mark.parametrize("other", [{"method": "vouch"}, {"score": None}, {"state": State.RETIRED}])
def test_only_those_who_share_all_of_it_count(other):
    make_verified(MOST, **other)

    assert words(make_verified()) == "License verified"


def test_pioneers_and_documents_are_one_crowd():
    make_verified(MOST - 1, method="pioneer")

    assert words(make_verified()) == "License verified March 2026, registry and document"


@pytest.mark.parametrize("state", [State.NEEDS_REVIEW_HELD, State.DISPUTED_HOLDER])
def test_what_is_being_decided_is_told_to_nobody(state):
    make_verified(MOST - 1)

    assert words(make_verified(state=state)) == "License verified March 2026, registry and document"


def test_retired_and_lapsed_say_so_where_many_are():
    retired, lapsed = make_verified(MOST, state=State.RETIRED), make_verified(MOST, state=State.LAPSED)

    assert words(retired) == "Retired, license verified March 2026, registry and document"
    assert words(lapsed) == "License to be checked anew, verified March 2026, registry and document"


@pytest.mark.parametrize("state", [State.RETIRED, State.LAPSED])
def test_the_only_one_who_retired_is_not_singled_out(state):
    make_verified(MOST)

    assert words(make_verified(state=state)) == "License verified"


def test_the_month_is_the_month_of_utc():
    late = datetime(2025, 12, 31, 23, 59, 59, tzinfo=UTC)

    assert "December 2025" in words(make_verified(MOST, at=late))
    assert words(make_verified(1, at=late + timedelta(seconds=1))) == "License verified"


def test_of_a_member_without_a_claim_and_of_who_left_it_says_the_least(physician):
    assert words(physician) == "License verified"
    make_verified(MOST)
    gone = make_verified()
    leave(gone.user)

    assert words(Member.objects.get(pk=gone.pk)) == "License verified"


def test_it_says_neither_state_nor_number_nor_name():
    member = make_verified(MOST)
    claim = Claim.objects.get(user=member.user)

    said = words(member)

    for hidden in ("Michigan", "MI ", claim.typed["npi"], *claim.typed_name.split()):
        assert hidden not in said


# On pages


def test_the_page_of_a_handle_says_it_without_hovering():
    member = make_verified(MOST)

    page = client_of(member).get(member.get_absolute_url()).content.decode()

    assert page.count("License verified March 2026, registry and document") == 1
    assert reverse("about", args=["verification"]) + "#badge" in page


def test_the_page_of_a_name_shares_nothing_with_it():
    member = make_verified(MOST)
    Member.objects.filter(pk=member.pk).update(byline_mode="public", display_name="Ottoline Quillfeather, MD")

    page = client_of(member).get(member.physician_url).content.decode()

    assert "license verified" in page
    assert "2026, registry" not in page


def test_a_list_of_bylines_asks_no_more(physician_client, django_assert_max_num_queries):
    make_verified(MOST)
    with django_assert_max_num_queries(30) as asked:
        physician_client.get(reverse("questions:list"))

    assert not [query for query in asked.captured_queries if "verification_claim" in query["sql"]]


def test_the_badge_costs_two_queries_and_one_when_asked_again(django_assert_num_queries):
    member = make_verified(MOST)
    with django_assert_num_queries(2):
        badge.badge_of(member)

    with django_assert_num_queries(1):
        assert "March 2026" in words(member)
