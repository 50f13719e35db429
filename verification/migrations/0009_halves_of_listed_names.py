from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("verification", "0008_unmaskings_end")]

    operations = [
        migrations.AddIndex(
            model_name="exclusion",
            index=models.Index(
                condition=models.Q(("last_name__regex", "[ -]")),
                fields=["state"],
                name="exclusion_double_name",
            ),
        ),
    ]
