"""Pictures as networks see them: cut out of photographs in one way, made once and kept, and the way back.

The pictures of one way lie in one folder as ``<image_id>.png``, beside ``transforms.parquet`` with a row for each
finished one: image_id, photograph, the way from pixels of the photograph to those of the picture
(``new = scale * old + (dx, dy)``), and what it was made from. What is blanked has the colour of padding. The
format is PNG: JPEG, a third of the size, would smear the edges of masks and lose detail a second time.
"""

import hashlib
from collections.abc import Iterable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import astuple, dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from pycocotools import mask as coco_mask
from tqdm.auto import tqdm

from monkey_transfer import tables
from monkey_transfer.datasets.base import Dataset
from monkey_transfer.devices import cores
from monkey_transfer.errors import StudyError
from monkey_transfer.files import clear_disk_errors, only_one
from monkey_transfer.images import PADDING_RGB, Frame, crop, letterbox, read_picture, resample, stamp, write_picture
from monkey_transfer.profiles.framing import Framing, PersonCrop, ScaledPerson, WholePicture

VERSION = 2  # of the way pictures are made: raise it with every change that alters one
# Pictures between two entries into the index: what a kill costs at most.
RECORDED_EVERY = 50
_SHOW_PROGRESS_FROM = 500


@dataclass(frozen=True)
class Cut:
    """A picture to be made and what of."""

    image_id: str  # also the stem of the picture's file
    photograph: str | Path  # the file that it is cut from
    size: tuple[int, int]  # (width, height) that the photograph has in its labels
    frame: Frame  # how the picture is made of the photograph
    # The parts of the animal's mask, each (corners, 2) x and y in pixels of the photograph, outside which everything is
    # blanked; and those of other animals, which are all that is blanked where the animal has no mask.
    mask: tuple[np.ndarray, ...] = ()
    others: tuple[np.ndarray, ...] = ()


def framed(dataset: Dataset, framing: Framing, folder: Path) -> pd.DataFrame:
    """The pictures of a data set in that framing: :func:`make_pictures`, for which the folder is locked.

    Raises StudyError naming the file if a picture is not the one that was labelled, or nothing of it would be seen.
    """
    people = dataset.images.assign(length=np.nan)
    if isinstance(framing, ScaledPerson):
        lengths = dataset.reference_lengths.query("name == @framing.yardstick").set_index("image_id")["length"]
        people["length"] = people["image_id"].map(lengths)
    rows: Iterable[Any] = people.itertuples()
    cuts = [Cut(row.image_id, row.path, (row.width, row.height), _frame(row, framing)) for row in rows]
    with clear_disk_errors(), only_one(folder):
        return make_pictures(cuts, folder, cores())


def _frame(person: Any, framing: Framing) -> Frame:
    size = person.width, person.height
    match framing:
        case WholePicture(size=side):
            return letterbox(size, (side, side) if isinstance(side, int) else side)
        case PersonCrop(size=side):
            scale = framing.person / max(person.bbox_w, person.bbox_h)
        case ScaledPerson() if np.isnan(person.length):
            raise StudyError(f"{person.path}: the length {framing.yardstick} that its scale comes from is not known")
        case ScaledPerson(size=side):
            scale = framing.length / person.length
    try:
        return crop(size, (person.bbox_x, person.bbox_y, person.bbox_w, person.bbox_h), scale, side)
    except StudyError as error:
        raise StudyError(f"{person.path}: {error}") from None


def make_pictures(cuts: Sequence[Cut], folder: Path, at_once: int = 1) -> pd.DataFrame:
    """Make the pictures that are not in ``folder`` yet, or were made from something else, ``at_once`` at a time.

    A picture is made anew when its photograph (size and time of change), its cut or its polygons are no longer
    those it was made from. When the work is cut short, finished pictures are kept and the next call goes on. The folder
    is made if missing; no other way of making pictures may use it. StudyError if a photograph cannot be read or has
    another size than its labels say, or a picture cannot be written.

    Returns
    -------
    DataFrame with a row for each cut: image_id, path, photograph (file name) and the transform from pixels of the
    photograph to those of the picture: scale, dx, dy.
    """
    folder.mkdir(parents=True, exist_ok=True)
    index = folder / "transforms.parquet"
    rows = [(c.image_id, Path(c.photograph).name, *astuple(c.frame.transform), _made_from(c)) for c in cuts]
    wanted = pd.DataFrame(rows, columns=["image_id", "photograph", "scale", "dx", "dy", "made_from"])
    paths = [folder / f"{cut.image_id}.png" for cut in cuts]
    known = pd.read_parquet(index) if index.is_file() else wanted.head(0)
    finished = set(zip(known["image_id"], known["made_from"], strict=True))
    missing = [
        (path, cut)
        for path, cut, made_from in zip(paths, cuts, wanted["made_from"], strict=True)
        if (cut.image_id, made_from) not in finished or not path.is_file()
    ]
    # No row must speak of a picture that is about to change.
    known = known[~known["image_id"].isin([cut.image_id for _, cut in missing])]
    done: list[str] = []

    def record() -> None:
        tables.write(pd.concat([known, wanted[wanted["image_id"].isin(done)]], ignore_index=True), index)

    def make(path: Path, cut: Cut) -> str:
        write_picture(path, _cut_out(cut))
        return cut.image_id

    if missing:
        record()
        try:
            with ThreadPoolExecutor(at_once) as pool:  # decoding and resampling release the interpreter
                made, hidden = pool.map(make, *zip(*missing, strict=True)), len(missing) < _SHOW_PROGRESS_FROM
                for image_id in tqdm(made, "framing pictures", len(missing), mininterval=5, disable=hidden):
                    done.append(image_id)
                    if len(done) % RECORDED_EVERY == 0:
                        record()
        finally:
            record()
    return wanted.assign(path=[str(path) for path in paths])


def _made_from(cut: Cut) -> str:
    """All that a picture depends on."""
    polygons = cut.mask or cut.others
    facts = (VERSION, cut.size, cut.frame, bool(cut.mask), [len(polygon) for polygon in polygons])
    digest = hashlib.sha256(repr(facts).encode())
    for polygon in polygons:
        digest.update(polygon.tobytes())
    return f"{stamp(cut.photograph)}:{digest.hexdigest()}"


def _cut_out(cut: Cut) -> np.ndarray:
    """The (height, width, 3) uint8 picture."""
    photograph = read_picture(cut.photograph, cut.size)
    size = photograph.shape[1::-1]
    if size != cut.size:
        raise StudyError(
            f"{cut.photograph}: is {size[0]} x {size[1]} pixels, but its labels are for {cut.size[0]} x {cut.size[1]}: "
            "restore the picture that was labelled"
        )
    picture = resample(photograph, cut.frame)
    if polygons := [cut.frame.transform.apply(polygon) for polygon in cut.mask or cut.others]:
        picture[inside(polygons, cut.frame.width, cut.frame.height) != bool(cut.mask)] = PADDING_RGB
    return picture


def inside(polygons: Sequence[np.ndarray], width: int, height: int) -> np.ndarray:
    """(height, width) bool: the pixels whose centre lies in one of the polygons, to about a third of a pixel."""
    # Rasterising follows every edge from end to end, however far it leads away.
    far = 100 * max(width, height)
    # COCO counts from the corner of the top left pixel, half a pixel before its centre.
    near = [corners for polygon in polygons if len(corners := _within(polygon + 0.5, -far, far)) > 2]
    if not near:
        return np.zeros((height, width), bool)
    parts = coco_mask.frPyObjects([corners.ravel().tolist() for corners in near], height, width)
    return coco_mask.decode(coco_mask.merge(parts)).astype(bool)


def _within(polygon: np.ndarray, low: float, high: float) -> np.ndarray:
    """(corners, 2) of what of a polygon lies in the square from (low, low) to (high, high).

    One side after the other is cut off: I. Sutherland and G. Hodgman, Communications of the ACM 17:32, 1974.
    """
    for axis, sign, bound in ((0, 1, low), (0, -1, -high), (1, 1, low), (1, -1, -high)):
        depth = sign * polygon[:, axis] - bound  # above zero inside
        after, depth_after = np.roll(polygon, -1, axis=0), np.roll(depth, -1)
        crosses = (depth > 0) != (depth_after > 0)
        share = np.divide(depth, depth - depth_after, out=np.zeros_like(depth), where=crosses)
        corners = np.stack([polygon, polygon + share[:, None] * (after - polygon)], axis=1)
        polygon = corners[np.stack([depth > 0, crosses], axis=1)]
    return polygon


def in_network_pixels(table: pd.DataFrame, transforms: pd.DataFrame) -> pd.DataFrame:
    """Labels or predictions in original pixels, brought to network pixels."""
    scale, dx, dy = _transform_of_rows(table, transforms)
    return table.assign(x=table.x * scale + dx, y=table.y * scale + dy)


def in_original_pixels(table: pd.DataFrame, transforms: pd.DataFrame) -> pd.DataFrame:
    """Labels or predictions in network pixels, brought to original pixels."""
    scale, dx, dy = _transform_of_rows(table, transforms)
    return table.assign(x=(table.x - dx) / scale, y=(table.y - dy) / scale)


def _transform_of_rows(table: pd.DataFrame, transforms: pd.DataFrame) -> np.ndarray:
    """(3, rows) scale, dx and dy of each row's picture."""
    tables.refuse_repeated(transforms, ["image_id"], "framed pictures")
    return transforms.set_index("image_id").loc[table["image_id"], ["scale", "dx", "dy"]].to_numpy().T
