"""Lines of code: no docstrings, comments or blank lines, at ruff's 88 columns.

Run it:  python tests/benchmarks/lines.py
It prints each module, the core, the experiments and the tests, and of what the chapters
print, how many lines only check.
"""

import ast
import io
import json
import tokenize
from pathlib import Path

ROOT = Path(__file__).parents[2]
PACKAGE = ROOT / "mnist_tutorial"
IGNORED = {
    tokenize.COMMENT,
    tokenize.NL,
    tokenize.NEWLINE,
    tokenize.INDENT,
    tokenize.DEDENT,
    tokenize.ENDMARKER,
}


def code_lines(source: str) -> set[int]:
    """Find the lines that hold code."""
    docstrings: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        body = getattr(node, "body", None)
        if isinstance(body, list) and body and isinstance(body[0], ast.Expr):
            value = body[0].value
            if isinstance(value, ast.Constant) and isinstance(value.value, str):
                docstrings |= set(range(value.lineno, (value.end_lineno or 0) + 1))
    lines: set[int] = set()
    for token in tokenize.generate_tokens(io.StringIO(source).readline):
        if token.type not in IGNORED:
            lines |= set(range(token.start[0], token.end[0] + 1))
    return lines - docstrings


def checking_lines(source: str) -> set[int]:
    """Find lines that only check: `if` blocks that only raise, asserts, check_..."""
    lines: set[int] = set()
    for node in ast.walk(ast.parse(source)):
        only_raises = isinstance(node, ast.If) and all(
            isinstance(statement, ast.Raise) for statement in node.body + node.orelse
        )
        calls_a_check = (
            isinstance(node, ast.Expr)
            and isinstance(node.value, ast.Call)
            and "check" in ast.unparse(node.value.func)
        )
        if only_raises or calls_a_check or isinstance(node, ast.Assert):
            assert isinstance(node, ast.stmt)
            lines |= set(range(node.lineno, (node.end_lineno or 0) + 1))
    return lines & code_lines(source)


def printed_sources() -> dict[str, str]:
    """Find the sources that chapters print, in what their cells put out."""
    pages = "".join(
        "".join(output.get("data", {}).get("text/markdown", ""))
        for path in sorted((ROOT / "book").glob("*.ipynb"))
        for cell in json.loads(path.read_text(encoding="utf-8"))["cells"]
        for output in cell.get("outputs", [])
    )
    found = {}
    for path in sorted(PACKAGE.rglob("*.py")):
        source = path.read_text(encoding="utf-8")
        for node in ast.parse(source).body:
            if isinstance(node, (ast.FunctionDef, ast.ClassDef)):
                first = min([node.lineno, *(d.lineno for d in node.decorator_list)])
                lines = source.splitlines()[first - 1 : node.end_lineno]
                text = "\n".join(lines)
                if text in pages:
                    found[f"{path.stem}.{node.name}"] = text
    return found


def main() -> None:
    groups = {
        "core": sorted(PACKAGE.glob("*.py")),
        "experiments": sorted((PACKAGE / "experiments").glob("*.py")),
        "tests": sorted((ROOT / "tests").rglob("*.py")),
    }
    for group, paths in groups.items():
        counts = {
            path.name: len(code_lines(path.read_text(encoding="utf-8")))
            for path in paths
        }
        for name, count in counts.items():
            print(f"{count:6} {name}")
        print(f"{sum(counts.values()):6} {group}\n")
    printed = printed_sources()
    lines = sum(len(code_lines(source)) for source in printed.values())
    checks = sum(len(checking_lines(source)) for source in printed.values())
    print(
        f"{len(printed)} functions and classes printed: {lines} lines, {checks} check"
    )


if __name__ == "__main__":
    main()
