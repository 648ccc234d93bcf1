"""Pair rows with columns so that the sum of costs is the least possible.

Own code, because what is well-kept is too heavy or in the way here. SciPy's linear_sum_assignment costs each job
0.3 s and 49 MiB at import, more than all frames of a short clip; lapx installs itself as the package of another
distribution (`lap`, which common YOLO trackers ask for), so that the two overwrite each other.
"""

import numpy as np
from numpy.typing import NDArray

Costs = NDArray[np.float64]
"""Finite; shape (rows, columns)."""


def cheapest_pairs(costs: Costs) -> list[tuple[int, int]]:
    """Solve the assignment problem exactly: each row gets a column of its own, or each column a row.

    Rows are added one by one; each takes the shortest augmenting path under prices that keep all reduced costs
    at or above 0 (the Hungarian method). At the worst rows * rows passes over the columns.
    Source: H. W. Kuhn, "The Hungarian method for the assignment problem", Naval Research Logistics Quarterly 2 (1955);
    R. Jonker, A. Volgenant, "A shortest augmenting path algorithm for dense and sparse linear assignment problems",
    Computing 38 (1987).

    Args:
        costs: finite, shape (rows, columns); either may be 0.

    Returns:
        Row and column of each pair, by row; as many pairs as the smaller side has.
    """
    rows, columns = costs.shape
    if rows > columns:
        return sorted((row, column) for column, row in cheapest_pairs(costs.T))
    # One more column than there is: the place where each path starts.
    row_of = np.full(columns + 1, -1)
    row_prices, column_prices = np.zeros(rows), np.zeros(columns + 1)
    for row in range(rows):
        row_of[columns] = row
        column, came_from = _shortest_path(costs, row_of, row_prices, column_prices)
        while column != columns:
            row_of[column] = row_of[came_from[column]]
            column = came_from[column]
    return sorted((int(row), column) for column, row in enumerate(row_of[:columns]) if row >= 0)


def _shortest_path(
    costs: Costs, row_of: NDArray[np.int_], row_prices: Costs, column_prices: Costs
) -> tuple[int, list[int]]:
    """Go from the extra column to the nearest column without a row, and move the prices on.

    Returns:
        That column, and for each column the one before it on the way.
    """
    columns = costs.shape[1]
    distance, came_from = np.full(columns, np.inf), np.full(columns, columns)
    is_done = np.zeros(columns + 1, bool)
    column = columns
    while row_of[column] >= 0:
        is_done[column] = True
        row, is_open = row_of[column], ~is_done[:columns]
        through = costs[row] - row_prices[row] - column_prices[:columns]
        is_nearer = is_open & (through < distance)
        distance[is_nearer], came_from[is_nearer] = through[is_nearer], column
        column = int(np.argmin(np.where(is_open, distance, np.inf)))
        step = distance[column]
        row_prices[row_of[is_done]] += step
        column_prices[is_done] -= step
        distance[is_open] -= step
    return column, came_from.tolist()
