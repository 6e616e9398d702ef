"""Read recorded results: what each recipe scored, run by run."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32

RESULTS = Path(__file__).parent / "assets" / "results"


def load(name: str, folder: Path = RESULTS) -> dict[str, Any]:
    """Read a record by its name: what all runs share, and a list of `runs`.

    Each line of the file is JSON. The first holds what the runs share, such as `recipe`
    and `machine`; each of the others is a run: `seed`, `correct` out of `digits`,
    `wall_seconds` of training without scoring, `history` with one number per epoch.
    Raises FileNotFoundError, or ValueError if the file is damaged.
    """
    path = folder / f"{name}.jsonl"
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in folder.glob("*.jsonl")))
        raise FileNotFoundError(f"There is no record {name!r}, but {known or 'none'}.")
    try:
        text = path.read_text(encoding="utf-8")
        # An interrupted writer leaves a last line without a line break.
        lines = text[: text.rfind("\n") + 1].splitlines()
        about, *runs = [json.loads(line) for line in lines]
        if not all(0 <= run["correct"] <= run["digits"] for run in runs):
            raise ValueError("more digits are read correctly than there are")
        return {"name": name, **about, "runs": runs}
    except (ValueError, KeyError, TypeError) as error:
        raise ValueError(f"{path} is damaged: {error}.") from error


def load_probabilities(
    folder: Path = RESULTS,
) -> Float32[np.ndarray, "members n 10"]:
    """Read the recorded ensemble's probabilities for each test digit.

    The members have the order of the runs in `load("ensemble")`. Raises
    FileNotFoundError, or ValueError if the file is damaged.
    """
    path = folder / "ensemble.npz"
    try:
        with path.open("rb") as file, np.load(file, allow_pickle=False) as arrays:
            return arrays["probabilities"].astype(np.float32)
    except FileNotFoundError:
        raise
    except Exception as error:  # readers of damaged files raise errors of many types
        raise ValueError(f"{path} is damaged: {error}.") from error
