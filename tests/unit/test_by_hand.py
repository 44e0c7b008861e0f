"""Every table of the study of three people (tests/unit/by_hand.py) against what a pencil says.

Numbers of seeds stand in the order of the seeds; :func:`mean` makes of them what a table holds.
"""

from dataclasses import replace
from math import exp, hypot, nan, sqrt

import by_hand
import pytest

from monkey_transfer.measure.controls import equivalents, speed
from monkey_transfer.measure.leaks import audited, may_have_seen
from monkey_transfer.measure.results import beside_the_paper, pixel_table, readings, shown
from monkey_transfer.measure.scores import Point
from monkey_transfer.study.opening import Study

METRICS = ["auc", "best_f1", "best_f1/precision", "best_f1/recall_over_own_correct", "best_f1/rmse_distance"]


def mean(*of_seeds: float) -> float:
    return sum(of_seeds) / len(of_seeds)


def similarity(distance: float, side: float) -> float:
    """COCO's for a wrist (sigma 0.062) of a person in a square box."""
    return exp(-(distance**2) / (2 * side**2 * (2 * 0.062) ** 2))


# Boxes of 80, 100 and 160 pixels. Of the recalls 0, 0.01 ... 1 those up to 0.66, where two of three are similar enough.
ANN_10, BOB_2, CID_5 = similarity(10, 80), similarity(2.5, 100), similarity(5, 160)
SWAPPED = mean(similarity(40, 80), similarity(50, 100), similarity(80, 160))
TWO_OF_THREE = 67 / 101

# Of ten labelled joints, or of the eight that a PCK counts; squares of errors in original pixels.
TRANSFER = {
    "pckh": 100 * mean(7, 6, 5) / 8,
    "pckh/head": 100.0,
    "pckh/wrist": 100 * mean(5, 4, 3) / 6,
    "pckh@0.1": 100 * mean(5, 5, 4) / 8,
    "pckh@0.2": 100 * mean(6, 5, 4) / 8,
    # An error of 0 counts at all thresholds; 0.125 heads count at 0.75, 0.25 at 0.51 and 0.5 at 0.01 of them.
    "pckh/area": 100 * mean(5 + 0.75 + 0.51, 5 + 0.51, 4 + 0.01) / 8,
    "normalised_mean": mean(1 + 0.125 + 0.25, 1 + 1 + 0.5 + 0.25, 0.5 + 4 + 2.5 + 4) / 10,
    "normalised_median": 0.0,
    "mean_distance": mean(10 + 2.5 + 5, 10 + 10 + 5 + 5, 5 + 40 + 50 + 80) / 10,
    "rmse_x": mean(sqrt((36 + 2.25 + 9) / 10), sqrt((36 + 36 + 9 + 9) / 10), sqrt((9 + 1600 + 900 + 0) / 10)),
    "rmse_y": mean(sqrt((64 + 4 + 16) / 10), sqrt((64 + 64 + 16 + 16) / 10), sqrt((16 + 0 + 1600 + 6400) / 10)),
    "rmse_distance": mean(sqrt(131.25 / 10), sqrt(250 / 10), sqrt(10525 / 10)),
    "errors/correct": 10 * mean(9, 8, 7),
    "errors/swap": 10 * mean(0, 0, 2),
    "errors/inversion": 0.0,
    "errors/jitter": 10 * mean(1, 2, 0),
    "errors/miss": 10 * mean(0, 0, 1),
    # In each bin how many are right less how many should be: 8 x 0.125, 1 x 0.25, 1 x -0.5 with the first seed.
    "expected_calibration_error": mean(1 + 0.25 + 0.5, 0.75 + 0.5 + 1, abs(0.75 - 1.75) + 0.5 - 0.25 + 0.125) / 10,
    # With the last seed, of 7 x 3 pairs: 6 right ones tie with each of two swaps, and all 7 outrank the miss.
    "auc": mean(1, 1, (6 * 0.5 * 2 + 7) / 21),
    "average_precision": mean(1, 1, (6 * 6 / 8 + 1 * 7 / 9) / 7),
    # Best from 0.75 on, where the last seed keeps 7 right ones and 2 swaps.
    "best_f1": mean(1, 1, 14 / 16),
    "best_f1/threshold": 0.75,
    "best_f1/precision": mean(1, 1, 7 / 9),
    "best_f1/recall_over_own_correct": 1.0,
    "best_f1/recall_over_all_labelled": mean(9, 8, 7) / 10,
    "best_f1/rmse_distance": mean(sqrt((6.25 + 25) / 9), sqrt(50 / 8), sqrt((25 + 1600 + 6400) / 9)),
    # The validation people say 0.875, 0.75 and 0.75: the first seed loses the right one of 0.75.
    "kept/threshold": mean(0.875, 0.75, 0.75),
    "kept": mean(16 / 17, 1, 14 / 16),
    "kept/precision": mean(1, 1, 7 / 9),
    "kept/recall_over_own_correct": mean(8 / 9, 1, 1),
    "kept/recall_over_all_labelled": mean(8, 8, 7) / 10,
    "kept/rmse_distance": mean(sqrt(6.25 / 8), sqrt(50 / 8), sqrt((25 + 1600 + 6400) / 9)),
    "oks": mean(
        mean((1 + ANN_10) / 2, (1 + BOB_2) / 2, (1 + CID_5) / 2),
        mean(ANN_10, 1, (1 + CID_5) / 2),
        (1 + SWAPPED) / 2,
    ),
    # Ann, of whom the network is least sure, is similar enough up to 0.8, 0.6 and 0.5; the others up to 0.95, then 0.5.
    "oks_ap": mean(7 + 3 * TWO_OF_THREE, 3 + 7 * TWO_OF_THREE, 1) / 10,
    "oks_ap50": 1.0,
    "oks_ap75": mean(1, TWO_OF_THREE, 0),
}
CONTROL = {
    "pckh": 100 * mean(4, 5, 3) / 8,
    "pckh/head": 100 * mean(2, 1, 1) / 2,
    "pckh/wrist": 100 * mean(2, 4, 2) / 6,
    "pckh@0.1": 100 * mean(4, 4, 1) / 8,
    "pckh@0.2": 100 * mean(4, 4, 1) / 8,
    "pckh/area": 100 * mean(4, 4 + 0.51, 1 + 2 * 0.51) / 8,
    "normalised_mean": mean(2 + 2 + 1 + 2.5, 1 + 0.5 + 1 + 0.25 + 1, 2 + 5 + 4 + 0.25 + 2.5 + 4 + 0.25) / 10,
    # The fifth of ten: 0, 0 and 0.25 heads.
    "normalised_median": mean(0, 0, 0.25),
    "mean_distance": mean(3 * 20 + 50, 10 + 2 * 20 + 2 * 5, 20 + 2 * 50 + 40 + 80 + 2 * 5) / 10,
    "rmse_distance": mean(sqrt(3700 / 10), sqrt(950 / 10), sqrt((400 + 2 * 2500 + 1600 + 6400 + 50) / 10)),
    "errors/correct": 10 * mean(6, 7, 5),
    "errors/swap": 10 * mean(0, 0, 2),
    "errors/inversion": 10 * mean(0, 0, 1),
    "errors/jitter": 10 * mean(1, 3, 0),
    "errors/miss": 10 * mean(3, 0, 2),
    # With the last seed, of 5 x 5 pairs: 3 right ones tie with each of two swaps, and all 5 outrank the other three.
    "auc": mean(1, 1, (3 * 0.5 * 2 + 5 * 3) / 25),
    "best_f1": mean(1, 1, 10 / 12),
    "best_f1/precision": mean(1, 1, 5 / 7),
    "best_f1/recall_over_own_correct": 1.0,
    "best_f1/rmse_distance": mean(0, sqrt(50 / 7), sqrt((50 + 1600 + 6400) / 7)),
    "kept/threshold": mean(0.875, 0.75, 0.875),
    "kept": mean(1, 1, 6 / 10),
    "kept/precision": mean(1, 1, 3 / 5),
    "kept/rmse_distance": mean(0, sqrt(50 / 7), sqrt((1600 + 6400) / 5)),
}
# Wrists alone, six of them: right ones of Ann and Cid.
BASELINE = {
    "pckh": 100 * 2 / 6,
    "pckh/wrist": 100 * 2 / 6,
    "normalised_mean": (4 + 2.5 + 2.5 + 2.5) / 6,
    "normalised_median": 2.5,
    "rmse_distance": sqrt((1600 + 3 * 2500) / 6),
    "errors/swap": 50.0,
    "errors/miss": 100 / 6,
    "auc": (2 * 0.5 * 3 + 2) / 8,
    "best_f1": 4 / 7,
    "best_f1/precision": 2 / 5,
    "best_f1/rmse_distance": sqrt((1600 + 2 * 2500) / 5),
    "kept": nan,
    "kept/threshold": nan,
}
# The mean pose of those who are learnt is Ann's, 20 pixels to its right, and 20 to its left: that finds Ann and a wrist
# of Cid; all of Bob but a wrist; nobody, but for Bob's other wrist.
FLOOR = {
    "pckh": 100 * mean(4, 2, 0) / 8,
    "pckh/head": 100 * mean(1, 1, 0) / 2,
    "pckh/wrist": 100 * mean(3, 1, 0) / 6,
    "rmse_distance": mean(
        sqrt((3 * 20**2 + (20**2 + 30**2) + (80**2 + 80**2)) / 10),
        sqrt((4 * 20**2 + 30**2 + 40**2 + (120**2 + 80**2)) / 10),
        sqrt((4 * 20**2 + 3 * 40**2 + (40**2 + 30**2) + 40**2 + (40**2 + 80**2)) / 10),
    ),
    "errors/swap": 10 * mean(0, 0, 1),
    "kept": mean(2 * 5 / (10 + 5), 2 * 3 / (10 + 3), 0),
}
SCORES = {
    ("baseline", 2): BASELINE,
    ("benchmark", 7): {"pckh": 100 * 5 / 8, "pckh/head": 50.0, "pckh/wrist": 100 * 4 / 6, "kept": 1.0},
    ("transfer", 1): {"pckh": 100 * 4 / 8, "errors/jitter": 40.0},
    ("transfer", 3): TRANSFER,
    ("scratch_control", 1): {"pckh": 100 * 1 / 8, "errors/jitter": 40.0, "errors/miss": 30.0},
    ("scratch_control", 3): CONTROL,
    ("scratch_control", 7): {"pckh": 100 * 6 / 8, "errors/jitter": 20.0},
    ("mean_pose", 0): FLOOR,
}
PEOPLE = {
    ("baseline", 2): 3,
    ("benchmark", 7): 8,
    ("transfer", 1): 2,
    ("transfer", 3): 4,
    ("scratch_control", 1): 2,
    ("scratch_control", 3): 4,
    ("scratch_control", 7): 8,
    ("mean_pose", 0): 3,
}


@pytest.fixture(scope="module")
def results():
    with by_hand.measured() as results:
        yield results


def test_letters_are_what_their_table_says():
    ann, bob, cid = by_hand.TESTED.values()
    for letter, distance in {".": 0, "t": 2.5, "n": 5, "o": 10, "f": 20, "m": 50}.items():
        assert hypot(*by_hand.OFF_BY[letter]) == distance
    swaps = [by_hand.errors_of(person, letters) for person, letters in ((ann, "-ss-"), (bob, "-ss-"), (cid, "ss"))]
    assert swaps == [
        {"right_wrist": (40, 0), "left_wrist": (-40, 0)},
        {"right_wrist": (40, 30), "left_wrist": (-40, -30)},
        {"right_wrist": (0, 80), "left_wrist": (0, -80)},
    ]


@pytest.mark.parametrize("point", SCORES)
def test_scores(results, point):
    rows = results.table.set_index(["arm", "images", "metric"]).sort_index().loc[point]
    found = rows["value"]
    assert found[list(SCORES[point])].to_dict() == pytest.approx(SCORES[point], abs=1e-9, nan_ok=True)
    assert set(rows["people"]) == {PEOPLE[point]}
    assert results.people(Point(*point)) == PEOPLE[point]
    # Three people are 10^2 / (4^2 + 4^2 + 2^2) = 2.8 groups of one size.
    assert rows[["low", "high", "standard_error", "freedom"]].isna().all(axis=None)
    assert set(rows["note"]) <= {"too few groups", "undefined for 1 of 3 seeds", "undefined for 3 of 3 seeds"}
    assert (rows["seeds"] == 3).all()
    assert set(rows["over"]) == {"people and seeds"}


def test_where_no_confidence_is_best_there_is_no_threshold(results):
    """All that the baseline's first validation person gets is wrong."""
    kept = results.table.set_index(["arm", "images", "metric"]).sort_index().loc[("baseline", 2, "kept")]
    assert kept["note"] == "undefined for 1 of 3 seeds"


def test_the_largest_number_of_images_of_each(results):
    found = shown(results.table, results.study)
    assert list(dict.fromkeys(zip(found["arm"], found["images"], strict=True))) == [
        ("baseline", 2),
        ("benchmark", 7),
        ("transfer", 3),
        ("scratch_control", 7),
        ("mean_pose", 0),
    ]
    assert list(results.drawn_networks()) == ["baseline", "benchmark", "transfer", "scratch_control", "mean_pose"]
    assert results.drawn_networks()["transfer"].joints["correct"].sum() == 9  # of the first seed


# Differences

PAIRS = {
    # arm_a, arm_b, images_a, images_b: labelled people of a, joints that both have, difference of PCKh
    ("transfer", "baseline", 3, 2): (4, 2, 100 * (4 - 2) / 6),
    ("transfer", "benchmark", 3, 7): (4, 4, 100 * (6 - 5) / 8),
    ("transfer", "scratch_control", 1, 1): (2, 4, 100 * (4 - 1) / 8),
    ("transfer", "scratch_control", 3, 3): (4, 4, 100 * (6 - 4) / 8),
    ("benchmark", "scratch_control", 7, 7): (8, 4, 100 * (5 - 6) / 8),
    ("baseline", "mean_pose", 2, 0): (3, 2, 100 * (2 - mean(3, 1, 0)) / 6),
    ("benchmark", "mean_pose", 7, 0): (8, 4, 100 * (5 - 2) / 8),
    ("transfer", "mean_pose", 3, 0): (4, 4, 100 * (6 - 2) / 8),
    ("scratch_control", "mean_pose", 7, 0): (8, 4, 100 * (6 - 2) / 8),
}
PAIR = ["arm_a", "arm_b", "images_a", "images_b"]


def test_pairs_and_their_differences(results):
    rows = results.comparisons[results.comparisons["metric"] == "pckh"].set_index(PAIR)
    assert list(rows.index) == list(PAIRS)
    for pair, (people, joints, difference) in PAIRS.items():
        row = rows.loc[pair]
        assert (row["people"], row["joints"], row["seeds"]) == (people, joints, 3)
        assert row["difference"] == pytest.approx(difference)
        assert row["note"] == "too few groups"
    assert rows[["low", "high", "standard_error", "freedom"]].isna().all(axis=None)


def test_every_compared_metric_of_a_pair(results):
    rows = results.comparisons.set_index([*PAIR, "metric"]).sort_index().loc[("transfer", "scratch_control", 3, 3)]
    compared = ["pckh", "pckh/head", "pckh/wrist", "pckh@0.1", "pckh@0.2", "pckh/area"]
    compared += ["normalised_mean", "normalised_median", "auc", "best_f1", "kept"]
    expected = {metric: TRANSFER[metric] - CONTROL[metric] for metric in compared}
    assert set(rows.index) == {*compared, "oks_ap"}
    assert rows.loc[compared, "difference"].to_dict() == pytest.approx(expected)


def test_a_difference_is_of_the_joints_that_the_pair_shares(results):
    """Of wrists, where the pair with the baseline is compared: 0.23, 0.375 and 1.75 heads on average, less 1.92."""
    rows = results.comparisons.set_index([*PAIR, "metric"]).sort_index().loc[("transfer", "baseline", 3, 2)]
    by_pencil = mean(1 + 0.125 + 0.25, 1 + 1 + 0.25, 4 + 2.5 + 4) / 6 - BASELINE["normalised_mean"]
    assert rows.loc["normalised_mean", "difference"] == pytest.approx(by_pencil)
    assert "pckh/head" not in rows.index


def test_questions(results):
    primary = results.comparisons[results.comparisons["question"] != ""]
    asked = primary[[*PAIR, "metric", "question", "margin", "ruling"]]
    assert [tuple(row) for row in asked.itertuples(index=False)] == [
        ("transfer", "benchmark", 3, 7, "pckh", "Do they beat many people?", 2, "too few groups"),
        ("transfer", "scratch_control", 3, 3, "pckh", "Do monkeys help?", 2, "too few groups"),
    ]
    assert primary[["p", "p_equivalent"]].isna().all(axis=None)
    others = results.comparisons.drop(primary.index)
    assert others[["p", "p_equivalent", "margin"]].isna().all(axis=None)
    assert (others["ruling"] == "").all()


# Pixels: squares of errors, those of Ann and Bob, then those of Cid

PIXELS = {
    ("baseline", 2): [(1600 + 2 * 2500, 2500)] * 3,
    ("benchmark", 7): [(3 * 400, 0)] * 3,
    ("transfer", 3): [(100 + 6.25, 25), (2 * 100 + 25, 25), (25 + 1600 + 2500, 6400)],
    ("scratch_control", 3): [(3 * 400, 2500), (100 + 25 + 400, 25 + 400), (400 + 2 * 2500 + 1600 + 25, 6400 + 25)],
    ("scratch_control", 7): [(0, 2 * 400)] * 3,
    ("mean_pose", 0): [
        (3 * 400 + 1300, 12800),
        (4 * 400 + 900, 1600 + 20800),
        (4 * 400 + 3 * 1600 + 2500, 1600 + 8000),
    ],
}


@pytest.fixture(scope="module")
def pixels(results):
    table = pixel_table(results.study, results.scores)
    return table.set_index(["arm", "images", "metric", "frame"]).sort_index()["value"]


@pytest.mark.parametrize("point", PIXELS)
def test_pixels_of_the_labelled_picture_and_of_the_one_that_the_network_saw(pixels, point):
    rows = pixels.loc[(*point, "rmse_distance")]
    joints = 6 if point[0] == "baseline" else 10
    # The benchmark sees 128 pixels of a picture, all others 64.
    scales = (1, 1 / 2) if point[0] == "benchmark" else (1 / 2, 1 / 4)
    in_original = [sqrt((small + large) / joints) for small, large in PIXELS[point]]
    in_network = [sqrt((small * scales[0] ** 2 + large * scales[1] ** 2) / joints) for small, large in PIXELS[point]]
    assert rows["original px"] == pytest.approx(mean(*in_original))
    assert rows["network px"] == pytest.approx(mean(*in_network))


def test_pixels_of_those_that_are_kept(pixels):
    original, network = (pixels.loc[("transfer", 3, slice(None), frame)] for frame in ("original px", "network px"))
    assert original["kept/rmse_distance"] == pytest.approx(TRANSFER["kept/rmse_distance"])
    assert network["kept/rmse_distance"] == pytest.approx(
        mean(sqrt(6.25 / 4 / 8), sqrt((25 / 4 + 25 / 16) / 8), sqrt((25 / 4 + 1600 / 4 + 6400 / 16) / 9))
    )
    assert network["best_f1/rmse_distance"] == pytest.approx(
        mean(
            sqrt((6.25 / 4 + 25 / 16) / 9),
            sqrt((25 / 4 + 25 / 16) / 8),
            sqrt((25 / 4 + 1600 / 4 + 6400 / 16) / 9),
        )
    )
    assert set(pixels.index.get_level_values("metric")) == {
        "mean_distance",
        *(f"{of}rmse_{part}" for of in ("", "kept/", "best_f1/") for part in ("x", "y", "distance")),
    }


# Other yardsticks, other people, the paper


def test_readings_by_both_yardsticks(results):
    """Cid's head segment is not known. Ann's is 20 pixels, so that 10 are correct; Bob's is 16, so that 8 are."""
    found = readings(results.study)
    scores = found[found["metric"].isin(["pckh", "pckh_by_head_segment"])].set_index(["yardstick", "arm"])
    assert scores["value"].to_dict() == pytest.approx(
        {
            ("head_size", "baseline"): 100 * 2 / 6,
            ("head_size", "benchmark"): 100 * 5 / 8,
            ("head_size", "transfer"): 100 * mean(7, 6, 5) / 8,
            ("head_size", "scratch_control"): 100 * 6 / 8,
            ("head_segment", "baseline"): 100 * 1 / 4,
            ("head_segment", "benchmark"): 100 * 3 / 6,
            ("head_segment", "transfer"): 100 * mean(6, 6, 4) / 6,
            ("head_segment", "scratch_control"): 100.0,
        }
    )
    assert scores["images"].to_dict() == {
        (yardstick, arm): images
        for yardstick in ("head_size", "head_segment")
        for arm, images in {"baseline": 2, "benchmark": 7, "transfer": 3, "scratch_control": 7}.items()
    }


def test_people_of_another_data_set(results):
    """A tenth of a torso's 50 pixels and less is correct; transfer learnt Dan, and after monkeys."""
    found = results.elsewhere
    scores = found[found["metric"] == "pck_by_torso"].set_index("arm")
    assert scores["value"].to_dict() == pytest.approx(
        {"baseline": 75, "benchmark": 100, "transfer": 60, "scratch_control": 40}
    )
    assert scores["near_duplicates"].to_dict() == {
        "baseline": 1,
        "benchmark": 1,
        "transfer": 2,
        "scratch_control": 1,
    }


def test_no_other_data_set_is_an_empty_table(results):
    profile = results.study.profile.model_copy(update={"elsewhere": None})
    without = replace(results, study=Study(profile, results.study.source, results.study.target))
    assert without.elsewhere.empty
    assert without.elsewhere_comparisons.empty


def test_beside_the_paper(results):
    ours = {
        "baseline": (BASELINE["auc"], 4 / 7, 2 / 5, 1, BASELINE["best_f1/rmse_distance"]),
        "benchmark": (1, 1, 1, 1, 0),
        "transfer": tuple(TRANSFER[metric] for metric in METRICS),
    }
    papers = {
        "baseline": (0.63, 0.33, 0.21, 0.74, 83.44),
        "benchmark": (0.84, 0.75, 0.69, 0.83, 40.25),
        "transfer": (0.77, 0.82, 0.72, 0.94, 27.83),
    }
    names = ["AUC", "F1", "precision", "recall (over own correct, as in the paper)", "RMSE at the best F1, px"]
    table = beside_the_paper(results)
    assert list(zip(table["metric"], table["arm"], strict=True)) == [(name, arm) for name in names for arm in papers]
    for place, name in enumerate(names):
        for arm in papers:
            [row] = table[(table["metric"] == name) & (table["arm"] == arm)].itertuples()
            assert row.paper == papers[arm][place]
            assert row.value == pytest.approx(ours[arm][place])
            assert row.minus_paper == pytest.approx(ours[arm][place] - papers[arm][place])
            assert row.note == "too few groups"


# What went in


def test_budgets(results):
    table = results.budgets.set_index(["arm", "images", "seed"])
    assert table["iterations_in_all"].groupby(level=[0, 1], sort=False).agg(tuple).to_dict() == {
        ("baseline", 2): (100, 200, 300),
        ("benchmark", 7): (90, 90, 90),
        ("transfer", 1): (100 + 10, 200 + 10, 300 + 10),
        ("transfer", 3): (100 + 50, 200 + 50, 300 + 80),
        ("scratch_control", 1): (20, 20, 20),
        ("scratch_control", 3): (60, 60, 60),
        ("scratch_control", 7): (70, 70, 70),
    }
    assert table.loc[("transfer", 3, 2)].to_dict() == {
        "init": "arm:baseline",
        "learns": "target",
        "validation_pictures": 1,
        "batch_size": 4,
        "iterations": 80,
        "iterations_in_all": 380,
        "chosen_iteration": 20,
        "minutes": 1.5,
        "stopped_by": "iterations",
        "variables_restored": 260,
        "variables": 264,
        "optimizer": "adam",
        "run_digest": "0123456789ab",
        "data_digest": "fedcba987654",
        "git_commit": "abcdefabcdef",
    }
    assert results.iterations_in_all(Point("transfer", 3)) == (150 + 250 + 380) / 3
    assert results.iterations_in_all(Point("transfer", 1)) == 210


def test_leaks(results):
    """Max decides when to stop and is of Bob's group; Ned, the seventh of the last seed, is in Ann's picture; and the
    monkey that decides when monkeys are learnt is in Cid's."""
    assert results.leaks.to_dict("records") == [
        {
            "arm": arm,
            "test_people": 3,
            "trained_on": 0,
            "shared_group": shared_group,
            "near_duplicates": near_duplicates,
            "may_have_seen": 0,
            "note": "",
        }
        for arm, shared_group, near_duplicates in [
            ("baseline", 0, 1),
            ("benchmark", 1, 1),
            ("transfer", 1, 1),
            ("scratch_control", 1, 1),
        ]
    ]
    assert results.may_have_seen == {}


def test_pictures_are_looked_for_in_what_the_arm_itself_learnt(results):
    """Without a monkey in Cid's picture no arm's training has it; transfer learns three people, Ned not among them."""
    pictures = results.study.source.images.assign(path=results.study.source.images["path"].iloc[0])
    study = by_hand.with_data(results.study, source=pictures)
    assert audited(study).set_index("arm")["near_duplicates"].to_dict() == {
        "baseline": 0,
        "benchmark": 1,
        "transfer": 0,
        "scratch_control": 1,
    }


def test_a_finished_network_may_have_seen_the_test_people(results):
    leaks = audited(by_hand.with_data(results.study, profile=by_hand.profile(by_hand.FINISHED_BENCHMARK)))
    row = leaks.set_index("arm").loc["benchmark"]
    assert row[["trained_on", "shared_group", "near_duplicates", "may_have_seen"]].tolist() == [0, 0, 0, 3]
    why = "full_human was trained on people of MPII's training pictures, maybe the test people"
    assert may_have_seen(leaks) == {"benchmark": why}


# What monkeys are worth


def test_equivalents(results):
    """The control has 12.5, 50 and 75 % with 2, 4 and 8 people; three people are too few for a bound."""
    table = equivalents(results)
    assert table[["arm", "images", "people"]].to_dict("records") == [
        {"arm": "transfer", "images": 1, "people": 2},
        {"arm": "transfer", "images": 3, "people": 4},
    ]
    assert table["equivalent"].tolist() == pytest.approx([4, 8])
    assert table[["low", "high"]].isna().all(axis=None)
    assert set(table["note"]) == {"too few groups"}


def test_speed(results):
    """Up to the control's best validation score, 50 %: with the first seed after 20, the second after 10 iterations."""
    table = speed(results.study).set_index(["arm", "images"])
    assert list(table.index) == [
        ("benchmark", 7),
        *[("transfer", images) for images in (1, 3)],
        *[("scratch_control", images) for images in (1, 3, 7)],
    ]
    assert table.loc[("transfer", 3)].to_dict() == {"runs": 3, "reached": 2, "iterations": 15}
    assert table.loc[("scratch_control", 7)].to_dict() == {"runs": 3, "reached": 3, "iterations": 30}
    assert table.loc[("benchmark", 7), "reached"] == 0
    assert table.loc[("benchmark", 7), "iterations"] != table.loc[("benchmark", 7), "iterations"]  # no number
