"""One foreground process that serves the whole site: `manage.py up`.

Order: PostgreSQL and Valkey (where no others are named), then migrations, data and static files, then the
web server, and once its first page answers the worker with the scheduler. A child that ends is started again,
each time a little later; Ctrl-C or SIGTERM stops all in reverse and leaves nothing running.

The loop is one thread on purpose: on Linux a child dies with the thread that started it (see child.py).
"""

import argparse
import contextlib
import fcntl
import http.client
import os
import selectors
import signal
import socket
import sys
import threading
import time
from collections.abc import Callable
from pathlib import Path

from sermo.runtime import addresses, children, freshness, places, postgres, processes, valkey
from sermo.runtime.children import Child, Program
from sermo.runtime.options import CHECKOUT, Options, check_port, hold_ipv6_loopback
from sermo.runtime.output import Output
from sermo.runtime.trouble import Trouble

SERVER_START = 60.0  # seconds; crash recovery of a large database takes a while


class Stopping(Exception):
    """Somebody asked for the end; unwinds to where everything is stopped."""


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="manage.py up", description=__doc__.splitlines()[0])
    parser.add_argument(
        "--servers-only", action="store_true", help="only the database and Valkey, for manage.py elsewhere"
    )
    asked = parser.parse_args(arguments)
    output = Output()
    try:
        return Supervisor(Options.read(os.environ), output).run(servers_only=asked.servers_only)
    except Trouble as trouble:
        print(f"sermo: {trouble}", file=sys.stderr)
    except PermissionError as error:
        print(f"sermo: Cannot use {error.filename}: it belongs to another user.", file=sys.stderr)
    return 1


class Supervisor:
    def __init__(self, options: Options, output: Output):
        self.options = options
        self.output = output
        self.env = children.child_environment(options, os.environ)
        self.run_dir = options.var_dir / "run"
        self.children: list[Child] = []  # in the order of their start
        self.selector = selectors.DefaultSelector()
        self.asked_to_stop = False
        self.ctrl_c = 0  # how often; the second one is impatience
        self.began = time.monotonic()

    def run(self, *, servers_only: bool = False) -> int:
        """Serve until asked to stop. Returns the exit code; raises Trouble where it cannot start."""
        places.make_var(self.options.var_dir)
        with only_one(self.options), self.signals():
            self.clear_leftovers()
            if not self.env.get("SECRET_KEY"):
                addresses.secrets(self.options.var_dir)
            if not servers_only:
                check_port(self.options)
            held = None if servers_only else hold_ipv6_loopback(self.options)
            try:
                self.start_everything(servers_only=servers_only)
                self.keep_running()
            except Stopping:
                self.say("Stopping")
                return 0
            finally:
                self.stop_everything()
                if held:
                    held.close()
        return 0

    # Starting, in order

    def clear_leftovers(self) -> None:
        self.run_dir.mkdir(exist_ok=True)
        if found := processes.stop_leftovers(self.run_dir):
            self.say(f"Stopped what an earlier, killed run left behind: {', '.join(found)}")

    def start_everything(self, *, servers_only: bool) -> None:
        database = self.start_servers()
        if servers_only:
            self.say(f"The database and Valkey run; manage.py finds them through {self.options.var_dir}")
            return
        self.prepare(database)
        web = self.start(children.web_program(self.options, self.env))
        self.wait_for_first_page(web)
        self.start(children.worker_program(self.env))
        self.start(children.pager_program(self.env))

    def start_servers(self) -> postgres.Postgres | None:
        servers = []
        if self.options.own_database:
            servers.append(postgres.embedded(self.options.var_dir))
            if not servers[0].data.exists():
                self.say("Making the database")
        if self.options.own_redis:
            servers.append(valkey.embedded(self.options.var_dir))
        started = []
        for server in servers:
            for line in server.prepare():
                self.say(line)
            started.append(self.start(children.server_program(server, self.env)))
        for child in started:
            self.wait_until_ready(child)
        return servers[0] if self.options.own_database else None

    def prepare(self, database: postgres.Postgres | None) -> None:
        var_dir = self.options.var_dir
        if database and freshness.is_fresh(var_dir, freshness.checkout_mark(CHECKOUT), database, self.env):
            return
        freshness.forget(var_dir)
        sources = freshness.checkout_mark(CHECKOUT)  # before, so that an edit meanwhile counts as one
        self.say("Preparing: migrations, reference data, demo, static files")
        child = self.start(children.prepare_program(self.env))
        self.wait(lambda: not child.is_running)
        self.read_to_end(child)
        self.children.remove(child)
        child.clean_up()
        if child.process.returncode:
            raise Trouble("Preparing failed; the lines above say why.")
        if database:
            freshness.note_prepared(var_dir, sources, database, self.env)

    def start(self, program: Program) -> Child:
        child = Child(program, self.output, self.run_dir / f"{program.name}.pid")
        self.children.append(child)
        self.start_again(child)
        return child

    def start_again(self, child: Child) -> None:
        child.start()
        self.selector.register(child.lines.pipe, selectors.EVENT_READ, child)

    def wait_until_ready(self, child: Child) -> None:
        self.wait(lambda: child.is_ready or not child.is_running, seconds=SERVER_START)
        if not child.is_ready:
            self.read_to_end(child)
            child.lines.show_chatter()
            raise Trouble(f"{child.name} did not start; the lines above say why.")

    def wait_for_first_page(self, web: Child) -> None:
        check = FirstPage(self.options)
        check.start()
        try:
            self.wait(lambda: check.answered or not web.is_running)
        finally:
            check.given_up = True
        if not web.is_running:
            self.read_to_end(web)
            raise Trouble("The web server did not start; the lines above say why.")
        took = time.monotonic() - self.began
        self.say(f"Ready after {took:.1f} s: {self.options.site_url}  (Ctrl-C stops everything)")

    # Running

    def keep_running(self) -> None:
        while True:
            self.turn(1.0)
            for child in self.children:
                if child.again_at <= time.monotonic():
                    self.start_again(child)
                elif not child.is_running and child.again_at == float("inf"):
                    self.mourn(child)

    def mourn(self, child: Child) -> None:
        self.read_to_end(child)
        child.lines.show_chatter()
        child.clean_up()
        pause = child.plan_restart()
        self.say(f"{child.name} ended {child.how_it_ended()}; starting it again in {pause:.0f} s")

    def wait(self, condition: Callable[[], bool], *, seconds: float = float("inf")) -> None:
        """Go on with the children's lines until the condition holds, time is up, or it is time to stop."""
        deadline = time.monotonic() + seconds
        while not condition() and time.monotonic() < deadline:
            self.turn(0.03)

    def turn(self, seconds: float) -> None:
        """Show what children wrote, waiting at most so long. Raises Stopping."""
        for key, _ in self.selector.select(seconds):
            if key.data is None:
                key.fileobj.recv(4096)  # a signal woke us; its handler has done the rest
            elif not key.data.lines.read():
                self.selector.unregister(key.fd)
        if self.asked_to_stop or self.output.is_gone:
            raise Stopping

    def read_to_end(self, child: Child) -> None:
        """Its last words, for at most a second: a grandchild may hold the pipe open."""
        deadline = time.monotonic() + 1
        pipe = child.lines.pipe
        with contextlib.suppress(KeyError), selectors.DefaultSelector() as own:
            own.register(pipe, selectors.EVENT_READ)
            while time.monotonic() < deadline and own.select(0.1) and child.lines.read():
                pass
            self.selector.unregister(pipe)
        child.process.stdout.close()

    # Stopping

    def stop_everything(self) -> None:
        """The site first, all its parts at once; then the servers it stands on, the database last."""
        site = [child for child in self.children if child.program.ready is None]
        servers = [child for child in self.children if child.program.ready]
        self.stop(site)
        for server in reversed(servers):
            self.stop([server])
        self.children.clear()

    def stop(self, group: list[Child]) -> None:
        group = [child for child in group if child.process]
        for child in group:
            child.ask_to_stop()
        for child in group:
            self.see_out(child)
            child.end_now()
            child.clean_up()

    def see_out(self, child: Child) -> None:
        """Wait for one to end in peace; a second Ctrl-C ends the peace, though not that of a database."""
        deadline = time.monotonic() + child.program.patience
        while child.is_running and time.monotonic() < deadline:
            with contextlib.suppress(Stopping):
                self.turn(0.03)
            if self.ctrl_c > 1 and child.program.ready is None:
                return
        if child.is_running:
            self.say(f"{child.name} did not stop within {child.program.patience:.0f} s and was killed")

    # Signals

    @contextlib.contextmanager
    def signals(self):
        """While inside, signals only wake the loop; a second Ctrl-C hastens the end."""
        reader, writer = socket.socketpair()
        reader.setblocking(False)
        writer.setblocking(False)
        self.selector.register(reader, selectors.EVENT_READ, None)
        before = {
            number: signal.signal(number, self.note_signal)
            for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)
        }
        before[signal.SIGCHLD] = signal.signal(signal.SIGCHLD, lambda number, frame: None)
        woken = signal.set_wakeup_fd(writer.fileno(), warn_on_full_buffer=False)
        try:
            yield
        finally:
            signal.set_wakeup_fd(woken)
            for number, handler in before.items():
                signal.signal(number, handler)
            reader.close()
            writer.close()

    def note_signal(self, number: int, frame) -> None:
        self.asked_to_stop = True
        self.ctrl_c += (
            number == signal.SIGINT
        )  # a SIGTERM may well come twice, from make and from who sent it to make

    def say(self, text: str) -> None:
        self.output.line("sermo", text)


class FirstPage(threading.Thread):
    """Asks for /healthz until it answers, beside the loop, which must not wait for a slow page."""

    def __init__(self, options: Options):
        super().__init__(daemon=True)
        self.options = options
        self.answered = False
        self.given_up = False

    def run(self) -> None:
        while not self.given_up:
            status = self.ask()
            if status == 200:
                self.answered = True
                return
            time.sleep(2 if status else 0.1)  # an answer that is an error will not mend within moments

    def ask(self) -> int:
        """The status of the answer, 0 where nobody answers yet."""
        line = http.client.HTTPConnection(self.options.probe_address, self.options.port, timeout=10)
        try:
            line.request("GET", "/healthz", headers={"Host": self.options.host_header})
            return line.getresponse().status
        except (OSError, http.client.HTTPException):
            return 0
        finally:
            line.close()


@contextlib.contextmanager
def only_one(options: Options):
    """Hold this checkout's lock, which the kernel frees however we end. Raises Trouble while another does."""
    path: Path = options.var_dir / "up.lock"
    with path.open("a+") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError:
            file.seek(0)
            who = file.read().strip() or "another terminal"
            raise Trouble(
                f"Sermo already runs from this folder ({who}). Stop that one with Ctrl-C first."
            ) from None
        file.truncate(0)
        file.write(f"process {os.getpid()}, {options.own_url}\n")
        file.flush()
        yield
        file.truncate(0)
