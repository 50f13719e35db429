"""Consents: attested, prepared with a code for the patient, signed, renewed, taken back, and ended with their time.

A physician attests; the site never learns who the patient is. What takes a consent back is done in two steps: at once
nobody sees its pictures any more, then each case is withdrawn in a transaction of its own. A sweep finishes what a
crash left undone.
"""

import re
import secrets
from collections.abc import Iterator
from datetime import date, timedelta

import structlog
from django.db import transaction
from django.db.models import Exists, OuterRef, Q, QuerySet
from django.utils import timezone

from accounts.models import Kind, Member
from accounts.services import notices
from consults import tasks
from consults.models import Case, CaseDraft, Consent, Image
from consults.services import stories, withdrawing
from questions.services.writing import ReadOnly
from sermo.background import nudge
from sermo.crypto import keyed_hash
from sermo.errors import RuleBroken

log = structlog.get_logger(__name__)
FORM_VERSION = "2026-12"
WITHOUT_STORIES = {"2026-11"}  # forms that did not ask about stories for everybody
SIGNS = "23456789ABCDEFGHJKMNPQRSTVWXYZ"  # none that looks like another one, and no U, for the words it makes
SIGNS_OF_CODE = 20  # the last one checks the others
GROUP = 5
PURPOSE = "consent-code"
MOST_PREPARED = 50  # of one member, not signed yet
LONGEST_YEARS = 10
REMIND_DAYS = (0, 7, 30)  # before a consent ends
KEPT_DAYS = 30  # cases stay, without their pictures, for a consent that ended to be renewed


class NotYours(RuleBroken):
    message = "Only the physician who took this consent can change it."


class StatementMissing(RuleBroken):
    message = "Say in a sentence why no consent is required, or who approved it."


class NotSignedKind(RuleBroken):
    message = "Only a consent that a patient gives is signed."


class SignedAlready(RuleBroken):
    message = "This consent is signed already. Renew it instead."


class NotSignedYet(RuleBroken):
    message = "This consent is not signed yet."


class TakenBack(RuleBroken):
    message = "This consent was taken back. Take a new one."


class NotOnForm(RuleBroken):
    message = "The form that was signed does not ask about stories. Have the form of today signed for that."


class StoryUnsigned(RuleBroken):
    message = "A story is told with the consent of the patient. Have the form of today signed for that."


class UnknownVersion(RuleBroken):
    message = "Choose the version that stands at the foot of the sheet."


class SignedInFuture(RuleBroken):
    message = "It cannot be signed on a day to come."


class EndsInPast(RuleBroken):
    message = "Choose a last day that is still to come."


class EndsTooLate(RuleBroken):
    message = f"A consent holds for {LONGEST_YEARS} years at most. Choose an earlier day."


class TooManyPrepared(RuleBroken):
    message = f"You have {MOST_PREPARED} forms that nobody signed yet. Use one of them."


# Codes


def new_code() -> str:
    signs = "".join(secrets.choice(SIGNS) for _ in range(SIGNS_OF_CODE - 1))
    return signs + _check_sign(signs)


def _check_sign(signs: str) -> str:
    """Luhn's sign over our alphabet: one wrong sign never passes, and two that changed places hardly ever."""
    total = 0
    for place, sign in enumerate(reversed(signs)):
        value = SIGNS.index(sign) * (2 if place % 2 == 0 else 1)
        total += value // len(SIGNS) + value % len(SIGNS)
    return SIGNS[-total % len(SIGNS)]


def typed_code(text: str) -> str:
    """A code as typed, without what only groups it."""
    return re.sub(r"[\s.\-–—]", "", text).upper()


def is_code(code: str) -> bool:
    """Whether this could be a code; which ones there are it does not tell."""
    return len(code) == SIGNS_OF_CODE and set(code) <= set(SIGNS) and _check_sign(code[:-1]) == code[-1]


def grouped(code: str) -> str:
    return "-".join(code[start : start + GROUP] for start in range(0, len(code), GROUP))


# Attesting and signing


@transaction.atomic
def attest(
    *,
    member: Member,
    kind: str,
    statement: str = "",
    for_teaching: bool = False,
    for_observers: bool = False,
    for_stories: bool = False,
    expires_on: date | None = None,
) -> Consent:
    """Note why no patient signs: nothing identifies one, or the institution approved it.

    Raises ReadOnly, StatementMissing, NotSignedYet for a kind that is signed, StoryUnsigned, EndsInPast, EndsTooLate.
    """
    if not member.may_write:
        raise ReadOnly
    if kind == Consent.Kind.SIGNED:
        raise NotSignedYet
    if not statement.strip():
        raise StatementMissing
    if for_stories:
        raise StoryUnsigned
    check_end(expires_on)
    return Consent.objects.create(
        member=member,
        kind=Consent.Kind(kind),
        statement=statement.strip(),
        for_teaching=for_teaching,
        for_observers=for_observers,
        expires_on=expires_on,
        attested_at=timezone.now(),
    )


@transaction.atomic
def prepare(*, member: Member, note: str = "") -> Consent:
    """Begin a consent that a patient will sign, with the code by which it can be taken back.

    Raises ReadOnly, TooManyPrepared.
    """
    member = Member.objects.select_for_update(no_key=True).get(pk=member.pk)  # two at once count one by one
    if not member.may_write:
        raise ReadOnly
    if Consent.objects.own(member).filter(attested_at=None, revoked_at=None).count() >= MOST_PREPARED:
        raise TooManyPrepared
    code = new_code()
    return Consent.objects.create(
        member=member,
        kind=Consent.Kind.SIGNED,
        note=note.strip(),
        form_version=FORM_VERSION,
        code=code,
        code_hash=keyed_hash(code, PURPOSE),
    )


@transaction.atomic
def sign(
    *,
    consent: Consent,
    member: Member,
    signer: str,
    medium: str,
    signed_on: date,
    for_teaching: bool = False,
    for_observers: bool = False,
    for_stories: bool = False,
    expires_on: date | None = None,
    form_version: str = "",
) -> Consent:
    """Attest that a patient or guardian signed what was prepared, on paper or on this screen.

    On paper the version is that of the sheet, which may have been printed long ago (empty: when it was prepared). On
    the screen it is always that of today.
    Raises NotYours, ReadOnly, NotSignedKind, TakenBack, SignedAlready, SignedInFuture, EndsInPast, EndsTooLate,
    UnknownVersion, and NotOnForm where stories are ticked and that version of the form has no such box.
    """
    consent = _lock_own(consent, member)
    if consent.attested_at is not None:
        raise SignedAlready
    check_signed(signed_on)
    check_end(expires_on)
    consent.signer, consent.medium = Consent.Signer(signer), Consent.Medium(medium)
    consent.form_version = _version_signed(consent, form_version)
    consent.signed_on, consent.expires_on = signed_on, expires_on
    if for_stories and not has_stories(consent.form_version):
        raise NotOnForm
    consent.for_teaching, consent.for_observers = for_teaching, for_observers
    consent.for_stories = for_stories
    consent.attested_at = timezone.now()
    consent.save()
    return consent


@transaction.atomic
def renew(
    *,
    consent: Consent,
    member: Member,
    signer: str,
    medium: str,
    signed_on: date,
    expires_on: date | None,
    form_version: str = "",
) -> Consent:
    """Attest that the same form was signed anew. What it allows stays as it was.

    The version of the form is as with `sign`.
    Raises NotYours, ReadOnly, NotSignedKind, TakenBack, NotSignedYet, SignedInFuture, EndsInPast, EndsTooLate,
    UnknownVersion.
    """
    consent = _lock_own(consent, member)
    if consent.attested_at is None:
        raise NotSignedYet
    check_signed(signed_on)
    check_end(expires_on)
    consent.signer, consent.medium = Consent.Signer(signer), Consent.Medium(medium)
    consent.form_version = _version_signed(consent, form_version)
    consent.signed_on, consent.expires_on = signed_on, expires_on
    consent.attested_at, consent.reminded_on = timezone.now(), None
    consent.save()
    return consent


def has_stories(form_version: str) -> bool:
    """Whether this version of the form asks about stories for everybody."""
    return form_version not in WITHOUT_STORIES


def versions_on_paper(consent: Consent) -> list[str]:
    """Which versions a signed sheet can be of: that of today, which is printed, and that of when it was prepared."""
    return list(dict.fromkeys([FORM_VERSION, consent.form_version or FORM_VERSION]))


def _version_signed(consent: Consent, of_sheet: str) -> str:
    """Paper may be older than the form of today; a screen never is. Raises UnknownVersion."""
    if consent.medium == Consent.Medium.SCREEN:
        return FORM_VERSION
    found = of_sheet or consent.form_version or FORM_VERSION
    if found not in versions_on_paper(consent):
        raise UnknownVersion
    return found


def _lock_own(consent: Consent, member: Member) -> Consent:
    """Lock a consent that its physician may have signed. Raises NotYours, ReadOnly, NotSignedKind, TakenBack."""
    consent = Consent.objects.select_for_update(of=("self",)).get(pk=consent.pk)
    if consent.member_id != member.pk:
        raise NotYours
    if not member.may_write:
        raise ReadOnly
    if consent.kind != Consent.Kind.SIGNED:
        raise NotSignedKind
    if consent.revoked_at is not None:
        raise TakenBack
    return consent


def check_signed(day: date) -> None:
    if day > timezone.localdate():
        raise SignedInFuture


def check_end(day: date | None) -> None:
    if day is None:
        return
    today = timezone.now().date()
    if day < today:
        raise EndsInPast
    if day > today + timedelta(days=366 * LONGEST_YEARS):
        raise EndsTooLate


# Taking back


def revoke(*, consent: Consent, by: Member) -> int:
    """Take a consent back for the patient: every picture under it is destroyed, every case withdrawn.

    Returns how many pictures are destroyed now; what a fault kept from it shows nowhere, and a sweep destroys it.
    Twice is as good as once. Raises NotYours.
    """
    if consent.member_id != by.pk:
        raise NotYours
    _revoke(consent.pk, Consent.RevokedBy.PHYSICIAN)
    pictures = list(pictures_under(consent.pk).values_list("pk", flat=True))
    carry_out(consent_id=consent.pk)
    return Image.objects.filter(pk__in=pictures, state=Image.State.SHREDDED).count()


def revoke_by_code(code: str) -> int:
    """The same by whoever holds the code. Nobody sees the pictures from now on; a task destroys them.

    Returns how many pictures that are; 0 for a code that does not exist or was used before.
    """
    known = keyed_hash(typed_code(code), PURPOSE)
    consent_id = Consent.objects.filter(code_hash=known).values_list("pk", flat=True).first()
    if consent_id is None:
        return 0
    pictures = _revoke(consent_id, Consent.RevokedBy.PATIENT)
    nudge(tasks.carry_out_revocation, consent_id)
    return pictures


@transaction.atomic
def _revoke(consent_id: int, by: str) -> int:
    """From here on its pictures show nowhere, its stories are gone, and nothing new can be posted with it."""
    consent = Consent.objects.select_for_update(of=("self",)).get(pk=consent_id)
    if consent.revoked_at is not None:
        return 0
    consent.revoked_at, consent.revoked_by = timezone.now(), by
    consent.save(update_fields=["revoked_at", "revoked_by"])
    stories.erase_under(consent_id)
    pictures = pictures_under(consent_id).count()
    if by == Consent.RevokedBy.PATIENT:
        _tell(consent, f"consent:{consent.pk}:revoked")
    return pictures


def pictures_under(consent_id: int) -> QuerySet[Image]:
    """Those that are not destroyed yet."""
    under = Q(consent=consent_id) | Q(case__consent=consent_id) | Q(draft__consent=consent_id)
    return Image.objects.filter(under).exclude(state=Image.State.SHREDDED)


def carry_out(*, consent_id: int) -> None:
    """Withdraw every case under a consent that ended, and end every draft. A fault at one keeps no other."""
    for case in cases_under(consent_id).filter(withdrawn_at=None).order_by("pk"):
        with _noted("case_not_withdrawn", case=case.pk):
            withdrawing.withdraw(case=case, why=Case.Withdrawn.CONSENT)
    for draft in drafts_under(consent_id).order_by("pk"):
        with _noted("case_draft_not_ended", draft=str(draft.pk)):
            withdrawing.end_draft(draft=draft, why=Image.Shredded.CONSENT)
    for image in pictures_under(consent_id).order_by("pk"):
        with _noted("case_picture_not_shredded", image=image.pk):
            withdrawing.shred(image=image, why=Image.Shredded.CONSENT)


class _noted:
    """Logs what fails, and lets the rest go on."""

    def __init__(self, event: str, **ids):
        self.event, self.ids = event, ids

    def __enter__(self):
        return self

    def __exit__(self, kind, error, trace) -> bool:
        if isinstance(error, Exception):
            log.error(self.event, error=type(error).__name__, **self.ids)
            return True
        return False


def cases_under(consent_id: int) -> QuerySet[Case]:
    pictures = Image.objects.filter(case=OuterRef("pk"), consent=consent_id)
    return Case.objects.filter(Q(consent=consent_id) | Exists(pictures))


def drafts_under(consent_id: int) -> QuerySet[CaseDraft]:
    pictures = Image.objects.filter(draft=OuterRef("pk"), consent=consent_id)
    return CaseDraft.objects.filter(Q(consent=consent_id) | Exists(pictures))


def finish_revocations() -> int:
    """Carry out what a crash left undone of consents that were taken back; return of how many."""
    under = Image.objects.exclude(state=Image.State.SHREDDED)
    left = (
        Exists(Case.objects.filter(consent=OuterRef("pk"), withdrawn_at=None))
        | Exists(CaseDraft.objects.filter(consent=OuterRef("pk")))
        | Exists(under.filter(consent=OuterRef("pk")))
    )
    due = list(
        Consent.objects.filter(left, revoked_at__isnull=False).order_by("pk").values_list("pk", flat=True)
    )
    for consent_id in due:
        carry_out(consent_id=consent_id)
    return len(due)


# What a clock does


def remind_due() -> int:
    """Tell physicians whose consents end in 30 days, in 7, or today; return of how many. Each time once.

    Only of consents under which something stands.
    """
    return sum(_remind(consent_id=consent_id, days=days) for consent_id, days in list(_to_remind()))


def _to_remind() -> Iterator[tuple[int, int]]:
    today = timezone.now().date()
    soon = Consent.objects.filter(
        _covers_something(),
        revoked_at=None,
        attested_at__isnull=False,
        expires_on__lte=today + timedelta(days=max(REMIND_DAYS)),
        expires_on__gte=today - timedelta(days=KEPT_DAYS),
    )
    for consent in soon.order_by("expires_on", "pk"):
        if (days := _step(consent, today)) is not None:
            yield consent.pk, days


def _step(consent: Consent, today: date) -> int | None:
    """Which reminder is due: the latest whose day has come, unless it went out or the consent is younger than it."""
    for days in REMIND_DAYS:
        day = consent.expires_on - timedelta(days=days)
        if day <= today:
            is_new = consent.reminded_on is None or consent.reminded_on < day
            return days if is_new and consent.attested_at.date() < day else None
    return None


@transaction.atomic
def _remind(*, consent_id: int, days: int) -> bool:
    consent = Consent.objects.select_for_update(of=("self",)).get(pk=consent_id)
    today = timezone.now().date()
    if consent.revoked_at or not consent.expires_on or _step(consent, today) != days:
        return False
    consent.reminded_on = today
    consent.save(update_fields=["reminded_on"])
    _tell(consent, f"consent:{consent.pk}:{consent.expires_on:%Y%m%d}:{days}")
    return True


def _covers_something():
    pictures = Image.objects.exclude(state=Image.State.SHREDDED).filter(consent=OuterRef("pk"))
    cases = Case.objects.filter(consent=OuterRef("pk"), withdrawn_at=None)
    return Exists(cases) | Exists(CaseDraft.objects.filter(consent=OuterRef("pk"))) | Exists(pictures)


def _tell(consent: Consent, key: str) -> None:
    notices.tell(
        members=[consent.member_id],
        kind=Kind.CASE,
        target=consent.pk,
        about=f"consent:{consent.pk}",
        key=key,
    )


def end_expired() -> int:
    """Withdraw what stands under consents that ended 30 days ago and were not renewed; return of how many."""
    late = timezone.now().date() - timedelta(days=KEPT_DAYS)
    ended = Consent.objects.filter(_covers_something(), revoked_at=None, expires_on__lt=late)
    due = list(ended.order_by("expires_on", "pk").values_list("pk", flat=True))
    for consent_id in due:
        carry_out(consent_id=consent_id)
    return len(due)
