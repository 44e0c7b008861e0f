"""Root mean square errors, in x, in y and of the Euclidean distance (the paper, section 2.5).

The paper reports "RMSE" at the threshold of each network's best F1, in pixels whose frame it leaves open.
Here pixels are those of the original image; :func:`monkey_transfer.metrics.matching.in_frame` gives the
same errors in any other frame. Joints without a label have no error and are not counted.
"""

from typing import NamedTuple

import numpy as np
import pandas as pd

from monkey_transfer.metrics.detection import best_f1


class Errors(NamedTuple):
    """Errors over ``joints`` rows; NaN when there are none.

    ``x``, ``y`` and ``distance`` are root mean squares in the table's pixels, and ``distance`` squared is
    ``x`` squared plus ``y`` squared. ``normalised`` is the root mean square of distance over reference
    length. ``mean_distance`` is the plain mean, in pixels: what DeepLabCut prints under the name of RMSE
    (``pairwisedistances`` in its evaluation), never larger than ``distance``.
    """

    x: float
    y: float
    distance: float
    normalised: float
    mean_distance: float
    joints: int


def errors(joints: pd.DataFrame) -> Errors:
    """Errors over all rows of a ``joints`` table, whatever their confidence."""
    squares = joints[["dx", "dy", "distance", "normalised"]] ** 2
    x, y, distance, normalised = (float(mean) for mean in np.sqrt(squares.mean()))
    return Errors(x, y, distance, normalised, float(joints["distance"].mean()), len(joints))


def errors_at_best_f1(joints: pd.DataFrame) -> Errors:
    """Errors of the predictions kept at the best F1 of precision and recall over own correct, as in the paper.

    NaN over 0 joints when no prediction is correct, since no threshold is best then.
    """
    return errors(joints[joints["likelihood"] >= best_f1(joints).threshold])
