import os

import pytest

from forgesyte_chassis.alive_page import AlivePage, stamping
from tests.support import eventually


@pytest.fixture
def page():
    page = AlivePage()
    yield page
    page.close()


def childs_end(page: AlivePage) -> int:
    """The descriptor as a child inherits it."""
    fd = os.dup(page.fd)
    os.set_inheritable(fd, True)
    return fd


async def test_a_page_says_under_which_name_its_writer_works_and_that_its_loop_turns(page):
    assert page.read() is None

    async with stamping(childs_end(page), "runner-1"):
        first = await eventually(page.read, what="the first stamp")
        await eventually(lambda: page.read().at_s > first.at_s, what="a later stamp")

    assert first.name == "runner-1"
    assert page.read() is None, "after an orderly end nothing is owed"


async def test_a_writer_that_fails_leaves_its_last_stamp(page):
    with pytest.raises(ValueError, match="a bug"):
        async with stamping(childs_end(page), "runner-1"):
            await eventually(page.read, what="the first stamp")
            raise ValueError("a bug")

    assert page.read().name == "runner-1"
    page.clear()
    assert page.read() is None


async def test_a_child_of_the_writer_cannot_speak_for_it(page):
    fd = childs_end(page)

    async with stamping(fd, "runner-1"):
        assert not os.get_inheritable(fd)


def test_a_page_that_is_closed_says_nothing_whatever_its_descriptor_is_now():
    """A cell that has ended is still looked at once; its page ended the whole launcher."""
    page = AlivePage()
    fd = page.fd
    page.close()
    assert page.read() is None

    other = AlivePage()
    os.dup2(other.fd, fd)
    try:
        os.pwrite(fd, b"\1" * 16, 0)
        assert page.read() is None
    finally:
        os.close(fd)
        if other.fd != fd:
            other.close()


def test_a_page_keeps_its_size(page):
    with pytest.raises(PermissionError):
        os.truncate(page.fd, 0)
    with pytest.raises(PermissionError):
        os.truncate(page.fd, 1 << 30)


async def test_without_a_page_nothing_is_stamped():
    async with stamping(-1, "runner-1"):
        pass
