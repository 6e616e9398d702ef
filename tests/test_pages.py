"""Every page of the built book, opened in a real Chromium."""

import functools
import http.server
import os
import shutil
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, sync_playwright

HTML = Path(__file__).parent.parent / "_build" / "html"


def _chromium() -> str | None:
    """The system's Chromium, or the one that `playwright install chromium` brings."""
    for name in ("chromium", "chromium-browser", "google-chrome"):
        if found := shutil.which(name):
            return found
    with sync_playwright() as playwright:
        own = playwright.chromium.executable_path
    return own if Path(own).exists() else None


CHROMIUM = _chromium()
PAGES = sorted(page.name for page in HTML.glob("*.html"))
MISSING = [
    text
    for text, there in (("Chromium is not installed", CHROMIUM), ("the book is not built", PAGES))
    if not there
]
if MISSING and os.environ.get("CI"):
    raise RuntimeError(f"The pages cannot be tested: {', '.join(MISSING)}.")
pytestmark = pytest.mark.skipif(bool(MISSING), reason=", ".join(MISSING))


class _QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    handler = functools.partial(_QuietHandler, directory=HTML)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=flags)
        yield browser
        browser.close()


@pytest.fixture
def page(browser: Browser) -> Iterator[Page]:
    """A page as wide as a phone."""
    page = browser.new_page(viewport={"width": 360, "height": 740})
    yield page
    page.close()


@pytest.mark.parametrize("name", PAGES)
def test_a_page_needs_nobody_else_and_fits_a_phone(page: Page, origin: str, name: str) -> None:
    requests: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on("response", lambda response: complaints.append(response.url) if response.status >= 400 else None)
    page.on("console", lambda message: complaints.append(message.text) if message.type == "error" else None)
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{origin}/{name}", wait_until="networkidle")
    assert [url for url in requests if not url.startswith((origin, "data:"))] == []
    assert complaints == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_formulae_are_drawn_without_a_network(page: Page, origin: str) -> None:
    page.goto(f"{origin}/one_hot.html", wait_until="networkidle")
    assert page.locator("mjx-container").count() > 0
