from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    atomic = False

    dependencies = [
        ("observers", "0012_watched_focus_groups"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="companyquestion",
            index=models.Index(
                condition=models.Q(("answered_at", None), ("removed_at", None)),
                fields=["firm", "due_at"],
                name="company_question_waiting",
            ),
        ),
    ]
