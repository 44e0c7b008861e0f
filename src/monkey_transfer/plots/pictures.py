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

from monkey_transfer.datasets.base import Dataset
from monkey_transfer.errors import StudyError
from monkey_transfer.images import read_picture
from monkey_transfer.plots.bridges import bridges
from monkey_transfer.plots.style import GREY, GROUND, INK, SIDE_COLOURS, WIDTH, figure, headline
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


@figure
def picture_grid(
    dataset: Dataset,
    image_ids: Sequence[str],
    show_pictures: bool,
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
    show_pictures : False leaves the photographs out, which may not be published, and draws on a plain ground
        where the picture is.
    predictions : of some or all of the data set's keypoints; see :data:`monkey_transfer.tables.PREDICTIONS`.
    heading : what the pictures are; the data set's name unless given.

    Raises
    ------
    StudyError
        If no image is chosen, one is not in the data set, or its file cannot be read.
    """
    chosen = dataset.subset(image_ids)
    if not len(chosen):
        raise StudyError(f"data set {dataset.name}: no picture was chosen to be shown: name at least one")
    rows = -(-len(chosen) // columns)
    cell = WIDTH / columns
    layout = ConstrainedLayoutEngine(w_pad=0.03, h_pad=0.03, wspace=0, hspace=0)
    dpi = _DPI_OF_PICTURES if show_pictures else None
    grid, axes = subplots(rows, columns, figsize=(WIDTH, cell * rows + 0.8), squeeze=False, layout=layout, dpi=dpi)
    headline(grid, heading or dataset.name, dataset.rendered)
    for spot in axes.flat:
        spot.set_axis_off()
    labels = dict(list(chosen.labels.groupby("image_id")))
    predicted = {}
    if predictions is not None:
        of_chosen = predictions["image_id"].isin(chosen.images["image_id"])
        predicted = dict(list(predictions[of_chosen].groupby("image_id")))
    for spot, image in zip(axes.flat, chosen.images.itertuples(), strict=False):
        _draw_ground(spot, image, show_pictures)
        _look_at_person(spot, image)
        if predictions is None:
            draw_skeleton(spot, dataset.skeleton, labels[image.image_id], PLAIN)
        else:
            draw_skeleton(spot, dataset.skeleton, labels[image.image_id], UNDERNEATH)
            if image.image_id in predicted:
                draw_skeleton(spot, dataset.skeleton, predicted[image.image_id], PLAIN)
    some_hidden = bool((chosen.labels["labelled"] & ~chosen.labels["visible"]).any())
    drawn = [joints[joints["x"].notna()] for joints in [*labels.values(), *predicted.values()]]
    some_bridged = any(bridges(dataset.skeleton, joints["keypoint"]) for joints in drawn)
    _explain(grid, some_hidden, some_bridged, predictions is not None)
    return grid


def draw_skeleton(axes: Axes, skeleton: Skeleton, joints: pd.DataFrame, ink: Ink) -> None:
    """Draw one pose, its joints and the limbs between them, and dotted lines where a joint between them is missing.

    Parameters
    ----------
    joints : ``keypoint, x, y``, NaN for what is not to be drawn; with ``likelihood`` it is the opacity, with
        ``visible`` joints that are not are hollow. A limb is as opaque as the fainter of its two ends.
    """
    landmark_of = dict(skeleton.landmarks)
    joints = joints[joints["keypoint"].isin(landmark_of) & joints["x"].notna()].set_index("keypoint")
    point = {keypoint: (x, y) for keypoint, x, y in joints[["x", "y"]].itertuples()}
    if "likelihood" in joints:
        opacity = joints["likelihood"].fillna(0).clip(_FAINTEST, 1).to_dict()
    else:
        opacity = dict.fromkeys(point, 1.0)
    colour = {keypoint: ink.colour or SIDE_COLOURS[_side(landmark_of[keypoint])] for keypoint in point}
    limbs = [limb for limb in skeleton.limbs if set(limb) <= point.keys()]
    gaps = bridges(skeleton, point)
    faint = [_OPACITY_OF_BRIDGE * min(opacity[a], opacity[b]) for a, b in gaps]
    dotted = [to_rgba(ink.colour or SIDE_COLOURS["middle"], alpha) for alpha in faint]
    between = [[point[a], point[b]] for a, b in gaps]
    axes.add_collection(LineCollection(between, colors=dotted, linewidths=0.7 * ink.line, linestyles=[_DASHES]))
    ends = [[point[a], point[b]] for a, b in limbs]
    opacities = [min(opacity[a], opacity[b]) for a, b in limbs]
    colours = [colour[a] if colour[a] == colour[b] else SIDE_COLOURS["middle"] for a, b in limbs]
    # The pale rim makes lines stand out from any picture.
    rims = [to_rgba("white", 0.6 * alpha) for alpha in opacities]
    lines = [to_rgba(shade, alpha) for shade, alpha in zip(colours, opacities, strict=True)]
    axes.add_collection(LineCollection(ends, colors=rims, linewidths=ink.line + 1.4, capstyle="round"))
    axes.add_collection(LineCollection(ends, colors=lines, linewidths=ink.line, capstyle="round"))
    visible = joints["visible"] if "visible" in joints else pd.Series(True, joints.index)
    if ink.joint and point:
        x, y = np.transpose(list(point.values()))
        edges = [to_rgba(colour[keypoint], opacity[keypoint]) for keypoint in point]
        faces = [edge if seen else to_rgba("white") for edge, seen in zip(edges, visible, strict=True)]
        axes.scatter(x, y, s=ink.joint**2, c=faces, edgecolors=edges, lw=1, zorder=3)


def _side(landmark: str) -> str:
    side = landmark.partition("_")[0]
    return side if side in SIDE_COLOURS else "middle"


def _draw_ground(axes: Axes, image: Any, show_picture: bool) -> None:
    extent = (-0.5, image.width - 0.5, image.height - 0.5, -0.5)
    if show_picture:
        axes.imshow(read_picture(image.path, (image.width, image.height)), extent=extent)
    else:
        axes.add_patch(Rectangle((-0.5, -0.5), image.width, image.height, facecolor=GROUND, edgecolor="none"))


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
    def key(text: str, **style: Any) -> Line2D:
        return Line2D([], [], label=text, **style)

    what = "predicted " if with_predictions else ""
    keys = [
        key(f"{what}{side}", color=SIDE_COLOURS[side], marker="o", markersize=PLAIN.joint) for side in ("right", "left")
    ]
    if with_predictions:
        keys.append(key("fainter: less confident", color=(*to_rgba(INK)[:3], 0.3)))
        keys.append(key("label", color=UNDERNEATH.colour, lw=UNDERNEATH.line))
    elif some_hidden:
        keys.append(key("labelled but hidden", color=GREY, marker="o", ls="", markersize=4, markerfacecolor="white"))
    if some_bridged:
        keys.append(key("over a joint without a label", color=SIDE_COLOURS["middle"], lw=1.4, ls=_DASHES))
    grid.legend(handles=keys, loc="outside lower center", ncols=len(keys))
