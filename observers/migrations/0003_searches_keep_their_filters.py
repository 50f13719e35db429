"""It can be taken back only while no firm has two searches that differ by these filters alone: end one of them first."""

from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [("observers", "0002_reads_by_month")]

    operations = [
        migrations.RemoveConstraint(model_name="firmsearch", name="firm_search_once"),
        migrations.AddField(
            model_name="firmsearch",
            name="kind",
            field=models.CharField(blank=True, default="", max_length=12),
        ),
        migrations.AddField(
            model_name="firmsearch",
            name="solved",
            field=models.CharField(blank=True, default="", max_length=3),
        ),
        migrations.AddConstraint(
            model_name="firmsearch",
            constraint=models.UniqueConstraint(
                condition=models.Q(("ended_at", None)),
                fields=("firm", "terms", "group", "kind", "solved", "since"),
                name="firm_search_once",
                nulls_distinct=False,
            ),
        ),
    ]
