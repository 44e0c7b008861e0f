"""Pictures of people and monkeys with their skeletons."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from matplotlib.axes import Axes
from matplotlib.collections import LineCollection
from matplotlib.colors import to_rgba
from matplotlib.figure import Figure
from matplotlib.layout_engine import ConstrainedLayoutEngine
from matplotlib.lines import Line2D
from matplotlib.patches import Rectangle
from matplotlib.pyplot import subplots

from monkey_transfer import tables
from monkey_transfer.datasets.base import Dataset
from monkey_transfer.errors import StudyError
from monkey_transfer.images import read_picture
from monkey_transfer.plots import style
from monkey_transfer.plots.bridges import bridges
from monkey_transfer.skeletons import Skeleton

# Pictures do not compress as lines do: at the resolution of other figures a grid of them takes a megabyte.
_DPI_OF_PICTURES = 100
# The person's box is enlarged by this share of its longer side.
_MARGIN = 0.12
# A prediction without any confidence is still to be seen.
_FAINTEST = 0.12
# How much of a limb's opacity a bridge has, and its dashes, in widths of its line.
_OPACITY_OF_BRIDGE = 0.7
_DASHES = (0, (1, 1.4))


class Ink(NamedTuple):
    """How a skeleton is drawn: one colour or, where it is None, one for each side; widths in points."""

    colour: str | None = None
    line: float = 2.0
    joint: float = 3.6


PLAIN = Ink()
UNDERNEATH = Ink(colour="#777777", line=1.2, joint=0.0)


@style.figure
def picture_grid(
    dataset: Dataset,
    image_ids: Sequence[str],
    show_photographs: bool,
    predictions: pd.DataFrame | None = None,
    columns: int = 6,
    heading: str = "",
) -> Figure:
    """Labelled people with their skeletons, each cut around the person's box.

    The person's right and left have their own colours; a hollow joint is labelled but hidden; a dotted line
    leads over a joint without a label. With predictions these are coloured, the more transparent the less
    confident, over the labels in grey.

    Parameters
    ----------
    show_photographs : False leaves the photographs out, which may not be published, and draws on a plain ground
        where the picture is.
    predictions : of some or all of the data set's keypoints; see :data:`monkey_transfer.tables.PREDICTIONS`.
    heading : what the pictures are; the data set's name unless given.

    Raises StudyError if no image is chosen, one is not in the data set, its file cannot be read, or two predictions are
    of one joint.
    """
    chosen = dataset.subset(image_ids)
    if not len(chosen):
        raise StudyError(f"data set {dataset.name}: no picture was chosen to be shown: name at least one")
    rows = -(-len(chosen) // columns)
    cell = style.WIDTH / columns
    layout = ConstrainedLayoutEngine(w_pad=0.03, h_pad=0.03, wspace=0, hspace=0)
    dpi = _DPI_OF_PICTURES if show_photographs else None
    grid, axes = subplots(
        rows, columns, figsize=(style.WIDTH, cell * rows + 0.8), squeeze=False, layout=layout, dpi=dpi
    )
    style.set_title(grid, heading or dataset.name, dataset.rendered)
    for spot in axes.flat:
        spot.set_axis_off()
    labels = dict(iter(chosen.labels.groupby("image_id")))
    predicted = {}
    if predictions is not None:
        predictions = tables.check(predictions, tables.PREDICTIONS, "predictions to draw")
        predicted = dict(iter(predictions[predictions["image_id"].isin(labels)].groupby("image_id")))
    for spot, image in zip(axes.flat, chosen.images.itertuples(), strict=False):
        _draw_ground(spot, image, show_photographs)
        _look_at_person(spot, image)
        label_ink = PLAIN if predictions is None else UNDERNEATH
        draw_skeleton(spot, dataset.skeleton, labels[image.image_id], label_ink)
        if image.image_id in predicted:
            draw_skeleton(spot, dataset.skeleton, predicted[image.image_id], PLAIN)
    some_hidden = bool((chosen.labels["labelled"] & ~chosen.labels["visible"]).any())
    drawn = [joints[joints["x"].notna()] for joints in [*labels.values(), *predicted.values()]]
    some_bridged = any(bridges(dataset.skeleton, joints["keypoint"]) for joints in drawn)
    _explain(grid, some_hidden, some_bridged, predictions is not None)
    return grid


def draw_skeleton(axes: Axes, skeleton: Skeleton, joints: pd.DataFrame, ink: Ink) -> None:
    """Draw one pose, its joints and the limbs between them, and dotted lines where a joint between them is missing.

    ``joints`` has ``keypoint, x, y`` (pixels), NaN for what is not to be drawn; with ``likelihood`` it is the opacity,
    with ``visible`` joints that are not are hollow. A limb is as opaque as the fainter of its two ends.
    """
    landmark_of = skeleton.landmark_of
    joints = joints[joints["keypoint"].isin(landmark_of) & joints["x"].notna()].set_index("keypoint")
    point = {keypoint: (x, y) for keypoint, x, y in joints[["x", "y"]].itertuples()}
    sure = joints.get("likelihood", pd.Series(1.0, joints.index)).fillna(0).clip(_FAINTEST, 1)
    colour = {keypoint: ink.colour or style.SIDE_COLOURS[_side(landmark_of[keypoint])] for keypoint in point}

    def draw(pairs: Sequence[tuple[str, str]], opacity: float, shade: str | None, **look: Any) -> None:
        """Lines between pairs of keypoints; those without a shade have that of their two ends."""
        middle = ink.colour or style.SIDE_COLOURS["middle"]
        shades = [shade or (colour[a] if colour[a] == colour[b] else middle) for a, b in pairs]
        colours = [to_rgba(one, opacity * min(sure[a], sure[b])) for one, (a, b) in zip(shades, pairs, strict=True)]
        axes.add_collection(LineCollection([[point[a], point[b]] for a, b in pairs], colors=colours, **look))

    limbs = [limb for limb in skeleton.limbs if set(limb) <= point.keys()]
    over_gaps = {"linewidths": 0.7 * ink.line, "linestyles": [_DASHES]}
    draw(bridges(skeleton, point), _OPACITY_OF_BRIDGE, ink.colour or style.SIDE_COLOURS["middle"], **over_gaps)
    # The pale rim makes lines stand out from any picture.
    draw(limbs, 0.6, "white", linewidths=ink.line + 1.4, capstyle="round")
    draw(limbs, 1, None, linewidths=ink.line, capstyle="round")
    if ink.joint and point:
        edges = [to_rgba(colour[keypoint], sure[keypoint]) for keypoint in point]
        visible = joints.get("visible", pd.Series(True, joints.index))
        faces = [edge if seen else to_rgba("white") for edge, seen in zip(edges, visible, strict=True)]
        axes.scatter(joints["x"], joints["y"], s=ink.joint**2, c=faces, edgecolors=edges, lw=1, zorder=3)


def _side(landmark: str) -> str:
    side = landmark.partition("_")[0]
    return side if side in style.SIDE_COLOURS else "middle"


def _draw_ground(axes: Axes, image: Any, show_photograph: bool) -> None:
    extent = (-0.5, image.width - 0.5, image.height - 0.5, -0.5)
    if show_photograph:
        axes.imshow(read_picture(image.path, (image.width, image.height)), extent=extent)
    else:
        axes.add_patch(Rectangle((-0.5, -0.5), image.width, image.height, facecolor=style.GROUND, edgecolor="none"))


def _look_at_person(axes: Axes, image: Any) -> None:
    """Show the square around the person's box, or the whole picture where there is no box."""
    x, y, width, height = image.bbox_x, image.bbox_y, image.bbox_w, image.bbox_h
    if np.isnan([x, y, width, height]).any():
        x, y, width, height = -0.5, -0.5, image.width, image.height
    half = (0.5 + _MARGIN) * max(width, height)
    axes.set_xlim(x + width / 2 - half, x + width / 2 + half)
    axes.set_ylim(y + height / 2 + half, y + height / 2 - half)
    axes.set_aspect("equal")


def _explain(grid: Figure, some_hidden: bool, some_bridged: bool, with_predictions: bool) -> None:
    what = "predicted " if with_predictions else ""
    sides: dict[str, Any] = {"marker": "o", "markersize": PLAIN.joint}
    hollow: dict[str, Any] = {"marker": "o", "ls": "", "markersize": 4, "markerfacecolor": "white"}
    looks: dict[str, dict[str, Any]] = {
        f"{what}{side}": {"color": style.SIDE_COLOURS[side]} | sides for side in ("right", "left")
    }
    if with_predictions:
        looks["fainter: less confident"] = {"color": to_rgba(style.INK, 0.3)}
        looks["label"] = {"color": UNDERNEATH.colour, "lw": UNDERNEATH.line}
    elif some_hidden:
        looks["labelled but hidden"] = {"color": style.GREY} | hollow
    if some_bridged:
        looks["over a joint without a label"] = {"color": style.SIDE_COLOURS["middle"], "lw": 1.4, "ls": _DASHES}
    keys = [Line2D([], [], label=label, **look) for label, look in looks.items()]
    grid.legend(handles=keys, loc="outside lower center", ncols=len(keys))
