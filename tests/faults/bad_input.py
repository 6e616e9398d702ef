"""Drive every function through which something of a user's enters with 100,000 bad inputs.

python tests/faults/bad_input.py

The table, and what counts as a foreign error, are those of tests/test_bad_input.py. Before that, one file of
each kind in tests/test_damaged_files.py is cut, and changed, at every byte; the two large ones, with weights,
at 100 and at 1,000 places. Takes a quarter of an hour.
"""

import os
import sys
import tempfile
import warnings
from collections import Counter
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import HypothesisWarning

INPUTS = 100_000


def main() -> None:
    sys.path.append(str(Path(__file__).parent.parent))
    from test_bad_input import CASES, Case, calls, fault
    from test_damaged_files import KINDS, faults_of_damage

    warnings.simplefilter("error")
    warnings.simplefilter("ignore", HypothesisWarning)  # of long descriptions
    warnings.filterwarnings(
        "ignore", "__array__ implementation", DeprecationWarning
    )  # as in pyproject.toml
    inputs, found = 0, Counter[tuple[str, str]]()

    def drive(name: str, case: Case, examples: int) -> None:
        @settings(
            max_examples=examples,
            database=None,
            deadline=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=list(HealthCheck),
        )
        @given(calls(case.arguments))
        def call(arguments: dict[str, Any]) -> None:
            nonlocal inputs
            inputs += 1
            if words := fault(case, arguments):
                if (name, words) not in found:
                    print(f"{name}: {words}\n    {arguments!r:.600}", flush=True)
                found[name, words] += 1

        call()

    files, bad_files = 0, 0
    for name, kind in KINDS.items():
        with tempfile.TemporaryDirectory() as folder:
            results = list(faults_of_damage(kind, Path(folder), most=10**6))
        wrong = [words for words in results if words]
        files, bad_files = files + len(results), bad_files + len(wrong)
        print(
            f"{name}: {len(results):,} damaged files",
            *sorted(set(wrong)),
            sep="\n    ",
            flush=True,
        )
    print(
        f"{bad_files} foreign errors or wrong numbers from {files:,} damaged files",
        flush=True,
    )

    whole = sum(case.share for case in CASES.values())
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for name, case in CASES.items():
            before = inputs
            drive(name, case, round(INPUTS * case.share / whole) + 1)
            print(f"{name}: {inputs - before:,}", flush=True)
        os.chdir("/")
    print(f"{found.total()} foreign errors in {inputs:,} bad inputs")
    sys.exit(found.total() + bad_files > 0)


if __name__ == "__main__":
    main()
