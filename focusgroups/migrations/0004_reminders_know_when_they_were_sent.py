import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    """Of reminders that were sent before, the day alone is known."""

    dependencies = [("focusgroups", "0003_quote_fingerprint")]

    operations = [
        migrations.AddField(
            model_name="reminder",
            name="sent_at",
            field=models.DateTimeField(null=True),
        ),
        migrations.AlterField(
            model_name="reminder",
            name="sent_at",
            field=models.DateTimeField(default=django.utils.timezone.now, null=True),
        ),
    ]
