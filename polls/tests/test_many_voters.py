"""Many vote at once on one poll: each is counted, once, and nobody waits long."""

import asyncio
import os
import random
import socket
import subprocess
import sys
import threading
import time
import traceback
from collections import Counter
from urllib.parse import urlencode

import pytest
from django.conf import settings
from django.db import connection, connections
from django.urls import reverse

from conftest import client_of
from polls.models import Ballot, Poll, Receipt, Tally, Ticket
from polls.services import voting
from polls.tests.factories import make_poll, make_voter
from polls.tokens import new_token

OPTIONS = "ABCD"


def make_electorate(number):
    """Members with what each will choose."""
    lot = random.Random(5)
    return {make_voter(): tuple(lot.sample(range(4), lot.randint(1, 4))) for _ in range(number)}


def check(poll, wanted):
    """All are counted, and nothing else is."""
    tally = Tally.objects.get(poll=poll)
    firsts = Counter(choices[0] for choices in wanted.values())
    assert tally.counts == [firsts[place] for place in range(len(OPTIONS))]
    assert tally.voters == Receipt.objects.filter(poll=poll, kind="voted").count() == len(wanted)
    assert not Ticket.objects.exists()
    ballots = Counter(tuple(choices) for choices in Ballot.objects.values_list("choices", flat=True))
    sent = Counter(choices if poll.kind == Poll.Kind.RANKED else choices[:1] for choices in wanted.values())
    assert ballots == (sent if poll.keeps_ballots else Counter())


# By threads, through the service


def all_cast(poll, wanted, threads):
    """Cast all votes from so many threads at once; return the seconds it took, and what broke."""
    waiting, broken = list(wanted.items()), []
    start = threading.Barrier(threads + 1)

    def run():
        try:
            connection.ensure_connection()
            start.wait(60)
            while waiting:
                member, choices = waiting.pop()
                voting.cast(poll=poll, member=member, choices=choices, token=new_token(), seconds=20)
        except IndexError:
            pass  # another one took the last
        except Exception:
            broken.append(traceback.format_exc())
        finally:
            connections.close_all()

    running = [threading.Thread(target=run, daemon=True) for _ in range(threads)]
    for thread in running:
        thread.start()
    start.wait(60)
    began = time.monotonic()
    for thread in running:
        thread.join(120)
        assert not thread.is_alive()
    return time.monotonic() - began, broken


@pytest.mark.django_db(transaction=True)
def test_thirty_who_vote_at_once_are_counted_exactly():
    poll, wanted = make_poll("ranked", options=OPTIONS), make_electorate(30)

    _, broken = all_cast(poll, wanted, threads=10)

    assert not broken, broken[0]
    check(poll, wanted)


# Over HTTP, on the server that members meet


@pytest.fixture
def web(tmp_path):
    """The site's own web server, on the tests' database; gives its port."""
    with socket.socket() as line:
        line.bind(("127.0.0.1", 0))
        port = line.getsockname()[1]
    env = {
        **os.environ,
        "DATABASE_URL": url_of_test_database(),
        "PORT": f"{port}",
        "ALLOWED_HOSTS": "localhost,127.0.0.1",
        "SITE_URL": f"http://localhost:{port}",
    }
    command = [sys.executable, "-m", "sermo.runtime.web", "127.0.0.1", f"{port}"]
    said = tmp_path / "web.log"  # a pipe that nobody reads would fill, and stop the server
    with said.open("wb") as log:
        server = subprocess.Popen(command, env=env, stdout=log, stderr=log)
    try:
        deadline = time.monotonic() + 60
        while not answers(port):
            assert server.poll() is None, said.read_text()
            assert time.monotonic() < deadline
            time.sleep(0.1)
        yield port
    finally:
        server.terminate()
        server.wait(30)


def url_of_test_database():
    """The address of the tests' database, whose name differs from the one in the environment."""
    url, _, rest = os.environ["DATABASE_URL"].partition("?")
    return f"{url.rpartition('/')[0]}/{settings.DATABASES['default']['NAME']}" + (f"?{rest}" if rest else "")


def answers(port):
    try:
        with socket.create_connection(("127.0.0.1", port), timeout=1) as line:
            line.sendall(
                f"GET /healthz HTTP/1.1\r\nHost: localhost:{port}\r\nConnection: close\r\n\r\n".encode()
            )
            return line.recv(64).startswith(b"HTTP/1.1 200")
    except OSError:
        return False


def requests_of(poll, wanted, port):
    """What each member's browser sends with a tap on Vote."""
    session, csrf, found = settings.SESSION_COOKIE_NAME, "c" * 32, []
    for member, choices in wanted.items():
        ranks = {f"rank-{place}": number for number, place in enumerate(choices, start=1)}
        chosen = ranks if poll.kind == Poll.Kind.RANKED else {"choice": choices[0]}
        body = urlencode({**chosen, "token": new_token(), "csrfmiddlewaretoken": csrf})
        cookie = client_of(member).cookies[session].value
        found.append(
            f"POST {reverse('polls:vote', args=[poll.pk])} HTTP/1.1\r\nHost: localhost:{port}\r\n"
            f"Origin: http://localhost:{port}\r\nCookie: {session}={cookie}; {settings.CSRF_COOKIE_NAME}={csrf}\r\n"
            "Content-Type: application/x-www-form-urlencoded\r\n"
            f"Content-Length: {len(body)}\r\nConnection: close\r\n\r\n{body}".encode()
        )
    return found


async def send_all(port, requests):
    """Send everything, a hundred at a time; return the seconds it took, and how often which answer came."""
    lines = asyncio.Semaphore(100)

    async def send(request):
        async with lines:
            try:
                return await asyncio.wait_for(answer_to(request), 30)
            except (TimeoutError, OSError) as error:
                return repr(error)

    async def answer_to(request):
        reader, writer = await asyncio.open_connection("127.0.0.1", port)
        writer.write(request)
        said = await reader.readuntil(b"\r\n")
        writer.close()
        return said.decode().strip()

    began = time.monotonic()
    said = await asyncio.gather(*map(send, requests))
    return time.monotonic() - began, Counter(said)


def all_post(poll, wanted, port):
    requests, found = requests_of(poll, wanted, port), []
    thread = threading.Thread(target=lambda: found.append(asyncio.run(send_all(port, requests))), daemon=True)
    thread.start()  # Playwright's event loop may live on this one
    thread.join(120)
    [(seconds, said)] = found
    return seconds, said


@pytest.mark.django_db(transaction=True)
def test_thirty_who_vote_at_once_over_http_are_counted_exactly(web):
    poll, wanted = make_poll("ranked", options=OPTIONS), make_electorate(30)

    _, said = all_post(poll, wanted, web)

    assert said == {"HTTP/1.1 302 Found": 30}
    check(poll, wanted)


@pytest.mark.scale
@pytest.mark.parametrize(("kind", "may_change"), [("single", False), ("single", True), ("ranked", False)])
@pytest.mark.django_db(transaction=True)
def test_five_hundred_vote_within_ten_seconds_over_http(web, kind, may_change):
    poll, wanted = make_poll(kind, options=OPTIONS, may_change=may_change), make_electorate(500)

    seconds, said = all_post(poll, wanted, web)

    change = ", to be changed," if may_change else ""
    print(f"\n500 votes on a {kind} poll{change} in {seconds:.1f} s over HTTP: {dict(said)}")
    assert said == {"HTTP/1.1 302 Found": 500}
    check(poll, wanted)
    assert seconds < 10
