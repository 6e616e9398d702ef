"""The book's companion package: a module for each idea, explained by a chapter.

Every call is checked against the shapes and dtypes in its signature. Importing the
package, or loading digits with `load_mnist`, does not start TensorFlow.
"""

from jaxtyping import install_import_hook

install_import_hook("mnist_tutorial", "beartype.beartype")

from mnist_tutorial.data import load_mnist  # noqa: E402
from mnist_tutorial.preprocessing import prepare  # noqa: E402

__all__ = ["load_mnist", "prepare"]
