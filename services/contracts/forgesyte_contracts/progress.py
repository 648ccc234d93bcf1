"""How far a job is, in per cent, and the promise that what was shown never falls.

A later attempt starts at frame 0 again, and a container may announce more frames than it has. Records, live messages
and sockets therefore pass every percentage through never_falling().
"""

MOST_WHILE_RUNNING = 99
"""100 is reserved for the completed record: a container that announces too few frames must not show a job as done."""


def percent_of(done: int, total: int | None, *, at_most: int = 100) -> int:
    """Return frames done as whole per cent, rounded down: 0 when the total is unknown or 0, and never above `at_most`.

    >>> percent_of(1, 3), percent_of(1, None), percent_of(12, 10), percent_of(10, 10, at_most=MOST_WHILE_RUNNING)
    (33, 0, 100, 99)
    """
    if not total or total < 0:
        return 0
    return max(0, min(at_most, 100 * done // total))


def never_falling(shown: int | None, percent: int | None) -> int:
    """Return the percentage to show next, given what was shown before.

    >>> never_falling(60, 33), never_falling(None, 33), never_falling(60, None)
    (60, 33, 60)
    """
    return max(shown or 0, percent or 0)
