"""What the environment asks of `manage.py up`, checked before anything is started."""

import errno
import os
import socket
from collections.abc import Mapping
from dataclasses import dataclass
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from sermo.runtime.trouble import Trouble

CHECKOUT = Path(__file__).resolve().parents[2]
YES = {"1", "true", "on", "ok", "y", "yes"}  # as django-environ reads a bool


@dataclass(frozen=True)
class Options:
    port: int
    bind: str  # an address, never a name
    site_url: str
    demo: bool
    var_dir: Path
    own_database: bool
    own_redis: bool

    @classmethod
    def read(cls, env: Mapping[str, str]) -> "Options":
        """Raises Trouble, in one line, about the first thing that will not do."""
        port = read_port(env.get("PORT") or "8000")
        options = cls(
            port=port,
            bind=read_bind(env.get("BIND") or "127.0.0.1"),
            site_url=(env.get("SITE_URL") or f"http://localhost:{port}").rstrip("/"),
            demo=env.get("DEMO", "").lower() in YES,
            var_dir=Path(os.path.abspath(env.get("VAR_DIR") or CHECKOUT / "var")),
            own_database=not env.get("DATABASE_URL"),
            own_redis=not env.get("REDIS_URL"),
        )
        options.check_demo()
        return options

    def check_demo(self) -> None:
        """The demo's log-ins are open to whoever reaches the page: so nobody else may."""
        host = urlsplit(self.site_url).hostname
        if self.demo and not is_loopback(host):
            raise Trouble(
                f"DEMO=1 has open log-ins and is refused for SITE_URL={self.site_url}: use localhost, or DEMO=0."
            )
        if self.demo and not is_loopback(self.bind):
            raise Trouble(
                f"DEMO=1 has open log-ins and is refused on BIND={self.bind}: leave BIND out, or set DEMO=0."
            )

    @property
    def own_url(self) -> str:
        """Where this machine reaches the site, whatever the world calls it."""
        return f"http://{'localhost' if is_loopback(self.bind) else self.bind}:{self.port}"

    @property
    def probe_address(self) -> str:
        return {"0.0.0.0": "127.0.0.1", "::": "::1"}.get(self.bind, self.bind)  # noqa: S104 - compared, not bound

    @property
    def host_header(self) -> str:
        return urlsplit(self.site_url).netloc.rpartition("@")[2]


def read_port(text: str) -> int:
    if not text.isdigit() or not 1 <= int(text) <= 65535:
        raise Trouble(f"PORT={text} is not a port: a number from 1 to 65535, such as PORT=8001.")
    return int(text)


def read_bind(text: str) -> str:
    address = "127.0.0.1" if text == "localhost" else text.strip("[]")
    try:
        ip_address(address)
    except ValueError:
        raise Trouble(
            f"BIND={text} is not an address: one of this machine's, such as 127.0.0.1 or 0.0.0.0."
        ) from None
    return address


def is_loopback(host: str | None) -> bool:
    if host == "localhost":
        return True
    try:
        return ip_address(host or "").is_loopback
    except ValueError:
        return False


def check_port(options: Options) -> None:
    """Raises Trouble where the web server could not listen."""
    bound_socket(options.bind, options.port).close()


def hold_ipv6_loopback(options: Options) -> socket.socket | None:
    """Keep [::1]:PORT from everybody else while the site listens on 127.0.0.1.

    Browsers look `localhost` up as ::1 first and go on to 127.0.0.1 when refused. A socket that is bound and does
    not listen refuses; without it another program on [::1]:PORT would be what http://localhost:PORT shows.
    """
    if options.bind != "127.0.0.1" or not socket.has_ipv6:
        return None
    try:
        held = bound_socket("::1", options.port)
    except OSError:
        return None  # a machine without IPv6
    held.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 0)  # from now on nobody shares it
    return held


def bound_socket(address: str, port: int) -> socket.socket:
    family = socket.AF_INET6 if ":" in address else socket.AF_INET
    bound = socket.socket(family, socket.SOCK_STREAM)
    bound.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # a port just left is free
    if family == socket.AF_INET6:
        bound.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
    try:
        bound.bind((address, port))
    except OSError as error:
        bound.close()
        if error.errno == errno.EADDRINUSE:
            raise Trouble(
                f"Port {port} is taken on {address}. Choose another: make run PORT={port + 1}"
            ) from error
        if error.errno == errno.EACCES:
            raise Trouble(
                f"Port {port} needs privileges. Choose one from 1024 on: make run PORT=8000"
            ) from error
        if ":" in address and address != "::1":
            raise Trouble(f"BIND={address} is not an address of this machine.") from error
        if ":" not in address:
            raise Trouble(f"BIND={address} cannot be used: {error.strerror}.") from error
        raise
    return bound
