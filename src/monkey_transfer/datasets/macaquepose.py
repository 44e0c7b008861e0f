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
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd

from monkey_transfer.datasets.assembly import BOX, BOX_MARGIN, GET_IT, assemble, picture_sizes
from monkey_transfer.datasets.base import Dataset
from monkey_transfer.datasets.cutouts import Cutout, make_pictures
from monkey_transfer.errors import StudyError
from monkey_transfer.images import Length, Transform, fit
from monkey_transfer.skeletons import MACAQUEPOSE_17

_COLUMNS = ("image file name", "keypoinbts", "segmentation")
_JOINTS = {name: joint for joint, name in enumerate(MACAQUEPOSE_17.keypoints)}

# What fit gives: the way to a monkey's picture, its width and its height.
_Fit = tuple[Transform, int, int]
_NO_PICTURE: _Fit = (Transform(1, 0, 0), 0, 0)  # where the photograph is missing


@dataclass(frozen=True)
class _Monkey:
    """One entry of a row.

    Attributes
    ----------
    image_id : the stem of the photograph's name and the monkey's number in it.
    photograph : its file name.
    points : (keypoints, 2) in the order of the skeleton, NaN where not labelled.
    parts : the polygons of its mask, each (corners, 2); none if the mask is empty.
    """

    image_id: str
    photograph: str
    points: np.ndarray
    parts: tuple[np.ndarray, ...]


def read_macaquepose(
    folder: Path, prepared: Path, length: Length = "longer_side", size: int = 640, processes: int = 1
) -> Dataset:
    """Read the release in ``folder`` as pictures of single monkeys, which are made in ``prepared`` if not there yet.

    This is the paper's way with photographs of several animals (section 2.1): each monkey is cut out, everything
    outside its own mask is blanked and the cut is resized. Paths, joints, boxes and lengths are those of the
    prepared pictures; `transforms.parquet` beside them leads back to the photographs (:mod:`~.datasets.cutouts`).

    The cut is the box of the monkey's mask and a tenth of its longer side on every side, as far as the photograph
    goes: outlines follow what is seen, and a joint that is hidden may lie outside. Such a joint stays labelled
    although its place is blanked; one beyond the cut becomes unlabelled and is listed in ``left_out``. Without a
    mask the cut is taken around the labelled joints, and only the masks of the other monkeys are blanked.

    ``image_id`` is the stem of the photograph's name with the number of the monkey in it, from 1; ``group`` is
    the photograph. The release has no parts: ``split`` is ``all``. ``bbox_length`` is the longer side of the box
    of the mask, or of the joints where there is no mask. The paper divides errors by 'the length of the bounding
    box of the monkey' without saying which length that is; the longer side is taken.

    Parameters
    ----------
    folder : holds `annotations.csv` and `images/`.
    prepared : for the pictures of one ``length`` and ``size``; made if missing.
    length, size : what of a picture gets how many pixels; in the paper 'the length' gets 640.
    processes : how many make pictures at once.

    Raises
    ------
    StudyError
        If `annotations.csv` is missing or of another layout (the message names the row, the header being row 1),
        more than one photograph in a hundred is missing or has most of its joints outside, or one is damaged.
    """
    folder, prepared = Path(folder), Path(prepared)
    source = folder / "annotations.csv"
    monkeys = _read_monkeys(source)
    points = np.array([monkey.points for monkey in monkeys]).reshape(-1, len(_JOINTS), 2)
    photographs = [folder / "images" / monkey.photograph for monkey in monkeys]
    sizes = picture_sizes(source, photographs, points, remedy=GET_IT)

    masks = np.array([_extent(monkey.parts) for monkey in monkeys]).reshape(-1, 2, 2)
    cuts = _cuts(np.where(np.isnan(masks), _joint_extents(points), masks), sizes)
    there = sizes[:, 0] > 0
    fits = [fit(cut, length, size) if shown else _NO_PICTURE for cut, shown in zip(cuts.tolist(), there, strict=True)]
    make_pictures(_cutouts(monkeys, photographs, fits), prepared, processes)

    points, boxes = _moved(points, fits), _moved(np.clip(masks, -0.5, sizes[:, None] - 0.5), fits)
    labelled = np.isfinite(points).all(axis=-1)
    images = pd.DataFrame(
        {
            "image_id": [monkey.image_id for monkey in monkeys],
            "path": [str(prepared / f"{monkey.image_id}.png") for monkey in monkeys],
            "width": [width for _, width, _ in fits],
            "height": [height for _, _, height in fits],
            "group": [monkey.photograph for monkey in monkeys],
            "split": "all",
            **dict(zip(BOX, np.hstack([boxes[:, 0], boxes[:, 1] - boxes[:, 0]]).T, strict=True)),
        }
    )
    return assemble(source, "MacaquePose", MACAQUEPOSE_17, images, points, labelled, visible=labelled)


def _read_monkeys(source: Path) -> list[_Monkey]:
    monkeys = []
    row_of: dict[str, int] = {}
    for row, (photograph, *cells) in enumerate(_read_table(source).itertuples(index=False), start=2):
        stem = Path(photograph).stem
        if stem in row_of:
            raise StudyError(
                f"{source}: rows {row_of[stem]} and {row} both label a photograph {stem}: leave one of them out"
            )
        row_of[stem] = row
        poses, masks = (_entries(f"{source}, row {row}", *cell) for cell in zip(_COLUMNS[1:], cells, strict=True))
        if len(poses) != len(masks):
            raise StudyError(
                f"{source}, row {row}: joints of {len(poses)} and segments of {len(masks)} monkeys: "
                "expected one entry for each monkey in both columns"
            )
        for number, (pose, mask) in enumerate(zip(poses, masks, strict=True), start=1):
            where = f"{source}, row {row}, monkey {number}"
            monkeys.append(_Monkey(f"{stem}-{number}", photograph, _points(where, pose), _parts(where, mask)))
    return monkeys


def _read_table(source: Path) -> pd.DataFrame:
    expected = f"expected the file of the MacaquePose release with columns {', '.join(_COLUMNS)}"
    try:
        table = pd.read_csv(source, dtype=str, keep_default_na=False)
    except OSError as error:
        raise StudyError(f"{source}: cannot be read ({error.strerror}): {expected}; {GET_IT}") from error
    except ValueError as error:
        raise StudyError(f"{source}: not a CSV file ({' '.join(str(error).split())}): {expected}") from error
    for column in _COLUMNS:
        if column not in table:
            raise StudyError(f"{source}: there is no column '{column}': {expected}")
    return table[list(_COLUMNS)]


def _entries(where: str, column: str, cell: str) -> list[list[Any]]:
    """What a cell says of each monkey."""
    try:
        entries = json.loads(cell)
    except (ValueError, TypeError) as error:
        raise StudyError(f"{where}: '{column}' is not JSON ({error}): restore the row from the release") from error
    if not isinstance(entries, list) or not all(isinstance(entry, list) for entry in entries):
        raise StudyError(f"{where}: '{column}' is no list with one list for each monkey: restore the row")
    return entries


def _points(where: str, pose: list[Any]) -> np.ndarray:
    """(keypoints, 2) positions in the order of the skeleton, NaN where there is none."""
    position_of: dict[str, Any] = {}
    for entry in pose:
        if not isinstance(entry, dict) or not {"name", "position"} <= entry.keys():
            raise StudyError(f"{where}: the keypoint {entry} needs a 'name' and a 'position', which may be null")
        name = str(entry["name"]).replace(" ", "_")
        if name not in _JOINTS:
            raise StudyError(f"{where}: keypoint '{name}' is unknown: expected one of {', '.join(_JOINTS)}")
        if name in position_of:
            raise StudyError(f"{where}: keypoint '{name}' is labelled twice: leave one of the labels out")
        position_of[name] = entry["position"]
    labelled = [name for name, position in position_of.items() if position is not None]
    points = np.full((len(_JOINTS), 2), np.nan)
    points[[_JOINTS[name] for name in labelled]] = _positions(where, [position_of[name] for name in labelled])
    return points


def _parts(where: str, mask: list[Any]) -> tuple[np.ndarray, ...]:
    """The polygons of a mask, without those of fewer than three corners, which enclose nothing."""
    if not all(isinstance(part, dict) and isinstance(part.get("segment"), list) for part in mask):
        raise StudyError(f"{where}: the mask is no list of parts with a list 'segment' in each: restore the row")
    return tuple(_positions(f"{where}, mask", part["segment"]) for part in mask if len(part["segment"]) > 2)


def _positions(where: str, positions: list[Any]) -> np.ndarray:
    try:
        numbers = np.array(positions, float)
    except (TypeError, ValueError):
        numbers = np.empty(0)
    if positions and (numbers.shape != (len(positions), 2) or not np.isfinite(numbers).all()):
        raise StudyError(f"{where}: expected pairs of finite numbers as positions, found {str(positions):.100}")
    return numbers.reshape(-1, 2)


def _extent(parts: Sequence[np.ndarray]) -> np.ndarray:
    """(2, 2) lowest and highest x and y of a mask; NaN without one."""
    if not parts:
        return np.full((2, 2), np.nan)
    corners = np.vstack(parts)
    return np.stack([corners.min(axis=0), corners.max(axis=0)])


def _joint_extents(points: np.ndarray) -> np.ndarray:
    """(monkeys, 2, 2) lowest and highest x and y of the labelled joints; NaN where there are none."""
    return np.stack([np.fmin.reduce(points, axis=1), np.fmax.reduce(points, axis=1)], axis=1)


def _cuts(extents: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """(monkeys, 4) left, top, right, bottom of the cuts around extents (monkeys, 2, 2), margins included.

    It is the whole photograph where nothing of it would be seen or no extent is known.
    """
    low, high = extents[:, 0], extents[:, 1]
    margin = BOX_MARGIN * (high - low).max(axis=1, keepdims=True)
    first = np.clip(np.floor(low - margin + 0.5), 0, sizes)
    last = np.clip(np.ceil(high + margin + 0.5), 0, sizes)
    seen = (last > first).all(axis=1, keepdims=True)
    whole = np.hstack([np.zeros_like(sizes), sizes])
    return np.where(seen, np.hstack([first, last]), whole).astype(int)


def _cutouts(monkeys: Sequence[_Monkey], photographs: Sequence[Path], fits: Sequence[_Fit]) -> list[Cutout]:
    """The pictures to make: those of the monkeys whose photograph is there."""
    masks: dict[str, list[np.ndarray]] = defaultdict(list)
    for monkey in monkeys:
        masks[monkey.photograph].extend(monkey.parts)
    cutouts = []
    for monkey, photograph, fitted in zip(monkeys, photographs, fits, strict=True):
        if fitted is not _NO_PICTURE:
            others = () if monkey.parts else tuple(masks[monkey.photograph])
            cutouts.append(Cutout(monkey.image_id, photograph, *fitted, monkey.parts, others))
    return cutouts


def _moved(points: np.ndarray, fits: Sequence[_Fit]) -> np.ndarray:
    """Points (monkeys, any number, 2) of the photographs as points of the prepared pictures."""
    moved = [transform.apply(own) for (transform, _, _), own in zip(fits, points, strict=True)]
    return np.array(moved).reshape(points.shape)
