"""Print the lowest versions that pyproject.toml admits, as pip takes them behind -c.

python .ci/lowest.py >lowest.txt && pip install -c lowest.txt hatchling editables
pip install -c lowest.txt --no-build-isolation -e ".[book,test]"
"""

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
for requirement in sorted({requirement for group in groups for requirement in group}):
    print(re.sub(r"(\[.*\])?>=([^,]+).*", r"==\2", requirement))
