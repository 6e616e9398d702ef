"""Change one small thing at a time in the modules that need NumPy and SciPy alone, and see that tests notice.

pip install mutmut
python tests/faults/mutants.py [MODULE ...]

Each module is held to its own tests alone. What no test notices is shown, and must stand in survivors.md
with the reason. Only the wording of errors is left as it is. Takes half an hour on two cores.
"""

import re
import shutil
import subprocess
import sys
import tempfile
from pathlib import Path

PROJECT = Path(__file__).parents[2]
MODULES = ("checks", "data", "preprocessing", "convolution", "evaluation", "results")


def mutate(module: str, copy: Path) -> tuple[int, list[str]]:
    """Let mutmut run in a copy; return how many mutants it made, and the changed line of each survivor."""
    for part in ("mnist_tutorial", "tests"):
        shutil.copytree(PROJECT / part, copy / part)
    settings = f'only_mutate = ["mnist_tutorial/{module}.py"]\n'
    settings += f'pytest_add_cli_args_test_selection = ["tests/test_{module}.py"]\n'
    before, header, after = (
        (PROJECT / "pyproject.toml").read_text("utf-8").partition("[tool.mutmut]")
    )
    comment, _, rest = after.partition("\n")
    (copy / "pyproject.toml").write_text(
        f"{before}{header}{comment}\n{settings}{rest}", "utf-8"
    )
    mutmut = [sys.executable, "-m", "mutmut"]
    done = subprocess.run([*mutmut, "run"], cwd=copy, capture_output=True, text=True)
    if done.returncode:
        sys.exit(
            f"mutmut could not run the tests of {module}:\n{done.stdout[-2000:]}{done.stderr}"
        )
    shown = subprocess.run(
        [*mutmut, "results", "--all", "true"], cwd=copy, capture_output=True, text=True
    )
    statuses = dict(re.findall(r"^ *(\S+): (.+)$", shown.stdout, re.MULTILINE))
    survivors = []
    for name in (
        name for name, status in statuses.items() if status not in ("killed", "timeout")
    ):
        shown = subprocess.run(
            [*mutmut, "show", name],
            cwd=copy,
            capture_output=True,
            text=True,
            check=True,
        )
        survivors += re.findall(r"^\+(?!\+\+) *(.*)$", shown.stdout, re.MULTILINE)[:1]
    return len(statuses), survivors


def main(modules: list[str]) -> None:
    text = Path(__file__).with_name("survivors.md").read_text("utf-8")
    listed = {line.strip() for line in text.splitlines()}
    unlisted = 0
    for module in modules or MODULES:
        with tempfile.TemporaryDirectory() as temporary:
            mutants, survivors = mutate(module, Path(temporary))
        killed = mutants - len(survivors)
        print(
            f"{module}: {killed} of {mutants} mutants killed, {killed / mutants:.1%}",
            flush=True,
        )
        for line in survivors:
            print(
                "  survived," if line in listed else "  SURVIVED, not listed:",
                line,
                flush=True,
            )
            unlisted += line not in listed
    sys.exit(unlisted > 0)


if __name__ == "__main__":
    main(sys.argv[1:])
