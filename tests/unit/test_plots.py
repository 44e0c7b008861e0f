import matplotlib

matplotlib.use("Agg")

from dataclasses import replace
from functools import partial
from itertools import combinations

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.colors import to_hex, to_rgb
from matplotlib.figure import Figure
from matplotlib.patches import StepPatch
from metric_tables import matched

from monkey_transfer import plots
from monkey_transfer.datasets.base import Dataset
from monkey_transfer.errors import StudyError
from monkey_transfer.images import write_picture
from monkey_transfer.metrics import detection, error_types, pckh
from monkey_transfer.metrics.matching import CORRECT_WITHIN
from monkey_transfer.plots.bridges import bridges
from monkey_transfer.plots.results import _UNITS, ERROR_COLOURS
from monkey_transfer.plots.style import ARM_COLOURS, GREY, INK, SIDE_COLOURS, arm_colours, how_sure
from monkey_transfer.skeletons import LSP_14, MACAQUEPOSE_17, MPII_16, SKELETONS, Skeleton

RNG = np.random.default_rng(0)
LIMBS = ("right_shoulder", "right_elbow", "left_hip", "left_knee")
NAMES = ("baseline", "transfer", "another_arm")
RENDERED = "(rendered pictures)"
SCORE = "PCKh@0.5"
_TOLERANCE = 0.06  # inches: less than half a line of text


def arm(noise: float, reference: str = "head_size"):
    """Twenty people; small errors come with high confidence."""
    errors = RNG.normal(0, noise, (80, 2))
    likelihood = np.clip(1 - np.hypot(*errors.T) / 20 + RNG.normal(0, 0.1, 80), 0, 1)
    people = np.repeat([f"p{i:02d}" for i in range(20)], 4)
    return matched(errors, likelihood, people, LIMBS * 20, reference=reference)


def estimates(rows, **columns) -> pd.DataFrame:
    """Rows with unequal distances to their two bounds, so that no two columns can be mistaken for each other."""
    sure = {"seeds": 3, "over": "people and seeds", "note": ""}
    return pd.DataFrame(rows).assign(**(sure | columns))


def scored(arm: str, images: int, people: int, value: float, metric: str = "pckh") -> dict:
    bounds = {"low": value - 2, "high": value + 3}
    return {"arm": arm, "images": images, "people": people, "metric": metric, "value": value} | bounds


def compared(arm_a: str, arm_b: str, difference: float, ruling: str = "", people: int = 1000, metric="pckh") -> dict:
    pair = {"arm_a": arm_a, "arm_b": arm_b, "images_a": people - 50, "images_b": people - 50, "people": people}
    numbers = {"difference": difference, "low": difference - 2, "high": difference + 3, "margin": 1.5}
    return pair | numbers | {"metric": metric, "ruling": ruling, "question": "does it?" if ruling else ""}


ARMS = dict(zip(NAMES, (arm(8), arm(3), arm(5)), strict=True))
SCORES = estimates(
    [
        scored("transfer", 300, 350, 30),
        scored("transfer", 100, 150, 24),
        scored("scratch_control", 100, 150, 12),
        scored("scratch_control", 300, 350, 13),
        scored("benchmark", 5000, 5250, 37),
        scored("baseline", 650, 0, 16),
        scored("mean_pose", 0, 0, 7),
    ]
)
COMPARISONS = estimates(
    [
        compared("transfer", "benchmark", -7, "lower"),
        compared("transfer", "scratch_control", 1, "undecided"),
        compared("transfer", "baseline", 9, people=150),
        compared("transfer", "imagenet_longer", 0.5, "no more than 1.5 points either way"),
        compared("transfer", "imagenet_control", 4, "higher, but by less than 5 points"),
    ]
)
PRIMARY = COMPARISONS[COMPARISONS["question"] != ""]
GROUPS = ("head", "elbow", "knee")
BY_JOINT = estimates(
    [
        scored(name, 1, 2, value + shift, metric)
        for name, shift in (("transfer", 20), ("baseline", 0))
        for metric, value in zip((*(f"pckh/{group}" for group in GROUPS), "pckh"), (40, 20, 10, 23), strict=True)
    ]
)
JOINT_DIFFERENCES = estimates(
    [
        compared("transfer", "scratch_control", value, metric=metric)
        for metric, value in zip((*(f"pckh/{group}" for group in GROUPS), "pckh"), (12, -5, 3, 4), strict=True)
    ]
)
SHARES = (60.0, 20.0, 3.0, 7.0, 10.0)
ERRORS = estimates(
    [
        {"arm": name, "metric": f"errors/{kind}", "value": share}
        for name, shares in (("transfer", SHARES), ("baseline", SHARES[::-1]))
        for kind, share in zip(ERROR_COLOURS, shares, strict=True)
    ]
)
AGREEMENT = pd.DataFrame(
    [
        {"reading": reading, "joint": joint, "value": value, "low": value - 9, "high": value + 12}
        for reading, more in (("agree", 0), ("agree, sides undone", 5))
        for joint, value in (("head", 70 + more), ("knee", 60 + more), ("all joints", 66 + more))
    ]
)
ANGLE_PAIRS = pd.DataFrame(
    [
        {"seed": 0, "image_id": f"p{number}", "angle": angle, "label": label, "prediction": label + off}
        for angle in ("right_knee", "left_knee", "trunk")
        for number, (label, off) in enumerate([(10.0, 4.0), (60.0, -8.0), (30.0, 1.0)])
    ]
)
OF_ANGLES = estimates(
    [
        {"arm": "transfer", "angle": angle, "tested": 3, "angles": angles, "metric": metric}
        | {"value": value + shift, "low": value + shift - 2, "high": value + shift + 3}
        for angle, angles, shift in (("knee", 1200, 0), ("trunk", 3, 0.25))
        for metric, value in {"bias": -1, "lower_limit": -11, "upper_limit": 9, "icc": 0.5, "mae": 4}.items()
    ]
)
CALIBRATION = estimates(
    [
        {"arm": name, "metric": f"calibration/{part}", "value": value, "low": value - 0.04, "high": value + 0.06}
        for name in ("transfer", "baseline")
        for part, value in ((9, 0.8), (2, 0.3), (5, np.nan))
    ]
)
EQUIVALENTS = pd.DataFrame(
    {
        "arm": ["transfer", "transfer", "transfer", "scratch_control", "scratch_control"],
        "people": [150, 350, 1000, 150, 350],
        "equivalent": [400, 1204.6, np.inf, 0, np.nan],
        "low": [300, 900, 1300, 0, np.nan],
        "high": [700, np.inf, np.inf, 170, np.nan],
        "note": "",
    }
)
CURVES = {
    name: pd.DataFrame(
        {"iteration": [100, 200, 300], "training_loss": loss, "validation_score": score, "chosen": chosen}
    )
    for name, loss, score, chosen in (
        ("baseline", [0.1, 0.02, 0.01], [20.0, 44.0, 31.0], [False, True, False]),
        ("transfer", [0.2, 0.04, 0.03], [15.0, 30.0, 28.5], [False, False, True]),
    )
}
EXTRAPOLATIONS = pd.DataFrame(
    {
        "arm": ["transfer"] * 2 + ["imagenet_longer"] * 2 + ["transfer"],
        "rule": ["power law", "last slope"] * 2 + ["forecast"],
        "fitted_from": 50,
        "fitted_to": 350,
        "people": 1000,
        "promised": [100 - 30 - 300 / 1000**0.5, 62.0, 57.0, 59.0, 61.0],
        "promised_low": [58.0, 60.0, 54.0, 56.0, 55.0],
        "promised_high": [66.0, 65.0, 61.0, 63.0, 67.0],
        "floor": [30.0, np.nan, 40.0, np.nan, np.nan],
        "scale": [300.0, np.nan, 100.0, np.nan, np.nan],
        "exponent": [0.5, np.nan, 0.75, np.nan, np.nan],
        "level": [np.nan, 62 - 5 * np.log(1000), np.nan, 59 - 4 * np.log(1000), np.nan],
        "slope": [np.nan, 5.0, np.nan, 4.0, np.nan],
    }
)
OF_CURVES = estimates(
    [
        scored(name, images, people, value + shift)
        for name, shift in (("transfer", 5), ("imagenet_longer", 0), ("benchmark", 20))
        for images, people, value in ((950, 1000, 52.0), (30, 50, 30.0), (300, 350, 50.0), (100, 150, 42.0))
    ]
)
EXPECTED = pd.DataFrame(
    [
        {"arm": arm, "people": 1000, "score": score, "more": more, "value": value, "low": low, "high": value + 3}
        for arm, score, low in (("transfer", 57.0, 0.5), ("benchmark", 72.0, np.nan))
        for more, value in ((100, 1.0), (50, 0.6), (1000, 4.0))
    ]
)
ACCURACY = pd.DataFrame(
    [
        {"arm": name, "decile": decile, "people": 50 + decile, "value": value, "low": value - 4, "high": value + 6}
        | {"seeds": 3, "over": "people and seeds", "note": ""}
        for name, start in (("transfer", 50), ("baseline", 30))
        for decile in (2, 1, 3)
        for value in [start - 2 * decile]
    ]
)
ADVANTAGE = ACCURACY[ACCURACY["arm"] == "baseline"].drop(columns="arm")
TILT = estimates(
    [
        {"arm": name, "tilt": tilt, "value": value, "low": value - 4, "high": value + 6}
        for name, values in (("transfer", (50, 40, 20)), ("baseline", (30, 25, 5)))
        for tilt, value in zip(("upright", "between", "tilted"), values, strict=True)
    ]
)
TILT_DIFFERENCES = estimates(
    [
        {"row": row, "tilt": tilt, "value": value, "low": value - 2, "high": value + 3}
        for row, values in {
            "transfer - imagenet_control": (4, 3, 7.5, 4.5),
            "(transfer - imagenet_control) - (transfer_upright - control_upright)": (0, 1, -3, -4),
        }.items()
        for tilt, value in zip(("all", "upright", "tilted", "tilted - upright"), values, strict=True)
    ]
)
LINE = pd.DataFrame(
    {
        "quantity": ["slope", "rarest", "most ordinary"],
        "value": [-8.04, -3.0, 5.0],
        "low": [-9, -4.0, 4.0],
        "high": [1, -2, 7],
        "note": "",
    }
)


def people(folder, skeleton: Skeleton = LSP_14, rendered: bool = False, count: int = 5) -> Dataset:
    """People in black pictures; the last joint of the skeleton is never labelled, the first one is hidden."""
    ids = [f"p{i}" for i in range(count)]
    joints = len(skeleton.keypoints)
    for image_id in ids:
        write_picture(folder / f"{image_id}.png", np.zeros((40, 60, 3), np.uint8))
    labels = pd.DataFrame(
        {
            "image_id": np.repeat(ids, joints),
            "keypoint": np.tile(skeleton.keypoints, count),
            "x": RNG.uniform(10, 30, count * joints),
            "y": RNG.uniform(5, 35, count * joints),
        }
    )
    labelled = labels["keypoint"] != skeleton.keypoints[-1]
    labels.loc[~labelled, ["x", "y"]] = np.nan
    images = pd.DataFrame({"image_id": ids, "path": [str(folder / f"{i}.png") for i in ids], "group": ids})
    return Dataset.checked(
        folder,
        name="People",
        skeleton=skeleton,
        images=images.assign(width=60, height=40, bbox_x=8.0, bbox_y=3.0, bbox_w=24.0, bbox_h=34.0, split="all"),
        labels=labels.assign(labelled=labelled, visible=labelled & (labels["keypoint"] != skeleton.keypoints[0])),
        reference_lengths=pd.DataFrame({"image_id": ids, "name": "torso", "length": 9.0}),
        rendered=rendered,
    )


FIGURES = {
    "learning_curves": partial(plots.learning_curves, CURVES, 4, "people"),
    "error_distribution": partial(plots.error_distribution, ARMS, 4),
    "threshold_curve": partial(plots.threshold_curve, ARMS, 4),
    "roc_curves": partial(plots.roc_curves, ARMS, 4),
    "confidence_histograms": partial(plots.confidence_histograms, ARMS, 4),
    "calibration": partial(plots.calibration, CALIBRATION),
    "by_joint": partial(plots.by_joint, BY_JOINT),
    "error_types": partial(plots.error_types, ERRORS),
    "two_labellings": partial(plots.two_labellings, ARMS["transfer"], AGREEMENT),
    "by_people": partial(plots.by_people, SCORES, SCORE),
    "differences": partial(plots.differences, COMPARISONS, SCORE),
    "answer": partial(plots.answer, SCORES, COMPARISONS, SCORE, ceiling=80.0),
    "joint_differences": partial(plots.joint_differences, JOINT_DIFFERENCES, SCORE),
    "equivalents": partial(plots.equivalents, EQUIVALENTS, "imagenet_control", [200, 1000, 1500]),
    "extrapolations": partial(plots.extrapolations, EXTRAPOLATIONS, OF_CURVES, SCORE),
    "forecasts": partial(plots.forecasts, EXPECTED, OF_CURVES, SCORE),
    "accuracy_by_rarity": partial(plots.accuracy_by_rarity, ACCURACY, SCORE),
    "advantage_by_rarity": partial(plots.advantage_by_rarity, ADVANTAGE, LINE, "transfer", "imagenet_control", SCORE),
    "scores_by_tilt": partial(plots.scores_by_tilt, TILT, {"upright": 537, "tilted": 1200}, "PCKh@0.5 (%)"),
    "differences_by_tilt": partial(plots.differences_by_tilt, TILT_DIFFERENCES, SCORE, heading="Differences by tilt"),
    "agreement_of_angles": partial(plots.agreement_of_angles, ANGLE_PAIRS, OF_ANGLES),
    "pose_space": partial(plots.pose_space, {"a": RNG.normal(size=(30, 12, 2)), "b": RNG.normal(size=(9, 12, 2))}),
}
OF_ONE_SEED = ("learning_curves", "error_distribution", "threshold_curve", "roc_curves", "confidence_histograms")


def legend_of(holder) -> list[str]:
    """Entries of the legend of an axes, or of a figure with one legend."""
    legend = holder.legends[0] if isinstance(holder, Figure) else holder.get_legend()
    return [text.get_text() for text in legend.get_texts()]


def line_of(axes, arm: str):
    [line] = [line for line in axes.lines if line.get_label() == arm.replace("_", " ")]
    return line


def intervals(axes, colour: str) -> list[list[float]]:
    """Ends of the upright bars of that colour, from left to right."""
    bars = [c for c in axes.collections if isinstance(c, LineCollection) and to_hex(c.get_color()[0]) == colour]
    return [segment[:, 1].tolist() for collection in bars for segment in collection.get_segments()]


@pytest.mark.parametrize("name", FIGURES)
def test_rendered_pictures_are_said_and_every_part_lies_on_the_canvas(name):
    for rendered in (True, False):
        figure = FIGURES[name](rendered=rendered)
        assert figure.get_suptitle()
        assert (RENDERED in figure.get_suptitle()) == rendered
    figure.draw_without_rendering()  # lays it out
    needed, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
    assert min(needed.x0, needed.y0) > -_TOLERANCE
    assert needed.x1 < width + _TOLERANCE
    assert needed.y1 < height + _TOLERANCE


@pytest.mark.parametrize("name", OF_ONE_SEED)
def test_figures_of_one_seed_say_which(name):
    assert "seed 4" in FIGURES[name](rendered=False).get_suptitle().lower()


def test_figures_are_full_width_and_of_150_dpi():
    for figure in (FIGURES["by_people"](rendered=False), FIGURES["answer"](rendered=False)):
        assert (figure.get_size_inches()[0], figure.dpi) == (9, 150)


def test_figures_are_shown_once_and_leave_the_style_alone(tmp_path):
    before = dict(matplotlib.rcParams)
    dataset = people(tmp_path)
    for draw in FIGURES.values():
        draw(rendered=True)
    plots.picture_grid(dataset, ["p0"], show_photographs=True)
    plots.joint_coverage({"a": dataset})
    plots.sizes({"a": dataset})
    assert plt.get_fignums() == []
    assert dict(matplotlib.rcParams) == before


# Pictures


def test_without_pictures_there_is_no_pixel_of_a_photograph(tmp_path):
    dataset = people(tmp_path)
    (tmp_path / "p0.png").unlink()  # not even opened
    grid = plots.picture_grid(dataset, dataset.images["image_id"], show_photographs=False, columns=2)
    assert len(grid.axes) == 6  # of which the last is empty
    assert not any(axes.images for axes in grid.axes)
    assert [len(axes.patches) for axes in grid.axes] == [1, 1, 1, 1, 1, 0]
    ground = grid.axes[0].patches[0]
    assert (ground.get_xy(), ground.get_width(), ground.get_height()) == ((-0.5, -0.5), 60, 40)


def test_pictures_lie_under_their_labels_in_pixel_centres(tmp_path):
    grid = plots.picture_grid(people(tmp_path), ["p3"], show_photographs=True)
    (picture,) = grid.axes[0].images
    assert picture.get_extent() == [-0.5, 59.5, 39.5, -0.5]
    assert grid.axes[0].yaxis_inverted()


def test_a_cell_is_the_square_around_the_box(tmp_path):
    axes = plots.picture_grid(people(tmp_path), ["p0"], show_photographs=False).axes[0]
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    assert right - left == pytest.approx(bottom - top)
    assert right - left > 34
    assert (left + right) / 2 == pytest.approx(20)
    assert (bottom + top) / 2 == pytest.approx(20)


def test_a_person_without_a_box_is_shown_in_the_whole_picture(tmp_path):
    dataset = people(tmp_path)
    dataset.images.loc[0, ["bbox_x", "bbox_y", "bbox_w", "bbox_h"]] = np.nan
    axes = plots.picture_grid(dataset, ["p0"], show_photographs=False).axes[0]
    assert axes.get_xlim()[0] < -0.5
    assert axes.get_xlim()[1] > 59.5


def test_sides_have_their_colours_and_hidden_joints_are_hollow(tmp_path):
    axes = plots.picture_grid(people(tmp_path), ["p0"], show_photographs=False).axes[0]
    (dots,) = (c for c in axes.collections if isinstance(c, PathCollection))
    keypoints = LSP_14.keypoints[:-1]
    assert len(dots.get_offsets()) == len(keypoints)
    for keypoint, edge in zip(keypoints, dots.get_edgecolors(), strict=True):
        side = keypoint.partition("_")[0]
        assert tuple(edge[:3]) == to_rgb(SIDE_COLOURS[side if side in SIDE_COLOURS else "middle"]), keypoint
    assert tuple(dots.get_facecolors()[0][:3]) == (1, 1, 1)
    np.testing.assert_array_equal(dots.get_facecolors()[1:], dots.get_edgecolors()[1:])


def test_unlabelled_joints_and_their_limbs_are_not_drawn(tmp_path):
    axes = plots.picture_grid(people(tmp_path), ["p0"], show_photographs=False).axes[0]
    dotted, _, limbs = (c for c in axes.collections if isinstance(c, LineCollection))
    assert len(limbs.get_segments()) == sum("head_top" not in limb for limb in LSP_14.limbs)
    assert len(dotted.get_segments()) == 2  # the shoulders hang on the neck


def test_legs_do_not_float_where_a_set_has_no_hips(tmp_path):
    everything = SKELETONS["openmonkeychallenge_17"].keypoints
    joined = bridges(SKELETONS["openmonkeychallenge_17"], everything)
    assert {("hip", "right_knee"), ("hip", "left_knee"), ("neck", "hip")} <= set(joined)
    dataset = people(tmp_path, SKELETONS["openmonkeychallenge_17"])
    grid = plots.picture_grid(dataset, ["p0"], show_photographs=False)
    dotted = next(c for c in grid.axes[0].collections if isinstance(c, LineCollection))
    at = dataset.labels[dataset.labels["image_id"] == "p0"].set_index("keypoint")[["x", "y"]]
    segments = [segment.tolist() for segment in dotted.get_segments()]
    assert at.loc[["hip", "left_knee"]].to_numpy().tolist() in segments
    assert dotted.get_linestyles() != [(0, None)]
    assert "over a joint without a label" in legend_of(grid)


@pytest.mark.parametrize("skeleton", SKELETONS.values(), ids=SKELETONS)
def test_no_part_of_a_body_floats(skeleton):
    for missing in combinations(skeleton.keypoints, 2):
        present = [keypoint for keypoint in skeleton.keypoints if keypoint not in missing]
        lines = [limb for limb in skeleton.limbs if not set(limb) & set(missing)] + bridges(skeleton, present)
        reached, before = {present[0]}, 0
        while len(reached) > before:
            before = len(reached)
            reached |= {end for line in lines if reached & set(line) for end in line}
        assert reached == set(present), missing


def test_joints_that_limbs_join_need_no_bridge():
    assert bridges(MACAQUEPOSE_17, [k for k in MACAQUEPOSE_17.keypoints if "hip" not in k and "shoulder" in k]) == []
    assert set(bridges(MPII_16, MPII_16.keypoints)) == {
        (middle, f"{side}_{joint}")
        for middle, joint in (("thorax", "shoulder"), ("pelvis", "hip"))
        for side in ("right", "left")
    }


def test_the_legs_of_quadrupeds_hang_on_their_back():
    skeleton = SKELETONS["animalpose_20"]
    assert {
        *(("withers", f"{side}_front_elbow") for side in ("left", "right")),
        *(("tailbase", f"{side}_back_elbow") for side in ("left", "right")),
    } <= set(bridges(skeleton, skeleton.keypoints))


def test_predictions_are_as_opaque_as_they_are_sure(tmp_path):
    dataset = people(tmp_path)
    predictions = pd.DataFrame(
        {
            "image_id": "p0",
            "keypoint": ["right_knee", "right_ankle"],
            "x": [20.0, 22.0],
            "y": [10.0, 18.0],
            "likelihood": [0.9, 0.4],
        }
    )
    grid = plots.picture_grid(dataset, ["p0", "p1"], show_photographs=False, predictions=predictions, heading="Best")
    first, second, *_ = grid.axes
    (dots,) = (c for c in first.collections if isinstance(c, PathCollection))
    np.testing.assert_allclose(dots.get_offsets(), predictions[["x", "y"]])
    np.testing.assert_allclose(dots.get_facecolors()[:, 3], [0.9, 0.4])
    limb = [c for c in first.collections if isinstance(c, LineCollection)][-1]
    np.testing.assert_allclose(limb.get_colors()[:, 3], 0.4)
    assert not any(isinstance(c, PathCollection) for c in second.collections)  # labels only
    assert grid.get_suptitle() == "Best"
    assert "label" in legend_of(grid)


def test_a_grid_of_rendered_pictures_says_so(tmp_path):
    grid = plots.picture_grid(people(tmp_path, rendered=True), ["p0"], show_photographs=True)
    assert grid.get_suptitle() == f"People {RENDERED}"


@pytest.mark.parametrize("chosen, message", [([], "no picture was chosen"), (["p9"], "no image 'p9'")])
def test_pictures_that_are_not_there(tmp_path, chosen, message):
    with pytest.raises(StudyError, match=message):
        plots.picture_grid(people(tmp_path), chosen, show_photographs=False)


# Data sets


def test_joint_coverage_shows_the_shares(tmp_path):
    sets = {"people": people(tmp_path), "monkeys": people(tmp_path, MACAQUEPOSE_17, rendered=True)}
    figure = plots.joint_coverage(sets)
    assert [axes.get_title(loc="left") for axes in figure.axes] == [
        "people: 5 pictures",
        f"monkeys: 5 pictures {RENDERED}",
    ]
    rows = [text.get_text() for text in figure.axes[0].get_yticklabels()]
    labelled, visible = (
        dict(zip(rows, (bar.get_width() for bar in bars), strict=True)) for bars in figure.axes[0].containers
    )
    assert labelled["right ankle"] == 100
    assert visible["right ankle"] == 0
    assert labelled["head top"] == 0
    assert labelled["left wrist"] == visible["left wrist"] == 100
    assert np.isnan(labelled["nose"])
    absent = [text for text in figure.axes[0].texts if text.get_text() == "not in this set"]
    assert len(absent) == len(rows) - len(LSP_14.keypoints)


def test_sizes_are_shares_and_pixels(tmp_path):
    share, pixels = plots.sizes({"a": people(tmp_path), "b": people(tmp_path, rendered=True)}).axes
    assert legend_of(pixels) == ["a", f"b {RENDERED}"]
    assert share.get_xlim()[0] < 34 / 60 < share.get_xlim()[1]
    assert pixels.get_xlim()[0] < 34 < pixels.get_xlim()[1]


def test_pose_space_counts_data_sets_alike_and_shows_what_its_axes_mean():
    # Monkeys differ along x, people along y and twice as much; there are ten times as many monkeys.
    direction = RNG.normal(size=(2, 12))
    monkeys, folk = np.zeros((300, 12, 2)), np.zeros((30, 12, 2))
    monkeys[..., 0] = np.linspace(-1, 1, 300)[:, None] * direction[0]
    folk[..., 1] = np.linspace(-2, 2, 30)[:, None] * direction[1]
    figure = plots.pose_space({"monkeys": monkeys, "people": folk}, rendered=False)
    panels = {axes.get_title(loc="left"): axes for axes in figure.axes if axes.get_xlabel()}
    assert list(panels) == ["monkeys: 300 pictures", "people: 30 pictures"]
    ends, cells = [], []
    for axes in panels.values():
        every, own = axes.collections
        assert own.get_array().sum() == pytest.approx(100)  # percent of the set
        assert len(own.get_offsets()) < len(every.get_offsets())
        ends.append((axes.get_xlim(), axes.get_ylim()))
        cells.append(own.get_offsets())
    assert ends[0] == ends[1]
    along_x = [np.ptp(offsets[:, 0]) for offsets in cells]
    assert along_x[0] < 0.2  # the first component is that of the people
    assert along_x[1] > 3
    assert len(figure.axes) == 2 + 3 + 2 * 3
    assert all(axes.collections for axes in figure.axes)


# What networks learnt


def test_a_learning_curve_that_is_there_twice_is_refused():
    twice = {arm: pd.concat([curve, curve]) for arm, curve in CURVES.items()}
    with pytest.raises(StudyError, match="learning curve of .*two rows with iteration"):
        plots.learning_curves(twice, 0, "people", rendered=False)


def test_predictions_that_are_there_twice_are_not_drawn(tmp_path):
    dataset = people(tmp_path)
    rows = dataset.labels[dataset.labels["labelled"]][["image_id", "keypoint", "x", "y"]].assign(likelihood=1.0)
    with pytest.raises(StudyError, match="another row for the same: keep one"):
        plots.picture_grid(dataset, ["p0"], False, predictions=pd.concat([rows, rows]))
    with pytest.raises(StudyError, match="labels: there are two rows"):
        replace(dataset, labels=pd.concat([dataset.labels, dataset.labels]))


def test_learning_curves_mark_the_snapshot_that_was_kept():
    figure = FIGURES["learning_curves"](rendered=False)
    loss, score = figure.axes
    assert [line.get_ydata().tolist() for line in loss.lines] == [[0.1, 0.02, 0.01], [0.2, 0.04, 0.03]]
    curve, dot, other_curve, other_dot = score.lines
    assert curve.get_xydata().tolist() == [[100, 20], [200, 44], [300, 31]]
    assert other_curve.get_ydata().tolist() == [15, 30, 28.5]
    assert (dot.get_xydata().tolist(), other_dot.get_xydata().tolist()) == ([[200, 44]], [[300, 28.5]])
    assert [line.get_color() for line in score.lines] == [ARM_COLOURS[name] for name in CURVES for _ in range(2)]
    assert legend_of(figure) == ["baseline: chosen at 200, 44.0 %", "transfer: chosen at 300, 28.5 %"]
    assert score.get_ylim() == (0, 45)
    assert score.get_ylabel() == "PCK (%)"


@pytest.mark.parametrize("whose", ["monkeys", "people"])
def test_learning_curves_say_what_they_were_validated_on(whose):
    _, score = plots.learning_curves(CURVES, 0, whose, rendered=False).axes
    assert score.get_title(loc="left") == f"On the validation {whose}"


def test_error_distribution_marks_what_is_correct():
    (axes,) = plots.error_distribution(ARMS, 0, rendered=False).axes
    mark = axes.lines[-1]
    assert list(mark.get_xdata()) == [0.5, 0.5]
    for name, found in ARMS.items():
        line = line_of(axes, name)
        assert line.get_color() == arm_colours(ARMS)[name]
        x, y = line.get_xydata().T
        assert y[x <= 0.5].max() == pytest.approx(100 * found.joints["correct"].mean())
        assert y[-1] == 100
    assert "head sizes" in axes.get_xlabel()


def test_axes_of_scores_end_above_the_data_and_below_100():
    bad = {"transfer": matched([(4, 0), (90, 0), (90, 0), (90, 0), (90, 0)], np.full(5, 0.5))}
    for draw in (plots.error_distribution, plots.threshold_curve):
        (axes,) = draw(bad, 0, rendered=False).axes
        assert axes.get_ylim() == (0, 25)


def test_a_perfect_score_is_not_cut():
    (axes,) = plots.threshold_curve({"transfer": matched([(0, 0)], [1])}, 0, rendered=False).axes
    assert axes.get_ylim() == (0, 102)


def test_threshold_curve_ends_at_the_score():
    (axes,) = plots.threshold_curve(ARMS, 0, rendered=False).axes
    for name, found in ARMS.items():
        assert line_of(axes, name).get_ydata()[-1] == pytest.approx(pckh.pck(pckh.scored(found.joints), 0.5))
        assert line_of(axes, name).get_color() == arm_colours(ARMS)[name]
    assert legend_of(axes) == ["baseline", "transfer", "another arm"]  # intervals are not of one seed


def test_roc_is_the_metrics_curve():
    (axes,) = plots.roc_curves(ARMS, 0, rendered=False).axes
    assert legend_of(axes) == ["chance", "baseline", "transfer", "another arm"]
    for name, found in ARMS.items():
        line = line_of(axes, name)
        np.testing.assert_array_equal(
            line.get_xydata(), detection.roc(found.joints)[["false_positive_rate", "true_positive_rate"]]
        )
        assert line.get_color() == arm_colours(ARMS)[name]


def test_no_roc_where_all_predictions_are_wrong():
    hopeless = {"baseline": matched([(90, 0), (80, 0)], [0.2, 0.7])}
    (axes,) = plots.roc_curves(hopeless, 0, rendered=False).axes
    assert legend_of(axes)[1] == "baseline: no ROC, all wrong"
    (axes,) = plots.confidence_histograms(hopeless, 0, rendered=False).axes
    assert axes.get_title(loc="left").endswith("\n0 correct, 2 wrong")


def test_histograms_hold_every_prediction_on_one_scale():
    figure = plots.confidence_histograms(ARMS, 0, rendered=False)
    heights = []
    for axes, name in zip(figure.axes, NAMES, strict=True):
        joints = ARMS[name].joints
        filled, outlined = (patch for patch in axes.patches if isinstance(patch, StepPatch))
        for patch, right in ((filled, joints["correct"]), (outlined, ~joints["correct"])):
            counts, _ = np.histogram(joints.loc[right, "likelihood"], bins=20, range=(0, 1))
            np.testing.assert_allclose(patch.get_data().values, 100 * counts / 80)
        heights.append(max(filled.get_data().values.max(), outlined.get_data().values.max()))
        correct = int(joints["correct"].sum())
        assert axes.get_title(loc="left").endswith(f"\n{correct} correct, {80 - correct} wrong")
        assert to_hex(filled.get_facecolor()) == arm_colours(ARMS)[name]
    assert len({axes.get_ylim() for axes in figure.axes}) == 1
    assert figure.axes[0].get_ylim()[1] > max(heights)


@pytest.mark.parametrize("count, panels, legend_in", [(1, 1, None), (4, 4, None), (5, 6, 5), (6, 6, None), (7, 8, 7)])
def test_no_panel_is_empty(count, panels, legend_in):
    figure = plots.confidence_histograms({f"arm_{i}": ARMS["transfer"] for i in range(count)}, 0, rendered=False)
    assert len(figure.axes) == panels
    holder = figure if legend_in is None else figure.axes[legend_in]
    assert legend_of(holder) == ["filled: correct", "outlined: wrong"]


def test_an_arm_that_is_always_equally_sure_has_no_histogram():
    constant = matched(RNG.normal(0, 5, (80, 2)), np.ones(80))
    figure = plots.confidence_histograms({"transfer": ARMS["transfer"], "mean_pose": constant}, 0, rendered=False)
    assert [axes.get_title(loc="left").split("\n")[0] for axes in figure.axes] == ["transfer"]
    assert legend_of(figure)[-1] == "not shown, always equally sure:\nmean pose"


def test_calibration_is_drawn_at_the_middle_of_each_tenth():
    (axes,) = plots.calibration(CALIBRATION, rendered=False).axes
    for name, aside in (("transfer", -0.015), ("baseline", 0.015)):
        line = line_of(axes, name)
        np.testing.assert_allclose(line.get_xydata(), [(0.25 + aside, 0.3), (0.95 + aside, 0.8)])
        assert line.get_color() == ARM_COLOURS[name]
        np.testing.assert_allclose(intervals(axes, ARM_COLOURS[name]), [(0.26, 0.36), (0.76, 0.86)])


def test_by_joint_draws_values_and_intervals():
    figure = plots.by_joint(pd.concat([BY_JOINT, BY_JOINT.assign(metric="auc")]), rendered=False)
    (axes,) = figure.axes
    assert [text.get_text() for text in axes.get_xticklabels()] == [*GROUPS, "all joints"]
    assert legend_of(figure) == ["transfer", "baseline"]
    for name, shift in (("transfer", 20), ("baseline", 0)):
        values = np.array([40, 20, 10, 23]) + shift
        assert line_of(axes, name).get_ydata().tolist() == values.tolist()
        assert np.round(line_of(axes, name).get_xdata()).tolist() == [0, 1, 2, 3]
        assert intervals(axes, ARM_COLOURS[name]) == [[value - 2, value + 3] for value in values]
    assert axes.get_ylim() == (0, 70)
    assert axes.get_ylabel() == "PCKh@0.5 (%)"


def test_by_joint_needs_one_yardstick_and_one_row_for_each_arm_and_joint():
    other = BY_JOINT.assign(metric=BY_JOINT["metric"].str.replace("pckh", "pck_by_torso"))
    (axes,) = plots.by_joint(other, rendered=False).axes
    assert axes.get_ylabel() == "PCK@0.2 by torso (%)"
    with pytest.raises(StudyError, match="found pck_by_torso, pckh"):
        plots.by_joint(pd.concat([BY_JOINT, other]), rendered=False)
    with pytest.raises(StudyError, match="found none"):
        plots.by_joint(BY_JOINT.assign(metric="auc"), rendered=False)
    with pytest.raises(StudyError, match="found two for arm transfer, metric pckh/head"):
        plots.by_joint(pd.concat([BY_JOINT, BY_JOINT]), rendered=False)


def test_two_labellings_shows_distances_and_how_often_they_agree():
    heads = [0.0, 0.05, 0.15, 0.5, 1.95, 2.0, 7.0, 0.3]
    names = [*["right_elbow"] * 7, "pelvis"]  # which no score counts
    figure = plots.two_labellings(
        matched(np.outer(heads, (10, 0)), np.ones(8), keypoints=names), AGREEMENT, rendered=False
    )
    distances, joints = figure.axes
    [bars] = [patch for patch in distances.patches if isinstance(patch, StepPatch)]
    shares = bars.get_data().values
    assert {place: round(float(shares[place] * 7 / 100), 6) for place in np.flatnonzero(shares)} == {
        0: 2,
        1: 1,
        5: 1,
        19: 3,
    }
    assert distances.get_xlim() == (0, 2)
    assert distances.lines[0].get_xdata() == [0.5, 0.5]
    assert [text.get_text() for text in joints.get_xticklabels()] == ["head", "knee", "all joints"]
    assert legend_of(joints) == ["agree", "agree, sides undone"]
    for reading, more in (("agree", 0), ("agree, sides undone", 5)):
        line = line_of(joints, reading)
        assert line.get_ydata().tolist() == [70 + more, 60 + more, 66 + more]
        assert (line.get_markerfacecolor() == "white") == bool(more)
    ends = [end for collection in joints.collections for end in collection.get_segments()]
    assert [end[:, 1].tolist() for end in ends][:2] == [[61, 82], [51, 72]]
    assert figure.get_supxlabel() == "bars: 95 % intervals over photographs"
    few = plots.two_labellings(ARMS["transfer"], AGREEMENT.assign(low=np.nan, high=np.nan), rendered=False)
    assert few.get_supxlabel() == "too few photographs for intervals"
    with pytest.raises(StudyError, match="found two for reading agree, joint head"):
        plots.two_labellings(ARMS["transfer"], pd.concat([AGREEMENT, AGREEMENT]), rendered=False)


def test_angles_have_their_errors_bias_and_limits():
    figure = FIGURES["agreement_of_angles"](rendered=False)
    assert figure.get_suptitle() == "Joint angles in the picture: transfer against labels"
    knee, trunk = figure.axes
    dots, *lines = knee.lines
    assert dots.get_xydata().tolist() == [[12, 4], [56, -8], [30.5, 1]] * 2  # both sides
    assert dots.get_color() == ARM_COLOURS["transfer"]
    assert sorted(line.get_ydata()[0] for line in lines) == [-11, -1, 9]
    assert [line.get_linestyle() for line in lines if line.get_ydata()[0] == -1] == ["-"]
    assert sorted(intervals(knee, INK)) == [[-13, -8], [-3, 2], [7, 12]]
    assert [plain(text.get_text()) for text in knee.texts] == [
        *("+9.0", "-1.0", "-11.0"),
        "1,200 angles of 3 people, ICC 0.50 [-1.50, 3.50]",
    ]
    assert [axes.get_title(loc="left") for axes in figure.axes] == ["knee", "trunk"]
    assert trunk.lines[0].get_xydata().tolist() == [[12, 4], [56, -8], [30.5, 1]]
    assert figure.get_supxlabel() == (
        "dots: one angle by the network of one seed; lines: bias and 95 % limits of agreement,\n"
        "means of 3 seeds, bars: 95 % intervals over people and seeds"
    )


def test_a_figure_of_angles_leaves_no_empty_panel_and_is_of_one_arm():
    both = pd.concat([OF_ANGLES, OF_ANGLES[OF_ANGLES["angle"] == "knee"].assign(angle="elbow")])
    figure = plots.agreement_of_angles(ANGLE_PAIRS, both, rendered=False)
    assert [axes.axison for axes in figure.axes] == [True, True, True, False]
    one_seed = OF_ANGLES.assign(seeds=1, over="people")
    said = plots.agreement_of_angles(ANGLE_PAIRS, one_seed, rendered=False).get_supxlabel()
    assert said.startswith("dots: one angle; lines")
    two_arms = pd.concat([OF_ANGLES, OF_ANGLES[OF_ANGLES["angle"] == "knee"].assign(arm="baseline", angle="hip")])
    with pytest.raises(StudyError, match="expected rows of one arm, found transfer, baseline"):
        plots.agreement_of_angles(ANGLE_PAIRS, two_arms, rendered=False)
    with pytest.raises(StudyError, match="found two for angle knee, metric bias"):
        plots.agreement_of_angles(ANGLE_PAIRS, pd.concat([OF_ANGLES, OF_ANGLES]), rendered=False)
    with pytest.raises(StudyError, match="found no row"):
        plots.agreement_of_angles(ANGLE_PAIRS, OF_ANGLES.head(0), rendered=False)


def test_error_types_are_stacked_from_right_to_wrong():
    figure = plots.error_types(
        ERRORS.sample(frac=1, random_state=0).sort_values("arm", ascending=False), rendered=False
    )
    (axes,) = figure.axes
    assert [text.get_text() for text in axes.get_yticklabels()] == ["transfer", "baseline"]
    assert [entry.split(":")[0] for entry in legend_of(figure)] == ["correct", "jitter", "swap", "inversion", "miss"]
    for row, shares in enumerate((SHARES, SHARES[::-1])):
        bars = [container[row] for container in axes.containers]
        assert [bar.get_width() for bar in bars] == list(shares)
        assert [bar.get_x() for bar in bars] == [0, *np.cumsum(shares)[:-1]]
        assert [to_hex(bar.get_facecolor()) for bar in bars] == [colour for colour, _ in ERROR_COLOURS.values()]
    written = [text.get_text() for text in axes.texts]
    assert written == ["60", "10", "20", "7", "", "", "7", "20", "10", "60"]  # kind by kind; 3 has no room
    assert axes.yaxis_inverted()


# Against labelled people


def test_curves_hold_scores_and_their_intervals():
    figure = FIGURES["by_people"](rendered=False)
    (axes,) = figure.axes
    for name, values in (
        ("transfer", [24, 30]),
        ("scratch_control", [12, 13]),
        ("benchmark", [37]),
        ("baseline", [16]),
    ):
        line = line_of(axes, name)
        assert line.get_ydata().tolist() == values  # from few people to many
        assert line.get_color() == ARM_COLOURS[name]
        assert intervals(axes, ARM_COLOURS[name]) == [[value - 2, value + 3] for value in values]
    np.testing.assert_allclose(line_of(axes, "transfer").get_xdata(), [150, 350], rtol=0.05)
    assert line_of(axes, "benchmark").get_xdata().tolist() == [5250]
    floor = line_of(axes, "floor: mean pose")
    assert (list(floor.get_ydata()), floor.get_linestyle()) == ([7, 7], "--")
    assert "a second labelling" not in legend_of(axes)
    assert axes.get_ylim() == (0, 45)
    assert axes.get_title(loc="left") == "means of 3 seeds, bars: 95 % intervals over people and seeds"


def test_intervals_of_arms_with_as_many_people_do_not_overlap():
    (axes,) = FIGURES["by_people"](rendered=False).axes
    here, there = (line_of(axes, name).get_xdata()[0] for name in ("transfer", "scratch_control"))
    assert here < 150 < there
    (places,) = [set(c.get_segments()[0][:, 0]) for c in axes.collections if to_hex(c.get_color()[0]) == "#d55e00"]
    assert places == {here}


def test_people_are_written_in_one_way_and_nobody_stands_left_of_the_fewest():
    (axes,) = FIGURES["by_people"](rendered=False).axes
    assert [text.get_text() for text in axes.get_xticklabels()] == ["0", "150", "350", "5,250"]
    nobody = line_of(axes, "baseline").get_xdata()[0]
    assert axes.get_xlim()[0] < nobody < line_of(axes, "transfer").get_xdata().min()
    assert axes.get_xlim()[1] > 5250


def test_numbers_of_people_without_room_are_left_out():
    near = estimates([scored("transfer", images, images, 20) for images in (100, 102, 5000)])
    (axes,) = plots.by_people(near, SCORE, rendered=False).axes
    assert [text.get_text() for text in axes.get_xticklabels()] == ["100", "", "5,000"]


def test_a_ceiling_is_on_the_axes():
    (axes,) = plots.by_people(SCORES, SCORE, rendered=False, ceiling=83.0).axes
    ceiling = line_of(axes, "a second labelling")
    assert (list(ceiling.get_ydata()), ceiling.get_linestyle()) == ([83, 83], ":")
    assert axes.get_ylim() == (0, 90)


def test_a_figure_needs_one_row_for_each_arm_and_size():
    for draw in (plots.by_people, partial(plots.answer, comparisons=COMPARISONS)):
        with pytest.raises(StudyError, match="found two for arm transfer, images 300"):
            draw(pd.concat([SCORES, SCORES]), title=SCORE, rendered=False)
    with pytest.raises(StudyError, match="found no row"):
        plots.by_people(SCORES[SCORES["arm"] == "mean_pose"], SCORE, rendered=False)
    floors = pd.concat([SCORES, SCORES.tail(1).assign(images=30)])
    with pytest.raises(StudyError, match="found two for arm mean_pose"):
        plots.by_people(floors, SCORE, rendered=False)


def test_an_arm_alone_without_interval_is_a_dot():
    alone = SCORES.head(1).assign(low=np.nan, high=np.nan, note="too few groups", seeds=1)
    (axes,) = plots.by_people(alone, SCORE, rendered=False).axes
    assert line_of(axes, "transfer").get_xydata().tolist() == [[350, 30]]
    assert axes.get_title(loc="left") == "one seed, no intervals: too few groups"


def test_equivalents_are_written_and_point_out_of_what_the_control_learnt():
    (axes,) = FIGURES["equivalents"](rendered=False).axes
    assert [text.get_text() for text in axes.get_yticklabels()] == [
        "transfer, 150 people",
        "transfer, 350 people",
        "transfer, 1,000 people",
        "scratch control, 150 people",
        "scratch control, 350 people",
    ]
    assert [text.get_text() for text in axes.texts] == [
        "400 [300 to 700]",
        "1,205 [900 to more than 1,500]",
        "more than 1,500 [1,300 to more than 1,500]",
        "fewer than 200 [fewer than 200 to 170]",
        "not known",
    ]
    dots = [line for line in axes.lines if line.get_marker() == "o" and np.isfinite(line.get_xdata()).any()]
    assert [dot.get_xydata().tolist() for dot in dots] == [[[400, 0]], [[1204.6, 1]]]
    assert {dot.get_color() for dot in dots} == {ARM_COLOURS["transfer"]}
    heads = {(line.get_marker(), *line.get_ydata()) for line in axes.lines if line.get_marker() in "<>"}
    assert heads == {(">", 1), (">", 2), ("<", 3)}
    own = [line.get_xdata()[0] for line in axes.lines if line.get_color() == INK and len(line.get_xdata()) == 2]
    assert own == [150, 350, 1000, 150, 350]
    (learnt,) = axes.patches
    assert (learnt.get_x(), learnt.get_x() + learnt.get_width()) == (200, 1500)


def test_one_equivalent_is_one_row():
    (axes,) = plots.equivalents(EQUIVALENTS.head(1), "scratch_control", [100, 800], rendered=False).axes
    assert [text.get_text() for text in axes.texts] == ["400 [300 to 700]"]
    assert axes.xaxis.get_major_formatter()(1000) == "1,000"


def test_extrapolations_stand_beside_what_was_measured():
    figure = FIGURES["extrapolations"](rendered=False)
    panels = [axes for axes in figure.axes if axes.get_visible()]
    assert [axes.get_title(loc="left") for axes in panels] == ["transfer", "imagenet longer"]
    for axes, arm in zip(panels, ("transfer", "imagenet_longer"), strict=True):
        own = EXTRAPOLATIONS[EXTRAPOLATIONS["arm"] == arm]
        measured = line_of(axes, "measured")
        shift = 5 if arm == "transfer" else 0
        assert measured.get_xdata().tolist() == [50, 150, 350, 1000]
        assert measured.get_ydata().tolist() == [30 + shift, 42 + shift, 50 + shift, 52 + shift]
        assert measured.get_color() == arm_colours([arm])[arm]
        assert intervals(axes, INK) == own[["promised_low", "promised_high"]].to_numpy().tolist()
        curves = {line.get_linestyle(): line for line in axes.lines if len(line.get_xdata()) > 4}
        assert curves.keys() == {"--", ":"}
        for line, promised, first in zip(curves.values(), own["promised"].head(2), (50, 350), strict=True):
            assert line.get_xdata()[[0, -1]].tolist() == pytest.approx([first, 1000])
            if arm == "transfer":
                assert line.get_ydata()[-1] == pytest.approx(promised)
    assert legend_of(figure) == ["measured", "power law", "last slope", "forecast"]
    assert figure.get_supxlabel() == "means of 3 seeds, bars: 95 % intervals over people and seeds"
    assert panels[0].get_xscale() == "log"


def test_an_extrapolation_is_drawn_once():
    with pytest.raises(StudyError, match="two for arm transfer, rule power law, fitted_to 350, people 1000"):
        plots.extrapolations(pd.concat([EXTRAPOLATIONS] * 2), OF_CURVES, SCORE, rendered=False)
    with pytest.raises(StudyError, match="found no row"):
        plots.extrapolations(EXTRAPOLATIONS.head(0), OF_CURVES, SCORE, rendered=False)


def test_a_forecast_goes_on_from_the_last_score():
    figure = FIGURES["forecasts"](rendered=False)
    transfer, benchmark = (axes for axes in figure.axes if axes.get_visible())
    assert (transfer.get_title(loc="left"), benchmark.get_title(loc="left")) == ("transfer", "benchmark")
    assert line_of(transfer, "measured").get_xdata().tolist() == [50, 150, 350, 1000]
    line = line_of(transfer, "forecast")
    assert line.get_xdata().tolist() == [1000, 1050, 1100, 2000]
    assert line.get_ydata().tolist() == [57, 57.6, 58, 61]
    [band] = transfer.collections[1:]
    corners = {tuple(corner) for corner in band.get_paths()[0].vertices.tolist()}
    assert corners >= {(1000, 57), (2000, 57.5), (2000, 64), (1050, 60.6)}
    assert line_of(benchmark, "forecast").get_ydata()[-1] == 76  # without an interval
    assert legend_of(figure) == ["measured", "95 % interval of the gain", "forecast"]
    with pytest.raises(StudyError, match="two for arm transfer, more 100"):
        plots.forecasts(pd.concat([EXPECTED] * 2), OF_CURVES, SCORE, rendered=False)


# Pairs of arms


def plain(text: str) -> str:
    return text.replace("\N{MINUS SIGN}", "-").replace("\N{NO-BREAK SPACE}", " ")


def rows_of(axes) -> list[tuple[list[float], float, str]]:
    """Of each row of a figure of differences, from the top: its interval, its dot, its colour."""
    _, *lines = axes.lines
    dots = lines[1::2]
    assert [line.get_ydata()[0] for line in dots] == list(range(len(dots)))
    return [
        (list(bar.get_xdata()), dot.get_xdata()[0], dot.get_color()) for bar, dot in zip(lines[::2], dots, strict=True)
    ]


def test_differences_are_drawn_and_written():
    figure = FIGURES["differences"](rendered=False)
    (axes,) = figure.axes
    assert [text.get_text() for text in axes.get_yticklabels()] == [
        "transfer minus benchmark, 1,000 people",
        "transfer minus scratch control, 1,000 people",
        "transfer minus baseline, 150 people",
        "transfer minus imagenet longer, 1,000 people",
        "transfer minus imagenet control, 1,000 people",
    ]
    assert [plain(text.get_text()) for text in axes.texts] == [
        "-7.0 [-9.0, -4.0]\nlower",
        "+1.0 [-1.0, +4.0]\nundecided",
        "+9.0 [+7.0, +12.0]",
        "+0.5 [-1.5, +3.5]\nno more than 1.5 points\neither way",
        "+4.0 [+2.0, +7.0]\nhigher, but by less than\n5 points",
    ]
    assert rows_of(axes) == [
        ([-9, -4], -7, INK),
        ([-1, 4], 1, GREY),
        ([7, 12], 9, GREY),
        ([-1.5, 3.5], 0.5, GREY),
        ([2, 7], 4, INK),
    ]
    assert list(axes.lines[0].get_xdata()) == [0, 0]
    assert axes.yaxis_inverted()
    assert axes.get_xlabel() == "difference in PCKh@0.5 (points)"
    assert legend_of(figure) == [
        "at most 1.5 points: too little to be of interest",
        "ruled higher or lower",
        "all others",
    ]


def test_the_strip_is_the_margin_on_either_side_of_zero():
    for axes in (FIGURES["differences"](rendered=False).axes[0], FIGURES["answer"](rendered=False).axes[1]):
        (strip,) = axes.patches
        assert (strip.get_x(), strip.get_width()) == (-1.5, 3)
        assert strip.get_height() == 1  # of the axes
    (strip,) = FIGURES["joint_differences"](rendered=False).axes[0].patches
    assert (strip.get_y(), strip.get_height()) == (-1.5, 3)


def test_every_difference_is_on_the_axes():
    far = estimates([compared("transfer", "benchmark", 60), compared("baseline", "benchmark", -60)])
    for table, low, high in ((far, -62, 63), (far.head(1), -1.5, 63), (far.tail(1), -62, 1.5)):
        left, right = plots.differences(table, SCORE, rendered=False).axes[0].get_xlim()
        assert left < low
        assert right > high


def test_without_an_interval_the_reason_is_written():
    bare = COMPARISONS.head(2).assign(low=np.nan, high=np.nan, note="too few groups", ruling="too few groups")
    bare.loc[1, "difference"] = np.nan
    (axes,) = plots.differences(bare, SCORE, rendered=False).axes
    assert [plain(text.get_text()) for text in axes.texts] == ["-7.0 [too few groups]", "undefined"]
    assert np.isfinite(axes.get_xlim()).all()


def test_differences_have_one_margin_and_one_row_for_each_pair():
    with pytest.raises(StudyError, match="found 1.5, 2"):
        plots.differences(COMPARISONS.assign(margin=[1.5, 1.5, 2, 1.5, 1.5]), SCORE, rendered=False)
    with pytest.raises(StudyError, match="found two for arm_a transfer, arm_b benchmark"):
        plots.differences(pd.concat([COMPARISONS, COMPARISONS]), SCORE, rendered=False)


def test_the_answer_sets_deciding_arms_beside_primary_differences():
    figure = FIGURES["answer"](rendered=False)
    curves, pairs = figure.axes
    # The baseline is in no primary question.
    assert legend_of(curves) == ["transfer", "scratch control", "benchmark", "floor: mean pose", "a second labelling"]
    assert line_of(curves, "transfer").get_ydata().tolist() == [24, 30]
    assert rows_of(pairs) == [([-9, -4], -7, INK), ([-1, 4], 1, GREY), ([-1.5, 3.5], 0.5, GREY), ([2, 7], 4, INK)]
    written = [plain(text.get_text()) for text in pairs.texts]
    assert written[:2] == ["-7.0 [-9.0, -4.0]\nlower", "+1.0 [-1.0, +4.0]\nundecided"]
    labels = [text for text in pairs.texts if "minus" in text.get_text()]
    assert [label.get_text().replace("\n", " ") for label in labels] == [
        f"transfer minus {name}, 1,000 people"
        for name in ("benchmark", "scratch control", "imagenet longer", "imagenet control")
    ]
    assert [label.xy[1] for label in labels] == [0, 1, 2, 3]
    assert pairs.get_ylim()[0] > 3
    assert figure.get_supxlabel() == "means of 3 seeds, bars: 95 % intervals over people and seeds"


def test_no_answer_without_a_question():
    with pytest.raises(StudyError, match="at least one primary question"):
        plots.answer(SCORES, COMPARISONS.assign(question=""), SCORE, rendered=False)


def test_joint_differences_are_those_of_one_pair():
    figure = FIGURES["joint_differences"](rendered=False)
    (axes,) = figure.axes
    _, dots = axes.lines
    assert figure.get_suptitle() == "Transfer minus scratch control, 1,000 people, joint by joint"
    assert [text.get_text() for text in axes.get_xticklabels()] == [*GROUPS, "all joints"]
    assert dots.get_ydata().tolist() == [12, -5, 3, 4]
    assert dots.get_color() == ARM_COLOURS["transfer"]
    assert intervals(axes, ARM_COLOURS["transfer"]) == [[10, 15], [-7, -2], [1, 6], [2, 7]]
    assert axes.get_ylim()[0] < -7
    assert axes.get_ylim()[1] > 15
    assert axes.get_title(loc="left").startswith(f"{SCORE}, means of 3 seeds")
    both = pd.concat([JOINT_DIFFERENCES, JOINT_DIFFERENCES.assign(arm_b="benchmark")])
    with pytest.raises(StudyError, match="found transfer minus scratch control, 1,000 people and transfer minus bench"):
        plots.joint_differences(both, SCORE, rendered=False)


# Rare poses


def test_accuracy_by_rarity_is_drawn_with_its_intervals():
    (axes,) = FIGURES["accuracy_by_rarity"](rendered=False).axes
    for name, start in (("transfer", 50), ("baseline", 30)):
        line = line_of(axes, name)
        values = [start - 2, start - 4, start - 6]
        assert line.get_ydata().tolist() == values  # from the most ordinary
        assert np.round(line.get_xdata()).tolist() == [1, 2, 3]
        assert line.get_color() == ARM_COLOURS[name]
        assert intervals(axes, ARM_COLOURS[name]) == [[value - 4, value + 6] for value in values]
    assert axes.get_ylim() == (0, 60)
    assert axes.get_ylabel() == "PCKh@0.5 (%)"
    assert axes.get_xlabel() == "test people in 3 parts by rarity, 51 to 53 people each"
    assert [text.get_text() for text in axes.get_xticklabels()] == ["1\nmost ordinary", "2", "3\nrarest"]


def test_advantage_by_rarity_has_the_line_of_all_people():
    figure = FIGURES["advantage_by_rarity"](rendered=False)
    (axes,) = figure.axes
    assert figure.get_suptitle() == "Transfer minus imagenet control by rarity of the pose"
    zero, dots, line = axes.lines
    assert list(zero.get_ydata()) == [0, 0]
    assert dots.get_xydata().tolist() == [[2, 26], [1, 28], [3, 24]]
    assert dots.get_color() == ARM_COLOURS["transfer"]
    assert intervals(axes, ARM_COLOURS["transfer"]) == [[22, 32], [24, 34], [20, 30]]
    assert line.get_xydata().tolist() == [[0.5, 5], [3.5, -3]]
    assert plain(line.get_label()) == "line: -8.0 [-9.0, +1.0] points from the most ordinary to the rarest"


def test_scores_by_tilt_are_drawn_for_the_groups_that_have_people():
    (axes,) = FIGURES["scores_by_tilt"](rendered=False).axes
    for name, values in (("transfer", [50, 20]), ("baseline", [30, 5])):
        line = line_of(axes, name)
        assert line.get_ydata().tolist() == values
        assert np.round(line.get_xdata()).tolist() == [0, 1]
        assert intervals(axes, ARM_COLOURS[name]) == [[value - 4, value + 6] for value in values]
    assert [text.get_text() for text in axes.get_xticklabels()] == ["upright\n537 people", "tilted\n1,200 people"]
    assert axes.get_ylabel() == "PCKh@0.5 (%)"


def test_differences_by_tilt_have_their_interaction_beside_them():
    figure = FIGURES["differences_by_tilt"](rendered=False)
    parts, interaction = figure.axes
    dots = {line.get_label(): list(line.get_xdata()) for line in parts.lines if len(line.get_xdata()) == 2}
    assert dots["upright people"] == [3, 1]
    assert dots["tilted people"] == [7.5, -3]
    bars = [c.get_segments() for c in interaction.collections if isinstance(c, LineCollection)]
    assert [segment[:, 0].tolist() for segments in bars for segment in segments] == [[2.5, 7.5], [-6, -1]]
    assert [plain(text.get_text()) for text in interaction.texts] == ["+4.5 [+2.5, +7.5]", "-4.0 [-6.0, -1.0]"]
    names = [text.get_text().replace("\n", " ") for text in parts.get_yticklabels()]
    assert names == [
        "transfer minus imagenet control",
        "(transfer minus imagenet control) minus (transfer upright minus control upright)",
    ]
    assert parts.yaxis_inverted()
    assert interaction.get_xlabel() == "tilted minus upright (points)"
    assert parts.get_title(loc="left").startswith("PCKh@0.5, means of 3 seeds")


def test_a_figure_of_tilt_has_one_row_for_each_arm_and_group():
    with pytest.raises(StudyError, match="found two for arm transfer, tilt upright"):
        plots.scores_by_tilt(pd.concat([TILT, TILT]), {"upright": 1}, SCORE, rendered=False)
    with pytest.raises(StudyError, match="found no row"):
        plots.differences_by_tilt(TILT_DIFFERENCES.head(1), SCORE, rendered=False, heading="")


def test_a_figure_of_the_answer_tells_a_pair_from_its_interaction():
    interaction = COMPARISONS.tail(1).assign(metric="pckh/tilted - upright", difference=2.0)
    (axes,) = plots.differences(pd.concat([COMPARISONS.tail(1), interaction]), SCORE, rendered=False).axes
    assert [text.get_text() for text in axes.get_yticklabels()] == [
        "transfer minus imagenet control, 1,000 people",
        "transfer minus imagenet control, 1,000 people, among the tilted less the upright",
    ]


def test_a_figure_of_rarity_has_one_row_for_each_part():
    for draw in (
        partial(plots.accuracy_by_rarity, pd.concat([ACCURACY, ACCURACY]), SCORE),
        partial(plots.advantage_by_rarity, ADVANTAGE, pd.concat([LINE, LINE]), "a", "b", SCORE),
    ):
        with pytest.raises(StudyError, match="found two for"):
            draw(rendered=False)
    with pytest.raises(StudyError, match="found no row"):
        plots.accuracy_by_rarity(ACCURACY.head(0), SCORE, rendered=False)


# What figures share


@pytest.mark.parametrize(
    "draw", [plots.error_distribution, plots.confidence_histograms, plots.threshold_curve, plots.roc_curves]
)
def test_arms_in_one_figure_have_one_yardstick(draw):
    with pytest.raises(StudyError, match="found head_size, torso"):
        draw({"baseline": ARMS["baseline"], "transfer": arm(3, "torso")}, 0, rendered=False)
    with pytest.raises(StudyError, match="found no arm"):
        draw({}, 0, rendered=False)


def test_every_yardstick_has_a_unit():
    assert _UNITS.keys() == CORRECT_WITHIN.keys()


def test_every_type_of_error_has_a_colour():
    assert set(ERROR_COLOURS) == set(error_types.ERROR_TYPES)


def test_arms_keep_their_colours_in_any_company():
    assert arm_colours(["transfer"])["transfer"] == arm_colours(["x", "baseline", "transfer"])["transfer"]
    colours = arm_colours([*ARM_COLOURS, "a", "b", "c"])
    assert len(set(colours.values())) == len(colours)


@pytest.mark.parametrize(
    "columns, said",
    [
        ({"seeds": 1, "over": "people"}, "one seed, bars: 95 % intervals over people"),
        (
            {"seeds": [1, 3], "over": ["people", "people and seeds"]},
            "means of up to 3 seeds, bars: 95 % intervals over ",
        ),
        ({"high": np.nan, "note": "too few seeds"}, "means of 3 seeds, no intervals: too few seeds"),
    ],
)
def test_a_figure_says_what_its_intervals_are_over(columns, said):
    assert how_sure(SCORES.head(2).assign(**columns)).startswith(said)
