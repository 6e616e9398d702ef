"""Every page of the built book, opened in a real Chromium."""

import html
import re
import urllib.parse

import pytest
from browser import HTML, needs_pages, open_page, violations
from playwright.sync_api import Page

PAGES = sorted(page.name for page in HTML.glob("*.html"))
QUOTED = r"""["']([^"']+)["']"""
LEFT_ASIDE = "mjx-container, div.highlight, .citation-list"
CUT_OFF = """boxes => boxes.filter(box => {
  const frame = box.matches("pre") ? box : box.parentElement;
  return frame.scrollWidth > frame.clientWidth + 1;
}).map(box => box.textContent)"""
HAS_ONE_SEARCH_BOX = """() =>
  Array.from(document.querySelectorAll("button[class*=search-button]"))
    .map((button) => button.getBoundingClientRect())
    .filter(({ width, left, right }) => width > 0 && left >= 0 && right <= innerWidth)
    .length === 1"""
FORMULAE_ARE_DRAWN = "!document.querySelector('.math:not(:has(mjx-container))')"
# Hides all but three, on all pages that the tab has opened, of the elements whose
# colours, light and dark, and letters are the same: axe compares thousands slowly.
THIN_OUT = """() => {
  const leaves = Array.from(document.querySelectorAll("article :not(:has(*))"));
  const looks = leaves.map(() => ""), seen = JSON.parse(sessionStorage.seen ?? "{}");
  const still = document.head.appendChild(document.createElement("style"));
  still.textContent = "* { transition: none !important }";
  for (const theme of ["dark", "light"]) {
    document.documentElement.dataset.theme = theme;
    leaves.forEach((leaf, i) => {
      const { color, fontSize, fontWeight } = getComputedStyle(leaf);
      looks[i] += [leaf.tagName, color, fontSize, fontWeight];
      for (let each = leaf; each; each = each.parentElement) {
        const { backgroundColor, backgroundImage, opacity } = getComputedStyle(each);
        looks[i] += [backgroundColor, backgroundImage, opacity];
      }
    });
  }
  leaves.forEach((leaf, i) => {
    seen[looks[i]] = (seen[looks[i]] ?? 0) + 1;
    if (seen[looks[i]] > 3) leaf.style.display = "none";
  });
  sessionStorage.seen = JSON.stringify(seen);
}"""
pytestmark = needs_pages


@pytest.mark.parametrize("name", PAGES)
def test_a_page_fits_a_phone_and_a_laptop_and_bars_no_reader(
    page: Page, origin: str, name: str
) -> None:
    """Axe leaves aside the theme's frame, formulae, sources, the colours of code."""
    open_page(page, name, origin)
    page.wait_for_function(FORMULAE_ARE_DRAWN)
    if name == "one_hot.html":
        assert page.locator("mjx-container").count() > 0
    assert page.evaluate("document.documentElement.scrollWidth") <= 360
    page.set_viewport_size({"width": 1280, "height": 900})
    all_open = "details > *, .toggle-hidden > * { display: block }"
    opened = page.add_style_tag(content=all_open)
    assert page.locator(".bd-article :is(pre, table)").evaluate_all(CUT_OFF) == []
    if name == "search.html":  # which is Sphinx's
        return
    opened.evaluate("(style) => style.remove()")
    # Taken out, not excluded: axe would take half of its time to look through them.
    page.locator(LEFT_ASIDE).evaluate_all("all => all.forEach(each => each.remove())")
    article = "article.bd-article"
    assert violations(page, article, rules={"color-contrast": {"enabled": False}}) == []
    page.evaluate(THIN_OUT)
    assert violations(page, article, runOnly=["color-contrast"]) == []
    assert violations(page, article, "dark") == []


def test_every_link_within_the_book_leads_somewhere() -> None:
    paths = [path for path in HTML.rglob("*.html") if "_static" not in path.parts]
    pages = {path: path.read_text(encoding="utf-8") for path in paths}
    anchors = {
        path: set(map(html.unescape, re.findall(rf"\s(?:id|name)={QUOTED}", text)))
        for path, text in pages.items()
    }
    broken = []
    for path, text in pages.items():
        for target in set(re.findall(rf"\s(?:href|src)={QUOTED}", text)):
            url = urllib.parse.urlsplit(html.unescape(target))
            if url.scheme or url.netloc:
                continue
            file = path.parent / urllib.parse.unquote(url.path) if url.path else path
            file = (file / "index.html" if file.is_dir() else file).resolve()
            anchor = urllib.parse.unquote(url.fragment)
            is_lost = anchor and file in anchors and anchor not in anchors[file]
            if is_lost or not file.is_file():
                broken.append(f"{path.name}: {target}")
    assert broken == []


@pytest.mark.parametrize("name", ["index.html", "draw.html"])
def test_a_page_that_opens_with_a_paper_does_not_wait_for_mathjax(name: str) -> None:
    asked = re.findall(r'<script[^>]*src="([^"]+)', (HTML / name).read_text("utf-8"))
    assert asked and not [script for script in asked if "mathjax" in script]


def test_the_theme_has_one_search_box_and_its_icons_without_their_script(
    page: Page, origin: str
) -> None:
    open_page(page, "loading.html", origin)
    for width in (360, 1280):  # on a phone it is a button; the sidebar's is folded away
        page.set_viewport_size({"width": width, "height": 740})
        page.wait_for_function(HAS_ONE_SEARCH_BOX)
    script = page.request.get(f"{origin}/_static/scripts/fontawesome.js")
    assert len(script.body()) < 1000
    loaded = page.evaluate(
        """document.fonts.ready.then((fonts) => Array.from(fonts)
          .filter(({ status }) => status === "loaded").map(({ family }) => family))"""
    )
    assert any("Font Awesome" in family for family in loaded)


def test_a_printed_page_has_all_its_code_and_no_navigation(page: Page) -> None:
    open_page(page, "training.html")
    page.emulate_media(media="print")
    page.set_viewport_size({"width": 794, "height": 1123})  # A4
    assert page.locator("nav:visible, .prev-next-footer:visible").count() == 0
    assert page.locator("pre:visible").evaluate_all(CUT_OFF) == []
    solution = page.locator(".solution.dropdown").first
    assert not solution.is_visible()
    page.emulate_media(media="screen")
    solution.locator(".toggle-button").click()
    page.emulate_media(media="print")
    assert solution.is_visible()
