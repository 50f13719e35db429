"""Fetching: whom it may ask, where it connects to, and that it ends."""

import gzip
import ipaddress
import itertools
import socket
import ssl
import threading
import time
import tracemalloc
import zlib
from datetime import UTC, datetime, timedelta

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from newsfeed.tests.feed_server import PUBLIC, publishing
from sermo import fetching
from sermo.fetching import FetchFailed, FetchRefused, fetch

PAGE = "http://journal.example.org/feed"
FORBIDDEN = [
    "0.0.0.0",
    "10.1.2.3",
    "100.64.0.1",
    "127.0.0.1",
    "127.8.8.8",
    "169.254.169.254",
    "168.63.129.16",
    "172.16.0.1",
    "172.31.255.255",
    "192.0.0.1",
    "192.0.0.9",
    "192.0.2.1",
    "192.88.99.1",
    "192.168.1.1",
    "198.18.0.1",
    "198.19.255.255",
    "198.51.100.7",
    "203.0.113.7",
    "224.0.0.1",
    "240.0.0.1",
    "255.255.255.255",
    "::",
    "::1",
    "::127.0.0.1",
    "::ffff:127.0.0.1",
    "::ffff:93.184.215.14",
    "64:ff9b::7f00:1",
    "64:ff9b::5db8:d70e",
    "64:ff9b:1::1",
    "100::1",
    "2001::1",
    "2001:0:5db8:d70e::1",
    "2001:10::1",
    "2001:db8::1",
    "2002:7f00:1::",
    "2002:5db8:d70e::1",
    "3fff::1",
    "5f00::1",
    "fc00::1",
    "fd12:3456::1",
    "fe80::1",
    "fe80::1%eth0",
    "fec0::1",
    "ff02::1",
    "not an address",
]


@pytest.fixture(scope="module")
def servers():
    with publishing() as server:
        yield server


@pytest.fixture
def web(servers):
    servers.forget()
    return servers


@pytest.fixture
def connects(monkeypatch):
    """Every place a socket of this process was connected to, below all of ours."""
    places, connect = [], socket.socket.connect

    def recording(self, address):
        places.append(address)
        return connect(self, address)

    monkeypatch.setattr(socket.socket, "connect", recording)
    return places


# Whom it asks


@pytest.mark.parametrize("address", FORBIDDEN)
def test_no_address_off_the_public_internet_is_asked(web, address):
    web.names["journal.example.org"] = [address]

    with pytest.raises(FetchRefused):
        fetch(PAGE)
    assert not web.connected


@pytest.mark.parametrize(
    "address", [PUBLIC, "1.1.1.1", "192.0.1.1", "2606:4700:4700::1111", "2001:4860:4860::8888"]
)
def test_public_addresses_are_asked(address):
    assert fetching.is_public(address)


def test_all_that_python_calls_private_is_refused():
    private = [*ipaddress._IPv4Constants._private_networks, *ipaddress._IPv6Constants._private_networks]

    assert not [network for network in private if fetching.is_public(str(network[0]))]
    assert not [network for network in private if fetching.is_public(str(network[-1]))]


@pytest.mark.parametrize("others", [[PUBLIC, "127.0.0.1"], ["10.0.0.1", PUBLIC], [PUBLIC, "::1"]])
def test_a_host_with_one_address_that_is_not_public_is_not_asked_at_all(web, others):
    web.names["journal.example.org"] = others

    with pytest.raises(FetchRefused, match="not public"):
        fetch(PAGE)
    assert not web.connected


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1",
        "127.1",
        "0x7f.1",
        "0177.0.0.1",
        "0x7f.0x0.0x0.0x1",
        "127.0.1",
        "10.1",
        "169.254.43518",
        "0.0",
    ],
)
def test_odd_spellings_of_an_address_are_what_they_resolve_to(web, connects, host, monkeypatch):
    monkeypatch.setattr(
        fetching,
        "resolve",
        lambda host, port: [
            entry[4][0] for entry in socket.getaddrinfo(host, port, flags=socket.AI_NUMERICHOST)
        ],
    )

    with pytest.raises(FetchRefused):
        fetch(f"http://{host}/")
    assert not connects


@pytest.mark.parametrize(
    "address",
    [
        "ftp://journal.example.org/",
        "file:///etc/passwd",
        "gopher://journal.example.org/",
        "javascript:alert(1)",
        "//journal.example.org/feed",
        "journal.example.org/feed",
        "",
        "http://",
        "http:///feed",
        "http://journal.example.org:22/",
        "http://journal.example.org:8080/",
        "http://journal.example.org:6379/",
        "http://someone@journal.example.org/",
        "http://someone:word@journal.example.org/",
        "http://@127.0.0.1/",
        "http://localhost/",
        "http://intranet/",
        "http://2130706433/",
        "http://0x7f000001/",
        "http://[::1]/",
        "http://[::ffff:127.0.0.1]/",
        "http://[2606:4700:4700::1111]/",
        "http://jøurnal.example.org/",
        "http://127。0。0。1/",
        "http://①②⑦.⓪.⓪.①/",
        "http://journal.example.org./",
        "http://.example.org/",
        "http://journal..org/",
        "http://journal.example.org%00.evil.test/",
        "http://journal.example.org\\@127.0.0.1/",
        "http://journal.example.org\r\nX-Evil: 1/",
        "http://journal.example.org:99999/",
        "http://journal.example.org/" + 3000 * "a",
    ],
)
def test_addresses_written_the_wrong_way_are_refused_before_anybody_is_asked(web, connects, address):
    with pytest.raises(FetchRefused):
        fetch(address)
    assert not web.resolved
    assert not connects


def test_both_ports_of_the_web_may_be_named(web):
    web.serve("journal.example.org/feed", b"here")
    web.serve("journal.example.org:443/feed", b"there")

    assert fetch("http://journal.example.org:80/feed").body == b"here"
    assert fetch("http://journal.example.org:443/feed").body == b"there"


@pytest.mark.parametrize(
    "location",
    [
        "http://127.0.0.1/",
        "http://169.254.169.254/latest/meta-data/",
        "http://inside.example.org/",
        "//inside.example.org/",
        "http://localhost/",
        "http://[::1]/",
        "http://[",
        "//[/",
        "http://journal.example.org:6379/",
        "http://user@journal.example.org/",
        "file:///etc/passwd",
        "gopher://journal.example.org/",
    ],
)
def test_a_redirect_to_where_we_may_not_go_is_refused(web, connects, location):
    web.names |= {
        "inside.example.org": ["10.0.0.5"],
        "127.0.0.1": ["127.0.0.1"],
        "169.254.169.254": ["169.254.169.254"],
    }
    web.redirect("journal.example.org/feed", location)

    with pytest.raises(FetchRefused):
        fetch(PAGE)
    assert web.connected == [PUBLIC]
    assert connects == [("127.0.0.1", web.port)]


def test_what_is_connected_to_is_what_was_judged_and_nothing_is_looked_up_twice(web):
    """A name that leads to this machine from the second look-up on."""
    web.names["journal.example.org"] = [[PUBLIC], ["127.0.0.1"]]
    web.serve("journal.example.org/feed", b"news")

    assert fetch(PAGE).body == b"news"
    assert web.resolved == ["journal.example.org"]
    assert web.connected == [PUBLIC]


def test_each_redirect_is_looked_up_and_judged_anew(web):
    web.names["journal.example.org"] = [[PUBLIC], ["127.0.0.1"]]
    web.redirect("journal.example.org/feed", "/other")

    with pytest.raises(FetchRefused):
        fetch(PAGE)
    assert web.resolved == 2 * ["journal.example.org"]
    assert web.connected == [PUBLIC]


def test_sockets_go_to_judged_addresses_alone(web, monkeypatch):
    """With the way to connect left as it is, and sockets that note where they would go."""
    places = []

    def nowhere(self, address):
        places.append(address)
        raise ConnectionRefusedError

    monkeypatch.setattr(fetching, "open_socket", OPEN_SOCKET)
    monkeypatch.setattr(socket.socket, "connect", nowhere)
    web.names |= {"journal.example.org": [PUBLIC, "1.1.1.1"], "inside.example.org": ["10.0.0.5", PUBLIC]}

    for url in ("https://journal.example.org/", "http://inside.example.org/", "http://127.1/"):
        web.names["127.1"] = ["127.0.0.1"]
        with pytest.raises(FetchFailed):
            fetch(url)

    assert places == [(PUBLIC, 443), ("1.1.1.1", 443)]


OPEN_SOCKET = fetching.open_socket


def test_the_second_address_is_tried_where_the_first_is_dead(web, monkeypatch):
    web.names["journal.example.org"] = ["1.1.1.1", PUBLIC]
    web.serve("journal.example.org/feed", b"news")

    def half_dead(address, port, timeout):
        if address == "1.1.1.1":
            raise TimeoutError
        return web.open_socket(address, port, timeout)

    monkeypatch.setattr(fetching, "open_socket", half_dead)

    assert fetch(PAGE).body == b"news"


def test_no_proxy_is_taken_from_the_environment(web, monkeypatch):
    web.serve("journal.example.org/feed", b"news")
    for name in ("HTTP_PROXY", "http_proxy", "ALL_PROXY", "all_proxy"):
        monkeypatch.setenv(name, "http://10.0.0.1:3128")

    assert fetch(PAGE).body == b"news"
    assert web.resolved == ["journal.example.org"]


def test_a_host_without_an_address_fails(web):
    web.names["journal.example.org"] = []

    with pytest.raises(FetchFailed, match="no address"):
        fetch(PAGE)


# What it says and hears


def test_it_says_who_it_is_and_keeps_no_cookies(web, settings):
    settings.SITE_URL, settings.NEWS_CONTACT = "https://sermo.example", "news@sermo.example\r\n"
    web.serve(
        "journal.example.org/feed", status=302, headers={"Location": "/next", "Set-Cookie": "a=b; Path=/"}
    )
    web.serve("journal.example.org/next", b"news", headers={"ETag": '"7"'})

    got = fetch(PAGE, headers={"If-None-Match": '"6"'})

    sent = web.asked[1][2]
    assert sent["User-Agent"] == "Sermo/1.0 (+https://sermo.example/about/rules/; news@sermo.example)"
    assert (sent["Host"], sent["Accept-Encoding"]) == ("journal.example.org", "gzip, deflate")
    assert sent["If-None-Match"] == '"6"'
    assert "Cookie" not in sent
    assert (got.url, got.status, got.headers["etag"]) == ("http://journal.example.org/next", 200, '"7"')


def test_without_a_contact_it_names_the_site_alone(settings):
    settings.SITE_URL, settings.NEWS_CONTACT = "https://sermo.example", ""

    assert fetching.user_agent() == "Sermo/1.0 (+https://sermo.example/about/rules/)"


def test_other_answers_come_without_a_body(web):
    web.serve("journal.example.org/feed", b"a long apology", status=503, headers={"Retry-After": "60"})

    got = fetch(PAGE)

    assert (got.status, got.body, got.headers["Retry-After"]) == (503, b"", "60")


@pytest.mark.parametrize(
    ("statuses", "permanent"),
    [
        ([301], "/1"),
        ([308, 301], "/2"),
        ([301, 302], "/1"),
        ([302, 301], None),
        ([307], None),
        ([303], None),
        ([], None),
    ],
)
def test_it_says_how_far_permanent_redirects_led(web, statuses, permanent):
    for number, status in enumerate(statuses):
        web.redirect(f"journal.example.org/{number}", f"/{number + 1}#part", status)
    web.serve(f"journal.example.org/{len(statuses)}", b"news")

    got = fetch("http://journal.example.org/0")

    assert got.body == b"news"
    assert got.permanent_url == (permanent and f"http://journal.example.org{permanent}")


def test_three_redirects_are_followed_and_no_more(web):
    for number in range(4):
        web.redirect(f"journal.example.org/{number}", f"/{number + 1}")
    web.serve("journal.example.org/4", b"news")

    assert fetch("http://journal.example.org/1").body == b"news"
    with pytest.raises(FetchFailed, match="more than 3 times"):
        fetch("http://journal.example.org/0")


def test_a_circle_ends(web):
    web.redirect("journal.example.org/feed", PAGE)

    with pytest.raises(FetchFailed, match="more than 3 times"):
        fetch(PAGE)
    assert len(web.asked) == 4


def test_each_host_is_announced_before_it_is_asked(web):
    web.redirect("journal.example.org/feed", "http://OTHER.example.org/feed")
    web.serve("other.example.org/feed", b"news")
    told = []

    fetch(PAGE, before_hop=lambda host: told.append((host, len(web.connected))))

    assert told == [("journal.example.org", 0), ("other.example.org", 1)]


# How much it takes


@pytest.fixture
def small(monkeypatch):
    monkeypatch.setattr(fetching, "MOST_BYTES", 100_000)


def test_a_body_without_end_is_left(web, small):
    web.routes["journal.example.org/feed"] = lambda handler: handler.raw(
        b"HTTP/1.1 200 OK\r\n\r\n", *itertools.repeat(10_000 * b"a", 1000)
    )

    with pytest.raises(FetchFailed, match="larger than"):
        fetch(PAGE)


def test_a_body_that_says_it_is_too_large_is_not_read(web, small):
    web.serve("journal.example.org/feed", headers={"Content-Length": "100001"})

    with pytest.raises(FetchFailed, match="larger than"):
        fetch(PAGE)


@pytest.mark.parametrize("encoding", ["gzip", "deflate"])
def test_a_bomb_is_not_expanded_past_the_limit(web, small, encoding):
    pack = gzip.compress if encoding == "gzip" else zlib.compress
    web.serve("journal.example.org/feed", pack(bytes(30_000_000)), headers={"Content-Encoding": encoding})
    fetching.tls_context()  # which is large, and kept
    tracemalloc.start()
    try:
        with pytest.raises(FetchFailed, match="larger than"):
            fetch(PAGE)
        assert tracemalloc.get_traced_memory()[1] < 2_000_000
    finally:
        tracemalloc.stop()


def raw_deflate(data):
    packer = zlib.compressobj(wbits=-zlib.MAX_WBITS)
    return packer.compress(data) + packer.flush()


NEWS = b"".join(b"news item %d, " % number for number in range(20_000))


@pytest.mark.parametrize(
    ("encoding", "body"),
    [
        ("gzip", gzip.compress(NEWS)),
        ("x-gzip", gzip.compress(NEWS)),
        ("GZIP", gzip.compress(NEWS[:99]) + gzip.compress(NEWS[99:])),
        ("gzip", gzip.compress(NEWS) + b"\0\0\0 and what follows"),
        ("deflate", zlib.compress(NEWS)),
        ("deflate", raw_deflate(NEWS)),
        ("identity", NEWS),
        ("", NEWS),
    ],
)
def test_what_comes_compressed_is_inflated(web, encoding, body):
    web.serve("journal.example.org/feed", body, headers={"Content-Encoding": encoding})

    got = fetch(PAGE)

    assert got.body == NEWS
    assert "content-encoding" not in got.headers


@pytest.mark.parametrize("pack", [gzip.compress, zlib.compress, raw_deflate])
def test_parts_of_a_byte_each_are_inflated_too(pack):
    inflate = fetching._inflater("gzip" if pack is gzip.compress else "deflate")
    members = pack(NEWS) + (pack(b"more") if pack is gzip.compress else b"")

    got = b"".join(part for byte in members for part in inflate.feed(bytes([byte])))

    assert got.removesuffix(b"more") == NEWS
    assert got.endswith(b"more") == (pack is gzip.compress)
    assert inflate.is_done


def test_a_run_that_outlasts_its_bytes_comes_out_whole():
    inflate = fetching._inflater("deflate")

    assert b"".join(inflate.feed(raw_deflate(bytes(fetching.STEP + 7)))) == bytes(fetching.STEP + 7)
    assert inflate.is_done


@pytest.mark.parametrize(
    ("encoding", "body", "says"),
    [
        ("gzip", gzip.compress(NEWS)[:-9], "cut off"),
        ("gzip", b"\x1f", "cut off"),
        ("gzip", b"plain text", "could not be decompressed"),
        ("deflate", zlib.compress(NEWS)[:100] + b"rot" * 100, "could not be decompressed"),
        ("br", b"whatever", "did not ask for"),
        ("gzip, gzip", gzip.compress(gzip.compress(NEWS)), "did not ask for"),
    ],
)
def test_what_cannot_be_inflated_fails(web, encoding, body, says):
    web.serve("journal.example.org/feed", body, headers={"Content-Encoding": encoding})

    with pytest.raises(FetchFailed, match=says):
        fetch(PAGE)


def test_headers_without_end_are_left(web):
    lines = (b"X-%d: %s\r\n" % (number, 1000 * b"a") for number in range(2000))
    web.routes["journal.example.org/feed"] = lambda handler: handler.raw(b"HTTP/1.1 200 OK\r\n", *lines)

    with pytest.raises(FetchFailed, match="not proper HTTP"):
        fetch(PAGE)


@pytest.mark.parametrize(
    ("answer", "says"),
    [
        (b"", "not proper HTTP"),
        (b"SSH-2.0-OpenSSH_9.9\r\n\r\n", "not proper HTTP"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\nfew", "not proper HTTP"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", "not proper HTTP"),
    ],
)
def test_what_is_not_http_fails(web, answer, says):
    web.routes["journal.example.org/feed"] = lambda handler: handler.raw(answer)

    with pytest.raises(FetchFailed, match=says):
        fetch(PAGE)


# How long it takes

START = b"HTTP/1.1 200 OK\r\n"
DRIPS = {
    "body": [START + b"\r\n", *itertools.repeat(b"a", 2000)],
    "chunked": [START + b"Transfer-Encoding: chunked\r\n\r\n", *itertools.repeat(b"1\r\na\r\n", 2000)],
    "headers": [START, *itertools.repeat(b"X: y\r\n", 2000)],
    "one header": [START + b"X: ", *itertools.repeat(b"y", 2000)],
    "status": [b"H", *itertools.repeat(b"T", 2000)],
    "informing": itertools.cycle([b"HTTP/1.1 103 Early Hints\r\n\r\n"]),
    "compressed": [START + b"Content-Encoding: gzip\r\n\r\n", *itertools.repeat(gzip.compress(b""), 2000)],
}


def takes_too_long(most):
    began = time.monotonic()
    with pytest.raises(FetchFailed, match=r"longer than|not found in time"):
        fetch(PAGE)
    return most - 0.01 < time.monotonic() - began < most + 1


@pytest.mark.parametrize("drip", DRIPS.values(), ids=DRIPS)
def test_slow_drips_end_when_the_time_is_over(web, drip, monkeypatch):
    monkeypatch.setattr(fetching, "SECONDS", 0.1)
    web.routes["journal.example.org/feed"] = lambda handler: (
        handler.raw(*drip, every=0.01)
        if isinstance(drip, list)
        else [handler.raw(part, every=0.01) for part in drip]
    )

    assert takes_too_long(0.1)


def test_silence_and_slow_redirects_end_when_the_time_is_over(web, monkeypatch):
    monkeypatch.setattr(fetching, "SECONDS", 0.2)

    def slowly(handler):
        web.ends.wait(0.08)
        handler.answer(302, headers={"Location": "/feed?again"})

    web.routes["journal.example.org/feed"] = slowly
    assert takes_too_long(0.2)

    web.routes["journal.example.org/feed"] = lambda handler: web.ends.wait(1)
    assert takes_too_long(0.2)


def test_a_look_up_without_an_answer_ends(web, monkeypatch):
    monkeypatch.setattr(fetching, "CONNECT_SECONDS", 0.1)
    over = threading.Event()
    monkeypatch.setattr(fetching, "resolve", lambda host, port: over.wait(5) and [])

    assert takes_too_long(0.1)
    over.set()


def test_a_handshake_that_does_not_come_ends(web, monkeypatch):
    monkeypatch.setattr(fetching, "SECONDS", 0.1)
    with socket.create_server(("127.0.0.1", 0)) as silent:
        monkeypatch.setattr(
            fetching, "open_socket", lambda *_: socket.create_connection(silent.getsockname(), 1)
        )
        with pytest.raises(FetchFailed, match="longer than"):
            fetch("https://journal.example.org/")


@pytest.mark.scale
def test_a_drip_ends_after_fifteen_seconds(web):
    for drip in ("body", "headers"):
        web.routes["journal.example.org/feed"] = lambda handler, drip=drip: handler.raw(
            *DRIPS[drip], every=0.2
        )

        began = time.monotonic()
        with pytest.raises(FetchFailed, match="longer than 15 seconds"):
            fetch(PAGE)
        took = time.monotonic() - began
        print(f"\na drip of its {drip} ended after {took:.2f} s")
        assert took < 15.5


# Secure connections


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    """A certificate of journal.example.org and its key, in one file."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, "journal.example.org")])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("journal.example.org")]), critical=False)
        .sign(key, hashes.SHA256())
    )
    path = tmp_path_factory.mktemp("tls") / "both.pem"
    pem = serialization.Encoding.PEM
    plain = serialization.NoEncryption()
    path.write_bytes(
        made.public_bytes(pem) + key.private_bytes(pem, serialization.PrivateFormat.PKCS8, plain)
    )
    return path


@pytest.fixture
def secure(web, certificate, monkeypatch):
    """The server speaks TLS, and notes the names it is asked by."""
    context, names = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER), []
    context.load_cert_chain(certificate)
    context.sni_callback = lambda connection, name, this: names.append(name)
    plain = web.socket
    web.socket = context.wrap_socket(plain, server_side=True, do_handshake_on_connect=True)
    yield names
    web.socket = plain.__class__(fileno=web.socket.detach())


def test_the_name_stays_in_the_handshake_and_the_certificate_is_checked_against_it(
    web, secure, certificate, monkeypatch
):
    trusting = ssl.create_default_context(cafile=certificate)
    monkeypatch.setattr(fetching, "tls_context", lambda: trusting)
    web.serve("journal.example.org/feed", b"news")

    got = fetch("https://journal.example.org/feed")

    assert got.body == b"news"
    assert secure == ["journal.example.org"]
    with pytest.raises(FetchFailed, match="certificate is not valid"):
        fetch("https://other.example.org/feed")


def test_a_certificate_nobody_vouches_for_is_not_taken(web, secure):
    with pytest.raises(FetchFailed, match="certificate is not valid"):
        fetch("https://journal.example.org/feed")
    assert not web.asked


def test_no_secure_connection_is_made_with_what_speaks_plainly(web):
    with pytest.raises(FetchFailed, match="No secure connection"):
        fetch("https://journal.example.org/feed")
