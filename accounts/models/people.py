"""People: log-ins, members under their handles, and the specialties they practice."""

import secrets

from django.conf import settings
from django.contrib.auth.base_user import AbstractBaseUser, BaseUserManager
from django.contrib.auth.models import PermissionsMixin
from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import Exists, F, OuterRef, Q
from django.db.models.functions import Lower
from django.urls import reverse
from django.utils import timezone

from accounts.places import REGION_OF, STATES

models.CharField.register_lookup(Lower)  # handle__lower, as the unique index has it


class Specialty(models.Model):
    """A code of the NUCC grouping of physicians. The top of its tree is its specialty group."""

    code = models.CharField(max_length=10, primary_key=True)
    name = models.CharField(max_length=80)
    group = models.CharField(max_length=80)
    slug = models.SlugField(max_length=80, db_index=False)
    is_choice = models.BooleanField("offered to members")
    is_physician = models.BooleanField()

    class Meta:
        verbose_name_plural = "specialties"
        ordering = ["name"]
        constraints = [
            models.UniqueConstraint(
                fields=["slug"], condition=Q(is_choice=True), name="specialty_choice_slug_once"
            ),
            models.CheckConstraint(
                condition=Q(is_physician=True) | Q(is_choice=False), name="specialty_choice_is_physician"
            ),
        ]

    def __str__(self):
        return self.name

    def get_absolute_url(self):
        return reverse("questions:specialty", args=[self.slug])

    @classmethod
    def choice_for(cls, code: str) -> "Specialty | None":
        """The specialty a member would choose for a code: of the same name, else the top of its tree, else none."""
        found = cls.objects.filter(code=code, is_physician=True).first()
        if found is None:
            return None
        choices = {
            choice.name: choice
            for choice in cls.objects.filter(is_choice=True, name__in=[found.name, found.group])
        }
        return choices.get(found.name) or choices.get(found.group)


class UserManager(BaseUserManager):
    def create_user(self, email, password=None, **fields):
        user = self.model(email=email.strip().lower(), **fields)
        user.set_password(password)
        user.save(using=self._db)
        return user

    def create_superuser(self, email, password=None, **fields):
        return self.create_user(email, password, **{"is_staff": True, "is_superuser": True, **fields})

    def get_by_natural_key(self, email):
        return self.get(email=email.strip().lower())


class User(AbstractBaseUser, PermissionsMixin):
    """Someone who can log in. What colleagues see of a physician is the Member."""

    email = models.EmailField(unique=True)
    is_staff = models.BooleanField(default=False)
    is_active = models.BooleanField(default=True)
    date_joined = models.DateTimeField(default=timezone.now)

    objects = UserManager()

    USERNAME_FIELD = "email"
    EMAIL_FIELD = "email"

    class Meta:
        constraints = [
            models.CheckConstraint(condition=Q(email=Lower("email")), name="user_email_is_lower_case")
        ]

    def __str__(self):
        return f"user {self.pk}"

    @property
    def as_member(self):
        """The member this log-in belongs to, or None for staff and observers."""
        return getattr(self, "member", None)


class MemberQuerySet(models.QuerySet):
    def physicians(self):
        return self.filter(standing__in=[Member.Standing.PHYSICIAN, Member.Standing.READ_ONLY])

    def visible_to(self, user, face="handle"):
        """The one gate between a person and a member as met under one face, see `accounts.models.Face`.

        Verified members see each other, but for those between whom a block joins this face, and always themselves;
        moderators see past blocks; nobody else sees anyone. Under the name there are only those who show one.
        """
        from accounts.models.ties import Block, Face
        from accounts.roles import is_moderator

        met = Q(standing__in=[Member.Standing.PHYSICIAN, Member.Standing.READ_ONLY], user__isnull=False)
        if face == Face.NAME:
            met &= Q(byline_mode=Member.BylineMode.PUBLIC)
        if is_moderator(user):
            return self.filter(met)
        reader = user.as_member if user.is_authenticated else None
        if reader is None or not reader.may_read:
            return self.none()
        shut_out = Block.objects.filter(blocker=reader, blocked=OuterRef("pk"), blocked_face=face)
        shut_in = Block.objects.filter(blocked=reader, blocker=OuterRef("pk"), blocker_face=face)
        return self.filter(met & (Q(pk=reader.pk) | (~Exists(shut_out) & ~Exists(shut_in))))

    def for_profile(self):
        return self.select_related("specialty", "subspecialty")


def new_physician_key():
    return secrets.token_urlsafe(12)


class Member(models.Model):
    """A physician, or someone on the way there, as others know them: a handle and chosen facts, never a legal name.

    `standing` is written by the verification services alone, and so is `display_name`.
    """

    class Standing(models.TextChoices):
        APPLICANT = "applicant", "Applicant"
        PHYSICIAN = "physician", "Physician"
        READ_ONLY = "read_only", "Read only"
        SUSPENDED = "suspended", "Suspended"

    class BylineMode(models.TextChoices):
        ANONYMOUS = "anonymous", "Handle and specialty"
        PARTIAL = "partial", "Handle, specialty, region and years in practice"
        PUBLIC = "public", "Real name and specialty"

    class YearsBand(models.TextChoices):
        FIRST = "0-5", "0 to 5 years"
        SECOND = "6-10", "6 to 10 years"
        THIRD = "11-20", "11 to 20 years"
        FOURTH = "21-30", "21 to 30 years"
        LAST = "31+", "31 years and more"

    class Audience(models.TextChoices):
        ME = "me", "Only me"
        CONNECTIONS = "connections", "Connections"
        PHYSICIANS = "physicians", "Physicians"

    class ContactFor(models.TextChoices):
        QUESTIONS = "questions", "Questions"
        REFERRALS = "referrals", "Referrals"
        JOBS = "jobs", "Jobs"
        RESEARCH = "research", "Research"

    user = models.OneToOneField(
        settings.AUTH_USER_MODEL, on_delete=models.SET_NULL, null=True, related_name="member"
    )
    handle = models.CharField(max_length=24)
    handle_changed_at = models.DateTimeField(null=True, blank=True)
    standing = models.CharField(max_length=10, choices=Standing, default=Standing.APPLICANT)
    specialty = models.ForeignKey(
        Specialty, on_delete=models.PROTECT, null=True, blank=True, related_name="members"
    )
    state = models.CharField(max_length=2, choices=STATES, blank=True)
    years_band = models.CharField("years since graduation", max_length=5, choices=YearsBand, blank=True)
    bio = models.CharField(max_length=500, blank=True)
    subspecialty = models.ForeignKey(
        Specialty, on_delete=models.PROTECT, null=True, blank=True, related_name="+"
    )
    languages = ArrayField(models.CharField(max_length=3), default=list, blank=True)
    school = models.CharField("medical school", max_length=120, blank=True)
    training = models.CharField("residency and fellowship", max_length=200, blank=True)
    publications = ArrayField(models.CharField(max_length=8), default=list, blank=True)  # PMIDs
    contact_for = ArrayField(models.CharField(max_length=9, choices=ContactFor), default=list, blank=True)
    visibility = models.JSONField(
        default=dict, blank=True
    )  # field of the profile: Audience; see accounts.faces
    face = models.JSONField(default=dict, blank=True)  # what the handle shows after the small-cell guard
    handle_picture = models.CharField(max_length=32, blank=True)  # see accounts.pictures
    name_picture = models.CharField(max_length=32, blank=True)
    byline_mode = models.CharField(max_length=9, choices=BylineMode, default=BylineMode.ANONYMOUS)
    peers_only = models.BooleanField(default=False, db_default=False)  # unless a post says otherwise
    hides_industry = models.BooleanField(default=False, db_default=False)
    display_name = models.CharField(max_length=80, blank=True)
    physician_key = models.CharField(max_length=16, unique=True, default=new_physician_key, editable=False)
    joined_at = models.DateTimeField(default=timezone.now)

    objects = MemberQuerySet.as_manager()

    class Meta:
        constraints = [
            models.UniqueConstraint(Lower("handle"), name="member_handle_once"),
            models.CheckConstraint(
                condition=Q(standing__in=["applicant", "physician", "read_only", "suspended"]),
                name="member_standing_is_known",
            ),
            models.CheckConstraint(
                condition=~Q(display_name="") | ~Q(byline_mode="public"),
                name="member_public_has_display_name",
            ),
            models.CheckConstraint(
                condition=Q(display_name="") | Q(byline_mode="public"),
                name="member_display_name_only_if_public",
            ),
            models.CheckConstraint(
                condition=Q(handle_picture="") | ~Q(handle_picture=F("name_picture")),
                name="member_faces_differ_in_picture",
            ),
        ]
        indexes = [models.Index(fields=["specialty", "standing"], name="member_specialty_standing")]

    def __str__(self):
        return self.handle

    def get_absolute_url(self):
        return reverse("accounts:member", args=[self.handle])

    @property
    def physician_url(self):
        """The page of the real name, which never leads back to the handle."""
        return reverse("accounts:physician", args=[self.physician_key])

    @property
    def region(self):
        return REGION_OF.get(self.state, "")

    @property
    def is_applicant(self):
        return self.standing == self.Standing.APPLICANT

    @property
    def may_read(self):
        return self.standing in (self.Standing.PHYSICIAN, self.Standing.READ_ONLY)

    @property
    def may_write(self):
        return self.standing == self.Standing.PHYSICIAN


class Handle(models.Model):
    """Every handle ever taken, by the form in which lookalikes are equal, so that nobody can take over another's.

    Those of former members stand here by a keyed hash of that form alone.
    """

    key = models.CharField(max_length=64, primary_key=True)
    text = models.CharField(max_length=24)
    member = models.ForeignKey(Member, on_delete=models.SET_NULL, null=True, related_name="handles")
    taken_at = models.DateTimeField(default=timezone.now)
    released_at = models.DateTimeField(null=True, blank=True)
    held_until = models.DateTimeField(null=True, blank=True)

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["member"], condition=Q(released_at=None), name="handle_one_current"
            ),
            models.CheckConstraint(
                condition=Q(released_at=None) | Q(released_at__gte=F("taken_at")),
                name="handle_released_after_taken",
            ),
        ]

    def __str__(self):
        return self.text
