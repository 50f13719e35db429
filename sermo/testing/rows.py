"""Rows that tests need by the thousand, written in one statement: what `save` of each would write."""

from functools import cache

from django.db import connection
from django.db.models import Model
from django.db.models.sql import InsertQuery


def insert_together(*rows: Model) -> None:
    """Save new rows, of which later ones may belong to earlier ones that have no key yet."""
    parts, parameters, places = [], [], {}
    for number, row in enumerate(rows):
        fields, compiler = _fields(type(row), row.pk is None)
        values = []
        for field in fields:
            related = field.is_relation and field.get_cached_value(row, default=None)
            if related and id(related) in places:
                values.append(f"(SELECT key FROM row{places[id(related)]})")  # noqa: S608
                continue
            value = field.get_db_prep_save(field.pre_save(row, add=True), connection)
            placed = hasattr(field, "get_placeholder")
            values.append(field.get_placeholder(value, compiler, connection) if placed else "%s")
            parameters.append(value)
        columns = ", ".join(f'"{field.column}"' for field in fields)
        key = row._meta.pk.column
        parts.append(
            f'row{number} AS (INSERT INTO "{row._meta.db_table}" ({columns})'  # noqa: S608 - our own names
            f' VALUES ({", ".join(values)}) RETURNING "{key}" AS key)'
        )
        if row.pk is None:
            places[id(row)] = number
    keys = ", ".join(f"(SELECT key FROM row{number})" for number in range(len(rows)))  # noqa: S608
    with connection.cursor() as cursor:
        cursor.execute(f"WITH {', '.join(parts)} SELECT {keys}", parameters)
        for row, key in zip(rows, cursor.fetchone(), strict=True):
            row.pk = key
            row._state.adding, row._state.db = False, connection.alias
    for row in rows:
        row._prepare_related_fields_for_save("save")


@cache
def _fields(model: type[Model], without_key: bool):
    fields = [field for field in model._meta.local_concrete_fields if not (without_key and field.primary_key)]
    return fields, InsertQuery(model).get_compiler(connection=connection)
