"""Files are replaced as a whole, also while another program is reading them."""

import os
import threading
from pathlib import Path

import pytest

from mnist_tutorial.files import replacing


def test_a_file_that_is_being_read_is_replaced_as_soon_as_it_has_been_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    path = tmp_path / "kept.txt"
    path.write_text("before")
    with path.open() as reader:

        def as_on_windows(file: Path, target: Path) -> None:
            if not reader.closed:
                raise PermissionError(13, "Access is denied", str(file))
            os.replace(file, target)  # noqa: PTH105

        if os.name != "nt":
            monkeypatch.setattr(Path, "replace", as_on_windows)
        threading.Timer(0.3, reader.close).start()
        with replacing(path) as unfinished:
            unfinished.write_text("after")
        assert path.read_text() == "after"
        assert list(tmp_path.iterdir()) == [path]
