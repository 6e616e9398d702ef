"""The time of one pass in the page, from stroke to bars and maps, in a headless Chromium.

Build the book, then run it with nothing else running:  python tests/benchmarks/draw.py
"""

import shutil
from pathlib import Path
from statistics import median

from playwright.sync_api import sync_playwright

from mnist_tutorial.runs import describe_machine

HTML = Path(__file__).parents[2] / "_build" / "html"
PASSES = 200
DRAW_AND_PASS = """(passes) => {
  const canvas = document.querySelector("#md-canvas"), box = canvas.getBoundingClientRect();
  const send = (type, x, y) => canvas.dispatchEvent(new PointerEvent(type, {
    pointerId: 1, button: 0, bubbles: true,
    clientX: box.x + x * box.width, clientY: box.y + y * box.height }));
  canvas.setPointerCapture = () => {};
  const times = [];
  send("pointerdown", 0.3, 0.2);
  for (let i = 0; i < passes; i++) {
    const angle = (6 * i) / passes;
    send("pointermove", 0.5 + 0.25 * Math.cos(angle), 0.5 + 0.3 * Math.sin(angle));
    times.push(mnistDraw.pass());
  }
  send("pointerup", 0.5, 0.5);
  return times;
}"""


def main() -> None:
    chromium = (
        shutil.which("chromium")
        or shutil.which("chromium-browser")
        or shutil.which("google-chrome")
    )
    with sync_playwright() as playwright:
        flags = ["--no-sandbox", "--disable-gpu", "--disable-background-networking"]
        browser = playwright.chromium.launch(executable_path=chromium, args=flags)
        page = browser.new_page(viewport={"width": 1200, "height": 900})
        page.goto((HTML / "draw.html").as_uri())
        page.wait_for_function("window.mnistDraw && window.mnistDraw.pass")
        page.evaluate(DRAW_AND_PASS, 30)  # so that the browser has compiled the loops
        times = sorted(page.evaluate(DRAW_AND_PASS, PASSES))
        browser.close()
    print(describe_machine())
    print(
        f"{PASSES} passes: median {median(times):.1f} ms, 95 % below {times[int(0.95 * PASSES)]:.1f} ms"
    )


if __name__ == "__main__":
    main()
