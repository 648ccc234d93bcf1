"""The table of a plugin's states."""

import pytest

from forgesyte_contracts.plugins import PluginState
from forgesyte_plugin_runner.plugins.lifecycle import (
    LEGAL_MOVES,
    MAX_REASON_CHARS,
    REMEDY,
    IllegalPluginMove,
    PluginLifecycle,
)

BROKEN = [PluginState.FAILED, PluginState.UNAVAILABLE]
EVERY_MOVE = [(one, other) for one in PluginState for other in PluginState]


def standing_at(state: PluginState) -> PluginLifecycle:
    life = PluginLifecycle()
    if state is not PluginState.LOADED:
        life.move(state, "broken for a test")
    return life


def test_every_state_has_its_row_and_all_but_loaded_are_reached_from_it():
    assert set(LEGAL_MOVES) == set(PluginState)
    assert LEGAL_MOVES[PluginState.LOADED] == set(PluginState)


@pytest.mark.parametrize(("one", "other"), EVERY_MOVE, ids=[f"{a}-{b}" for a, b in EVERY_MOVE])
def test_a_move_is_in_the_table_or_raises_and_names_both_states(one, other):
    life = standing_at(one)

    if other in LEGAL_MOVES[one]:
        life.move(other, "broken for a test")
        assert life.state is other
    else:
        with pytest.raises(IllegalPluginMove, match=f"{one} cannot become {other}"):
            life.move(other, "broken for a test")
        assert life.state is one


@pytest.mark.parametrize("state", BROKEN)
def test_broken_states_are_sticky_a_fresh_look_is_the_only_way_out(state):
    assert LEGAL_MOVES[state] == {PluginState.LOADED}


@pytest.mark.parametrize("state", BROKEN)
@pytest.mark.parametrize("said", ["", "no", "the model x.onnx is missing; put it there.", "x" * 9000])
def test_a_reason_says_more_than_ten_characters_fits_and_ends_with_the_remedy(state, said):
    life = PluginLifecycle()

    life.move(state, said)

    assert 10 < len(life.reason) <= MAX_REASON_CHARS
    assert life.reason.endswith(f". {REMEDY}")
    assert ".." not in life.reason


@pytest.mark.parametrize("state", [state for state in PluginState if state.is_ready])
def test_a_ready_plugin_has_no_reason(state):
    assert standing_at(state).reason is None
