"""Replacing a whole table at once: load a staging table beside it, then swap the two by renaming.

A live table `t` has a staging table `t_new` while an import runs and a predecessor `t_old` after it, kept
until the next good import. The staging table is made from the live one's definition as it stands in the
database, so later migrations need nothing here. Indexes, constraints made of indexes and identity sequences
carry the same suffix and are renamed along: their names are unique in a schema, so a second import would
collide otherwise, and migrations find every object under the name Django gave it. Owner and grants are
copied too, since a new table has none.

What is not carried over: views (they would go on reading the old table), triggers, row security and column
grants. The registry tables have none.
"""

import re
import time
from dataclasses import dataclass

from django.db import OperationalError, connection, models, transaction
from psycopg import sql

from verification.imports.refusals import ImportRefused

LOCK_TIMEOUT = "3s"
SWAP_TRIES = 5
_INDEX = re.compile(r"CREATE (UNIQUE )?INDEX .+? (USING .+)", re.DOTALL)


@dataclass(frozen=True)
class StagedTable:
    """A table being replaced. Method names follow its life: create, copy_statement, finish; then `swap`."""

    model: type[models.Model]

    @property
    def live(self) -> str:
        return self.model._meta.db_table

    @property
    def new(self) -> str:
        return f"{self.live}_new"

    @property
    def old(self) -> str:
        return f"{self.live}_old"

    def create(self) -> None:
        """An empty, unlogged copy of the live table without indexes, with the number of each row's line."""
        _execute("DROP TABLE IF EXISTS {}", self.new)
        _execute(
            "CREATE UNLOGGED TABLE {} (LIKE {} INCLUDING DEFAULTS INCLUDING CONSTRAINTS INCLUDING GENERATED"
            " INCLUDING IDENTITY INCLUDING STORAGE, line_no bigint NOT NULL)",
            *(self.new, self.live),
        )

    def drop(self) -> None:
        _execute("DROP TABLE IF EXISTS {}", self.new)

    def copy_statement(self, columns: list[str]) -> sql.Composed:
        names = sql.SQL(", ").join(sql.Identifier(name) for name in (*columns, "line_no"))
        return sql.SQL("COPY {} ({}) FROM STDIN").format(sql.Identifier(self.new), names)

    def finish(self) -> None:
        """Make the staging table what the live one is: logged, indexed, analyzed, with its owner and grants.

        Logged before indexed: making a table logged writes it anew with all its indexes.
        """
        _execute("ALTER TABLE {} DROP COLUMN line_no", self.new)
        _execute("ALTER TABLE {} SET LOGGED", self.new)
        for name, definition in _constraint_indexes(self.live):
            _execute("ALTER TABLE {} ADD CONSTRAINT {} " + _literal(definition), self.new, f"{name}_new")
        for name, unique, definition in _plain_indexes(self.live):
            _execute(f"CREATE {unique}INDEX {{}} ON {{}} {_literal(definition)}", f"{name}_new", self.new)
        for privilege, grantee, grantable in _grants(self.live):
            option = " WITH GRANT OPTION" if grantable else ""
            _execute(f"GRANT {privilege} ON {{}} TO {grantee}{option}", self.new)
        _execute(f"ALTER TABLE {{}} OWNER TO {_owner(self.live)}", self.new)
        looked_up = _indexed_columns(self.new)
        _execute(f"ANALYZE {{}} ({', '.join('{}' for _ in looked_up)})", self.new, *looked_up)


@dataclass(frozen=True)
class TemporaryTable(StagedTable):
    """A staging table of the session alone, for rows that are upserted rather than swapped in.

    It needs no right to make tables, and ends with the session, however that ends.
    """

    def create(self) -> None:
        _execute("DROP TABLE IF EXISTS {}", self.new)
        _execute(
            "CREATE TEMPORARY TABLE {} (LIKE {} INCLUDING DEFAULTS INCLUDING CONSTRAINTS,"
            " line_no bigint NOT NULL)",
            *(self.new, self.live),
        )

    def finish(self) -> None:
        raise TypeError("A temporary table is never swapped in.")


def check_rights(tables: list[StagedTable]) -> None:
    """Raises ImportRefused unless the connected role may make and rename these tables."""
    with connection.cursor() as cursor:
        cursor.execute(
            "SELECT current_user, relname FROM pg_class WHERE oid = ANY (%s::regclass[]::oid[])"
            " AND NOT (pg_has_role(relowner, 'USAGE') AND has_schema_privilege(relnamespace, 'CREATE'))",
            [[table.live for table in tables if not isinstance(table, TemporaryTable)]],
        )
        if denied := cursor.fetchone():
            raise ImportRefused(
                f"The database role {denied[0]} does not own the table {denied[1]}."
                " Run imports with the role that runs migrations (MIGRATE_DATABASE_URL)."
            )


def swap(tables: list[StagedTable], *, and_then=lambda: None) -> float:
    """Put staging tables in the place of the live ones, in one transaction with `and_then()`; seconds taken.

    Waits at most three seconds for readers and tries five times, so that a long query never makes the site
    queue up behind the swap. Raises ImportRefused when that was not enough.
    """
    for attempt in range(1, SWAP_TRIES + 1):
        started = time.monotonic()
        try:
            with transaction.atomic():
                _execute(f"SET LOCAL lock_timeout = '{LOCK_TIMEOUT}'")
                _execute(
                    f"LOCK TABLE {', '.join('{}' for _ in tables)} IN ACCESS EXCLUSIVE MODE",
                    *(table.live for table in tables),
                )
                for table in tables:
                    _rename_into_place(table)
                and_then()
            return time.monotonic() - started
        except OperationalError as error:
            if connection.in_atomic_block or not _is_lock_trouble(error):
                raise
            time.sleep(attempt)
    raise ImportRefused("The live tables were in use for too long to swap them. Run the import again.")


def _rename_into_place(table: StagedTable) -> None:
    _execute("DROP TABLE IF EXISTS {}", table.old)
    for kind, name in _named_objects(table.live):
        _execute(f"ALTER {kind} {{}} RENAME TO {{}}", name, f"{name}_old")
    _execute("ALTER TABLE {} RENAME TO {}", table.live, table.old)
    for kind, name in _named_objects(table.new):
        _execute(f"ALTER {kind} {{}} RENAME TO {{}}", name, name.replace("_new", "", 1))
    _execute("ALTER TABLE {} RENAME TO {}", table.new, table.live)


def _execute(statement: str, *names: str) -> None:
    with connection.cursor() as cursor:
        cursor.execute(sql.SQL(statement).format(*(sql.Identifier(name) for name in names)))


def _literal(definition: str) -> str:
    return definition.replace("{", "{{").replace("}", "}}")


def _rows(statement: str, *values: str) -> list[tuple]:
    with connection.cursor() as cursor:
        cursor.execute(statement, values)
        return cursor.fetchall()


def _constraint_indexes(table: str) -> list[tuple[str, str]]:
    return _rows(
        "SELECT conname, pg_get_constraintdef(oid) FROM pg_constraint"
        " WHERE conrelid = %s::regclass AND contype IN ('p', 'u') ORDER BY contype, conname",
        table,
    )


def _plain_indexes(table: str) -> list[tuple[str, str, str]]:
    found = _rows(
        "SELECT relname, pg_get_indexdef(oid) FROM pg_index JOIN pg_class ON oid = indexrelid"
        " WHERE indrelid = %s::regclass"
        " AND NOT EXISTS (SELECT FROM pg_constraint WHERE conindid = indexrelid) ORDER BY relname",
        table,
    )
    indexes = []
    for name, definition in found:
        unique, rest = _INDEX.fullmatch(definition).groups()
        indexes.append((name, unique or "", rest))
    return indexes


def _indexed_columns(table: str) -> list[str]:
    """The columns whose statistics plans depend on; those of all others would take longer than the indexes."""
    found = _rows(
        "SELECT DISTINCT attname FROM pg_index JOIN pg_attribute ON attrelid = indrelid AND attnum = ANY (indkey)"
        " WHERE indrelid = %s::regclass ORDER BY attname",
        table,
    )
    return [name for (name,) in found]


def _named_objects(table: str) -> list[tuple[str, str]]:
    """(INDEX or SEQUENCE, name) of all that a table owns under a name of its own in the schema."""
    return _rows(
        "SELECT 'INDEX', relname FROM pg_index JOIN pg_class ON oid = indexrelid"
        " WHERE indrelid = %s::regclass UNION ALL"
        " SELECT 'SEQUENCE', relname FROM pg_depend JOIN pg_class ON oid = objid AND relkind = 'S'"
        " WHERE refobjid = %s::regclass AND deptype IN ('a', 'i')",
        *(table, table),
    )


def _grants(table: str) -> list[tuple[str, str, bool]]:
    return _rows(
        "SELECT privilege_type, CASE grantee WHEN 0 THEN 'PUBLIC' ELSE grantee::regrole::text END,"
        " is_grantable FROM pg_class, aclexplode(relacl) WHERE oid = %s::regclass AND grantee <> relowner",
        table,
    )


def _owner(table: str) -> str:
    return _rows("SELECT relowner::regrole::text FROM pg_class WHERE oid = %s::regclass", table)[0][0]


def _is_lock_trouble(error: OperationalError) -> bool:
    return getattr(error.__cause__, "sqlstate", "") in ("55P03", "40P01")  # lock timeout, deadlock
