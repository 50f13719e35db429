"""Rows into tables by COPY."""

from collections.abc import Iterable

from django.db import connection, models


class Table:
    """A table as rows of the named columns, in that order; every other column gets its model's default."""

    def __init__(self, model: type[models.Model], *columns: str):
        rest = [
            field
            for field in model._meta.concrete_fields
            if not field.generated and field.column != "id" and field.column not in columns
        ]
        self.rest = tuple(field.get_default() for field in rest)
        quoted = ", ".join(map(connection.ops.quote_name, [*columns, *(field.column for field in rest)]))
        self.statement = f"COPY {connection.ops.quote_name(model._meta.db_table)} ({quoted}) FROM STDIN"
        self.rows: list[tuple] = []

    def add(self, *row) -> None:
        self.rows.append(row)

    def copy(self) -> int:
        """Send the rows added since the last time; return how many."""
        number = len(self.rows)
        if number:
            with connection.cursor() as cursor, cursor.copy(self.statement) as copy:
                for row in self.rows:
                    copy.write_row(row + self.rest)
        self.rows = []
        return number


def take_ids(model: type[models.Model], number: int) -> Iterable[int]:
    """Ids nobody else will get, in rising order."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT nextval(pg_get_serial_sequence(%s, 'id')) FROM generate_series(1, %s)",
            [model._meta.db_table, number],
        )
        return iter([row[0] for row in cursor.fetchall()])
