"""Object keypoint similarity, compared with COCO's own evaluation."""

import contextlib
import io

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from metric_tables import arms, matched, repeated, values
from pycocotools.coco import COCO
from pycocotools.cocoeval import COCOeval

from monkey_transfer.errors import StudyError
from monkey_transfer.metrics import oks
from monkey_transfer.metrics.headline import headline
from monkey_transfer.metrics.matching import Matched

SIGMAS = {"right_wrist": 0.062, "left_wrist": 0.062, "right_knee": 0.087}


def by_coco(arm: Matched) -> dict[str, float]:
    """The numbers of pycocotools, for people whose joints COCO knows are some of SIGMAS."""
    known = arm.joints[arm.joints["keypoint"].isin(SIGMAS)]
    area_of = arm.people.set_index("image_id")["area"]
    truth, results = [], []
    for number, (image_id, person) in enumerate(known.groupby("image_id"), start=1):
        # OKS looks at differences alone, so the truth may lie at the origin. A joint without label has flag 0.
        errors = person.set_index("keypoint").reindex(SIGMAS)
        flags = np.where(errors["dx"].notna(), 2, 0)
        shifts = errors[["dx", "dy"]].fillna(0).to_numpy()
        of = {"image_id": number, "category_id": 1}
        places = np.column_stack([np.zeros_like(shifts), flags]).ravel().tolist()
        box = {"area": area_of[image_id], "bbox": [0.0, 0.0, 1.0, 1.0], "iscrowd": 0}
        truth.append({**of, "id": number, "keypoints": places, "num_keypoints": int((flags > 0).sum()), **box})
        guesses = np.column_stack([shifts, np.ones(len(shifts))]).ravel().tolist()
        results.append({**of, "keypoints": guesses, "score": person["likelihood"].mean()})
    with contextlib.redirect_stdout(io.StringIO()):  # pycocotools prints its progress
        coco = COCO()
        coco.dataset = {
            "info": {},
            "images": [{"id": person["id"]} for person in truth],
            "annotations": truth,
            "categories": [{"id": 1, "name": "person", "keypoints": list(SIGMAS)}],
        }
        coco.createIndex()
        evaluation = COCOeval(coco, coco.loadRes(results), "keypoints")
        evaluation.params.kpt_oks_sigmas = np.array(list(SIGMAS.values()))
        evaluation.params.areaRng, evaluation.params.areaRngLbl = [[0, 1e10]], ["all"]
        evaluation.evaluate()
        evaluation.accumulate()
    precision = evaluation.eval["precision"][..., 0, 0, 0].mean(axis=1)
    similarity = np.mean([evaluation.ious[person["id"], 1].item() for person in truth])
    return {"oks": similarity, "oks_ap": precision.mean(), "oks_ap50": precision[0], "oks_ap75": precision[5]}


@settings(deadline=None, max_examples=60)
@given(arms(), st.data())
def test_the_numbers_are_cocos_and_a_weighted_person_counts_like_so_many_people(arm, data):
    count = len(arm.people)
    arm.people["area"] = data.draw(st.lists(st.sampled_from([50.0, 400.0, 5000.0]), min_size=count, max_size=count))
    weights = data.draw(st.lists(st.integers(0, 3), min_size=count, max_size=count).filter(any))
    assert values(oks.statistic(arm), weights) == pytest.approx(by_coco(repeated(arm, weights)), abs=1e-9)


def test_many_weightings_at_once_are_each_its_own(monkeypatch):
    rng = np.random.default_rng(0)
    arm = matched(rng.normal(0, 4, (80, 2)), rng.random(80), area=rng.uniform(50, 500, 80))
    weights = rng.integers(0, 3, (30, 80))
    together = oks.statistic(arm)(weights)
    monkeypatch.setattr(oks, "_WEIGHTS_AT_ONCE", 200)
    in_parts = oks.statistic(arm)(weights)
    for metric, value in together.items():
        np.testing.assert_allclose(in_parts[metric], value, rtol=1e-12)
        assert value[7] == pytest.approx(values(oks.statistic(arm), weights[7])[metric])


def test_similarity_by_hand():
    # k of a wrist is 0.124: at 6.2 px on a box of 50 x 50 it is exp(-6.2^2 / (2 x 2,500 x 0.124^2)) = exp(-0.5).
    arm = matched([(6.2, 0), (0, 0), (0, 6.2)], [1, 1, 1], ["a", "a", "b"], ["right_wrist", "nose", "left_wrist"])
    arm.people["area"] = 2500.0
    found = values(oks.statistic(arm), [1, 1])
    assert found["oks"] == pytest.approx(((np.exp(-0.5) + 1) / 2 + np.exp(-0.5)) / 2)
    # Similarities are 0.803 and 0.607: both reach 0.50, 0.55 and 0.60, one reaches 0.65 ... 0.80, none 0.85 ... 0.95.
    # The two are equally sure, so the first counts first; it is right at recalls up to a half, 51 of 101.
    assert (found["oks_ap50"], found["oks_ap75"]) == pytest.approx((1, 51 / 101))
    assert found["oks_ap"] == pytest.approx((3 + 4 * 51 / 101) / 10)


def test_the_surest_count_first():
    # The person who is right is less sure than the one who is wrong: precision is a half, recall as well.
    arm = matched([(0, 0), (99, 0)], [0.3, 0.9], area=100.0)
    assert values(oks.statistic(arm), [1, 1])["oks_ap50"] == pytest.approx(0.5 * 51 / 101)
    assert values(oks.statistic(arm), [1, 0])["oks_ap50"] == 1
    assert values(oks.statistic(arm), [0, 1])["oks_ap50"] == 0


def test_people_without_an_area_and_joints_that_coco_lacks_do_not_count():
    people, joints = ["a", "a", "b", "c", "d"], ["nose", "head_top", "nose", "nose", "pelvis"]
    arm = matched([(0, 0), (99, 0), (99, 0), (99, 0), (99, 0)], [0.9, 0.1, 0.8, 0.7, 0.6], people, joints)
    arm.people["area"] = [100.0, np.nan, 0.0, 100.0]
    assert values(oks.statistic(arm), [1, 1, 1, 1]) == {"oks": 1, "oks_ap": 1, "oks_ap50": 1, "oks_ap75": 1}
    assert np.isnan([*values(oks.statistic(arm), [0, 1, 1, 1]).values()]).all()


@pytest.mark.parametrize("keypoint, area", [("pelvis", 100.0), ("nose", np.nan)])
def test_without_anybody_to_compare_there_is_no_oks(keypoint, area):
    arm = matched([(0, 0), (9, 0)], [1, 1], keypoints=[keypoint] * 2, area=area)
    assert not [metric for metric in headline(arm)(np.ones((1, 2), int)) if metric.startswith("oks")]


def test_a_confidence_outside_0_to_1_is_named():
    with pytest.raises(StudyError, match="'right_wrist' of picture 'p001'"):
        oks.statistic(matched([(0, 0), (0, 0)], [0.5, np.nan], area=1.0))
