import django.contrib.postgres.fields
import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models

# An NPI in the database's own words (verification/npi.py). A digit d that counts double adds the digit sum of 2d,
# which is 2d + d / 5 in whole numbers modulo 10; n / 10^k and n / (5 * 10^k) % 2 give such d and d / 5, likewise
# modulo 10. One expression without STRICT, so that the planner inlines it: 1 microsecond a row.
NPI_OK = """
CREATE FUNCTION verification_npi_ok(npi text) RETURNS boolean
LANGUAGE sql IMMUTABLE PARALLEL SAFE
RETURN CASE WHEN npi ~ '^[12][0-9]{9}$' THEN (
    24
    + npi::bigint + npi::bigint / 100 + npi::bigint / 10000 + npi::bigint / 1000000 + npi::bigint / 100000000
    + 2 * (npi::bigint / 10 + npi::bigint / 1000 + npi::bigint / 100000 + npi::bigint / 10000000
           + npi::bigint / 1000000000)
    + npi::bigint / 50 % 2 + npi::bigint / 5000 % 2 + npi::bigint / 500000 % 2 + npi::bigint / 50000000 % 2
    + npi::bigint / 5000000000 % 2
) % 10 = 0 ELSE false END
"""


class Migration(migrations.Migration):
    initial = True

    dependencies = [("accounts", "0001_initial")]

    operations = [
        migrations.RunSQL(NPI_OK, "DROP FUNCTION verification_npi_ok(text)"),
        migrations.CreateModel(
            name="ImportRun",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "source",
                    models.CharField(
                        choices=[
                            ("nppes", "NPPES"),
                            ("clinicians", "Doctors and Clinicians"),
                            ("leie", "Exclusions (LEIE)"),
                        ],
                        max_length=10,
                    ),
                ),
                ("weekly", models.BooleanField(default=False, verbose_name="weekly increment")),
                ("file_name", models.CharField(max_length=200)),
                ("file_size", models.BigIntegerField(null=True, verbose_name="bytes")),
                ("file_date", models.DateField(null=True)),
                ("sha256", models.CharField(blank=True, max_length=64)),
                ("started_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("finished_at", models.DateTimeField(null=True)),
                (
                    "state",
                    models.CharField(
                        choices=[
                            ("running", "Running"),
                            ("loaded", "Loaded"),
                            ("replaced", "Loaded, and loaded again since"),
                            ("stopped", "Stopped by hand"),
                            ("failed", "Failed"),
                            ("killed", "Killed"),
                        ],
                        default="running",
                        max_length=8,
                    ),
                ),
                ("rows_read", models.BigIntegerField(default=0)),
                ("rows_kept", models.BigIntegerField(default=0)),
                ("rows_skipped", models.BigIntegerField(default=0)),
                ("rows_merged", models.BigIntegerField(default=0)),
                ("rows_rejected", models.BigIntegerField(default=0)),
                ("reject_counts", models.JSONField(default=dict)),
                ("warning_counts", models.JSONField(default=dict)),
                ("note", models.CharField(blank=True, max_length=500)),
            ],
            options={
                "indexes": [models.Index(fields=["source", "-started_at"], name="import_by_source")],
                "constraints": [
                    models.UniqueConstraint(
                        condition=models.Q(("state", "loaded")),
                        fields=("source", "sha256"),
                        name="import_loaded_once",
                    ),
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("finished_at", None), ("state", "running")),
                            models.Q(
                                models.Q(("state", "running"), _negated=True), ("finished_at__isnull", False)
                            ),
                            _connector="OR",
                        ),
                        name="import_finished_unless_running",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="LicenseStatus",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "state",
                        "number_key",
                        "degree",
                        blank=True,
                        editable=False,
                        primary_key=True,
                        serialize=False,
                    ),
                ),
                ("state", models.CharField(max_length=2)),
                ("number_key", models.CharField(max_length=40)),
                ("degree", models.CharField(choices=[("MD", "MD"), ("DO", "DO")], max_length=2)),
                ("last_name", models.CharField(max_length=60)),
                ("first_name", models.CharField(blank=True, max_length=60)),
                ("status", models.CharField(max_length=60)),
                ("issued_on", models.DateField(null=True)),
                ("expires_on", models.DateField(null=True)),
                ("discipline", models.CharField(blank=True, max_length=200)),
                ("source", models.CharField(max_length=60)),
                ("as_of", models.DateField()),
            ],
            options={
                "verbose_name_plural": "license statuses",
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("degree__in", ["MD", "DO"])), name="license_status_degree_known"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("number_key", ""), _negated=True),
                        name="license_status_has_number",
                    ),
                ],
            },
        ),
        migrations.CreateModel(
            name="MedicalSchool",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("name", models.CharField(max_length=120)),
                ("city", models.CharField(max_length=60)),
                ("state", models.CharField(max_length=2)),
                ("degree", models.CharField(choices=[("MD", "MD"), ("DO", "DO")], max_length=2)),
                ("status", models.CharField(choices=[("open", "Open"), ("closed", "Closed")], max_length=6)),
                ("accreditation", models.CharField(blank=True, max_length=40)),
                ("year_from", models.SmallIntegerField(blank=True, null=True)),
                ("year_basis", models.CharField(blank=True, max_length=60)),
                ("year_closed", models.SmallIntegerField(blank=True, null=True)),
                (
                    "former_names",
                    django.contrib.postgres.fields.ArrayField(
                        base_field=models.CharField(max_length=120), blank=True, default=list, size=None
                    ),
                ),
                ("history_note", models.CharField(blank=True, max_length=200)),
                ("source", models.CharField(max_length=120)),
                (
                    "campus_of",
                    models.ForeignKey(
                        blank=True,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="campuses",
                        to="verification.medicalschool",
                    ),
                ),
            ],
            options={
                "ordering": ["name"],
            },
        ),
        migrations.CreateModel(
            name="Education",
            fields=[
                (
                    "npi",
                    models.CharField(max_length=10, primary_key=True, serialize=False, verbose_name="NPI"),
                ),
                ("school_text", models.CharField(blank=True, max_length=200, verbose_name="school as filed")),
                ("grad_year", models.SmallIntegerField(null=True, verbose_name="graduation year")),
                (
                    "run",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="verification.importrun",
                    ),
                ),
                (
                    "school",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="verification.medicalschool",
                    ),
                ),
            ],
            options={
                "verbose_name_plural": "education",
            },
        ),
        migrations.CreateModel(
            name="Provider",
            fields=[
                (
                    "npi",
                    models.CharField(max_length=10, primary_key=True, serialize=False, verbose_name="NPI"),
                ),
                ("last_name", models.CharField(blank=True, max_length=60)),
                ("first_name", models.CharField(blank=True, max_length=60)),
                ("middle_name", models.CharField(blank=True, max_length=60)),
                ("suffix", models.CharField(blank=True, max_length=20)),
                ("credential", models.CharField(blank=True, max_length=40)),
                ("other_last_name", models.CharField(blank=True, max_length=60)),
                ("other_first_name", models.CharField(blank=True, max_length=60)),
                ("name_key", models.CharField(blank=True, max_length=200)),
                ("other_name_key", models.CharField(blank=True, max_length=200)),
                ("practice_city", models.CharField(blank=True, max_length=60)),
                ("practice_state", models.CharField(blank=True, max_length=40)),
                ("practice_zip", models.CharField(blank=True, max_length=20, verbose_name="practice ZIP")),
                ("practice_phone", models.CharField(blank=True, max_length=20)),
                ("practice_fax", models.CharField(blank=True, max_length=20)),
                ("enumerated_on", models.DateField(null=True)),
                ("updated_on", models.DateField(null=True)),
                ("deactivated_on", models.DateField(null=True)),
                ("reactivated_on", models.DateField(null=True)),
                ("is_physician", models.BooleanField()),
                ("is_resident", models.BooleanField()),
                (
                    "conflict",
                    models.BooleanField(default=False, verbose_name="two different names on one day"),
                ),
                ("row_hash", models.CharField(max_length=32)),
                (
                    "run",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="verification.importrun",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="ProviderLicense",
            fields=[
                (
                    "pk",
                    models.CompositePrimaryKey(
                        "npi", "slot", blank=True, editable=False, primary_key=True, serialize=False
                    ),
                ),
                ("npi", models.CharField(max_length=10, verbose_name="NPI")),
                ("slot", models.SmallIntegerField()),
                ("taxonomy", models.CharField(max_length=10)),
                ("number", models.CharField(blank=True, max_length=40)),
                ("number_key", models.CharField(blank=True, max_length=40)),
                ("state", models.CharField(blank=True, max_length=2)),
                ("is_primary", models.BooleanField()),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("number_key", ""), _negated=True),
                        fields=["state", "number_key"],
                        name="provider_license_number",
                    )
                ],
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(("slot__gte", 1), ("slot__lte", 15)),
                        name="provider_license_slot_1_to_15",
                    )
                ],
            },
        ),
        migrations.CreateModel(
            name="Reject",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("line_no", models.BigIntegerField(verbose_name="line in the file")),
                ("npi_raw", models.CharField(blank=True, max_length=40)),
                ("reason", models.CharField(max_length=120)),
                (
                    "run",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="rejects",
                        to="verification.importrun",
                    ),
                ),
            ],
        ),
        migrations.CreateModel(
            name="StateBoard",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("state", models.CharField(max_length=2)),
                ("board", models.CharField(max_length=120)),
                (
                    "licenses",
                    models.CharField(
                        choices=[("MD", "MD"), ("DO", "DO"), ("both", "MD and DO")], max_length=4
                    ),
                ),
                ("role", models.CharField(max_length=40)),
                ("url", models.URLField()),
                ("license_number_pattern", models.CharField(blank=True, max_length=80)),
                ("pattern_basis", models.CharField(blank=True, max_length=80)),
                ("roster_access", models.CharField(blank=True, max_length=60)),
                ("roster_url", models.URLField(blank=True)),
                ("roster_format", models.CharField(blank=True, max_length=120)),
                ("roster_columns", models.CharField(blank=True, max_length=400)),
            ],
            options={
                "ordering": ["state", "board"],
                "constraints": [models.UniqueConstraint(fields=("state", "board"), name="state_board_once")],
            },
        ),
        migrations.CreateModel(
            name="Exclusion",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("npi", models.CharField(max_length=10, null=True, verbose_name="NPI")),
                ("last_name", models.CharField(max_length=60)),
                ("first_name", models.CharField(blank=True, max_length=60)),
                ("middle_name", models.CharField(blank=True, max_length=60)),
                ("city", models.CharField(blank=True, max_length=60)),
                ("general", models.CharField(blank=True, max_length=60, verbose_name="category")),
                ("last_key", models.CharField(max_length=120)),
                ("first_key", models.CharField(blank=True, max_length=60)),
                ("state", models.CharField(blank=True, max_length=2)),
                ("excltype", models.CharField(max_length=20, verbose_name="kind of exclusion")),
                ("excluded_on", models.DateField(null=True)),
                (
                    "run",
                    models.ForeignKey(
                        db_constraint=False,
                        db_index=False,
                        on_delete=django.db.models.deletion.DO_NOTHING,
                        related_name="+",
                        to="verification.importrun",
                    ),
                ),
            ],
            options={
                "indexes": [
                    models.Index(
                        condition=models.Q(("npi__isnull", False)), fields=["npi"], name="exclusion_npi"
                    ),
                    models.Index(fields=["last_key", "state"], name="exclusion_name_state"),
                ],
            },
        ),
        migrations.AddConstraint(
            model_name="medicalschool",
            constraint=models.UniqueConstraint(fields=("name", "degree"), name="medical_school_once"),
        ),
        migrations.AddConstraint(
            model_name="education",
            constraint=models.CheckConstraint(
                condition=models.Func(
                    models.F("npi"), function="verification_npi_ok", output_field=models.BooleanField()
                ),
                name="education_npi_is_valid",
            ),
        ),
        migrations.AddConstraint(
            model_name="education",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("grad_year", None),
                    models.Q(("grad_year__gte", 1900), ("grad_year__lte", 2100)),
                    _connector="OR",
                ),
                name="education_year_plausible",
            ),
        ),
        migrations.AddIndex(
            model_name="provider",
            index=models.Index(
                fields=["name_key", "practice_state"],
                name="provider_name",
                opclasses=["varchar_pattern_ops", "text_ops"],
            ),
        ),
        migrations.AddIndex(
            model_name="provider",
            index=models.Index(
                condition=models.Q(("other_name_key", ""), _negated=True),
                fields=["other_name_key", "practice_state"],
                name="provider_other_name",
                opclasses=["varchar_pattern_ops", "text_ops"],
            ),
        ),
        migrations.AddConstraint(
            model_name="provider",
            constraint=models.CheckConstraint(
                condition=models.Func(
                    models.F("npi"), function="verification_npi_ok", output_field=models.BooleanField()
                ),
                name="provider_npi_is_valid",
            ),
        ),
    ]
