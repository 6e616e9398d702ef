"""Spare the front page MathJax: it has no formula, but Sphinx counts those below it."""

from typing import Any

from sphinx.application import Sphinx

AFTER_MATHJAX = 900  # Sphinx calls the smallest priority first


def leave_out_mathjax(
    app: Sphinx, name: str, template: str, context: dict[str, Any], doctree: Any
) -> None:
    if name == app.config.root_doc:
        scripts = context["script_files"]
        scripts[:] = [script for script in scripts if "mathjax" not in str(script)]


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("html-page-context", leave_out_mathjax, AFTER_MATHJAX)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
