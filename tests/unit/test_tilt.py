"""How far people are tilted, and differences among the tilted less those among the upright, by arithmetic."""

from itertools import pairwise
from math import sqrt

import by_hand
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from metric_tables import matched
from test_pose_space import JOINTS, dataset_of

from monkey_transfer.measure.scores import Point, Scores
from monkey_transfer.measure.tilt import by_tilt, tilt_groups, tilt_of
from monkey_transfer.metrics.headline import pck_scores
from monkey_transfer.metrics.matching import Matched
from monkey_transfer.skeletons import LSP_14, Skeleton

NECK, LEFT_HIP, RIGHT_HIP = (LSP_14.keypoints.index(name) for name in ("neck", "left_hip", "right_hip"))


def person(degrees: float, size: float = 30.0, at: tuple[float, float] = (200.0, 200.0)) -> np.ndarray:
    """Joints of somebody tilted to the right by so much: y points down, so up is (0, -1)."""
    points = np.zeros((JOINTS, 2))
    points[[LEFT_HIP, RIGHT_HIP]] = (-size / 4, 0), (size / 4, 0)
    points[NECK] = 0, -size
    turn = np.radians(degrees)
    return points @ [[np.cos(turn), np.sin(turn)], [-np.sin(turn), np.cos(turn)]] + at


def test_tilt_by_hand():
    """The hips' middle at (200, 200): neck above it, to its right, below it, and up to the left."""
    necks = [(200, 150), (260, 200), (200, 290), (180, 180)]
    people = np.full((len(necks), JOINTS, 2), 200.0)
    people[:, LEFT_HIP, 0] = 190
    people[:, RIGHT_HIP, 0] = 210
    people[:, NECK] = necks
    assert tilt_of(dataset_of(people)).to_dict() == pytest.approx({"p0": 0, "p1": 90, "p2": 180, "p3": 45})


@settings(deadline=None, max_examples=25)
@given(st.floats(-180, 180), st.floats(1, 400), st.integers(-500, 500))
def test_whoever_is_turned_is_tilted_by_as_much_wherever_and_however_large(degrees, size, shift):
    turned = person(degrees, size, (shift, -shift))
    mirrored = turned * (-1, 1)
    found = tilt_of(dataset_of(np.stack([turned, mirrored])))
    assert found.tolist() == pytest.approx([abs(degrees)] * 2, abs=1e-6)


def test_without_labels_of_neck_and_both_hips_there_is_no_tilt():
    people = np.stack([person(30)] * 4)
    for number, joint in enumerate((NECK, LEFT_HIP, RIGHT_HIP)):
        people[number, joint] = np.nan
    found = tilt_of(dataset_of(people))
    assert found.index.tolist() == ["p0", "p1", "p2", "p3"]
    assert found.isna().tolist() == [True, True, True, False]
    assert tilt_groups(found).to_dict() == {"p3": "upright"}
    headless = Skeleton("headless", tuple(pair for pair in LSP_14.landmarks if pair[1] != "upper_neck"))
    assert tilt_of(dataset_of(np.zeros((2, JOINTS - 1, 2)), headless)).isna().all()


def test_ends_of_the_groups():
    tilt = pd.Series([0, 60, 60.01, 120, 120.01, 180, np.nan], list("abcdefg"))
    assert tilt_groups(tilt).to_dict() == {
        **dict.fromkeys("ab", "upright"),
        **dict.fromkeys("cd", "between"),
        **dict.fromkeys("ef", "tilted"),
    }


# Differences by tilt: twelve upright people, twelve tilted and one of whom nothing is known, with two wrists each.

A, B, C = (Point(name, 1) for name in "abc")
COUNT = 12
TILT = [10.0] * COUNT + [170.0] * COUNT
PEOPLE = dataset_of(np.stack([*map(person, TILT), np.full((JOINTS, 2), np.nan)]))
WRISTS = ("right_wrist", "left_wrist")
SEEDS = 3


def network(upright: list[int], tilted: list[int], swapped: int = 0) -> Matched:
    """Of how many wrists of each person it finds; so many of the misses among the tilted are swaps."""
    hits = [*upright, *tilted, 2]
    found = matched(
        [(0 if joint < hit else 99, 0) for hit in hits for joint in range(2)],
        np.ones(2 * len(hits)),
        [f"p{number}" for number in range(len(hits)) for _ in range(2)],
        WRISTS * len(hits),
    )
    missed = found.joints.index[~found.joints["correct"] & found.joints["image_id"].isin(_names(COUNT, 2 * COUNT))]
    found.joints.loc[missed[:swapped], "error"] = "swap"
    return found


def _names(first: int, end: int) -> list[str]:
    return [f"p{number}" for number in range(first, end)]


# By person: 0, 1 or 2 hits in turn, a third each.
VARIED = [0, 1, 2] * (COUNT // 3)
RUNS = {
    A: [network([1] * COUNT, [2] * COUNT)] * SEEDS,
    B: [network(VARIED, VARIED, swapped=6)] * SEEDS,
    C: [network([0] * COUNT, VARIED[::-1])] * SEEDS,
}


@pytest.fixture(scope="module")
def found():
    return by_tilt(RUNS, PEOPLE)


def test_scores_of_the_groups(found):
    """Of 24 joints each: a finds half of those of the upright and all of those of the tilted; of 50 all but 12."""
    assert found.people == {"all": 25, "upright": 12, "between": 0, "tilted": 12}
    values = {group: metrics["pckh"].value for group, metrics in found.contrast({A: 1}).items()}
    assert values == pytest.approx(
        {"all": 100 * 38 / 50, "upright": 50, "between": np.nan, "tilted": 100, "tilted - upright": 50}, nan_ok=True
    )


def test_a_group_is_as_sure_as_its_own_people_are(found):
    """A mean of twelve people whose shares are 0, 50 and 100 % in turn: nobody else counts."""
    upright = found.contrast({B: 1})["upright"]["pckh"]
    variance_of_the_mean = np.var([0, 50, 100]) / COUNT
    # The number of upright people in a resample is left to chance as well, which costs a little.
    assert upright.standard_error == pytest.approx(sqrt(variance_of_the_mean * COUNT / (COUNT - 1)), rel=0.08)
    assert upright.freedom == pytest.approx(COUNT - 1)


def test_the_interaction_by_arithmetic(found):
    """a - b: 50 - 50 among the upright, 100 - 50 among the tilted. Both groups' people differ by 50 points."""
    interaction = found.contrast({A: 1, B: -1})["tilted - upright"]["pckh"]
    assert interaction.value == pytest.approx(50)
    variance_of_a_mean = np.var([0, 50, 100]) / COUNT
    assert interaction.standard_error == pytest.approx(sqrt(2 * variance_of_a_mean * COUNT / (COUNT - 1)), rel=0.08)
    assert interaction.freedom == pytest.approx(COUNT - 1)
    assert (interaction.seeds, interaction.over, interaction.note) == (3, "people and seeds", "")


def test_the_interaction_holds_the_chance_of_the_seeds():
    """Seeds of a find 50, 100 and 0 % of the joints of the tilted, all of them half of those of the upright."""
    of_seeds = [network([1] * COUNT, [hits] * COUNT) for hits in (1, 2, 0)]
    interaction = by_tilt({A: of_seeds}, PEOPLE).contrast({A: 1})["tilted - upright"]["pckh"]
    assert interaction.value == pytest.approx(0)
    assert interaction.standard_error == pytest.approx(50 / sqrt(3))
    assert interaction.freedom == pytest.approx(2)


def test_swaps_are_counted_apart(found):
    """Six of the 24 joints of the tilted, none of the upright."""
    values = {group: metrics["errors/swap"].value for group, metrics in found.contrast({B: 1, A: -1}).items()}
    assert values == pytest.approx(
        {"all": 12, "upright": 0, "between": np.nan, "tilted": 25, "tilted - upright": 25}, nan_ok=True
    )


def test_everybody_is_what_the_scores_are_of(found):
    assert found.contrast({A: 1, B: -1})["all"]["pckh"] == Scores(RUNS, pck_scores).compare(A, B)["pckh"]


@pytest.mark.parametrize("tilted", [0, 9])
def test_too_few_people_are_no_group(tilted):
    few = PEOPLE.subset(_names(0, COUNT + tilted))
    runs = {A: [_of_people(run, few) for run in RUNS[A]], B: [_of_people(run, few) for run in RUNS[B]]}
    contrast = by_tilt(runs, few).contrast({A: 1, B: -1})
    for group in ("tilted", "tilted - upright"):
        one = contrast[group]["pckh"]
        assert one.note == "too few tilted people"
        assert np.isnan([one.value, one.low, one.high, one.p_different(), one.p_equivalent(2)]).all()
    assert np.isfinite(contrast["upright"]["pckh"].value)


def _of_people(run: Matched, people) -> Matched:
    joints, who = (table[table["image_id"].isin(people.images["image_id"])] for table in (run.joints, run.people))
    return Matched(joints.reset_index(drop=True), who.reset_index(drop=True), run.reference)


# Contrasts

WEIGHT = st.floats(-4, 4).filter(lambda weight: abs(weight) > 0.1)


@settings(deadline=None, max_examples=15)
@given(st.lists(st.permutations(VARIED), min_size=9, max_size=9), WEIGHT)
def test_contrasts_add_up_and_scale(hits, weight):
    networks = [network(list(one), list(one[::-1])) for one in hits]
    with by_hand.resampled(50):
        scores = Scores({point: networks[place::3] for place, point in enumerate((A, B, C))}, pck_scores)
        steps = [scores.compare(one, other)["pckh"].value for one, other in pairwise((A, B, C))]
        whole = scores.contrast({A: weight, B: 0, C: -weight})["pckh"]
        plain = scores.compare(A, C)["pckh"]
    assert sum(steps) == pytest.approx(plain.value, abs=1e-9)
    assert whole.value == pytest.approx(weight * plain.value, abs=1e-9)
    assert np.isnan(plain.low) == np.isnan(whole.low)
    if not np.isnan(plain.low):
        assert whole.standard_error == pytest.approx(abs(weight) * plain.standard_error)
        assert whole.freedom == pytest.approx(plain.freedom)


def test_what_is_the_same_differs_by_nothing():
    twins = by_tilt({A: RUNS[B], B: RUNS[B]}, PEOPLE).contrast({A: 1, B: -1})
    for group in ("all", "upright", "tilted", "tilted - upright"):
        assert (twins[group]["pckh"].value, twins[group]["pckh"].note) == (0, "the same on all resamples")
