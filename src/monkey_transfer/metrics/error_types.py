"""What kind of error a prediction is: the right place, the other side, another joint, close by, or nowhere.

After Ronchi and Perona, "Benchmarking and Error Diagnosis in Multi-Instance Pose Estimation", ICCV 2017, for one
person per picture. Theirs is a picture with many people, where a swap takes a joint of somebody else and an inversion
one of the same person, mostly that of the other side. With nobody else there, a *swap* here is the other side of the
same joint, an *inversion* any other joint of the person. Lengths are parts of the yardstick instead of their keypoint
similarity, and another joint is looked for before jitter, so that a knee found on the other knee is a swap however
close the two stand.
"""

import numpy as np
import pandas as pd

from monkey_transfer.skeletons import SKELETONS

ERROR_TYPES = ("correct", "swap", "inversion", "jitter", "miss")

# Up to so many times the distance that counts as correct, a prediction is near its joint: a jitter and not a miss.
_NEAR = 2
_MIRRORED = {one: other for s in SKELETONS.values() for pair in s.pairs for one, other in (pair, pair[::-1])}


def error_types(predicted: pd.DataFrame, labelled: pd.DataFrame, within: float) -> np.ndarray:
    """The type of each prediction, one of :data:`ERROR_TYPES`.

    'correct' within ``within`` yardsticks of its own joint. Otherwise the nearest other labelled joint of the person
    within that distance decides: 'swap' if it is the same joint of the other side (also of two at one distance),
    'inversion' if it is any other. Otherwise 'jitter' within twice that distance of its own joint, else 'miss'.

    Parameters
    ----------
    predicted : ``image_id, keypoint, x, y`` and the person's ``reference_length``, all in the same pixels; each is
        a joint that ``labelled`` holds.
    labelled : ``image_id, keypoint, x, y`` of every labelled joint of these people, also of those that the arm lacks.
    """
    places = labelled.pivot(index="image_id", columns="keypoint", values=["x", "y"]).fillna(np.inf)
    keypoints, person = places["x"].columns, places.index.get_indexer(pd.Index(predicted["image_id"]))
    away = (predicted[axis].to_numpy()[:, None] - places[axis].to_numpy()[person] for axis in ("x", "y"))
    distance = np.hypot(*away) / predicted["reference_length"].to_numpy()[:, None]  # (predictions, keypoints)

    rows = np.arange(len(predicted))
    own_at = keypoints.get_indexer(pd.Index(predicted["keypoint"]))
    mirrored_at = keypoints.get_indexer(pd.Index(predicted["keypoint"].map(_MIRRORED)))
    mirrored_at = np.where(mirrored_at < 0, own_at, mirrored_at)  # the head is its own mirror image: no swap
    own, mirrored = distance[rows, own_at], distance[rows, mirrored_at]
    distance[rows, own_at] = distance[rows, mirrored_at] = np.inf
    other = distance.min(axis=1)
    kinds = [own <= within, (mirrored <= within) & (mirrored <= other), other <= within, own <= _NEAR * within]
    return np.select(kinds, ERROR_TYPES[:-1], ERROR_TYPES[-1])
