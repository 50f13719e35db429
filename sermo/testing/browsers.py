"""Fixtures for tests marked `browser`: the system's Chromium, driven by Playwright."""

import os
import re
import shutil
from collections import defaultdict
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import urlsplit

import pytest

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PICTURES = Path("test-results")
SWITCHES = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--disable-dev-shm-usage",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE localhost, EXCLUDE 127.0.0.1",
)
FAILED = pytest.StashKey[bool]()


def find_chromium() -> str | None:
    """The browser CHROMIUM names, else the first known name on PATH."""
    named = os.environ.get("CHROMIUM")
    return shutil.which(named) if named else next(filter(None, map(shutil.which, NAMES)), None)


def pytest_runtest_setup(item):
    if item.get_closest_marker("browser") and not find_chromium():
        reason = "no Chromium here: none on PATH, and CHROMIUM names none"
        if os.environ.get("SERMO_REQUIRE_BROWSER") == "1":
            pytest.fail(f"{reason} (SERMO_REQUIRE_BROWSER=1)", pytrace=False)
        pytest.skip(reason)


@pytest.fixture(scope="session")
def browser():
    """One headless Chromium for the session; tests open pages of it through `browser_page`."""
    from playwright.sync_api import sync_playwright

    with static_files_kept(), sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=find_chromium(), args=[*SWITCHES])
        yield browser
        browser.close()


@contextmanager
def static_files_kept():
    """Let a browser keep styles and scripts from page to page, as it does on the real site."""
    from django.contrib.staticfiles import handlers

    serve = handlers.serve

    def serve_to_keep(*arguments, **options):
        response = serve(*arguments, **options)
        response["Cache-Control"] = "max-age=3600"
        return response

    handlers.serve = serve_to_keep
    try:
        yield
    finally:
        handlers.serve = serve


@pytest.fixture(scope="session")
def spare_pages():
    """Pages that tests have left, by what they were opened with: to open one costs as much as several loads of it."""
    return defaultdict(list)


@pytest.fixture
def browser_page(browser, spare_pages, request):
    """A function that opens a page in a browser context of its own, as another person would.

    It takes what Playwright's new_context takes, such as `viewport={"width": 390, "height": 844}`,
    `color_scheme="dark"` or `java_script_enabled=False`. A script error, a breach of the content security
    policy or a request to another host fails the test; a failed test leaves pictures in test-results/.
    """
    opened = []

    def open_page(**options):
        spare = spare_pages[repr(sorted(options.items()))]
        opened.append(spare.pop() if spare else Lent(browser, options, spare))
        return opened[-1].page

    yield open_page
    failed = request.node.stash.get(FAILED, False)
    if failed:
        take_pictures([lent.page for lent in opened], request.node.nodeid)
    faults = [fault for lent in opened for fault in lent.faults]
    for lent in opened:
        if failed or faults or not lent.clear():
            lent.page.context.close()
        else:
            lent.spare.append(lent)
    assert not faults, "\n".join(faults)


class Lent:
    """A page as one test after another has it, each as if it were new.

    What a test listens to, the size of its window and its theme, its cookies and what its scripts stored are taken
    back. A page to which one did anything else that stays is not lent again, see `LASTING`.
    """

    def __init__(self, browser, options, spare):
        self.options, self.spare, self.faults, self.heard, self.is_spent = options, spare, [], [], False
        context = browser.new_context(**options)
        context.set_default_timeout(15_000)
        page = self.page = context.new_page()
        page.on("pageerror", lambda error: self.faults.append(f"script error: {error}"))
        page.on("console", lambda message: self.faults.extend(breaches(message)))
        page.on("request", lambda sent: self.faults.extend(strangers(sent.url)))
        for owner in (page, context):
            for name in LASTING & {*dir(owner)}:
                setattr(owner, name, self.spending(getattr(owner, name)))
        page.on = self.listening(page.on)

    def spending(self, act):
        def spend(*arguments, **options):
            self.is_spent = True
            return act(*arguments, **options)

        return spend

    def listening(self, on):
        def listen(event, hear):
            self.heard.append((event, hear))
            on(event, hear)

        return listen

    def clear(self) -> bool:
        """Make the page as new, and say whether that was possible."""
        page, context = self.page, self.page.context
        if self.is_spent or len(context.pages) != 1 or not page.url.startswith("http"):
            return False
        for event, hear in self.heard:
            page.remove_listener(event, hear)
        self.heard.clear()
        page.evaluate(LEAVE)
        page.goto("about:blank")
        context.clear_cookies()
        page.mouse.move(-1, -1)
        page.set_viewport_size(self.options.get("viewport", {"width": 1280, "height": 720}))
        page.emulate_media(color_scheme=self.options.get("color_scheme", "light"))
        return True


LASTING = {
    "add_init_script",
    "clear_permissions",
    "close",
    "expose_binding",
    "expose_function",
    "grant_permissions",
    "new_cdp_session",
    "new_page",
    "once",
    "route",
    "route_web_socket",
    "set_default_navigation_timeout",
    "set_default_timeout",
    "set_extra_http_headers",
    "set_geolocation",
    "set_offline",
}
LEAVE = """() => {
    for (const each of ["beforeunload", "pagehide", "visibilitychange"])
        addEventListener(each, event => event.stopImmediatePropagation(), true);  // nothing more is saved
    localStorage.clear();
    sessionStorage.clear();
}"""


def breaches(message) -> list[str]:
    return [message.text] if "Content Security Policy" in message.text else []


def strangers(url: str) -> list[str]:
    parts = urlsplit(url)
    is_ours = parts.scheme in ("data", "blob", "about") or parts.hostname in ("localhost", "127.0.0.1")
    return [] if is_ours else [f"request to another host: {url}"]


def take_pictures(pages, nodeid: str) -> None:
    PICTURES.mkdir(exist_ok=True)
    for number, page in enumerate(pages, start=1):
        name = re.sub(r"[^\w.-]+", "_", nodeid)[-120:]
        page.screenshot(path=PICTURES / f"{name}-{number}.png", full_page=True)


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(item, call):
    report = yield
    if report.when == "call" and report.failed:
        item.stash[FAILED] = True
    return report
