import socket

import pytest

from sermo.runtime.options import Options, check_port, hold_ipv6_loopback
from sermo.runtime.trouble import Trouble


def test_with_nothing_set_the_site_stays_on_this_machine():
    options = Options.read({})

    assert (options.bind, options.port, options.site_url) == ("127.0.0.1", 8000, "http://localhost:8000")
    assert options.own_database
    assert options.own_redis


def test_named_servers_are_used_instead_of_own_ones():
    options = Options.read({"DATABASE_URL": "postgres://db/sermo", "REDIS_URL": "redis://cache"})

    assert not options.own_database
    assert not options.own_redis


@pytest.mark.parametrize("port", ["0", "65536", "eighty", "-1", "80.5"])
def test_a_port_that_is_none_is_one_clear_line(port):
    with pytest.raises(Trouble, match=f"PORT={port} is not a port"):
        Options.read({"PORT": port})


@pytest.mark.parametrize(
    "env",
    [
        {"SITE_URL": "https://sermo.example"},
        {"BIND": "0.0.0.0"},
        {"BIND": "192.168.1.4"},
        {"BIND": "::"},
    ],
)
def test_the_demo_is_refused_where_others_could_reach_it(env):
    with pytest.raises(Trouble, match="DEMO=1 has open log-ins"):
        Options.read({"DEMO": "1", **env})


@pytest.mark.parametrize("bind", ["127.0.0.1", "127.0.0.2", "localhost", "::1", "[::1]"])
def test_the_demo_may_run_on_any_address_of_the_loopback(bind):
    assert Options.read({"DEMO": "1", "BIND": bind}).demo


def test_a_bind_that_is_a_name_is_one_clear_line():
    with pytest.raises(Trouble, match="BIND=example is not an address"):
        Options.read({"BIND": "example"})


def test_a_taken_port_is_one_clear_line_that_names_another(free_port):
    told = rf"Port {free_port} is taken .* make run PORT={int(free_port) + 1}"
    with socket.create_server(("127.0.0.1", int(free_port))), pytest.raises(Trouble, match=told):
        check_port(Options.read({"PORT": free_port}))


def test_a_port_just_left_is_free(free_port):
    with socket.create_server(("127.0.0.1", int(free_port))) as server:
        client = socket.create_connection(server.getsockname())
        server.accept()[0].close()
        client.close()

    check_port(Options.read({"PORT": free_port}))


def test_localhost_over_ipv6_is_refused_so_that_browsers_go_on_to_ipv4(free_port):
    held = hold_ipv6_loopback(Options.read({"PORT": free_port}))
    if held is None:
        pytest.skip("no IPv6 on this machine")

    with held:
        with pytest.raises(ConnectionRefusedError):
            socket.create_connection(("::1", int(free_port)), timeout=2)
        with pytest.raises(OSError, match="in use"):
            socket.create_server(("::1", int(free_port)), family=socket.AF_INET6)


def test_a_stranger_on_the_ipv6_side_of_localhost_counts_as_a_taken_port(free_port):
    try:
        stranger = socket.create_server(("::1", int(free_port)), family=socket.AF_INET6)
    except OSError:
        pytest.skip("no IPv6 on this machine")

    with stranger, pytest.raises(Trouble, match="is taken on ::1"):
        hold_ipv6_loopback(Options.read({"PORT": free_port}))
