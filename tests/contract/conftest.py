"""One `forgesyte up` for all tests of the contract, with a plugin that takes images beside the shipped one."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import cv2
import httpx
import numpy as np
import pytest

from tests.support import Stack, make_clip, running_stack

PLUGINS = str(Path(__file__).parent / "plugins")


@pytest.fixture(scope="session")
def stack(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stack]:
    running = running_stack(tmp_path_factory.mktemp("contract") / "data", env={"PYTHONPATH": PLUGINS})
    with asyncio.Runner() as runner:
        stack = runner.run(running.__aenter__())
        try:
            yield stack
        finally:
            runner.run(running.__aexit__(None, None, None))


@pytest.fixture
def http(stack: Stack) -> Iterator[httpx.Client]:
    with httpx.Client(base_url=stack.url, timeout=60, trust_env=False) as client:
        yield client


@pytest.fixture(scope="session")
def video(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_clip(tmp_path_factory.mktemp("media") / "traffic.mp4", frames=30)


@pytest.fixture(scope="session")
def image(tmp_path_factory: pytest.TempPathFactory) -> Path:
    path = tmp_path_factory.mktemp("media") / "photo.jpg"
    assert cv2.imwrite(str(path), np.full((48, 64, 3), 90, np.uint8))
    return path
