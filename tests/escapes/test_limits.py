"""What a sandbox may take of disk, names, processes, threads, memory and descriptors: bounded, with a typed outcome."""

import pytest

from tests.escapes.conftest import USERS

MIB = 1 << 20


@pytest.fixture(scope="session")
def greedy(request: pytest.FixtureRequest) -> dict:
    """How the greedy jobs ended, as root; the others run in the long form."""
    half = request.getfixturevalue("halves")["root"]
    if half.cannot:
        pytest.skip(half.cannot)
    return half.tables["own"]["limits"]
