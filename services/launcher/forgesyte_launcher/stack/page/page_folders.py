"""Where the built page may lie: in the package when it was installed from a wheel, in web-ui when it is a checkout."""

from pathlib import Path

import forgesyte_launcher


def page_folders() -> tuple[Path, ...]:
    """Return the folders, of which the first that holds a page is served; none of them need exist."""
    package = Path(forgesyte_launcher.__file__).parent
    services = package.parents[1]
    checkout = (services.parent / "web-ui" / "dist",) if services.name == "services" else ()
    return (package / "page", *checkout)
