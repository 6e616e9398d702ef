"""The book without its solutions: what a teacher hands out."""

import importlib.util
import itertools
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import nbformat
import pytest

ROOT = Path(__file__).parent.parent
BOOK = ROOT / "book"
PROGRAM = BOOK / "student_edition.py"
specification = importlib.util.spec_from_file_location("student_edition", PROGRAM)
assert specification and specification.loader
student_edition = importlib.util.module_from_spec(specification)
specification.loader.exec_module(student_edition)

Cells = list[dict[str, Any]]
NOTEBOOKS = [
    path
    for path in sorted(BOOK.glob("*.ipynb"))
    if path.name not in student_edition.LEFT_OUT
]


def cells_of(notebook: Path) -> Cells:
    cells: Cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return cells


def text_of(cells: Cells) -> str:
    return "\n".join("".join(cell["source"]) for cell in cells)


def markdown(*texts: str) -> Cells:
    return [
        {"cell_type": "markdown", "metadata": {}, "source": [text]} for text in texts
    ]


def write(folder: Path, *options: str) -> str:
    command: list[Any] = [sys.executable, PROGRAM, folder, *options]
    return subprocess.run(command, check=True, capture_output=True, text=True).stdout


@pytest.fixture(scope="module")
def said_and_written(tmp_path_factory: pytest.TempPathFactory) -> tuple[str, Path]:
    folder = tmp_path_factory.mktemp("edition") / "student"
    return write(folder), folder


@pytest.fixture(scope="module")
def edition(said_and_written: tuple[str, Path]) -> Path:
    return said_and_written[1]


def test_every_page_setting_and_module_is_there(edition: Path) -> None:
    names = ("book", "mnist_tutorial", *student_edition.FILES)
    original = {
        path.relative_to(ROOT)
        for name in names
        for path in (ROOT / name, *(ROOT / name).rglob("*"))
        if path.is_file()
    }
    copied = {path.relative_to(edition) for path in edition.rglob("*")}
    copied = {path for path in copied if (edition / path).is_file()}
    missing = {
        path
        for path in original - copied
        if "__pycache__" not in path.parts
        and ".ipynb_checkpoints" not in path.parts
        and path.parts[:3] != ("mnist_tutorial", "assets", "members")
    }
    left_out = {*student_edition.LEFT_OUT, "student_edition.py"}
    assert {path.name for path in missing} == left_out
    assert copied - original == {Path("README.md")}
    changed = {
        path
        for path in copied & original
        if path.suffix != ".ipynb"
        and (edition / path).read_bytes() != (ROOT / path).read_bytes()
    }
    assert changed == {Path("book/_toc.yml")}


def test_its_table_of_contents_lists_its_pages(edition: Path) -> None:
    text = (edition / "book/_toc.yml").read_text(encoding="utf-8")
    listed = re.findall(r"(?:file|root): (\S+)", text)
    book = (edition / "book").iterdir()
    assert sorted(listed) == sorted(
        page.stem for page in book if page.suffix in (".md", ".ipynb")
    )


def test_its_readme_names_no_file_that_only_the_whole_book_has(edition: Path) -> None:
    text = (edition / "README.md").read_text(encoding="utf-8")
    named = {word.rstrip(".") for word in re.findall(r"[\w./-]+", text)}
    there = {name for name in named if name and (ROOT / name).exists()}
    assert {"LICENSE", "NOTICE.md", ".ci/constraints.txt"} <= there
    missing = {name for name in there if not (edition / name).exists()}
    assert not {name for name in missing if not name.startswith(("_build", ".venv"))}


def test_the_copy_holds_the_package_that_its_notebooks_import(edition: Path) -> None:
    code = "import mnist_tutorial as m; m.load_mnist(); print(m.__file__, end='')"
    command = [sys.executable, "-c", code]
    said = subprocess.check_output(command, cwd=edition, text=True)
    assert Path(said).samefile(edition / "mnist_tutorial" / "__init__.py")


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_solutions_and_answers_are_gone_and_all_else_is_kept(
    edition: Path, notebook: Path
) -> None:
    before, after = cells_of(notebook), cells_of(edition / "book" / notebook.name)
    assert not re.search("(?<!re)solution", text_of(after).lower())
    assert "{dropdown} Answer" not in text_of(after)
    inside, outside = False, []
    for cell in before:  # told by the labels once more, in another way
        text = "".join(cell["source"])
        inside = inside or "{solution-start}" in text
        if not inside and "teacher" not in cell["metadata"].get("tags", []):
            outside.append(cell)
        inside = inside and "{solution-end}" not in text
    written = [cell for cell in after if "# Your answer to" not in text_of([cell])]
    assert [cell["id"] for cell in written] == [cell["id"] for cell in outside]
    for old, new in zip(outside, written, strict=True):
        if notebook.name == student_edition.LAB and "outputs" in old:
            old |= {"outputs": [], "execution_count": None}
        if "{dropdown} Answer" not in text_of([old]):
            assert new == old
    # Line by line, an answer is all from its first colons to the next.
    answer, lines = False, []
    for line in text_of(outside).splitlines():
        answer = answer or line == ":::{dropdown} Answer"
        lines += [] if answer or not line else [line]
        answer = answer and line != ":::"
    assert lines == [line for line in text_of(written).splitlines() if line]


@pytest.mark.parametrize("notebook", NOTEBOOKS, ids=lambda path: path.stem)
def test_after_each_exercise_stands_a_cell_to_write_in(
    edition: Path, notebook: Path
) -> None:
    cells = cells_of(edition / "book" / notebook.name)
    labels = [
        (label, text_of([after]), after["cell_type"])
        for cell, after in itertools.pairwise(cells)
        for label in re.findall(r"\{exercise\}.*\n:label: (\S+)", text_of([cell]))
    ]
    assert len(labels) == text_of(cells).count(":::{exercise}")
    for label, text, kind in labels:
        assert text.startswith("#") and label in text and kind == "code"
    written = json.loads((edition / "book" / notebook.name).read_text("utf-8"))
    nbformat.validate(written)  # which refuses an id that is there twice


def test_the_command_says_how_much_it_left_out_and_added(
    said_and_written: tuple[str, Path],
) -> None:
    said, edition = said_and_written
    text = "".join(text_of(cells_of(path)) for path in NOTEBOOKS)
    pages = [path for path in (edition / "book").iterdir() if path.is_file()]
    pages = [path for path in pages if path.suffix in (".md", ".ipynb")]
    solutions = text.count("{solution-start}")
    assert f"{len(pages)} pages" in said
    assert f"{solutions} cells to write in" in said  # every exercise has one
    assert f"{solutions} solutions" in said
    assert f"{text.count('{dropdown} Answer')} answers" in said


def test_answers_to_the_open_questions_stay_if_asked_for(tmp_path: Path) -> None:
    assert " 0 answers" in write(tmp_path / "student", "--with-answers")
    page = "loading.ipynb"
    cells = cells_of(tmp_path / "student" / "book" / page)
    assert text_of(cells).count("{dropdown} Answer") == 3
    assert "{solution" not in text_of(cells)


def test_it_builds_without_a_warning(edition: Path) -> None:
    pytest.importorskip("jupyter_book", reason="the extra book is not installed")
    code = "from jupyter_book.cli.main import main; main()"
    options = ["-W", "-n", "--keep-going", "--quiet"]
    command = [sys.executable, "-c", code, "build", "book", *options]
    subprocess.run(command, cwd=edition, check=True, capture_output=True)
    assert not list((edition / "_build" / "html").rglob("teaching*.html"))


def test_a_folder_that_is_there_is_not_written_into(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("a student's work")
    command: list[Any] = [sys.executable, PROGRAM, tmp_path]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 1
    assert str(tmp_path) in done.stderr
    assert "Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


START, END = ":::{solution-start} one\n:::", ":::{solution-end}\n:::"


@pytest.mark.parametrize(
    "texts",
    [
        (f"An exercise.\n\n{START}", "x", END),
        (START, "x", f"{END}\n\n## Key points"),
        ("x", END),
        (START, "x"),
    ],
)
def test_a_solution_without_borders_is_refused(texts: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r"chapter\.ipynb: .*solution"):
        student_edition.without_solutions(markdown(*texts), "chapter.ipynb")


@pytest.mark.parametrize(
    ("name", "text"),
    [
        ("page.md", ":::{solution} one\nx\n:::"),
        ("page.ipynb", "```{solution-start} one\n```"),
        ("part/page.ipynb", ":::{solution} one\nx\n:::"),
        ("page.ipynb", "> :::{dropdown} Answer\n> x\n> :::"),
        ("page.ipynb", "See [the page for teachers](teaching.ipynb)."),
    ],
)
def test_what_cannot_be_cut_is_refused_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str
) -> None:
    page = tmp_path / "book" / name
    page.parent.mkdir(parents=True)
    notebook = json.dumps({"cells": markdown(text)})
    page.write_text(text if page.suffix == ".md" else notebook)
    monkeypatch.setattr(student_edition, "BOOK", tmp_path / "book")
    with pytest.raises(ValueError, match=f"{page.name}: (a solution|an answer|leads)"):
        student_edition.write_student_edition(tmp_path / "student")
    assert [path.name for path in tmp_path.iterdir()] == ["book"]
