"""Write a copy of the book without its solutions, for students to work in:

python book/student_edition.py FOLDER && jupyter-book build FOLDER/book/
"""

import argparse
import json
import shutil
import sys
from pathlib import Path
from typing import Any

BOOK = Path(__file__).parent
FILES = (  # that come along, beside the book and the package
    "_config.yml",
    "pyproject.toml",
    "hatch_build.py",
    "README.md",
    "LICENSE",
    "NOTICE.md",
)
START, END = ":::{solution-start}", ":::{solution-end}"


def write_student_edition(folder: Path) -> None:
    """Copy the book without its solutions, its settings, the package and the licences.

    Raises FileExistsError if the folder is there already, so that no one's work is
    overwritten, and ValueError, before anything is written, for a solution that cannot
    be taken out.
    """
    if folder.exists():
        raise FileExistsError(
            f"{folder} is there already. Name a folder that does not exist yet."
        )
    hidden = shutil.ignore_patterns(".*", "__pycache__", Path(__file__).name, "members")
    pages = [path for path in BOOK.rglob("*") if path.suffix in (".md", ".ipynb")]
    places = [page.relative_to(BOOK) for page in pages]
    texts = {
        place: student_text(BOOK / place)
        for place in places
        if not any(part.startswith(".") for part in place.parts)
    }
    for name in ("book", "mnist_tutorial"):
        shutil.copytree(BOOK.parent / name, folder / name, ignore=hidden)
    for name in FILES:
        shutil.copy(BOOK.parent / name, folder)
    for place, text in texts.items():
        if place.suffix == ".ipynb":
            (folder / "book" / place).write_text(text, encoding="utf-8")


def student_text(page: Path) -> str:
    """Return the text of a page, a notebook's without its solutions.

    Raises ValueError if a solution is left.
    """
    text = page.read_text(encoding="utf-8")
    if page.suffix == ".ipynb":
        notebook = json.loads(text)
        notebook["cells"] = without_solutions(notebook["cells"], page.name)
        text = json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
    if "{solution" in text:
        raise ValueError(
            f"{page.name}: a solution can only stand in a notebook, from {START} to "
            f"{END}."
        )
    return text


def without_solutions(cells: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
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


if __name__ == "__main__":
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument(
        "folder", type=Path, help="where to write the copy; must not exist yet"
    )
    try:
        write_student_edition(parser.parse_args().folder)
    except (FileExistsError, ValueError) as error:
        sys.exit(f"student_edition: {error}")
