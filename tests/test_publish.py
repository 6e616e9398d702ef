"""What is published leads to the repository that it is published from."""

import json
import os
import re
import shutil
import subprocess
import sys
from pathlib import Path

import nbformat
import pytest
from IPython.core.inputtransformer2 import TransformerManager

ROOT = Path(__file__).parent.parent
COMMIT = "5f27f0a35c6d89a43d90d7948917f75a446029f7"
INSTALLED = f"mnist-tutorial @ git+https://github.com/someone/other@{COMMIT}"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A book of one page, with the settings of the whole one."""
    for name in ("_config.yml", ".github/draw.png", "book/references.bib"):
        (tmp_path / name).parent.mkdir(exist_ok=True)
        shutil.copy(ROOT / name, tmp_path / name)
    for name in ("_ext", "_static"):
        shutil.copytree(ROOT / "book" / name, tmp_path / "book" / name)
    (tmp_path / "book" / "_extra").mkdir()
    (tmp_path / "book" / "_toc.yml").write_text("format: jb-book\nroot: reshaping\n")
    shutil.copy(ROOT / "book" / "reshaping.ipynb", tmp_path / "book")
    return tmp_path


def publish(what: str, folder: Path, repository: str = "someone/other") -> None:
    """Do what a workflow does, in a fork with another owner, name and branch."""
    fork = {
        "GITHUB_SERVER_URL": "https://github.com",
        "GITHUB_REPOSITORY": repository,
        "GITHUB_REF_NAME": "trunk",
        "GITHUB_SHA": COMMIT,
    }
    command = [sys.executable, str(ROOT / ".github" / "publish.py"), what]
    subprocess.run(command, cwd=folder, env={**os.environ, **fork}, check=True)


def test_a_notebook_first_installs_the_package_of_its_commit_if_it_is_missing(
    folder: Path,
) -> None:
    path = folder / "book" / "reshaping.ipynb"
    before = json.loads(path.read_text(encoding="utf-8"))
    publish("notebooks", folder)
    after = json.loads(path.read_text(encoding="utf-8"))
    first = after["cells"].pop(0)
    assert after == before
    assert f'%pip install --quiet "{INSTALLED}"' in first["source"]
    nbformat.validate({**after, "cells": [first]})
    # Here the package is there: pip, which would need IPython, is not called.
    exec(TransformerManager().transform_cell(first["source"]), {})


def test_the_lab_has_no_outputs_that_would_spoil_a_guess(folder: Path) -> None:
    path = Path(shutil.copy(ROOT / "book" / "lab.ipynb", folder / "book"))
    before = json.loads(path.read_text(encoding="utf-8"))["cells"]
    publish("notebooks", folder)
    after = json.loads(path.read_text(encoding="utf-8"))["cells"][1:]
    assert [cell["source"] for cell in after] == [cell["source"] for cell in before]
    assert not [cell for cell in after if cell.get("outputs")]


def test_one_page_finds_the_digits_where_there_is_only_the_package(
    folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    shutil.copy(ROOT / "book" / "one_page.ipynb", folder / "book")
    publish("notebooks", folder)
    notebook = json.loads((folder / "book" / "one_page.ipynb").read_text("utf-8"))
    monkeypatch.chdir(folder / "book")
    exec(TransformerManager().transform_cell(notebook["cells"][0]["source"]), {})
    assert (folder / "mnist_tutorial" / "assets" / "mnist.npz").is_file()


def test_buttons_lead_to_the_fork_edits_to_its_branch_and_launches_to_notebooks(
    folder: Path,
) -> None:
    pytest.importorskip("jupyter_book", reason="the extra book is not installed")
    publish("site", folder)
    code = "from jupyter_book.cli.main import main; main()"
    command = [sys.executable, "-c", code, "build", "book"]
    subprocess.run(command, cwd=folder, check=True, capture_output=True)
    page = (folder / "_build/html/reshaping.html").read_text(encoding="utf-8")
    links = re.findall(r'href="(https://[^"]*/someone/other[^"]*)"', page)
    opened = "notebooks/book/reshaping.ipynb"
    binder = "https://mybinder.org/v2/gh/someone/other/notebooks?urlpath=lab/tree/book"
    assert {
        "https://github.com/someone/other",
        "https://github.com/someone/other/edit/trunk/book/reshaping.ipynb",
        f"https://colab.research.google.com/github/someone/other/blob/{opened}",
        f"{binder}/reshaping.ipynb",
    } <= set(links)


@pytest.mark.parametrize(
    ("repository", "address"),
    [
        ("someone/other", "https://someone.github.io/other/share.png"),
        ("Someone/someone.github.io", "https://someone.github.io/share.png"),
    ],
)
def test_the_picture_for_shared_links_is_where_the_pages_are(
    folder: Path, repository: str, address: str
) -> None:
    pytest.importorskip("jupyter_book", reason="the extra book is not installed")
    publish("site", folder, repository)
    assert address in (folder / "_config.yml").read_text(encoding="utf-8")
    assert (folder / "book" / "_extra" / "share.png").exists()
