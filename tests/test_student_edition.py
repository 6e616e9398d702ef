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
specification = importlib.util.spec_from_file_location(
    "student_edition", BOOK / "student_edition.py"
)
assert specification
assert specification.loader
student_edition = importlib.util.module_from_spec(specification)
specification.loader.exec_module(student_edition)


def cells_of(notebook: Path) -> list[dict[str, Any]]:
    cells: list[dict[str, Any]] = json.loads(notebook.read_text(encoding="utf-8"))[
        "cells"
    ]
    return cells


def text_of(cells: list[dict[str, Any]]) -> str:
    return "\n".join("".join(cell["source"]) for cell in cells)


def markdown(*texts: str) -> list[dict[str, Any]]:
    return [
        {"cell_type": "markdown", "source": text.splitlines(keepends=True)}
        for text in texts
    ]


@pytest.fixture(scope="module")
def edition(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("edition") / "student"
    subprocess.run([sys.executable, BOOK / "student_edition.py", folder], check=True)
    return folder


def test_every_page_setting_and_module_is_there(edition: Path) -> None:
    copied = {
        path.relative_to(edition) for path in edition.rglob("*") if path.is_file()
    }
    names = (
        "book",
        "mnist_tutorial",
        "_config.yml",
        "pyproject.toml",
        "README.md",
        "LICENSE",
    )
    original = {
        path.relative_to(BOOK.parent)
        for name in names
        for path in (BOOK.parent / name, *(BOOK.parent / name).rglob("*"))
        if path.is_file()
    }
    missing = {
        path
        for path in original - copied
        if not any(part == "__pycache__" or part.startswith(".") for part in path.parts)
        and path.parts[:3] != ("mnist_tutorial", "assets", "members")
    }
    assert missing == {Path("book/student_edition.py")}
    assert copied <= original
    changed = {
        path
        for path in copied
        if (edition / path).read_bytes() != (BOOK.parent / path).read_bytes()
    }
    assert {path.suffix for path in changed} == {".ipynb"}


def test_the_copy_holds_the_package_that_its_notebooks_import(edition: Path) -> None:
    command = "import mnist_tutorial as package; print(package.__file__, len(package.load_mnist()[0][1]))"
    done = subprocess.run(
        [sys.executable, "-c", command], cwd=edition, capture_output=True, text=True
    )
    assert done.stdout.split() == [
        str(edition / "mnist_tutorial" / "__init__.py"),
        "60000",
    ]


@pytest.mark.parametrize(
    "notebook", sorted(BOOK.glob("*.ipynb")), ids=lambda path: path.stem
)
def test_solutions_are_gone_and_all_else_is_kept(edition: Path, notebook: Path) -> None:
    before, after = cells_of(notebook), cells_of(edition / "book" / notebook.name)
    assert "{solution" not in text_of(after)
    if notebook.stem != "teaching":  # which speaks of solutions, and has none
        assert not re.search("(?<!re)solution", text_of(after).lower())
    assert text_of(after).count(":::{exercise}") == text_of(before).count(
        ":::{exercise}"
    )
    inside, outside = False, []
    for cell in before:  # told by the labels once more, in another way
        text = "".join(cell["source"])
        inside = inside or "{solution-start}" in text
        outside += [] if inside else [cell]
        inside = inside and "{solution-end}" not in text
    assert after == outside
    assert len(before) - len(after) >= 2 * text_of(before).count("{solution-start}")


def test_a_folder_that_is_there_is_not_written_into(tmp_path: Path) -> None:
    (tmp_path / "mine.txt").write_text("a student's work")
    done = subprocess.run(
        [sys.executable, BOOK / "student_edition.py", tmp_path],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert str(tmp_path) in done.stderr
    assert "Traceback" not in done.stderr
    assert [path.name for path in tmp_path.iterdir()] == ["mine.txt"]


@pytest.mark.parametrize(
    "texts",
    [
        ("An exercise.\n\n:::{solution-start} one\n:::", "x", ":::{solution-end}\n:::"),
        (
            ":::{solution-start} one\n:::",
            "x",
            ":::{solution-end}\n:::\n\n## Key points",
        ),
        ("x", ":::{solution-end}\n:::"),
        (":::{solution-start} one\n:::", "x"),
    ],
)
def test_a_solution_without_borders_is_refused(texts: tuple[str, ...]) -> None:
    with pytest.raises(ValueError, match=r"chapter\.ipynb: .*solution"):
        student_edition.without_solutions(markdown(*texts), "chapter.ipynb")


@pytest.mark.parametrize(
    ("name", "content"),
    [
        ("page.md", "# A page\n\n:::{solution} one\nx\n:::\n"),
        (
            "page.ipynb",
            json.dumps({"cells": markdown("```{solution-start} one\n```", "x")}),
        ),
        (
            "part/page.ipynb",
            json.dumps({"cells": markdown(":::{solution} one\nx\n:::")}),
        ),
    ],
)
def test_a_solution_of_another_form_is_refused_before_anything_is_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, content: str
) -> None:
    page = tmp_path / "book" / name
    page.parent.mkdir(parents=True)
    page.write_text(content)
    monkeypatch.setattr(student_edition, "BOOK", tmp_path / "book")
    with pytest.raises(ValueError, match=f"{page.name}: a solution"):
        student_edition.write_student_edition(tmp_path / "student")
    assert [path.name for path in tmp_path.iterdir()] == ["book"]
