"""Publishers for tests: one server on this machine that is every host, and a resolver that gives public addresses.

Judging stays as it is: what is replaced is what the names resolve to, and where a connection to a public address leads.
"""

import socket
import threading
import time
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

from sermo import fetching

PUBLIC = "93.184.215.14"
RSS = """<?xml version="1.0" encoding="UTF-8"?>
<rss version="2.0"><channel><title>Invented</title>{extra}{items}</channel></rss>"""
ITEM = """<item><title>{title}</title><link>https://journal.example.org/{key}</link>
<guid isPermaLink="false">{key}</guid><pubDate>{date}</pubDate></item>"""


def rss(number=3, *, key="item", date="Mon, 16 Nov 2026 08:00:00 GMT", extra=""):
    items = (
        ITEM.format(title=f"Trial {key} {one}", key=f"{key}-{one}", date=date) for one in range(1, number + 1)
    )
    return RSS.format(extra=extra, items="".join(items)).encode()


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_GET(self):
        host = self.headers["Host"]
        self.server.asked.append((host, self.path, dict(self.headers.items()), time.monotonic()))
        answer = self.server.routes.get(f"{host}{self.path}") or self.server.routes.get(
            f"{host}{urlsplit(self.path).path}"
        )
        self.close_connection = True
        try:
            if answer is None:
                self.answer(404)
            else:
                answer(self)
        except OSError:
            return

    def answer(self, status=200, body=b"", headers=None):
        self.send_response(status)
        for name, value in {"Content-Length": str(len(body)), **(headers or {})}.items():
            self.send_header(name, value)
        self.end_headers()
        self.wfile.write(body)

    def raw(self, *parts, every=0.0):
        """Write parts with a pause after each, until the client leaves or the server ends."""
        for part in parts:
            self.wfile.write(part)
            if every and self.server.ends.wait(every):
                return

    def log_message(self, *arguments):
        return


class FeedServer(ThreadingHTTPServer):
    daemon_threads = True
    block_on_close = False
    request_queue_size = 128

    def __init__(self):
        super().__init__(("127.0.0.1", 0), Handler)
        self.routes, self.asked, self.connected, self.resolved = {}, [], [], []
        self.names, self.ends = {}, threading.Event()
        threading.Thread(target=self.serve_forever, args=(0.01,), daemon=True).start()

    @property
    def port(self):
        return self.server_address[1]

    def serve(self, place, body=b"", *, status=200, headers=None):
        """Answer `host/path` alike each time."""
        self.routes[place] = lambda handler: handler.answer(status, body, headers)

    def redirect(self, place, location, status=302):
        self.serve(place, status=status, headers={"Location": location})

    def forget(self):
        for one in (self.routes, self.asked, self.connected, self.resolved, self.names):
            one.clear()

    def resolve(self, host, port):
        """A list of a test's own under `names`, or one that everybody shares; a list of lists answers in turn."""
        self.resolved.append(host)
        known = self.names.get(host, [PUBLIC])
        return known.pop(0) if known and isinstance(known[0], list) else known

    def open_socket(self, address, port, timeout):
        self.connected.append(address)
        return socket.create_connection(("127.0.0.1", self.port), timeout)

    def handle_error(self, request, client_address):
        return


@contextmanager
def publishing():
    """A server, and for as long as it stands the whole web is that server."""
    server, ways = FeedServer(), (fetching.resolve, fetching.open_socket)
    fetching.resolve, fetching.open_socket = server.resolve, server.open_socket
    try:
        yield server
    finally:
        fetching.resolve, fetching.open_socket = ways
        server.ends.set()
        server.shutdown()
        server.server_close()
