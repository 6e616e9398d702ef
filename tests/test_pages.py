"""Every page of the built book, opened in a real Chromium."""

import functools
import html.parser
import http.server
import importlib.util
import os
import shutil
import threading
import urllib.parse
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
CONTENT = [name for name in PAGES if name != "search.html"]  # which is Sphinx's
LEFT_ASIDE = "mjx-container, div.highlight, .citation-list"
AXE = importlib.util.find_spec("axe_playwright_python")
MISSING = [
    text
    for text, there in (
        ("Chromium is not installed", CHROMIUM),
        ("the book is not built", PAGES),
    )
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
def test_a_page_needs_nobody_else_and_fits_a_phone(
    page: Page, origin: str, name: str
) -> None:
    requests: list[str] = []
    complaints: list[str] = []
    page.on("request", lambda request: requests.append(request.url))
    page.on(
        "response",
        lambda response: (
            complaints.append(response.url) if response.status >= 400 else None
        ),
    )
    page.on(
        "console",
        lambda message: (
            complaints.append(message.text) if message.type == "error" else None
        ),
    )
    page.on("pageerror", lambda error: complaints.append(str(error)))
    page.goto(f"{origin}/{name}", wait_until="networkidle")
    assert [url for url in requests if not url.startswith((origin, "data:", "blob:"))] == []
    assert complaints == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 360


def test_formulae_are_drawn_without_a_network(page: Page, origin: str) -> None:
    page.goto(f"{origin}/one_hot.html", wait_until="networkidle")
    assert page.locator("mjx-container").count() > 0


class _Links(html.parser.HTMLParser):
    """What a page points to, and what it can be pointed at."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.targets: set[str] = set()
        self.anchors: set[str] = set()
        self.feed(text)

    def handle_starttag(
        self, tag: str, attributes: list[tuple[str, str | None]]
    ) -> None:
        for name, value in attributes:
            if name in ("href", "src") and value:
                self.targets.add(value)
            elif name in ("id", "name") and value:
                self.anchors.add(value)


def test_every_link_within_the_book_leads_somewhere() -> None:
    pages = {
        path: _Links(path.read_text(encoding="utf-8"))
        for path in HTML.rglob("*.html")
        if "_static" not in path.parts
    }
    broken = []
    for path, page in pages.items():
        for target in page.targets:
            url = urllib.parse.urlsplit(target)
            if url.scheme or url.netloc:
                continue
            file = path.parent / urllib.parse.unquote(url.path) if url.path else path
            file = (file / "index.html" if file.is_dir() else file).resolve()
            anchor = urllib.parse.unquote(url.fragment)
            if not file.is_file() or (
                anchor and file in pages and anchor not in pages[file].anchors
            ):
                broken.append(f"{path.name}: {target}")
    assert broken == []


@pytest.mark.skipif(not AXE, reason="axe-playwright-python is not installed")
@pytest.mark.parametrize("name", CONTENT)
def test_axe_finds_nothing_in_what_we_wrote(page: Page, origin: str, name: str) -> None:
    """Left aside: the theme's frame and search field, formulae, the list of sources, the colours of code."""
    assert AXE is not None
    assert AXE.origin is not None
    page.set_viewport_size({"width": 1200, "height": 900})
    page.goto(f"{origin}/{name}", wait_until="networkidle")
    # Taken out, not excluded: axe takes half of its time to look through what it then leaves aside.
    page.evaluate(
        "(names) => document.querySelectorAll(names).forEach((each) => each.remove())",
        LEFT_ASIDE,
    )
    page.add_script_tag(path=Path(AXE.origin).with_name("axe.min.js"))
    found = []
    for theme, options in (("light", {}), ("dark", {"runOnly": ["color-contrast"]})):
        page.evaluate(
            "(theme) => (document.documentElement.dataset.theme = theme)", theme
        )
        violations = page.evaluate(
            "(options) => axe.run('article.bd-article', options).then((result) => result.violations)",
            options,
        )
        for violation in violations:
            places = [node["html"][:120] for node in violation["nodes"][:3]]
            found.append((theme, violation["id"], len(violation["nodes"]), places))
    assert found == []
