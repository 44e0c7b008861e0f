"""Whether positions are in pixels."""

from collections.abc import Sequence

import numpy as np

from monkey_transfer.datasets.assembly import MIN_LABELLED
from monkey_transfer.errors import StudyError

IN_PIXELS = "expected positions in pixels of the pictures, not shares"
# Nobody is so small, in pixels, and so near to the corner; shares of 1 are.
_CORNER = 2


def refuse_shares(origin: object, people: Sequence[str], points: np.ndarray) -> None:
    """Raise StudyError, which names the first of the ``people``, if positions are shares of the picture's sides.

    They are if all of somebody's labelled joints, two at least, are within two pixels of the picture's corner or of its
    middle, should shares be counted from there. ``points`` are (people, keypoints, 2), NaN where not labelled.
    """
    reach = np.nan_to_num(np.abs(points)).max(axis=(1, 2), initial=0)
    tiny = (reach < _CORNER) & (np.isfinite(points).all(axis=-1).sum(axis=1) >= MIN_LABELLED)
    if tiny.any():
        who = people[int(tiny.argmax())]
        raise StudyError(f"{origin}: all joints of {who} are within {_CORNER} pixels of the corner: {IN_PIXELS} of 1")
