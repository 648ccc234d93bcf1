import pytest

from forgesyte_chassis.store.blobs import Store


@pytest.fixture
def store(tmp_path):
    return Store.open(str(tmp_path / "store"))
