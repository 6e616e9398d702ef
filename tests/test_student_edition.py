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
NOTEBOOKS = sorted({path.name for path in BOOK.glob("*.ipynb")} - {"teaching.ipynb"})


def cells_of(notebook: Path) -> Any:
    return json.loads(notebook.read_text(encoding="utf-8"))["cells"]


def text_of(cells: Cells) -> str:
    return "\n".join("".join(cell["source"]) for cell in cells)


def markdown(*texts: str) -> Cells:
    kind: Any = {"cell_type": "markdown", "metadata": {}}
    return [kind | {"source": [text]} for text in texts]


def write(folder: Path, *options: str) -> subprocess.CompletedProcess[str]:
    command: list[Any] = [sys.executable, PROGRAM, folder, *options]
    return subprocess.run(command, capture_output=True, text=True)


def files_of(folder: Path) -> dict[Path, bytes]:
    names = ("book", "mnist_tutorial", *student_edition.FILES)
    return {
        path.relative_to(folder): path.read_bytes()
        for name in names
        for path in (folder / name, *(folder / name).rglob("*"))
        if path.is_file()
        and not {"__pycache__", ".ipynb_checkpoints", "members"} & {*path.parts}
    }


@pytest.fixture(scope="module")
def edition(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("edition") / "student"
    assert write(folder).returncode == 0
    return folder


def test_all_but_the_notebooks_and_the_contents_is_copied(edition: Path) -> None:
    original, copied = files_of(ROOT), files_of(edition)
    left_out = {*student_edition.LEFT_OUT, "student_edition.py"}
    assert {path.name for path in original.keys() - copied.keys()} == left_out
    changed = {path for path in copied if copied[path] != original[path]}
    others = {path for path in changed if path.suffix != ".ipynb"}
    assert others == {Path("book/_toc.yml")}


def test_its_readme_names_no_file_that_only_the_whole_book_has(edition: Path) -> None:
    text = (edition / "README.md").read_text(encoding="utf-8")
    named = {word.rstrip(".") for word in re.findall(r"[\w./-]+", text)} - {""}
    there = {name for name in named if (ROOT / name).exists()}
    assert {"LICENSE", "NOTICE.md", ".ci/constraints.txt"} <= there
    missing = {name for name in there if not (edition / name).exists()}
    assert not {name for name in missing if not name.startswith(("_build", ".venv"))}


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_solutions_and_answers_are_gone_and_all_else_is_kept(
    edition: Path, name: str
) -> None:
    before, after = cells_of(BOOK / name), cells_of(edition / "book" / name)
    assert not re.search("(?<!re)solution", text_of(after).lower())
    assert "{dropdown} Answer" not in text_of(after)
    inside, outside = False, []
    for cell in before:  # told by the labels once more, in another way
        text = text_of([cell])
        inside = inside or "{solution-start}" in text
        if not inside and "teacher" not in cell["metadata"].get("tags", []):
            outside.append(cell)
        inside = inside and "{solution-end}" not in text
    written = [cell for cell in after if "# Your answer to" not in text_of([cell])]
    for old, new in zip(outside, written, strict=True):
        if name == student_edition.LAB and "outputs" in old:
            old |= {"outputs": [], "execution_count": None}
        # Line by line, an answer is all from its first colons to the next.
        answer, lines = False, []
        for line in text_of([old]).splitlines():
            answer = answer or line == ":::{dropdown} Answer"
            lines += [] if answer or not line else [line]
            answer = answer and line != ":::"
        assert lines == [line for line in text_of([new]).splitlines() if line]
        assert {**new, "source": ""} == {**old, "source": ""}


@pytest.mark.parametrize("name", NOTEBOOKS)
def test_after_each_exercise_stands_a_cell_to_write_in(
    edition: Path, name: str
) -> None:
    notebook = json.loads((edition / "book" / name).read_text("utf-8"))
    nbformat.validate(notebook)  # which refuses an id that is there twice
    exercises = 0
    for cell, after in itertools.pairwise(notebook["cells"]):
        for label in re.findall(r"\{exercise\}.*\n:label: (\S+)", text_of([cell])):
            assert text_of([after]) == f"# Your answer to the exercise {label}"
            exercises += 1
    assert exercises == text_of(notebook["cells"]).count(":::{exercise}")


def test_answers_to_the_open_questions_stay_if_asked_for(tmp_path: Path) -> None:
    write(tmp_path / "student", "--with-answers")
    text = text_of(cells_of(tmp_path / "student" / "book" / "loading.ipynb"))
    assert text.count("{dropdown} Answer") == 3
    assert "{solution" not in text


def test_a_folder_that_is_there_is_not_written_into(tmp_path: Path) -> None:
    done = write(tmp_path)
    assert done.returncode == 1
    assert str(tmp_path) in done.stderr and "Traceback" not in done.stderr
    assert not any(tmp_path.iterdir())


def test_it_builds_without_a_warning(edition: Path) -> None:
    pytest.importorskip("jupyter_book", reason="the extra book is not installed")
    code = "from jupyter_book.cli.main import main; main()"
    options = ["-W", "-n", "--keep-going", "--quiet"]
    command = [sys.executable, "-c", code, "build", "book", *options]
    subprocess.run(command, cwd=edition, check=True, capture_output=True)
    assert not list((edition / "_build" / "html").rglob("teaching*.html"))


START, END = ":::{solution-start} one\n:::", ":::{solution-end}\n:::"


@pytest.mark.parametrize(
    "texts",
    [
        (f"An exercise.\n\n{START}", "x", END),
        (START, "x", f"{END}\n\n## Key points"),
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
        ("part/page.ipynb", "```{solution-start} one\n```"),
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
