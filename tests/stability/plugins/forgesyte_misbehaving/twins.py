"""Two plugins of one name, offered by two distributions."""

from .making import faulty


@faulty("twin")
def first():
    return "first"


@faulty("twin")
def second():
    return "second"
