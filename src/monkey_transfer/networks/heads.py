"""Heads of joints that one network takes over from another."""

from collections.abc import Sequence

import numpy as np


def with_heads(ours: np.ndarray, theirs: np.ndarray, heads: Sequence[int | None], axis: int) -> np.ndarray:
    """A head's weights in which some joints' channels are those of another network.

    Parameters
    ----------
    ours, theirs : of equal shape but for the axis of the joints, on which each joint has the same number of channels in
        both: a score map one, a location map two, side by side.
    heads : for each of our joints, in order, which of theirs it takes over; None leaves it as it is.
    """
    each = ours.shape[axis] // len(heads)
    mixed, given = np.moveaxis(ours.copy(), axis, 0), np.moveaxis(theirs, axis, 0)
    for joint, their_joint in enumerate(heads):
        if their_joint is not None:
            mixed[joint * each : (joint + 1) * each] = given[their_joint * each : (their_joint + 1) * each]
    return np.moveaxis(mixed, 0, axis)
