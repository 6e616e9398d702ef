"""How fast a network learns in the page, in a headless Chromium; and what the page weighs.

Build the book, then run it with nothing else running:  python tests/benchmarks/playground.py
"""

import gzip
import re
import shutil
from pathlib import Path
from statistics import median
from typing import Any

from playwright.sync_api import Browser, Page, sync_playwright

from mnist_tutorial.runs import describe_machine

HTML = Path(__file__).parents[2] / "_build" / "html"
SEEDS = range(5)
SECONDS = 20
# Notes the errors at each further thousand digits, with the time, as the page shows them.
WATCH = """() => {
  window.scores = [];
  window.longTasks = [];
  new PerformanceObserver((list) => longTasks.push(...list.getEntries().map((task) => task.duration)))
    .observe({ entryTypes: ["longtask"] });
  const number = (name) => Number(document.querySelector(name).textContent.replace(",", ""));
  document.querySelector(".pg-learn").addEventListener("click", () => {
    window.clicked = performance.now();
    requestAnimationFrame(function look() {
      window.seen = number(".pg-seen b");
      const thousands = Math.floor(seen / 1000), last = scores[scores.length - 1]?.thousands ?? 0;
      if (thousands > last) scores.push({ thousands, wrong: number(".pg-score b"), at: performance.now() });
      requestAnimationFrame(look);
    });
  });
}"""


def open_playground(browser: Browser, seed: int) -> Page:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(f"{(HTML / 'playground.html').as_uri()}#seed={seed}")
    page.locator(".pg-right-one").first.wait_for()
    page.evaluate(WATCH)
    return page


def seconds_until(page: Page, wrong: float) -> float:
    """Until the mean of three scorings, 1,000 digits apart, is at most `wrong` of 1,000."""
    scores: list[dict[str, Any]] = page.evaluate("scores")
    clicked: float = page.evaluate("clicked")
    for three in zip(scores, scores[1:], scores[2:], strict=False):
        if sum(score["wrong"] for score in three) / 3 <= wrong:
            return (three[-1]["at"] - clicked) / 1000
    return float("inf")


def main() -> None:
    print(describe_machine())
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = playwright.chromium.launch(
            executable_path=shutil.which("chromium"), args=flags
        )
        times: dict[int, list[float]] = {100: [], 30: []}
        speeds, tasks = [], []
        for seed in SEEDS:
            page = open_playground(browser, seed)
            page.get_by_role("button", name="Learn", exact=True).click()
            page.wait_for_timeout(1000 * SECONDS)
            speeds.append(page.evaluate("1000 * seen / (performance.now() - clicked)"))
            tasks.append(page.evaluate("longTasks.filter((each) => each > 50).length"))
            for wrong, found in times.items():
                found.append(seconds_until(page, wrong))
            page.close()
        page = open_playground(browser, 0)
        alone = page.evaluate(
            """async () => {
              const digits = await mnistPlayground.engine.unpack(await mnistPlayground.loadDigits());
              const { engine } = mnistPlayground, run = engine.createRun(engine.settingsFrom(), digits);
              for (let step = 0; step < 50; step++) run.step();
              const start = performance.now();
              for (let step = 0; step < 300; step++) run.step();
              return (300 * 32000) / (performance.now() - start);
            }"""
        )
        browser.close()
    print(f"digits a second, learning only: {alone:,.0f}")
    print(f"digits a second, as the page shows it, scorings included: {median(speeds):,.0f}")
    for wrong, found in times.items():
        each = ", ".join(f"{seconds:.1f}" for seconds in found)
        print(f"to {100 - wrong / 10:.0f} % right: median {median(found):.1f} s ({each})")
    print(f"tasks over 50 ms of the main thread in {SECONDS} s: {tasks}")
    text = (HTML / "playground.html").read_text(encoding="utf-8")
    own = re.findall(r'(?:src|href)="((?:playground|drawing)/[^"]+)"', text)
    sizes = {
        name: len(gzip.compress((HTML / name).read_bytes()))
        for name in [*own, "playground/digits.js"]
    }
    print(f"files of its own, compressed: {sum(sizes.values()) / 1e6:.2f} MB")


if __name__ == "__main__":
    main()
