"""Every rule of the table: what is past its time goes, what is not stays, and nothing is left over."""

import os
import uuid
from datetime import timedelta

import pytest
from allauth.account.models import EmailAddress
from allauth.usersessions.models import UserSession
from django.conf import settings as site
from django.contrib.sessions.models import Session
from django.core.files.base import ContentFile
from django.core.files.storage import storages
from django.db import connection
from django.utils import timezone

from accounts.models import Export, Handle, Mail, NoticeDay, User
from accounts.tests.factories import make_member, make_user
from consults.models import Image
from consults.tests.factories import make_case, make_draft
from newsfeed.models import Digest
from observers.models import Answered, Chart
from observers.services import searching
from observers.tests.factories import make_seat
from polls import unshown
from polls.models import Poll
from polls.tests.factories import make_poll
from questions.models import ModerationAction, Post, WriteCount
from questions.services.moderation import acts
from questions.tests.factories import make_answer, make_question
from rewards.models import Payout, TaxForm
from rewards.providers import manual
from rewards.providers.base import PAID, Outcome
from rewards.services import payouts
from rewards.tests.payout_makers import ask, make_paid
from sermo import crypto, retention
from verification import calling
from verification.models import (
    Claim,
    DayCount,
    Document,
    LicenseCheck,
    Objection,
    Proof,
    RetentionRun,
    Unmasking,
)
from verification.models.claims import State
from verification.services import proofs
from verification.services import retention as enforcing
from verification.tests.factories import image_bytes, make_claim, make_provider

pytestmark = pytest.mark.django_db


def ago(days, **more):
    return timezone.now() - timedelta(days=days, **more)


@pytest.fixture(autouse=True)
def private_files(settings, tmp_path):
    private = {
        **settings.STORAGES["private"],
        "OPTIONS": {"location": tmp_path / "private", "base_url": None},
    }
    staging = {
        **settings.STORAGES["staging"],
        "OPTIONS": {"location": tmp_path / "staging", "base_url": None},
    }
    settings.STORAGES = {**settings.STORAGES, "private": private, "staging": staging}


def stray(folder):
    """Two files without rows: one of two days ago, one just written. Returns the names."""
    names = [f"{folder}/ab/{letter * 32}" for letter in "ab"]
    for name, age in zip(names, (2, 0), strict=True):
        storages["private"].save(name, ContentFile(crypto.encrypt(b"stray")))
        moment = ago(age).timestamp()
        os.utime(storages["private"].path(name), (moment, moment))
    return names


def exists(name):
    return storages["private"].exists(name)


# One function for each rule. It makes what is past its time and what is not; what it yields says of both whether they
# still stand.


def unconfirmed(request):
    old, new = (make_user(email=f"{n}@example.org", date_joined=ago(n)) for n in (4, 2))
    EmailAddress.objects.all().delete()
    held = Handle.objects.create(key="held_long", text="held_long", held_until=ago(1))
    rows = User.objects.filter(pk=old.pk)
    return (
        lambda: rows.exists() or Handle.objects.filter(pk=held.pk).exists(),
        User.objects.filter(pk=new.pk).exists,
    )


def session_rows():
    for key, days in (("over", 1), ("live", -1)):
        Session.objects.create(session_key=key, session_data="", expire_date=ago(days))


def sessions(request):
    session_rows()
    rows = Session.objects.all()
    return rows.filter(session_key="over").exists, rows.filter(session_key="live").exists


def devices(request):
    session_rows()
    for key in ("over", "live"):
        UserSession.objects.create(user=make_user(), session_key=key, ip="192.0.2.7", created_at=ago(2))
    rows = UserSession.objects.all()
    return rows.filter(session_key="over").exists, rows.filter(session_key="live").exists


def tries(request):
    with connection.cursor() as cursor:
        for key, days in (("over", 1), ("live", -1)):
            cursor.execute("INSERT INTO sermo_throttle VALUES (%s, '', %s)", [key, ago(days)])

    def there(key):
        with connection.cursor() as cursor:
            cursor.execute("SELECT 1 FROM sermo_throttle WHERE cache_key = %s", [key])
            return bool(cursor.fetchone())

    return lambda: there("over"), lambda: there("live")


def mails(request):
    user = make_user()
    old, waiting = (
        Mail.objects.create(user=user, subject=state, text="", state=state, due_at=ago(31))
        for state in ("sent", "waiting")
    )
    return Mail.objects.filter(pk=old.pk).exists, Mail.objects.filter(pk=waiting.pk).exists


def alert_counts(request):
    member, today = make_member(), timezone.now().date()
    for days in (1, 5):
        NoticeDay.objects.create(member=member, day=today - timedelta(days=days))
    rows = NoticeDay.objects.all()
    return (
        rows.filter(day=today - timedelta(days=5)).exists,
        rows.filter(day=today - timedelta(days=1)).exists,
    )


def exports(request):
    old, new = (
        Export.objects.create(user=make_user(), state="done", finished_at=ago(days)) for days in (8, 6)
    )
    for export in (old, new):
        storages["private"].save(export.file_name, ContentFile(b"zip"))
    left, young = stray("exports")
    return lambda: exists(old.file_name) or exists(left), lambda: exists(new.file_name) and exists(young)


def pictures(request):
    old, young = stray("pictures")
    return lambda: exists(old), lambda: exists(young)


def documents(request):
    kept = []
    for days in (31, 29):
        claim = make_claim(provider=make_provider(school=None), state=State.NEEDS_REVIEW)
        kept.append(proofs.add_document(claim=claim, sort="license", data=image_bytes()))
        Claim.objects.filter(pk=claim.pk).update(state=State.WITHDRAWN, decided_at=ago(days))
    (old,), (new,) = (proofs.page_names(document) for document in kept)
    left, young = stray("documents")
    return lambda: exists(old) or exists(left), lambda: exists(new) and exists(young)


def abandoned(request):
    asked_long_ago, waiting = [], []
    for days in (91, 89):
        claim = make_claim(provider=make_provider(school=None), state=State.NEEDS_REVIEW)
        document = proofs.add_document(claim=claim, sort="license", data=image_bytes())
        Document.objects.filter(pk=document.pk).update(uploaded_at=ago(100))
        Claim.objects.filter(pk=claim.pk).update(queued_at=None, state_at=ago(days))
        asked_long_ago.append(proofs.page_names(document)[0])
    queued = make_claim(provider=make_provider(school=None), state=State.NEEDS_REVIEW)
    document = proofs.add_document(claim=queued, sort="license", data=image_bytes())
    Document.objects.filter(pk=document.pk).update(uploaded_at=ago(400))
    Claim.objects.filter(pk=queued.pk).update(state_at=ago(400))
    waiting.append(proofs.page_names(document)[0])
    old, new = asked_long_ago
    return lambda: exists(old), lambda: exists(new) and all(map(exists, waiting))


def codes(request):
    made = []
    for days in (31, 29):
        claim = make_claim(provider=make_provider(school=None), state=State.VERIFIED, decided_at=ago(days))
        made.append(
            Proof.objects.create(
                claim=claim,
                kind="phone",
                target="5175550100",
                code_hash=str(days),
                started_at=ago(40),
                sent_at=ago(40),
                expires_at=ago(40),
                ok_at=ago(40),
            )
        )
    old, new = (Proof.objects.filter(pk=proof.pk).filter(target__isnull=False) for proof in made)
    return old.exists, new.exists


def calls(request):
    request.getfixturevalue("settings").VAR_DIR = request.getfixturevalue("tmp_path")
    for _ in range(2):
        calling.Files().say("+15175550100", "The code is 1, 2, 3, 4, 5, 6.")
    old, new = (request.getfixturevalue("tmp_path") / "calls").iterdir()
    os.utime(old, (ago(2).timestamp(), ago(2).timestamp()))
    return old.exists, new.exists


def objections(request):
    made = []
    for days in (31, 29):
        claim = make_claim(provider=make_provider(school=None), state=State.VERIFIED, decided_at=ago(days))
        made.append(
            Objection.objects.create(
                claim=claim, way="mail", code_hash=str(days), words="Call 5175550100.", objected_at=ago(40)
            )
        )
    old, new = (Objection.objects.filter(pk=one.pk, words__isnull=False) for one in made)
    return old.exists, new.exists


def license_checks(request):
    claim = make_claim(provider=make_provider(school=None), state=State.VERIFIED)
    looks = [
        LicenseCheck.objects.create(claim=claim, source="board", finding="in_force", at=ago(366 * years))
        for years in (8, 7)
    ]
    old, newest = (LicenseCheck.objects.filter(pk=look.pk) for look in looks)
    return old.exists, newest.exists


def holds(request):
    reviewer = make_user()
    made = [
        make_claim(
            provider=make_provider(school=None),
            state=State.NEEDS_REVIEW,
            held_by=reviewer,
            held_until=timezone.now() + timedelta(minutes=minutes),
        )
        for minutes in (-1, 10)
    ]
    over, running = (Claim.objects.filter(pk=claim.pk, held_by=reviewer) for claim in made)
    return over.exists, running.exists


def unmaskings(request):
    asker, decider = make_user(), make_user()
    made = []
    for years in (7, 5):
        decided = {"decided_by": decider, "decided_at": ago(366 * years), "why": "So be it."}
        opened = {"is_granted": True, "open_until": ago(300), "tell_on": ago(300).date()}
        told = {"told_at": ago(366 * years)}
        made.append([])
        for more in ({}, decided, {**decided, **opened, **told}):
            request_ = {
                "basis": "court",
                "reason": "A subpoena.",
                "reference": "State v. Quillfeather",
                **more,
            }
            made[-1].append(
                Unmasking.objects.create(
                    member=make_member(), asked_by=asker, asked_at=ago(366 * years), **request_
                ).pk
            )
    barred = {**decided, **opened, "decided_at": ago(366 * 7)}
    made[1].append(
        Unmasking.objects.create(
            member=make_member(), asked_by=asker, basis="court", reason="Secret.", **barred
        ).pk
    )
    words = Unmasking.objects.filter(reason__isnull=False)
    return (
        lambda: (
            words.filter(pk__in=made[0]).count()
            + Unmasking.objects.filter(pk__in=made[0], reference__isnull=False).count()
        ),
        lambda: words.filter(pk__in=made[1]).count() == len(made[1]),
    )


def day_counts(request):
    today = timezone.now().date()
    for days in (1, 2):
        DayCount.objects.create(key_hash=str(days), day=today - timedelta(days=days), count=1)
    return DayCount.objects.filter(key_hash="2").exists, DayCount.objects.filter(key_hash="1").exists


def retention_runs(request):
    for years in (5, 7):
        RetentionRun.objects.create(rule=f"of {years}", at=ago(365 * years))
    return (
        RetentionRun.objects.filter(rule="of 7").exists,
        RetentionRun.objects.filter(rule="of 5").exists,
    )


def put_aside(request):
    moderator = request.getfixturevalue("moderator")
    question = make_question(make_member())
    actions = []
    for days in (site.APPEAL_WITHIN_DAYS + 1, 1):
        answer = make_answer(question, make_member(), source="Ask Mr. Quillfeather of Duluth.")
        actions.append(
            acts.act(post=answer, by=moderator.user, kind="redact", reason="spam", text="Ask […] of Duluth.")
        )
        ModerationAction.objects.filter(pk=actions[-1].pk).update(taken_at=ago(days))
    rows = ModerationAction.objects.filter(before__isnull=False)
    return rows.filter(pk=actions[0].pk).exists, rows.filter(pk=actions[1].pk).exists


def write_counts(request):
    member, today = make_member(), timezone.now().date()
    for days in (1, 2):
        WriteCount.objects.create(
            member=member, day=today - timedelta(days=days), what=WriteCount.What.VOTE, count=1
        )
    rows = WriteCount.objects.all()
    return rows.filter(day=today - timedelta(days=2)).exists, rows.filter(
        day=today - timedelta(days=1)
    ).exists


def unshown_votes(request):
    asker = make_member()
    closed, running = make_poll(asker=asker), make_poll(asker=asker)
    Poll.objects.filter(pk=closed.pk).update(closed_at=timezone.now(), close_reason="creator")
    for poll in (closed, running):
        unshown.add(poll.pk, {"specialty": "Nephrology"}, [0])
    return lambda: unshown.has(closed.pk), lambda: unshown.has(running.pk)


def staged(request):
    old, new = make_draft().images.get(), make_draft().images.get()
    Image.objects.filter(pk=old.pk).update(staged_at=ago(1))
    rows = Image.objects.filter(state="staged")
    return rows.filter(pk=old.pk).exists, rows.filter(pk=new.pk).exists


def removed(request):
    moderator, cases = request.getfixturevalue("moderator"), []
    for days in (1, -1):
        case = make_case()
        acts.act(post=case.question.posts.get(), by=moderator.user, kind="remove", reason="spam")
        Post.objects.filter(question=case.pk).update(removed_at=ago(site.APPEAL_WITHIN_DAYS + days))
        cases.append(case)
    rows = Image.objects.filter(state="masked")
    return rows.filter(case=cases[0].pk).exists, rows.filter(case=cases[1].pk).exists


def case_files(request):
    old, young = stray("cases")
    return lambda: exists(old), lambda: exists(young)


def stimulus_files(request):
    old, young = stray("stimuli")
    return lambda: exists(old), lambda: exists(young)


def digests(request):
    member = make_member()
    for days in (61, 59):
        Digest.objects.create(member=member, day=ago(days), made_at=ago(days), since=ago(days), number=days)
    return Digest.objects.filter(number=61).exists, Digest.objects.filter(number=59).exists


def answered(request):
    seat = make_seat()
    search = searching.save(seat=seat, name="Anticoagulation", terms="apixaban")
    chart, _ = Chart.objects.get_or_create(search=search, as_of=timezone.now().date())
    for days in (1, -1):
        Answered.objects.create(
            firm=seat.firm,
            chart=chart,
            cell=f"{days}",
            people=[1],
            answered_on=ago(site.OBSERVER_REMEMBER_DAYS + days).date(),
        )
    return Answered.objects.filter(cell="1").exists, Answered.objects.filter(cell="-1").exists


def payout_details(request):
    made = []
    for days in (1, -1):
        payout = ask(make_paid(make_member()))
        manual.take_batch(method="bank", by=make_user(is_staff=True))
        payouts.settle(payout, Outcome(PAID))
        Payout.objects.filter(pk=payout.pk).update(
            requested_at=ago(200), ended_at=ago(site.PAYOUT_DETAILS_DAYS + days)
        )
        made.append(payout)
    rows = Payout.objects.filter(details__isnull=False)
    return rows.filter(pk=made[0].pk).exists, rows.filter(pk=made[1].pk).exists


def tax_forms(request):
    keys = [uuid.uuid4(), uuid.uuid4()]
    for key, years in zip(keys, (6, 3), strict=True):
        TaxForm.objects.create(subject=key, form={}, certified_at=ago(366 * years))
    return TaxForm.objects.filter(subject=keys[0]).exists, TaxForm.objects.filter(subject=keys[1]).exists


MAKERS = {
    "accounts.unconfirmed": unconfirmed,
    "accounts.sessions": sessions,
    "accounts.devices": devices,
    "accounts.tries": tries,
    "accounts.mail": mails,
    "accounts.alert_counts": alert_counts,
    "accounts.exports": exports,
    "accounts.pictures": pictures,
    "verification.documents": documents,
    "verification.abandoned": abandoned,
    "verification.codes": codes,
    "verification.calls": calls,
    "verification.objections": objections,
    "verification.license_checks": license_checks,
    "verification.holds": holds,
    "verification.unmaskings": unmaskings,
    "verification.day_counts": day_counts,
    "verification.retention_runs": retention_runs,
    "questions.put_aside": put_aside,
    "questions.write_counts": write_counts,
    "polls.unshown": unshown_votes,
    "consults.staged": staged,
    "consults.removed": removed,
    "consults.files": case_files,
    "newsfeed.digests": digests,
    "focusgroups.files": stimulus_files,
    "observers.answered": answered,
    "rewards.payout_details": payout_details,
    "rewards.tax_forms": tax_forms,
}


def test_every_rule_is_tried_here():
    assert {rule.name for rule in retention.rules()} == set(MAKERS)


@pytest.mark.parametrize("name", MAKERS)
def test_what_is_past_its_time_goes_and_nothing_else(name, request, django_capture_on_commit_callbacks):
    rule = next(rule for rule in retention.rules() if rule.name == name)
    with django_capture_on_commit_callbacks(execute=True):
        is_old_there, is_new_there = MAKERS[name](request)
    assert is_old_there()
    assert is_new_there()
    assert rule.left(timezone.now()) >= 1

    with django_capture_on_commit_callbacks(execute=True):
        run = enforcing.enforce(rule)

    assert not is_old_there()
    assert is_new_there()
    assert run.removed >= 1
    assert (run.left_over, run.failure) == (0, "")
    assert rule.left(timezone.now()) == 0


def test_the_page_of_the_table_is_true():
    """Made anew by `manage.py enforce_retention --table > docs/retention.md`."""
    assert (site.BASE_DIR / "docs/retention.md").read_text() == retention.as_markdown()


def test_only_known_apps_add_rules():
    with pytest.raises(ValueError, match=r"nobody\.anything is no name"):
        retention.register("nobody.anything", what="", kept="", why="")
