"""Write files whole or not at all; know before long work that they can be written."""

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Yield the name of a new file, which replaces `path` if all goes well."""
    unfinished = path.with_name(f"{os.getpid()}.{path.name}")
    try:
        yield unfinished
        replace(unfinished, path)
    finally:
        unfinished.unlink(missing_ok=True)


def replace(unfinished: Path, path: Path) -> None:
    """Rename a file over another, which Windows refuses while anyone reads that one."""
    end = time.monotonic() + 5
    while True:
        try:
            unfinished.replace(path)
            return
        except PermissionError:
            if time.monotonic() > end:
                raise
            time.sleep(0.01)


def check_writable(path: Path) -> None:
    """Raise OSError, which names the folder, if no file can be written to `path`."""
    if path.is_dir():
        raise IsADirectoryError(f"{path} is a folder; expected a file to write.")
    try:
        with tempfile.TemporaryFile(dir=path.parent):
            pass
    except OSError as error:
        raise OSError(
            f"{path.name} cannot be written to the folder {path.parent}: "
            f"{error.strerror}."
        ) from error
