import django.contrib.postgres.indexes
import django.contrib.postgres.search
from django.db import migrations, models

ERAS = (1_024, 8_192, 65_536, 524_288)


class Migration(migrations.Migration):
    dependencies = [
        ("accounts", "0010_identifier_decisions"),
        ("questions", "0009_poll_kind"),
    ]

    operations = [
        migrations.RemoveIndex(
            model_name="post",
            name="post_search",
        ),
        migrations.AddIndex(
            model_name="post",
            index=django.contrib.postgres.indexes.GinIndex(
                models.Func(
                    models.F("search_vector"),
                    models.Func(
                        *(
                            models.Func(
                                models.F("id"),
                                template=f"'{length} ' || (%(expressions)s / {length})::text",
                            )
                            for length in ERAS
                        ),
                        template="array_to_tsvector(ARRAY[%(expressions)s])",
                    ),
                    template="(%(expressions)s)",
                    arg_joiner=" || ",
                    output_field=django.contrib.postgres.search.SearchVectorField(),
                ),
                name="post_search",
            ),
        ),
    ]
