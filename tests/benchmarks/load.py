"""Seconds from opening a page, with nothing cached, until a stroke has produced bars.

Build the book, then run it with nothing else running:

    python tests/benchmarks/load.py [FOLDER ...]

Each FOLDER is a built book; without one it is this one's. They are served, compressed
with gzip, by one server, and take turns: first as fast as the machine is, then with the
processor at a quarter of its speed and 1.6 Mbit/s with 150 ms of delay.
"""

import contextlib
import functools
import gzip
import http.server
import sys
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from statistics import median

from playwright.sync_api import Browser, sync_playwright

sys.path.insert(0, str(Path(__file__).parents[1]))
from browser import CHROMIUM, FLAGS, HTML

RUNS = 5
SLOW = {
    "offline": False,
    "latency": 150,
    "downloadThroughput": 1.6e6 / 8,
    "uploadThroughput": 1.6e6 / 8,
}
COMPRESSED = {".html", ".js", ".css", ".svg", ".json"}
# What a reader sees as the answer: the percentages of ten bars, all of them there.
BARS = """() => {
  const bars = document.querySelector("#mnist-draw ol, #front-answer ol");
  const text = bars ? bars.textContent : "";
  return (text.match(/%/g) || []).length === 10 ? text : "";
}"""


class Handler(http.server.SimpleHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: object) -> None:
        pass

    def handle(self) -> None:
        with contextlib.suppress(ConnectionError):  # the page was left meanwhile
            super().handle()

    def do_GET(self) -> None:
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


@contextlib.contextmanager
def served() -> Iterator[str]:
    handler = functools.partial(Handler, directory="/")
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        threading.Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}"
        server.shutdown()


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
    paper = page.locator("#mnist-draw canvas, #front-paper canvas").first
    paper.wait_for()
    paper.scroll_into_view_if_needed()
    before = page.evaluate(BARS)
    box = paper.bounding_box()
    assert box
    x, y = box["x"] + box["width"] / 2, box["y"] + box["height"] / 4
    page.mouse.move(x, y)
    page.mouse.down()
    page.mouse.move(x, y + box["height"] / 2, steps=4)
    page.mouse.up()
    page.wait_for_function(
        f"(before) => {{ const now = ({BARS})(); return now && now !== before; }}",
        arg=before,
    )
    taken = time.perf_counter() - start
    context.close()
    return taken


def main() -> None:
    books = [Path(folder).resolve() for folder in sys.argv[1:]] or [HTML]
    with served() as origin, sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=CHROMIUM, args=FLAGS)
        for slowly in (False, True):
            times: dict[str, list[float]] = {}
            for run in range(RUNS + 1):  # the first fills the server's cache
                for book in books:
                    for name in ("draw", "index"):
                        file = book / f"{name}.html"
                        if "draw/network.js" not in file.read_text("utf-8"):
                            continue  # a page without a paper
                        taken = seconds(browser, f"{origin}{file}", slowly)
                        if run:
                            times.setdefault(str(file), []).append(taken)
            print("processor at a quarter, 1.6 Mbit/s" if slowly else "unthrottled")
            for file_name, found in times.items():
                spread = f"{min(found):.2f} to {max(found):.2f}"
                print(f"  {file_name}: median {median(found):.2f} s ({spread})")
        browser.close()


if __name__ == "__main__":
    main()
