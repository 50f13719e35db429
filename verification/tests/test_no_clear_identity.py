"""After the whole way, no table but the public registry's own has a name, an NPI or a license number in clear."""

import pytest
from django.core.files.uploadedfile import SimpleUploadedFile
from django.db import connection
from django.test import Client
from django.urls import reverse

from verification.desk import casefile
from verification.models import Challenge
from verification.models.claims import State
from verification.progress import latest_claim
from verification.services import vouching
from verification.tests.factories import image_bytes, make_holder, make_provider, make_reviewer

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
    said = {"outcome": "approve", "reason": "document_fits", "note": note, "message": ""}
    desk.post(page, {**said, **confirmed(claim)})

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
