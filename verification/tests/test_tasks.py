import re
from datetime import timedelta
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import Group
from django.core import mail
from django.db import transaction
from django.utils import timezone
from structlog.testing import capture_logs

import verification.services
from accounts.models import Mail
from accounts.roles import PRIVACY
from accounts.tasks import send_mail
from accounts.tests.factories import make_user
from verification import tasks
from verification.models import Event, Unmasking
from verification.models.claims import State
from verification.services import automatic, incidents, notices
from verification.tests.factories import make_claim, make_holder, make_provider

pytestmark = pytest.mark.django_db
MAILS = sorted(path.stem for path in (settings.BASE_DIR / "templates/verification/mail").glob("*.txt"))


@pytest.mark.parametrize("about", MAILS)
def test_every_mail_has_a_subject_a_link_and_the_reason_for_it(provider, seeker, about):
    claim = make_claim(seeker, provider)

    notices.tell_applicant(claim, about)
    send_mail()

    (message,) = mail.outbox
    assert message.subject
    assert "\n" not in message.subject
    assert f"{settings.SITE_URL}/verify/" in message.body
    assert claim.case_number in message.body
    assert "You get this mail because" in message.body
    assert seeker.handle not in message.body


def test_a_mail_is_undone_with_what_caused_it(provider, seeker):
    claim = make_claim(seeker, provider)
    with transaction.atomic():
        notices.tell_applicant(claim, "verified")
        transaction.set_rollback(True)

    assert not Mail.objects.exists()


def test_every_mail_that_is_sent_exists():
    services = Path(verification.services.__file__).parent
    sent = {
        about
        for path in services.glob("*.py")
        for about in re.findall(r'tell_applicant\(\w+, "(\w+)"', path.read_text())
    }

    assert sent | {"rival"} == set(MAILS)


@pytest.mark.parametrize(
    "task",
    [
        tasks.enforce_retention,
        tasks.watch_failures,
        tasks.deliver_due_codes,
        tasks.decide_due,
        tasks.ask_whether,
    ],
)
def test_the_clockwork_runs_on_an_empty_site(task):
    assert not task()


# A fault at one, and the others


def failing_for(monkeypatch, module, name, unlucky, key):
    """Let a function of a module fail for one alone, as long as the returned switch is on."""
    real, broken = getattr(module, name), [True]

    def fails_for_one(*args, **kwargs):
        if broken[0] and key(*args, **kwargs) == unlucky:
            raise RuntimeError("Ottoline Quillfeather")  # as a template or a database may say
        return real(*args, **kwargs)

    monkeypatch.setattr(module, name, fails_for_one)
    return broken


def test_whoever_cannot_be_told_of_an_unmasking_keeps_nobody_else_from_it(provider, monkeypatch):
    asker, granter = make_user(), make_user()
    first, second = make_holder(provider), make_holder(make_provider("Brightwater", "Simeon"))
    for member in (first, second):
        Unmasking.objects.create(
            member=member,
            basis="harm",
            reason="Somebody is in danger.",
            asked_by=asker,
            decided_by=granter,
            decided_at=timezone.now(),
            is_granted=True,
            open_until=timezone.now(),
            tell_on=timezone.now().date(),
        )
    broken = failing_for(monkeypatch, notices, "tell_member", first.user, lambda user, *_: user)

    with capture_logs() as logs:
        assert tasks.tell_unmasked() == 1
    assert [mail.user for mail in Mail.objects.all()] == [second.user]
    assert [(line["event"], line["error"]) for line in logs] == [("unmasking_not_told", "RuntimeError")]
    assert "Quillfeather" not in str(logs)

    broken[0] = False
    assert tasks.tell_unmasked() == 1
    assert Mail.objects.filter(user=first.user).count() == 1
    assert Event.objects.filter(kind="unmasking_told").count() == 2


def test_an_incident_whose_mail_fails_is_reminded_of_on_the_next_day(monkeypatch):
    officer = make_user(is_staff=True)
    officer.groups.add(Group.objects.get(name=PRIVACY))
    long_ago = timezone.now() - timedelta(days=47)
    made = [
        incidents.open_incident(
            title=title, kind="loss", detected_at=long_ago, text="A laptop was lost.", by=officer
        )
        for title in ("First", "Second")
    ]
    broken = failing_for(
        monkeypatch, incidents, "tell_privacy", made[0], lambda about, context: context["incident"]
    )

    assert tasks.remind_incidents() == 1
    assert Mail.objects.count() == 1

    broken[0] = False
    assert tasks.remind_incidents() == 1
    assert tasks.remind_incidents() == 0
    assert Mail.objects.count() == 2


def test_a_license_that_cannot_lapse_keeps_no_other_from_it_nor_from_reminders(provider, monkeypatch):
    long_over = timezone.localdate() - timedelta(days=70)
    claims_ = [
        make_claim(
            provider=each,
            state=State.VERIFIED,
            license_expires_on=long_over,
            status_checked_at=timezone.now(),
        )
        for each in (provider, make_provider("Brightwater", "Simeon"))
    ]
    soon = make_claim(
        provider=make_provider("Hollowell", "Ada"),
        state=State.VERIFIED,
        license_expires_on=timezone.localdate() + timedelta(days=30),
        status_checked_at=timezone.now(),
    )
    broken = failing_for(monkeypatch, notices, "tell_applicant", claims_[0], lambda claim, *_, **__: claim)

    assert tasks.keep_licenses() == {"lapsed": 1, "reminded": 1, "asked": 0}
    assert Mail.objects.filter(user=soon.user).exists()
    assert [type(each).objects.get(pk=each.pk).state for each in claims_] == [State.VERIFIED, State.LAPSED]

    broken[0] = False
    assert tasks.keep_licenses() == {"lapsed": 1, "reminded": 0, "asked": 0}


def test_a_claim_that_cannot_be_decided_holds_no_other_up(provider, monkeypatch):
    proven = [
        make_claim(provider=each, state=State.PROVEN)
        for each in (provider, make_provider("Brightwater", "Simeon", second=None))
    ]
    for claim in proven:
        claim.proofs.create(kind="fax", ok_at=timezone.now())
    failing_for(monkeypatch, automatic.outcome, "doubts_about", proven[0], lambda claim: claim)

    assert tasks.decide_due() == 1
    assert [type(each).objects.get(pk=each.pk).state for each in proven] == [State.PROVEN, State.VERIFIED]
