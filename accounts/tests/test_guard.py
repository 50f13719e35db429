from itertools import product
from time import perf_counter

import pytest
from django.db import connection
from django.test.utils import CaptureQueriesContext

from accounts import faces, guard
from accounts.guard import Attributes, Combination, Crowd, as_wanted, coarsen
from accounts.models import Member
from accounts.places import REGION_OF
from accounts.services import guard as guarding
from accounts.services import members, profiles
from accounts.tasks import recheck_faces
from accounts.tests.factories import make_member, make_specialty

CARDIOLOGIST = Attributes("Internal Medicine", "Cardiovascular Disease", "", "MN", "11-20")


def crowd(**numbers):
    """So many cardiologists of each "state years", such as MN_11_20=10."""
    rows = []
    for words, number in numbers.items():
        state, _, years = words.partition("_")
        years = years.replace("_", "-")
        rows.append((Attributes("Internal Medicine", "Cardiovascular Disease", "", state, years), number))
    return Crowd(rows)


# The rule, without a database


def test_a_combination_that_eleven_share_is_shown_and_one_that_ten_share_is_not():
    assert coarsen(CARDIOLOGIST, crowd(MN_11_20=11), 11) == as_wanted(CARDIOLOGIST)
    assert coarsen(CARDIOLOGIST, crowd(MN_11_20=10), 11) == Combination("Internal Medicine")


def test_the_top_level_specialty_is_always_shown():
    assert coarsen(CARDIOLOGIST, Crowd([]), 11).specialty == "Internal Medicine"


def test_the_state_gives_way_to_its_region_and_the_region_to_nothing():
    assert coarsen(CARDIOLOGIST, crowd(MN_11_20=5, IA_11_20=6), 11).state == ""
    assert coarsen(CARDIOLOGIST, crowd(MN_11_20=5, IA_11_20=6), 11).region == "West North Central"
    assert coarsen(CARDIOLOGIST, crowd(MN_11_20=5, TX_11_20=6), 11).region == ""


def test_years_give_way_to_one_of_two_halves():
    shown = coarsen(CARDIOLOGIST, crowd(MN_11_20=5, MN_21_30=6), 11)

    assert (shown.years, shown.state) == ("11+", "MN")


def test_the_specialty_is_kept_before_years_and_years_before_the_place():
    few_in_state = coarsen(CARDIOLOGIST, crowd(MN_11_20=3, MN_0_5=8, TX_11_20=8), 11)
    assert (few_in_state.specialty, few_in_state.years, few_in_state.region) == (
        "Cardiovascular Disease",
        "11-20",
        "",
    )

    rows = [
        (CARDIOLOGIST, 10),
        (Attributes("Internal Medicine", "Nephrology", "", "MN", "11-20"), 20),
    ]
    few_cardiologists = coarsen(CARDIOLOGIST, Crowd(rows), 11)
    assert few_cardiologists == Combination(
        "Internal Medicine", state="MN", region="West North Central", years="11-20"
    )


def test_each_language_is_counted_beside_everything_else():
    speaker = Attributes("Neurology", "Neurology", languages=("es", "vi"))
    rows = [(speaker, 3), (Attributes("Neurology", "Neurology", languages=("es",)), 9)]

    assert coarsen(speaker, Crowd(rows), 11).languages == ("es",)


def test_members_are_counted_by_what_is_true_of_them_however_little_they_show():
    silent = Attributes("Neurology", "Neurology", "", "MN", "11-20")
    wanted = Attributes("Neurology", "Neurology", "", "MN", "")

    assert coarsen(wanted, Crowd([(silent, 11)]), 11).state == "MN"


def test_somebody_who_never_said_a_state_is_not_counted_in_one():
    rows = [(Attributes("Neurology", "Neurology", "", "MN"), 10), (Attributes("Neurology", "Neurology"), 50)]

    assert coarsen(Attributes("Neurology", "Neurology", "", "MN"), Crowd(rows), 11).region == ""


def test_nothing_is_shown_that_was_not_wanted():
    true = Attributes("Internal Medicine", "Nephrology", "", "MN", "11-20", ("es",))
    wanted = Attributes("Internal Medicine", "Nephrology")

    assert coarsen(wanted, Crowd([(true, 500)]), 11) == Combination("Nephrology")


def test_whatever_is_shown_fits_enough_members_and_nothing_finer_in_the_same_order_does():
    states, years, languages = ("MN", "IA", "TX"), ("6-10", "11-20", "21-30"), ((), ("es",), ("es", "vi"))
    rows = [
        (Attributes("G", specialty, sub, state, band, spoken), 1 + number % 4)
        for number, (specialty, sub, state, band, spoken) in enumerate(
            product(("G", "A"), ("", "S"), states, years, languages)
        )
    ]
    people = [attributes for attributes, number in rows for _ in range(number)]
    everybody = Crowd(rows)
    for least, wanted in product((2, 5, 11, 40), [attributes for attributes, _ in rows]):
        shown = coarsen(wanted, everybody, least)
        fitting = sum(_fits(person, shown, wanted.group) for person in people)
        finer = [one for one in _all_coarser(wanted) if one.detail("G") > shown.detail("G")]

        assert shown == Combination("G") or fitting >= least
        assert all(sum(_fits(person, one, "G") for person in people) < least for one in finer)


def _fits(person, shown, group):
    """The definition, spelled out."""
    return (
        shown.specialty in (group, person.specialty)
        and shown.subspecialty in ("", person.subspecialty)
        and shown.state in ("", person.state)
        and shown.region in ("", REGION_OF.get(person.state))
        and shown.years in ("", person.years, guard.HALVES.get(person.years))
        and set(shown.languages) <= set(person.languages)
    )


def _all_coarser(wanted):
    """Every combination the lattice below a wish holds."""
    region = REGION_OF[wanted.state]
    places = [(wanted.state, region), ("", region), ("", "")]
    spoken = [wanted.languages[:number] for number in range(len(wanted.languages) + 1)]
    for specialty, years, (state, place), sub, languages in product(
        {wanted.specialty, wanted.group},
        (wanted.years, guard.HALVES[wanted.years], ""),
        places,
        {wanted.subspecialty, ""},
        spoken,
    ):
        yield Combination(specialty, sub, state, place, years, languages)


def test_a_hundred_thousand_members_are_rechecked_in_seconds():
    states = sorted(REGION_OF)
    rows = [
        (Attributes("G", f"S{n % 20}", f"U{n % 7}", states[n % 56], "11-20", ("es", "vi")[: n % 3]), 1)
        for n in range(25_000)
    ]
    started = perf_counter()
    everybody = Crowd(rows)
    for attributes, _ in rows:
        coarsen(attributes, everybody, 11)

    assert perf_counter() - started < 10


# Members and their faces


@pytest.fixture
def cardiology(db):
    make_specialty("Internal Medicine")
    return make_specialty("Cardiovascular Disease", group="Internal Medicine")


def make_cardiologists(number, **fields):
    return [make_member(specialty="Cardiovascular Disease", **fields) for _ in range(number)]


SHOWN = {"state": "physicians", "years_band": "physicians"}


def test_saving_a_profile_stores_what_the_handle_shows(cardiology):
    make_cardiologists(10, state="MN", years_band="11-20")
    member = profiles.change_profile(
        member=make_cardiologists(1)[0], state="MN", years_band="11-20", visibility=SHOWN
    )

    member.refresh_from_db()
    assert member.face == {
        "specialty": "Cardiovascular Disease",
        "subspecialty": "",
        "state": "MN",
        "region": "West North Central",
        "years": "11-20",
        "languages": [],
    }


def test_applicants_suspended_and_former_members_are_not_counted(cardiology):
    make_cardiologists(8, state="MN")
    make_cardiologists(1, state="MN", standing="applicant")
    make_cardiologists(1, state="MN", standing="suspended")
    former = make_cardiologists(1, state="MN")[0]
    former.user.delete()
    make_cardiologists(1, state="MN", standing="read_only")
    member = make_cardiologists(1)[0]

    saved = profiles.change_profile(member=member, state="MN", visibility=SHOWN)

    assert saved.face["state"] == ""
    assert guarding.crowd_of("Internal Medicine").total == 10


def test_an_applicant_gets_a_face_with_the_license(cardiology):
    make_cardiologists(10)
    applicant = make_cardiologists(1, standing="applicant")[0]
    assert guarding.refresh(applicant) == Combination()
    assert applicant.face == {}

    verified = members.set_standing(member=applicant, standing="physician")
    assert verified.face["specialty"] == "Cardiovascular Disease"

    suspended = members.set_standing(member=applicant, standing="suspended")
    assert suspended.face == {}


def test_the_night_coarsens_what_too_few_share_now_and_refines_it_back(cardiology):
    crowd = make_cardiologists(11, state="MN", visibility=SHOWN)
    assert guarding.recheck() == guarding.Recheck(checked=11, refined=11)

    members.set_standing(member=crowd[0], standing="suspended")
    assert guarding.recheck() == guarding.Recheck(checked=10, coarsened=10)
    crowd[1].refresh_from_db()
    assert crowd[1].face["specialty"] == "Internal Medicine"
    assert crowd[1].face["region"] == ""

    members.set_standing(member=crowd[0], standing="physician")
    done = guarding.recheck()
    crowd[1].refresh_from_db()
    assert (done.checked, done.refined) == (11, 10)
    assert crowd[1].face["state"] == "MN"


def test_the_night_refines_to_what_a_member_chose_and_no_further(cardiology):
    crowd = make_cardiologists(30, state="MN", years_band="11-20", visibility={"years_band": "physicians"})

    guarding.recheck()

    crowd[0].refresh_from_db()
    assert (crowd[0].face["years"], crowd[0].face["state"], crowd[0].face["region"]) == ("11-20", "", "")


def test_a_second_night_changes_nothing_and_writes_nothing(cardiology):
    make_cardiologists(12, state="MN", visibility=SHOWN)
    guarding.recheck()

    with CaptureQueriesContext(connection) as queries:
        assert guarding.recheck() == guarding.Recheck(checked=12)
    writes = [query["sql"] for query in queries if query["sql"].startswith("UPDATE")]
    assert len(writes) == 1  # of those who are not counted any more, of whom there are none


def test_the_night_goes_by_batches(cardiology, monkeypatch):
    monkeypatch.setattr(guarding, "BATCH", 5)
    make_cardiologists(12, state="MN", visibility=SHOWN)

    assert guarding.recheck().checked == 12
    assert not Member.objects.filter(face={}).exists()


def test_the_face_of_somebody_no_longer_counted_is_forgotten(cardiology):
    member = make_cardiologists(12)[0]
    guarding.recheck()
    Member.objects.filter(pk=member.pk).update(standing="suspended")

    guarding.recheck()

    member.refresh_from_db()
    assert member.face == {}


def test_a_profile_saved_while_the_night_counts_is_not_undone(cardiology, monkeypatch):
    people = make_cardiologists(12, state="MN", visibility=SHOWN)
    guarding.recheck()
    count = guarding.crowd_of

    def count_slowly(group):
        crowd = count(group)
        if group == "Internal Medicine":
            profiles.change_profile(member=people[0], visibility={"state": "me"})
        return crowd

    monkeypatch.setattr(guarding, "crowd_of", count_slowly)
    guarding.recheck()

    people[0].refresh_from_db()
    assert (people[0].face["state"], people[0].face["region"]) == ("", "")


def test_the_task_rechecks(cardiology):
    make_cardiologists(11)

    recheck_faces()

    assert Member.objects.filter(face__specialty="Cardiovascular Disease").count() == 11


def test_one_member_is_judged_as_the_night_judges_everybody(cardiology):
    spoken, levels = [["es"], ["es", "vi"], []], dict.fromkeys(faces.GUARDED_FIELDS, "physicians")
    top = make_specialty("Internal Medicine")
    sub = make_specialty("Interventional Cardiology", group="Internal Medicine")
    for number in range(60):
        make_member(
            specialty=(cardiology, top)[number % 5 == 4],
            state=("MN", "IA", "TX")[number % 3],
            years_band=("0-5", "6-10", "21-30", "31+")[number // 3 % 4],
            subspecialty=sub if number % 7 < 3 else None,
            languages=spoken[number // 5 % 3],
            visibility=levels if number % 2 else {"state": "physicians", "languages": "physicians"},
        )
    guarding.recheck()

    people = Member.objects.for_profile()
    assert {member.pk: guarding.combination_for(member).as_face() for member in people} == {
        member.pk: member.face for member in people
    }


def test_one_member_costs_one_count_and_one_write(cardiology, django_assert_num_queries):
    make_cardiologists(12, state="MN", visibility=SHOWN)
    member = Member.objects.for_profile().first()

    with django_assert_num_queries(2):
        guarding.refresh(member)


def test_a_member_is_told_what_is_shown_instead_and_why(cardiology):
    make_cardiologists(6, state="MN", years_band="11-20")
    make_cardiologists(6, state="IA", years_band="11-20")
    member = profiles.change_profile(
        member=make_cardiologists(1)[0], state="MN", years_band="11-20", visibility=SHOWN
    )

    assert guarding.why_coarser_now(member) == (
        "Fewer than 11 members share Minnesota and 11 to 20 years in Cardiovascular Disease, "
        "so colleagues see West North Central."
    )


def test_a_member_of_a_small_specialty_is_told_too(cardiology):
    member = profiles.change_profile(member=make_cardiologists(1)[0])

    assert guarding.why_coarser_now(member) == (
        "Fewer than 11 members practice Cardiovascular Disease, so colleagues see Internal Medicine."
    )


def test_nobody_is_told_anything_where_all_is_shown(cardiology):
    make_cardiologists(11)
    member = profiles.change_profile(member=make_cardiologists(1)[0], state="MN")

    assert guarding.why_coarser_now(member) == ""


def test_a_rehearsal_counts_the_member_as_they_would_be_and_saves_nothing(cardiology):
    make_cardiologists(10, state="MN")
    member = make_cardiologists(1, state="TX")[0]

    seen, why = profiles.rehearse(member=member, state="MN", visibility=SHOWN)

    assert (seen.face["state"], why) == ("MN", "")
    member.refresh_from_db()
    assert (member.state, member.face, member.visibility) == ("TX", {}, {})
