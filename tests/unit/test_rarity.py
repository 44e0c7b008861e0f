import io

import matplotlib

matplotlib.use("Agg")

import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from metric_tables import matched
from test_poses import JOINTS, dataset_of

from monkey_transfer import plots
from monkey_transfer.errors import StudyError
from monkey_transfer.metrics.headline import replicates_of
from monkey_transfer.metrics.matching import Matched
from monkey_transfer.metrics.pckh import official_pckh
from monkey_transfer.poses import coverage
from monkey_transfer.rarity import (
    FEWEST_IN_DECILE,
    FEWEST_TRAINING,
    accuracy_by_decile,
    accuracy_by_rank,
    advantage_by_decile,
    deciles,
    interaction,
    mirrored,
    monkey_cover,
    pose_rarity,
    rarity_of_people,
)
from monkey_transfer.skeletons import LIMB_JOINTS, LSP_14, Skeleton

unhurried = settings(deadline=None, max_examples=5)
seeds = st.integers(0, 2**32 - 1)


def poses_near(standing: np.ndarray, count: int, spread: float, rng: np.random.Generator) -> np.ndarray:
    return standing + rng.normal(0, spread, (count, *standing.shape))


RNG = np.random.default_rng(0)
STANDING, SITTING = RNG.normal(size=(2, len(LIMB_JOINTS), 2))
TRAINING = poses_near(STANDING, 40, 0.1, RNG)


# Mirror images


@given(seeds)
def test_a_mirror_image_twice_is_the_pose(seed):
    poses = np.random.default_rng(seed).normal(size=(3, len(LIMB_JOINTS), 2))
    np.testing.assert_array_equal(mirrored(mirrored(poses, LIMB_JOINTS), LIMB_JOINTS), poses)


def test_a_mirror_image_by_hand():
    pose = np.array([[[1, 2], [3, 4], [5, 6]]])
    image = mirrored(pose, ("right_knee", "head_top", "left_knee"))
    np.testing.assert_array_equal(image, [[[-5, 6], [-3, 4], [-1, 2]]])


def test_one_side_alone_has_no_mirror_image():
    with pytest.raises(StudyError, match="right_knee without the same of the other side"):
        mirrored(np.zeros((1, 2, 2)), ("right_knee", "head_top"))


# Rarity


def test_distance_is_the_mean_to_the_five_nearest():
    test = poses_near(STANDING, 6, 0.3, RNG)
    found = pose_rarity(test, TRAINING, LIMB_JOINTS)["distance"]
    pairs = np.sqrt(np.mean(np.sum((test[:, None] - TRAINING) ** 2, axis=-1), axis=-1))
    np.testing.assert_allclose(found, np.sort(pairs, axis=1)[:, :5].mean(axis=1))


def test_a_training_pose_seen_often_enough_is_at_no_distance():
    often = np.repeat(TRAINING[:8], 5, axis=0)
    np.testing.assert_allclose(pose_rarity(TRAINING[:8], often, LIMB_JOINTS)["distance"], 0, atol=1e-12)


@unhurried
@given(seeds)
def test_a_pose_and_its_mirror_image_are_equally_rare(seed):
    poses = np.random.default_rng(seed).normal(size=(4, len(LIMB_JOINTS), 2))
    found = pose_rarity(np.concatenate([poses, mirrored(poses, LIMB_JOINTS)]), TRAINING, LIMB_JOINTS)
    np.testing.assert_allclose(found[4:], found[:4])


def test_the_few_are_rarer_than_the_many_and_strangers_rarest():
    training = np.concatenate([poses_near(STANDING, 90, 0.2, RNG), poses_near(SITTING, 10, 0.2, RNG)])
    many, few = (poses_near(pose, 30, 0.2, RNG) for pose in (STANDING, SITTING))
    strangers = RNG.normal(size=(30, *STANDING.shape))
    rarity = pose_rarity(np.concatenate([many, few, strangers]), training, LIMB_JOINTS)
    for measure in rarity.columns:
        found = rarity[measure]
        assert found[:30].mean() < found[30:60].mean() < found[60:].min(), measure


def test_surprise_finds_the_density_of_normal_poses():
    # Of a round normal distribution, whose log likelihood falls with half the squared distance in units of its spread.
    training, test = (poses_near(np.zeros_like(STANDING), count, 0.2, RNG) for count in (500, 200))
    surprise = pose_rarity(test, training, LIMB_JOINTS)["surprise"]
    centred = test - test.mean(axis=1, keepdims=True)
    truth = (centred**2).sum(axis=(1, 2)) / 0.2**2 / 2
    assert np.corrcoef(surprise, truth)[0, 1] > 0.95
    assert np.polyfit(truth, surprise, 1)[0] == pytest.approx(1, abs=0.1)


def test_frames_of_one_video_do_not_validate_each_other():
    # Twenty copies of each of a few poses: validated by its own copies, a density would be as narrow as it may be.
    videos = np.arange(10).repeat(20)
    training = poses_near(STANDING, 10, 0.3, RNG)[videos] + RNG.normal(0, 1e-3, (200, *STANDING.shape))
    test = poses_near(STANDING, 30, 0.3, RNG)
    alone, together = (pose_rarity(test, training, LIMB_JOINTS, groups)["surprise"] for groups in (None, videos))
    assert together.mean() < alone.mean() - 10


def test_the_same_poses_give_the_same_numbers():
    pd.testing.assert_frame_equal(*(pose_rarity(TRAINING[:3], TRAINING, LIMB_JOINTS) for _ in range(2)))


@pytest.mark.parametrize(
    "test, training, groups, message",
    [
        (TRAINING[:0], TRAINING, None, "there is no test pose"),
        (TRAINING, TRAINING[: FEWEST_TRAINING - 1], None, "at least 20 training poses of 5 groups, got 19 of 19"),
        (TRAINING, TRAINING, np.arange(40) % 4, "got 40 of 4: give more training people"),
        (TRAINING[:, :10], TRAINING, None, r"test poses: expected shape \(poses, 12, 2\)"),
        (TRAINING, TRAINING[:, :10], None, r"training poses: expected shape \(poses, 12, 2\)"),
    ],
    ids=["nobody", "few poses", "few groups", "test", "training"],
)
def test_rarity_that_cannot_be_measured(test, training, groups, message):
    with pytest.raises(StudyError, match=message):
        pose_rarity(test, training, LIMB_JOINTS, groups)


def people_near(pose: np.ndarray, count: int, rng: np.random.Generator) -> np.ndarray:
    return 100 + 20 * poses_near(np.resize(pose, (JOINTS, 2)), count, 0.2, rng)


TRAINING_PEOPLE = dataset_of(people_near(STANDING, 30, RNG))


@unhurried
@given(seed=seeds, shift=st.integers(-500, 500), scale=st.floats(0.1, 10))
def test_place_and_size_of_people_do_not_matter(seed, shift, scale):
    points = people_near(STANDING, 5, np.random.default_rng(seed))
    found = rarity_of_people(dataset_of(np.concatenate([points, points * scale + shift])), TRAINING_PEOPLE)
    measured = found[["distance", "surprise"]]
    np.testing.assert_allclose(measured[5:], measured[:5], atol=1e-6)


def test_people_without_all_landmarks_are_left_out():
    points = people_near(STANDING, 3, RNG)
    points[1, LSP_14.keypoints.index("left_knee")] = np.nan
    found = rarity_of_people(dataset_of(points), TRAINING_PEOPLE)
    assert list(found.columns) == ["image_id", "distance", "surprise"]
    assert found["image_id"].tolist() == ["p0", "p2"]
    only = rarity_of_people(dataset_of(points).subset(["p2"]), TRAINING_PEOPLE)
    np.testing.assert_allclose(only.iloc[0, 1:].astype(float), found.iloc[1, 1:].astype(float))


def test_a_mirrored_person_is_as_rare():
    points = people_near(STANDING, 4, RNG)
    other = [LSP_14.keypoints.index(_other_side(keypoint)) for keypoint in LSP_14.keypoints]
    found, of_mirrored = (
        rarity_of_people(dataset_of(p), TRAINING_PEOPLE) for p in (points, points[:, other] * (-1, 1) + (300, 0))
    )
    pd.testing.assert_frame_equal(of_mirrored, found)


def _other_side(keypoint: str) -> str:
    partner = dict(LSP_14.pairs) | {left: right for right, left in LSP_14.pairs}
    return partner.get(keypoint, keypoint)


def test_people_have_the_groups_of_their_pictures():
    of_four = dataset_of(people_near(STANDING, 30, RNG))
    of_four.images["group"] = [f"video {i % 4}" for i in range(30)]
    with pytest.raises(StudyError, match="got 30 of 4"):
        rarity_of_people(TRAINING_PEOPLE, of_four)


def test_a_landmark_without_people_is_an_error():
    bare = Skeleton("bare", LSP_14.landmarks[:-1], "hand")
    with pytest.raises(StudyError, match="has no head_top"):
        rarity_of_people(
            dataset_of(RNG.uniform(0, 9, (3, JOINTS - 1, 2)), bare), TRAINING_PEOPLE, (*LIMB_JOINTS, "head_top")
        )


# Deciles


@given(st.lists(st.floats(-1e6, 1e6), min_size=1, max_size=300, unique=True))
def test_deciles_are_of_equal_size_and_in_order(values):
    rarity = pd.Series(values, [f"p{i}" for i in range(len(values))])
    found = deciles(rarity)
    sizes = found.value_counts()
    assert sizes.max() - sizes.min() <= 1
    assert sorted(sizes.index) == list(range(1, max(1, min(10, len(values) // FEWEST_IN_DECILE)) + 1))
    assert found[rarity.sort_values().index].is_monotonic_increasing
    assert (found.index == rarity.index).all()


@given(st.lists(st.integers(0, 5), min_size=1, max_size=200))
def test_equals_are_in_one_decile(values):
    rarity = pd.Series(values)
    assert (deciles(rarity).groupby(rarity).nunique() == 1).all()
    assert deciles(rarity).between(1, 10).all()


@pytest.mark.parametrize("rarity", [pd.Series([], dtype=float), pd.Series([1.0, np.nan])], ids=["nobody", "NaN"])
def test_everybody_needs_a_rarity(rarity):
    with pytest.raises(StudyError, match="expected a number for each"):
        deciles(rarity)


# Accuracy and the interaction

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


def test_accuracy_of_a_decile_is_that_of_its_people():
    arms = {name: [arm_that_hits(1 - RANK / 2, RNG) for _ in range(2)] for name in ("transfer", "baseline")}
    decile = deciles(RARITY)
    found = accuracy_by_decile(arms, decile, resamples=50, seed=0)
    assert found["arm"].tolist() == ["transfer"] * 10 + ["baseline"] * 10
    assert (found["people"] == 10).all()
    assert (found["score"] == "pckh").all()
    assert (found["low"] <= found["mean"]).all()
    assert (found["mean"] <= found["high"]).all()
    row = found.query("arm == 'baseline' and decile == 4").iloc[0]
    own = decile.index[decile == 4]
    by_hand = [100 * run.joints.loc[run.joints["image_id"].isin(own), "correct"].mean() for run in arms["baseline"]]
    assert row["mean"] == pytest.approx(np.mean(by_hand))
    assert (row["least"], row["largest"]) == (min(by_hand), max(by_hand))


def test_one_decile_is_the_whole_score_on_shared_joints():
    few = arm_that_hits(RANK, RNG)
    wrists = Matched(few.joints[few.joints["keypoint"].str.endswith("wrist")], few.people, few.reference)
    everyone = pd.Series(1, PEOPLE)
    found = accuracy_by_decile({"few": [few], "wrists": [wrists]}, everyone, resamples=10, seed=0)
    np.testing.assert_allclose(found["mean"], official_pckh(wrists))


def test_the_advantage_is_paired():
    a = arm_that_hits(RANK, RNG)
    worse = a.joints.assign(correct=a.joints["correct"] & (a.joints["keypoint"] != "right_knee"))
    b = Matched(worse, a.people, a.reference)
    decile = deciles(RARITY)
    found = advantage_by_decile([a], [b], decile, resamples=100, seed=0)
    each = accuracy_by_decile({"a": [a], "b": [b]}, decile, resamples=100, seed=0).pivot(index="decile", columns="arm")
    np.testing.assert_allclose(found["mean"], each["mean", "a"] - each["mean", "b"])
    assert (found["high"] - found["low"] <= 25 + 1e-9).all()  # at most the knee of four joints


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


def test_the_interval_of_the_interaction_holds_the_truth():
    # Arm a gains from 0 points on the most ordinary pose to 40 on the rarest; people differ by themselves too.
    trials, held = 200, 0
    means = []
    for trial in range(trials):
        rng = np.random.default_rng(trial)
        person = rng.uniform(-0.15, 0.15, 100)
        a, b = (arm_that_hits(0.4 + person + gain, rng) for gain in (0.4 * RANK, 0))
        slope = interaction([a], [b], RARITY, resamples=200, seed=trial).iloc[0]
        means.append(slope["mean"])
        held += slope["low"] <= 40 <= slope["high"]
    # Within three standard errors of 95 %.
    assert 0.904 <= held / trials <= 0.996
    assert np.mean(means) == pytest.approx(40, abs=3 * np.std(means) / np.sqrt(trials))


def test_a_constant_advantage_does_not_interact():
    a = arm_that_hits(1 - RANK / 2, RNG)
    no_knee = a.joints["correct"] & (a.joints["keypoint"] != "right_knee")
    a = Matched(a.joints.assign(correct=no_knee | (a.joints["keypoint"] == "right_knee")), a.people, a.reference)
    b = Matched(a.joints.assign(correct=no_knee), a.people, a.reference)  # misses every right knee, a hits each
    found = interaction([a, a], [b, b], RARITY, resamples=50, seed=0).set_index("quantity")
    np.testing.assert_allclose(found.loc["slope", ["mean", "low", "high", "spread"]].astype(float), 0, atol=1e-9)
    np.testing.assert_allclose(found.loc[["most ordinary", "rarest"], "mean"], 25)


def test_the_interaction_is_that_of_ranks_and_over_seeds():
    runs = [[arm_that_hits(RANK, RNG) for _ in range(3)] for _ in "ab"]
    found, of_ranks = (interaction(*runs, rarity, resamples=50, seed=0) for rarity in (RARITY, np.exp(RARITY)))
    pd.testing.assert_frame_equal(found, of_ranks)
    assert found["quantity"].tolist() == ["slope", "most ordinary", "rarest"]
    single = [interaction([a], [b], RARITY, resamples=50, seed=0)["mean"] for a, b in zip(*runs, strict=True)]
    np.testing.assert_allclose(found["mean"], np.mean(single, axis=0))
    np.testing.assert_allclose(found["spread"], np.ptp(single, axis=0))
    swapped = interaction(*runs[::-1], RARITY, resamples=50, seed=0)
    np.testing.assert_allclose(swapped["mean"], -found["mean"])


def test_people_without_a_rarity_are_passed_over():
    a, b = (arm_that_hits(RANK, RNG) for _ in "ab")
    half = RARITY.iloc[::2]
    found = interaction([a], [b], half, resamples=50, seed=0)
    a.joints.loc[~a.joints["image_id"].isin(half.index), "correct"] = False
    pd.testing.assert_frame_equal(interaction([a], [b], half, resamples=50, seed=0), found)


def test_equally_rare_people_have_no_slope():
    a, b = (arm_that_hits(RANK, RNG) for _ in "ab")
    found = interaction([a], [b], pd.Series(1.0, PEOPLE), resamples=20, seed=0)
    assert found[["mean", "low", "high"]].isna().all(axis=None)


def test_groups_are_resampled_whole():
    arm = arm_that_hits(RANK, RNG)
    arm.people["group"] = [f"g{i // 20}" for i in range(100)]
    alone, together = (
        replicates_of({"arm": found}, 400, 0, lambda m: accuracy_by_rank(m, pd.Series(RANK, PEOPLE)))["arm"]["slope"]
        for found in (arm_that_hits(RANK, RNG), arm)
    )
    assert len(together.jackknifed) == 5
    assert len(alone.jackknifed) == 100


@pytest.mark.parametrize(
    "a, b, rarity, message",
    [
        ([], [], RARITY, "0 of a, 0 of b"),
        (2, 1, RARITY, "2 of a, 1 of b: give one for each seed"),
        (1, 1, pd.Series(1.0, [*PEOPLE, "stranger"]), "no arm was evaluated on picture 'stranger'"),
        (1, 1, RARITY.where(RARITY > 3), "got 96 numbers for 100 people"),
    ],
    ids=["no arm", "seeds", "stranger", "NaN"],
)
def test_arms_that_cannot_be_compared(a, b, rarity, message):
    arm = arm_that_hits(RANK, RNG)
    a, b = ([arm] * count if count else [] for count in (a, b))
    with pytest.raises(StudyError, match=message):
        interaction(a, b, rarity, resamples=10, seed=0)


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


def test_cover_by_nobody():
    with pytest.raises(StudyError, match="got 40, 40 and 0"):
        monkey_cover(TRAINING, TRAINING, TRAINING[:0], LIMB_JOINTS, np.ones(40, int))


# Figures

ARMS = {name: [arm_that_hits(1 - RANK / 2, RNG) for _ in range(2)] for name in ("transfer", "scratch_control")}
ACCURACY = accuracy_by_decile(ARMS, deciles(RARITY), resamples=50, seed=0)
ADVANTAGE = advantage_by_decile(*ARMS.values(), deciles(RARITY), resamples=50, seed=0)
LINE = interaction(*ARMS.values(), RARITY, resamples=50, seed=0)


@pytest.mark.parametrize("rendered", [True, False])
def test_figures_say_what_is_rendered_and_lie_on_the_canvas(rendered):
    for figure in (
        plots.accuracy_by_rarity(ACCURACY, rendered=rendered),
        plots.advantage_by_rarity(ADVANTAGE, LINE, *ARMS, rendered=rendered),
    ):
        assert figure.get_suptitle().endswith("(rendered pictures)") == rendered
        figure.savefig(io.BytesIO())
        needed, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
        assert min(needed.x0, needed.y0) > -0.06
        assert needed.x1 < width + 0.06
        assert needed.y1 < height + 0.06


def test_accuracy_is_drawn_with_its_intervals():
    (axes,) = plots.accuracy_by_rarity(ACCURACY, rendered=False).axes
    for line, band, (_, own) in zip(axes.lines, axes.collections, ACCURACY.groupby("arm", sort=False), strict=True):
        np.testing.assert_allclose(line.get_ydata(), own["mean"])
        height = band.get_paths()[0].vertices[:, 1]
        assert (height.min(), height.max()) == pytest.approx((own["low"].min(), own["high"].max()))
    assert axes.get_ylabel() == "PCKh@0.5 (%)"
    assert axes.get_xlabel() == "test people in 10 parts by rarity, 10 people each"


def test_the_slope_is_drawn_over_all_people():
    figure = plots.advantage_by_rarity(ADVANTAGE, LINE, *ARMS, rendered=False)
    (axes,) = figure.axes
    assert figure.get_suptitle().startswith("Transfer minus scratch control by rarity")
    slope, start, end = LINE["mean"]
    line = axes.lines[-1]
    np.testing.assert_allclose(line.get_xydata(), [(0.5, start), (10.5, end)])
    assert f"{slope:+.1f} points".replace("-", "\N{MINUS SIGN}") in line.get_label()


def test_a_figure_has_one_yardstick():
    both = pd.concat([ACCURACY, ACCURACY.assign(score="pck_by_torso")])
    with pytest.raises(StudyError, match="found pckh, pck_by_torso"):
        plots.accuracy_by_rarity(both, rendered=False)
    with pytest.raises(StudyError, match="found no row"):
        plots.accuracy_by_rarity(ACCURACY.iloc[:0], rendered=False)
