"""Every page of the built book, opened in a real Chromium."""

import html.parser
import urllib.parse

import pytest
from browser import HTML, needs_axe, needs_pages, violations
from playwright.sync_api import Page

PAGES = sorted(page.name for page in HTML.glob("*.html"))
CONTENT = [name for name in PAGES if name != "search.html"]  # which is Sphinx's
LEFT_ASIDE = "mjx-container, div.highlight, .citation-list"
CUT_OFF = """boxes => boxes.filter(box => {
  const frame = box.matches("pre") ? box : box.parentElement;
  return frame.scrollWidth > frame.clientWidth + 1;
}).map(box => box.textContent)"""
pytestmark = needs_pages


@pytest.mark.parametrize("name", PAGES)
def test_a_page_needs_nobody_else_and_fits_a_phone_and_a_laptop(
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
    assert [
        url for url in requests if not url.startswith((origin, "data:", "blob:"))
    ] == []
    assert complaints == []
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.set_viewport_size({"width": 1280, "height": 900})
    page.add_style_tag(content="details > *, .toggle-hidden > * { display: block }")
    assert page.locator(".bd-article :is(pre, table)").evaluate_all(CUT_OFF) == []


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


@pytest.mark.parametrize("width", [360, 1280])
def test_a_page_has_one_search_box(page: Page, width: int) -> None:
    """On a phone it is a button in the bar; the sidebar's own is folded away."""
    page.set_viewport_size({"width": width, "height": 740})
    page.goto((HTML / "loading.html").as_uri())
    boxes = page.locator("button[class*='search-button']")
    inside = boxes.evaluate_all(
        """boxes => boxes.map(box => box.getBoundingClientRect()).filter(
          box => box.width > 0 && box.left >= 0 && box.right <= innerWidth).length"""
    )
    assert inside == 1


def test_the_theme_keeps_its_icons_without_their_script(
    page: Page, origin: str
) -> None:
    page.goto(f"{origin}/loading.html", wait_until="networkidle")
    script = page.request.get(f"{origin}/_static/scripts/fontawesome.js")
    assert len(script.body()) < 1000
    icons = page.locator("i[class*='fa-']:visible, span[class*='fa-']:visible")
    assert icons.count() >= 4
    families = icons.evaluate_all(
        "icons => icons.map(icon => getComputedStyle(icon, '::before').fontFamily)"
    )
    assert all("Font Awesome" in family for family in families)
    assert page.evaluate("document.fonts.check('16px \"Font Awesome 6 Free\"')") or (
        page.evaluate("document.fonts.check('900 16px \"Font Awesome 7 Free\"')")
    )


def test_a_printed_page_has_all_its_code_and_no_navigation(page: Page) -> None:
    page.goto((HTML / "training.html").as_uri())
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 794, "height": 1123})  # A4
    assert page.locator("nav:visible, .prev-next-footer:visible").count() == 0
    cut = page.locator("pre:visible").evaluate_all(
        "all => all.filter(box => box.scrollWidth > box.clientWidth + 1).length"
    )
    assert cut == 0
    solution = page.locator(".solution.dropdown").first
    assert not solution.is_visible()
    page.emulate_media(media="screen")
    solution.locator(".toggle-button").click()
    page.emulate_media(media="print")
    assert solution.is_visible()


@needs_axe
@pytest.mark.parametrize("name", CONTENT)
def test_axe_finds_nothing_in_what_we_wrote(page: Page, origin: str, name: str) -> None:
    """Left aside: the theme's frame, formulae, the sources, the colours of code."""
    page.set_viewport_size({"width": 1200, "height": 900})
    page.goto(f"{origin}/{name}", wait_until="networkidle")
    # Taken out, not excluded: axe would take half of its time to look through them.
    page.evaluate(
        "(names) => document.querySelectorAll(names).forEach((each) => each.remove())",
        LEFT_ASIDE,
    )
    for theme, options in (("light", {}), ("dark", {"runOnly": ["color-contrast"]})):
        page.evaluate(
            "(theme) => { document.documentElement.dataset.theme = theme; }", theme
        )
        assert violations(page, "article.bd-article", options) == [], theme
