"""Drive every function through which a user's input enters with 100,000 bad inputs.

python tests/faults/bad_input.py

The table, and what counts as a fault, are those of tests/test_bad_input.py. Before
that, one file of each kind in tests/test_damaged_files.py is cut, and changed, at every
byte; weights, which are a large file, at 100 places. Takes a quarter of an hour.
"""

import os
import sys
import tempfile
import warnings
from collections import Counter
from collections.abc import Callable
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis.errors import HypothesisWarning

INPUTS = 100_000


def main() -> None:
    sys.path.append(str(Path(__file__).parent.parent))
    from test_bad_input import CASES, calls, examples, fault
    from test_damaged_files import KINDS, faults_of_damage

    warnings.simplefilter("error")
    warnings.simplefilter("ignore", HypothesisWarning)  # of long descriptions
    # As in pyproject.toml:
    warnings.filterwarnings("ignore", "__array__ implementation", DeprecationWarning)
    tried = Counter[str]()

    def drive(function: Callable[..., Any], count: int) -> None:
        @settings(
            max_examples=count,
            database=None,
            deadline=None,
            derandomize=True,
            phases=[Phase.generate],
            suppress_health_check=[*HealthCheck],
        )
        @given(calls(CASES[function]))
        def call(arguments: dict[str, Any]) -> None:
            tried["inputs"] += 1
            if words := fault(function, arguments):
                tried["faults"] += 1
                print(f"{function.__name__}: {words}\n    {arguments!r:.600}")

        call()

    for name, kind in KINDS.items():
        with tempfile.TemporaryDirectory() as folder:
            found = Counter(faults_of_damage(kind, Path(folder), most=10**6))
        tried["faults"] += found.total() - found[""]
        print(
            f"{name}: {found.total():,} damaged files", *filter(None, found), sep="\n"
        )

    many = 10**6  # of which `examples` gives each function its part
    whole = sum(examples(function, many) for function in CASES)
    with tempfile.TemporaryDirectory() as folder:
        os.chdir(folder)
        for function in CASES:
            drive(function, round(INPUTS * examples(function, many) / whole) + 1)
        os.chdir("/")
    print(f"{tried['faults']} faults; {tried['inputs']:,} bad inputs")
    sys.exit(tried["faults"] > 0)


if __name__ == "__main__":
    main()
