"""Sorting networks over whole arrays: many short rows are sorted at once, column by column.

A row here is the few replicas of one range.  Sorting 256,000 rows of nine one by one costs
more than everything else together; a network needs a minimum and a maximum of two columns for
each comparator, which is memory speed.
"""

import numpy as np
from numpy.typing import NDArray

Column = NDArray[np.integer]


def merged(a: list[Column], b: list[Column]) -> list[Column]:
    """Merge two groups of columns, each ascending along every row.

    Batcher's odd-even merge for any two lengths (Knuth, volume 3, section 5.3.4).
    """
    if not a or not b:
        return a + b
    if len(a) == len(b) == 1:
        return list(_ordered(a[0], b[0]))
    odd, even = merged(a[::2], b[::2]), merged(a[1::2], b[1::2])
    rows = [odd[0]]
    for low, high in zip(odd[1:], even, strict=False):
        rows += _ordered(low, high)
    return rows + odd[len(even) + 1 :] + even[len(odd) - 1 :]


def ordered(columns: list[Column]) -> list[Column]:
    """Sort columns so that every row ascends: Batcher's merge sort."""
    if len(columns) <= 1:
        return columns
    half = len(columns) // 2
    return merged(ordered(columns[:half]), ordered(columns[half:]))


def _ordered(a: Column, b: Column) -> tuple[Column, Column]:
    return np.minimum(a, b), np.maximum(a, b)
