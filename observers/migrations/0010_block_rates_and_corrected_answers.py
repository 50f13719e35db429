import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("observers", "0006_cases_of_earlier_exports"),
    ]

    operations = [
        migrations.CreateModel(
            name="BlockFigure",
            fields=[
                (
                    "firm",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.CASCADE,
                        primary_key=True,
                        related_name="block_figure",
                        serialize=False,
                        to="rewards.firm",
                    ),
                ),
                ("blocked", models.PositiveIntegerField(null=True)),
                ("physicians", models.PositiveIntegerField(null=True)),
                ("next_blocked", models.PositiveIntegerField()),
                ("next_physicians", models.PositiveIntegerField()),
            ],
            options={
                "default_permissions": (),
                "constraints": [
                    models.CheckConstraint(
                        condition=models.Q(
                            models.Q(("blocked", None), ("physicians", None)),
                            models.Q(
                                ("blocked__isnull", False),
                                ("blocked__lte", models.F("physicians")),
                                ("physicians__isnull", False),
                            ),
                            _connector="OR",
                        ),
                        name="block_figure_of_physicians",
                    )
                ],
            },
        ),
        migrations.AddField(
            model_name="companyquestion",
            name="edited_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddConstraint(
            model_name="companyquestion",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    ("edited_at", None),
                    models.Q(("answered_at__isnull", False), ("edited_at__gte", models.F("answered_at"))),
                    _connector="OR",
                ),
                name="company_question_edited_after_answered",
            ),
        ),
        migrations.CreateModel(
            name="CompanyRevision",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("number", models.PositiveIntegerField()),
                ("answer", models.TextField()),
                ("replaced_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "question",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="revisions",
                        to="observers.companyquestion",
                    ),
                ),
                (
                    "replaced_by",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="observers.seat"
                    ),
                ),
            ],
            options={
                "default_permissions": ("view",),
                "constraints": [
                    models.UniqueConstraint(
                        fields=("question", "number"), name="company_revision_number_once"
                    ),
                    models.CheckConstraint(
                        condition=models.Q(("answer", ""), _negated=True),
                        name="company_revision_says_something",
                    ),
                ],
            },
        ),
    ]
