"""Prepare what is published, so that it leads to the repository it is published from.

python .github/publish.py site       buttons and links for the site, in _config.yml
python .github/publish.py notebooks  a first cell for each notebook, on Colab and Binder

Both change files of the current folder.
"""

import json
import os
import shutil
import sys
from pathlib import Path

PROMISE = "Draw a digit, and see a network read it, layer by layer, in the page."
INSTALL = """\
# Install the book's package where it is missing, as on Colab.
try:
    import mnist_tutorial
except ModuleNotFoundError:
    %pip install --quiet "{}"\
"""
LINK = """
import os

import mnist_tutorial

if not os.path.exists("../mnist_tutorial"):  # where this notebook looks for the digits
    os.symlink(os.path.dirname(mnist_tutorial.__file__), "../mnist_tutorial")\
"""


def add_buttons(repository: str, branch: str) -> None:
    """Let each page lead to its source, to Colab and Binder, and to a picture."""
    import yaml  # which comes with the book

    path = Path("_config.yml")
    config = yaml.safe_load(path.read_text(encoding="utf-8"))
    config["repository"] = {
        "url": repository,
        "branch": "notebooks",  # which Colab and Binder open
        "path_to_book": "book",
    }
    config["launch_buttons"] = {
        "notebook_interface": "jupyterlab",
        "binderhub_url": "https://mybinder.org",
        "colab_url": "https://colab.research.google.com",
    }
    config["html"] |= {
        "use_repository_button": True,
        "use_issues_button": True,
        "use_edit_page_button": True,
    }
    settings = config["sphinx"]["config"]
    settings["html_context"] |= {  # what is edited is not the branch notebooks
        "edit_page_provider_name": "GitHub",
        "edit_page_url_template": f"{repository}/edit/{branch}/book/{{{{file_name}}}}",
    }
    shutil.copy(".github/draw.png", "book/_extra/share.png")
    settings["myst_html_meta"] = {
        "description": PROMISE,
        "property=og:title": config["title"],
        "property=og:description": PROMISE,
        "property=og:image": f"{site(repository)}/share.png",
        "name=twitter:card": "summary_large_image",
    }
    path.write_text(yaml.safe_dump(config), encoding="utf-8")


def site(repository: str) -> str:
    """Return the address of a repository's pages."""
    owner, name = repository.split("/")[-2:]
    host = f"{owner.lower()}.github.io"
    return f"https://{host}" if name.lower() == host else f"https://{host}/{name}"


def add_first_cells(repository: str, commit: str) -> None:
    """Let each notebook install the package of the commit that it comes from."""
    for path in Path("book").glob("*.ipynb"):
        notebook = json.loads(path.read_text(encoding="utf-8"))
        cluster = "from distributed import" in str(notebook["cells"])
        extra = "[cluster]" if cluster else ""
        package = f"mnist-tutorial{extra} @ git+{repository}@{commit}"
        by_path = '"../mnist_tutorial/' in str(notebook["cells"])
        cell = {
            "cell_type": "code",
            "execution_count": None,
            "id": "install",
            "metadata": {},
            "outputs": [],
            "source": INSTALL.format(package) + LINK * by_path,
        }
        if path.name == "lab.ipynb":  # whose readers guess before they run it
            for each in notebook["cells"]:
                if each["cell_type"] == "code":
                    each |= {"execution_count": None, "outputs": []}
        notebook["cells"].insert(0, cell)
        text = json.dumps(notebook, indent=1, ensure_ascii=False) + "\n"
        path.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    repository = "{GITHUB_SERVER_URL}/{GITHUB_REPOSITORY}".format_map(os.environ)
    match sys.argv[1:]:
        case ["site"]:
            add_buttons(repository, os.environ["GITHUB_REF_NAME"])
        case ["notebooks"]:
            add_first_cells(repository, os.environ["GITHUB_SHA"])
        case _:
            sys.exit(__doc__)
