import django.db.models.deletion
import django.utils.timezone
from django.db import migrations, models


class Migration(migrations.Migration):
    dependencies = [
        ("focusgroups", "0001_initial"),
        ("questions", "0014_industry_and_peers_only"),
        ("rewards", "0004_a_canceled_earmark_is_final"),
    ]

    operations = [
        migrations.CreateModel(
            name="RoomSponsorship",
            fields=[
                (
                    "label",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        primary_key=True,
                        related_name="sponsorship",
                        serialize=False,
                        to="focusgroups.sponsor",
                    ),
                ),
                ("agreed_at", models.DateTimeField(default=django.utils.timezone.now)),
                ("ended_at", models.DateTimeField(null=True)),
                (
                    "firm",
                    models.ForeignKey(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="room_sponsorships",
                        to="rewards.firm",
                    ),
                ),
                (
                    "released",
                    models.OneToOneField(
                        null=True,
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="rewards.transaction",
                    ),
                ),
                (
                    "reserved",
                    models.OneToOneField(
                        on_delete=django.db.models.deletion.PROTECT,
                        related_name="+",
                        to="rewards.transaction",
                    ),
                ),
            ],
            options={
                "verbose_name": "sponsored focus group",
                "default_permissions": ("view",),
            },
        ),
        migrations.AddField(
            model_name="award",
            name="room",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="awards",
                to="rewards.roomsponsorship",
            ),
        ),
        migrations.AddConstraint(
            model_name="award",
            constraint=models.CheckConstraint(
                condition=models.Q(("room", None), ("cause__in", ["group", "screener"]), _connector="OR"),
                name="award_of_a_room_by_its_cause",
            ),
        ),
        migrations.AddConstraint(
            model_name="roomsponsorship",
            constraint=models.CheckConstraint(
                condition=models.Q(("released", None), ("ended_at__isnull", False), _connector="OR"),
                name="room_sponsorship_released_at_its_end",
            ),
        ),
    ]
