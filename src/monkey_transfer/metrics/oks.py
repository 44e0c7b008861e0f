"""Object keypoint similarity and its average precision, as COCO computes them (pycocotools).

COCO's keypoint evaluation (Lin et al. 2014; cocodataset.org, "Keypoint Evaluation") scores a person by the
mean over labelled joints of exp(-d^2 / (2 area k^2)), k = 2 sigma. Sigmas are known for COCO's 17 landmarks
alone, so other joints (head top, upper neck, pelvis, thorax, tail) are left out here.
"""

import contextlib
import io
from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
import pandas as pd

from monkey_transfer.errors import StudyError
from monkey_transfer.metrics.bootstrap import Statistic
from monkey_transfer.metrics.detection import confidences
from monkey_transfer.metrics.matching import Matched
from monkey_transfer.skeletons import SKELETONS

# COCO's sigmas, by landmark without its side: pycocotools, Params.setKpParams.
SIGMA = {
    "nose": 0.026,
    "eye": 0.025,
    "ear": 0.035,
    "shoulder": 0.079,
    "elbow": 0.072,
    "wrist": 0.062,
    "hip": 0.107,
    "knee": 0.087,
    "ankle": 0.089,
}
# COCO's OKS thresholds and the recalls at which it reads precision: pycocotools, Params.setKpParams.
_THRESHOLDS = np.linspace(0.5, 0.95, 10)
_RECALLS = np.linspace(0, 1, 101)
_SIGMA_OF = {
    keypoint: SIGMA[landmark.removeprefix("right_").removeprefix("left_")]
    for skeleton in SKELETONS.values()
    for keypoint, landmark in skeleton.landmarks
    if landmark.removeprefix("right_").removeprefix("left_") in SIGMA
}


@dataclass(frozen=True)
class Coco:
    """COCO's numbers for single people.

    ``similarity`` is the OKS by ``image_id``; ``ap`` averages average precision over OKS thresholds
    0.50, 0.55 ... 0.95, ``ap50`` and ``ap75`` are those at 0.50 and 0.75, ``ar`` is average recall. All 0..1.
    """

    similarity: pd.Series
    ap: float
    ap50: float
    ap75: float
    ar: float


def knows(keypoints: Iterable[str]) -> bool:
    """Whether COCO has a sigma for one of the keypoints."""
    return not _SIGMA_OF.keys().isdisjoint(keypoints)


def evaluate(joints: pd.DataFrame, areas: pd.Series) -> Coco:
    """Run COCO's keypoint evaluation on a ``joints`` table.

    Parameters
    ----------
    joints : rows with errors in original pixels; the person's score is the mean confidence of its rows.
    areas : by ``image_id``, the person's area in square pixels of the original image. COCO means the area of
        the outline; a box area is larger and makes every similarity larger, so say which one was used.

    Raises StudyError when no joint has a sigma, or an area is missing or not above zero.
    """
    known = joints[joints["keypoint"].isin(_SIGMA_OF)]
    if known.empty:
        raise StudyError(f"OKS: no joint is one of COCO's landmarks ({', '.join(SIGMA)}): use PCK instead")
    confidences(known)
    person_areas = areas.reindex(known["image_id"].unique())
    if not (person_areas > 0).all():
        raise StudyError(f"OKS: the area of picture '{person_areas.index[~(person_areas > 0)][0]}' is missing or zero")
    evaluation = _evaluation(known, person_areas)
    precision, recall = evaluation.eval["precision"][..., 0, 0, 0], evaluation.eval["recall"][..., 0, 0, 0]
    similarity = {
        image_id: evaluation.ious[number, 1].item() for number, image_id in enumerate(person_areas.index, start=1)
    }
    per_threshold = precision.mean(axis=1)
    return Coco(
        pd.Series(similarity, name="oks").rename_axis("image_id"),
        float(per_threshold.mean()),
        float(per_threshold[0]),
        float(per_threshold[5]),
        float(recall.mean()),
    )


def statistic(matched: Matched, areas: pd.Series) -> Statistic:
    """COCO's numbers for any weighting of people, for :func:`monkey_transfer.metrics.bootstrap.replicate`.

    Metrics ``oks`` (mean similarity), ``oks_ap``, ``oks_ap50`` and ``oks_ap75``. Similarities are those of
    :func:`evaluate`; a person of weight two counts like two people, as a test shows on pycocotools itself.
    """
    similarity = evaluate(matched.joints, areas).similarity
    known = matched.joints[matched.joints["keypoint"].isin(_SIGMA_OF)]
    score = known.groupby("image_id")["likelihood"].mean().loc[similarity.index]
    order = np.argsort(-score.to_numpy(), kind="stable")
    names = np.sort(matched.people["group"].unique())
    group_of = matched.people.set_index("image_id")["group"]
    unit = np.searchsorted(names, group_of.loc[similarity.index].to_numpy(names.dtype))[order]
    ranked = similarity.to_numpy()[order]
    hits = ranked >= _THRESHOLDS[:, None]

    def one(weight: np.ndarray) -> tuple[float, ...]:
        weight = weight[unit]
        people = weight.sum()
        if not people:
            return (np.nan,) * 4
        right, seen = np.cumsum(hits * weight, axis=1), np.cumsum(weight)
        precision = right / np.maximum(seen, 1)
        # The best precision at or beyond each recall: COCO reads it at 101 recalls.
        best = np.maximum.accumulate(precision[:, ::-1], axis=1)[:, ::-1]
        at = np.array([np.searchsorted(row / people, _RECALLS) for row in right])
        read = np.take_along_axis(np.pad(best, ((0, 0), (0, 1))), at, axis=1).mean(axis=1)
        return weight @ ranked / people, read.mean(), read[0], read[5]

    def of_weights(weights: np.ndarray) -> dict[str, np.ndarray]:
        return dict(zip(("oks", "oks_ap", "oks_ap50", "oks_ap75"), np.array([one(w) for w in weights]).T, strict=True))

    return of_weights


def _evaluation(joints: pd.DataFrame, areas: pd.Series):
    from pycocotools.coco import COCO
    from pycocotools.cocoeval import COCOeval

    keypoints = sorted(joints["keypoint"].unique())
    truth, results = [], []
    for number, (image_id, person) in enumerate(joints.groupby("image_id", sort=False), start=1):
        # OKS looks at differences alone, so the truth may lie at the origin. A joint without label has flag 0.
        errors = person.set_index("keypoint").reindex(keypoints)
        flags = np.where(errors["dx"].notna(), 2, 0)
        shifts = errors[["dx", "dy"]].fillna(0).to_numpy()
        person_of = {"image_id": number, "category_id": 1}
        truth.append(
            {
                **person_of,
                "id": number,
                "keypoints": np.column_stack([np.zeros_like(shifts), flags]).ravel().tolist(),
                "num_keypoints": int((flags > 0).sum()),
                "area": float(areas[image_id]),
                "bbox": [0.0, 0.0, 1.0, 1.0],
                "iscrowd": 0,
            }
        )
        results.append(
            {
                **person_of,
                "keypoints": np.column_stack([shifts, np.ones(len(shifts))]).ravel().tolist(),
                "score": float(person["likelihood"].mean()),
            }
        )
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools prints its progress
        coco = COCO()
        coco.dataset = {
            "info": {},
            "images": [{"id": person["id"]} for person in truth],
            "annotations": truth,
            "categories": [{"id": 1, "name": "person", "keypoints": keypoints}],
        }
        coco.createIndex()
        evaluation = COCOeval(coco, coco.loadRes(results), "keypoints")
        evaluation.params.kpt_oks_sigmas = np.array([_SIGMA_OF[keypoint] for keypoint in keypoints])
        evaluation.params.areaRng, evaluation.params.areaRngLbl = [[0, 1e10]], ["all"]
        evaluation.evaluate()
        evaluation.accumulate()
    return evaluation
