"""Intervals, p-values and rulings against a plain recomputation: three kinds of people, ten of each."""

from math import sqrt

import by_hand
import numpy as np
import pytest
from scipy.stats import t

from monkey_transfer.measure.claims import LEVEL
from monkey_transfer.measure.comparisons import between, compared_points, comparisons, of_metric, of_pair, primary
from monkey_transfer.measure.scores import Point, Scores
from monkey_transfer.metrics.headline import pck_scores
from monkey_transfer.metrics.pckh import joint_rows

SEEDS = 3
# Labelled joints of Ann, Bob and Cid, and those that a PCK counts.
LABELLED, COUNTED, WRISTS = (4, 4, 2), (3, 3, 2), (2, 2, 2)
# Hits of Ann, Bob and Cid with each seed; with many images every seed has the same.
TRANSFER_1 = [(2, 1, 0), (1, 1, 0), (1, 0, 0)]
CONTROL_1 = [(1, 0, 0), (1, 1, 0), (0, 0, 0)]
TRANSFER, CONTROL, LONGER, BENCHMARK = ([hits] * SEEDS for hits in [(2, 2, 1), (0, 3, 0), (1, 3, 1), (3, 3, 2)])
# The same of wrists alone: the baseline finds one of each Cid's.
TRANSFER_WRISTS, BASELINE_WRISTS = ([hits] * SEEDS for hits in [(1, 1, 1), (0, 0, 1)])


def by_other_means(hits, counted=COUNTED, labelled=LABELLED) -> dict[str, float]:
    """Value, standard error, degrees of freedom and bounds of a mean over seeds, from hits alone.

    People come in the order of their names: ten like Ann, ten like Bob, ten like Cid.
    """
    people = 3 * by_hand.COPIES
    groups = by_hand.COPIES * sum(labelled) ** 2 / sum(joints**2 for joints in labelled)
    drawn = np.random.default_rng(0).integers(people, size=(2000, people))
    hit = np.repeat(np.array(hits, float).T, by_hand.COPIES, axis=0)
    joints = np.repeat(np.array(counted, float), by_hand.COPIES)
    resampled = np.array([100 * hit[those].sum(axis=0) / joints[those].sum() for those in drawn])
    of_seeds = 100 * hit.sum(axis=0) / joints.sum()
    small = groups / (groups - 1)
    of_people = np.var(resampled.mean(axis=1)) * small
    both = sum(np.var(resampled[:, seed] - resampled.mean(axis=1)) for seed in range(SEEDS)) / SEEDS / (SEEDS - 1)
    of_people = max(0.0, of_people - both * small)
    of_training = np.var(of_seeds, ddof=1) / SEEDS
    error = sqrt(of_people + of_training)
    freedom = error**2 / (of_people / (groups - 1) + of_training / (SEEDS - 1))
    half = t.ppf(0.975, freedom) * error
    value = of_seeds.mean()
    bounds = {"low": value - half, "high": value + half}
    return {"value": value, **bounds, "standard_error": error, "freedom": freedom}


def minus(a, b):
    return [tuple(x - y for x, y in zip(*both, strict=True)) for both in zip(a, b, strict=True)]


def p_different(found: dict[str, float]) -> float:
    return 2 * beyond(abs(found["value"]), found)


def p_equivalent(found: dict[str, float], margin: float) -> float:
    return beyond(margin - abs(found["value"]), found)


def beyond(distance: float, found: dict[str, float]) -> float:
    """Tests have fewer degrees of freedom than intervals: the geometric mean of those and the seeds'."""
    return t.sf(distance / found["standard_error"], sqrt(found["freedom"] * (SEEDS - 1)))


@pytest.fixture(scope="module")
def results():
    with by_hand.enough() as results:
        yield results


SCORES = {
    ("transfer", 1): by_other_means(TRANSFER_1),
    ("transfer", 3): by_other_means(TRANSFER),
    ("scratch_control", 1): by_other_means(CONTROL_1),
    ("scratch_control", 3): by_other_means(CONTROL),
    ("scratch_longer", 3): by_other_means(LONGER),
    ("baseline", 2): by_other_means(BASELINE_WRISTS, WRISTS, WRISTS),
}
HELPS, MORE_THAN_LONGER, BEATS_MANY = (by_other_means(minus(TRANSFER, other)) for other in (CONTROL, LONGER, BENCHMARK))
PAIRS = {
    ("transfer", "scratch_control", 1, 1): by_other_means(minus(TRANSFER_1, CONTROL_1)),
    ("transfer", "scratch_control", 3, 3): HELPS,
    ("transfer", "scratch_longer", 3, 3): MORE_THAN_LONGER,
    ("transfer", "benchmark", 3, 7): BEATS_MANY,
    ("transfer", "baseline", 3, 2): by_other_means(minus(TRANSFER_WRISTS, BASELINE_WRISTS), WRISTS, WRISTS),
    ("scratch_control", "scratch_longer", 3, 3): by_other_means(minus(CONTROL, LONGER)),
}


def test_differences_by_pencil():
    """Of eight joints: with one image 3 - 1, 2 - 2 and 1 - 0; with many +2 - 1 + 1, +1 - 1 and -3."""
    values = [found["value"] for found in PAIRS.values()]
    assert values[:4] == pytest.approx([100 * 1 / 8, 100 * 2 / 8, 0, -100 * 3 / 8])


def test_the_plain_recomputation_has_the_variance_of_a_ratio():
    """Of the linearised ratio of sums, over 30 people: differences less what their number of joints lets expect."""
    for found, hits in ((HELPS, (2, -1, 1)), (MORE_THAN_LONGER, (1, -1, 0))):
        ratio = sum(hits) / sum(COUNTED)
        apart = [100 * (hit - ratio * joints) / (8 / 3) for hit, joints in zip(hits, COUNTED, strict=True)]
        variance = sum(each**2 for each in apart) / 3 / 30
        assert found["standard_error"] == pytest.approx(sqrt(variance * 27.8 / 26.8), rel=0.05)
        assert found["freedom"] == pytest.approx(10 * 100 / 36 - 1)


@pytest.mark.parametrize("point", SCORES)
def test_scores_and_their_intervals(results, point):
    row = results.table.set_index(["arm", "images", "metric"]).sort_index().loc[(*point, "pckh")]
    assert row[list(SCORES[point])].to_dict() == pytest.approx(SCORES[point])
    assert (row["seeds"], row["over"], row["note"]) == (3, "people and seeds", "")


@pytest.mark.parametrize("pair", PAIRS)
def test_differences_and_their_intervals(results, pair):
    rows = of_metric(results.comparisons, "pckh").set_index(["arm_a", "arm_b", "images_a", "images_b"])
    row = rows.sort_index().loc[pair].rename({"difference": "value"})
    assert row[list(PAIRS[pair])].to_dict() == pytest.approx(PAIRS[pair], abs=1e-9)
    assert (row["seeds"], row["over"], row["note"]) == (3, "people and seeds", "")


def test_questions_are_ruled_on_together(results):
    """Without Holm the first would be 'higher': its own p is below the level, but it is the second of three."""
    found = [HELPS, MORE_THAN_LONGER, BEATS_MANY]
    p = [p_different(one) for one in found]
    assert p[2] < LEVEL / 2 < p[0] < LEVEL < p[1]
    small = [p_equivalent(one, 20) for one in found]
    assert small[1] < LEVEL / 3 < LEVEL < small[0] < small[2]
    rows = primary(results.comparisons).set_index("arm_b").loc[["scratch_control", "scratch_longer", "benchmark"]]
    assert rows["p"].tolist() == pytest.approx([2 * p[0], max(2 * p[0], p[1]), 3 * p[2]])
    assert rows["p_equivalent"].tolist() == pytest.approx([min(1, 2 * small[0]), 3 * small[1], 1.0])
    assert rows["ruling"].tolist() == ["undecided", "no more than 20 points either way", "lower"]
    assert rows["question"].tolist() == [
        "Do monkeys help?",
        "More than longer training?",
        "Do they beat many people?",
    ]
    assert rows["margin"].tolist() == [20, 20, 20]
    assert (rows["metric"] == "pckh").all()


def test_a_wide_margin_makes_more_differences_small(results):
    """The same numbers with a margin of 60 points: 25 and 37.5 are less than that."""
    wide = by_hand.with_data(results.study, profile=results.study.profile.model_copy(update={"margin": 60.0}))
    rows = primary(comparisons(wide, results.scores)).set_index("arm_b")
    assert rows["ruling"].to_dict() == {
        "benchmark": "lower, but by less than 60 points",
        "scratch_control": "no more than 60 points either way",
        "scratch_longer": "no more than 60 points either way",
    }


def test_one_seed_is_ruled_on_nowhere(results):
    alone = Scores({point: of_seeds[:1] for point, of_seeds in results.scores.runs.items()}, pck_scores)
    table = comparisons(results.study, alone)
    assert set(primary(table)["ruling"]) == {"one seed"}
    assert primary(table)[["p", "p_equivalent"]].isna().all(axis=None)
    row = of_pair(table, "transfer", "scratch_longer", "pckh").iloc[0]
    assert row["over"] == "people"
    assert row["standard_error"] == pytest.approx(MORE_THAN_LONGER["standard_error"])
    assert row["high"] == pytest.approx(MORE_THAN_LONGER["high"])


def test_pairs_are_compared_once_in_the_order_of_their_question():
    asked_of_the_control = by_hand.profile(
        {
            **by_hand.ARMS,
            "transfer": {**by_hand.ARMS["transfer"], "against": {}},
            "scratch_control": {**by_hand.ARMS["scratch_control"], "against": {"transfer": "Does it help not to?"}},
        }
    )
    found = compared_points(asked_of_the_control)
    assert (Point("scratch_control", 3), Point("transfer", 3)) in found
    assert (Point("transfer", 3), Point("scratch_control", 3)) not in found
    assert len({frozenset(pair) for pair in found}) == len(found)
    assert [pair for pair in found if pair[1].arm == "mean_pose"] == [
        (Point(arm, images), Point("mean_pose", 0))
        for arm, images in {"baseline": 2, "benchmark": 7, "transfer": 3, "scratch_control": 7}.items()
    ]


def test_joints_of_a_pair(results):
    """Heads: +1 - 0 of each Ann and Bob; wrists: +1 of each Ann, -1 of each Bob, +1 of each Cid."""
    rows = between(results.comparisons, Point("transfer", 3), Point("scratch_control", 3))
    found, names = joint_rows(rows, "joints")
    assert names == ["head", "wrist", "all joints"]
    difference = found.set_index("joint").loc[["head", "wrist"], "difference"]
    assert difference.tolist() == pytest.approx([100 * (1 + 0) / 2, 100 * (1 - 1 + 1) / 6])
