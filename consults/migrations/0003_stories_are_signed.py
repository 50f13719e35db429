from django.db import migrations, models
from django.db.models import Q

# What nobody signed covers no story. The clock erases those that were told under it.
UNTICK = """
UPDATE consults_consent SET for_stories = false WHERE for_stories AND kind <> 'signed';
SET CONSTRAINTS ALL IMMEDIATE;
"""


class Migration(migrations.Migration):
    dependencies = [("consults", "0002_replies_on_call_stories")]

    operations = [
        migrations.RunSQL(UNTICK, migrations.RunSQL.noop),
        migrations.AddConstraint(
            model_name="consent",
            constraint=models.CheckConstraint(
                condition=Q(for_stories=False) | Q(kind="signed"), name="consent_for_stories_is_signed"
            ),
        ),
    ]
