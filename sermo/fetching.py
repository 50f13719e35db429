"""Fetching what others publish, from addresses that strangers can choose: public hosts alone, in bounded time and size.

The address of a host is what is judged, never how it was written, and the judged address is the one connected to.
"""

import functools
import ipaddress
import re
import socket
import ssl
import threading
import time
import zlib
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from urllib.parse import urljoin, urlsplit

import httpcore
import httpx
from django.conf import settings

from sermo.errors import RuleBroken

SECONDS = 15.0  # for all of it: names, redirects, headers and body
CONNECT_SECONDS = 5.0
MOST_BYTES = 5 * 1024 * 1024  # of a body, as it came and inflated
MOST_REDIRECTS = 3
MOST_TRIED = 4  # addresses of one host, all of which were judged
LONGEST_ADDRESS = 2000
PORTS = {80, 443}
STEP = 64 * 1024
PERMANENT = {301, 308}
REDIRECTS = {301, 302, 303, 307, 308}
HOST = re.compile(r"(?=.{1,253}\Z)[a-z0-9_-]{1,63}(\.[a-z0-9_-]{1,63})+")

# Whatever is not on the public internet or leads from it to somewhere else. `is_global` lets several of these through.
FORBIDDEN = [
    ipaddress.ip_network(network)
    for network in (
        "0.0.0.0/8",  # this network
        "10.0.0.0/8",
        "100.64.0.0/10",  # carriers' shared addresses
        "127.0.0.0/8",
        "168.63.129.16/32",  # the host's own services in a cloud
        "169.254.0.0/16",  # link-local, and the metadata of clouds
        "172.16.0.0/12",
        "192.0.0.0/24",  # protocol assignments
        "192.0.2.0/24",  # documentation
        "192.31.196.0/24",  # AS112
        "192.52.193.0/24",  # AMT
        "192.88.99.0/24",  # relays of 6to4
        "192.168.0.0/16",
        "192.175.48.0/24",  # AS112
        "198.18.0.0/15",  # benchmarks
        "198.51.100.0/24",  # documentation
        "203.0.113.0/24",  # documentation
        "224.0.0.0/4",  # multicast
        "240.0.0.0/4",  # reserved, broadcast
        "::/3",  # unspecified, loopback, IPv4 mapped and compatible, NAT64, discard
        "2001::/23",  # protocol assignments: Teredo, ORCHID, benchmarks
        "2001:db8::/32",  # documentation
        "2002::/16",  # 6to4
        "2620:4f:8000::/48",  # AS112
        "3ffe::/16",  # the first test network
        "3fff::/20",  # documentation
        "4000::/2",  # never given out
        "8000::/1",  # never given out; unique local, link-local, site-local, multicast
    )
]


class FetchFailed(RuleBroken):
    message = "It could not be fetched."


class FetchRefused(FetchFailed):
    """Nothing was asked of that host: the address is not one we fetch from."""

    message = "Its address is not one we fetch from."


@dataclass(frozen=True)
class Fetched:
    """The last answer. Its body is inflated, and empty unless the status is 200.

    `permanent_url` is how far permanent redirects led from the address asked for; None where the first was not one.
    """

    url: str
    status: int
    headers: httpx.Headers
    body: bytes
    permanent_url: str | None = None


def fetch(
    url: str, *, headers: Mapping[str, str] | None = None, before_hop: Callable[[str], None] | None = None
) -> Fetched:
    """GET an address, following at most three redirects, each judged anew.

    `before_hop` is told the host of each before it is asked, and may raise.
    """
    clock, here, permanent = _Clock(SECONDS), _read_address(url), None
    is_permanent = True
    for _ in range(MOST_REDIRECTS + 1):
        if before_hop:
            before_hop(here.raw_host.decode("ascii"))
        status, answer_headers, body = _ask(here, headers or {}, clock)
        location = answer_headers.get("location", "") if status in REDIRECTS else ""
        if not location:
            return Fetched(str(here), status, answer_headers, body, permanent)
        here = _read_address(_joined(str(here), location))
        is_permanent = is_permanent and status in PERMANENT
        permanent = str(here) if is_permanent else permanent
    raise FetchFailed(f"It sent us on more than {MOST_REDIRECTS} times.")


def host_of(url: str) -> str:
    """Raises FetchRefused where that is an address we would not fetch from."""
    return _read_address(url).raw_host.decode("ascii")


def user_agent() -> str:
    """Who we say we are, which is who we are."""
    contact = f"; {settings.NEWS_CONTACT}" if settings.NEWS_CONTACT else ""
    name = f"Sermo/1.0 (+{settings.SITE_URL}/about/rules/{contact})"
    return re.sub(r"[^ -~]", "", name)


def resolve(host: str, port: int) -> list[str]:
    """All addresses of a host. Tests put their own in this place; nothing else can."""
    return [entry[4][0] for entry in socket.getaddrinfo(host, port, type=socket.SOCK_STREAM)]


def open_socket(address: str, port: int, timeout: float) -> socket.socket:
    """Connect to a judged address. Tests lead it to a server of theirs."""
    return socket.create_connection((address, port), timeout)


@functools.cache
def tls_context() -> ssl.SSLContext:
    return httpx.create_ssl_context(trust_env=False)


def is_public(address: str) -> bool:
    try:
        number = ipaddress.ip_address(address)
    except ValueError:
        return False
    return not any(number in network for network in FORBIDDEN if network.version == number.version)


# An address, and the addresses of its host


def _read_address(address: str) -> httpx.URL:
    """Its fragment is dropped. Raises FetchRefused unless it names a host on the web the plain way."""
    try:
        url = httpx.URL(address).copy_with(fragment=None)
        is_plain = urlsplit(address).netloc.isascii()
    except (httpx.InvalidURL, ValueError, UnicodeError) as error:
        raise FetchRefused from error
    if len(address) > LONGEST_ADDRESS or not is_plain or url.scheme not in ("http", "https"):
        raise FetchRefused
    if "@" in urlsplit(address).netloc or not HOST.fullmatch(url.raw_host.decode("ascii")):
        raise FetchRefused
    if _port(url) not in PORTS:
        raise FetchRefused("Its address names a port we do not fetch from.")
    return url


def _joined(address: str, location: str) -> str:
    try:
        return urljoin(address, location)
    except ValueError as error:
        raise FetchRefused from error


def _port(url: httpx.URL) -> int:
    return url.port or {"http": 80, "https": 443}[url.scheme]


def _judged(url: httpx.URL, clock: "_Clock") -> list[str]:
    """The addresses of a host, looked up once, of which every one is public."""
    found = list(dict.fromkeys(_look_up(url.raw_host.decode("ascii"), _port(url), clock)))
    if not found:
        raise FetchFailed("Its host has no address.")
    if not all(map(is_public, found)):
        raise FetchRefused("Its host has an address that is not public.")
    return found[:MOST_TRIED]


def _look_up(host: str, port: int, clock: "_Clock") -> list[str]:
    """In a thread, since a look-up cannot be told to hurry."""
    found: list[list[str]] = []

    def look():
        try:
            found.append(resolve(host, port))
        except (OSError, UnicodeError):
            found.append([])

    thread = threading.Thread(target=look, daemon=True)
    thread.start()
    thread.join(min(CONNECT_SECONDS, clock.left()))
    if not found:
        raise FetchFailed("Its host was not found in time.")
    return found[0]


# Asking


def _ask(url: httpx.URL, headers: Mapping[str, str], clock: "_Clock") -> tuple[int, httpx.Headers, bytes]:
    """One request over a connection of its own, without cookies or a proxy."""
    backend = _Judged(_judged(url, clock), clock)
    sent = {
        "Host": url.netloc.decode("ascii"),
        "User-Agent": user_agent(),
        "Accept": "*/*",
        **headers,
        "Accept-Encoding": "gzip, deflate",
        "Connection": "close",
    }
    target = httpcore.URL(scheme=url.raw_scheme, host=url.raw_host, port=url.port, target=url.raw_path)
    try:
        with (
            httpcore.ConnectionPool(ssl_context=tls_context(), network_backend=backend) as pool,
            pool.stream("GET", target, headers=list(sent.items())) as answer,
        ):
            found = httpx.Headers(answer.headers)
            body = _read_body(answer, found, clock) if answer.status == 200 else b""
    except FetchFailed:
        raise
    except ssl.SSLCertVerificationError as error:
        raise FetchFailed("Its certificate is not valid.") from error
    except ssl.SSLError as error:
        raise FetchFailed("No secure connection to it could be made.") from error
    except (httpcore.ProtocolError, httpcore.UnsupportedProtocol) as error:
        raise FetchFailed("Its answer was not proper HTTP.") from error
    except (OSError, httpcore.NetworkError, httpcore.TimeoutException) as error:
        clock.left()
        raise FetchFailed("The connection broke.") from error
    for name in ("content-encoding", "content-length", "transfer-encoding"):
        found.pop(name, None)
    return answer.status, found, body


def _read_body(answer: httpcore.Response, headers: httpx.Headers, clock: "_Clock") -> bytes:
    """Inflated step by step, so that what is too large is never held."""
    if headers.get("content-length", "").isdigit() and int(headers["content-length"]) > MOST_BYTES:
        raise _too_large()
    inflate = _inflater(headers.get("content-encoding", "").strip().lower())
    body, received = bytearray(), 0
    for chunk in answer.iter_stream():
        received += len(chunk)
        if received > MOST_BYTES:
            raise _too_large()
        for part in inflate.feed(chunk):
            clock.left()
            body += part
            if len(body) > MOST_BYTES:
                raise _too_large()
    if not inflate.is_done:
        raise FetchFailed("Its answer was cut off.")
    return bytes(body)


def _too_large() -> FetchFailed:
    return FetchFailed(f"It is larger than {MOST_BYTES / 1024 / 1024:g} MB.")


class _Clock:
    """The time that is left for a fetch."""

    def __init__(self, seconds: float):
        self.seconds, self.until = seconds, time.monotonic() + seconds

    def left(self) -> float:
        """Raises once there is none."""
        left = self.until - time.monotonic()
        if left <= 0:
            raise FetchFailed(f"It took longer than {self.seconds:g} seconds.")
        return left


class _Judged(httpcore.NetworkBackend):
    """Connects to the addresses it was made with, whatever host it is asked for."""

    def __init__(self, addresses: list[str], clock: _Clock):
        self.addresses, self.clock = addresses, clock

    def connect_tcp(self, host, port, timeout=None, local_address=None, socket_options=None):
        until = time.monotonic() + min(CONNECT_SECONDS, self.clock.left())
        for number, address in enumerate(self.addresses):
            share = (until - time.monotonic()) / (len(self.addresses) - number)
            try:
                return _Stream(open_socket(address, port, max(share, 0.01)), self.clock)
            except OSError as error:
                trouble = error
        raise FetchFailed("It could not be connected to.") from trouble


class _Stream(httpcore.NetworkStream):
    """A socket on which nothing takes longer than the time that is left."""

    def __init__(self, connected: socket.socket, clock: _Clock):
        self.socket, self.clock = connected, clock

    def read(self, max_bytes, timeout=None):
        self.socket.settimeout(self.clock.left())
        return self.socket.recv(max_bytes)

    def write(self, buffer, timeout=None):
        self.socket.settimeout(self.clock.left())
        try:
            self.socket.sendall(buffer)
        except OSError as error:  # it may have answered already
            raise httpcore.WriteError from error

    def start_tls(self, ssl_context, server_hostname=None, timeout=None):
        try:
            self.socket.settimeout(self.clock.left())
            return _Stream(ssl_context.wrap_socket(self.socket, server_hostname=server_hostname), self.clock)
        except BaseException:
            self.close()
            raise

    def close(self):
        self.socket.close()

    def get_extra_info(self, info):
        return self.socket if info == "ssl_object" and isinstance(self.socket, ssl.SSLSocket) else None


# Inflating


def _inflater(encoding: str) -> "_Plain | _Inflater":
    if encoding in ("", "identity"):
        return _Plain()
    if encoding in ("gzip", "x-gzip"):
        return _Inflater(zlib.MAX_WBITS | 16)
    if encoding == "deflate":
        return _Inflater()
    raise FetchFailed("Its answer is compressed in a way we did not ask for.")


class _Plain:
    is_done = True

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        yield chunk


class _Inflater:
    """gzip of one or more members, or deflate, which some send without its two bytes of header."""

    def __init__(self, window_bits: int | None = None):
        self.window_bits, self.is_gzip = window_bits, window_bits is not None
        self.waiting, self.inflate = b"", None

    @property
    def is_done(self) -> bool:
        return self.inflate.eof if self.inflate else not self.waiting

    def feed(self, chunk: bytes) -> Iterator[bytes]:
        """In parts of bounded size. What follows the end and is no further member is left away."""
        data = self.waiting + chunk
        self.waiting, is_pending = b"", False
        while data or is_pending:
            if self.inflate is None or self.inflate.eof:
                if len(data) < 2:
                    self.waiting = data
                    return
                if self.inflate and not (self.is_gzip and data.startswith(b"\x1f\x8b")):
                    return
                self.inflate = zlib.decompressobj(self.window_bits or _deflate_bits(data))
            try:
                part = self.inflate.decompress(data, STEP)
            except zlib.error as error:
                raise FetchFailed("Its answer could not be decompressed.") from error
            data = self.inflate.unused_data if self.inflate.eof else self.inflate.unconsumed_tail
            is_pending = len(part) == STEP and not self.inflate.eof
            yield part


def _deflate_bits(start: bytes) -> int:
    has_header = start[0] & 0x0F == 8 and int.from_bytes(start[:2], "big") % 31 == 0
    return zlib.MAX_WBITS if has_header else -zlib.MAX_WBITS
