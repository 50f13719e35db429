import re
from pathlib import Path

import pytest
from django.conf import settings
from django.core import mail
from django.db import transaction

import verification.services
from accounts.models import Mail
from accounts.tasks import send_mail
from verification import tasks
from verification.services import notices
from verification.tests.factories import make_claim

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
