"""Takes a load away again: its members, their discussions, and whatever hangs on either."""

from collections.abc import Callable

from django.db import connection, models, transaction
from django.db.models import SET_NULL

from accounts.models import Handle, Member, User
from questions.load import people
from questions.load.filling import analyze, tag_names
from questions.load.scale import SCALES
from questions.models import Tag

Model = type[models.Model]


def reset(say: Callable[[str], None]) -> int:
    """Delete everything of a load in one transaction; return the rows deleted. What others wrote in it goes too."""
    members = people.of_the_load()
    if not members.exists():
        return 0
    with transaction.atomic(), connection.cursor() as cursor:
        doomed = Doomed(cursor)
        doomed.add(Handle, Handle.objects.filter(member__in=members).values("pk"))
        doomed.add(User, members.values("user"))
        doomed.add(Member, members.values("pk"))
        deleted = doomed.delete(say)
        cursor.execute("SET CONSTRAINTS ALL IMMEDIATE")  # now, while it can be said what went wrong
        deleted += _delete_tags()
    analyze()
    return deleted


def _delete_tags() -> int:
    """Tags of its making that nothing uses and nobody follows."""
    names = tag_names(max(scale.tags for scale in SCALES.values()))
    unused = Tag.objects.filter(slug__in=names, questions=None, followers=None, synonyms=None)
    return unused.delete()[0]


class Doomed:
    """Rows to delete and those that point at them, in temporary tables of keys: a million needs no memory here.

    Foreign keys are checked at the end of the transaction, so the order of deleting is free. The names in its
    statements are those of tables and columns of the models, never typed by anybody.
    """

    def __init__(self, cursor):
        self.cursor = cursor
        self.tables: dict[Model, str] = {}

    def add(self, model: Model, keys: models.QuerySet) -> None:
        sql, parameters = keys.order_by().query.sql_with_params()
        self._insert(model, sql, parameters)

    def _insert(self, model: Model, sql: str, parameters: tuple = ()) -> None:
        """Take in keys and, where any is new, the keys of the rows that point at them."""
        if model not in self.tables:
            self.tables[model] = f"doomed_{model._meta.db_table}"
            kind = model._meta.pk.rel_db_type(connection)
            self.cursor.execute(
                f"CREATE TEMPORARY TABLE {self.tables[model]} (doomed {kind} PRIMARY KEY) ON COMMIT DROP"
            )
        table = self.tables[model]
        self.cursor.execute(f"INSERT INTO {table} {sql} ON CONFLICT DO NOTHING", parameters)
        if not self.cursor.rowcount:
            return
        self.cursor.execute(f"ANALYZE {table}")
        for relation in self._relations(model):
            other, column = relation.related_model, relation.field.column
            if relation.on_delete is not SET_NULL:
                self._insert(other, self._pointing("SELECT {key} FROM {table}", other, column, table))

    def delete(self, say) -> int:
        deleted = 0
        for model, table in self.tables.items():
            for relation in self._relations(model):
                if relation.on_delete is SET_NULL:
                    column = relation.field.column
                    forget = f"UPDATE {{table}} SET {column} = NULL"  # noqa: S608
                    self.cursor.execute(self._pointing(forget, relation.related_model, column, table))
        for model, table in self.tables.items():
            self.cursor.execute(
                f"DELETE FROM {model._meta.db_table} USING {table} WHERE {model._meta.pk.column} = doomed"  # noqa: S608
            )
            deleted += self.cursor.rowcount
            say(f"{model._meta.verbose_name_plural}: {self.cursor.rowcount:,} deleted")
        return deleted

    def _relations(self, model: Model):
        """Foreign keys to a model, those of hidden many-to-many tables too."""
        return [
            relation
            for relation in model._meta.get_fields(include_hidden=True)
            if relation.auto_created
            and not relation.concrete
            and (relation.one_to_many or relation.one_to_one)
        ]

    def _pointing(self, sql: str, model: Model, column: str, table: str) -> str:
        meta = model._meta
        start = sql.format(key=meta.pk.column, table=meta.db_table)
        return f"{start} WHERE {column} IN (SELECT doomed FROM {table})"  # noqa: S608
