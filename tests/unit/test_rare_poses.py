"""Who is rare, and what that does to arms: by invariants, and in a study whose rarities were worked out by hand."""

from math import sqrt

import by_hand
import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from metric_tables import matched
from test_pose_space import JOINTS, dataset_of

from monkey_transfer.datasets.base import Dataset
from monkey_transfer.errors import StudyError
from monkey_transfer.measure.pose_space import coverage, mirrored, normalised_poses
from monkey_transfer.measure.rare_poses import (
    FEWEST_TRAINING,
    _cover,
    accuracy_by_rank,
    deciles,
    measure_rare_poses,
    monkey_cover,
    ranks,
    rarity_of_people,
)
from monkey_transfer.measure.scores import Point, Scores, read_scores
from monkey_transfer.metrics.estimate import FEWEST_GROUPS
from monkey_transfer.metrics.headline import pck_scores
from monkey_transfer.metrics.matching import Matched
from monkey_transfer.skeletons import LIMB_JOINTS, LSP_14, Skeleton
from monkey_transfer.study.splits import Draw

unhurried = settings(deadline=None, max_examples=5)
in_any_time = settings(deadline=None)
seeds = st.integers(0, 2**32 - 1)


RNG = np.random.default_rng(0)
STANDING, SITTING = RNG.normal(size=(2, len(LIMB_JOINTS), 2))


def poses_near(pose: np.ndarray, count: int, spread: float, rng: np.random.Generator) -> np.ndarray:
    return pose + rng.normal(0, spread, (count, *pose.shape))


def people_near(pose: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    return 100 + 20 * poses_near(np.resize(pose, (JOINTS, 2)), count, 0.2, rng)


TRAINING = dataset_of(people_near(STANDING, 40, RNG))


def rarity(people: Dataset | np.ndarray, training: Dataset = TRAINING) -> pd.Series:
    return rarity_of_people(people if isinstance(people, Dataset) else dataset_of(people), training, LIMB_JOINTS)


# Rarity


def test_distance_is_the_mean_to_the_five_nearest():
    people = dataset_of(people_near(STANDING, 6, RNG))
    test, training = (normalised_poses(dataset)[1] for dataset in (people, TRAINING))
    pairs = np.sqrt(np.mean(np.sum((test[:, None] - training) ** 2, axis=-1), axis=-1))
    np.testing.assert_allclose(rarity(people), np.sort(pairs, axis=1)[:, :5].mean(axis=1))


def test_a_training_pose_seen_often_enough_is_at_no_distance():
    few = people_near(STANDING, 8, RNG)
    np.testing.assert_allclose(rarity(few, dataset_of(np.repeat(few, 5, axis=0))), 0, atol=1e-12)


def test_the_few_are_rarer_than_the_many_and_strangers_rarest():
    training = dataset_of(np.concatenate([people_near(STANDING, 90, RNG), people_near(SITTING, 10, RNG)]))
    strangers = 100 + 20 * RNG.normal(size=(30, JOINTS, 2))
    found = rarity(np.concatenate([people_near(STANDING, 30, RNG), people_near(SITTING, 30, RNG), strangers]), training)
    assert found.iloc[:30].mean() < found.iloc[30:60].mean() < found.iloc[60:].min()


@pytest.mark.parametrize(
    "people, training, message",
    [
        (dataset_of(np.full((2, JOINTS, 2), np.nan)), TRAINING, "there is no test pose"),
        (
            TRAINING,
            TRAINING.subset([f"p{i}" for i in range(FEWEST_TRAINING - 1)]),
            "at least 20 training poses, got 19: give more training people",
        ),
    ],
    ids=["nobody", "few poses"],
)
def test_rarity_that_cannot_be_measured(people, training, message):
    with pytest.raises(StudyError, match=message):
        rarity(people, training)


@unhurried
@given(seed=seeds, shift=st.integers(-500, 500), scale=st.floats(0.1, 10))
def test_place_and_size_of_people_do_not_matter(seed, shift, scale):
    points = people_near(STANDING, 5, np.random.default_rng(seed))
    found = rarity(np.concatenate([points, points * scale + shift]))
    np.testing.assert_allclose(found[5:], found[:5], atol=1e-6)


def test_people_without_all_landmarks_are_left_out():
    points = people_near(STANDING, 3, RNG)
    points[1, LSP_14.keypoints.index("left_knee")] = np.nan
    found = rarity(points)
    assert found.index.tolist() == ["p0", "p2"]
    assert rarity(dataset_of(points).subset(["p2"])).tolist() == pytest.approx([found["p2"]])


def test_a_mirrored_person_is_as_rare():
    points = people_near(STANDING, 4, RNG)
    other = [LSP_14.keypoints.index(_other_side(keypoint)) for keypoint in LSP_14.keypoints]
    pd.testing.assert_series_equal(rarity(points[:, other] * (-1, 1) + (300, 0)), rarity(points))


def _other_side(keypoint: str) -> str:
    partner = dict(LSP_14.pairs) | {left: right for right, left in LSP_14.pairs}
    return partner.get(keypoint, keypoint)


def test_a_landmark_without_people_is_an_error():
    bare = Skeleton("bare", LSP_14.landmarks[:-1])
    with pytest.raises(StudyError, match="has no head_top"):
        rarity_of_people(dataset_of(RNG.uniform(0, 9, (3, JOINTS - 1, 2)), bare), TRAINING, (*LIMB_JOINTS, "head_top"))


# Deciles


@in_any_time
@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=300, unique=True))
def test_deciles_are_of_equal_size_and_in_order(values):
    rarity = pd.Series(values, [f"p{i}" for i in range(len(values))])
    found = deciles(rarity)
    sizes = found.value_counts()
    assert sizes.max() - sizes.min() <= 1
    assert sorted(sizes.index) == list(range(1, max(1, min(10, len(values) // FEWEST_GROUPS)) + 1))
    assert found[rarity.sort_values().index].is_monotonic_increasing
    assert (found.index == rarity.index).all()


@in_any_time
@given(st.lists(st.integers(0, 5), min_size=1, max_size=200))
def test_equals_are_in_one_decile(values):
    rarity = pd.Series(values)
    assert (deciles(rarity).groupby(rarity).nunique() == 1).all()
    assert deciles(rarity).between(1, 10).all()


def test_ranks_by_hand():
    """Of four people the second and third are equally rare: ranks 1, 2.5, 2.5 and 4, less a half, of four."""
    found = ranks(pd.Series([7.0, 9.0, 7.0, 0.5], list("abcd")))
    assert found.to_dict() == {"d": 0.125, "a": 0.5, "c": 0.5, "b": 0.875}


# Accuracy along the ranks

PEOPLE = [f"p{i:03d}" for i in range(100)]
RARITY = pd.Series(np.arange(100.0), PEOPLE)
RANK = (np.arange(100) + 0.5) / 100
JOINT_NAMES = ("right_wrist", "left_wrist", "right_knee", "left_knee")


def arm_that_hits(chance: np.ndarray, rng: np.random.Generator) -> Matched:
    """Hundred people of four joints, each hit with the person's chance."""
    hit = rng.uniform(size=(len(chance), len(JOINT_NAMES))) < chance[:, None]
    errors = np.where(hit.ravel()[:, None], (1.0, 0.0), (9.0, 0.0))
    people = np.repeat(PEOPLE[: len(chance)], len(JOINT_NAMES))
    return matched(errors, np.ones(len(errors)), people, JOINT_NAMES * len(chance))


@settings(deadline=None, max_examples=20)
@given(seeds)
def test_the_line_is_that_of_least_squares_over_joints(seed):
    rng = np.random.default_rng(seed)
    arm = arm_that_hits(np.full(12, 0.5), rng)
    arm.people["group"] = rng.choice(["x", "y", "z"], 12)
    arm = Matched(arm.joints.sample(frac=0.8, random_state=seed), arm.people, arm.reference)
    rank = pd.Series(rng.uniform(size=12), PEOPLE[:12])
    drawn = {"x": 2, "y": 1, "z": 3}
    names = np.sort(arm.people["group"].unique())
    found = accuracy_by_rank(arm, rank)(np.array([[drawn[name] for name in names]]))
    times = arm.joints["image_id"].map(arm.people.set_index("image_id")["group"]).map(drawn)
    again = arm.joints.loc[arm.joints.index.repeat(times)]
    slope, at_zero = np.polyfit(again["image_id"].map(rank), 100.0 * again["correct"], 1)
    values = [found[name].item() for name in ("slope", "most ordinary", "rarest")]
    np.testing.assert_allclose(values, [slope, at_zero, at_zero + slope], atol=1e-6)


def difference_of_lines(a: Matched, b: Matched, rarity: pd.Series = RARITY):
    """Quantity -> the estimate of a minus b, of one seed."""
    points = {Point(name, 1): [arm] for name, arm in {"a": a, "b": b}.items()}
    with by_hand.resampled(200):
        return Scores(points, lambda run: accuracy_by_rank(run, ranks(rarity))).compare(*points)


def test_the_interval_of_the_slope_holds_the_truth():
    # Arm a gains from 0 points on the most ordinary pose to 40 on the rarest; people differ by themselves too.
    trials, held = 100, 0
    means = []
    for trial in range(trials):
        rng = np.random.default_rng(trial)
        person = rng.uniform(-0.15, 0.15, 100)
        a, b = (arm_that_hits(0.4 + person + gain, rng) for gain in (0.4 * RANK, 0))
        slope = difference_of_lines(a, b)["slope"]
        means.append(slope.value)
        held += slope.low <= 40 <= slope.high
    # Within three standard errors of 95 %.
    assert held / trials >= 0.885
    assert np.mean(means) == pytest.approx(40, abs=3 * np.std(means) / np.sqrt(trials))


def test_a_constant_advantage_has_no_slope():
    a = arm_that_hits(1 - RANK / 2, RNG)
    no_knee = a.joints["correct"] & (a.joints["keypoint"] != "right_knee")
    a = Matched(a.joints.assign(correct=no_knee | (a.joints["keypoint"] == "right_knee")), a.people, a.reference)
    b = Matched(a.joints.assign(correct=no_knee), a.people, a.reference)  # misses every right knee, a hits each
    found = difference_of_lines(a, b)
    assert found["slope"].value == pytest.approx(0, abs=1e-9)
    assert [found[end].value for end in ("most ordinary", "rarest")] == pytest.approx([25, 25])
    assert difference_of_lines(b, a)["rarest"].value == pytest.approx(-25)


def test_equally_rare_people_have_no_slope():
    a, b = (arm_that_hits(RANK, RNG) for _ in "ab")
    slope = difference_of_lines(a, b, pd.Series(1.0, PEOPLE))["slope"]
    assert np.isnan(slope.value)
    assert slope.note == "undefined"


def test_groups_are_resampled_whole():
    a, b = (arm_that_hits(chance, np.random.default_rng(0)) for chance in (RANK, RANK / 2))
    groups = [f"g{i // 5}" for i in range(100)]
    together = [Matched(arm.joints, arm.people.assign(group=groups), arm.reference) for arm in (a, b)]
    assert difference_of_lines(a, b)["slope"].freedom == 99
    assert difference_of_lines(*together)["slope"].freedom == 19


# Monkeys


def test_monkeys_cover_the_poses_that_they_have():
    people = np.concatenate([poses_near(pose, 30, 0.1, RNG) for pose in (STANDING, SITTING)])
    standing_people, sitting_monkeys = poses_near(STANDING, 25, 0.1, RNG), poses_near(SITTING, 60, 0.1, RNG)
    found = monkey_cover(people, standing_people, sitting_monkeys, LIMB_JOINTS, np.repeat([1, 2], 30))
    assert found["decile"].tolist() == [1, 2]
    assert found["people"].tolist() == [30, 30]
    assert found["monkey_nearer"].tolist() == [0, 1]
    assert (found["drawn"] == 25).all()
    assert found["to_training"].iloc[0] < found["to_monkey"].iloc[0]


def test_medians_are_those_of_all_where_both_are_equally_many():
    people, training, monkeys = (np.abs(poses_near(STANDING, 9, 0.5, RNG)) for _ in range(3))
    found = monkey_cover(people, training, monkeys, LIMB_JOINTS, np.ones(9, int)).iloc[0]
    for name, poses in (("to_training", training), ("to_monkey", monkeys)):
        either = np.concatenate([poses, mirrored(poses, LIMB_JOINTS)])
        assert found[name] == pytest.approx(np.median(coverage(people, either)))


def test_as_many_people_as_monkeys_of_one_kind_share_evenly():
    people, training, monkeys = (poses_near(STANDING, count, 0.3, RNG) for count in (400, 300, 50))
    found = monkey_cover(people, training, monkeys, LIMB_JOINTS, np.ones(400, int)).iloc[0]
    assert found["monkey_nearer"] == pytest.approx(0.5, abs=0.1)
    assert found["to_monkey"] == pytest.approx(found["to_training"], rel=0.05)


# A study by hand: Ann's wrists are level, Bob's rise by 3 for every 4 to the side, Cid's are one above the other; ten
# are like each. Of two wrists a pose is the direction from one to the other, and two poses are as far apart as these.

SLOPING = by_hand.Person(((60, 20), (36, 53), (84, 67), (70, 100)), {"head_size": 10, "bbox_length": 80}, picture="ann")
LEVEL = by_hand.moved(0, 0, picture="ann")
LEARNT = {
    **{f"sloping{number:02d}": SLOPING for number in range(12)},
    **{f"level{number:02d}": LEVEL for number in range(49)},
}
NAMES = list(LEARNT)
# 24 of those whom the first and last seed learn: half of them slope. The second learns four who do, and twenty others.
# The first seed has 28 more, all level, of whom the second learns eight and nobody the other twenty; the last name is
# everybody's validation person.
CAST = by_hand.Cast(
    LEARNT,
    {
        0: Draw(0, (NAMES[-1],), tuple(NAMES[:52]), 0),
        1: Draw(1, (NAMES[-1],), tuple(NAMES[:4] + NAMES[12:32]), 0),
        2: Draw(2, (NAMES[-1],), tuple(NAMES[:24]), 0),
    },
    {
        f"m{number}": by_hand.Person(((60, 35), (60, 85), (9, 9)), {"bbox_length": 100}, picture="ann")
        for number in range(20)
    },
)
ARMS = {
    **by_hand.ARMS,
    "transfer": {**by_hand.ARMS["transfer"], "images": 24},
    "scratch_control": {**by_hand.ARMS["scratch_control"], "images": [7, 24]},
}
# Of the joints that are hit: transfer two of Ann's and of Bob's three and one of Cid's two, its control none, three and
# none, as in by_hand.ENOUGH.
RARE_PREDICTED = {
    ("baseline", 2): by_hand.ENOUGH["baseline", 2],
    ("benchmark", 7): by_hand.ENOUGH["benchmark", 7],
    ("transfer", 24): by_hand.ENOUGH["transfer", 3],
    ("scratch_control", 7): by_hand.ENOUGH["scratch_control", 1],
    ("scratch_control", 24): by_hand.ENOUGH["scratch_control", 3],
}
TO_SLOPING = sqrt((0.96 - 0.8) ** 2 + (0.28 - 0.6) ** 2), sqrt(0.96**2 + (1 - 0.28) ** 2)  # of Bob and Cid
TO_LEVEL = sqrt(0.2**2 + 0.6**2), sqrt(2)


@pytest.fixture(scope="module")
def rare(tmp_path_factory):
    profile = by_hand.profile(ARMS, elsewhere=None)
    with by_hand.opened(tmp_path_factory.mktemp("rare"), profile, RARE_PREDICTED, 10, CAST) as study:
        yield measure_rare_poses(study, Scores(read_scores(study).runs, pck_scores))


def test_rarity_is_against_those_who_are_learnt_over_the_draws_of_the_seeds(rare):
    """Ann is like twelve or more of whom each seed learns; the second learns but four like whom Bob and Cid are least
    unlike, so that the fifth is level."""
    of_bob, of_cid = (
        (2 * sloping + (4 * sloping + level) / 5) / 3 for sloping, level in zip(TO_SLOPING, TO_LEVEL, strict=True)
    )
    people = rare.people.set_index("image_id")
    assert len(people) == 30
    assert rare.left_out == 0
    for name, distance, decile in (("ann", 0, 1), ("bob", of_bob, 2), ("cid", of_cid, 3)):
        alike = people[people.index.str.startswith(name)]
        np.testing.assert_allclose(alike["distance"], distance, atol=1e-9)
        assert (alike["decile"] == decile).all()


def test_accuracy_by_rarity(rare):
    table = rare.accuracy.set_index(["arm", "decile"])["value"]
    assert {arm: table[arm].tolist() for arm in ARMS} == {
        "baseline": [0, 0, 50],
        "benchmark": [100, 100, 100],
        "transfer": pytest.approx([200 / 3, 200 / 3, 50]),
        "scratch_control": [0, 100, 0],
    }
    assert (rare.accuracy["people"] == 10).all()


def test_the_advantage_by_rarity(rare):
    """Ten like Ann, who all do alike: their interval has no width, so there is none."""
    assert rare.advantage["value"].tolist() == pytest.approx([200 / 3, -100 / 3, 50])
    assert set(rare.advantage["note"]) == {"the same on all resamples"}
    assert rare.advantage["seeds"].tolist() == [3, 3, 3]


def test_the_line_of_the_advantage(rare):
    """Through (1/6, 200/3), (1/2, -100/3) and (5/6, 50) of weights 3, 3 and 2: means 11/24 and 25, so a slope of
    -600/13 from 600/13 to 0."""
    lines = rare.lines.set_index("quantity")
    expected = {"slope": -600 / 13, "most ordinary": 600 / 13, "rarest": 0}
    assert lines["value"].to_dict() == pytest.approx(expected, abs=1e-9)
    slope = lines.loc["slope"]
    ranks_of_people = np.repeat([1 / 6, 1 / 2, 5 / 6], 10)
    advantage, joints = np.repeat([200 / 3, -100 / 3, 50], 10), np.repeat([3.0, 3.0, 2.0], 10)
    drawn = np.random.default_rng(0).integers(30, size=(2000, 30))
    slopes = [np.polyfit(ranks_of_people[those], advantage[those], 1, w=np.sqrt(joints[those]))[0] for those in drawn]
    groups = 100 * 10 / 36
    assert slope["standard_error"] == pytest.approx(np.std(slopes) * sqrt(groups / (groups - 1)))
    assert slope["freedom"] == pytest.approx(groups - 1)


def test_cover_is_of_people_who_are_not_learnt(rare):
    """Other people are all level, monkeys all upright, as Cid is: half of Bob's way to either is 0.63 and 0.89."""
    to_upright = sqrt(2), sqrt(0.8**2 + 0.4**2), 0
    assert rare.cover["monkey_nearer"].tolist() == [0, 0, 1]
    assert rare.cover["to_training"].tolist() == pytest.approx([0, *TO_LEVEL])
    assert rare.cover["to_monkey"].tolist() == pytest.approx(to_upright)
    assert rare.cover["drawn"].tolist() == [20, 20, 20]
    assert rare.cover["people"].tolist() == [10, 10, 10]


def test_too_few_who_are_learnt():
    with (
        by_hand.measured() as results,
        pytest.raises(StudyError, match="expected at least 20 training poses, got 3"),
    ):
        measure_rare_poses(results.study, results.scores)


def test_where_everybody_is_learnt_nobody_competes_with_monkeys():
    """As with folds: whom one does not learn another does."""
    with by_hand.measured() as results:
        study = results.study
        learnt = [study.target.subset(study.draw("target", seed).train) for seed in study.profile.seeds]
        assert _cover(study, ["left_wrist"], learnt, pd.Series(dtype=int)).empty
