"""Who places calls: files for development, nobody, or a service over HTTP."""

import json
import threading
import time
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import httpx
import pytest

from accounts.places import STATES
from verification import calling, calling_hours


@pytest.mark.parametrize(
    ("text", "number"),
    [
        ("5175550100", "+15175550100"),
        ("(517) 555-0100", "+15175550100"),
        ("1 517 555 0100", "+15175550100"),
        ("517-555-010", ""),
        ("0175550100", ""),
        ("5171550100", ""),
        ("+49 30 5550100", ""),
        ("5175550100 x12", ""),
        ("", ""),
    ],
)
def test_only_north_american_numbers_are_dialed(text, number):
    assert calling.dialed(text) == number


def test_the_provider_of_development_writes_files_that_only_it_can_read(settings, tmp_path):
    settings.VAR_DIR, settings.CALL_PROVIDER = tmp_path, "verification.calling.Files"

    calling.provider().say("+15175550100", "The code is: 1, 2, 3.")
    calling.provider().fax("+15175550101", "The code is 123.")

    call, fax = sorted((tmp_path / "calls").iterdir(), key=lambda path: "fax" in path.name)
    assert call.read_text() == "To: +15175550100\n\nThe code is: 1, 2, 3.\n"
    assert fax.stat().st_mode & 0o777 == 0o600
    assert (tmp_path / "calls").stat().st_mode & 0o077 == 0


def test_a_disk_that_cannot_be_written_reaches_nobody(settings, tmp_path):
    (tmp_path / "calls").write_text("a file in the way")
    settings.VAR_DIR = tmp_path

    with pytest.raises(calling.Unreachable):
        calling.Files().say("+15175550100", "1")


def test_nobody_refuses_and_says_so_beforehand(settings):
    settings.CALL_PROVIDER = "verification.calling.Nobody"

    assert not calling.provider().is_ready()
    for way in (calling.provider().say, calling.provider().fax):
        with pytest.raises(calling.Unreachable):
            way("+15175550100", "1")


class Service(BaseHTTPRequestHandler):
    """A service that does as it is told by the test."""

    status, delay = 204, 0.0
    heard: list[tuple] = []

    def do_POST(self):
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        self.heard.append((self.headers.get("Authorization"), body))
        time.sleep(self.delay)
        self.send_response(self.status)
        self.end_headers()

    def log_message(self, *args):
        pass


@pytest.fixture
def service(settings):
    server = ThreadingHTTPServer(("127.0.0.1", 0), Service)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    settings.CALL_URL, settings.CALL_KEY = f"http://127.0.0.1:{server.server_port}/say", "k-1"
    Service.status, Service.delay = 204, 0.0
    Service.heard.clear()
    yield Service
    server.shutdown()
    server.server_close()


def test_a_service_is_asked_with_its_key(service):
    assert calling.Web().is_ready()

    calling.Web().fax("+15175550101", "The code is 123456.")

    said = {"to": "+15175550101", "kind": "fax", "words": "The code is 123456."}
    assert service.heard == [("Bearer k-1", said)]


@pytest.mark.parametrize(("status", "may_have_rung"), [(400, False), (429, False), (302, False), (503, True)])
def test_a_service_that_refuses_reached_nobody(service, status, may_have_rung):
    service.status = status

    with pytest.raises(calling.Unreachable) as failure:
        calling.Web().say("+15175550100", "1")

    assert failure.value.may_have_rung == may_have_rung
    assert "5175550100" not in str(failure.value)


def test_a_service_that_does_not_answer_in_time_may_have_rung(service, monkeypatch):
    service.delay = 0.5
    monkeypatch.setattr(calling, "TIMEOUT", httpx.Timeout(0.1))

    with pytest.raises(calling.Unreachable) as failure:
        calling.Web().say("+15175550100", "1")

    assert failure.value.may_have_rung


@pytest.mark.parametrize("url", ["http://127.0.0.1:9/", "nonsense://x", "http://[", ""])
def test_a_service_that_is_not_there_rang_nobody(settings, url):
    settings.CALL_URL, settings.CALL_KEY = url, ""

    with pytest.raises(calling.Unreachable):
        calling.Web().say("+15175550100", "1")


def at(hour, minute=0):
    return datetime(2026, 1, 14, hour, minute, tzinfo=UTC)


@pytest.mark.parametrize(
    ("state", "moment", "may"),
    [
        ("NY", at(12, 59), False),  # 7:59 in New York
        ("NY", at(13), True),
        ("NY", at(0, 59), True),  # 19:59 the evening before
        ("NY", at(1), False),
        ("FL", at(13), False),  # its west is at 7
        ("FL", at(14), True),
        ("FL", at(1), False),  # its east is at 20
        ("HI", at(18), True),
        ("HI", at(17, 59), False),
        ("", at(15), False),
        ("", at(17), True),
    ],
)
def test_telephones_ring_by_day_in_the_whole_state(state, moment, may):
    assert calling_hours.may_ring(state, moment) == may


def test_every_state_has_its_zones():
    named = {state for states in calling_hours._ZONES.values() for state in states.split()}

    assert named == {state for state, _ in STATES}
