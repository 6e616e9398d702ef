"""The companion package of the book: one module an idea, each explained by a chapter.

Importing it, or loading digits with `load_mnist`, needs NumPy alone and does not start TensorFlow.
"""

from mnist_tutorial.data import load_mnist
from mnist_tutorial.preprocessing import prepare

__all__ = ["load_mnist", "prepare"]
