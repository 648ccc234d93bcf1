"""A module that cannot be imported: it needs a package that does not exist."""

import no_such_package_anywhere  # noqa: F401
