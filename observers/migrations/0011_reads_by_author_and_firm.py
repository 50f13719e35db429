from django.contrib.postgres.operations import AddIndexConcurrently
from django.db import migrations, models


class Migration(migrations.Migration):
    """A large table, which is written at each read: the index is made while that goes on."""

    atomic = False

    dependencies = [
        ("observers", "0010_block_rates_and_corrected_answers"),
    ]

    operations = [
        AddIndexConcurrently(
            model_name="readday",
            index=models.Index(fields=["author", "firm", "post", "day"], name="read_day_by_author_and_firm"),
        ),
    ]
