"""The book's own rules, read from the notebooks as they are committed."""

import itertools
import json
import re
from pathlib import Path
from typing import Any

import pytest

from mnist_tutorial import results

BOOK = Path(__file__).parent.parent / "book"
NOTEBOOKS = sorted(BOOK.glob("*.ipynb"))
CHAPTERS = [
    notebook
    for notebook in NOTEBOOKS
    if notebook.stem not in ("index", "symptoms", "teaching", "lab")
]
SECTIONS = ["## Check yourself", "## Exercises", "## Key points", "## What's next"]


def cells_of(notebook: Path, kind: str) -> list[dict[str, Any]]:
    cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return [cell for cell in cells if cell["cell_type"] == kind]


def code_cells_of(notebook: Path) -> list[dict[str, Any]]:
    return cells_of(notebook, "code")


def text_of(notebook: Path) -> str:
    cells = cells_of(notebook, "markdown")
    return "\n\n".join("".join(cell["source"]) for cell in cells)


def test_the_table_of_contents_lists_every_page() -> None:
    listed = re.findall(
        r"(?:file|root): (\S+)", (BOOK / "_toc.yml").read_text(encoding="utf-8")
    )
    pages = [page.stem for page in BOOK.iterdir() if page.suffix in (".md", ".ipynb")]
    assert sorted(listed) == sorted(pages)


def test_every_source_is_cited_and_every_term_is_linked() -> None:
    pages = [page for page in BOOK.iterdir() if page.suffix in (".md", ".ipynb")]
    text = "\n".join(
        text_of(page) if page.suffix == ".ipynb" else page.read_text("utf-8")
        for page in pages
    )
    sources = re.findall(
        r"^@\w+\{([^,\s]+),", (BOOK / "references.bib").read_text("utf-8"), re.MULTILINE
    )
    cited = {
        name.strip()
        for names in re.findall(r"\{cite(?::\w+)?\}`([^`]+)`", text)
        for name in names.split(",")
    }
    assert set(sources) == cited
    assert len(sources) == len(cited)
    glossary = (BOOK / "glossary.md").read_text("utf-8").partition("```{glossary}")[2]
    terms = {term.lower() for term in re.findall(r"^(\w.*)$", glossary, re.MULTILINE)}
    roles = re.findall(r"\{term\}`(?:[^`<]*<([^`>]+)>|([^`<]+))`", text)
    assert terms == {(long or short).lower() for long, short in roles}


def test_the_table_of_results_gives_the_recorded_means() -> None:
    page = (BOOK.parent / ".github" / "CONTRIBUTING.md").read_text(encoding="utf-8")
    rows = re.findall(
        r"\| ([\d.]+) errors, ([\d.]+) % \| `mnist-tutorial reproduce ([\w-]+)`", page
    )
    assert len(rows) >= 5
    for errors, accuracy, name in rows:
        runs = results.load(name)["runs"]
        mean = sum(run["digits"] - run["correct"] for run in runs) / len(runs)
        assert (errors, accuracy) == (f"{mean:.1f}", f"{100 - mean / 100:.3f}")


def test_the_key_to_the_lab_has_three_seeds_of_each_change() -> None:
    text = text_of(BOOK / "lab.ipynb")
    offered = re.findall(r"^\| `(\w+)=(\S+)` \|", text, re.MULTILINE)
    recorded = [
        (name, str(value), run["seed"])
        for run in results.load("lab")["runs"]
        for name, value in run["changes"].items()
    ]
    assert len(offered) >= 5
    assert recorded == [(*change, seed) for change in offered for seed in range(3)]


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
class TestEveryNotebook:
    def test_was_executed_once_from_top_to_bottom(self, notebook: Path) -> None:
        cells = code_cells_of(notebook)
        assert [cell["execution_count"] for cell in cells] == list(
            range(1, len(cells) + 1)
        )

    def test_shows_no_error_and_no_noise(self, notebook: Path) -> None:
        outputs = [
            output for cell in code_cells_of(notebook) for output in cell["outputs"]
        ]
        assert not [output for output in outputs if output["output_type"] == "error"]
        assert not [output for output in outputs if output.get("name") == "stderr"]

    def test_draws_each_figure_that_it_promises(self, notebook: Path) -> None:
        for cell in code_cells_of(notebook):
            if "figure" in cell["metadata"].get("mystnb", {}):
                kinds = [set(output.get("data", {})) for output in cell["outputs"]]
                shown = set().union(*kinds)
                assert shown & {"image/png", "image/svg+xml", "text/html"}, cell["id"]

    def test_leads_to_the_page_on_running_it(self, notebook: Path) -> None:
        assert "(running.md)" in text_of(notebook)

    def test_describes_every_picture(self, notebook: Path) -> None:
        for cell in code_cells_of(notebook):
            if any("image/png" in output.get("data", {}) for output in cell["outputs"]):
                alt = cell["metadata"].get("mystnb", {}).get("image", {}).get("alt", "")
                assert len(alt.split()) >= 8, cell["id"]

    def test_compares_its_outputs_but_for_a_few(self, notebook: Path) -> None:
        """What is not compared is followed by a cell that is, before the next such."""
        ignored = [
            "nbval-ignore-output" in cell["metadata"].get("tags", [])
            for cell in code_cells_of(notebook)
        ]
        assert not any(
            first and second for first, second in itertools.pairwise(ignored)
        )
        assert not ignored[-1]


@pytest.mark.parametrize("chapter", CHAPTERS, ids=lambda path: path.stem)
class TestEveryChapter:
    def test_has_the_parts_of_a_chapter_in_their_order(self, chapter: Path) -> None:
        headings = re.findall(r"^## .*$", text_of(chapter), re.MULTILINE)
        assert headings[-len(SECTIONS) :] == SECTIONS
        assert text_of(chapter).count(":::{dropdown} Answer") == 3

    def test_solves_every_exercise(self, chapter: Path) -> None:
        text = text_of(chapter)
        exercises = re.findall(r":::\{exercise\}.*\n:label: (\S+)", text)
        assert exercises
        assert re.findall(r":::\{solution-start\} (\S+)", text) == exercises
