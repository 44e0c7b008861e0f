"""Object keypoint similarity and its average precision, as COCO computes them (pycocotools).

COCO's keypoint evaluation (Lin et al. 2014; cocodataset.org, "Keypoint Evaluation") scores a person by the
mean over labelled joints of exp(-d^2 / (2 area k^2)), k = 2 sigma. Sigmas are known for COCO's 17 landmarks
alone, so other joints (head top, upper neck, pelvis, thorax, tail) are left out here.

COCO means the area of a person's outline. Here it is that of the box, which is larger and makes every similarity
larger: these numbers compare arms of one study, not a study with COCO's tables.
"""

import numpy as np
import pandas as pd

from monkey_transfer.metrics.bootstrap import Statistic
from monkey_transfer.metrics.detection import confidences
from monkey_transfer.metrics.matching import Matched, group_numbers
from monkey_transfer.skeletons import LANDMARK_OF, without_side

# COCO's sigmas, by landmark without its side: pycocotools, Params.setKpParams.
SIGMA = {"nose": 0.026, "eye": 0.025, "ear": 0.035, "shoulder": 0.079, "elbow": 0.072, "wrist": 0.062}
SIGMA |= {"hip": 0.107, "knee": 0.087, "ankle": 0.089}
# COCO's OKS thresholds and the recalls at which it reads precision: pycocotools, Params.setKpParams.
THRESHOLDS = np.linspace(0.5, 0.95, 10)
RECALLS = np.linspace(0, 1, 101)

# So many stay in the processor's cache.
_WEIGHTS_AT_ONCE = 200_000
_SIGMA_OF = {keypoint: SIGMA.get(without_side(landmark), np.nan) for keypoint, landmark in LANDMARK_OF.items()}


def joint_similarities(matched: Matched) -> pd.Series:
    """COCO's similarity, 0 to 1, of every joint that COCO knows, of people with an area above zero; joints' index."""
    joints = matched.joints
    sigma = joints["keypoint"].map(_SIGMA_OF)
    area = joints["image_id"].map(matched.people.set_index("image_id")["area"])
    exponent = joints["distance"] ** 2 / (2 * area * (2 * sigma) ** 2)
    return pd.Series(np.exp(-exponent), joints.index)[(area > 0) & sigma.notna()]


def statistic(matched: Matched) -> Statistic:
    """COCO's numbers for any weighting of people, for :func:`monkey_transfer.metrics.bootstrap.replicate`.

    Metrics ``oks`` (mean similarity of a person), ``oks_ap`` (average precision, averaged over OKS thresholds 0.50,
    0.55 ... 0.95), ``oks_ap50`` and ``oks_ap75`` (at 0.50 and 0.75), all 0 to 1. Each picture has one person and one
    prediction, ranked by the mean confidence of the joints that count. No metric at all where no person has both an
    area and a joint that COCO knows.
    """
    similarities = joint_similarities(matched)
    if similarities.empty:
        return lambda weights: {}
    known = matched.joints.loc[similarities.index]
    confidences(known)
    people = known.assign(similarity=similarities).groupby("image_id")[["similarity", "likelihood"]].mean()
    ranked = people.sort_values("likelihood", ascending=False, kind="stable")
    similarity = ranked["similarity"].to_numpy()
    unit, _ = group_numbers(matched, ranked.index.to_series())

    def of_some(weights: np.ndarray) -> np.ndarray:
        drawn = weights[:, unit].astype(float)
        seen = np.cumsum(drawn, axis=1)
        with np.errstate(invalid="ignore"):
            mean = drawn @ similarity / seen[:, -1]
            precision = [_average_precision(drawn, seen, similarity >= threshold) for threshold in THRESHOLDS]
        return np.stack([mean, np.mean(precision, axis=0), precision[0], precision[5]])

    def of_weights(weights: np.ndarray) -> dict[str, np.ndarray]:
        rows = max(1, _WEIGHTS_AT_ONCE // len(unit))
        parts = [of_some(weights[start : start + rows]) for start in range(0, len(weights), rows)]
        return dict(zip(("oks", "oks_ap", "oks_ap50", "oks_ap75"), np.concatenate(parts, axis=1), strict=True))

    return of_weights


def _average_precision(drawn: np.ndarray, seen: np.ndarray, hit: np.ndarray) -> np.ndarray:
    """(resamples,) mean of the best precision at or beyond each of COCO's recalls; NaN where nobody was drawn.

    ``drawn`` says how often each person counts, the surest first, and ``seen`` is its running sum, both of shape
    (resamples, people); ``hit`` (people,) says who is similar enough. Precision is best at such a person.
    """
    people = seen[:, -1:]
    if not hit.any():
        return np.where(people[:, 0] > 0, 0.0, np.nan)
    right = np.cumsum(drawn[:, hit], axis=1)
    precision = right / np.maximum(seen[:, hit], 1)
    best = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
    reached = np.searchsorted(RECALLS, right / people, side="right")
    read_here = np.diff(reached, axis=1, prepend=0)
    return np.where(people[:, 0] > 0, np.sum(best * read_here, axis=1) / len(RECALLS), np.nan)
