"""Members who ask for page after page: `python -m sermo.bench.clients`, a process of its own.

Reads what to do as JSON from its input, writes what it measured as JSON to its output.
"""

import asyncio
import json
import math
import random
import socket
import sys
import time
from dataclasses import asdict, dataclass


@dataclass
class Order:
    """Every cookie is one client on one connection, who asks for the addresses in an order of its own.

    Where `seconds` is 0 they ask for each address once, sharing them out.
    """

    port: int
    seconds: float
    cookies: list[str]
    addresses: list[str]


@dataclass
class Measured:
    answers: int
    seconds: float
    took_ms: list[float]  # each answer
    bytes: int


class NoPage(Exception):
    """An address was answered with something else than a page of a known length."""


class Client(asyncio.Protocol):
    """One connection with one request on its way at any time."""

    def __init__(self, cookie: str, order: Order, seed: int):
        self.requests = [_request(address, cookie, order.port) for address in order.addresses]
        self.addresses = order.addresses
        self.rng = random.Random(seed)  # noqa: S311 - the same order every time is the purpose
        self.share = iter(() if order.seconds else range(seed, len(self.requests), len(order.cookies)))
        self.took: list[float] = []
        self.size = 0
        self.stop_at = 0.0
        self.done = asyncio.get_running_loop().create_future()

    def connection_made(self, transport):
        transport.get_extra_info("socket").setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self.transport = transport

    def ask(self) -> None:
        """Ask for an address of one's share, or else for any until the time is up."""
        which = next(self.share, None)
        if which is None and time.perf_counter() >= self.stop_at:
            self.done.set_result(None)
            return
        self.which = self.rng.randrange(len(self.requests)) if which is None else which
        self.received, self.missing = b"", None
        self.sent_at = time.perf_counter()
        self.transport.write(self.requests[self.which])

    def data_received(self, data: bytes) -> None:
        if self.missing is None:
            self.received += data
            end = self.received.find(b"\r\n\r\n")
            if end < 0:
                return
            self.body = length_of(self.received[:end])
            if self.body is None:
                self.give_up()
                return
            self.missing = self.body + end + 4 - len(self.received)
        else:
            self.missing -= len(data)
        if self.missing <= 0:
            self.answered()

    def answered(self) -> None:
        self.took.append(time.perf_counter() - self.sent_at)
        self.size += self.body
        self.ask()

    def give_up(self) -> None:
        said = self.received.partition(b"\r\n")[0].decode(errors="replace")
        self.done.set_exception(NoPage(f"{self.addresses[self.which]}: {said}"))
        self.transport.abort()

    def connection_lost(self, error):
        if not self.done.done():
            self.done.set_exception(error or ConnectionError("The server closed a connection."))


def _request(address: str, cookie: str, port: int) -> bytes:
    return f"GET {address} HTTP/1.1\r\nHost: localhost:{port}\r\nCookie: {cookie}\r\n\r\n".encode()


def length_of(head: bytes) -> int | None:
    """Content-Length of a page; None of anything else than a 200 that names its length."""
    first, *lines = head.split(b"\r\n")
    if not first.startswith(b"HTTP/1.1 200"):
        return None
    for line in lines:
        name, _, value = line.partition(b":")
        if name.lower() == b"content-length":
            return int(value)
    return None


def percentile(values: list[float], share: float) -> float:
    """The smallest of the values that so large a share of them does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(len(ordered) * share / 100) - 1)]


async def measure(order: Order) -> Measured:
    loop, clients = asyncio.get_running_loop(), []
    for number, cookie in enumerate(order.cookies):
        client = Client(cookie, order, number)
        await loop.create_connection(lambda client=client: client, "127.0.0.1", order.port)
        clients.append(client)
    began = time.perf_counter()
    for client in clients:
        client.stop_at = began + order.seconds
        client.ask()
    await asyncio.gather(*(client.done for client in clients))
    ended = time.perf_counter()
    took = [seconds for client in clients for seconds in client.took]
    for client in clients:
        client.transport.close()
    return Measured(
        answers=len(took),
        seconds=ended - began,
        took_ms=[round(1000 * each, 2) for each in took],
        bytes=round(sum(client.size for client in clients) / len(took)),
    )


if __name__ == "__main__":
    try:
        json.dump(asdict(asyncio.run(measure(Order(**json.load(sys.stdin))))), sys.stdout)
    except (NoPage, ConnectionError) as error:
        sys.exit(f"bench: {error}")
