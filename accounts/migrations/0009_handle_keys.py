import re

from django.db import migrations, models

# As in accounts.handles when this was written: single signs before the pairs that they may make, as in "c1ub".
LOOKALIKES = (
    ("0", "o"),
    ("1", "l"),
    ("i", "l"),
    ("5", "s"),
    ("2", "z"),
    ("8", "b"),
    ("rn", "m"),
    ("vv", "w"),
    ("cl", "d"),
)


def key_of(text):
    skeleton = re.sub(r"[_.-]", "", text.lower())
    for look, like in LOOKALIKES:
        skeleton = skeleton.replace(look, like)
    return skeleton


def renew_keys(apps, schema_editor):
    """Two handles that are lookalikes only by the new order stay as they are: the older one has the key."""
    handles = apps.get_model("accounts", "Handle").objects
    for old, text in (
        handles.exclude(text="").order_by("taken_at", "key").values_list("key", "text").iterator()
    ):
        new = key_of(text)
        if new != old and not handles.filter(key=new).exists():
            handles.filter(key=old).update(key=new)


class Migration(migrations.Migration):
    dependencies = [("accounts", "0008_exports")]

    operations = [
        migrations.AlterField(
            "handle", "key", models.CharField(max_length=64, primary_key=True, serialize=False)
        ),
        migrations.RunPython(renew_keys, migrations.RunPython.noop),
    ]
