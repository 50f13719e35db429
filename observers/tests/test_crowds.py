"""What firms are told of whoever wrote something."""

from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
from django.db import connection
from hypothesis import given
from hypothesis import strategies as st

from accounts.models import Member
from accounts.tests.factories import make_member, make_specialty
from observers import crowds
from observers.models import Crowd

GROUPS = st.sampled_from(["Urology", "Neurology", "Dermatology"])
REGIONS = st.sampled_from(["", "Pacific", "Mountain", "New England", "Territories"])


def crowd(group, region="", physicians=11):
    return Crowd(group=group, region=region, physicians=physicians)


class TestShown:
    def test_a_group_is_shown_from_eleven_physicians(self):
        assert crowds.shown_places([crowd("Urology", physicians=11)]) == {("Urology", "")}
        assert crowds.shown_places([crowd("Urology", physicians=10)]) == set()

    def test_a_region_is_shown_where_eleven_share_it_and_the_group(self):
        found = crowds.shown_places(
            [
                crowd("Urology", physicians=33),
                crowd("Urology", "Pacific", 22),
                crowd("Urology", "Mountain", 10),
            ]
        )

        assert found == {("Urology", ""), ("Urology", "Pacific")}

    def test_a_region_is_not_shown_where_few_were_left_over(self):
        found = crowds.shown_places(
            [
                crowd("Urology", physicians=28),
                crowd("Urology", "Pacific", 12),
                crowd("Urology", "Mountain", 11),
            ]
        )

        assert found == {("Urology", ""), ("Urology", "Pacific")}

    def test_nor_a_group(self):
        assert (
            crowds.shown_places([crowd("Urology", physicians=20), crowd("Neurology", physicians=3)]) == set()
        )

    @given(st.lists(st.tuples(GROUPS, REGIONS), max_size=120))
    def test_nobody_is_one_of_few_whatever_is_shown(self, physicians):
        sizes = Counter((group, region) for group, region in physicians if region)
        sizes += Counter((group, "") for group, _ in physicians)
        shown = crowds.shown_places([crowd(*place, number) for place, number in sizes.items()])

        said = Counter(crowds._words(place, shown) for place in physicians)

        assert all(number >= 11 for words, number in said.items() if words)
        assert said[""] == 0 or said[""] >= 11 or len(said) == 1


@pytest.mark.django_db
class TestFacts:
    def test_words_name_the_group_and_the_region_if_many_share_it(self):
        Crowd.objects.bulk_create([crowd("Urology", physicians=40), crowd("Urology", "Pacific", 20)])

        assert crowds.facts_of(
            [("Urology", "Pacific"), ("Urology", "Mountain"), ("Neurology", ""), ("", "")]
        ) == {
            ("Urology", "Pacific"): "Urology, Pacific",
            ("Urology", "Mountain"): "Urology, region not shown",
            ("Neurology", ""): "",
            ("", ""): "",
        }

    def test_facts_of_a_page_are_one_query(self, django_assert_num_queries):
        with django_assert_num_queries(1):
            crowds.facts_of([("Urology", "Pacific"), ("Neurology", "")])

    def test_who_is_counted_is_a_physician(self):
        make_member(specialty=make_specialty(), state="CA")
        make_member(specialty=make_specialty(), state="OR")
        make_member(specialty=make_specialty(), state="")
        make_member(specialty=make_specialty(), state="CA", standing=Member.Standing.SUSPENDED)
        group = make_specialty().group

        crowds.count()
        crowds.count()

        assert dict(Crowd.objects.values_list("region", "physicians")) == {"": 3, "Pacific": 2}
        assert set(Crowd.objects.values_list("group", flat=True)) == {group}

    @pytest.mark.django_db(transaction=True)
    def test_two_counts_at_once_end_well(self):
        make_member(specialty=make_specialty(), state="CA")
        together = Barrier(2)

        def one(_):
            try:
                together.wait(10)
                return [crowds.count() for _ in range(20)]
            finally:
                connection.close()

        with ThreadPoolExecutor(2) as pool:
            assert list(pool.map(one, range(2))) == [[2] * 20] * 2

    def test_a_region_kept_from_colleagues_is_kept_from_firms(self):
        member = make_member(specialty=make_specialty(), state="CA")
        group = member.specialty.group
        assert crowds.place_of(member) == (group, "")

        member.visibility = {"state": "physicians"}

        assert crowds.place_of(member) == (group, "Pacific")
