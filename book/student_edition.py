"""Write a copy of the book for students, a repository of its own:

python book/student_edition.py FOLDER
jupyter-book build FOLDER/book/

It has no solutions, no answers to the open questions, and nothing for teachers alone.
"""

import argparse
import json
import re
import shutil
import sys
from collections import Counter
from pathlib import Path
from typing import Any

BOOK = Path(__file__).parent
LAB = "lab.ipynb"  # where students guess before they run, so they get no outputs
LEFT_OUT = ("teaching.ipynb", "changelog.md")
FILES = (  # that come along, beside the book and the package
    "_config.yml",
    "pyproject.toml",
    "hatch_build.py",
    "CITATION.cff",
    "LICENSE",
    "NOTICE.md",
    ".gitattributes",
    ".gitignore",
    ".binder/requirements.txt",
    ".binder/runtime.txt",
    ".ci/constraints.txt",
    ".github/draw.png",
    ".github/publish.py",
    ".github/workflows/pages.yml",
)
README = ".github/student_edition.md"
START, END = ":::{solution-start}", ":::{solution-end}"
ANSWER = re.compile(
    r"^(:{3,})\{dropdown\} Answer\n.*?^\1$\n*", re.DOTALL | re.MULTILINE
)
EXERCISE = re.compile(r"^:::\{exercise\}.*\n:label: (\S+)$", re.MULTILINE)
Cells = list[dict[str, Any]]


def write_student_edition(folder: Path, with_answers: bool = False) -> Counter[str]:
    """Write the copy, and return how much of each kind was left out or added.

    Raises FileExistsError if the folder is there already, so that no one's work is
    overwritten, and ValueError, before anything is written, for a page that cannot be
    cut.
    """
    if folder.exists():
        raise FileExistsError(
            f"{folder} is there already. Name a folder that does not exist yet."
        )
    counts: Counter[str] = Counter()
    texts = {
        page.relative_to(BOOK): student_text(page, with_answers, counts)
        for page in sorted(BOOK.rglob("*"))
        if page.suffix in (".md", ".ipynb") and page.name not in LEFT_OUT
        if not any(part.startswith(".") for part in page.relative_to(BOOK).parts)
    }
    texts[Path("_toc.yml")] = re.sub(
        rf"^ *- file: ({'|'.join(Path(name).stem for name in LEFT_OUT)})\n",
        "",
        (BOOK / "_toc.yml").read_text(encoding="utf-8"),
        flags=re.MULTILINE,
    )
    hidden = shutil.ignore_patterns(
        ".*", "__pycache__", "members", Path(__file__).name, *LEFT_OUT
    )
    for name in ("book", "mnist_tutorial"):
        shutil.copytree(BOOK.parent / name, folder / name, ignore=hidden)
    for name in FILES:
        (folder / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(BOOK.parent / name, folder / name)
    shutil.copy(BOOK.parent / README, folder / "README.md")
    for place, text in texts.items():
        (folder / "book" / place).write_text(text, encoding="utf-8", newline="\n")
    counts["pages"] = len(texts) - 1
    return counts


def student_text(page: Path, with_answers: bool, counts: Counter[str]) -> str:
    """Return the text of a page for students.

    Raises ValueError if a solution, an answer or a link to what is left out would stay.
    """
    text = page.read_text(encoding="utf-8")
    if page.suffix == ".ipynb":
        notebook = json.loads(text)
        cells = without_solutions(notebook["cells"], page.name)
        counts["solutions"] += str(notebook["cells"]).count(START)
        notebook["cells"] = student_cells(cells, with_answers, counts)
        if page.name == LAB:
            for cell in cells:
                if cell["cell_type"] == "code":
                    cell.update(execution_count=None, outputs=[])
        text = json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
    if "{solution" in text:
        raise ValueError(
            f"{page.name}: a solution can only stand in a notebook, from {START} to "
            f"{END}."
        )
    if "{dropdown} Answer" in text and not with_answers:
        raise ValueError(
            f"{page.name}: an answer can only stand in a notebook, from "
            ":::{dropdown} Answer to ::: at the beginning of a line."
        )
    for name in LEFT_OUT:
        if f"{name})" in text:
            raise ValueError(
                f"{page.name}: leads to {name}, which students do not get. Put what "
                "says so into a cell with the tag teacher."
            )
    return text


def without_solutions(cells: Cells, name: str) -> Cells:
    """Return the cells that are in no solution.

    Each solution begins and ends with a cell of its own. Raises ValueError, with the
    notebook's name, for a cell that holds something else as well.
    """
    kept, inside = [], False
    for cell in cells:
        text = "".join(cell["source"]).strip()
        if text.startswith(START):
            inside = True
        elif START in text or (
            END in text
            and not (inside and text.removesuffix(":::").rstrip().endswith(END))
        ):
            raise ValueError(
                f"{name}: put a +++ or a cell border before and after each solution, "
                f"in: {text:.80}"
            )
        if not inside:
            kept.append(cell)
        if END in text:
            inside = False
    if inside:
        raise ValueError(f"{name}: the last solution has no end.")
    return kept


def student_cells(cells: Cells, with_answers: bool, counts: Counter[str]) -> Cells:
    """Leave out what is for teachers, and answers; let students write in a cell."""
    kept = []
    for cell in cells:
        if "teacher" in cell["metadata"].get("tags", []):
            continue
        kept.append(cell)
        if cell["cell_type"] != "markdown":
            continue
        text = "".join(cell["source"])
        if not with_answers and ANSWER.search(text):
            text, cut = ANSWER.subn("", text)
            cell["source"] = text.rstrip().splitlines(keepends=True)
            counts["answers"] += cut
        for label in EXERCISE.findall(text):
            kept.append(cell_to_write_in(label))
            counts["exercises"] += 1
    return kept


def cell_to_write_in(label: str) -> dict[str, Any]:
    """Make an empty code cell, which pytest runs, but without comparing its output."""
    return {
        "cell_type": "code",
        "execution_count": None,
        "id": f"{label}-answer"[:64],
        "metadata": {"tags": ["nbval-ignore-output"]},
        "outputs": [],
        "source": [f"# Your answer to the exercise {label}"],
    }


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "folder", type=Path, help="where to write the copy; must not exist yet"
    )
    parser.add_argument(
        "--with-answers",
        action="store_true",
        help="keep the answers to the open questions",
    )
    arguments = parser.parse_args()
    try:
        counts = write_student_edition(**vars(arguments))
    except (FileExistsError, ValueError) as error:
        sys.exit(f"student_edition: {error}")
    folder = arguments.folder
    print(
        f"{folder}: {counts['pages']} pages, and {counts['exercises']} cells to write "
        f"in, one after each exercise.\nLeft out: {counts['solutions']} solutions, "
        f"{counts['answers']} answers, {', '.join(LEFT_OUT)}.\n"
        f"Make its web pages: jupyter-book build {folder / 'book'}\n"
        f"If it is to be a repository: cd {folder}; git init; git add .; git commit"
    )
