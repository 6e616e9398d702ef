"""Spare two pages what they need not load: figures far below, and MathJax."""

from typing import Any

from docutils import nodes
from sphinx.application import Sphinx

AFTER_MATHJAX = 900  # Sphinx calls the smallest priority first


def load_figures_late(app: Sphinx, doctree: nodes.document, name: str) -> None:
    """The paper waits for its network, so the figures below it wait for both."""
    if name == "draw":
        for image in doctree.findall(nodes.image):
            image["loading"] = "lazy"


def leave_out_mathjax(
    app: Sphinx, name: str, template: str, context: dict[str, Any], doctree: Any
) -> None:
    """The front page has no formula, but Sphinx counts those of the pages below it."""
    if name == app.config.root_doc:
        scripts = context["script_files"]
        scripts[:] = [script for script in scripts if "mathjax" not in str(script)]


def setup(app: Sphinx) -> dict[str, bool]:
    app.connect("doctree-resolved", load_figures_late)
    app.connect("html-page-context", leave_out_mathjax, AFTER_MATHJAX)
    return {"parallel_read_safe": True, "parallel_write_safe": True}
