"""Asking the whole console for its pages: every address of the resolver, every link and form on what it answers."""

import logging
import os
from collections import Counter, deque
from collections.abc import Iterator
from contextlib import contextmanager
from html.parser import HTMLParser
from typing import NamedTuple
from urllib.parse import urlencode, urlsplit
from uuid import uuid4

from django.db import transaction
from django.db.models import Max
from django.urls import resolve, reverse

from observers.models import Read
from rewards.tests import crawl as whole_site

CONSOLE = "/observe/"
HTMX = {"HX-Request": "true"}
LINKS = {"href", "hx-get", "data-url", "src"}
OF_EACH = int(
    os.environ.get("OF_EACH", "1")
)  # addresses of one kind that links lead to; all of all with 2, by hand
TYPED = {
    "reason": "For the yearly review of safety.",
    "email": "somebody@firm.example",
    "name": "S. Somebody",
    "terms": "velorin",
    "title": "What would you need to change your mind?",
    "source": "We plan a study and want to know what matters.",
    "text": "It keeps for a day; see the label.",
    "author_cents": "12.00",
    "voter_cents": "",
    "voter_slots": "0",
    "outcome": "none",
    "option_1": "Price",
    "option_2": "Habit",
    "password": "a-long-enough-passphrase-7",
}


class Visit(NamedTuple):
    """One answer, what its page shows, and the reads it left: (post, way, purpose), one for each row."""

    route: str
    method: str
    address: str
    status: int
    kind: str
    headers: tuple[tuple[str, str], ...]
    body: bytes
    reads: tuple[tuple[int, str], ...]

    @property
    def text(self) -> str:
        return "" if self.kind.startswith("image/") else self.body.decode()

    @property
    def said(self) -> tuple[str, str]:
        return self.method, self.address


class Form(NamedTuple):
    method: str
    action: str
    fields: tuple[tuple[str, str], ...]


def console_routes() -> set[str]:
    """The names of all addresses of the console, from the resolver."""
    return {
        route.name.partition(":")[2] for route in whole_site.routes() if route.name.startswith("observers:")
    }


def addresses_of(arguments: dict[str, list[dict]]) -> list[str]:
    return [
        reverse(f"observers:{name}", kwargs=some) for name, values in arguments.items() for some in values
    ]


class Console:
    """The console as one seat asks it. What forms change is taken back, so that each finds the same world."""

    def __init__(self, client):
        self.client = client
        self.visits: list[Visit] = []

    def crawl(self, addresses) -> list[Visit]:
        """Ask for all of it, also as htmx does where a view looks at that, and follow where it leads."""
        waiting, known, forms, kinds = deque(addresses), set(addresses), {}, Counter()
        in_parts = {route.name for route in whole_site.routes() if route.has_fragments}
        while waiting:
            address = waiting.popleft()
            visit = self.ask("get", address)
            if "after=" in address and f"observers:{visit.route}" in in_parts:
                self.ask("get", address, headers=HTMX)
            if visit.status == 405:
                forms.setdefault(address, Form("post", address, ()))
            for form in forms_in(visit, address):
                forms.setdefault(_kind_of(form), form)
            for link in links_in(visit):
                kind = _place(link)
                if link not in known and kinds[kind] < OF_EACH:
                    known.add(link)
                    kinds[kind] += 1
                    waiting.append(link)
        for form in list(forms.values()):
            self.send(form)
        return self.visits

    def ask(self, method: str, address: str, data=None, headers=None) -> Visit:
        before = _last_read()
        answer = getattr(self.client, method)(address, data or {}, headers=headers or {})
        body = b"".join(answer.streaming_content) if answer.streaming else answer.content
        visit = Visit(
            route=resolve(urlsplit(address).path).view_name.rpartition(":")[2],
            method=method,
            address=address,
            status=answer.status_code,
            kind=answer.get("Content-Type", ""),
            headers=tuple(answer.items()),
            body=body,
            reads=tuple(Read.objects.filter(pk__gt=before).order_by("pk").values_list("post", "way")),
        )
        self.visits.append(visit)
        return visit

    def send(self, form: Form) -> None:
        """As it was shown, and with what may be typed; each time the page that follows as well."""
        if form.method == "get":
            for data in filled(form):
                self.ask("get", f"{form.action}?{urlencode(data)}")
            return
        for data in filled(form):
            with taken_back():
                sent = self.ask("post", form.action, data)
                where = dict(sent.headers).get("Location", "")
                if sent.status == 302 and where.startswith(CONSOLE):
                    self.ask("get", where)


@contextmanager
def unlogged() -> Iterator[None]:
    """Refusals by the hundred are logged with where they came from, which takes longer than they do."""
    logging.disable()
    yield
    logging.disable(logging.NOTSET)


@contextmanager
def taken_back() -> Iterator[None]:
    """What is done inside is undone, in the database and in what is kept of it."""
    whole_site.forget()
    with transaction.atomic():
        yield
        transaction.set_rollback(True)
    whole_site.forget()


def filled(form: Form) -> list[dict]:
    """A form as it stands, and with words where there were none."""
    as_shown = dict(form.fields)
    typed = {name: value or TYPED.get(name, value) for name, value in as_shown.items()}
    typed |= {name: str(uuid4()) for name in as_shown if name == "submission"}
    return [as_shown] if typed == as_shown else [as_shown, typed]


def links_in(visit: Visit) -> list[str]:
    read = _read(visit)
    found = (link.partition("#")[0] for link in read.links) if read else ()
    return [link for link in dict.fromkeys(found) if link.startswith(CONSOLE)]


def forms_in(visit: Visit, address: str) -> list[Form]:
    read = _read(visit)
    if not read:
        return []
    return [
        Form(method, action or address, tuple(fields.items()))
        for method, action, fields in read.forms
        if (action or address).startswith(CONSOLE)
    ]


def _kind_of(form: Form) -> tuple:
    """Of forms that send the same fields to addresses of one route one is sent."""
    return form.method, _place(form.action)[0], tuple(name for name, _ in form.fields)


def _place(address: str) -> tuple:
    """The route of an address and the parameters it is asked with."""
    path, _, query = address.partition("?")
    return resolve(path).view_name, tuple(part.partition("=")[0] for part in query.split("&"))


def _last_read() -> int:
    return Read.objects.aggregate(pk=Max("pk"))["pk"] or 0


def _read(visit: Visit):
    if not visit.kind.startswith("text/html"):
        return None
    reader = _Reader()
    reader.feed(visit.text)
    return reader


class _Reader(HTMLParser):
    """The links of a page, and its forms with what their fields hold."""

    def __init__(self):
        super().__init__()
        self.links: list[str] = []
        self.forms: list[tuple[str, str, dict]] = []
        self.select = ""

    def handle_starttag(self, tag, attributes):
        said = dict(attributes)
        self.links += [value for name, value in attributes if name in LINKS and value]
        if tag == "form":
            self.forms.append(((said.get("method") or "get").lower(), said.get("action") or "", {}))
        elif self.forms and tag in ("input", "textarea", "select", "option"):
            self._field(tag, said, self.forms[-1][2])

    def _field(self, tag, said, fields):
        name, value = said.get("name"), said.get("value") or ""
        if tag == "option":
            if self.select and (not fields[self.select] or "selected" in said):
                fields[self.select] = value
        elif tag == "select" and name:
            self.select = name
            fields[name] = ""
        elif name and said.get("type") in ("checkbox", "radio"):
            if "checked" in said or (said["type"] == "radio" and name not in fields):
                fields[name] = value
        elif name:
            fields[name] = value
