"""Makes the code for browsers when a wheel is built: see assets.py."""

import subprocess
import sys
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class BrowserCode(BuildHookInterface):  # type: ignore[type-arg]
    """A wheel is not built without the code: a release without it would be a defect."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Make what is missing; an editable installation takes the files as they are."""
        if version != "editable":
            subprocess.run([sys.executable, str(Path(self.root) / "service" / "browser" / "assets.py")], check=True)
            build_data["artifacts"].append("service/suasion/static/vendor/*")
