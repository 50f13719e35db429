"""Queries whose SQL is written once: building it costs Python several times what running it costs the database.

    @prepared
    def titles(shape, *, member):
        return Question.objects.filter(asker=member).values_list("pk", "title")

    titles(None, member=12)  # a list of tuples

The function runs once for each shape, with stand-ins for the values; what it makes of them is kept as SQL. So it may
look at the shape, and at a value only to see whether it is None, and it answers with `values_list`. The rules of who
may see what stay where they are, in the querysets. Where the best plan hangs on the values, such as on how common a
word is, `written` in the place of `prepared` has the database plan each time.
"""

import re
from collections.abc import Callable, Hashable, Iterable
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import wraps
from itertools import count
from typing import NamedTuple
from weakref import WeakKeyDictionary

from django.conf import settings
from django.core.exceptions import EmptyResultSet
from django.db import DEFAULT_DB_ALIAS, connections, router
from django.db.models import (
    BooleanField,
    Count,
    Expression,
    F,
    Func,
    IntegerField,
    Model,
    QuerySet,
    Subquery,
    Value,
    Window,
)
from django.db.models.functions import Cast, RowNumber

from sermo.recent import Recent

PREPARED_FROM = 3  # uses
_prepared: WeakKeyDictionary = WeakKeyDictionary()  # names by session

MOST_SHAPES = 500  # of one query; beyond that the one longest unused is written anew


class AnyOf(Func):
    """The condition `field = ANY(values)`, whose SQL is the same for any number of values."""

    template, arg_joiner, arity = "%(expressions)s)", " = ANY(", 2
    output_field = BooleanField()

    def __init__(self, field: str, values: list):
        super().__init__(F(field), Value(values))


class Constant(NamedTuple):
    value: object

    def fill(self, values: dict):
        return self.value


class Slot(NamedTuple):
    """The place of a value, and what the database's driver wraps it in."""

    name: str
    wrap: type | None

    def fill(self, values: dict):
        value = values[self.name]
        return self.wrap(value) if self.wrap else value


@dataclass(eq=False)
class Written:
    """SQL with a constant or a slot for each of its parameters.

    From the third use on, the database too keeps what it made of it (PREPARE), one by one for each connection, where
    `keeps_plan` is on. Behind a pooler that shares connections between transactions that cannot be, and
    PREPARE_QUERIES is off.
    """

    sql: str
    parameters: tuple[Constant | Slot, ...]
    converters: list[tuple[int, Callable, Expression]]
    database: str
    keeps_plan: bool = True
    number: int = field(default_factory=count(1).__next__)
    uses: int = 0

    def run(self, values: dict) -> list[tuple]:
        connection = connections[self.database]
        self.uses += 1
        with connection.cursor() as cursor:
            if self.keeps_plan and settings.PREPARE_QUERIES and self.uses >= PREPARED_FROM:
                slots = [each.fill(values) for each in self.parameters if isinstance(each, Slot)]
                places = f"({', '.join(['%s'] * len(slots))})" if slots else ""
                cursor.execute(f"EXECUTE {self._name_in(connection)}{places}", slots)
            else:
                cursor.execute(self.sql, [each.fill(values) for each in self.parameters])
            rows = cursor.fetchall()
        if not self.converters:
            return rows
        return [self._converted(list(row), connection) for row in rows]

    def _name_in(self, connection) -> str:
        """The name under which this connection's session has it, prepared now if it has not."""
        name, session = f"written_{self.number}", connection.connection
        known = _prepared.setdefault(session, set())
        if name not in known:
            with session.cursor() as cursor:
                cursor.execute(f"PREPARE {name} AS {self._with_places(cursor)}")
            known.add(name)
        return name

    def _with_places(self, cursor) -> str:
        """The SQL with its constants in it, and $1, $2, ... where values belong."""
        parameters, numbers = iter(self.parameters), count(1)

        def put(sign) -> str:
            if sign[0] == "%%":
                return "%"
            each = next(parameters)
            return f"${next(numbers)}" if isinstance(each, Slot) else cursor.mogrify("%s", [each.value])

        return re.sub(r"%[%s]", put, self.sql)

    def _converted(self, row: list, connection) -> tuple:
        for place, convert, expression in self.converters:
            row[place] = convert(row[place], expression, connection)
        return tuple(row)


class Nothing:
    """A query of which the ORM knows that nothing can match."""

    def run(self, values: dict) -> list[tuple]:
        return []


def prepared(build: Callable[..., QuerySet]) -> Callable[..., list[tuple]]:
    """Make a function that builds a query into one that runs it, see above."""
    return _runs(build, keeps_plan=True)


def written(build: Callable[..., QuerySet]) -> Callable[..., list[tuple]]:
    """The same, but the database plans it anew for the values of each use."""
    return _runs(build, keeps_plan=False)


def _runs(build: Callable[..., QuerySet], *, keeps_plan: bool) -> Callable[..., list[tuple]]:
    kept = Recent(MOST_SHAPES)

    @wraps(build)
    def run(shape: Hashable, **values) -> list[tuple]:
        key = (shape, *((name, type(value)) for name, value in sorted(values.items())))
        query = kept.get(key)
        if query is None:
            query = _write(build, shape, values, keeps_plan)
            kept.put(key, query)
        return query.run(values)

    run.build = build
    return run


def columns_of(model: type[Model], path: str = "") -> list[str]:
    """What `values_list` is to select for a whole row, for `instance_of`."""
    prefix = f"{path}__" if path else ""
    return [f"{prefix}{field.attname}" for field in model._meta.concrete_fields]


def instance_of(model: type[Model], values: Iterable, database: str = DEFAULT_DB_ALIAS) -> Model:
    """The row that `columns_of` selected, as if the ORM had loaded it."""
    return model.from_db(database, [field.attname for field in model._meta.concrete_fields], list(values))


def _write(build, shape, values, keeps_plan) -> Written | Nothing:
    """Build the query with two sets of stand-ins: where its parameters differ, a value belongs."""
    sets = [_stand_ins(values, number) for number in (0, 1)]
    first, second = (build(shape, **stand_ins) for stand_ins in sets)
    database = first._db or router.db_for_read(first.model)
    compiler = first.query.get_compiler(using=database)
    try:
        sql, parameters = compiler.as_sql()
    except EmptyResultSet:
        return Nothing()
    again, others = second.query.get_compiler(using=database).as_sql()
    if again != sql:
        raise ValueError(f"{build.__name__} looks at its values; what it looks at belongs to the shape.")
    return Written(
        sql=sql,
        parameters=tuple(
            Constant(one) if one == other else _slot(one, sets[0])
            for one, other in zip(parameters, others, strict=True)
        ),
        converters=_converters(compiler),
        database=database,
        keeps_plan=keeps_plan,
    )


def _converters(compiler) -> list[tuple[int, Callable, Expression]]:
    """What Django makes of single columns of a row, but for whole numbers that arrive as such."""
    of_places = compiler.get_converters([selected[0] for selected in compiler.select])
    return [
        (place, convert, expression)
        for place, (converters, expression) in of_places.items()
        if not _arrives_whole(expression)
        for convert in converters
    ]


def _arrives_whole(expression) -> bool:
    """Whether the database itself has an integer here; of a sum it makes a decimal."""
    if isinstance(expression, Window):
        return _arrives_whole(expression.source_expression)
    if isinstance(expression, Subquery):
        columns = expression.query.select
        return len(columns) == 1 and isinstance(columns[0].output_field, IntegerField)
    return isinstance(expression, Count | Cast | RowNumber) and isinstance(
        expression.output_field, IntegerField
    )


def _slot(parameter, stand_ins: dict) -> Slot:
    """Whose place a parameter takes. Raises ValueError where a column of another type made another value of it."""
    for name, value in stand_ins.items():
        if value is not None and isinstance(parameter, type(value)) and parameter == value:
            return Slot(name, type(parameter) if type(parameter) is not type(value) else None)
    raise ValueError(f"{parameter!r} is no value of this query.")


def _stand_ins(values: dict, number: int) -> dict:
    return {
        name: None if value is None else _stand_in(value, 2 * place + number)
        for place, (name, value) in enumerate(sorted(values.items()), start=1)
    }


def _stand_in(value, number: int):
    """A value of the same type, fit for the narrowest column. Raises TypeError for types no query was made of."""
    if isinstance(value, bool):
        raise TypeError("Yes or no belongs to the shape.")
    if isinstance(value, int):
        return 32_600 + number
    if isinstance(value, str):
        return f"\x01{number}"
    if isinstance(value, datetime):
        return datetime(2, 1, 1, tzinfo=UTC) + timedelta(days=number)
    if isinstance(value, float):
        return 0.125 * number
    if isinstance(value, Decimal):
        return Decimal(number) / 16
    if isinstance(value, list):
        return [32_600 + number]
    raise TypeError(f"No stand-in for {type(value).__name__}.")
