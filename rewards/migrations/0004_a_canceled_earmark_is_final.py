from django.db import migrations, models


class Migration(migrations.Migration):
    """It stops where a firm has canceled an earmark and placed another on the same post before this rule."""

    dependencies = [
        ("rewards", "0003_plain_words"),
    ]

    operations = [
        migrations.RemoveConstraint(model_name="earmark", name="earmark_one_per_firm_and_post"),
        migrations.AddConstraint(
            model_name="earmark",
            constraint=models.UniqueConstraint(fields=("firm", "post"), name="earmark_one_per_firm_and_post"),
        ),
    ]
