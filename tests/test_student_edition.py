"""The book without its solutions: what a teacher hands out."""

import importlib.util
import json
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

BOOK = Path(__file__).parent.parent / "book"
PROGRAM = BOOK / "student_edition.py"
specification = importlib.util.spec_from_file_location("student_edition", PROGRAM)
assert specification and specification.loader
student_edition = importlib.util.module_from_spec(specification)
specification.loader.exec_module(student_edition)

Cells = list[dict[str, Any]]


def cells_of(notebook: Path) -> Cells:
    cells: Cells = json.loads(notebook.read_text(encoding="utf-8"))["cells"]
    return cells


def text_of(cells: Cells) -> str:
    return "\n".join("".join(cell["source"]) for cell in cells)


def markdown(*texts: str) -> Cells:
    return [{"cell_type": "markdown", "source": [text]} for text in texts]


@pytest.fixture(scope="module")
def edition(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("edition") / "student"
    subprocess.run([sys.executable, PROGRAM, folder], check=True)
    return folder


def test_every_page_setting_and_module_is_there(edition: Path) -> None:
    root, names = BOOK.parent, ("book", "mnist_tutorial", *student_edition.FILES)
    original = {
        path.relative_to(root)
        for name in names
        for path in (root / name, *(root / name).rglob("*"))
        if path.is_file()
    }
    files = [path for path in edition.rglob("*") if path.is_file()]
    copied = {path.relative_to(edition) for path in files}
    missing = {
        path
        for path in original - copied
        if not any(part == "__pycache__" or part.startswith(".") for part in path.parts)
        and path.parts[:3] != ("mnist_tutorial", "assets", "members")
    }
    assert missing == {Path("book/student_edition.py")}
    assert copied <= original
    for path in copied:
        same = (edition / path).read_bytes() == (root / path).read_bytes()
        assert same or path.suffix == ".ipynb"


def test_the_copy_holds_the_package_that_its_notebooks_import(edition: Path) -> None:
    code = "import mnist_tutorial as m; m.load_mnist(); print(m.__file__, end='')"
    command = [sys.executable, "-c", code]
    said = subprocess.check_output(command, cwd=edition, text=True)
    assert Path(said).samefile(edition / "mnist_tutorial" / "__init__.py")


@pytest.mark.parametrize(
    "notebook", sorted(BOOK.glob("*.ipynb")), ids=lambda path: path.stem
)
def test_solutions_are_gone_and_all_else_is_kept(edition: Path, notebook: Path) -> None:
    before, after = cells_of(notebook), cells_of(edition / "book" / notebook.name)
    assert "{solution" not in text_of(after)
    if notebook.stem != "teaching":  # which speaks of solutions, and has none
        assert not re.search("(?<!re)solution", text_of(after).lower())
    inside, outside = False, []
    for cell in before:  # told by the labels once more, in another way
        text = "".join(cell["source"])
        inside = inside or "{solution-start}" in text
        outside += [] if inside else [cell]
        inside = inside and "{solution-end}" not in text
    assert after == outside


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
    ],
)
def test_a_solution_of_another_form_is_refused_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, text: str
) -> None:
    page = tmp_path / "book" / name
    page.parent.mkdir(parents=True)
    notebook = json.dumps({"cells": markdown(text)})
    page.write_text(text if page.suffix == ".md" else notebook)
    monkeypatch.setattr(student_edition, "BOOK", tmp_path / "book")
    with pytest.raises(ValueError, match=f"{page.name}: a solution"):
        student_edition.write_student_edition(tmp_path / "student")
    assert [path.name for path in tmp_path.iterdir()] == ["book"]
