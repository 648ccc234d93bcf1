"""Puts the built page of web-ui into the package, where `make page` has built it before; without it nothing is added.

An editable install needs none: the launcher finds the page in the checkout.
"""

from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface


class PageHook(BuildHookInterface):  # type: ignore[type-arg]  # its parameter is the builder's configuration, unused here
    """Adds web-ui/dist as forgesyte_launcher/page, to a wheel and to the sources from which one can be built."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        """Name the folder, if there is a page in it."""
        root = Path(self.root)
        if (root / "forgesyte_launcher" / "page").exists():  # these are packed sources, which have it
            return
        built = root.parents[1] / "web-ui" / "dist"
        if version != "editable" and (built / "index.html").is_file():
            build_data["force_include"][str(built)] = "forgesyte_launcher/page"
