import io
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from django.core import mail
from django.core.management import CommandError, call_command
from django.db import connection
from django.test.utils import CaptureQueriesContext
from django.utils import timezone

from accounts.models import Mail, Member
from accounts.tasks import send_mail
from verification.management.commands.seed_pioneers import COLUMNS
from verification.models import Claim, Decision, Event, LicenseStatus
from verification.models.claims import State
from verification.services import events, states, vouching
from verification.tests.factories import (
    make_applicant,
    make_claim,
    make_exclusion,
    make_holder,
    make_provider,
    start,
)

pytestmark = pytest.mark.django_db


@pytest.fixture
def line(provider, seeker, reviewer):
    """A line of the list that is right."""
    return {
        "email": seeker.user.email,
        "first": "Ottoline",
        "middle": "",
        "last": "Quillfeather",
        "degree": "MD",
        "state": "MI",
        "license_number": "4301977598",
        "npi": provider.npi,
        "seen_by": reviewer.email,
        "seen_on": f"{timezone.now():%Y-%m-%d}",
    }


@pytest.fixture
def seed(tmp_path):
    """Run the command over lines; what it said, and the complaint it ended with."""

    def run(*lines, columns=COLUMNS, **options):
        path = tmp_path / "pioneers.csv"
        rows = [",".join(columns), *(",".join(each.get(name, "") for name in columns) for each in lines)]
        path.write_text("\n".join(rows))
        said = io.StringIO()
        try:
            call_command("seed_pioneers", str(path), stdout=said, stderr=said, **options)
        except CommandError as error:
            said.write(f"ended: {error}")
        return said.getvalue()

    return run


def test_a_pioneer_is_verified_on_documents_that_staff_saw(line, seed, seeker, reviewer):
    said = seed(line)

    claim = Claim.objects.get()
    assert f"line 2: verified as {claim.case_number}" in said
    assert (claim.state, claim.method) == (State.VERIFIED, "pioneer")
    assert claim.registry["npi"] == line["npi"]
    assert Member.objects.get(pk=seeker.pk).standing == "physician"
    assert Decision.objects.get().reviewer == reviewer
    moves = Event.objects.filter(kind="state").values_list("from_state", "to_state", "actor")
    assert list(moves) == [("draft", "verified", events.subject_of(reviewer).pk)]
    send_mail()
    assert mail.outbox[0].to == [seeker.user.email]


def test_it_says_no_name_and_no_number(line, seed, provider):
    make_exclusion(provider)

    for said in (seed(line), seed({**line, "email": "nobody@example.org"}), seed({**line, "degree": "PhD"})):
        for secret in ("Ottoline", "Quillfeather", line["npi"], line["license_number"], "@"):
            assert secret not in said


def test_run_again_it_changes_nothing(line, seed):
    seed(line)
    before = Event.objects.count(), Mail.objects.count()

    said = seed(line, line)

    assert said.count("verified before") == 3  # two lines and the sum
    assert Claim.objects.count() == 1
    assert (Event.objects.count(), Mail.objects.count()) == before


def test_a_dry_run_changes_nothing_and_says_the_same(line, seed):
    said = seed(line, {**line, "email": "nobody@example.org"}, dry_run=True)

    assert "1 verified, 0 verified before, 1 without an account, 0 wrong; nothing was changed." in said
    assert not Claim.objects.exists()
    assert not Mail.objects.exists()
    assert not Event.objects.exists()


def test_who_has_no_confirmed_account_is_listed_by_line(line, seed, seeker):
    EmailAddress.objects.filter(user=seeker.user).update(verified=False)

    said = seed({**line, "email": "nobody@example.org"}, line)

    assert "to be asked to sign up: lines 2, 3." in said
    assert not Claim.objects.exists()


def test_one_wrong_line_keeps_no_other_from_being_done(line, seed, seeker):
    other = {**line, "degree": "PhD"}

    said = seed(other, line, {**line, "seen_on": "soon"})

    assert "line 2: The degree is neither MD nor DO." in said
    assert "line 3: verified as" in said
    assert "line 4: The day is none such as 2026-11-23." in said
    assert "ended: 2 lines could not be used." in said
    assert Claim.objects.get().user == seeker.user


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"state": "Michigan"}, "The state is none of two letters"),
        ({"last": ""}, "Nothing stands in last."),
        ({"npi": "1234567898"}, "The NPI has a wrong digit."),
        ({"npi": "", "license_number": ""}, "An NPI or a license number is needed."),
        ({"last": "Brightwater"}, "The registry has another name for this NPI."),
        ({"degree": "DO"}, "The degree differs from the registry"),
        ({"license_number": "4301000001"}, "The typed license number is not the one in the registry"),
        ({"seen_by": "nobody@example.org"}, "must be a verification reviewer"),
        ({"seen_on": "2999-01-01"}, "has not come yet"),
    ],
)
def test_what_is_wrong_with_a_line_is_said_with_its_number(line, seed, changes, words):
    said = seed({**line, **changes})

    assert "line 2: " in said
    assert words in said
    assert not Claim.objects.exists()


def test_nobody_sees_their_own_document(line, seed, seeker):
    from django.contrib.auth.models import Group

    from accounts.roles import REVIEWERS

    seeker.user.groups.add(Group.objects.get(name=REVIEWERS))

    assert "somebody else than the member" in seed({**line, "seen_by": seeker.user.email})


def test_an_excluded_person_is_no_pioneer(line, seed, provider):
    make_exclusion(provider)
    assert "The claim cannot be approved" in seed(line)
    assert not Claim.objects.exists()


def test_a_namesake_on_the_list_is_a_reviewers_matter(line, seed, provider):
    make_exclusion(provider, npi=None)
    assert "Compare" in seed(line)
    assert not Claim.objects.exists()


def test_an_expired_license_makes_no_pioneer(line, seed):
    LicenseStatus.objects.create(
        state="MI",
        number_key="4301977598",
        degree="MD",
        last_name="QUILLFEATHER",
        status="Expired",
        expires_on=timezone.localdate() - timedelta(days=1),
        source="test",
        as_of=timezone.localdate(),
    )
    assert "expired" in seed(line)
    assert not Claim.objects.exists()


def test_a_license_that_somebody_holds_is_not_given_away(line, seed, provider):
    make_holder(provider)

    assert "Another account holds this license already." in seed(line)
    assert Claim.objects.count() == 1


def test_two_lines_of_one_person_make_one_pioneer(line, seed):
    other = make_applicant()

    said = seed(line, {**line, "email": other.user.email})

    assert "1 verified," in said
    assert "line 3: Another account holds this license already." in said


def test_an_undecided_claim_makes_room(line, seed, seeker, provider):
    begun = start(seeker, provider)

    seed(line)

    begun.refresh_from_db()
    assert begun.state == State.WITHDRAWN
    assert Claim.objects.holding().get().method == "pioneer"


def test_all_identities_are_locked_before_the_chain(line, seed, seeker):
    """Whoever decides about one of them locks it first and the chain last; the other way round both would wait."""
    begun = start(seeker, make_provider("Brightwater", "Simeon"))

    with CaptureQueriesContext(connection) as queries:
        seed(line)

    claim, sql = Claim.objects.holding().get(), [query["sql"] for query in queries]
    assert Claim.objects.get(pk=begun.pk).state == State.WITHDRAWN
    chain = next(number for number, said in enumerate(sql) if "pg_advisory_xact_lock" in said)
    guards = " ".join(said for said in sql[:chain] if "identityguard" in said and "FOR UPDATE" in said)
    for wanted in (claim.npi_hash, claim.license_hash, begun.npi_hash, begun.license_hash):
        assert wanted in guards


@pytest.mark.parametrize("state", [State.LOCKED, State.REJECTED, State.REVOKED])
def test_what_was_judged_before_stays(line, seed, seeker, state):
    make_claim(seeker, make_provider(number="4301000002"), state=state, rejected_for="mismatch")

    assert "A reviewer must decide." in seed(line)
    assert not Claim.objects.holding().exists()


def test_outside_the_registry_documents_are_enough(line, seed):
    said = seed({**line, "first": "Simeon", "last": "Brightwater", "npi": "", "license_number": "998877"})

    assert "1 verified" in said
    assert Claim.objects.get().registry is None


def test_a_missing_column_stops_it(line, seed):
    columns = [name for name in COLUMNS if name != "npi"]

    assert "Columns are missing: npi." in seed(line, columns=columns)


def test_a_file_that_is_none(tmp_path):
    with pytest.raises(CommandError, match="cannot be read"):
        call_command("seed_pioneers", str(tmp_path / "none.csv"))


def test_nobody_else_verifies_from_nothing(provider, seeker):
    claim = make_claim(seeker, provider, state=State.DRAFT)
    for role in (states.SYSTEM, states.REVIEWER, states.APPLICANT, states.MODERATOR):
        with pytest.raises(states.IllegalMove):
            states.move(claim=claim, to=State.VERIFIED, as_=role)


def test_a_pioneer_vouches_after_90_days(line, seed, seeker):
    seed(line)
    seeker.user.refresh_from_db()
    seeker.refresh_from_db()
    with pytest.raises(vouching.MayNotVouch, match="90 days"):
        vouching.check_may_vouch(Claim.objects.get().user)

    Claim.objects.update(verified_at=timezone.now() - timedelta(days=91))
    vouching.check_may_vouch(Claim.objects.get().user)
