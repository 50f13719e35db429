from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("verification", "0007_proofs_checks_and_posture")]

    operations = [
        migrations.RemoveConstraint(
            model_name="unmasking",
            name="unmasking_asked_once",
        ),
        migrations.AddField(
            model_name="unmasking",
            name="end",
            field=models.CharField(
                blank=True,
                choices=[("withdrawn", "Withdrawn"), ("run_out", "Ran out")],
                db_default="",
                max_length=9,
            ),
        ),
        migrations.AddField(
            model_name="unmasking",
            name="ended_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AddConstraint(
            model_name="unmasking",
            constraint=models.CheckConstraint(
                condition=models.Q(
                    models.Q(("end", ""), ("ended_at", None)),
                    models.Q(
                        ("decided_at", None),
                        ("end__in", ["withdrawn", "run_out"]),
                        ("ended_at__isnull", False),
                    ),
                    _connector="OR",
                ),
                name="unmasking_ended_or_decided",
            ),
        ),
        migrations.AddConstraint(
            model_name="unmasking",
            constraint=models.UniqueConstraint(
                condition=models.Q(("decided_at", None), ("ended_at", None)),
                fields=("member", "asked_by"),
                name="unmasking_asked_once",
            ),
        ),
    ]
