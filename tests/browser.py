"""A real Chromium and the built book, for the tests that look at pages."""

import functools
import http.server
import importlib.util
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

HTML = Path(__file__).parent.parent / "_build" / "html"
FLAGS = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]


PROGRAMS = (  # Chromium or Chrome on Linux, macOS and Windows
    "chromium",
    "chromium-browser",
    "google-chrome",
    "/Applications/Google Chrome.app/Contents/MacOS/Google Chrome",
    os.path.expandvars(r"%ProgramFiles%\Google\Chrome\Application\chrome.exe"),
)
CHROMIUM = next(filter(None, map(shutil.which, PROGRAMS)), None)
MISSING = [
    text
    for text, there in (
        ("Chromium is not installed", CHROMIUM),
        ("the book is not built", HTML.exists()),
    )
    if not there
]
if MISSING and os.environ.get("CI"):
    raise RuntimeError(f"The pages cannot be tested: {', '.join(MISSING)}.")
needs_pages = pytest.mark.skipif(bool(MISSING), reason=", ".join(MISSING))


class _QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    """The built book's address on a server."""
    handler = functools.partial(_QuietHandler, directory=HTML)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page as wide as a phone."""
    page = browser.new_page(viewport={"width": 360, "height": 740})
    yield page
    page.close()


def axe_script() -> Path | None:
    """The file of axe, which finds what keeps people from using a page, or None."""
    found = importlib.util.find_spec("axe_playwright_python")
    if found is None or found.origin is None:
        return None
    return Path(found.origin).with_name("axe.min.js")


AXE = axe_script()
if os.environ.get("CI") and not AXE:
    raise RuntimeError("axe-playwright-python is not installed.")
needs_axe = pytest.mark.skipif(not AXE, reason="axe-playwright-python is not installed")


def violations(page: Page, part: str, options: dict[str, Any] | None = None) -> Any:
    """What axe finds in a part of a page: the rule, how often, and the first places."""
    assert AXE
    if not page.evaluate("'axe' in window"):
        page.add_script_tag(path=AXE)
    found = page.evaluate(
        "([part, options]) => axe.run(part, options).then((all) => all.violations)",
        [part, options or {}],
    )
    return [
        (
            one["id"],
            len(one["nodes"]),
            [node["html"][:120] for node in one["nodes"][:3]],
        )
        for one in found
    ]
