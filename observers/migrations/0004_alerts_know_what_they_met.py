"""Of searches saved before, no post is news that the alerts had passed already.

It can be taken back; what searches have met is lost by that, and the next alert begins where `known_until` stands.
"""

import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("observers", "0003_searches_keep_their_filters"),
        ("questions", "0014_industry_and_peers_only"),
    ]

    operations = [
        migrations.RenameField(model_name="firmsearch", old_name="newest_post", new_name="known_until"),
        migrations.CreateModel(
            name="SearchHit",
            fields=[
                (
                    "id",
                    models.BigAutoField(
                        auto_created=True, primary_key=True, serialize=False, verbose_name="ID"
                    ),
                ),
                ("is_told", models.BooleanField(default=False)),
                ("met_at", models.DateTimeField(default=django.utils.timezone.now)),
                (
                    "post",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE, related_name="+", to="questions.post"
                    ),
                ),
                (
                    "search",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.CASCADE,
                        related_name="hits",
                        to="observers.firmsearch",
                    ),
                ),
            ],
            options={
                "default_permissions": (),
                "constraints": [models.UniqueConstraint(fields=("search", "post"), name="search_hit_once")],
            },
        ),
    ]
