"""What the data sets are like: which joints are labelled, how large people are, how they hold themselves."""

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.colors import LinearSegmentedColormap, ListedColormap, PowerNorm
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.pyplot import subplot_mosaic, subplots

from monkey_transfer.datasets.base import Dataset
from monkey_transfer.plots import style
from monkey_transfer.plots.pictures import Ink, draw_skeleton
from monkey_transfer.skeletons import LIMB_JOINTS, Skeleton

# The order of rows: head, trunk, limbs from top to bottom; landmarks of other keypoint sets come last.
_ROWS = (
    *("head_top", "right_eye", "left_eye", "right_ear", "left_ear", "nose"),
    *("upper_neck", "thorax", "pelvis", "tail"),
    *LIMB_JOINTS,
)
_THUMBNAIL = Ink(line=1.8, joint=0.0)
_THUMBNAIL_REACH = 1.5  # body sizes from the centre to the edge
_CELLS = 32  # along the first component
_THUMBNAILS = ("lowest fifth", "middle fifth", "highest fifth")  # of all poses along an axis


@style.figure
def joint_coverage(datasets: Mapping[str, Dataset]) -> Figure:
    """Share of pictures in which each landmark is labelled, and in which it is labelled and visible, in percent."""
    present = {landmark for dataset in datasets.values() for _, landmark in dataset.skeleton.landmarks}
    order = [landmark for landmark in _ROWS if landmark in present] + sorted(present.difference(_ROWS))
    size, layout = (style.WIDTH, 0.24 * len(order) + 1.2), ConstrainedLayoutEngine(wspace=0.05)
    drawn, axes = subplots(1, len(datasets), figsize=size, sharex=True, sharey=True, squeeze=False, layout=layout)
    rows = np.arange(len(order))
    for spot, (name, dataset), colour in zip(axes.flat, datasets.items(), _colours(datasets), strict=True):
        landmark = dataset.labels["keypoint"].map(dict(dataset.skeleton.landmarks))
        share = 100 * dataset.labels.groupby(landmark)[["labelled", "visible"]].mean().reindex(order)
        spot.barh(rows, share["labelled"], height=0.75, color=colour, alpha=0.3, label="labelled")
        spot.barh(rows, share["visible"], height=0.35, color=colour, label="labelled and visible")
        for row in rows[share["labelled"].isna()]:
            spot.text(1.5, row, "not in this set", va="center", color=style.GREY, fontsize=8.5)
        spot.set_title(style.marked(f"{name}: {len(dataset):,} pictures", dataset.rendered))
        spot.set_xlabel("share of pictures (%)")
        spot.grid(axis="y", visible=False)
        spot.legend(loc="upper center", bbox_to_anchor=(0.5, -0.5 / (0.24 * len(order))), ncols=2)
    axes[0, 0].set_xlim(0, 100)
    axes[0, 0].set_yticks(rows, [style.words(landmark) for landmark in order])
    axes[0, 0].set_ylim(len(order) - 0.4, -0.6)
    return drawn


@style.figure
def sizes(datasets: Mapping[str, Dataset]) -> Figure:
    """How large people are: the longer side of their box over that of the picture, and in pixels.

    People without a box are left out.
    """
    import seaborn as sns  # seconds to import

    parts = [_sizes(dataset).assign(set=style.marked(name, dataset.rendered)) for name, dataset in datasets.items()]
    measured = pd.concat(parts, ignore_index=True)
    drawn, axes = subplots(1, 2, figsize=(style.WIDTH, 3.6))
    # The legend says which are rendered, set by set.
    style.set_title(drawn, "Size of the person: longer side of the box", rendered=False)
    look: dict[str, Any] = {"bins": 40, "element": "step", "alpha": 0.25, "palette": _colours(datasets)}
    labels = {"share": "share of the picture's longer side", "pixels": "pixels of the original picture"}
    for spot, (column, label) in zip(axes, labels.items(), strict=True):
        known, is_last = measured.dropna(subset=[column]), spot is axes[1]
        share = {"stat": "percent", "common_norm": False, "log_scale": column == "pixels"}
        sns.histplot(known, x=column, hue="set", legend=is_last, ax=spot, **share, **look)
        spot.set(xlabel=label, ylabel="pictures (%)")
    style.plain_log(axes[1].xaxis)
    axes[1].get_legend().set_title(None)
    return drawn


@style.figure
def pose_space(
    poses_by_name: Mapping[str, np.ndarray], landmarks: Sequence[str] = LIMB_JOINTS, *, rendered: bool
) -> Figure:
    """The two directions in which poses differ most, a panel for each data set, and what the directions mean.

    The darker a cell, the larger the share of the set's poses in it; the palest hold poses of other sets only. A
    skeleton beside an axis is the mean of the fifth of all poses that lie lowest, in the middle or highest on it. All
    data sets count alike in the principal components, however many pictures they have.

    Parameters
    ----------
    poses_by_name : arrays (poses, landmarks, 2) by :func:`monkey_transfer.measure.pose_space.normalised_poses`.
    landmarks : those of the arrays, in their order.
    """
    mean, components, deviations, shares = _principal_components(list(poses_by_name.values()))
    scores = {name: (_rows(poses) - mean) @ components.T / deviations for name, poses in poses_by_name.items()}
    every = np.concatenate(list(scores.values()))
    sets, parts = len(scores), len(_THUMBNAILS)
    rows = [[f"y{i}", *(f"set{j}" for j in range(sets) for _ in range(parts))] for i in reversed(range(parts))]
    mosaic: list[Any] = [*rows, [".", *(f"x{i} {j}" for j in range(sets) for i in range(parts))]]
    drawn, axes = subplot_mosaic(
        mosaic,
        figsize=(style.WIDTH, 1.0 + 0.86 * style.WIDTH / sets if sets > 1 else 0.7 * style.WIDTH),
        width_ratios=[1.1, *[1] * parts * sets],
        height_ratios=[1, 1, 1, 0.85],
    )
    style.set_title(drawn, "Poses in a common skeleton", rendered)
    clouds = [axes[f"set{i}"] for i in range(sets)]
    for cloud, (name, at), colour in zip(clouds, scores.items(), _colours(scores), strict=True):
        _cells(cloud, every, at, colour)
        cloud.set_title(f"{name}: {len(at):,} pictures")
        cloud.set_xlabel(f"first component, {100 * shares[0]:.0f} % of the variance")
        cloud.tick_params(labelleft=cloud is clouds[0])
    style.footnote(drawn, "darker: a larger share of the pictures" + "; grey: pictures of other sets only" * (sets > 1))
    clouds[0].set_ylabel(f"second component, {100 * shares[1]:.0f} %")
    skeleton = Skeleton("common", tuple((landmark, landmark) for landmark in landmarks))
    poses = np.concatenate(list(poses_by_name.values()))
    for axis, order in zip("xy", np.argsort(every, axis=0).T, strict=True):
        fifths = np.array_split(order, 5)
        for i, (caption, members) in enumerate(zip(_THUMBNAILS, fifths[::2], strict=True)):
            spots = [f"x{i} {j}" for j in range(sets)] if axis == "x" else [f"y{i}"]
            for spot in spots:
                _thumbnail(axes[spot], skeleton, poses[members].mean(axis=0), caption)
    return drawn


def _cells(axes: Axes, every: np.ndarray, at: np.ndarray, colour: str) -> None:
    """Hexagons over all poses (poses, 2), outlined, and over those of one set, filled by their share in percent."""
    low, high = every.min(axis=0), every.max(axis=0)
    grid: dict[str, Any] = {"gridsize": _CELLS, "extent": (low[0], high[0], low[1], high[1]), "mincnt": 1}
    axes.hexbin(every[:, 0], every[:, 1], cmap=ListedColormap([style.PALE]), edgecolors="face", lw=0.3, **grid)
    share = np.full(len(at), 100 / len(at))
    shades = LinearSegmentedColormap.from_list("shades", ["white", colour, "black"])(np.linspace(0.25, 0.75, 256))
    shading: dict[str, Any] = {
        "cmap": ListedColormap(shades),
        "norm": PowerNorm(0.5, vmin=0),
        "edgecolors": "face",
        "lw": 0.3,
    }
    axes.hexbin(at[:, 0], at[:, 1], C=share, reduce_C_function=np.sum, **shading, **grid)
    room = 0.05 * (high - low)
    axes.set_xlim(low[0] - room[0], high[0] + room[0])
    axes.set_ylim(low[1] - room[1], high[1] + room[1])


def _principal_components(sets: Sequence[np.ndarray]) -> tuple[np.ndarray, np.ndarray, np.ndarray, np.ndarray]:
    """Mean (coordinates,), first two components (2, coordinates), their standard deviations and variance shares."""
    rows = [_rows(poses) for poses in sets]
    mean = np.mean([one.mean(axis=0) for one in rows], axis=0)
    weighted = np.concatenate([(one - mean) / np.sqrt(len(one) * len(rows)) for one in rows])
    _, deviations, components = np.linalg.svd(weighted, full_matrices=False)
    return mean, components[:2], deviations[:2], deviations[:2] ** 2 / np.sum(deviations**2)


def _thumbnail(axes: Axes, skeleton: Skeleton, pose: np.ndarray, caption: str) -> None:
    joints = pd.DataFrame(pose, columns=["x", "y"]).assign(keypoint=skeleton.keypoints)
    draw_skeleton(axes, skeleton, joints, _THUMBNAIL)
    centre = (pose.min(axis=0) + pose.max(axis=0)) / 2
    axes.set_xlim(centre[0] - _THUMBNAIL_REACH, centre[0] + _THUMBNAIL_REACH)
    axes.set_ylim(centre[1] + _THUMBNAIL_REACH, centre[1] - _THUMBNAIL_REACH)
    axes.set_aspect("equal")
    axes.set_axis_off()
    axes.set_title(caption, loc="center", fontsize=8.5, color=style.GREY)


def _rows(poses: np.ndarray) -> np.ndarray:
    return poses.reshape(len(poses), -1)


def _sizes(dataset: Dataset) -> pd.DataFrame:
    images = dataset.images
    pixels = images[["bbox_w", "bbox_h"]].max(axis=1)
    return pd.DataFrame({"share": pixels / images[["width", "height"]].max(axis=1), "pixels": pixels})


def _colours(names: Mapping[str, object]) -> list[str]:
    return [style.DATASET_COLOURS[i % len(style.DATASET_COLOURS)] for i in range(len(names))]
