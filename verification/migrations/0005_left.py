import django.db.models.deletion
from django.conf import settings
from django.db import migrations, models

STATES = [
    ("draft", "Started"),
    ("matched", "Matched to the registry"),
    ("challenged", "Questions passed"),
    ("needs_review", "Needs review"),
    ("proven", "Proven"),
    ("verified", "Verified"),
    ("needs_review_held", "Verified, under review"),
    ("disputed_holder", "Verified, disputed"),
    ("disputed_rival", "Disputes a verified claim"),
    ("locked", "Locked for staff"),
    ("lapsed", "Lapsed"),
    ("suspended", "Suspended"),
    ("retired", "Retired"),
    ("rejected", "Rejected"),
    ("withdrawn", "Withdrawn"),
    ("revoked", "Revoked"),
    ("left", "Account closed"),
]
FINAL = ("rejected", "withdrawn", "revoked", "left")


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0008_exports"),
        ("verification", "0004_documents_once_while_kept"),
    ]

    operations = [
        migrations.RemoveConstraint(model_name="claim", name="claim_one_unfinished_per_user"),
        migrations.RemoveConstraint(model_name="claim", name="claim_state_is_known"),
        migrations.AlterField(
            model_name="claim",
            name="state",
            field=models.CharField(choices=STATES, default="draft", max_length=17),
        ),
        migrations.AlterField(
            model_name="claim",
            name="user",
            field=models.ForeignKey(
                null=True,
                on_delete=django.db.models.deletion.PROTECT,
                related_name="claims",
                to=settings.AUTH_USER_MODEL,
            ),
        ),
        migrations.AddConstraint(
            model_name="claim",
            constraint=models.UniqueConstraint(
                fields=["user"],
                condition=models.Q(("state__in", FINAL), _negated=True),
                name="claim_one_unfinished_per_user",
            ),
        ),
        migrations.AddConstraint(
            model_name="claim",
            constraint=models.CheckConstraint(
                condition=models.Q(("state__in", [state for state, _ in STATES])), name="claim_state_is_known"
            ),
        ),
        migrations.AddConstraint(
            model_name="claim",
            constraint=models.CheckConstraint(
                condition=models.Q(("user__isnull", False), ("state__in", FINAL), _connector="OR"),
                name="claim_of_nobody_is_over",
            ),
        ),
    ]
