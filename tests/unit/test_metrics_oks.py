import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from metric_tables import KEYPOINTS, arms, matched

from monkey_transfer.errors import StudyError
from monkey_transfer.metrics import oks


def plain_similarity(joints: pd.DataFrame, area: float) -> float:
    """COCO's formula, written out for one person."""
    sigma = {"right_wrist": 0.062, "left_wrist": 0.062, "right_knee": 0.087}
    known = joints[joints["keypoint"].isin(sigma)]
    k = 2 * known["keypoint"].map(sigma)
    return float(np.exp(-(known["dx"] ** 2 + known["dy"] ** 2) / (2 * area * k**2)).mean())


@settings(deadline=None, max_examples=40)
@given(arms(), st.integers(50, 5000))
def test_similarity_is_cocos_formula(arm, area):
    areas = pd.Series(float(area), index=arm.people["image_id"])
    found = oks.evaluate(arm.joints, areas)
    for image_id, person in arm.joints.groupby("image_id"):
        assert found.similarity[image_id] == pytest.approx(plain_similarity(person, area), abs=1e-9)


@settings(deadline=None, max_examples=40)
@given(arms())
def test_average_precision_is_that_of_people_ranked_by_mean_confidence(arm):
    found = oks.evaluate(arm.joints, pd.Series(400.0, index=arm.people["image_id"]))
    known = arm.joints[arm.joints["keypoint"].isin(KEYPOINTS[1:4])]
    score = known.groupby("image_id")["likelihood"].mean()
    hit = (found.similarity >= 0.5).loc[score.sort_values(ascending=False, kind="stable").index].to_numpy()
    recall, precision = np.cumsum(hit) / len(hit), np.cumsum(hit) / np.arange(1, len(hit) + 1)
    # COCO reads the best precision at or beyond each of 101 recalls; rounding may move one of them by a step.
    expected = np.mean([precision[recall >= level].max(initial=0) for level in np.linspace(0, 1, 101)])
    assert found.ap50 == pytest.approx(expected, abs=0.011)
    assert found.ap <= found.ap50 + 1e-12


@settings(deadline=None, max_examples=40)
@given(arms(), st.data())
def test_a_weighted_person_counts_for_pycocotools_like_so_many_people(arm, data):
    people = arm.people["image_id"]
    weights = data.draw(st.lists(st.integers(0, 3), min_size=len(people), max_size=len(people)).filter(any))
    copies = [
        arm.joints[arm.joints["image_id"] == person].assign(image_id=f"{person} copy {copy}")
        for person, weight in zip(people, weights, strict=True)
        for copy in range(weight)
    ]
    repeated = pd.concat(copies, ignore_index=True)
    expected = oks.evaluate(repeated, pd.Series(400.0, index=repeated["image_id"].unique()))
    found = oks.statistic(arm, pd.Series(400.0, index=people))(np.array([weights]))
    values = {name: value.item() for name, value in found.items()}
    assert values["oks"] == pytest.approx(expected.similarity.mean())
    # pycocotools adds a tiny number to precision, and reads recalls that rounding may move by a step.
    assert values["oks_ap50"] == pytest.approx(expected.ap50, abs=0.011)
    assert values["oks_ap75"] == pytest.approx(expected.ap75, abs=0.011)
    assert values["oks_ap"] == pytest.approx(expected.ap, abs=0.011)


def test_perfect_people_score_one():
    arm = matched([(0, 0)] * 4, [0.9, 0.8, 0.7, 0.6], ["a", "a", "b", "b"], ["nose", "right_hip"] * 2)
    found = oks.evaluate(arm.joints, pd.Series({"a": 100.0, "b": 900.0}))
    assert (found.ap, found.ap50, found.ap75, found.ar) == (1, 1, 1, 1)
    assert found.similarity.tolist() == [1, 1]


def test_bad_input_is_named():
    with pytest.raises(StudyError, match="no joint is one of COCO's"):
        oks.evaluate(matched([(0, 0)], [1], keypoints=["head_top"]).joints, pd.Series({"p000": 1.0}))
    with pytest.raises(StudyError, match="area of picture 'p000'"):
        oks.evaluate(matched([(0, 0)], [1]).joints, pd.Series({"p000": 0.0}))
