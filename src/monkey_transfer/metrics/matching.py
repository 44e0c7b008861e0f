"""The one table that every metric reads: labelled joints joined with an arm's predictions of them."""

from collections.abc import Collection, Mapping
from dataclasses import dataclass, replace

import numpy as np
import pandas as pd

from monkey_transfer import tables
from monkey_transfer.errors import StudyError
from monkey_transfer.metrics.error_types import error_types

# The largest normalised distance at which a prediction counts as correct, for each yardstick.
CORRECT_WITHIN = {
    "head_size": 0.5,  # PCKh@0.5: Andriluka et al., CVPR 2014; the paper, section 2.5
    "head_segment": 0.5,  # the other reading of the paper's "head segment length", section 2.5
    "torso": 0.2,  # PCK@0.2: Sapp and Taskar, CVPR 2013
    "bbox_length": 0.2,  # PCK@0.2 of the longer box side: Yang and Ramanan, PAMI 2013
    "mpii_200scale": 0.05,  # head_size is a tenth of it in MPII, so this is PCKh@0.5 again
}

# A yardstick shorter than this part of what the person's box lets one expect is taken for a slip of the label. Ours:
# of LSPET's 6,412 head segments 14 are under 3 px, and few such people decide any mean of errors divided by them.
LEAST_OF_EXPECTED = 0.25

_COLUMNS = [
    *("image_id", "keypoint", "dx", "dy", "distance", "reference_length"),
    *("normalised", "floored", "likelihood", "correct", "error"),
]


@dataclass(frozen=True)
class Matched:
    """What one arm predicted for a set of people, next to the truth.

    Attributes
    ----------
    joints : one row per labelled joint whose keypoint the arm has, sorted by image and keypoint: ``image_id,
        keypoint``; ``dx, dy`` (prediction minus label), ``distance`` and ``reference_length`` in pixels of the original
        image; ``normalised`` (distance over reference length); ``floored`` (the same, over no less than
        :data:`LEAST_OF_EXPECTED` of the length that the person's box lets one expect); ``likelihood`` (the arm's
        confidence); ``correct`` (``normalised`` is at most ``CORRECT_WITHIN[reference]``); ``error``, one of
        :data:`monkey_transfer.metrics.error_types.ERROR_TYPES`.
    people : ``image_id, group, area`` of every picture with a labelled joint, also of those in which the arm has none
        of the labelled keypoints. ``area`` is that of the person's box in square pixels, NaN where it is unknown.
    reference : name of the yardstick.
    threshold : confidence from which on predictions are kept. Chosen on other people
        (:func:`monkey_transfer.metrics.detection.threshold_of`); NaN where there was none to choose.
    """

    joints: pd.DataFrame
    people: pd.DataFrame
    reference: str
    threshold: float = float("nan")

    def __post_init__(self) -> None:
        tables.refuse_repeated(self.joints, ["image_id", "keypoint"], "joints of an arm")
        tables.refuse_repeated(self.people, ["image_id"], "people of an arm")


def match(
    labels: pd.DataFrame,
    predictions: pd.DataFrame,
    reference_lengths: pd.DataFrame,
    reference: str = "head_size",
    images: pd.DataFrame | None = None,
) -> Matched:
    """Join an arm's predictions with the labels of the people it is evaluated on.

    Parameters
    ----------
    labels, predictions : see :mod:`monkey_transfer.tables`; keypoints have the labels' names
        (:func:`monkey_transfer.skeletons.mapping`), and those that the labels do not have are left out.
    reference_lengths : must hold ``reference`` for every picture that is measured; a person whose ``bbox_length`` it
        lacks has no floor.
    reference : what distances are divided by, a key of :data:`CORRECT_WITHIN`.
    images : gives each picture's ``group`` and box; without it each picture is a group of its own and has no area.

    Raises StudyError where a table breaks its contract (a duplicate row, a length that is not above zero), no joint is
    labelled, predictions are for a picture that the labels do not know, a predicted keypoint lacks a labelled picture,
    or a reference length or group is missing.
    """
    labels = tables.check(labels, tables.LABELS, "labels to match")
    predictions = tables.check(predictions, tables.PREDICTIONS, "predictions to match")
    labelled = labels[labels["labelled"]]
    if labelled.empty:
        raise StudyError("labels: no joint is labelled, so nothing can be measured: label at least one")
    unknown = predictions.loc[~predictions["image_id"].isin(labels["image_id"]), "image_id"]
    if len(unknown):
        raise StudyError(
            f"predictions: picture '{unknown.iloc[0]}' is not among the labelled pictures: "
            "evaluate an arm on the pictures that it predicted"
        )
    joints = _predicted_joints(labelled, predictions)
    people = _people(labelled, images)
    lengths = _lengths(reference_lengths, reference)
    joints["reference_length"] = _look_up(lengths, joints["image_id"], f"reference lengths: {reference}")
    joints["normalised"] = joints["distance"] / joints["reference_length"]
    floored = _floored(lengths, _lengths(reference_lengths, "bbox_length"), people["image_id"])
    joints["floored"] = joints["distance"] / joints["image_id"].map(floored)
    joints["correct"] = joints["normalised"] <= CORRECT_WITHIN[reference]
    predicted = joints.assign(x=joints["x_predicted"], y=joints["y_predicted"])
    joints["error"] = error_types(predicted, labelled, CORRECT_WITHIN[reference])
    return Matched(joints[_COLUMNS], people, reference)


def on_keypoints(matched: Matched, keypoints: Collection[str]) -> Matched:
    """The same people, measured on those keypoints only; StudyError if the arm has none of them labelled."""
    joints = matched.joints[matched.joints["keypoint"].isin(keypoints)].reset_index(drop=True)
    if joints.empty:
        raise StudyError(f"none of the keypoints {', '.join(sorted(keypoints))} is both labelled and predicted")
    return replace(matched, joints=joints)


def in_frame(matched: Matched, scales: pd.Series) -> Matched:
    """The same errors and areas in another frame's pixels, say those of the picture that the network saw.

    ``scales`` say by ``image_id`` how many pixels of the new frame one original pixel is, equal in x and y; StudyError
    when a picture with a joint has none. What is normalised or correct does not depend on the frame.
    """
    joints, people = matched.joints, matched.people
    factor = _look_up(scales, joints["image_id"], "scales of the frame: the scale")
    pixels = ["dx", "dy", "distance", "reference_length"]
    return replace(
        matched,
        joints=joints.assign(**{column: joints[column] * factor for column in pixels}),
        people=people.assign(area=people["area"] * people["image_id"].map(scales) ** 2),
    )


def refuse_different_people(arms: Mapping[str, Matched]) -> None:
    """Raise StudyError unless the arms, by name, were evaluated on the same people and groups by one yardstick."""
    (first, matched), *others = arms.items()
    identity = ["image_id", "group"]
    for arm, other in others:
        if other.reference != matched.reference:
            raise StudyError(
                f"arms '{first}' and '{arm}' were measured by {matched.reference} and {other.reference}: "
                "match both with the same reference"
            )
        if not other.people[identity].equals(matched.people[identity]):
            rows = matched.people[identity].merge(other.people[identity], how="outer", indicator=True)
            raise StudyError(
                f"arms '{first}' and '{arm}' were evaluated on different people or groups (picture "
                f"'{rows.loc[rows['_merge'] != 'both', 'image_id'].iloc[0]}'): evaluate both on the same ones"
            )


def group_numbers(matched: Matched, image_ids: pd.Series) -> tuple[np.ndarray, int]:
    """The group of each picture, as its place among the sorted names of all groups, and how many groups there are."""
    names = np.sort(matched.people["group"].unique())
    group = image_ids.map(matched.people.set_index("image_id")["group"])
    return np.searchsorted(names, group.to_numpy(names.dtype)), len(names)


def _people(labelled: pd.DataFrame, images: pd.DataFrame | None) -> pd.DataFrame:
    people = pd.DataFrame({"image_id": np.sort(labelled["image_id"].unique())})
    if images is None:
        return people.assign(group=people["image_id"], area=np.nan)
    images = images.set_index("image_id")
    group = _look_up(images["group"], people["image_id"], "images: the group")
    return people.assign(group=group, area=people["image_id"].map(images["bbox_w"] * images["bbox_h"]))


def _lengths(reference_lengths: pd.DataFrame, name: str) -> pd.Series:
    named = reference_lengths[reference_lengths["name"] == name]
    return tables.check(named, tables.REFERENCE_LENGTHS, "reference lengths").set_index("image_id")["length"]


def _floored(lengths: pd.Series, boxes: pd.Series, image_ids: pd.Series) -> pd.Series:
    """Each person's yardstick, or :data:`LEAST_OF_EXPECTED` of what the box lets one expect where that is longer."""
    lengths, boxes = lengths.reindex(image_ids), boxes.reindex(image_ids)
    expected = (lengths / boxes).median() * boxes
    return lengths.clip(lower=LEAST_OF_EXPECTED * expected)  # unknown is no bound


def _predicted_joints(labelled: pd.DataFrame, predictions: pd.DataFrame) -> pd.DataFrame:
    own = labelled[labelled["keypoint"].isin(predictions["keypoint"])]
    if own.empty:
        raise StudyError(
            f"predictions: none of the labelled keypoints ({', '.join(labelled['keypoint'].unique())}) is among them: "
            "rename the predictions to the labels' keypoints (skeletons.mapping)"
        )
    joints = (
        own[["image_id", "keypoint", "x", "y"]]
        .merge(predictions, on=["image_id", "keypoint"], how="left", suffixes=("", "_predicted"))
        .sort_values(["image_id", "keypoint"], ignore_index=True)
    )
    joints["dx"] = joints["x_predicted"] - joints["x"]
    joints["dy"] = joints["y_predicted"] - joints["y"]
    joints["distance"] = np.hypot(joints["dx"], joints["dy"])
    lost = joints[~np.isfinite(joints["distance"])]
    if len(lost):
        raise StudyError(
            f"predictions: keypoint '{lost['keypoint'].iloc[0]}' of picture '{lost['image_id'].iloc[0]}' is labelled "
            "but has no finite prediction, though the arm predicts it elsewhere: predict every evaluated picture"
        )
    return joints


def _look_up(values: pd.Series, image_ids: pd.Series, what: str) -> pd.Series:
    tables.refuse_repeated(values.rename_axis("image_id").reset_index(), ["image_id"], what)
    found = image_ids.map(values)
    if found.isna().any():
        raise StudyError(f"{what} of picture '{image_ids[found.isna()].iloc[0]}' is missing: add it or leave it out")
    return found
