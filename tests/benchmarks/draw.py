"""The time of one pass in the page, from stroke to bars and maps, in Chromium.

Build the book, then run it with nothing else running:

    python tests/benchmarks/draw.py [FOLDER ...]

Each FOLDER is a built book; without one it is this one's. Several take turns.
"""

import sys
from pathlib import Path
from statistics import median

from mnist_tutorial.experiments.recording import describe_machine

sys.path.insert(0, str(Path(__file__).parents[1]))
from browser import HTML, chromium
from load import PAPER

PASSES, TURNS = 100, 4
DRAW_AND_PASS = """([passes, paper]) => {
  const canvas = document.querySelector(paper);
  const box = canvas.getBoundingClientRect();
  const send = (type, x, y) => canvas.dispatchEvent(new PointerEvent(type, {
    pointerId: 1, button: 0, bubbles: true,
    clientX: box.x + x * box.width, clientY: box.y + y * box.height }));
  Element.prototype.setPointerCapture = () => {};
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
    books = [Path(folder).resolve() for folder in sys.argv[1:]] or [HTML]
    times: dict[Path, list[float]] = {book: [] for book in books}
    for _ in range(TURNS):
        for book in books:  # alone in its browser, as with a reader
            with chromium() as browser:
                page = browser.new_page(viewport={"width": 1200, "height": 900})
                page.goto((book / "draw.html").as_uri())
                page.wait_for_function("Boolean(window.mnistDraw?.logits)")
                # At first the browser compiles the loops.
                page.evaluate(DRAW_AND_PASS, [50, PAPER])
                times[book] += page.evaluate(DRAW_AND_PASS, [PASSES, PAPER])
    print(describe_machine())
    for book, found in times.items():
        late = sorted(found)[int(0.95 * len(found))]
        print(f"{book}: {len(found)} passes, median {median(found):.1f} ms, ", end="")
        print(f"95 % below {late:.1f} ms")


if __name__ == "__main__":
    main()
