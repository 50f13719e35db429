"""The public registries as last imported, and the schools and boards we ship.

Provider, ProviderLicense, Education and Exclusion are replaced whole, by renaming a freshly loaded table
into place (verification/imports/staging.py). So nothing points at them, they carry no database foreign keys
of their own, and a claim keeps its own snapshot of what it matched.
"""

import re

from django.contrib.postgres.fields import ArrayField
from django.db import models
from django.db.models import F, Func, Q
from django.utils import timezone

NPI_IS_VALID = Func(F("npi"), function="verification_npi_ok", output_field=models.BooleanField())

HAS_OTHER_NAME = ~Q(
    other_name_key=""
)  # said in queries too, so that they can use the index of those who have one


class ImportRun(models.Model):
    """One reading of one registry file, from its start to how it ended."""

    class Source(models.TextChoices):
        NPPES = "nppes", "NPPES"
        CLINICIANS = "clinicians", "Doctors and Clinicians"
        LEIE = "leie", "Exclusions (LEIE)"
        BOARD = "board", "A state board's roster"

    class State(models.TextChoices):
        RUNNING = "running", "Running"
        LOADED = "loaded", "Loaded"
        REPLACED = "replaced", "Loaded, and loaded again since"
        STOPPED = "stopped", "Stopped by hand"
        FAILED = "failed", "Failed"
        KILLED = "killed", "Killed"

    source = models.CharField(max_length=10, choices=Source)
    weekly = models.BooleanField("weekly increment", default=False)
    board = models.CharField("state of the board", max_length=2, blank=True, default="")
    file_name = models.CharField(max_length=200)
    file_size = models.BigIntegerField("bytes", null=True)
    file_date = models.DateField(null=True)
    sha256 = models.CharField(max_length=64, blank=True)
    started_at = models.DateTimeField(default=timezone.now)
    finished_at = models.DateTimeField(null=True)
    state = models.CharField(max_length=8, choices=State, default=State.RUNNING)
    rows_read = models.BigIntegerField(default=0)
    rows_kept = models.BigIntegerField(default=0)
    rows_skipped = models.BigIntegerField(default=0)
    rows_merged = models.BigIntegerField(default=0)
    rows_rejected = models.BigIntegerField(default=0)
    reject_counts = models.JSONField(default=dict)
    warning_counts = models.JSONField(default=dict)
    note = models.CharField(max_length=500, blank=True)
    rechecked_at = models.DateTimeField(null=True)  # the claims that hold a license were compared with it

    class Meta:
        constraints = [
            models.UniqueConstraint(
                fields=["source", "board", "sha256"], condition=Q(state="loaded"), name="import_loaded_once"
            ),
            models.CheckConstraint(
                condition=Q(state="running", finished_at=None)
                | (~Q(state="running") & Q(finished_at__isnull=False)),
                name="import_finished_unless_running",
            ),
        ]
        indexes = [models.Index(fields=["source", "-started_at"], name="import_by_source")]

    def __str__(self):
        return f"{self.source} {self.file_name} ({self.state})"


class Reject(models.Model):
    """A line of a file that could not be used, and why. Kept for the latest run of each source and board."""

    run = models.ForeignKey(ImportRun, on_delete=models.CASCADE, related_name="rejects")
    line_no = models.BigIntegerField("line in the file")
    npi_raw = models.CharField(max_length=40, blank=True)
    reason = models.CharField(max_length=120)

    def __str__(self):
        return f"line {self.line_no}: {self.reason}"


class ProviderQuerySet(models.QuerySet):
    def physicians(self):
        return self.filter(is_physician=True)

    def active(self):
        return self.filter(Q(deactivated_on=None) | Q(reactivated_on__gte=F("deactivated_on")))

    def licensed_in(self, state, number_keys=None):
        """People with a numbered license in a state; with `number_keys`, with one of these (normal forms)."""
        licenses = ProviderLicense.objects.filter(state=state)
        licenses = (
            licenses.exclude(number_key="")
            if number_keys is None
            else licenses.filter(number_key__in=number_keys)
        )
        return self.filter(npi__in=licenses.values("npi"))

    def named(self, *keys):
        """People whose legal or other name has one of these name keys."""
        return self.filter(Q(name_key__in=keys) | Q(HAS_OTHER_NAME, other_name_key__in=keys))

    def named_like(self, beginnings):
        """People whose legal or other name key begins with one of these texts, of which there is at least one."""
        like = Q()
        for text in beginnings:
            like |= Q(name_key__startswith=text) | Q(HAS_OTHER_NAME, other_name_key__startswith=text)
        return self.filter(like)


class Provider(models.Model):
    """A physician or resident as NPPES has them, or the stub that is left of a deactivated NPI (no names)."""

    npi = models.CharField("NPI", max_length=10, primary_key=True)
    last_name = models.CharField(max_length=60, blank=True)
    first_name = models.CharField(max_length=60, blank=True)
    middle_name = models.CharField(max_length=60, blank=True)
    suffix = models.CharField(max_length=20, blank=True)
    credential = models.CharField(max_length=40, blank=True)
    other_last_name = models.CharField(max_length=60, blank=True)
    other_first_name = models.CharField(max_length=60, blank=True)
    name_key = models.CharField(max_length=200, blank=True)
    other_name_key = models.CharField(max_length=200, blank=True)
    practice_city = models.CharField(max_length=60, blank=True)
    practice_state = models.CharField(max_length=40, blank=True)
    practice_zip = models.CharField("practice ZIP", max_length=20, blank=True)
    practice_phone = models.CharField(max_length=20, blank=True)
    practice_fax = models.CharField(max_length=20, blank=True)
    enumerated_on = models.DateField(null=True)
    updated_on = models.DateField(null=True)
    deactivated_on = models.DateField(null=True)
    reactivated_on = models.DateField(null=True)
    is_physician = models.BooleanField()
    is_resident = models.BooleanField()
    conflict = models.BooleanField("two different names on one day", default=False)
    row_hash = models.CharField(max_length=32)
    run = models.ForeignKey(
        ImportRun, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )

    objects = ProviderQuerySet.as_manager()

    class Meta:
        constraints = [models.CheckConstraint(condition=NPI_IS_VALID, name="provider_npi_is_valid")]
        indexes = [
            # varchar_pattern_ops: found by the beginning of a name too, whatever the database's collation
            models.Index(
                fields=["name_key", "practice_state"],
                opclasses=["varchar_pattern_ops", "text_ops"],
                name="provider_name",
            ),
            models.Index(
                fields=["other_name_key", "practice_state"],
                opclasses=["varchar_pattern_ops", "text_ops"],
                condition=HAS_OTHER_NAME,
                name="provider_other_name",
            ),
        ]

    def __str__(self):
        return self.npi

    @property
    def is_active(self):
        if self.deactivated_on is None:
            return True
        return self.reactivated_on is not None and self.reactivated_on >= self.deactivated_on

    @property
    def degree(self):
        """MD or DO as the credential text says, or nothing where it says neither (or both)."""
        words = set(re.sub(r"[^A-Z]+", " ", self.credential.upper().replace(".", "")).split())
        is_md, is_do = bool(words & {"MD", "MBBS", "MBBCH", "MBCHB", "BMBS"}), "DO" in words
        return "" if is_md == is_do else "MD" if is_md else "DO"

    def licenses(self):
        return ProviderLicense.objects.filter(npi=self.npi).order_by("slot")


class ProviderLicense(models.Model):
    """One of the up to fifteen specialties of a provider, with the license number and state given for it."""

    pk = models.CompositePrimaryKey("npi", "slot")
    npi = models.CharField("NPI", max_length=10)
    slot = models.SmallIntegerField()
    taxonomy = models.CharField(max_length=10)
    number = models.CharField(max_length=40, blank=True)
    number_key = models.CharField(max_length=40, blank=True)
    state = models.CharField(max_length=2, blank=True)
    is_primary = models.BooleanField()

    class Meta:
        constraints = [
            models.CheckConstraint(
                condition=Q(slot__gte=1, slot__lte=15), name="provider_license_slot_1_to_15"
            )
        ]
        indexes = [
            models.Index(
                fields=["state", "number_key"], condition=~Q(number_key=""), name="provider_license_number"
            )
        ]

    def __str__(self):
        return f"{self.state} {self.number}".strip() or self.taxonomy


class Education(models.Model):
    """Medical school and graduation year as CMS's Doctors and Clinicians file has them."""

    npi = models.CharField("NPI", max_length=10, primary_key=True)
    school_text = models.CharField("school as filed", max_length=200, blank=True)
    school = models.ForeignKey(
        "verification.MedicalSchool",
        on_delete=models.PROTECT,
        null=True,
        db_constraint=False,
        db_index=False,
        related_name="+",
    )
    grad_year = models.SmallIntegerField("graduation year", null=True)
    run = models.ForeignKey(
        ImportRun, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )

    class Meta:
        verbose_name_plural = "education"
        constraints = [
            models.CheckConstraint(condition=NPI_IS_VALID, name="education_npi_is_valid"),
            models.CheckConstraint(
                condition=Q(grad_year=None) | Q(grad_year__gte=1900, grad_year__lte=2100),
                name="education_year_plausible",
            ),
        ]

    def __str__(self):
        return self.npi


class LicenseStatus(models.Model):
    """Whether a license is in force, as a state board's roster says. Several states share the table."""

    pk = models.CompositePrimaryKey("state", "number_key", "degree")
    state = models.CharField(max_length=2)
    number_key = models.CharField(max_length=40)
    degree = models.CharField(max_length=2, choices=[("MD", "MD"), ("DO", "DO")])
    last_name = models.CharField(max_length=60)
    first_name = models.CharField(max_length=60, blank=True)
    status = models.CharField(max_length=60)
    issued_on = models.DateField(null=True)
    expires_on = models.DateField(null=True)
    discipline = models.CharField(max_length=200, blank=True)
    source = models.CharField(max_length=60)
    as_of = models.DateField()

    class Meta:
        verbose_name_plural = "license statuses"
        constraints = [
            models.CheckConstraint(condition=Q(degree__in=["MD", "DO"]), name="license_status_degree_known"),
            models.CheckConstraint(condition=~Q(number_key=""), name="license_status_has_number"),
        ]

    def __str__(self):
        return f"{self.state} {self.number_key}"


DOUBLE_NAME = "[ -]"  # in a last name: it has parts, of which somebody may use one alone


class Exclusion(models.Model):
    """A person barred from federal health programs (OIG's LEIE), under the name known at the time."""

    npi = models.CharField("NPI", max_length=10, null=True)  # noqa: DJ001 - NULL: unknown, matches none
    last_name = models.CharField(max_length=60)
    first_name = models.CharField(max_length=60, blank=True)
    middle_name = models.CharField(max_length=60, blank=True)
    city = models.CharField(max_length=60, blank=True)
    general = models.CharField("category", max_length=60, blank=True)
    last_key = models.CharField(max_length=120)
    first_key = models.CharField(max_length=60, blank=True)
    state = models.CharField(max_length=2, blank=True)
    excltype = models.CharField("kind of exclusion", max_length=20)
    excluded_on = models.DateField(null=True)
    run = models.ForeignKey(
        ImportRun, on_delete=models.DO_NOTHING, db_constraint=False, db_index=False, related_name="+"
    )

    class Meta:
        indexes = [
            models.Index(fields=["npi"], condition=Q(npi__isnull=False), name="exclusion_npi"),
            models.Index(fields=["last_key", "state"], name="exclusion_name_state"),
            models.Index(
                fields=["state"], condition=Q(last_name__regex=DOUBLE_NAME), name="exclusion_double_name"
            ),
        ]

    def __str__(self):
        return f"exclusion {self.pk}"


class MedicalSchool(models.Model):
    """A US medical school with the names it had. Rows are added and updated, never dropped: ids stay true."""

    class Degree(models.TextChoices):
        MD = "MD", "MD"
        DO = "DO", "DO"

    class Status(models.TextChoices):
        OPEN = "open", "Open"
        CLOSED = "closed", "Closed"

    name = models.CharField(max_length=120)
    city = models.CharField(max_length=60)
    state = models.CharField(max_length=2)
    degree = models.CharField(max_length=2, choices=Degree)
    status = models.CharField(max_length=6, choices=Status)
    accreditation = models.CharField(max_length=40, blank=True)
    year_from = models.SmallIntegerField(null=True, blank=True)
    year_basis = models.CharField(max_length=60, blank=True)
    year_closed = models.SmallIntegerField(null=True, blank=True)
    campus_of = models.ForeignKey(
        "self", on_delete=models.PROTECT, null=True, blank=True, related_name="campuses"
    )
    former_names = ArrayField(models.CharField(max_length=120), default=list, blank=True)
    history_note = models.CharField(max_length=200, blank=True)
    source = models.CharField(max_length=120)

    class Meta:
        ordering = ["name"]
        constraints = [models.UniqueConstraint(fields=["name", "degree"], name="medical_school_once")]

    def __str__(self):
        return self.name


class StateBoard(models.Model):
    """A board that certifies, licenses or disciplines physicians, and what it publishes."""

    class Licenses(models.TextChoices):
        MD = "MD", "MD"
        DO = "DO", "DO"
        BOTH = "both", "MD and DO"

    state = models.CharField(max_length=2)
    board = models.CharField(max_length=120)
    licenses = models.CharField(max_length=4, choices=Licenses)
    role = models.CharField(max_length=40)
    url = models.URLField()
    license_number_pattern = models.CharField(max_length=80, blank=True)
    pattern_basis = models.CharField(max_length=80, blank=True)
    roster_access = models.CharField(max_length=60, blank=True)
    roster_url = models.URLField(blank=True)
    roster_format = models.CharField(max_length=120, blank=True)
    roster_columns = models.CharField(max_length=400, blank=True)

    class Meta:
        ordering = ["state", "board"]
        constraints = [models.UniqueConstraint(fields=["state", "board"], name="state_board_once")]

    def __str__(self):
        return f"{self.state}: {self.board}"
