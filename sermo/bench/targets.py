"""Data, members and addresses to measure with: `python -m sermo.bench.targets SCALE FILE`.

Started with the bench's own settings and servers. Writes the file as JSON: cookies, and for each page its addresses
and the queries it takes.
"""

import json
import logging
import os
import random
import re
import sys
from collections.abc import Callable, Iterator
from html import unescape
from itertools import islice
from pathlib import Path
from urllib.parse import quote

CLIENTS = 8
QUESTIONS = 200
SEARCHES = 200
FULL_SEARCHES = 60  # as many as there are of them among three times as many as above, at most
LONG = 20  # answers of the question pages asked for
COUNTED = 12  # addresses of each page whose queries are counted
SEED = 20261122


def main(scale: str, file: Path) -> None:
    os.environ.setdefault("DJANGO_SETTINGS_MODULE", "sermo.bench.settings")
    import django

    django.setup()
    logging.getLogger("sermo.request").setLevel(logging.WARNING)
    from sermo.runtime import prepare

    prepare.main()
    load(scale, file.with_name("loaded"))
    clients = sign_in()
    pages = {
        "floor": ["/bench/floor/"],
        "list": lists(clients[0]),
        "question": questions(clients[0]),
        "search": searches(),
        "full": full_searches(clients[0]),
    }
    said = {
        "cookies": [cookie_of(client) for client in clients],
        "pages": {
            name: {"addresses": addresses, "queries": queries(clients[0], addresses)}
            for name, addresses in pages.items()
        },
    }
    file.write_text(json.dumps(said))


def load(scale: str, mark: Path) -> None:
    """The data, then a VACUUM: else the database would do it by itself, in the middle of a measurement."""
    from django.core.management import call_command
    from django.db import connection

    call_command("seed_load", scale=scale)
    if not mark.exists():
        with connection.cursor() as cursor:
            cursor.execute("VACUUM (ANALYZE)")
            cursor.execute("CHECKPOINT")
        mark.touch()


def sign_in() -> list:
    """Browsers of members from all over the load."""
    from django.apps import apps
    from django.test import Client

    physicians = apps.get_model("accounts", "Member").objects.physicians().select_related("user")
    rows = physicians.order_by("pk")
    step = max(1, rows.count() // CLIENTS)
    clients = [Client(SERVER_NAME="localhost") for _ in range(CLIENTS)]
    for client, member in zip(clients, rows[::step], strict=False):
        client.force_login(member.user)
        client.member = member
    return clients


def cookie_of(client) -> str:
    return "; ".join(f"{name}={morsel.value}" for name, morsel in client.cookies.items())


def lists(client) -> list[str]:
    """The orders and filters people use, the plain list most, and the second pages of some."""
    from django.apps import apps

    first = [
        "/questions/",
        "/questions/?sort=new",
        "/questions/?sort=important",
        "/questions/?sort=unanswered",
    ]
    more = [
        "/questions/?status=solved",
        "/questions/?status=closed",
        "/questions/?status=all",
        "/questions/?sort=new&status=all",
        "/questions/?sort=important&status=solved",
        "/questions/?specialty=mine",
        "/questions/?sort=new&specialty=mine",
        "/questions/?following=1",
    ]
    tags = apps.get_model("questions", "Tag").objects.filter(merged_into=None).order_by("pk")
    own = client.member.specialty.slug
    topics = [f"/tags/{tag.slug}/" for tag in tags[:4]] + [
        f"/specialties/{own}/",
        f"/specialties/{own}/?sort=new",
    ]
    second = [
        address for address in map(second_page(client), [*first[:3], *more[:5], *topics[4:]]) if address
    ]
    third = [address for address in map(second_page(client), second[:4]) if address]
    mixed = [*first[:1] * 4, *first[1:], *more, *topics, *second, *third]
    return [answered_at(client, address) for address in mixed][:40]


def second_page(client) -> Callable[[str], str | None]:
    """The address of the page after one, read from its link."""

    def of(address: str) -> str | None:
        text = client.get(address, follow=True).content.decode()
        found = re.search(r'(?:href|hx-get)="([^"]*[?&;]after=[^"]*)"', text)
        return unescape(found[1]) if found else None

    return of


def answered_at(client, address: str) -> str:
    """Where an address leads in the end."""
    response = client.get(address, follow=True)
    return response.redirect_chain[-1][0] if response.redirect_chain else address


def questions(client) -> list[str]:
    """Pages with many answers that everybody may read."""
    from django.apps import apps

    rows = apps.get_model("questions", "Question").objects.visible_to(client.member.user)
    rows = rows.filter(audience="physicians", answer_count__gte=LONG).order_by("-opened_at")
    found = [row.get_absolute_url() for row in rows]
    random.Random(SEED).shuffle(found)  # noqa: S311 - the same every time is the purpose
    return found[:QUESTIONS]


def searches() -> list[str]:
    """One to three words of titles, as somebody looking for those discussions might type."""
    return [f"/search/?q={quote(words)}" for words in islice(_typed(), SEARCHES)]


def full_searches(client) -> list[str]:
    """Those that fill a page. Among the others are the more of short pages the less there is to be found, so only
    these tell what more data costs.
    """
    from django.conf import settings

    found = (f"/search/?q={quote(words)}" for words in islice(_typed(), SEARCHES * 3))
    rows = '<article class="question-row">'
    full = (
        each for each in found if client.get(each).content.decode().count(rows) >= settings.RESULTS_PER_PAGE
    )
    return list(islice(dict.fromkeys(full), FULL_SEARCHES))


def _typed() -> Iterator[str]:
    from django.apps import apps

    rng = random.Random(SEED)  # noqa: S311 - the same every time is the purpose
    titles = apps.get_model("questions", "Question").objects.order_by("pk").values_list("title", flat=True)
    total = titles.count()
    while True:
        words = re.findall(r"[A-Za-z]{5,}", titles[rng.randrange(total)])
        if words:
            yield " ".join(rng.sample(words, min(len(words), rng.choice((1, 2, 2, 3)))))


def queries(client, addresses: list[str]) -> int:
    """The most of a sample, each asked for once before."""
    from django.db import connection
    from django.test.utils import CaptureQueriesContext

    most = 0
    for address in addresses[:: max(1, len(addresses) // COUNTED)][:COUNTED]:
        client.get(address)
        with CaptureQueriesContext(connection) as captured:
            response = client.get(address)
        if response.status_code != 200:
            raise SystemExit(f"{address} answers {response.status_code}.")
        most = max(most, len(captured))
    return most


if __name__ == "__main__":
    main(sys.argv[1], Path(sys.argv[2]))
