"""What shows that the license is the applicant's own: a code sent where only the physician can be, an entry in the
registry, documents a reviewer reads, or three colleagues.
"""

import secrets

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from sermo.fields import EncryptedTextField
from verification.models.claims import Claim


class MailDomain(models.Model):
    """A mail domain on which a code proves something, once a reviewer has found that only staff have addresses there.

    Applicants may ask for one; nothing says who did. Universities give addresses to students, so `.edu` alone is none.
    """

    class Sort(models.TextChoices):
        HOSPITAL = "hospital", "Hospital"
        SYSTEM = "system", "Health system"
        GROUP = "group", "Medical group"
        AGENCY = "agency", "Public health agency"

    class State(models.TextChoices):
        ASKED = "asked", "Asked for"
        ACCEPTED = "accepted", "Accepted"
        REFUSED = "refused", "Refused"

    name = models.CharField(
        "domain", max_length=120, unique=True
    )  # lower case, such as "mercyhealth.example"
    institution = models.CharField(max_length=120, blank=True)
    sort = models.CharField(max_length=8, choices=Sort, blank=True)
    state = models.CharField(max_length=8, choices=State, default=State.ASKED)
    note = models.CharField("why", max_length=400, blank=True)
    asked_on = models.DateField(default=timezone.localdate)
    reviewed_at = models.DateTimeField(null=True)
    reviewed_by = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, null=True, related_name="+"
    )

    class Meta:
        default_permissions = ("view",)
        permissions = [("review_maildomain", "Can review mail domains")]
        ordering = ["name"]
        constraints = [
            models.CheckConstraint(
                condition=Q(name__regex=r"^[a-z0-9-]+([.][a-z0-9-]+)+$"),
                name="mail_domain_is_written_plainly",
            ),
            models.CheckConstraint(
                condition=Q(state="asked", reviewed_at=None)
                | (Q(state__in=["accepted", "refused"], reviewed_at__isnull=False) & ~Q(note="")),
                name="mail_domain_reviewed_with_a_reason",
            ),
            models.CheckConstraint(
                condition=~Q(state="accepted") | (~Q(sort="") & ~Q(institution="")),
                name="mail_domain_accepted_of_a_known_sort",
            ),
        ]

    def __str__(self):
        return self.name


class Proof(models.Model):
    """One way of proving a claim. Codes are stored hashed; of a link also encrypted, to show it again.

    Of a code by phone, fax or mail: `target` is where it went, `sent` how often so far, `tries` the wrong guesses at
    the newest one. Of a mail whose code was right `code_hash` is its address's, so that no other claim has the same.
    Of an entry in the registry: `checked_at` is when the record was last read for it.
    """

    class Kind(models.TextChoices):
        PHONE = "phone", "Call to the registered phone"
        FAX = "fax", "Code by fax"
        ENDPOINT = "endpoint", "Entry in the registry"
        EMAIL = "email", "Hospital mail address"
        DOCUMENT = "document", "Document"
        VOUCH = "vouch", "Three colleagues"

    claim = models.ForeignKey(Claim, on_delete=models.PROTECT, related_name="proofs")
    kind = models.CharField(max_length=8, choices=Kind)
    target = EncryptedTextField(null=True)
    target_masked = models.CharField(max_length=40, blank=True)
    domain = models.ForeignKey(MailDomain, on_delete=models.PROTECT, null=True, related_name="+")
    code = EncryptedTextField(null=True)
    code_hash = models.CharField(max_length=64, null=True, unique=True, editable=False)  # noqa: DJ001 - none is not equal
    tries = models.PositiveSmallIntegerField(default=0)
    sent = models.PositiveSmallIntegerField(default=0)
    started_at = models.DateTimeField(default=timezone.now)
    sent_at = models.DateTimeField(null=True)
    expires_at = models.DateTimeField(null=True)
    checked_at = models.DateTimeField(null=True)
    ok_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["claim", "kind"], name="proof_once_per_kind"),
            models.CheckConstraint(
                condition=Q(kind="email") | Q(domain=None), name="proof_domain_is_of_a_mail"
            ),
            models.CheckConstraint(
                condition=Q(kind__in=["phone", "fax", "endpoint", "email", "document", "vouch"]),
                name="proof_kind_is_known",
            ),
            models.CheckConstraint(condition=Q(tries__lte=5), name="proof_five_tries"),
        ]

    def __str__(self):
        return self.get_kind_display()


def new_document_key() -> str:
    return secrets.token_hex(16)


class Document(models.Model):
    """A document as pages of freshly drawn JPEG, encrypted in the private storage under random names."""

    class Sort(models.TextChoices):
        LICENSE = "license", "License card or certificate"
        BADGE = "badge", "Hospital badge"
        LETTER = "letter", "Letter from an employer or board"
        OTHER = "other", "Something else"

    proof = models.ForeignKey(Proof, on_delete=models.PROTECT, related_name="documents")
    key = models.CharField(max_length=32, unique=True, default=new_document_key, editable=False)
    sort = models.CharField("what it is", max_length=7, choices=Sort)
    sha256 = models.CharField(max_length=64)  # of the file as it came; outlives the file
    size = models.PositiveIntegerField()
    pages = models.PositiveSmallIntegerField()
    uploaded_at = models.DateTimeField(default=timezone.now)
    deleted_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ("view",)
        ordering = ["uploaded_at", "pk"]
        constraints = [
            models.UniqueConstraint(
                fields=["proof", "sha256"], condition=Q(deleted_at=None), name="document_once_per_claim"
            ),
            models.CheckConstraint(
                condition=Q(pages__gte=1, pages__lte=10), name="document_one_to_ten_pages"
            ),
        ]

    def __str__(self):
        return self.get_sort_display()

    def page_name(self, page: int) -> str:
        """Where a page lies in the private storage; pages count from 1."""
        return f"documents/{self.key[:2]}/{self.key}-{page}"


class Vouch(models.Model):
    """A verified physician's signed word for an applicant they know."""

    class Relation(models.TextChoices):
        WORKS = "works", "We work or worked together"
        TRAINED = "trained", "We trained together"
        TAUGHT = "taught", "I taught or supervised them, or they me"
        OTHER = "other", "I know them professionally in another way"

    claim = models.ForeignKey(Claim, on_delete=models.PROTECT, related_name="vouches")
    claimant = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    voucher = models.ForeignKey(
        settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="vouches_given"
    )
    relation = models.CharField(max_length=7, choices=Relation)
    statement = EncryptedTextField()
    signed_at = models.DateTimeField(default=timezone.now)

    class Meta:
        default_permissions = ("view",)
        verbose_name_plural = "vouches"
        constraints = [
            models.UniqueConstraint(fields=["claim", "voucher"], name="vouch_once_per_claim"),
            models.CheckConstraint(condition=~Q(voucher=F("claimant")), name="vouch_not_for_oneself"),
        ]

    def __str__(self):
        return f"vouch {self.pk}"


class Objection(models.Model):
    """The link in a message by a second way: "this was not me". Whoever holds it needs no account."""

    class Way(models.TextChoices):
        MAIL = "mail", "Mail to the account"
        PHONE = "phone", "Call to the registered phone"
        FAX = "fax", "Fax to the registered number"

    claim = models.ForeignKey(Claim, on_delete=models.PROTECT, related_name="objections")
    way = models.CharField(max_length=5, choices=Way)
    code_hash = models.CharField(max_length=64, unique=True, editable=False)
    sent_at = models.DateTimeField(null=True)  # none: it waits, by day for a telephone
    words = EncryptedTextField(null=True)  # of who objects, and how to reach them
    objected_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["claim", "way"], name="objection_one_link_for_each_way"),
            models.CheckConstraint(
                condition=Q(way__in=["mail", "phone", "fax"]), name="objection_way_is_known"
            ),
        ]

    def __str__(self):
        return f"objection {self.pk}"


class VouchLoss(models.Model):
    """What it cost to vouch for somebody who was not who they said: the power to vouch, and points."""

    claim = models.ForeignKey(Claim, on_delete=models.PROTECT, related_name="+")  # that was revoked
    voucher = models.ForeignKey(settings.AUTH_USER_MODEL, on_delete=models.PROTECT, related_name="+")
    at = models.DateTimeField(default=timezone.now)
    taken_back_at = models.DateTimeField(null=True)  # where the revocation was

    class Meta:
        default_permissions = ("view",)
        constraints = [models.UniqueConstraint(fields=["claim", "voucher"], name="vouch_loss_once")]

    def __str__(self):
        return f"loss {self.pk}"
