"""A module that can not be imported."""

import no_such_package_anywhere  # noqa: F401
