"""What a reader is given: words, and code lines that are shown of those that run.

Run it:  python tests/benchmarks/words.py
Words are those of Markdown cells, without solutions and HTML's tags; questions with
choices have a column of their own. The teacher's page, the lab and the page of
symptoms, which is looked up, are left out of the sum: no learner reads them through.
"True" is counted where a page shows it.
"""

import json
import re
from pathlib import Path
from typing import Any

BOOK = Path(__file__).parents[2] / "book"
NOT_SHOWN = {"remove-cell", "remove-input", "hide-input", "hide-cell"}


def without_solutions(cells: list[dict[str, Any]]) -> list[dict[str, Any]]:
    """Leave out what stands between `solution-start` and `solution-end`."""
    kept = []
    inside = False
    for cell in cells:
        source = "".join(cell["source"])
        inside = inside or "{solution-start}" in source
        if not inside:
            kept.append(cell)
        inside = inside and "{solution-end}" not in source
    return kept


def count(notebook: Path) -> dict[str, int]:
    """Count one page's words, its lines of code, and how often it shows True."""
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    counts = dict.fromkeys(("words", "choices", "lines", "shown", "true"), 0)
    for cell in without_solutions(cells):
        if cell["cell_type"] == "markdown":
            text = "".join(cell["source"])
            kind = "choices" if '<details class="choice' in text else "words"
            counts[kind] += len(re.sub(r"</?[a-z][^>]*>", " ", text).split())
    for cell in cells:
        if cell["cell_type"] == "code":
            tags = set(cell["metadata"].get("tags", []))
            lines = [line for line in "".join(cell["source"]).splitlines() if line]
            counts["lines"] += len(lines)
            counts["shown"] += 0 if tags & NOT_SHOWN else len(lines)
            if not tags & {"remove-cell", "remove-output"}:
                text = json.dumps(cell["outputs"])
                counts["true"] += len(re.findall(r"\bTrue\b", text))
    return counts


def main() -> None:
    pages = {path.stem: count(path) for path in sorted(BOOK.glob("*.ipynb"))}
    print(f"{'':18}  words choices  lines  shown   True")
    for name, counts in pages.items():
        print(f"{name:18}" + "".join(f"{number:7,}" for number in counts.values()))
    del pages["teaching"], pages["lab"], pages["symptoms"]
    totals = [sum(page[key] for page in pages.values()) for key in pages["index"]]
    print(f"{'all but these 3':18}" + "".join(f"{number:7,}" for number in totals))


if __name__ == "__main__":
    main()
