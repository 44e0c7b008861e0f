"""MacaquePose v1: photographs of macaques with joints and a mask for every monkey.

The data set is that of R. Labuguen et al., MacaquePose, Frontiers in Behavioral Neuroscience 14:581154, 2021:
13,083 photographs of 16,393 monkeys by its publisher's count. `annotations.csv` has a row for each photograph
and in each cell a JSON list with one entry per monkey:

- ``image file name``: a file in `images/`;
- ``keypoinbts`` (spelt so): for each monkey a list of ``{"name": "left eye", "position": [x, y]}``, the position
  null where the joint is not labelled;
- ``segmentation``: for each monkey a list of ``{"segment": [[x, y], ...]}``, the parts of its outline, of which
  there are several where something in front cuts the monkey in two, and which may be empty.

Positions are taken as 0-based pixel centres, unchanged: the release does not state their origin, and a count
from the corner of the picture would be half a pixel away. It does not say which joints are hidden either, so
every labelled joint counts as visible.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd
from pydantic import BaseModel, FiniteFloat, TypeAdapter, ValidationError

from monkey_transfer.datasets.assembly import BOX_MARGIN, GET_IT, assemble, boxes_fit, joint_extents, with_sizes
from monkey_transfer.datasets.base import Dataset
from monkey_transfer.datasets.pictures import Cut, make_pictures
from monkey_transfer.errors import StudyError
from monkey_transfer.images import Frame, Length, Transform, fit
from monkey_transfer.skeletons import MACAQUEPOSE_17
from monkey_transfer.tables import BOX, SIZE

_NO_PICTURE = Frame(Transform(1, 0, 0), 0, 0)  # where the photograph is missing
_JOINTS = {name: joint for joint, name in enumerate(MACAQUEPOSE_17.keypoints)}
_Position = tuple[FiniteFloat, FiniteFloat]


class _Keypoint(BaseModel):
    name: str
    position: _Position | None


class _Part(BaseModel):
    segment: list[_Position]


_KINDS: dict[str, TypeAdapter] = {
    "keypoinbts": TypeAdapter(list[list[_Keypoint]]),
    "segmentation": TypeAdapter(list[list[_Part]]),
}
_COLUMNS = ("image file name", *_KINDS)


class _Monkey(NamedTuple):
    """One entry of a row."""

    image_id: str  # the stem of the photograph's name and the monkey's number in it
    photograph: str  # its file name
    points: np.ndarray  # (keypoints, 2) in the order of the skeleton, NaN where not labelled
    parts: tuple[np.ndarray, ...]  # the polygons of its mask, each (corners, 2); none if the mask is empty


def read_macaquepose(
    folder: Path, prepared: Path, length: Length = "longer_side", size: int = 640, at_once: int = 1
) -> Dataset:
    """Read the release in ``folder`` as pictures of single monkeys, which are made in ``prepared`` if not there yet.

    The paper's way with photographs of several animals (section 2.1): each monkey is cut out, everything outside
    its own mask is blanked and the cut is resized. Paths, joints, boxes and lengths are those of the prepared pictures;
    `transforms.parquet` beside them leads back to the photographs (:mod:`~monkey_transfer.datasets.pictures`).

    The cut is the box of the monkey's mask and a tenth of its longer side on every side, as far as the photograph
    goes: outlines follow what is seen, and a joint that is hidden may lie outside. Such a joint stays labelled
    although its place is blanked; one beyond the cut becomes unlabelled and is listed in ``left_out``. Without a
    mask the cut is taken around the labelled joints, and only the masks of the other monkeys are blanked. A monkey
    whose mask's box cannot be its own (:func:`~monkey_transfer.datasets.assembly.boxes_fit`) is left out and listed.

    ``image_id`` is the stem of the photograph's name with the number of the monkey in it, from 1; ``group`` is
    the photograph. The release has no parts: ``split`` is ``all``. ``bbox_length`` is the longer side of the box
    of the mask, or of the joints where there is no mask. The paper divides errors by 'the length of the bounding
    box of the monkey' without saying which length that is; the longer side is taken.

    StudyError if `annotations.csv` is missing or of another layout (the message names the row, the header being row 1),
    more than one photograph in a hundred is missing or has most of its joints outside, more than one mask in a hundred
    cannot be its monkey's, or a photograph is damaged.

    Parameters
    ----------
    folder : holds `annotations.csv` and `images/`.
    prepared : for the pictures of one ``length`` and ``size``; made if missing.
    length, size : what of a picture gets how many pixels; in the paper 'the length' gets 640.
    at_once : how many pictures are made at the same time.
    """
    folder, prepared = Path(folder), Path(prepared)
    source = folder / "annotations.csv"
    everyone = pd.DataFrame(_read_monkeys(source), columns=_Monkey._fields)
    everyone["path"] = [str(folder / "images" / photograph) for photograph in everyone["photograph"]]
    points = np.array([*everyone["points"]]).reshape(-1, len(_JOINTS), 2)
    everyone = with_sizes(source, everyone, points, remedy=GET_IT)
    sizes, ids = everyone[SIZE].to_numpy(), everyone["image_id"]
    outlines = [np.vstack([np.full((1, 2), np.nan), *parts]) for parts in everyone["parts"]]
    masks = np.array([joint_extents(outline[None]) for outline in outlines]).reshape(-1, 4)

    own = (sizes[:, 0] == 0) | np.isnan(masks).any(axis=1)
    boxes = np.hstack([masks[:, :2], masks[:, 2:] - masks[:, :2]])
    own[~own] = boxes_fit(source, ids[~own], boxes[~own], points[~own], sizes[~own], "mask")
    monkeys, points, sizes, masks = everyone[own], points[own], sizes[own], masks[own]

    cuts = _cuts(np.where(np.isnan(masks), joint_extents(points), masks), sizes)
    frames = [fit(cut, length, size) if any(cut) else _NO_PICTURE for cut in cuts.tolist()]
    parts_of = {photograph: sum(parts, ()) for photograph, parts in monkeys.groupby("photograph")["parts"]}
    wanted = [
        Cut(m.image_id, m.path, (m.width, m.height), frame, m.parts, parts_of[m.photograph])
        for m, frame in zip(monkeys.itertuples(), frames, strict=True)
        if frame is not _NO_PICTURE
    ]
    make_pictures(wanted, prepared, at_once)

    points = _moved(points, frames)
    corners = _moved(np.clip(masks.reshape(-1, 2, 2), -0.5, sizes[:, None] - 0.5), frames)
    labelled = np.isfinite(points).all(axis=-1)
    images = monkeys[["image_id"]].assign(
        path=[str(prepared / f"{image_id}.png") for image_id in monkeys["image_id"]],
        width=[frame.width for frame in frames],
        height=[frame.height for frame in frames],
        group=monkeys["photograph"],
        split="all",
        **dict(zip(BOX, np.hstack([corners[:, 0], corners[:, 1] - corners[:, 0]]).T, strict=True)),
    )
    dataset = assemble(source, "MacaquePose", MACAQUEPOSE_17, images, points, labelled, visible=labelled)
    return replace(dataset.leaving_out(ids[~own], "the mask cannot be theirs"), groups="photographs")


def _read_monkeys(source: Path) -> Iterator[_Monkey]:
    row_of: dict[str, int] = {}
    for row, (photograph, *cells) in enumerate(_read_table(source).itertuples(index=False), start=2):
        stem = Path(photograph).stem
        if stem in row_of:
            raise StudyError(
                f"{source}: rows {row_of[stem]} and {row} both label a photograph {stem}: leave one of them out"
            )
        row_of[stem] = row
        where = f"{source}, row {row}"
        poses, masks = (_entries(where, column, cell) for column, cell in zip(_KINDS, cells, strict=True))
        if len(poses) != len(masks):
            raise StudyError(
                f"{where}: joints of {len(poses)} and segments of {len(masks)} monkeys: "
                "expected one entry for each monkey in both columns"
            )
        for number, (pose, mask) in enumerate(zip(poses, masks, strict=True), start=1):
            # Fewer than three corners enclose nothing.
            parts = tuple(np.array(part.segment) for part in mask if len(part.segment) > 2)
            yield _Monkey(f"{stem}-{number}", photograph, _points(f"{where}, monkey {number}", pose), parts)


def _read_table(source: Path) -> pd.DataFrame:
    expected = f"expected the file of the MacaquePose release with columns {', '.join(_COLUMNS)}"
    try:
        table = pd.read_csv(source, dtype=str, keep_default_na=False)
    except OSError as error:
        raise StudyError(f"{source}: cannot be read ({error.strerror}): {expected}; {GET_IT}") from error
    except ValueError as error:
        raise StudyError(f"{source}: empty, or not a CSV file in UTF-8: {expected}; {GET_IT}") from error
    for column in _COLUMNS:
        if column not in table:
            raise StudyError(f"{source}: there is no column '{column}': {expected}")
    return table[list(_COLUMNS)]


def _entries(where: str, column: str, cell: str) -> list[list[Any]]:
    try:
        return _KINDS[column].validate_json(cell)
    except ValidationError as error:
        problem = error.errors()[0]
        parts = (part + 1 if isinstance(part, int) else f"'{part}'" for part in problem["loc"])
        place = "".join(f", {name}{part}" for name, part in zip(("monkey ", "entry ", ""), parts, strict=False))
        said = f"{problem['msg']}, found {json.dumps(problem['input']):.80}"
        if problem["type"] == "json_invalid":
            said = "not JSON" if cell else "nothing is in this cell"
        raise StudyError(f"{where}, '{column}'{place}: {said}: restore the row from the release") from None


def _points(where: str, pose: list[_Keypoint]) -> np.ndarray:
    """(keypoints, 2) positions in the order of the skeleton, NaN where there is none."""
    points = np.full((len(_JOINTS), 2), np.nan)
    names = [keypoint.name.replace(" ", "_") for keypoint in pose]
    for name, keypoint in zip(names, pose, strict=True):
        if name not in _JOINTS:
            raise StudyError(f"{where}: keypoint '{name}' is unknown: expected one of {', '.join(_JOINTS)}")
        if names.count(name) > 1:
            raise StudyError(f"{where}: keypoint '{name}' is labelled twice: leave one of the labels out")
        if keypoint.position:
            points[_JOINTS[name]] = keypoint.position
    return points


def _cuts(extents: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """(monkeys, 4) left, top, right, bottom of the cuts around extents (monkeys, 4), margins included.

    It is the whole photograph where nothing of it would be seen or no extent is known; 0 where it is missing.
    """
    low, high = np.hsplit(extents, 2)
    margin = BOX_MARGIN * (high - low).max(axis=1, keepdims=True)
    first = np.clip(np.floor(low - margin + 0.5), 0, sizes)
    last = np.clip(np.ceil(high + margin + 0.5), 0, sizes)
    seen = (last > first).all(axis=1, keepdims=True)
    whole = np.hstack([np.zeros_like(sizes), sizes])
    return np.where(seen, np.hstack([first, last]), whole).astype(int)


def _moved(points: np.ndarray, frames: Sequence[Frame]) -> np.ndarray:
    """Points (monkeys, any number, 2) of the photographs as points of the prepared pictures."""
    moved = [frame.transform.apply(own) for frame, own in zip(frames, points, strict=True)]
    return np.array(moved).reshape(points.shape)
