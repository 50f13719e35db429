"""The client of the NPPES API against a server on this machine that speaks its documented shape."""

import logging
import time
import traceback
from datetime import UTC, date, datetime, timedelta
from email.utils import format_datetime

import pytest

from verification import asking, nppes_api
from verification.names import PersonName
from verification.nppes_api import Unavailable
from verification.tests.register_server import (
    deactivation,
    nppes,
    nppes_deactivated,
    nppes_endpoint,
    nppes_errors,
    nppes_result,
    register_server,
)

NPI = "1234567893"


@pytest.fixture
def registry(settings, monkeypatch):
    with register_server() as server:
        settings.NPPES_API_URL = server.url
        monkeypatch.setattr(asking, "PAUSES", (0.01, 0.02))
        yield server


def cause_of(**how):
    with pytest.raises(Unavailable) as refused:
        nppes_api.read(NPI, **how)
    return refused.value.cause


class TestAnswers:
    def test_a_record_comes_with_what_we_use_of_it(self, registry):
        former = {"type": "Former Name", "code": "1", "first_name": "OTTOLINE", "last_name": "INKWELL"}
        endpoint = nppes_endpoint("https://sermo.example/verify/npi/abc/")
        registry.script = [nppes(nppes_result(NPI, other_names=[former], endpoints=[endpoint]))]

        record = nppes_api.read(NPI)

        assert record.npi == NPI
        assert record.name == PersonName("QUILLFEATHER", "OTTOLINE", "J")
        assert record.other_names == (PersonName("INKWELL", "OTTOLINE", ""),)
        assert record.is_active
        assert record.updated_on == date(2025, 4, 16)
        assert (record.phone, record.fax) == ("5175550100", "5175550101")
        assert record.endpoints == ("https://sermo.example/verify/npi/abc/",)
        assert [(each.state, each.number_key, each.is_primary) for each in record.licenses] == [
            ("MI", "4301977598", True),
            ("", "", False),
        ]

    def test_it_is_asked_for_by_number_in_version_2_1(self, registry):
        registry.script = [nppes(nppes_result(NPI))]

        nppes_api.read(NPI)

        assert registry.asked == [{"version": "2.1", "number": NPI}]

    def test_a_number_that_is_no_text_is_a_number_too(self, registry):
        registry.script = [nppes(nppes_result(int(NPI)))]

        assert nppes_api.read(NPI).npi == NPI

    def test_a_record_without_its_lists_is_one(self, registry):
        bare = {"number": NPI, "enumeration_type": "NPI-1", "basic": {"last_name": "MA", "status": "A"}}
        registry.script = [nppes(bare)]

        record = nppes_api.read(NPI)

        assert (record.endpoints, record.licenses, record.phone, record.updated_on) == ((), (), "", None)

    def test_any_other_status_is_not_active(self, registry):
        registry.script = [nppes(nppes_result(NPI, basic={"last_name": "MA", "status": "D"}))]

        assert not nppes_api.read(NPI).is_active

    @pytest.mark.parametrize("answer", [nppes(), nppes_deactivated(NPI)])
    def test_nobody_is_found_under_a_number_that_was_taken_away(self, registry, answer):
        registry.script = [answer]

        assert nppes_api.read(NPI) is None

    def test_a_number_that_cannot_be_one_is_not_asked_for(self, registry):
        assert nppes_api.read("1234567898") is None
        assert registry.asked == []


class TestFailures:
    @pytest.mark.parametrize(
        ("body", "cause"),
        [
            (nppes_errors(), "unexpected_errors"),
            (nppes_errors(deactivation(NPI)), "unexpected_errors"),
            (nppes_deactivated("1679576722"), "unexpected_errors"),
            (b'{"Errors": []}', "unexpected_errors"),
            (b'{"Errors": "CMS deactivated NPI"}', "unexpected_Errors"),
            (b"[]", "unexpected_answer"),
            (b'{"result_count": 1}', "unexpected_results"),
            (nppes({"number": NPI}), "unexpected_type"),
            (nppes(nppes_result("1679576722")), "unexpected_number"),
            (nppes(nppes_result(NPI), nppes_result(NPI)), "unexpected_count"),
            (nppes(nppes_result(NPI, enumeration_type="NPI-2")), "unexpected_type"),
            (nppes(nppes_result(NPI, basic=None)), "unexpected_basic"),
            (nppes(nppes_result(NPI, basic={"status": "A"})), "unexpected_name"),
            (nppes(nppes_result(NPI, endpoints={"endpoint": "x"})), "unexpected_endpoints"),
            (nppes(nppes_result(NPI, endpoints=[{"endpoint": 7}])), "unexpected_endpoint"),
            (nppes(nppes_result(NPI, addresses=["x"])), "unexpected_addresses"),
            (nppes(nppes_result(NPI))[:-40], "no_json"),
            (b"<html>Scheduled maintenance</html>", "no_json"),
            (b"\xff\xfe{", "no_json"),
            (b"[" * 100_000, "no_json"),
            (b"", "no_json"),
            (b'"' + b"a" * nppes_api.MOST_BYTES + b'"', "too_large"),
        ],
    )
    def test_what_is_no_record_of_that_person_is_no_answer(self, registry, body, cause):
        registry.script = [body]

        assert cause_of() == cause
        assert len(registry.asked) == 1

    @pytest.mark.parametrize("status", [301, 400, 403, 404])
    def test_a_refusal_is_not_asked_again(self, registry, status):
        registry.script = [{"status": status, "headers": {"Location": registry.url}}]

        assert cause_of() == f"status_{status}"
        assert len(registry.asked) == 1

    @pytest.mark.parametrize("status", [429, 500, 502, 503, 504])
    def test_a_busy_registry_is_asked_three_times(self, registry, status):
        registry.script = [{"status": status}]

        assert cause_of() == f"status_{status}"
        assert len(registry.asked) == 3

    def test_the_third_try_may_succeed(self, registry):
        registry.script = [{"status": 503}, {"body": b"{", "length": 500}, nppes(nppes_result(NPI))]

        assert nppes_api.read(NPI).npi == NPI

    def test_an_answer_that_breaks_off_is_asked_for_again(self, registry):
        registry.script = [{"body": nppes(nppes_result(NPI))[:-40], "length": 5000}]

        assert cause_of() == "RemoteProtocolError"
        assert len(registry.asked) == 3

    def test_a_compressed_answer_we_did_not_ask_for_is_none(self, registry):
        registry.script = [{"body": b"x", "headers": {"Content-Encoding": "gzip"}}]

        assert cause_of() == "compressed"

    def test_nobody_there(self, registry, settings):
        settings.NPPES_API_URL = "http://127.0.0.1:9/"

        assert cause_of() == "ConnectError"

    def test_a_registry_that_says_nothing_keeps_nobody_waiting(self, registry):
        registry.script = [{"body": nppes(nppes_result(NPI)), "wait": 5}]
        started = time.monotonic()

        assert cause_of(tries=1, seconds=0.3) == "timeout"
        assert time.monotonic() - started < 2

    def test_a_byte_now_and_then_keeps_nobody_waiting_either(self, registry):
        registry.script = [{"body": nppes(nppes_result(NPI)), "every": 0.05}]
        started = time.monotonic()

        assert cause_of(tries=1, seconds=0.3) == "timeout"
        assert time.monotonic() - started < 2


class TestPauses:
    @pytest.fixture
    def slept(self, registry, monkeypatch):
        pauses = []
        monkeypatch.setattr(asking, "PAUSES", (1.0, 4.0))
        original = asking.ask

        def ask(*args, **kwargs):
            return original(*args, **kwargs, sleep=pauses.append)

        monkeypatch.setattr(asking, "ask", ask)
        return pauses

    def test_they_grow(self, registry, slept):
        registry.script = [{"status": 500}]

        cause_of()

        assert slept == [1.0, 4.0]

    def test_the_registry_may_ask_for_another(self, registry, slept):
        registry.script = [
            {"status": 429, "headers": {"Retry-After": "7"}},
            {"status": 503, "headers": {"Retry-After": "soon"}},
            nppes(nppes_result(NPI)),
        ]

        assert nppes_api.read(NPI)
        assert slept == [7.0, 4.0]

    def test_also_as_a_moment(self, registry, slept):
        moment = format_datetime(datetime.now(UTC) + timedelta(seconds=30), usegmt=True)
        registry.script = [{"status": 429, "headers": {"Retry-After": moment}}, nppes(nppes_result(NPI))]

        assert nppes_api.read(NPI)
        assert 27 < slept[0] <= 30

    def test_one_that_wants_more_than_a_minute_is_asked_another_time(self, registry, slept):
        registry.script = [{"status": 429, "headers": {"Retry-After": "61"}}]

        assert cause_of() == "status_429"
        assert (slept, len(registry.asked)) == ([], 1)


def test_no_failure_says_who_was_asked_for(registry, caplog, capsys):
    caplog.set_level(logging.INFO)
    registry.script = [{"status": 500}, {"body": b"{", "length": 9}, nppes(nppes_result("1679576722"))]

    try:
        nppes_api.read(NPI)
    except Unavailable as refused:
        said = "".join(traceback.format_exception(refused))

    everything = said + caplog.text + "".join(capsys.readouterr())
    assert "register_failed" in everything
    assert NPI not in everything
    assert "1679576722" not in everything
    assert "Nothing was used up" in said
