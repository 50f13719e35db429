"""Pictures of cases: staged as they came, masked for good, shredded."""

import secrets

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Coalesce
from django.urls import reverse
from django.utils import timezone

from accounts.models import Member
from consults.models.cases import Case
from consults.models.consents import Consent
from consults.models.drafts import CaseDraft
from sermo.fields import EncryptedTextField

MOST_IMAGES = 8
SIZES = ("full", "screen", "thumb")


def new_key() -> str:
    return secrets.token_urlsafe(18)


class ImageQuerySet(models.QuerySet):
    def visible_to(self, user):
        """Masked pictures of cases one may read, while the consent stands and nobody has said that they show a patient.

        Nothing else leaves by the address of a picture, for nobody.
        """
        cases = Case.objects.visible_to(user).filter(pk=OuterRef("case"), withdrawn_at=None)
        consents = Consent.objects.standing().filter(pk=OuterRef("consent"))
        return self.filter(Exists(cases), Exists(consents), state=Image.State.MASKED, hidden_at=None)

    def of_draft_of(self, member: Member | None):
        """What a member has in drafts of their own, masked or not yet, while no consent for it has ended."""
        if member is None:
            return self.none()
        rows = self.filter(draft__member=member).exclude(state=Image.State.SHREDDED)
        return rows.under_no_ended_consent()

    def on_desk(self, user):
        """What moderators look at: masked pictures of what waits for them, and those hidden by a flag."""
        drafts = CaseDraft.objects.on_desk(user).filter(pk=OuterRef("draft"))
        flagged = ImageFlag.objects.on_desk(user).filter(image=OuterRef("pk"))
        rows = self.filter(Exists(drafts) | Exists(flagged), state=Image.State.MASKED)
        return rows.under_no_ended_consent()

    def under_no_ended_consent(self):
        """But those whose consent, or else that of their draft, was taken back or is past its day.

        What is staged anew for a draft that was sent back is not under the consent it was sent with: only where that
        was taken back it goes, too.
        """
        own = Consent.objects.filter(pk=Coalesce(OuterRef("consent"), OuterRef("draft__consent")))
        staged_anew = Q(~Exists(own.exclude(revoked_at=None)), state=Image.State.STAGED)
        return self.filter(Q(consent=None, draft__consent=None) | Exists(own.standing()) | staged_anew)

    def in_order(self):
        return self.order_by("place", "pk")


class Shows(models.TextChoices):
    """What kind of picture it is, as its author says."""

    SKIN = "skin", "Skin or body"
    XRAY = "xray", "X-ray"
    CT = "ct", "CT"
    MRI = "mri", "MRI"
    ULTRASOUND = "ultrasound", "Ultrasound"
    EKG = "ekg", "EKG or other tracing"
    EYE = "eye", "Eye or fundus"
    ENDOSCOPY = "endoscopy", "Endoscopy"
    MICROSCOPY = "microscopy", "Pathology or smear"
    OTHER = "other", "Something else"


class Image(models.Model):
    """One picture. Its files lie in the private storage, encrypted under `seal`; without the seal they are noise.

    Staged files hold what came, decoded and drawn anew; masking burns the boxes into every size, seals those under a
    new key and destroys the staged files with theirs. `boxes` and `proposals` are lists of
    {left, top, width, height, sort} in thousandths of the sides. `windows` are [key, label] of each rendition.
    """

    class State(models.TextChoices):
        STAGED = "staged", "Staged"
        MASKED = "masked", "Masked"
        SHREDDED = "shredded", "Shredded"

    class Shredded(models.TextChoices):
        AUTHOR = "author", "by its author"
        CONSENT = "consent", "because the consent ended"
        IDENTITY = "identity", "because it showed a patient's identity"
        REFUSED = "refused", "because a moderator refused it"
        REMOVED = "removed", "because its discussion was removed"
        EXPIRED = "expired", "because it was not posted in time"

    key = models.CharField(max_length=24, unique=True, default=new_key, editable=False)
    draft = models.ForeignKey(CaseDraft, on_delete=models.SET_NULL, null=True, related_name="images")
    case = models.ForeignKey(Case, on_delete=models.PROTECT, null=True, related_name="images")
    consent = models.ForeignKey(Consent, on_delete=models.PROTECT, null=True, related_name="images")
    place = models.PositiveSmallIntegerField()
    upload = models.UUIDField()  # the browser's own number of the file, so that a repeated upload is one
    sort = models.CharField(max_length=5)  # photo or dicom
    shows = models.CharField(max_length=10, choices=Shows, blank=True, db_default="")
    width = models.PositiveSmallIntegerField()
    height = models.PositiveSmallIntegerField()
    windows = models.JSONField(default=list)
    description = models.CharField(max_length=500, blank=True)

    state = models.CharField(max_length=8, choices=State, default=State.STAGED)
    seal = EncryptedTextField(null=True)
    proposals = models.JSONField(default=list)
    was_looked_at = models.BooleanField(default=True)  # whether the search for text and faces ended
    boxes = models.JSONField(default=list)
    why_uncovered = models.CharField(max_length=200, blank=True)  # why a found face is not covered whole
    left_over = models.PositiveSmallIntegerField(default=0)  # what the search still finds under the masks

    staged_at = models.DateTimeField(default=timezone.now)
    masked_at = models.DateTimeField(null=True)
    destroyed_at = models.DateTimeField(null=True)  # when the seal of the original was overwritten
    hidden_at = models.DateTimeField(null=True)
    shredded_at = models.DateTimeField(null=True)
    shredded = models.CharField(max_length=8, choices=Shredded, blank=True)
    received_hash = models.CharField(max_length=64)  # keyed, of the file that came
    masked_hashes = ArrayField(models.CharField(max_length=64), default=list)  # SHA-256 of each full size

    objects = ImageQuerySet.as_manager()

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["draft", "upload"], condition=~Q(state="shredded"), name="case_image_upload_once"
            ),
            models.UniqueConstraint(
                fields=["case", "place"], condition=~Q(state="shredded"), name="case_image_place_once"
            ),
            models.CheckConstraint(condition=Q(place__range=(1, 8)), name="case_image_place_in_bounds"),
            models.CheckConstraint(condition=Q(sort__in=["photo", "dicom"]), name="case_image_sort_is_known"),
            models.CheckConstraint(
                condition=Q(
                    shows__in=[
                        *("", "skin", "xray", "ct", "mri", "ultrasound"),
                        *("ekg", "eye", "endoscopy", "microscopy", "other"),
                    ]
                ),
                name="case_image_shows_is_known",
            ),
            models.CheckConstraint(
                condition=Q(case=None) | Q(draft=None), name="case_image_of_draft_or_case"
            ),
            models.CheckConstraint(
                condition=Q(case=None)
                | Q(state="shredded")
                | (Q(state="masked", consent__isnull=False) & ~Q(description="")),
                name="case_image_published_whole",
            ),
            models.CheckConstraint(
                condition=Q(state="staged", masked_at=None, destroyed_at=None, seal__isnull=False)
                | Q(
                    state="masked",
                    masked_at__isnull=False,
                    destroyed_at__isnull=False,
                    seal__isnull=False,
                )
                | (Q(state="shredded", shredded_at__isnull=False, seal__isnull=True) & ~Q(shredded="")),
                name="case_image_state_as_its_moments",
            ),
        ]
        indexes = [models.Index(fields=["staged_at"], condition=Q(state="staged"), name="case_image_staged")]

    def __str__(self):
        return f"image {self.pk}"

    def get_absolute_url(self):
        return reverse("consults:image", args=[self.key])

    @property
    def is_masked(self):
        return self.state == self.State.MASKED

    @property
    def is_shredded(self):
        return self.state == self.State.SHREDDED


class ImageFlagQuerySet(models.QuerySet):
    def open(self):
        return self.filter(state=ImageFlag.State.OPEN)

    def on_desk(self, user):
        """Open flags a moderator may decide: not of own cases, not own flags, not where the moderator takes part."""
        from accounts.roles import is_moderator
        from questions.services.moderation import rights

        if not is_moderator(user):  # nor anybody who is not logged in, who is no member to ask about
            return self.none()
        return self.listed_on_desk(user).exclude(rights.part_taken(user.as_member, OuterRef("image__case")))

    def listed_on_desk(self, user):
        """Open flags a moderator is told of: also those where the moderator takes part, whose pictures stay unseen."""
        from accounts.roles import is_moderator

        if not is_moderator(user):
            return self.none()
        rows, member = self.open(), user.as_member
        if member is None:
            return rows
        return rows.exclude(member=member).exclude(image__case__question__asker=member)


class ImageFlag(models.Model):
    """A member's word that a picture shows who the patient is. It hides the picture before anybody looks."""

    class State(models.TextChoices):
        OPEN = "open", "Waiting"
        CONFIRMED = "confirmed", "Confirmed"
        WRONG = "wrong", "Wrong"

    image = models.ForeignKey(Image, on_delete=models.PROTECT, related_name="flags")
    member = models.ForeignKey(Member, on_delete=models.PROTECT, related_name="image_flags")
    words = models.CharField(max_length=200, blank=True)
    flagged_at = models.DateTimeField(default=timezone.now)
    state = models.CharField(max_length=9, choices=State, default=State.OPEN)
    decided_at = models.DateTimeField(null=True)
    decided_by = models.ForeignKey("accounts.User", on_delete=models.SET_NULL, null=True, related_name="+")

    objects = ImageFlagQuerySet.as_manager()

    class Meta:
        default_permissions = ("view",)
        constraints = [
            models.UniqueConstraint(
                fields=["image", "member"], condition=Q(state="open"), name="image_flag_one_open"
            ),
            models.CheckConstraint(
                condition=Q(state="open", decided_at=None)
                | Q(state__in=["confirmed", "wrong"], decided_at__isnull=False),
                name="image_flag_decided_with_moment",
            ),
        ]
        indexes = [
            models.Index(F("member"), F("decided_at").desc(), name="image_flag_of_member"),
            models.Index(fields=["flagged_at"], condition=Q(state="open"), name="image_flag_queue"),
        ]

    def __str__(self):
        return f"image flag {self.pk}"


class Incident(models.Model):
    """That a picture showed a patient's identity to readers: what was done about it, and by when it must be.

    The clock is that of the breach notification rule (45 CFR 164.404): 60 days from when it was found.
    """

    image = models.OneToOneField(Image, on_delete=models.PROTECT, related_name="incident")
    shown_from = models.DateTimeField()
    found_at = models.DateTimeField()
    contained_at = models.DateTimeField()
    due_at = models.DateTimeField()
    assessment = models.TextField(blank=True)
    assessed_at = models.DateTimeField(null=True, blank=True)
    notified_at = models.DateTimeField(null=True, blank=True)
    closed_at = models.DateTimeField(null=True, blank=True)

    class Meta:
        default_permissions = ("view", "change")
        constraints = [
            models.CheckConstraint(
                condition=Q(closed_at=None) | (Q(assessed_at__isnull=False) & ~Q(assessment="")),
                name="incident_closed_after_assessment",
            )
        ]

    def __str__(self):
        return f"incident {self.pk}"
