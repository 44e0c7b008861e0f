"""Small tables for the tests of the metrics, and a plain way to write them."""

import numpy as np
import pandas as pd
from hypothesis import strategies as st

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


def matched(errors, likelihood, people=None, keypoints=None, length=10.0, reference="head_size") -> Matched:
    """An arm's table from its errors (dx, dy) in pixels and confidences; one person and joint a row unless given."""
    errors = np.asarray(errors, float).reshape(-1, 2)
    count = len(errors)
    people = [f"p{i:03d}" for i in range(count)] if people is None else list(people)
    distance = np.hypot(*errors.T)
    joints = pd.DataFrame(
        {
            "image_id": people,
            "keypoint": ["right_wrist"] * count if keypoints is None else list(keypoints),
            "dx": errors[:, 0],
            "dy": errors[:, 1],
            "distance": distance,
            "reference_length": length,
            "normalised": distance / length,
            "likelihood": np.asarray(likelihood, float),
            "correct": distance / length <= CORRECT_WITHIN[reference],
        }
    )
    names = sorted(set(people))
    return Matched(joints, pd.DataFrame({"image_id": names, "group": names}), reference)


@st.composite
def arms(draw) -> Matched:
    """Random people with all of KEYPOINTS; few distinct errors and confidences, so that there are ties."""
    count = draw(st.integers(1, 6)) * len(KEYPOINTS)
    errors = draw(st.lists(st.tuples(st.integers(-8, 8), st.integers(-8, 8)), min_size=count, max_size=count))
    likelihood = draw(st.lists(st.sampled_from([0.0, 0.1, 0.25, 0.5, 0.9, 1.0]), min_size=count, max_size=count))
    names = [f"p{i:03d}" for i in range(count // len(KEYPOINTS)) for _ in KEYPOINTS]
    return matched(errors, likelihood, names, KEYPOINTS * (count // len(KEYPOINTS)))
