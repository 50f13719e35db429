"""Fixtures for tests marked `browser`: the system's Chromium, driven by Playwright."""

import os
import re
import shutil
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


@pytest.fixture
def browser_page(browser, request):
    """A function that opens a page in a browser context of its own, as another person would.

    It takes what Playwright's new_context takes, such as `viewport={"width": 390, "height": 844}`,
    `color_scheme="dark"` or `java_script_enabled=False`. A script error, a breach of the content security
    policy or a request to another host fails the test; a failed test leaves pictures in test-results/.
    """
    opened, faults = [], []

    def open_page(**options):
        context = browser.new_context(**options)
        context.set_default_timeout(15_000)
        page = context.new_page()
        page.on("pageerror", lambda error: faults.append(f"script error: {error}"))
        page.on("console", lambda message: faults.extend(breaches(message)))
        page.on("request", lambda sent: faults.extend(strangers(sent.url)))
        opened.append(page)
        return page

    yield open_page
    if request.node.stash.get(FAILED, False):
        take_pictures(opened, request.node.nodeid)
    for page in opened:
        page.context.close()
    assert not faults, "\n".join(faults)


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
