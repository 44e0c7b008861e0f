"""Structs and cells as MATLAB writes them, for the tests that make files of MPII's layout."""

import numpy as np

NOTHING = np.empty((0, 0))


def struct(*elements: dict) -> np.ndarray:
    """A MATLAB struct array: every element has the fields of all, empty where it has none of its own."""
    fields = list(dict.fromkeys(field for element in elements for field in element))
    array = np.empty((1, len(elements)), [(field, object) for field in fields])
    for position, element in enumerate(elements):
        array[0, position] = tuple(element.get(field, NOTHING) for field in fields)
    return array


def cells(values: list) -> np.ndarray:
    """A MATLAB cell array of one column."""
    array = np.empty((len(values), 1), object)
    array[:, 0] = values
    return array
