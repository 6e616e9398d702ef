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
START, END = ":::{solution-start}", ":::{solution-end}"


def write_student_edition(folder: Path) -> None:
    """Copy the book and its settings to `folder`, and take the solutions out of its notebooks.

    Raises FileExistsError if the folder is there already, so that no one's work is overwritten.
    """
    if folder.exists():
        raise FileExistsError(f"{folder} is there already. Name a folder that does not exist yet.")
    shutil.copytree(
        BOOK, folder / "book", ignore=shutil.ignore_patterns(".*", "__pycache__", Path(__file__).name)
    )
    shutil.copy(BOOK.parent / "_config.yml", folder)
    for path in sorted((folder / "book").glob("*.ipynb")):
        notebook = json.loads(path.read_text(encoding="utf-8"))
        notebook["cells"] = without_solutions(notebook["cells"], path.name)
        path.write_text(json.dumps(notebook, indent=1, ensure_ascii=False) + "\n", encoding="utf-8")


def without_solutions(cells: list[dict[str, Any]], name: str) -> list[dict[str, Any]]:
    """Return the cells that are in no solution. Each solution begins and ends with a cell of its own.

    Raises ValueError, with the notebook's name, for a cell that holds something else as well.
    """
    kept, inside = [], False
    for cell in cells:
        text = "".join(cell["source"]).strip()
        if text.startswith(START):
            inside = True
        elif START in text or (
            END in text and not (inside and text.removesuffix(":::").rstrip().endswith(END))
        ):
            raise ValueError(
                f"{name}: put a +++ or a cell border before and after each solution, in: {text:.80}"
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
    parser.add_argument("folder", type=Path, help="where to write the copy; must not exist yet")
    try:
        write_student_edition(parser.parse_args().folder)
    except (FileExistsError, ValueError) as error:
        sys.exit(f"student_edition: {error}")
