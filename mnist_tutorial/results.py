"""Read recorded results: what each recipe really scored, run by run."""

import json
from pathlib import Path
from typing import Any

import numpy as np
from jaxtyping import Float32

RESULTS = Path(__file__).parent / "assets" / "results"


def load(name: str, folder: Path = RESULTS) -> dict[str, Any]:
    """Read the record of this name: what all runs share, and a list of `runs`.

    The file holds a line of JSON with what they share, `recipe` and `machine` among it,
    then one for each run: `seed`, `correct` of how many `digits`, `wall_seconds` of
    training without scoring, `history` with a number per epoch. Raises
    FileNotFoundError, or ValueError if the file is damaged.
    """
    path = folder / f"{name}.jsonl"
    if not path.is_file():
        known = ", ".join(sorted(file.stem for file in folder.glob("*.jsonl")))
        raise FileNotFoundError(f"There is no record {name!r}, but {known or 'none'}.")
    try:
        text = path.read_text(encoding="utf-8")
        # A writer that was stopped leaves a last line without an end.
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
    """Read what each member of the recorded ensemble says of each test digit.

    The members stand in the order of the runs in `load("ensemble")`. Raises
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
