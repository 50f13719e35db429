"""After the whole way, no table but the public registry's own has a name, an NPI or a license number in clear."""

import logging
from datetime import timedelta
from io import StringIO

import pytest
import structlog
from allauth.mfa.models import Authenticator
from django.contrib import admin
from django.core.files.uploadedfile import SimpleUploadedFile
from django.core.management import CommandError, call_command
from django.db import connection
from django.test import Client
from django.urls import reverse
from django.utils import timezone

from accounts.tests.factories import make_user
from sermo import rotation
from verification.desk import casefile
from verification.models import (
    Challenge,
    Decision,
    Dispute,
    DisputeOpinion,
    LicenseCheck,
    Objection,
    Proof,
    Provider,
    Unmasking,
    Vouch,
)
from verification.models.claims import State
from verification.progress import latest_claim
from verification.services import incidents, vouching
from verification.tests.factories import (
    image_bytes,
    make_applicant,
    make_claim,
    make_holder,
    make_provider,
    make_reviewer,
)

pytestmark = pytest.mark.django_db
PUBLIC = {  # as published, without any user
    "verification_provider",
    "verification_providerlicense",
    "verification_education",
    "verification_exclusion",
    "verification_licensestatus",
    "verification_medicalschool",
    "verification_reject",
}
TEXT = """
    SELECT table_name, column_name FROM information_schema.columns
      JOIN information_schema.tables USING (table_schema, table_name)
    WHERE table_schema = 'public' AND table_type = 'BASE TABLE'
      AND data_type IN ('text', 'character varying', 'character', 'json', 'jsonb', 'bytea', 'ARRAY', 'USER-DEFINED')
"""


def columns_with(words: list[str]) -> set[str]:
    """Every "table.column" outside the public registry in which one of the words occurs, whatever the case."""
    found = set()
    with connection.cursor() as cursor:
        cursor.execute(TEXT)
        for table, column in cursor.fetchall():
            if table in PUBLIC:
                continue
            for word in words:
                as_text = f'"{column}"::text'
                sql = f'SELECT 1 FROM "{table}" WHERE {as_text} ILIKE %s OR {as_text} LIKE %s LIMIT 1'
                cursor.execute(sql, [f"%{word}%", f"%{word.encode().hex()}%"])
                if cursor.fetchone():
                    found.add(f"{table}.{column}")
    return found


def confirmed(claim):
    """What the second page of a decision adds to the first."""
    claim.refresh_from_db()
    return {"confirmed": "1", "seen": casefile.fingerprint(claim)}


def test_no_identity_in_clear_after_a_full_run(seeker, reviewer, schools, specialties):
    provider = make_provider("Thistlewaite", "Marguerite", number="4301855331")
    browser, desk = Client(), Client()
    browser.force_login(seeker.user)
    desk.force_login(reviewer)

    walk(browser, seeker, provider)
    voucher = Client()
    voucher.force_login(make_holder(make_provider("Holderness", "Voucher")).user)
    code = vouching.ask_colleagues(claim=latest_claim(seeker.user)).code
    said = {"relation": "works", "statement": "Marguerite Thistlewaite and I share a ward.", "signed": "on"}
    voucher.post(reverse("verification:vouch", args=[code]), said)
    claim = latest_claim(seeker.user)
    page = reverse("admin:verification_claim_change", args=[claim.pk])
    note = "Thistlewaite on card and in registry, 4301855331."
    desk.get(page)
    desk.post(
        page,
        {
            "outcome": "ask",
            **confirmed(claim),
            "reason": "unreadable",
            "note": note,
            "message": "Dr. Thistlewaite, again please.",
        },
    )
    send_document(browser, 420)
    approve = {"outcome": "approve", "reason": "document_fits", "note": note, "message": ""}
    desk.post(page, {**approve, **confirmed(claim)})

    claim.refresh_from_db()
    assert claim.state == State.VERIFIED
    assert columns_with(["thistlewaite", "marguerite", provider.npi, "4301855331", "301855331"]) == set()


def walk(browser, member, provider):
    """From the form over the questions to a document, with mistakes on the way."""
    form = {"first": "Marguerite", "last": "Thistlewaite", "degree": "MD", "state": "MI", "npi": provider.npi}
    browser.post(reverse("verification:identity"), {**form, "npi": provider.npi[:9] + "x"})
    browser.post(reverse("verification:hints"), {"npi": provider.npi}, headers={"hx-request": "true"})
    browser.post(reverse("verification:identity"), {**form, "license_number": "4301855331"})
    browser.post(reverse("verification:identity"), form)
    browser.post(reverse("verification:challenge_start"))
    for position, entry in enumerate(Challenge.objects.running().get(claim__user=member.user).sheet):
        browser.post(
            reverse("verification:challenge_answer"), {"question": position, "answer": entry["right"]}
        )
    send_document(browser, 400)


def send_document(browser, height):
    file = SimpleUploadedFile("Thistlewaite license.jpg", image_bytes((600, height)), "image/jpeg")
    browser.post(reverse("verification:document_add"), {"sort": "license", "file": file})


def test_going_public_is_the_one_way_a_name_gets_out(seeker, provider):
    from verification.services import byline
    from verification.tests.factories import make_claim

    make_claim(seeker, provider, state=State.VERIFIED)
    byline.choose_byline(member=seeker, mode="public", confirmed=True)

    assert columns_with(["quillfeather"]) == {"accounts_member.display_name"}


def test_the_scan_finds_what_is_there(seeker):
    seeker.bio = "Call me Thistlewaite"
    seeker.save()

    assert columns_with(["thistlewaite"]) == {"accounts_member.bio"}
    assert make_reviewer()


# What the record keeps beside claims, lists, faults and logs

NAME, NUMBER, PHONE = "Thistlewaite", "4301855331", "5175550199"
SAID = f"Marguerite {NAME}, license {NUMBER}, telephone {PHONE}."


@pytest.fixture
def written(schools, specialties, reviewer, second_reviewer):
    """A claim, and identity data in every encrypted column of verification."""
    provider = make_provider(NAME, "Marguerite", number=NUMBER, practice_phone=PHONE)
    holder, rival = make_applicant(), make_applicant()
    held = make_claim(
        holder, provider, state=State.DISPUTED_HOLDER, asked_for=SAID, appeal=SAID, method="document"
    )
    rivals = make_claim(rival, provider, state=State.DISPUTED_RIVAL)
    now = timezone.now()
    Challenge.objects.create(
        claim=rivals, number=1, facts=["school"], sheet=[{"prompt": "License", "options": [NUMBER]}]
    )
    Proof.objects.create(claim=held, kind="phone", target=PHONE, code=SAID, target_masked="(***) ***-**99")
    Vouch.objects.create(claim=held, claimant=holder.user, voucher=reviewer, relation="works", statement=SAID)
    Objection.objects.create(claim=held, way="mail", code_hash="x", words=SAID)
    Decision.objects.create(
        claim=held, reviewer=reviewer, outcome="approve", reason="document_fits", note=SAID
    )
    dispute = Dispute.objects.create(holder_claim=held, rival_claim=rivals, due_at=now + timedelta(days=14))
    DisputeOpinion.objects.create(dispute=dispute, reviewer=reviewer, side="holder", note=SAID)
    Unmasking.objects.create(
        member=holder,
        basis="court",
        reason=SAID,
        reference=SAID,
        asked_by=reviewer,
        decided_by=second_reviewer,
        decided_at=now,
        why=SAID,
    )
    LicenseCheck.objects.create(claim=held, source="reviewer", finding="in_force", note=SAID)
    incidents.open_incident(title="A page", kind="access", detected_at=now, text=SAID, by=reviewer)
    return provider


def words_of(provider):
    return [NAME.lower(), "marguerite", NUMBER, NUMBER[1:], PHONE, provider.npi]


def test_no_column_of_verification_shows_identity_data(written):
    empty = {
        column.name
        for column in rotation.columns()
        if column.model._meta.app_label == "verification" and not column.rows(None, 1)
    }

    assert empty == set()  # a new column is tried here too
    assert columns_with(words_of(written)) == set()


def test_dumpdata_refuses_what_is_encrypted(written):
    out = StringIO()
    with pytest.raises(CommandError, match="Encrypted fields are not serialized"):
        call_command("dumpdata", "verification.claim", stdout=out)

    assert NAME not in out.getvalue()


def test_no_list_of_the_administration_shows_identity_data(written):
    root = make_user(is_staff=True, is_superuser=True)
    Authenticator.objects.create(user=root, type=Authenticator.Type.TOTP, data={})
    browser = Client()
    browser.force_login(root)
    lists = [reverse("admin:index")] + [
        reverse(f"admin:{model._meta.app_label}_{model._meta.model_name}_changelist")
        for model in admin.site._registry
    ]

    shown = {}
    for address in [*lists, *(f"{each}?queue=all" for each in lists if "/claim/" in each)]:
        answer = browser.get(address)
        page = answer.content.decode().lower()
        shown[address] = answer.status_code, [word for word in words_of(written) if word in page]

    assert {address: found for address, (_, found) in shown.items() if found} == {}
    assert {status for status, _ in shown.values()} <= {200, 302, 403}
    assert sum(status == 200 for status, _ in shown.values()) > 20


@pytest.fixture
def logged():
    """What the site logs, as it leaves."""
    console = next(
        handler
        for handler in logging.getLogger().handlers
        if isinstance(handler.formatter, structlog.stdlib.ProcessorFormatter)
    )
    stream, written = console.stream, StringIO()
    console.setStream(written)
    yield written
    console.setStream(stream)


def identity_form(provider):
    return {
        "first": "Marguerite",
        "last": NAME,
        "degree": "MD",
        "state": "MI",
        "npi": provider.npi,
        "license_number": NUMBER,
    }


def fail_plainly(**given):
    raise RuntimeError("It failed.")


def fail_in_the_database(**given):
    first = Provider.objects.get(last_name=NAME.upper())
    Provider.objects.bulk_create([first])


@pytest.mark.parametrize("fail", [fail_plainly, fail_in_the_database])
def test_a_fault_shows_and_logs_nothing_of_what_was_typed(written, seeker, logged, monkeypatch, fail):
    monkeypatch.setattr("verification.services.claims.start_claim", fail)
    browser = Client(raise_request_exception=False)
    browser.force_login(seeker.user)

    answer = browser.post(reverse("verification:identity"), identity_form(written))

    assert answer.status_code == 500
    said = logged.getvalue().lower()
    assert "traceback" in said
    page = answer.content.decode().lower()
    assert [word for word in words_of(written) if word in page or word in said] == []


def test_the_whole_way_logs_nothing_of_an_identity(seeker, reviewer, schools, specialties, logged):
    provider = make_provider(NAME, "Marguerite", number=NUMBER)
    browser, desk = Client(), Client()
    browser.force_login(seeker.user)
    desk.force_login(reviewer)

    walk(browser, seeker, provider)
    claim = latest_claim(seeker.user)
    desk.get(reverse("admin:verification_claim_change", args=[claim.pk]))
    desk.get(reverse("admin:verification_claim_change", args=[claim.pk]) + "nothing/")
    structlog.get_logger("tried").error("said", claim=claim.pk)

    said = logged.getvalue().lower()
    assert "tried" in said
    assert [word for word in words_of(provider) if word in said] == []
