"""A module that can not be imported: it needs a package that nobody has."""

import no_such_package_anywhere  # noqa: F401
