"""What shows that the license is the applicant's own: documents a reviewer reads, or three colleagues."""

import secrets

from django.conf import settings
from django.db import models
from django.db.models import F, Q
from django.utils import timezone

from sermo.fields import EncryptedTextField
from verification.models.claims import Claim


class Proof(models.Model):
    """One way of proving a claim. Codes are stored hashed; that of a vouch link also encrypted, to show it again."""

    class Kind(models.TextChoices):
        PHONE = "phone", "Call to the registered phone"
        FAX = "fax", "Code by fax"
        ENDPOINT = "endpoint", "Entry in the registry"
        EMAIL = "email", "Hospital mail address"
        DOCUMENT = "document", "Document"
        VOUCH = "vouch", "Three colleagues"

    claim = models.ForeignKey(Claim, on_delete=models.PROTECT, related_name="proofs")
    kind = models.CharField(max_length=8, choices=Kind)
    target_masked = models.CharField(max_length=40, blank=True)
    code = EncryptedTextField(null=True)
    code_hash = models.CharField(max_length=64, null=True, unique=True, editable=False)  # noqa: DJ001 - none is not equal
    tries = models.PositiveSmallIntegerField(default=0)
    sent = models.PositiveSmallIntegerField(default=0)
    started_at = models.DateTimeField(default=timezone.now)
    ok_at = models.DateTimeField(null=True)

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(fields=["claim", "kind"], name="proof_once_per_kind"),
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
