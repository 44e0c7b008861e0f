"""Two labellings of one photograph: found by its pixels, compared by hand, read with no more than they say."""

from math import inf, sqrt
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st
from metric_tables import matched
from PIL import Image
from test_near_duplicates import texture

from monkey_transfer.datasets.base import Dataset
from monkey_transfer.measure import labelled_twice as finding
from monkey_transfer.measure.ceiling import (
    AGREE,
    MOST,
    READINGS,
    SLIPS,
    UNDONE,
    VAGUE,
    Ceiling,
    agreement,
    ceiling_of,
    explained,
    measure_ceiling,
    overall,
)
from monkey_transfer.measure.labelled_twice import MOMENT, PERSON, SAME, labelled_twice, second_labelling
from monkey_transfer.skeletons import LSP_14
from monkey_transfer.tell.labellings import on_labellings

WIDTH, HEIGHT = 320, 240
HEAD = 20.0
# Where the person stands in the photograph, and a patch of that size that is the person.
LEFT, TOP, ACROSS, TALL = 150, 70, 60, 90
POSE = np.array([(LEFT + ACROSS * x / 13, TOP + TALL * (x * 5 % 14) / 13) for x in range(14)])


def photograph(pose: int) -> Image.Image:
    """The same place and, in another pose, the same person."""
    picture = texture(1, WIDTH, HEIGHT)
    picture.paste(texture(pose, ACROSS + 20, TALL + 20), (LEFT - 10, TOP - 10))
    return picture


def labels_of(image_id: str, points: np.ndarray) -> pd.DataFrame:
    found = pd.DataFrame({"image_id": image_id, "keypoint": LSP_14.keypoints, "x": points[:, 0], "y": points[:, 1]})
    return found.assign(labelled=True, visible=True)


def people(folder, **labelled: tuple[Image.Image, np.ndarray, float]) -> Dataset:
    """By image_id a picture, its labels and its head segment, all of one group, as near duplicates are."""
    rows = []
    for image_id, (picture, points, _) in labelled.items():
        path = folder / f"{image_id}.jpg"
        picture.save(path, quality=80)
        (x, y), (width, height) = points.min(axis=0), np.ptp(points, axis=0)
        box = {"bbox_x": x, "bbox_y": y, "bbox_w": width, "bbox_h": height}
        rows.append({"image_id": image_id, "path": str(path), "width": picture.width, "height": picture.height, **box})
    lengths = [(image_id, "head_segment", head) for image_id, (_, _, head) in labelled.items()]
    return Dataset(
        "people",
        LSP_14,
        pd.DataFrame(rows).assign(group=next(iter(labelled)), split="train"),
        pd.concat([labels_of(image_id, points) for image_id, (_, points, _) in labelled.items()]),
        pd.DataFrame(lengths, columns=["image_id", "name", "length"]),
    )


def copied(picture: Image.Image, points: np.ndarray) -> tuple[Image.Image, np.ndarray]:
    """A smaller, brighter copy without the outermost columns, and the same places in its pixels."""
    cut = picture.crop((4, 0, WIDTH, HEIGHT)).resize((237, 180), Image.Resampling.LANCZOS)
    return cut.point(lambda level: min(255, int(1.1 * level))), (points + 0.5 - (4, 0)) * 0.75 - 0.5


def study_of(target: Dataset, stated: float | None = None, rendered: bool = False):
    profile = SimpleNamespace(yardstick="head_segment", ceiling=stated)
    return SimpleNamespace(profile=profile, target=target, rendered=rendered)


@pytest.fixture
def twice(tmp_path):
    """A photograph and its copy, in which the second labeller had two joints a head and more to the right."""
    moved = POSE.copy()
    moved[[0, 5], 0] += 1.2 * HEAD
    return people(tmp_path, a=(photograph(2), POSE, HEAD), b=(*copied(photograph(2), moved), 0.75 * HEAD))


def test_a_copy_is_found_and_the_way_to_it(twice):
    [pair] = labelled_twice(twice).to_dict("records")
    assert (pair["first"], pair["second"], pair["found"]) == ("a", "b", SAME)
    assert pair["alike"] > 0.9
    assert [pair[name] for name in ("xx", "xy", "yx", "yy")] == pytest.approx([4 / 3, 0, 0, 4 / 3], abs=0.005)
    there = copied(photograph(2), POSE)[1]
    x, y = (pair[f"{to}x"] * there[:, 0] + pair[f"{to}y"] * there[:, 1] + pair[f"d{to}"] for to in "xy")
    np.testing.assert_allclose(np.column_stack([x, y]), POSE, atol=0.3)


def test_another_moment_and_another_person_do_not_count(tmp_path):
    beside = POSE - (100, 20)
    found = labelled_twice(
        people(
            tmp_path,
            a=(photograph(2), POSE, HEAD),
            burst=(photograph(3), POSE, HEAD),
            copy=(*copied(photograph(2), POSE), 0.75 * HEAD),
            neighbour=(photograph(2), beside, HEAD),
        )
    )
    kinds = {(row.first, row.second): row.found for row in found.itertuples()}
    assert kinds == {
        ("a", "burst"): MOMENT,
        ("a", "copy"): SAME,
        ("a", "neighbour"): PERSON,
        ("burst", "copy"): MOMENT,
        ("burst", "neighbour"): MOMENT,
        ("copy", "neighbour"): PERSON,
    }
    moments = found[found["found"] == MOMENT]
    assert moments["alike"].max() < 0.4  # far from what is let through, though all the rest of the picture fits
    np.testing.assert_allclose(moments.loc[moments["second"] == "burst", ["xx", "yy"]], 1, atol=0.01)


def test_labels_have_no_part_in_the_way(twice, tmp_path):
    elsewhere = twice.labels.assign(x=twice.labels["x"] + 7)
    other = Dataset("other", LSP_14, twice.images, elsewhere, twice.reference_lengths)
    pd.testing.assert_frame_equal(labelled_twice(other), labelled_twice(twice))


def test_pictures_that_share_no_group_or_a_file_are_no_pair(twice):
    apart = twice.images.assign(group=twice.images["image_id"])
    one_file = twice.images.assign(path=twice.images["path"].iloc[0])
    for images in (apart, one_file):
        found = labelled_twice(Dataset("people", LSP_14, images, twice.labels, twice.reference_lengths))
        assert found.empty
        assert "found" in found


def of_pairs(*pairs) -> pd.DataFrame:
    columns = ["first", "second", "xx", "xy", "dx", "yx", "yy", "dy", "found"]
    return pd.DataFrame(pairs, columns=columns)


def test_one_labelling_is_measured_by_the_other_both_ways():
    """Picture b is half as large as a and lacks its ten leftmost columns."""
    rows = [
        ("a", "neck", 100, 100),
        ("a", "right_knee", 110, 150),
        ("a", "left_wrist", 50, 50),  # not in b
        ("b", "neck", 45, 50),
        ("b", "right_knee", 52, 75),
        ("b", "left_knee", 60, 75),  # not in a
    ]
    labels = pd.DataFrame(rows, columns=["image_id", "keypoint", "x", "y"]).astype({"x": float, "y": float})
    images = pd.DataFrame({"image_id": ["a", "b"], "path": ["a", "b"], "group": "a", "bbox_w": 50.0, "bbox_h": 80.0})
    lengths = pd.DataFrame({"image_id": ["a", "b"], "name": "head_segment", "length": [20.0, 9.0]})
    dataset = Dataset("hand", LSP_14, images, labels.assign(labelled=True, visible=True), lengths)
    pairs = of_pairs(("a", "b", 2, 0, 10, 0, 2, 0, SAME), ("a", "b", 1, 0, 0, 0, 1, 0, MOMENT))
    found = second_labelling(dataset, pairs, "head_segment")
    assert found.joints[["image_id", "keypoint", "dx", "dy", "reference_length"]].values.tolist() == [
        ["a by b", "neck", 0, 0, 19],
        ["a by b", "right_knee", 4, 0, 19],
        ["b by a", "neck", 0, 0, 9.5],
        ["b by a", "right_knee", -2, 0, 9.5],
    ]
    assert found.joints["normalised"].tolist() == pytest.approx([0, 4 / 19, 0, 4 / 19])
    # Two ways and one photograph, whose name may be that of one of its pictures.
    assert found.people[["image_id", "group"]].values.tolist() == [["a by b", "a"], ["b by a", "a"]]


def labellings(groups: int = 12):
    """Of twelve photographs, heads agree; wrists are 0 (4), 0.6 (3), 0.9 (3) and, for a swap, 3 heads (2) apart."""
    wrists = ([0] * 4 + [6] * 3 + [9] * 3 + [30] * 2)[:groups]
    errors = [(off, 0) for wrist in wrists for off in (0, wrist)]
    people = [f"p{number:02d}" for number in range(groups) for _ in range(2)]
    found = matched(
        errors, np.ones(len(errors)), people, ["head_top", "right_wrist"] * groups, reference="head_segment"
    )
    found.joints.loc[found.joints["normalised"] == 3, "error"] = "swap"
    return found


def test_readings_by_hand():
    table = agreement(labellings())
    assert table["joint"].tolist() == ["head", "wrist", "all joints"] * 5
    every = {reading: overall(table, reading) for reading in READINGS}
    assert {reading: row.value for reading, row in every.items()} == pytest.approx(
        {AGREE: 200 / 3, UNDONE: 75, SLIPS: 10 * sqrt(200 / 3), VAGUE: 1900 / 24, MOST: 100 - 100 / 24}
    )
    assert table.query("reading == @AGREE and joint == 'wrist'")["value"].item() == pytest.approx(100 / 3)
    assert every[AGREE].low < every[AGREE].value < every[AGREE].high
    assert (every[SLIPS].low, every[SLIPS].high) == pytest.approx(
        (10 * sqrt(every[AGREE].low), 10 * sqrt(every[AGREE].high))
    )


def test_what_labels_take_by_hand():
    table = agreement(labellings())
    least, most = explained(table, 80).itertuples()
    assert (least.quantity, least.value) == ("least", pytest.approx(80 / 24))
    assert (most.quantity, most.value) == ("most", pytest.approx(80 / 3))
    agree = overall(table, AGREE)
    assert (most.low, most.high) == pytest.approx((0.8 * (100 - agree.high), 0.8 * (100 - agree.low)))


def test_of_few_photographs_there_is_no_interval():
    found = overall(agreement(labellings(5)), AGREE)
    assert (found.value, found.note) == (90, "too few groups")
    assert np.isnan(found.low)
    assert explained(agreement(labellings(5)), 50)["note"].tolist() == ["too few groups"] * 2


places = st.tuples(st.floats(-30, 30), st.floats(-30, 30))
heads = st.floats(1, 30)


@given(st.lists(st.tuples(places, places, places, heads, heads), min_size=1, max_size=20))
def test_no_network_is_above_what_none_can_be_above(joints):
    """Wherever it looks: the mean of its scores by either labelling, each with its own head."""
    network, one, other = (np.array([joint[n] for joint in joints]) for n in range(3))
    head, other_head = (np.array([joint[n] for joint in joints]) for n in (3, 4))
    hits = [np.hypot(*(network - by).T) <= 0.5 * length for by, length in ((one, head), (other, other_head))]
    apart = pd.DataFrame({"normalised": np.hypot(*(one - other).T) / ((head + other_head) / 2)})
    reading = READINGS[MOST]
    # A hair more, for distances that differ by rounding alone.
    most = reading.to(100 * reading.of(apart, 0.5 * (1 + 1e-9)).mean())
    assert 100 * np.mean(hits) <= most + 1e-9


@given(st.lists(st.floats(0, 5), min_size=1, max_size=30))
def test_readings_are_in_order(distances):
    joints = pd.DataFrame({"normalised": distances, "error": "miss"})
    joints["correct"] = joints["normalised"] <= 0.5
    found = {name: reading.to(100 * reading.of(joints, 0.5).mean()) for name, reading in READINGS.items()}
    assert found[AGREE] <= found[UNDONE]
    for perfect in (found[SLIPS], found[VAGUE]):
        assert found[AGREE] - 1e-9 <= perfect <= found[MOST] + 1e-9


@pytest.mark.parametrize("wrong, spread", [(0.2, 1e-9), (0.0, 0.25)], ids=[SLIPS, VAGUE])
def test_a_network_that_finds_every_joint_scores_what_is_read(wrong, spread):
    """Two labellings of 200,000 joints, in heads from where these are; the network is there."""
    rng = np.random.default_rng(0)
    one, other = rng.normal(0, spread, (2, 200_000, 2)) + np.where(rng.random((2, 200_000, 1)) < wrong, 1, 0) * (
        rng.normal(0, 100, (2, 200_000, 2))
    )
    joints = pd.DataFrame({"normalised": np.hypot(*(one - other).T)})
    joints["correct"] = joints["normalised"] <= 0.5
    reading = READINGS[SLIPS if wrong else VAGUE]
    scored = 100 * np.mean(np.hypot(*np.concatenate([one, other]).T) <= 0.5)
    assert reading.to(100 * reading.of(joints, 0.5).mean()) == pytest.approx(scored, abs=0.3)


def test_a_study_has_the_ceiling_that_is_stated_or_measured(twice):
    measured = measure_ceiling(study_of(twice))
    assert ceiling_of(study_of(twice, stated=70), measured) == 70
    assert ceiling_of(study_of(twice), measured) == pytest.approx(100 * 12 / 14)
    alone = study_of(twice.subset(["a"]))
    assert ceiling_of(alone, measure_ceiling(alone)) is None


def test_a_study_in_which_nothing_is_labelled_twice(twice, monkeypatch):
    alone = twice.subset(["a"])
    found = measure_ceiling(study_of(alone))
    assert (found.labellings, len(found.pairs), len(found.table)) == (None, 0, 0)
    assert on_labellings(study_of(alone), found) == (
        "No photograph of the target is labelled twice, so how well two labellings agree is not known."
    )
    assert on_labellings(study_of(alone, rendered=True), found) == (
        "Rendered people are labelled by the program that draws them: no label is off, none is there twice."
    )
    monkeypatch.setattr(finding, "_LEAST_ALIKE", inf)
    assert measure_ceiling(study_of(twice)).labellings is None


def test_what_is_said_of_labels():
    found = labellings()
    pairs = pd.DataFrame({"found": [SAME] * 6 + [MOMENT] * 2})
    said = on_labellings(study_of(None), Ceiling(pairs, found, agreement(found)))
    assert said.startswith("**Two labellings of one photograph agree on 66.7 [")
    assert "] % of the joints** (PCKh@0.5 by head segment; 12 joints, 12 photographs)." in said
    assert "look alike: 6 one photograph and 2 another moment." in said
    assert "\n| they would, were left and right never mistaken | 75.0 [" in said
    assert "\n| what no network can score more than | 95.8 [" in said
    assert "From a network that finds 80 % of the joints by right labels, labels like these take 3.3 [" in said
    assert "to 26.7 [" in said


def test_the_rows_of_the_figure_are_those_of_agreement():
    found = labellings()
    rows = Ceiling(pd.DataFrame(), found, agreement(found)).by_joint
    assert rows["reading"].unique().tolist() == [AGREE, UNDONE]
    assert len(rows) == 6
