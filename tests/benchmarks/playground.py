"""How fast a network learns in the page, in a headless Chromium.

Build the book, then run it with nothing else running:
python tests/benchmarks/playground.py
"""

import sys
from pathlib import Path
from statistics import median
from typing import Any

from playwright.sync_api import Browser, Page

from mnist_tutorial.experiments.recording import describe_machine

sys.path.insert(0, str(Path(__file__).parents[1]))
from browser import HTML, chromium

SEEDS = range(5)
SECONDS = 20
# Notes the errors at each further thousand digits, as the page shows them, and when.
WATCH = """() => {
  window.scores = [];
  window.tasks = [];
  new PerformanceObserver((list) => tasks.push(...list.getEntries()))
    .observe({ entryTypes: ["longtask"] });
  const number = (name) =>
    Number(document.querySelector(name).textContent.replace(",", ""));
  document.querySelector(".pg-learn").addEventListener("click", () => {
    window.clicked = performance.now();
    requestAnimationFrame(function look() {
      window.seen = number(".pg-seen b");
      const at = performance.now(), wrong = number(".pg-score b");
      if (seen >= 1000 * (scores.length + 1)) scores.push({ wrong, at });
      requestAnimationFrame(look);
    });
  });
}"""
# What the engine does alone, on the main thread: the worker runs the same functions.
LEARN = """async () => {
  const { engine, loadDigits } = mnistPlayground;
  const digits = await engine.unpack(await loadDigits());
  const run = engine.createRun(engine.settingsFrom(), digits);
  for (let step = 0; step < 50; step++) run.step();
  const start = performance.now();
  for (let step = 0; step < 300; step++) run.step();
  return (300 * 32 * 1000) / (performance.now() - start);
}"""


def open_playground(browser: Browser, seed: int) -> Page:
    page = browser.new_page(viewport={"width": 1280, "height": 900})
    page.goto(f"{(HTML / 'playground.html').as_uri()}#seed={seed}")
    page.locator(".pg-right-one").first.wait_for()
    page.evaluate(WATCH)
    return page


def seconds_until(page: Page, wrong: float) -> float:
    """Until three scorings, 1,000 digits apart, have a mean of `wrong` or less."""
    scores: list[dict[str, Any]] = page.evaluate("scores")
    clicked: float = page.evaluate("clicked")
    for three in zip(scores, scores[1:], scores[2:], strict=False):
        if sum(score["wrong"] for score in three) / 3 <= wrong:
            return (three[-1]["at"] - clicked) / 1000
    return float("inf")


def main() -> None:
    print(describe_machine())
    with chromium() as browser:
        times: dict[int, list[float]] = {100: [], 30: []}
        speeds, tasks = [], []
        for seed in SEEDS:
            page = open_playground(browser, seed)
            page.get_by_role("button", name="Learn", exact=True).click()
            page.wait_for_timeout(1000 * SECONDS)
            speeds.append(page.evaluate("1000 * seen / (performance.now() - clicked)"))
            long = "tasks.filter(({ duration }) => duration > 50).length"
            tasks.append(page.evaluate(long))
            for wrong, found in times.items():
                found.append(seconds_until(page, wrong))
            page.close()
        alone = open_playground(browser, 0).evaluate(LEARN)
    print(f"digits per second, learning alone: {alone:,.0f}")
    print(f"digits per second on the page, with its scorings: {median(speeds):,.0f}")
    for wrong, found in times.items():
        each = ", ".join(f"{seconds:.1f}" for seconds in found)
        print(
            f"to {100 - wrong / 10:.0f} % right: median {median(found):.1f} s ({each})"
        )
    print(f"tasks over 50 ms of the main thread in {SECONDS} s: {tasks}")


if __name__ == "__main__":
    main()
