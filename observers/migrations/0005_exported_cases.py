import django.db.models.deletion
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("consults", "0003_stories_are_signed"),
        ("observers", "0004_alerts_know_what_they_met"),
    ]

    operations = [
        migrations.CreateModel(
            name="ExportedCase",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                (
                    "case",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT, related_name="+", to="consults.case"
                    ),
                ),
                (
                    "export",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="cases",
                        to="observers.export",
                    ),
                ),
            ],
            options={
                "verbose_name": "exported case",
                "verbose_name_plural": "exported cases",
                "default_permissions": (),
                "constraints": [
                    models.UniqueConstraint(fields=("export", "case"), name="exported_case_once")
                ],
            },
        ),
    ]
