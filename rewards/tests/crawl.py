"""Asking the whole site for its pages, so that two worlds can be compared to the byte.

What there is to ask for is found in the resolver. Nothing in an answer is replaced: while a request runs, everything
drawn at random (nonce, CSRF token, request id, keys of new rows) comes from a seed that is made of the request alone,
and the clock stands. So two answers differ only where the rows behind them do.
"""

import hashlib
import inspect
import random
import re
import sys
import traceback
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from functools import cache
from html import unescape
from http.cookies import SimpleCookie
from itertools import islice
from types import ModuleType
from typing import NamedTuple
from unittest.mock import patch

from django.conf import settings
from django.contrib import admin
from django.contrib.messages.constants import ERROR
from django.core.cache import caches
from django.db import connection, transaction
from django.test import RequestFactory
from django.test.client import ClientHandler
from django.urls import NoReverseMatch, get_resolver, resolve, reverse
from django.urls.resolvers import URLResolver

from sermo import fragments

DUMMIES = {"IntConverter": 999_999, "UUIDConverter": "00000000-0000-4000-8000-000000000000"}
STACK = 8  # frames by which a place is known
SAVEPOINT = re.compile(r"((?:ROLLBACK TO |RELEASE )?SAVEPOINT) .*")
LINK = re.compile(r'(?:href|hx-get|data-url)="(/[^"#]*\?[^"#]*)')
TABLES = """
SELECT c.oid::regclass::text FROM pg_class c
 WHERE c.relkind = 'r' AND c.relnamespace = 'public'::regnamespace ORDER BY 1
"""
NUMBERS = """
SELECT schemaname || '.' || sequencename, coalesce(last_value, start_value), last_value IS NOT NULL FROM pg_sequences
"""


class Route(NamedTuple):
    name: str
    pattern: str
    parameters: tuple[str, ...]
    dummies: tuple[tuple[str, object], ...]
    has_fragments: bool  # its module looks at whether htmx asks

    def address(self, **values) -> str:
        return reverse(self.name, kwargs={**dict(self.dummies), **values})


class Answer(NamedTuple):
    status: int
    headers: tuple[tuple[str, str], ...]
    body: bytes
    statements: tuple[tuple[str, str], ...]  # each with its values
    refusals: tuple[str, ...]  # said on the page that follows

    @property
    def shown(self) -> list:
        return [self.status, *self.headers, *self.body.splitlines(keepends=True)]

    @property
    def wordings(self) -> list[str]:
        return [sql for sql, _ in self.statements]


def routes() -> list[Route]:
    """All named addresses of the site, those of the administration among them."""
    return list({route.name: route for route in _walk(get_resolver(), "", "", {})}.values())


def _walk(resolver, before: str, space: str, known: dict) -> Iterator[Route]:
    for entry in resolver.url_patterns:
        converters = {**known, **entry.pattern.converters}
        pattern = before + str(entry.pattern)
        if isinstance(entry, URLResolver):
            inner = f"{space}{entry.namespace}:" if entry.namespace else space
            yield from _walk(entry, pattern, inner, converters)
        elif entry.name:
            names = tuple(converters) or tuple(entry.pattern.regex.groupindex)
            dummies = tuple(
                (name, DUMMIES.get(type(converters.get(name)).__name__, "none")) for name in names
            )
            module = inspect.getmodule(inspect.unwrap(entry.callback))
            yield Route(space + entry.name, pattern, names, dummies, _looks_at_htmx(module))


@cache
def _looks_at_htmx(module: ModuleType) -> bool:
    return "htmx" in inspect.getsource(module)


def addresses(found: Iterable[Route], arguments: dict[str | tuple, list[dict]]) -> dict[Route, list[str]]:
    """The addresses to ask for, by route: with arguments given for its name, or for its parameters.

    Of the administration they include rows that are not there yet, which what happens next may make.
    """
    asked, of_models = {}, _rows_of_admin()
    for route in found:
        values = arguments.get(route.name) or arguments.get(route.parameters)
        values = values or _of_admin(route, of_models) or [{}]
        try:
            asked[route] = [route.address(**some) for some in values]
        except NoReverseMatch:
            asked[route] = []
    return asked


def _rows_of_admin() -> dict[str, list]:
    """Keys of rows by the beginning of their pages' names: the first, and the one that will come."""
    found = {}
    for model in admin.site._registry:
        keys = model._default_manager.order_by("pk").values_list("pk", flat=True)
        newest = keys.last()
        coming = [newest + 1] if isinstance(newest, int) else [1] if newest is None else []
        there = (
            [] if model._meta.app_label == "rewards" else keys[:1]
        )  # what the desk of money has is refused alike
        found[f"admin:{model._meta.app_label}_{model._meta.model_name}_"] = [*there, *coming]
    return found


def _of_admin(route: Route, rows: dict[str, list]) -> list[dict]:
    """What a page of the administration is about."""
    if route.parameters == ("app_label",):
        return [{"app_label": label} for label in sorted({m._meta.app_label for m in admin.site._registry})]
    keys = next((keys for begin, keys in rows.items() if route.name.startswith(begin)), [])
    return [{name: key} for key in keys for name in route.parameters if name in ("object_id", "pk")]


# Asking


class Site:
    """The site as it answers the sessions it was given, by the role of who has them."""

    def __init__(self, sessions: dict[str, str]):
        self.sessions = sessions
        self.handler = ClientHandler(enforce_csrf_checks=False)
        self.handler.load_middleware()

    def get(self, role: str, address: str, **headers) -> Answer:
        return self.ask("get", role, address, {}, headers)

    def post(self, role: str, address: str, data: dict | None = None, **headers) -> Answer:
        return self.ask("post", role, address, data or {}, headers)

    def ask(self, method: str, role: str, address: str, data: dict, headers: dict) -> Answer:
        factory = RequestFactory(headers={"host": "localhost", **headers})
        if session := self.sessions.get(role):
            factory.cookies = SimpleCookie({settings.SESSION_COOKIE_NAME: session})
        request = getattr(factory, method)(address, data)
        request._dont_enforce_csrf_checks = True
        statements = []
        with chance_of(f"{method} {role} {address} {headers}"), _listening(statements):
            response = self.handler.get_response(request)
            body = response.getvalue() if response.streaming else response.content
        found = [*response.items(), *(("Set-Cookie", str(one)) for one in response.cookies.values())]
        return Answer(response.status_code, tuple(found), body, tuple(statements), _refusals(request))


def _refusals(request) -> tuple[str, ...]:
    """The errors that a request left to be said by the next."""
    said = getattr(getattr(request, "_messages", None), "_queued_messages", ())
    return tuple(str(message) for message in said if message.level >= ERROR)


@contextmanager
def chance_of(seed: str):
    """Whatever is drawn at random inside follows from the seed and from where it is drawn.

    So what is drawn only once in a process, for something it keeps, moves nothing that is drawn afterwards.
    """
    drawn, before = Counter(), random.getstate()

    def draw(size: int) -> bytes:
        frames = islice(traceback.walk_stack(sys._getframe(1)), STACK)
        place = " ".join(f"{frame.f_code.co_name}:{line}" for frame, line in frames)
        drawn[place] += 1
        return hashlib.shake_256(f"{seed} {place} {drawn[place]}".encode()).digest(size)

    random.seed(seed)
    with patch("os.urandom", draw), patch("random._urandom", draw):
        yield
    random.setstate(before)


@contextmanager
def _listening(statements: list[tuple[str, str]]):
    """Note what is sent to the database, with its values; a savepoint has a number that says nothing."""

    def note(execute, sql, params, many, context):
        statements.append((SAVEPOINT.sub(r"\1", str(sql)), repr(params)))
        return execute(sql, params, many, context)

    with connection.execute_wrapper(note):
        yield


def links_in(pages: Iterable[Answer], of_each: int) -> list[str]:
    """Addresses with a query that pages lead to (orders, filters, later pages, fragments), some of each kind."""
    kinds: dict[tuple, dict[str, None]] = {}
    for page in pages:
        for found in sorted(set(LINK.findall(page.body.decode(errors="replace")))):
            address = unescape(found)
            kind = (
                kind_of(address),
                tuple(part.partition("=")[0] for part in address.partition("?")[2].split("&")),
            )
            kinds.setdefault(kind, {})[address] = None
    return [address for found in kinds.values() for address in list(found)[:of_each]]


def kind_of(address: str) -> str:
    """The name of the route of an address."""
    return resolve(address.partition("?")[0]).view_name


# Worlds


@contextmanager
def rolled_back():
    """A transaction that ends as it began, and that code takes for the outermost, as it does a test's own."""
    whole = transaction.atomic()
    whole._from_testcase = True
    with whole:
        yield
        transaction.set_rollback(True)


@contextmanager
def undone():
    """A world that is gone afterwards: its rows, the numbers its rows took, and what was cached of it."""
    with connection.cursor() as cursor:
        cursor.execute(NUMBERS)
        numbers = cursor.fetchall()
    forget()
    with rolled_back():
        yield
    with connection.cursor() as cursor:
        cursor.executemany("SELECT setval(%s, %s, %s)", numbers)
    forget()


def analyze() -> None:
    """Let the database plan by the rows there are, not by the empty tables that it remembers."""
    with connection.cursor() as cursor:
        cursor.execute("ANALYZE")


def forget() -> None:
    for name in settings.CACHES:
        caches[name].clear()
    fragments.forget()


def rows(instead: dict[str, str]) -> dict[str, list[str]]:
    """All rows of all tables, as text; of some tables what a query of their own finds, of those without one nothing."""
    found = {}
    with connection.cursor() as cursor:
        cursor.execute(TABLES)
        for (table,) in cursor.fetchall():
            if query := instead.get(table, f"SELECT row::text FROM {table} AS row"):
                cursor.execute(f"{query} ORDER BY 1")
                found[table] = [row for (row,) in cursor.fetchall()]
    return found
