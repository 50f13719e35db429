from datetime import timedelta
from io import StringIO

import pytest
from allauth.usersessions.models import UserSession
from django.core.management import CommandError, call_command
from django.db import connection
from django.db.models import Q
from django.test import Client
from django.utils import timezone

from accounts.models import Member
from sermo.crypto import keyed_hash
from sermo.errors import RuleBroken
from verification.models import Claim, Event, Exclusion, ImportRun, Provider
from verification.models.claims import State
from verification.models.registry import DOUBLE_NAME
from verification.services import decisions, held, outcome, proofs, rechecks
from verification.tests import registry_files
from verification.tests.factories import image_bytes, make_claim, make_exclusion, make_provider
from verification.tests.license_cases import mails, make_licensed, note_run, now, reasons
from verification.tests.registry_files import leie_file, load, nppes_file, number, stub

pytestmark = [pytest.mark.django_db, pytest.mark.usefixtures("schools", "specialties")]


def person(serial, **values):
    """Each with a license of their own."""
    return registry_files.person(serial, **{"license": f"ME78{serial:04}", **values})


def make_known(serial=1, *, state=State.VERIFIED, **values):
    """Whoever the file's person of this number is, verified."""
    return make_licensed(state, provider=Provider.objects.get(npi=number(serial)), **values)


@pytest.fixture
def registry_of_three(tmp_path):
    """Three people, loaded from a full file and compared with."""
    load("import_nppes", nppes_file(tmp_path / "full.csv", [person(1), person(2), person(3)]))
    rechecks.recheck_due()


def import_full(tmp_path, *rows, **options):
    path = nppes_file(tmp_path / f"full{ImportRun.objects.count()}.csv", list(rows))
    load("import_nppes", path, max_drop=100, **options)
    return rechecks.recheck_due()


def import_weekly(tmp_path, *rows):
    path = nppes_file(tmp_path / f"week{ImportRun.objects.count()}.csv", list(rows))
    load("import_nppes", path, weekly=True)
    return rechecks.recheck_due()


LATER = {"updated": "11/02/2026"}


# The registry


@pytest.mark.parametrize("import_file", [import_full, import_weekly])
def test_a_changed_name_goes_to_reviewers_and_the_member_writes_on(tmp_path, registry_of_three, import_file):
    claim, other = make_known(1), make_known(2)

    import_file(tmp_path, person(1, last="OTHERWISE", **LATER), person(2), person(3))

    assert (now(claim).state, now(claim).doubts) == (State.NEEDS_REVIEW_HELD, ["new_name"])
    assert now(claim).queued_at
    assert Member.objects.get(user=claim.user).standing == "physician"
    assert now(other).state == State.VERIFIED


def test_an_npi_that_vanished_goes_to_reviewers(tmp_path, registry_of_three):
    claim = make_known(1)

    import_full(tmp_path, person(2), person(3))

    assert (now(claim).state, now(claim).doubts) == (State.NEEDS_REVIEW_HELD, ["gone"])


def test_an_npi_that_a_weekly_file_does_not_name_is_not_gone(tmp_path, registry_of_three):
    claim = make_known(1)

    import_weekly(tmp_path, person(2, last="OTHERWISE", **LATER))

    assert now(claim).state == State.VERIFIED


@pytest.mark.parametrize("import_file", [import_full, import_weekly])
def test_a_deactivated_npi_goes_to_reviewers(tmp_path, registry_of_three, import_file):
    claim = make_known(1)

    import_file(tmp_path, stub(1, "11/01/2026"), person(2), person(3))

    assert (now(claim).state, now(claim).doubts) == (State.NEEDS_REVIEW_HELD, ["deactivated"])


def test_a_new_address_or_a_middle_name_is_no_doubt(tmp_path, registry_of_three):
    claim = make_known(1)

    import_weekly(tmp_path, person(1, city="MIAMI", middle="ROSE", **LATER))

    assert (now(claim).state, now(claim).doubts) == (State.VERIFIED, [])


def test_the_same_import_twice_changes_nothing(tmp_path, registry_of_three):
    make_known(1)
    make_known(2)
    rows = [person(1, last="OTHERWISE", **LATER), person(3)]
    import_full(tmp_path, *rows)
    before = (
        Event.objects.count(),
        list(Claim.objects.order_by("pk").values("state", "queued_at", "doubts")),
    )

    import_full(tmp_path, *rows, again=True)

    after = (Event.objects.count(), list(Claim.objects.order_by("pk").values("state", "queued_at", "doubts")))
    assert after == before


def test_what_a_reviewer_judged_is_the_new_yardstick(tmp_path, registry_of_three, reviewer):
    claim = make_known(1)
    married = person(1, last="OTHERWISE", **LATER)
    import_full(tmp_path, married, person(2), person(3))
    held.answer(claim=claim, by=reviewer, act="keep", reason="record_fits", note="Married this year.")

    import_full(tmp_path, married | {"Provider Middle Name": "R"}, person(2), person(3))

    assert now(claim).state == State.VERIFIED
    assert now(claim).registry["last_name"] == "OTHERWISE"


@pytest.mark.parametrize("state", [State.LAPSED, State.DISPUTED_HOLDER])
def test_a_lapsed_or_disputed_claim_keeps_its_state_and_gets_the_doubt(tmp_path, registry_of_three, state):
    claim = make_known(1, state=state)

    import_full(tmp_path, person(2), person(3))

    assert (now(claim).state, now(claim).doubts) == (state, ["gone"])
    assert bool(now(claim).queued_at) == (state == State.LAPSED)


@pytest.mark.parametrize("state", [State.RETIRED, State.SUSPENDED])
def test_who_retired_gives_the_number_back(tmp_path, registry_of_three, state):
    claim = make_known(1, state=state)

    import_full(tmp_path, person(2), person(3))

    assert (now(claim).state, now(claim).doubts) == (state, [])


def test_an_npi_that_was_typed_and_never_found_is_not_gone(tmp_path, registry_of_three):
    claim = make_known(1)
    claim.identity = {**claim.identity, "registry": None}
    claim.save()

    import_full(tmp_path, person(2), person(3))

    assert now(claim).state == State.VERIFIED


def test_changes_of_an_import_that_was_never_compared_are_found_with_the_next(tmp_path, registry_of_three):
    claim = make_known(1)
    changed = person(1, last="OTHERWISE", **LATER)
    load("import_nppes", nppes_file(tmp_path / "a.csv", [changed, person(2), person(3)]))

    import_full(tmp_path, changed, person(2), person(3, last="THIRD"))

    assert now(claim).doubts == ["new_name"]


@pytest.mark.parametrize("import_file", [import_full, import_weekly])
@pytest.mark.parametrize("state", [State.CHALLENGED, State.SUSPENDED])
def test_what_changed_before_a_claim_held_its_license_is_found_later(
    tmp_path, registry_of_three, state, import_file
):
    """Whoever is verified with an older record, or given back by moderators, was not compared meanwhile."""
    claim = make_known(1, state=state)
    changed = [person(1, last="OTHERWISE", **LATER), person(2), person(3)]
    import_full(tmp_path, *changed)
    Claim.objects.filter(pk=claim.pk).update(state=State.VERIFIED, state_at=timezone.now())

    import_file(tmp_path, *changed[:2], person(3, last="ELSEWISE", **LATER))

    assert now(claim).doubts == ["new_name"]


def test_only_those_whose_record_changed_are_decrypted(tmp_path, registry_of_three, monkeypatch):
    changed, same = make_known(1), make_known(2)
    Claim.objects.update(state_at=timezone.now() - timedelta(days=1))
    seen = []
    known = rechecks._doubt_record
    monkeypatch.setattr(
        rechecks, "_doubt_record", lambda claim, provider: seen.append(claim.pk) or known(claim, provider)
    )

    import_full(tmp_path, person(1, last="OTHERWISE", **LATER), person(2), person(3))

    assert seen == [changed.pk]
    assert now(same).state == State.VERIFIED


# Exclusions


def import_list(tmp_path, *rows):
    load(
        "import_leie", leie_file(tmp_path / f"list{ImportRun.objects.count()}.csv", list(rows)), max_drop=100
    )
    return rechecks.recheck_due()


def excluded(**values):
    row = {"LASTNAME": "NOBODY", "FIRSTNAME": "N", "NPI": "0000000000", "STATE": "MI", "EXCLTYPE": "1128a1"}
    return row | {"EXCLDATE": "20261020", "REINDATE": "00000000", "WAIVERDATE": "00000000"} | values


OTHERS = excluded(LASTNAME="SOMEBODY")


@pytest.mark.parametrize(
    "state", [State.VERIFIED, State.NEEDS_REVIEW_HELD, State.DISPUTED_HOLDER, State.LAPSED, State.RETIRED]
)
def test_an_excluded_npi_is_suspended_and_logged_out(tmp_path, state):
    claim = make_licensed(state)
    browser = Client()
    browser.force_login(claim.user)
    UserSession.objects.get_or_create(
        session_key=browser.session.session_key,
        defaults={"user": claim.user, "ip": "127.0.0.1", "user_agent": ""},
    )

    import_list(tmp_path, excluded(NPI=claim.registry["npi"]))

    assert now(claim).state == State.SUSPENDED
    assert reasons(claim) == ["excluded"]
    assert mails(claim) == ["Your verification is suspended"]
    assert not UserSession.objects.filter(user=claim.user).exists()
    assert browser.get("/settings/").status_code == 302
    assert Member.objects.get(user=claim.user).standing == "suspended"


def test_the_same_list_twice_changes_nothing(tmp_path):
    claim, namesake = make_licensed(), make_licensed(provider=make_provider("Fernwick", "Magnus"))
    rows = [excluded(NPI=claim.registry["npi"]), excluded(LASTNAME="FERNWICK", FIRSTNAME="MAGNUS")]
    import_list(tmp_path, *rows)
    before = (Event.objects.count(), mails(claim), now(namesake).queued_at)

    import_list(tmp_path, *rows, OTHERS)

    assert (Event.objects.count(), mails(claim), now(namesake).queued_at) == before


def test_who_is_given_back_after_reinstatement_stays_so_until_another_exclusion(tmp_path, reviewer):
    claim = make_licensed()
    answer = {"act": "keep", "reason": "license_holds", "note": "Looked up.", "exclusion_checked": True}
    import_list(tmp_path, excluded(NPI=claim.registry["npi"]))
    with pytest.raises(RuleBroken):  # as long as the list has this very NPI, no reviewer waives it
        held.answer(claim=claim, by=reviewer, **answer)
    assert now(claim).state == State.SUSPENDED

    import_list(tmp_path, OTHERS)
    held.answer(claim=claim, by=reviewer, **answer)
    assert now(claim).state == State.VERIFIED

    import_list(tmp_path, excluded(NPI=claim.registry["npi"], EXCLDATE="20261101"))
    assert now(claim).state == State.SUSPENDED


@pytest.mark.parametrize(
    ("listed", "fits"),
    [
        ({"LASTNAME": "ASHBY-COLE", "FIRSTNAME": "MAGNUS"}, True),
        ({"LASTNAME": "ASHBY", "FIRSTNAME": "MAGNUS"}, True),  # a half of the double name
        ({"LASTNAME": "COLE", "FIRSTNAME": "MAGNUS"}, True),  # the other half
        ({"LASTNAME": "WINTERS", "FIRSTNAME": "MAGNUS"}, True),  # the former name
        ({"LASTNAME": "TYPED", "FIRSTNAME": "MAGNUS"}, True),  # the name as the member writes it
        ({"LASTNAME": "ASHBY", "FIRSTNAME": "BARTHOLOMEW"}, False),
        ({"LASTNAME": "ASHBY", "FIRSTNAME": "MAGNUS", "STATE": "TX"}, False),  # a name in another state
        ({"LASTNAME": "ASHBY", "FIRSTNAME": "MAGNUS", "STATE": "AZ"}, True),  # where the second license is
        ({"LASTNAME": "ASHBY", "FIRSTNAME": "MAGNUS", "NPI": number(99)}, False),  # another person's NPI
    ],
)
def test_a_name_and_a_state_go_to_reviewers_and_a_name_alone_does_not(tmp_path, listed, fits):
    provider = make_provider("Ashby-Cole", "Magnus", other_last_name="WINTERS")
    claim = make_licensed(provider=provider)
    claim.identity["typed"]["last"] = "Typed"
    claim.save()

    import_list(tmp_path, excluded(**listed))

    assert now(claim).state == (State.NEEDS_REVIEW_HELD if fits else State.VERIFIED)
    assert now(claim).doubts == (["namesake"] if fits else [])


@pytest.mark.parametrize(
    ("listed", "fits"),
    [
        ({"LASTNAME": "ASHBY-COLE"}, True),
        ({"LASTNAME": "COLE-ASHBY"}, True),
        ({"LASTNAME": "ASHBY COLE"}, True),
        ({"LASTNAME": "COLE-WINTERS"}, False),
        ({"LASTNAME": "ASHBYCOLE"}, False),
        ({"LASTNAME": "ASHBY-COLE", "FIRSTNAME": "BARTHOLOMEW"}, False),
        ({"LASTNAME": "ASHBY-COLE", "STATE": "TX"}, False),
        ({"LASTNAME": "ASHBY-COLE", "NPI": number(99)}, False),
    ],
)
def test_who_uses_one_half_of_the_name_that_is_listed_goes_to_reviewers(tmp_path, reviewer, listed, fits):
    provider = make_provider("Ashby", "Magnus")
    claim = make_licensed(provider=provider)
    applicant = make_claim(provider=make_provider("Ashby", "Magnus"), state=State.NEEDS_REVIEW)

    import_list(tmp_path, excluded(**{"FIRSTNAME": "MAGNUS", **listed}))

    assert now(claim).doubts == (["namesake"] if fits else [])
    assert outcome.exclusions_of(applicant).verdict == ("possible" if fits else "")


def test_half_names_are_found_by_indexes(db):
    rows = [
        Exclusion(last_name=f"NAME{n}", last_key=f"name{n}", state="MI", excltype="1128a1", run_id=0)
        for n in range(5000)
    ]
    Exclusion.objects.bulk_create(rows)
    with connection.cursor() as cursor:
        cursor.execute(f"ANALYZE {Exclusion._meta.db_table}")
    near = Q(last_key__in=["ashby"]) | Q(last_name__regex=DOUBLE_NAME)

    plan = Exclusion.objects.filter(near, state__in=["MI", "AZ"]).explain()

    assert "exclusion_double_name" in plan
    assert "Seq Scan" not in plan


def test_of_whom_no_registry_knows_the_npi_a_listed_person_with_one_may_be_the_same(tmp_path, reviewer):
    provider = make_provider("Ashby", "Magnus")
    row = excluded(LASTNAME="ASHBY", FIRSTNAME="MAGNUS", NPI=number(99))
    matched = make_licensed(provider=provider)
    unmatched = make_licensed(provider=make_provider("Ashby", "Magnus"))
    unmatched.identity["registry"] = None
    unmatched.save()

    for _ in range(2):
        import_list(tmp_path, row, *([OTHERS] * ImportRun.objects.count()))

    assert now(matched).state == State.VERIFIED
    assert (now(unmatched).state, now(unmatched).doubts) == (State.NEEDS_REVIEW_HELD, ["namesake"])
    assert outcome.exclusions_of(now(unmatched)).verdict == "possible"
    assert reasons(unmatched) == ["namesake"]


def test_a_namesake_whom_the_reviewer_compared_when_approving_is_no_news(
    tmp_path, seeker, reviewer, second_reviewer
):
    provider = make_provider("Ashby", "Magnus")
    import_list(tmp_path, excluded(LASTNAME="ASHBY", FIRSTNAME="MAGNUS"))
    claim = make_claim(seeker, provider, state=State.CHALLENGED)
    proofs.add_document(claim=claim, sort="license", data=image_bytes())
    for each in (reviewer, second_reviewer):
        decisions.approve(
            claim=claim, by=each, reason="document_fits", note="Another person.", exclusion_checked=True
        )

    import_list(tmp_path, excluded(LASTNAME="ASHBY", FIRSTNAME="MAGNUS"), OTHERS)

    assert now(claim).state == State.VERIFIED


def test_whoever_is_reinstated_comes_before_a_reviewer_again(tmp_path):
    claim = make_licensed()
    import_list(tmp_path, excluded(NPI=claim.registry["npi"]))

    for _ in range(2):
        import_list(
            tmp_path,
            *([OTHERS] * ImportRun.objects.count()),
            excluded(LASTNAME=f"X{ImportRun.objects.count()}"),
        )

    assert (now(claim).state, now(claim).doubts) == (State.SUSPENDED, ["reinstated"])
    assert now(claim).queued_at
    assert Event.objects.filter(case_number=claim.case_number, reason="reinstated").count() == 1


def test_a_suspension_by_moderators_is_not_reopened_by_a_list(tmp_path):
    claim = make_licensed(State.SUSPENDED)

    import_list(tmp_path, OTHERS)

    assert now(claim).doubts == []


# The door and the clock


def test_the_command_says_what_it_did(tmp_path):
    claim = make_licensed()
    make_exclusion(Provider.objects.get(npi=claim.registry["npi"]))
    note_run("leie")
    out = StringIO()

    call_command("recheck_claims", stdout=out)
    assert "1 suspended" in out.getvalue()

    call_command("recheck_claims", stdout=out)
    assert "nothing to compare" in out.getvalue()


def test_a_stopped_recheck_is_run_again_and_finishes(tmp_path, monkeypatch):
    claims = [make_licensed() for _ in range(3)]
    for claim in claims:
        make_exclusion(Provider.objects.get(npi=claim.registry["npi"]))
    run = note_run("leie")
    suspend, calls = held.suspend, []

    def stop_at_the_second(**given):
        calls.append(1)
        if len(calls) == 2:
            raise KeyboardInterrupt
        return suspend(**given)

    monkeypatch.setattr(held, "suspend", stop_at_the_second)
    with pytest.raises(CommandError, match="Run it again") as stopped:
        call_command("recheck_claims", stdout=StringIO())
    assert stopped.value.returncode == 130
    run.refresh_from_db()
    assert run.rechecked_at is None

    call_command("recheck_claims", stdout=StringIO())

    run.refresh_from_db()
    assert run.rechecked_at
    assert {now(claim).state for claim in claims} == {State.SUSPENDED}
    assert all(len(mails(claim)) == 1 for claim in claims)


def test_an_import_asks_for_the_recheck(tmp_path, monkeypatch, django_capture_on_commit_callbacks):
    started = []
    monkeypatch.setattr("verification.tasks.recheck_claims.delay", lambda: started.append(True))

    with django_capture_on_commit_callbacks(execute=True):
        load("import_nppes", nppes_file(tmp_path / "a.csv", [person(1)]))
        load("import_leie", leie_file(tmp_path / "b.csv", [OTHERS]))

    assert started == [True, True]


def test_without_a_broker_the_import_stands(tmp_path, monkeypatch, django_capture_on_commit_callbacks):
    def lost():
        raise OSError("no broker")

    monkeypatch.setattr("verification.tasks.recheck_claims.delay", lost)

    with django_capture_on_commit_callbacks(execute=True):
        load("import_nppes", nppes_file(tmp_path / "a.csv", [person(1)]))

    assert ImportRun.objects.get().state == "loaded"


def test_claims_are_found_by_keyed_hash():
    claim = make_licensed()

    assert rechecks._held_by_npi() == {keyed_hash(claim.registry["npi"], "npi"): claim.pk}
    assert not Exclusion.objects.exists()
