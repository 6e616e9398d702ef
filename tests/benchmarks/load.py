"""Seconds from opening a page, with nothing cached, until a stroke has produced bars.

And seconds from choosing a picture of 12 megapixels until it has.

Build the book, then run it with nothing else running:

    python tests/benchmarks/load.py [FOLDER ...]

Each FOLDER is a built book; without one it is this one's. They are served, compressed
with gzip, by one server, and take turns: first as fast as the machine is, then with the
processor at a quarter of its speed and 1.6 Mbit/s with 150 ms of delay.
"""

import contextlib
import functools
import gzip
import sys
import tempfile
import time
from collections import defaultdict
from pathlib import Path
from statistics import median

import numpy as np
from PIL import Image
from playwright.sync_api import Browser, Page

sys.path.insert(0, str(Path(__file__).parents[1]))
from browser import HTML, QuietHandler, chromium, served

from mnist_tutorial import data

RUNS = 5
SLOW = {
    "offline": False,
    "latency": 150,
    "downloadThroughput": 1.6e6 / 8,
    "uploadThroughput": 1.6e6 / 8,
}
COMPRESSED = {".html", ".js", ".css", ".svg", ".json"}
# What one draws on; in an older book it is the first canvas.
PAPER = "#md-paper canvas, #front-paper canvas, #mnist-draw:not(:has(.md-strip)) canvas"
SHOW_PAPER = """(paper) => {
  const canvas = document.querySelector(paper);
  canvas.scrollIntoView({ block: "nearest" });
  const { x, y, width, height } = canvas.getBoundingClientRect();
  return [x + width / 2, y, height];
}"""
# What a reader sees as the answer: the percentages of ten bars, all of them there.
BARS = """() => {
  const bars = document.querySelector("#mnist-draw ol, #front-answer ol");
  const text = bars ? bars.textContent : "";
  return (text.match(/%/g) || []).length === 10 ? text : "";
}"""


class Handler(QuietHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True  # as servers do, or bodies wait 40 ms for headers

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError):  # the page was left meanwhile
            super().handle()

    def do_GET(self) -> None:  # noqa: N802
        path = Path(self.translate_path(self.path))
        if not path.is_file():
            self.send_error(404)
            return
        content = compressed(path) if path.suffix in COMPRESSED else path.read_bytes()
        self.send_response(200)
        self.send_header("Content-Type", self.guess_type(path))
        self.send_header("Content-Length", str(len(content)))
        if path.suffix in COMPRESSED:
            self.send_header("Content-Encoding", "gzip")
        self.end_headers()
        self.wfile.write(content)


@functools.cache
def compressed(path: Path) -> bytes:
    return gzip.compress(path.read_bytes())


def seconds(browser: Browser, address: str, slowly: bool) -> float:
    """Open a page, draw a stroke as soon as there is a paper, and wait for its bars."""
    context = browser.new_context(viewport={"width": 1440, "height": 900})
    page = context.new_page()
    tools = context.new_cdp_session(page)
    if slowly:
        tools.send("Network.enable")
        tools.send("Network.emulateNetworkConditions", SLOW)
        tools.send("Emulation.setCPUThrottlingRate", {"rate": 4})
    start = time.perf_counter()
    page.goto(address, wait_until="commit")
    # Asked in the page: a locator would ask again after pauses of up to half a second,
    # and wait until nothing moves.
    page.wait_for_function("(paper) => document.querySelector(paper)", arg=PAPER)
    x, y, height = page.evaluate(SHOW_PAPER, PAPER)
    before = page.evaluate(BARS)
    page.mouse.move(x, y + height / 4)
    page.mouse.down()
    page.mouse.move(x, y + height * 3 / 4, steps=4)
    page.mouse.up()
    wait_for_bars(page, before)
    taken = time.perf_counter() - start
    context.close()
    return taken


def wait_for_bars(page: Page, before: str) -> None:
    page.wait_for_function(
        f"(before) => {{ const now = ({BARS})(); return now && now !== before; }}",
        arg=before,
    )


def seconds_for_a_picture(browser: Browser, address: str, files: list[Path]) -> float:
    """Choose one picture file after another, and time the bars of the last."""
    page = browser.new_page()
    page.goto(address)
    page.wait_for_function("Boolean(window.mnistDraw?.logits)")
    page.wait_for_timeout(3000)  # until the 7 that writes itself has been read
    for file in files:  # the first also warms the loops up
        before = page.evaluate(BARS)
        start = time.perf_counter()
        page.set_input_files("#md-file", file)
        wait_for_bars(page, before)
    taken = time.perf_counter() - start
    page.close()
    return taken


def show(times: dict[Path, list[float]]) -> None:
    for name, found in times.items():
        spread = f"{min(found):.2f} to {max(found):.2f}"
        print(f"  {name}: median {median(found):.2f} s ({spread})")


def write_photo(path: Path, place: int) -> Path:
    """Write a picture of 12 megapixels: a digit on light paper, with some grain."""
    (digits, _), _ = data.load_mnist()
    grain = np.random.default_rng(0).normal(235, 3, (4000, 3000))
    large = Image.fromarray(digits[place]).resize((1500, 1500))
    grain[1200:2700, 700:2200] *= 1 - 0.8 * np.asarray(large) / 255
    Image.fromarray(grain.clip(0, 255).astype(np.uint8)).save(path, quality=90)
    return path


def main() -> None:
    books = [Path(folder).resolve() for folder in sys.argv[1:]] or [HTML]
    papers = [  # where one draws
        file
        for book in books
        for file in (book / "draw.html", book / "index.html")
        if "draw/network.js" in file.read_text("utf-8")
    ]
    with served(Path("/"), Handler) as origin, chromium() as browser:
        for slowly in (False, True):
            times: dict[Path, list[float]] = defaultdict(list)
            for run in range(RUNS + 1):  # the first fills the server's cache
                for file in papers:
                    taken = seconds(browser, f"{origin}{file}", slowly)
                    if run:
                        times[file].append(taken)
            print("processor at a quarter, 1.6 Mbit/s" if slowly else "unthrottled")
            show(times)
        print("a picture of 12 megapixels")
        times = defaultdict(list)
        with tempfile.TemporaryDirectory() as folder:
            photos = [write_photo(Path(folder) / f"{k}.jpg", k) for k in (4, 7)]
            for _ in range(RUNS):
                for book in books:
                    address = f"{origin}{book}/draw.html"
                    taken = seconds_for_a_picture(browser, address, photos)
                    times[book].append(taken)
        show(times)


if __name__ == "__main__":
    main()
