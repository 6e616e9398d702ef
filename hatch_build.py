"""Let the package's metadata say where it is published: a fork's name the fork."""

import re
import subprocess
from typing import Any

from hatchling.metadata.plugin.interface import MetadataHookInterface

ORIGIN = re.compile(r"(?:https://(?:.*@)?|git@)([\w.-]+)[:/](.+?)(?:\.git)?\s*")


class Published(MetadataHookInterface):
    """Fill in the project's addresses from the repository that git calls origin."""

    def update(self, metadata: dict[str, Any]) -> None:
        origin = ["git", "remote", "get-url", "origin"]
        try:
            done = subprocess.run(origin, cwd=self.root, capture_output=True, text=True)
        except OSError:  # there is no git
            return
        if found := ORIGIN.fullmatch(done.stdout):
            repository = "https://{}/{}".format(*found.groups())
            metadata["urls"] = {
                "Repository": repository,
                "Issues": f"{repository}/issues",
            }
