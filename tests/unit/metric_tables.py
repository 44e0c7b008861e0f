"""Small tables for the tests of the metrics, and a plain way to write them."""

from dataclasses import replace

import numpy as np
import pandas as pd
from hypothesis import strategies as st

from monkey_transfer.metrics.bootstrap import Statistic
from monkey_transfer.metrics.error_types import ERROR_TYPES
from monkey_transfer.metrics.matching import CORRECT_WITHIN, Matched

KEYPOINTS = ("head_top", "right_wrist", "left_wrist", "right_knee", "pelvis")


def labels(rows) -> pd.DataFrame:
    """Rows of (image_id, keypoint, x, y); a joint with x None is unlabelled."""
    table = pd.DataFrame(rows, columns=["image_id", "keypoint", "x", "y"]).astype({"x": float, "y": float})
    labelled = table["x"].notna()
    return table.assign(labelled=labelled, visible=labelled)


def predictions(rows) -> pd.DataFrame:
    """Rows of (image_id, keypoint, x, y, likelihood)."""
    columns = ["image_id", "keypoint", "x", "y", "likelihood"]
    return pd.DataFrame(rows, columns=columns).astype({"x": float, "y": float, "likelihood": float})


def lengths(image_ids, length=10.0, name="head_size") -> pd.DataFrame:
    return pd.DataFrame({"image_id": list(image_ids), "name": name, "length": np.broadcast_to(length, len(image_ids))})


def matched(
    errors, likelihood, people=None, keypoints=None, length=10.0, reference="head_size", area=np.nan
) -> Matched:
    """An arm's table from its errors (dx, dy) in pixels and confidences; one person and joint a row unless given.

    No yardstick is floored, and what is wrong is a miss; people have boxes of ``area`` square pixels. What is as sure
    as 0.5 is kept.
    """
    errors = np.asarray(errors, float).reshape(-1, 2)
    count = len(errors)
    people = [f"p{i:03d}" for i in range(count)] if people is None else list(people)
    distance = np.hypot(*errors.T)
    correct = distance / length <= CORRECT_WITHIN[reference]
    joints = pd.DataFrame(
        {
            "image_id": people,
            "keypoint": ["right_wrist"] * count if keypoints is None else list(keypoints),
            "dx": errors[:, 0],
            "dy": errors[:, 1],
            "distance": distance,
            "reference_length": length,
            "normalised": distance / length,
            "floored": distance / length,
            "likelihood": np.asarray(likelihood, float),
            "correct": correct,
            "error": np.where(correct, "correct", "miss"),
        }
    )
    names = sorted(set(people))
    return Matched(joints, pd.DataFrame({"image_id": names, "group": names, "area": area}), reference, threshold=0.5)


def repeated(arm: Matched, times) -> Matched:
    """The arm's people, each so many times, under names of their own."""
    copies = [
        (person, copy) for person, number in zip(arm.people["image_id"], times, strict=True) for copy in range(number)
    ]
    joints = pd.concat(
        [arm.joints[arm.joints["image_id"] == person].assign(image_id=f"{person} {copy}") for person, copy in copies],
        ignore_index=True,
    )
    area_of = arm.people.set_index("image_id")["area"]
    names = [f"{person} {copy}" for person, copy in copies]
    people = pd.DataFrame({"image_id": names, "group": names, "area": [area_of[person] for person, _ in copies]})
    return replace(arm, joints=joints, people=people)


def values(statistic: Statistic, weights) -> dict[str, float]:
    """What a statistic says for one weighting of its groups."""
    return {metric: value.item() for metric, value in statistic(np.array([weights])).items()}


@st.composite
def arms(draw) -> Matched:
    """Random people with all of KEYPOINTS; few distinct errors and confidences, so that there are ties."""
    people = draw(st.integers(1, 6))
    count = people * len(KEYPOINTS)
    errors = draw(st.lists(st.tuples(st.integers(-8, 8), st.integers(-8, 8)), min_size=count, max_size=count))
    likelihood = draw(st.lists(st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.9, 1.0]), min_size=count, max_size=count))
    kinds = draw(st.lists(st.sampled_from(ERROR_TYPES[1:]), min_size=count, max_size=count))
    shorter = draw(st.lists(st.sampled_from([1.0, 0.5]), min_size=people, max_size=people))
    names = [f"p{i:03d}" for i in range(people) for _ in KEYPOINTS]
    arm = matched(errors, likelihood, names, KEYPOINTS * people, area=400.0)
    arm.joints["floored"] *= np.repeat(shorter, len(KEYPOINTS))
    arm.joints["error"] = arm.joints["error"].where(arm.joints["correct"], kinds)
    return arm
