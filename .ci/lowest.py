"""Print the lowest versions that pyproject.toml admits, as pip takes them behind -c.

python .ci/lowest.py >lowest.txt && pip install -c lowest.txt hatchling editables
pip install -c lowest.txt --no-build-isolation -e ".[book,test]"
"""

import itertools
import re
import tomllib
from pathlib import Path

pyproject = tomllib.loads(
    (Path(__file__).parents[1] / "pyproject.toml").read_text(encoding="utf-8")
)
groups = [
    pyproject["build-system"]["requires"],
    pyproject["project"]["dependencies"],
    *pyproject["project"]["optional-dependencies"].values(),
]
lowest = {}  # of what two groups name, the later group's: an extra may ask for more
for requirement in itertools.chain(*groups):
    name, version = re.match(r"([\w-]+)(?:\[.*\])?>=([^,]+)", requirement).groups()
    lowest[name] = version
for name, version in sorted(lowest.items()):
    print(f"{name}=={version}")
