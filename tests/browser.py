"""A real Chromium and the built book, for the tests that look at pages."""

import contextlib
import functools
import http.server
import importlib.util
import json
import os
import shutil
import threading
from collections.abc import Iterator
from importlib.resources import files
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Browser, Locator, Page, expect, sync_playwright

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
NEEDED = {
    "Chromium": CHROMIUM,
    "the built book": HTML.exists(),
    "axe-playwright-python": importlib.util.find_spec("axe_playwright_python"),
}
MISSING = " and ".join(name for name, there in NEEDED.items() if not there)
if MISSING and os.environ.get("CI"):
    raise RuntimeError(f"The pages cannot be tested without {MISSING}.")
needs_pages = pytest.mark.skipif(bool(MISSING), reason=f"without {MISSING}")
OURS = (HTML.as_uri(), "data:", "blob:")
PHONE: Any = {"width": 360, "height": 740}
Place = tuple[float, float]
# Whether a page's scripts have brought what they bring when it is opened.
IS_READY = """() => {
  const { mnistDraw, mnistPlayground } = window;
  const there = (all) => document.querySelector(all) !== null;
  return (
    document.fonts.status === "loaded" &&
    (!there("#convolve") || there("#convolve select")) &&
    (!there("#mnist-draw") || mnistDraw?.logits) &&
    (!there("#playground") || there(".pg-digits :is(.pg-right-one, .pg-wrong-one)"))
  );
}"""
expect.set_options(timeout=30_000)  # a busy machine is no fault of a page


class QuietHandler(http.server.SimpleHTTPRequestHandler):
    def log_message(self, format: str, *args: object) -> None:
        pass


@contextlib.contextmanager
def served(folder: Path, kind: type[QuietHandler] = QuietHandler) -> Iterator[str]:
    """The address at which a server has a folder."""
    handler = functools.partial(kind, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


@contextlib.contextmanager
def chromium() -> Iterator[Browser]:
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        yield browser
        browser.close()


@pytest.fixture(scope="module")
def origin() -> Iterator[str]:
    """The built book's address on a server."""
    with served(HTML) as address:
        yield address


@pytest.fixture(scope="module")
def browser() -> Iterator[Browser]:
    with chromium() as browser:
        yield browser


@contextlib.contextmanager
def watched(page: Page, origin: str) -> Iterator[Page]:
    """A page that may have no error and ask nobody else, and is closed at the end."""
    complaints: list[str] = []
    ours = (*OURS, origin)

    def note(text: str, wrong: bool = True) -> None:
        if wrong:
            complaints.append(f"{page.url}: {text}")

    page.on("pageerror", lambda error: note(str(error)))
    page.on("console", lambda message: note(message.text, message.type == "error"))
    page.on("response", lambda answer: note(answer.url, answer.status >= 400))
    page.on("request", lambda asked: note(asked.url, not asked.url.startswith(ours)))
    try:
        yield page
    finally:
        page.close()
    assert complaints == []


@pytest.fixture(scope="module")
def tab(browser: Browser, origin: str) -> Iterator[Page]:
    """A module's own tab, watched.

    One for all of its tests: another takes a browser twice as long as a second look.
    """
    with watched(browser.new_page(has_touch=True), origin) as tab:
        yield tab


@pytest.fixture
def fresh(browser: Browser, origin: str) -> Iterator[Page]:
    """A page that has opened nothing yet, watched."""
    with watched(browser.new_page(), origin) as page:
        yield page


@pytest.fixture
def page(tab: Page) -> Iterator[Page]:
    """A page as wide as a phone."""
    tab.set_viewport_size(PHONE)
    tab.emulate_media(media="screen", reduced_motion="no-preference")
    yield tab
    tab.goto("about:blank")


def open_page(page: Page, name: str, start: str = HTML.as_uri()) -> None:
    """Open a page, from disk if nothing else is said, and wait for its scripts."""
    page.goto(f"{start}/{name}")
    page.wait_for_function(IS_READY)


def evaluate(page: Page, function: str, argument: object = None) -> Any:
    """Call a function in the page: as text, for Playwright is slow with long lists."""
    called = f"async (text) => JSON.stringify(await ({function})(JSON.parse(text)))"
    return json.loads(page.evaluate(called, json.dumps(argument)))


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name, exact=True).click()


def rest(page: Page) -> None:
    """Wait until nothing moves that comes to an end by itself."""
    page.evaluate(
        """() => Promise.allSettled(document.getAnimations()
          .filter(({ effect }) => effect.getComputedTiming().endTime < Infinity)
          .map(({ finished }) => finished))"""
    )


def box_of(part: Locator) -> tuple[float, float, float, float]:
    """Where a part is on the screen: left, top, width and height."""
    box = part.bounding_box()
    assert box
    return box["x"], box["y"], box["width"], box["height"]


def places_on(part: Locator, *places: Place) -> list[Place]:
    """Places given in fractions of a part's sides, as places on the screen."""
    part.scroll_into_view_if_needed()
    left, top, width, height = box_of(part)
    return [(left + x * width, top + y * height) for x, y in places]


def stroke(part: Locator, *places: Place, lift: bool = True) -> None:
    """Drag the mouse over a part, from place to place."""
    mouse = part.page.mouse
    first, *others = places_on(part, *places)
    mouse.move(*first)
    mouse.down()
    for place in others:
        mouse.move(*place)
    if lift:
        mouse.up()


def used_megabytes(page: Page) -> float:
    """Measure what a page's scripts keep in memory once its garbage is collected.

    What one collection finds, another may free: the least of eight varies by 0.01 MB,
    a single one by half a megabyte.
    """
    tools = page.context.new_cdp_session(page)
    used = []
    for _ in range(8):
        tools.send("HeapProfiler.collectGarbage")
        used.append(tools.send("Runtime.getHeapUsage")["usedSize"] / 2**20)
    tools.detach()
    return min(used)


def violations(
    page: Page, part: str, theme: str = "light", **options: Any
) -> list[list[Any]]:
    """What axe finds in a part of a page: the rule, how often, and the first places.

    In the dark only colours differ, so there it looks for nothing else.
    """
    if not page.evaluate("'axe' in window"):
        page.add_script_tag(path=str(files("axe_playwright_python") / "axe.min.js"))
    if theme == "dark":
        options = {**options, "runOnly": ["color-contrast"]}
    page.evaluate("(name) => { document.documentElement.dataset.theme = name; }", theme)
    rest(page)
    return page.evaluate(
        """([part, options]) => axe.run(part, options).then(({ violations }) =>
          violations.map(({ id, nodes }) =>
            [id, nodes.length, ...nodes.slice(0, 3).map(({ html }) => html)]))""",
        [part, {"resultTypes": ["violations"], "preload": False, **options}],
    )
