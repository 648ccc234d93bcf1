from itertools import permutations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from hypothesis.extra.numpy import array_shapes, arrays

from forgesyte_motion_detector.assignment import cheapest_pairs


def cheapest_by_trying_all(costs: np.ndarray) -> float:
    if costs.shape[0] > costs.shape[1]:
        costs = costs.T
    rows = range(costs.shape[0])
    return min(
        sum(costs[row, column] for row, column in zip(rows, columns, strict=True))
        for columns in permutations(range(costs.shape[1]), len(rows))
    )


@given(arrays(float, array_shapes(min_dims=2, max_dims=2, max_side=5), elements=st.floats(-10, 10)))
def test_no_other_pairing_is_cheaper(costs):
    pairs = cheapest_pairs(costs)

    assert sum(costs[pair] for pair in pairs) == pytest.approx(cheapest_by_trying_all(costs), abs=1e-9)
    assert len(pairs) == min(costs.shape)
    assert len({row for row, _ in pairs}) == len({column for _, column in pairs}) == len(pairs)


@pytest.mark.parametrize("shape", [(0, 0), (0, 3), (3, 0)])
def test_nothing_to_pair_gives_no_pairs(shape):
    assert cheapest_pairs(np.zeros(shape)) == []


def test_row_gives_up_its_cheapest_column_when_that_helps_another_more():
    costs = np.array([[1.0, 2.0], [1.0, 9.0]])

    assert cheapest_pairs(costs) == [(0, 1), (1, 0)]


def test_a_hundred_equal_costs_come_to_an_end():
    assert len(cheapest_pairs(np.ones((100, 100)))) == 100
