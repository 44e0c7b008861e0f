"""Animals cut out of their photographs: one picture for each, made once and kept.

The pictures lie in one folder as ``<image_id>.png``, beside ``transforms.parquet`` with a row for each
finished one: image_id, photograph, the way from pixels of the photograph to those of the picture
(``new = scale * old + (dx, dy)``), and what it was made from. What is blanked has the colour of padding. The
format is PNG: JPEG, a third of the size, would smear the edges of the masks and lose detail a second time.
"""

import hashlib
import os
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import numpy as np
import pandas as pd
from pycocotools import mask as coco_mask
from tqdm import tqdm

from monkey_transfer.images import Transform, blank, read_picture, resample, write_picture
from monkey_transfer.pool import in_processes

VERSION = 1  # of the way pictures are made: raise it with every change that alters one
# Photographs between two entries into the index: what a kill costs at most.
RECORDED_EVERY = 50


@dataclass(frozen=True)
class Cutout:
    """One animal's picture and what it is made from.

    Attributes
    ----------
    image_id : also the stem of the picture's file.
    photograph : the file that it is cut from.
    transform : from pixels of the photograph to pixels of the picture.
    width, height : of the picture in pixels.
    mask : the parts of the animal's mask, each (corners, 2) x and y in pixels of the photograph. Everything outside
        them is blanked.
    others : the masks of the other animals, which are all that is blanked where the animal has no mask.
    """

    image_id: str
    photograph: Path
    transform: Transform
    width: int
    height: int
    mask: tuple[np.ndarray, ...]
    others: tuple[np.ndarray, ...]


def make_pictures(cutouts: Sequence[Cutout], folder: Path, processes: int = 1) -> None:
    """Make the pictures that are not in ``folder`` yet, or were made from something else.

    A picture is made anew when its photograph (size and time of change), its cut or its polygons are no longer
    those it was made from. When the work is cut short, finished pictures are kept and the next call goes on.

    Parameters
    ----------
    folder : made if missing.
    processes : how many work at once; the pictures do not depend on it.

    Raises
    ------
    StudyError
        If a photograph cannot be read or a picture cannot be written.
    """
    folder.mkdir(parents=True, exist_ok=True)
    index = folder / "transforms.parquet"
    wanted = _table(cutouts)
    known = pd.read_parquet(index) if index.is_file() else wanted.head(0)
    finished = set(zip(known["image_id"], known["made_from"], strict=True))
    pairs = zip(wanted["image_id"], wanted["made_from"], strict=True)
    done = {pair[0] for pair in pairs if pair in finished and _picture(folder, pair[0]).is_file()}
    missing = defaultdict(list)
    for cutout in cutouts:
        if cutout.image_id not in done:
            missing[cutout.photograph].append(cutout)
    if not missing:
        return
    _record(wanted, done, index)  # no row must speak of a picture that is about to change
    try:
        made = in_processes(partial(_make, folder), list(missing.values()), processes)
        shown = tqdm(made, "Cutting out", len(missing), delay=2, leave=False, unit="photograph")
        for count, image_ids in enumerate(shown, start=1):
            done.update(image_ids)
            if count % RECORDED_EVERY == 0:
                _record(wanted, done, index)
    finally:
        _record(wanted, done, index)


def inside(polygons: Sequence[np.ndarray], width: int, height: int) -> np.ndarray:
    """(height, width) bool: the pixels whose centre lies in one of the polygons, to about a third of a pixel."""
    if not polygons:
        return np.zeros((height, width), bool)
    # COCO counts from the corner of the top left pixel, half a pixel before its centre.
    parts = coco_mask.frPyObjects([(polygon + 0.5).ravel().tolist() for polygon in polygons], height, width)
    return coco_mask.decode(coco_mask.merge(parts)).astype(bool)


def _table(cutouts: Sequence[Cutout]) -> pd.DataFrame:
    rows = [
        (c.image_id, c.photograph.name, c.transform.scale, c.transform.dx, c.transform.dy, _made_from(c))
        for c in cutouts
    ]
    return pd.DataFrame(rows, columns=["image_id", "photograph", "scale", "dx", "dy", "made_from"])


def _made_from(cutout: Cutout) -> str:
    """All that a picture depends on: another photograph, cut or mask, and it has to be made anew."""
    corners = [[len(polygon) for polygon in polygons] for polygons in (cutout.mask, cutout.others)]
    digest = hashlib.sha256(repr((VERSION, cutout.transform, cutout.width, cutout.height, corners)).encode())
    for polygon in (*cutout.mask, *cutout.others):
        digest.update(polygon.tobytes())
    found = cutout.photograph.stat()
    return f"{found.st_size}:{found.st_mtime_ns}:{digest.hexdigest()}"


def _make(folder: Path, cutouts: list[Cutout]) -> list[str]:
    """Write the pictures that are cut from one photograph."""
    photograph = read_picture(cutouts[0].photograph)
    for cutout in cutouts:
        picture = resample(photograph, cutout.transform, cutout.width, cutout.height)
        write_picture(_picture(folder, cutout.image_id), blank(picture, _shown(cutout)))
    return [cutout.image_id for cutout in cutouts]


def _shown(cutout: Cutout) -> np.ndarray:
    """(height, width) bool: the pixels of the picture that are not blanked."""
    polygons = [cutout.transform.apply(polygon) for polygon in cutout.mask or cutout.others]
    masked = inside(polygons, cutout.width, cutout.height)
    return masked if cutout.mask else ~masked


def _picture(folder: Path, image_id: str) -> Path:
    return folder / f"{image_id}.png"


def _record(wanted: pd.DataFrame, done: set[str], index: Path) -> None:
    unfinished = index.with_name(f"{index.name}.tmp")
    wanted[wanted["image_id"].isin(done)].to_parquet(unfinished, index=False)
    os.replace(unfinished, index)
