"""Fairness, in turns of the loop and a clock that only parsing moves."""

import asyncio
from itertools import pairwise

from forgesyte_chassis.web.read_turns import SHARE_S, TURN_S, ReadTurns

PIECE_S = SHARE_S / 4


class Sender:
    """A connection with so many pieces to parse; each takes a quarter of a share."""

    def __init__(self, world, name, pieces) -> None:
        self.world = world
        self.name = name
        self.pieces = pieces
        self.is_held = False

    def read_on(self) -> bool:
        while self.pieces and self.world.turns.has_time():
            self.pieces -= 1
            self.world.now_s += PIECE_S
            self.world.parsed.append(self.name)
        self.is_held = self.is_held and bool(self.pieces)
        return bool(self.pieces)

    def hold(self) -> None:
        self.is_held = True


class World:
    """The clock, the turns, and who parsed when."""

    def __init__(self) -> None:
        self.now_s = 0.0
        self.parsed = []
        self.turns = ReadTurns(lambda: self.now_s)

    def sender(self, name, pieces):
        return Sender(self, name, pieces)


async def test_a_small_request_is_parsed_at_once():
    world = World()
    sender = world.sender("small", 1)

    world.turns.read(sender)

    assert world.parsed == ["small"]
    assert not sender.is_held


async def test_no_connection_is_parsed_for_longer_than_a_turn_and_then_it_is_held():
    world = World()
    flood = world.sender("flood", 1000)

    world.turns.read(flood)

    assert world.now_s <= TURN_S + PIECE_S
    assert flood.is_held


async def test_those_that_wait_have_their_shares_one_after_the_other():
    world = World()
    senders = [world.sender(name, 100) for name in "abc"]
    for sender in senders:
        world.turns.read(sender)
    while {sender.pieces for sender in senders} & {100}:
        await asyncio.sleep(0)
    parsed = len(world.parsed)

    while len(world.parsed) < parsed + 9 * SHARE_S / PIECE_S:
        await asyncio.sleep(0)

    shares = world.parsed[parsed :: round(SHARE_S / PIECE_S)][:9]
    assert {tuple(shares[at : at + 3]) for at in (0, 3, 6)} == {tuple(shares[:3])}
    assert set(shares[:3]) == {"a", "b", "c"}


async def test_between_two_turns_the_loop_does_other_things():
    world = World()
    flood = world.sender("flood", 100)
    world.turns.read(flood)
    left = []

    while flood.pieces:
        await asyncio.sleep(0)
        left.append(flood.pieces)

    steps = [before - after for before, after in pairwise(left)]
    assert len(steps) > 5
    assert max(steps) <= TURN_S / PIECE_S + 1


async def test_one_that_is_gone_is_not_parsed():
    world = World()
    flood, other = world.sender("flood", 50), world.sender("other", 50)
    world.turns.read(flood)
    world.turns.read(other)

    world.turns.forget(other)
    while flood.pieces:
        await asyncio.sleep(0)

    assert "other" not in world.parsed


async def test_who_has_just_sent_something_comes_before_those_that_had_a_turn():
    world = World()
    floods = [world.sender("flood", 1000) for _ in range(20)]
    for flood in floods:
        world.turns.read(flood)
    while {flood.pieces for flood in floods} & {1000}:
        await asyncio.sleep(0)
    parsed = len(world.parsed)

    late = [world.sender("late", 8), world.sender("late", 1)]
    for sender in late:
        world.turns.read(sender)  # the first uses up what time there is in this turn
    while late[1].pieces:
        await asyncio.sleep(0)

    came = len(world.parsed) - world.parsed[::-1].index("late")
    assert world.parsed[parsed:came].count("flood") <= SHARE_S / PIECE_S + 1


async def test_who_asks_for_health_comes_before_all_others_and_keeps_none_of_them_waiting():
    world = World()
    names = [name for name in ("crowd", "probe") for _ in range(20)]
    senders = [world.sender(name, 4) for name in ("flood", *names)]
    for sender in senders:
        world.turns.read(sender, is_first=sender.name == "probe")
    while any(sender.pieces for sender in senders):
        await asyncio.sleep(0)

    probes, crowd = ([at for at, name in enumerate(world.parsed) if name == kind] for kind in ("probe", "crowd"))
    assert sum(probes) < sum(crowd)
    assert crowd[len(crowd) // 3] < probes[-1]


async def test_what_the_application_has_to_do_counts_as_well():
    world = World()
    flood = world.sender("flood", 100)
    charge = world.turns.charge

    def dear() -> bool:
        if world.turns.has_time() and flood.pieces:
            flood.pieces -= 1
            world.parsed.append("flood")
            charge(TURN_S)
        return bool(flood.pieces)

    flood.read_on = dear
    world.turns.read(flood)

    assert world.parsed == ["flood"]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    assert len(world.parsed) <= 3
