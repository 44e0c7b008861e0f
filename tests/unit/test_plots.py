import io

import matplotlib

matplotlib.use("Agg")

from functools import partial

import matplotlib.pyplot as plt
import numpy as np
import pandas as pd
import pytest
from matplotlib.collections import LineCollection, PathCollection
from matplotlib.colors import to_rgb
from matplotlib.figure import Figure
from metric_tables import matched

from monkey_transfer import plots
from monkey_transfer.datasets.base import Dataset
from monkey_transfer.errors import StudyError
from monkey_transfer.images import write_picture
from monkey_transfer.metrics import detection, pckh
from monkey_transfer.metrics.headline import pck_scores, table_one
from monkey_transfer.metrics.matching import CORRECT_WITHIN
from monkey_transfer.plots.results import _UNITS
from monkey_transfer.plots.style import ARM_COLOURS, SIDE_COLOURS, arm_colours
from monkey_transfer.skeletons import LSP_14, MACAQUEPOSE_17, Skeleton

RNG = np.random.default_rng(0)
LIMBS = ("right_shoulder", "right_elbow", "left_hip", "left_knee")
NAMES = ("baseline", "transfer", "another_arm")
RENDERED = "(rendered pictures)"
_TOLERANCE = 0.06  # inches: less than half a line of text


def arm(noise: float, reference: str = "head_size"):
    """Twenty people; small errors come with high confidence."""
    errors = RNG.normal(0, noise, (80, 2))
    likelihood = np.clip(1 - np.hypot(*errors.T) / 20 + RNG.normal(0, 0.1, 80), 0, 1)
    people = np.repeat([f"p{i:02d}" for i in range(20)], 4)
    return matched(errors, likelihood, people, LIMBS * 20, reference=reference)


ARMS = dict(zip(NAMES, (arm(8), arm(3), arm(5)), strict=True))
TABLE = table_one(ARMS, resamples=50)
CURVES = {
    name: pd.DataFrame(
        {
            "iteration": [100, 200, 300],
            "training_loss": [0.1, 0.02, 0.01],
            "validation_error": errors,
            "chosen": chosen,
        }
    )
    for name, errors, chosen in (
        ("baseline", [9.0, 4.0, 5.0], [False, True, False]),
        ("transfer", [6.0, 3.0, 3.25], [False, False, True]),
    )
}


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


COMPARISONS = pd.DataFrame(
    {
        "arm_a": "transfer",
        "arm_b": ["benchmark", "scratch_control", "baseline"],
        "difference": [-7.0, 1.0, 9.0],
        "low": [-9.12, -2.0, 8.0],
        "high": [-5.0, 4.0, 10.0],
        "spread": [1.0, 1.0, 20.0],
        "verdict": ["lower", "undecided", "undecided"],
    }
)


def figures(rendered: bool) -> dict[str, Figure]:
    return {
        "learning_curves": plots.learning_curves(CURVES, rendered=rendered),
        "error_distribution": plots.error_distribution(ARMS, rendered=rendered),
        "threshold_curve": plots.threshold_curve(ARMS, TABLE.values, rendered=rendered),
        "roc_curves": plots.roc_curves(ARMS, TABLE.values, rendered=rendered),
        "confidence_histograms": plots.confidence_histograms(ARMS, rendered=rendered),
        "calibration": plots.calibration(ARMS, TABLE.values, rendered=rendered),
        "by_joint": plots.by_joint(TABLE.values, rendered=rendered),
        "comparisons": plots.comparisons(COMPARISONS, "PCKh@0.5", rendered=rendered),
        "pose_space": plots.pose_space({"a": RNG.normal(size=(30, 12, 2))}, rendered=rendered),
    }


def legend_of(holder) -> list[str]:
    """Entries of the legend of an axes, or of a figure with one legend."""
    legend = holder.legends[0] if isinstance(holder, Figure) else holder.get_legend()
    return [text.get_text() for text in legend.get_texts()]


def test_results_of_rendered_pictures_say_so_and_others_do_not():
    for name, figure in figures(rendered=True).items():
        assert figure.get_suptitle().endswith(RENDERED), name
    for name, figure in figures(rendered=False).items():
        assert figure.get_suptitle(), name
        assert RENDERED not in figure.get_suptitle(), name


def test_figures_are_shown_once_and_leave_the_style_alone(tmp_path):
    before = dict(matplotlib.rcParams)
    figures(rendered=True)
    dataset = people(tmp_path)
    plots.picture_grid(dataset, ["p0"], show_pictures=True)
    plots.joint_coverage({"a": dataset})
    plots.sizes({"a": dataset})
    assert plt.get_fignums() == []
    assert dict(matplotlib.rcParams) == before


def test_every_part_lies_on_the_canvas(tmp_path):
    dataset = people(tmp_path)
    drawn = figures(rendered=True) | {"grid": plots.picture_grid(dataset, ["p0", "p1"], show_pictures=False)}
    for name, figure in drawn.items():
        figure.savefig(io.BytesIO())  # lays it out
        needed, (width, height) = figure.get_tightbbox(), figure.get_size_inches()
        assert min(needed.x0, needed.y0) > -_TOLERANCE, name
        assert needed.x1 < width + _TOLERANCE, name
        assert needed.y1 < height + _TOLERANCE, name


# Pictures


def test_without_pictures_there_is_no_pixel_of_a_photograph(tmp_path):
    dataset = people(tmp_path)
    (tmp_path / "p0.png").unlink()  # not even opened
    grid = plots.picture_grid(dataset, dataset.images["image_id"], show_pictures=False, columns=2)
    assert len(grid.axes) == 6  # of which the last is empty
    assert not any(axes.images for axes in grid.axes)
    assert [len(axes.patches) for axes in grid.axes] == [1, 1, 1, 1, 1, 0]
    ground = grid.axes[0].patches[0]
    assert (ground.get_xy(), ground.get_width(), ground.get_height()) == ((-0.5, -0.5), 60, 40)


def test_pictures_lie_under_their_labels_in_pixel_centres(tmp_path):
    grid = plots.picture_grid(people(tmp_path), ["p3"], show_pictures=True)
    (picture,) = grid.axes[0].images
    assert picture.get_extent() == [-0.5, 59.5, 39.5, -0.5]
    assert grid.axes[0].yaxis_inverted()


def test_a_cell_is_the_square_around_the_box(tmp_path):
    axes = plots.picture_grid(people(tmp_path), ["p0"], show_pictures=False).axes[0]
    (left, right), (bottom, top) = axes.get_xlim(), axes.get_ylim()
    assert right - left == pytest.approx(bottom - top)
    assert right - left > 34
    assert (left + right) / 2 == pytest.approx(20)
    assert (bottom + top) / 2 == pytest.approx(20)


def test_a_person_without_a_box_is_shown_in_the_whole_picture(tmp_path):
    dataset = people(tmp_path)
    dataset.images.loc[0, ["bbox_x", "bbox_y", "bbox_w", "bbox_h"]] = np.nan
    axes = plots.picture_grid(dataset, ["p0"], show_pictures=False).axes[0]
    assert axes.get_xlim()[0] < -0.5
    assert axes.get_xlim()[1] > 59.5


def test_sides_have_their_colours_and_hidden_joints_are_hollow(tmp_path):
    axes = plots.picture_grid(people(tmp_path), ["p0"], show_pictures=False).axes[0]
    (dots,) = (c for c in axes.collections if isinstance(c, PathCollection))
    keypoints = LSP_14.keypoints[:-1]
    assert len(dots.get_offsets()) == len(keypoints)
    for keypoint, edge in zip(keypoints, dots.get_edgecolors(), strict=True):
        side = keypoint.partition("_")[0]
        assert tuple(edge[:3]) == to_rgb(SIDE_COLOURS[side if side in SIDE_COLOURS else "middle"]), keypoint
    assert tuple(dots.get_facecolors()[0][:3]) == (1, 1, 1)
    np.testing.assert_array_equal(dots.get_facecolors()[1:], dots.get_edgecolors()[1:])


def test_unlabelled_joints_and_their_limbs_are_not_drawn(tmp_path):
    axes = plots.picture_grid(people(tmp_path), ["p0"], show_pictures=False).axes[0]
    limbs = next(c for c in axes.collections if isinstance(c, LineCollection))
    assert len(limbs.get_segments()) == sum("head_top" not in limb for limb in LSP_14.limbs)


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
    grid = plots.picture_grid(dataset, ["p0", "p1"], show_pictures=False, predictions=predictions, heading="Best")
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
    grid = plots.picture_grid(people(tmp_path, rendered=True), ["p0"], show_pictures=True)
    assert grid.get_suptitle() == f"People {RENDERED}"


@pytest.mark.parametrize("chosen, message", [([], "no picture was chosen"), (["p9"], "no image 'p9'")])
def test_pictures_that_are_not_there(tmp_path, chosen, message):
    with pytest.raises(StudyError, match=message):
        plots.picture_grid(people(tmp_path), chosen, show_pictures=False)


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
    cloud = next(axes for axes in figure.axes if axes.get_xlabel())
    assert legend_of(figure) == ["monkeys: 300 pictures", "people: 30 pictures"]
    first, _, second, _ = (c.get_offsets() for c in cloud.collections)
    np.testing.assert_allclose(first[:, 0], 0, atol=1e-9)
    assert np.ptp(second[:, 0]) > 3
    assert len(figure.axes) == 7
    assert all(axes.collections for axes in figure.axes)


# Results


def test_learning_curves_mark_the_snapshot_that_was_kept():
    figure = plots.learning_curves(CURVES, rendered=False)
    loss, error = figure.axes
    assert len(loss.lines) == 2
    assert len(error.lines) == 4
    assert legend_of(figure) == ["baseline: 4.0 px at 200", "transfer: 3.2 px at 300"]
    dots = [line.get_xydata().tolist() for line in error.lines if line.get_marker() == "o"]
    assert dots == [[[200, 4.0]], [[300, 3.25]]]


def test_roc_legend_is_the_metric():
    (axes,) = plots.roc_curves(ARMS, TABLE.values, rendered=False).axes
    chance, *entries = legend_of(axes)
    assert chance == "chance: AUC 0.500"
    for entry, (name, joints) in zip(entries, ARMS.items(), strict=True):
        low, high = TABLE.values.query("arm == @name and metric == 'auc'")[["low", "high"]].iloc[0]
        area = detection.roc(joints.joints).auc
        assert entry == f"{name.replace('_', ' ')}: AUC {area:.3f} ({low:.3f} to {high:.3f})"
    assert len(axes.lines) == 1 + len(ARMS)
    assert axes.lines[2].get_color() == ARM_COLOURS["transfer"]


def test_no_roc_where_all_predictions_are_wrong():
    hopeless = matched([(90, 0), (80, 0)], [0.2, 0.7])
    (axes,) = plots.roc_curves(
        {"baseline": hopeless}, table_one({"baseline": hopeless}, 10).values, rendered=False
    ).axes
    assert legend_of(axes)[1] == "baseline: no ROC, all wrong"
    (axes,) = plots.confidence_histograms({"baseline": hopeless}, rendered=False).axes
    assert axes.get_title(loc="left").endswith("\n0 correct, 2 wrong")


def test_histograms_hold_every_prediction():
    figure = plots.confidence_histograms(ARMS, rendered=False)
    for axes, name in zip(figure.axes, NAMES, strict=True):
        joints = ARMS[name].joints
        correct = int(joints["correct"].sum())
        assert axes.get_title(loc="left").endswith(f"\n{correct} correct, {len(joints) - correct} wrong")
        steps = axes.lines[0].get_ydata()  # outlined: the wrong ones
        counts, _ = np.histogram(joints.loc[~joints["correct"], "likelihood"], bins=20, range=(0, 1))
        assert max(steps) == counts.max()


def test_error_distribution_marks_what_is_correct():
    (axes,) = plots.error_distribution({"baseline": ARMS["baseline"]}, rendered=False).axes
    curve, mark = axes.lines
    assert list(mark.get_xdata()) == [0.5, 0.5]
    x, y = curve.get_xydata()[np.isfinite(curve.get_xdata())].T
    assert y[x <= 0.5].max() == pytest.approx(100 * ARMS["baseline"].joints["correct"].mean())
    assert "head sizes" in axes.get_xlabel()


def test_threshold_curve_ends_at_the_score():
    (axes,) = plots.threshold_curve(ARMS, TABLE.values, rendered=False).axes
    for line, arm in zip(axes.lines, ARMS.values(), strict=True):
        assert line.get_ydata()[-1] == pytest.approx(pckh.official_pckh(arm))
        assert f"end {pckh.official_pckh(arm):.1f} (" in line.get_label()


def test_calibration_shows_the_reliability_curve():
    (axes,) = plots.calibration({"transfer": ARMS["transfer"]}, TABLE.values, rendered=False).axes
    bins = detection.calibration(ARMS["transfer"].joints)
    np.testing.assert_allclose(axes.lines[1].get_xydata(), bins[["confidence", "correct"]])
    assert legend_of(axes)[1].startswith(f"transfer: error {detection.expected_calibration_error(bins):.3f} (")
    (whiskers,) = axes.collections
    drawn = [segment for segment in whiskers.get_segments() if len(segment)]
    values = TABLE.values.query("arm == 'transfer' and metric.str.startswith('calibration/')")
    assert len(values) == len(bins)
    assert len(drawn) == values["low"].notna().sum() > 3
    for low, high in drawn:
        share = bins.loc[np.isclose(bins["confidence"], low[0]), "correct"].item()
        assert low[1] <= share <= high[1]


def test_by_joint_draws_values_and_intervals():
    figure = plots.by_joint(TABLE.values, rendered=False)
    (axes,) = figure.axes
    assert [text.get_text() for text in axes.get_xticklabels()] == ["shoulder", "elbow", "hip", "knee", "all joints"]
    assert legend_of(figure) == ["baseline", "transfer", "another arm"]
    assert axes.get_ylabel() == "PCKh@0.5 (%)"
    own = TABLE.values[TABLE.values["arm"] == "transfer"].set_index("metric")
    metrics = ["pckh/shoulder", "pckh/elbow", "pckh/hip", "pckh/knee", "pckh"]
    np.testing.assert_allclose(axes.lines[1].get_ydata(), own.loc[metrics, "value"])
    ends = [segment[:, 1] for segment in axes.collections[1].get_segments()]
    np.testing.assert_allclose(ends, own.loc[metrics, ["low", "high"]])


def test_by_joint_needs_one_yardstick():
    other = table_one({"transfer": arm(3, "torso")}, resamples=10, statistic_of=pck_scores).values
    (axes,) = plots.by_joint(other, rendered=False).axes
    assert axes.get_ylabel() == "PCK@0.2 by torso (%)"
    with pytest.raises(StudyError, match="found 2"):
        plots.by_joint(pd.concat([TABLE.values, other]), rendered=False)


def test_differences_are_written_beside_their_intervals():
    (axes,) = plots.comparisons(COMPARISONS, "PCKh@0.5", rendered=False).axes
    rows = [text.get_text() for text in axes.get_yticklabels()]
    assert rows == ["transfer minus benchmark", "transfer minus scratch control", "transfer minus baseline"]
    assert [text.get_text().replace("\N{MINUS SIGN}", "-") for text in axes.texts] == [
        "-7.0 (-9.1 to -5.0)",
        "+1.0 (-2.0 to +4.0)",
        "+9.0 (+8.0 to +10.0)",
    ]
    zero, shown, _, unsure, _, seeds_differ_more, _ = axes.lines
    assert list(zero.get_xdata()) == [0, 0]
    assert shown.get_color() != unsure.get_color() == seeds_differ_more.get_color()
    assert [bar.get_width() for bar in axes.patches] == [2, 2, 40]


@pytest.mark.parametrize(
    "draw",
    [
        plots.error_distribution,
        plots.confidence_histograms,
        *(partial(draw, values=TABLE.values) for draw in (plots.threshold_curve, plots.roc_curves, plots.calibration)),
    ],
)
def test_arms_in_one_figure_have_one_yardstick(draw):
    with pytest.raises(StudyError, match="found head_size, torso"):
        draw({"baseline": ARMS["baseline"], "transfer": arm(3, "torso")}, rendered=False)
    with pytest.raises(StudyError, match="found no arm"):
        draw({}, rendered=False)


def test_a_figure_needs_the_values_of_one_run():
    for values in (TABLE.values.head(0), pd.concat([TABLE.values, TABLE.values])):
        with pytest.raises(StudyError, match="expected one row for 'auc' of arm 'baseline', found"):
            plots.roc_curves(ARMS, values, rendered=False)


def test_every_yardstick_has_a_unit():
    assert _UNITS.keys() == CORRECT_WITHIN.keys()


def test_arms_keep_their_colours_in_any_company():
    assert arm_colours(["transfer"])["transfer"] == arm_colours(["x", "baseline", "transfer"])["transfer"]
    colours = arm_colours([*ARM_COLOURS, "a", "b", "c"])
    assert len(set(colours.values())) == len(colours)
