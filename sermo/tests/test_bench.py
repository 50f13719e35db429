"""The bench measures what it says it does, and its page exists nowhere else."""

import asyncio
import os
import subprocess
import sys
import time
from concurrent.futures import ThreadPoolExecutor

import pytest
from django.urls import NoReverseMatch, reverse

from conftest import client_of
from sermo.bench.__main__ import HEADS, PAGES, compare, line, of_floor, row, summed, write
from sermo.bench.clients import NoPage, Order, length_of, measure, percentile
from sermo.bench.clocks import family, seconds_used


def test_the_site_itself_has_no_empty_page(physician_client):
    assert physician_client.get("/bench/floor/").status_code == 404
    with pytest.raises(NoReverseMatch):
        reverse("bench_floor")


def test_the_floor_is_the_frame_of_a_page_for_whoever_is_signed_in(settings, client, physician):
    settings.ROOT_URLCONF = "sermo.bench.urls"

    assert client.get("/bench/floor/").status_code == 302
    page = client_of(physician).get("/bench/floor/")
    assert page.status_code == 200
    assert physician.handle in page.content.decode()


@pytest.mark.parametrize(("share", "value"), [(50, 50), (99, 99), (100, 100), (1, 1)])
def test_a_percentile_is_one_of_the_values(share, value):
    assert percentile([float(number) for number in range(100, 0, -1)], share) == value


@pytest.mark.parametrize(
    ("head", "length"),
    [
        (b"HTTP/1.1 200 OK\r\nX-Y: z\r\ncontent-length: 12", 12),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked", None),
        (b"HTTP/1.1 302 Found\r\nContent-Length: 0", None),
    ],
)
def test_a_page_names_its_length(head, length):
    assert length_of(head) == length


def let_clients_ask(*addresses, seconds=0.2):
    """Of a server whose pages have 70,000 bytes and come in two parts."""

    async def answer(reader, writer):
        while request := await reader.readline():
            while (await reader.readline()).strip():
                pass
            status = "200 OK" if b"/good/" in request else "500 Oh"
            writer.write(f"HTTP/1.1 {status}\r\nContent-Length: 70000\r\n\r\n".encode())
            await writer.drain()
            await asyncio.sleep(0.001)
            writer.write(b"x" * 70_000)
        writer.close()

    async def both():
        server = await asyncio.start_server(answer, "127.0.0.1", 0)
        port = server.sockets[0].getsockname()[1]
        order = Order(port=port, seconds=seconds, cookies=["a=1", "a=2"], addresses=list(addresses))
        async with server:
            try:
                return await measure(order)
            finally:
                await asyncio.sleep(0.05)  # for the server to see its connections end

    with ThreadPoolExecutor(1) as own:  # a thread of its own: browser tests leave their loop in this one
        return own.submit(asyncio.run, both()).result()


def test_clients_count_answers_and_bytes():
    found = let_clients_ask("/good/")

    assert found.answers > 2
    assert found.bytes == 70_000
    assert len(found.took_ms) == found.answers
    assert min(found.took_ms) >= 1
    assert found.seconds >= 0.2


def test_clients_share_out_the_addresses_where_no_time_is_given():
    assert let_clients_ask("/good/1", "/good/2", "/good/3", seconds=0).answers == 3


def test_clients_give_up_where_an_answer_is_no_page():
    with pytest.raises(NoPage, match=r"/bad/: HTTP/1\.1 500 Oh"):
        let_clients_ask("/good/", "/bad/")


@pytest.mark.skipif(sys.platform != "linux", reason="reads /proc")
def test_processor_time_counts_children_living_and_ended():
    burn = "import time\nwhile time.process_time() < 0.2: pass"
    script = f"""
import subprocess, sys, time
subprocess.run([sys.executable, "-c", {burn!r}])
subprocess.Popen(["sleep", "30"])
print("ready", flush=True)
time.sleep(30)
"""
    with subprocess.Popen([sys.executable, "-c", script], stdout=subprocess.PIPE, text=True) as process:
        process.stdout.readline()
        time.sleep(0.05)
        used, members = seconds_used(process.pid), family(process.pid)
        for pid in members:
            os.kill(pid, 9)

    assert 0.2 <= used + 0.02 < 5  # two ticks of the clock may be lost, of each process one
    assert len(members) == 2


FIGURES = {
    "rps": 90.0,
    "p50_ms": 8.0,
    "p99_ms": 9.0,
    "web_cpu_ms": 3.0,
    "db_cpu_ms": 1.0,
    "first_cpu_ms": 12.0,
    "queries": 2,
    "bytes": 9000,
    "of_floor": 0.5,
}


def test_the_table_shows_each_page_beside_the_floor():
    found = {**FIGURES, "rps": 45.0}

    shown = line(row("list", found))

    assert len(row("list", found)) == len(HEADS)
    assert shown.split() == ["list", "45", "8.0", "9.0", "3.00", "1.00", "12.00", "2", "9,000", "50%"]


def test_scales_are_compared_by_time_and_processor_time(capsys):
    slower = {**FIGURES, "p50_ms": 10.0, "db_cpu_ms": 3.0}

    compare({"small": {"list": FIGURES}, "large": {"list": slower}})

    assert capsys.readouterr().out.split()[-5:] == ["list", "1.25", "1.50", "1.25", "1.50"]


def test_what_the_machine_lost_meanwhile_is_no_growth_of_a_page(capsys):
    slower = {**FIGURES, "p50_ms": 16.0, "web_cpu_ms": 6.0, "db_cpu_ms": 2.0}

    compare({"small": {"floor": FIGURES, "list": FIGURES}, "large": {"floor": slower, "list": slower}})

    assert capsys.readouterr().out.split()[-5:] == ["list", "2.00", "2.00", "1.00", "1.00"]


def turn(answers, seconds, *took_ms):
    return {
        "answers": answers,
        "seconds": seconds,
        "took_ms": list(took_ms),
        "bytes": 9000,
        "used": {"web": 1.0, "postgres": 0.5},
    }


def test_turns_are_summed():
    found = summed([turn(10, 1.0, 5.0, 6.0), turn(40, 1.0, 7.0, 50.0)])

    assert (found["rps"], found["p50_ms"], found["p99_ms"]) == (25.0, 6.0, 50.0)
    assert (found["web_cpu_ms"], found["db_cpu_ms"], found["bytes"]) == (40.0, 20.0, 9000)


def test_a_page_is_held_against_the_floor_of_its_own_round():
    rounds = [{"floor": turn(100 * fast, 1.0), "list": turn(20 * fast, 1.0)} for fast in (1, 2, 5)]

    assert of_floor(rounds, "list") == 0.2
    assert of_floor([{"list": turn(20, 1.0)}], "list") is None


def test_the_figures_of_the_bars_stand_in_var_only_when_all_were_measured(tmp_path):
    (tmp_path / "bench").mkdir()
    whole = dict.fromkeys(PAGES, FIGURES)

    write(tmp_path, "small", whole)
    write(tmp_path, "medium", {"list": FIGURES})
    assert not (tmp_path / "bench.json").exists()

    write(tmp_path, "medium", whole)
    assert (tmp_path / "bench.json").read_text() == (tmp_path / "bench" / "medium.json").read_text()
