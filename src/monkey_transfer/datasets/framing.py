"""Pictures as networks see them: framed in one way, kept on disk, and the way back to original pixels."""

import math
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from monkey_transfer import images, tables
from monkey_transfer.datasets.base import Dataset
from monkey_transfer.devices import cores
from monkey_transfer.errors import StudyError
from monkey_transfer.files import clear_disk_errors, only_one
from monkey_transfer.profiles.framing import Framing, PersonCrop, ScaledPerson, WholePicture

_SHOW_PROGRESS_FROM = 500
_COLUMNS = ["image_id", "made_from", "scale", "dx", "dy"]


def framed(dataset: Dataset, framing: Framing, folder: Path) -> pd.DataFrame:
    """The pictures of a data set in that framing, written to ``folder`` where they are not there yet.

    A picture is made anew when its file, its box or its yardstick changed. No other framing may use the folder.

    Returns
    -------
    DataFrame with image_id, path, and the transform from original to network pixels: scale, dx, dy.
    """
    wanted = _wanted(dataset, framing)
    with clear_disk_errors(), only_one(folder):
        folder.mkdir(parents=True, exist_ok=True)
        index = folder / "transforms.parquet"
        known = pd.read_parquet(index) if index.is_file() else pd.DataFrame(columns=_COLUMNS)
        origin_of = dict(zip(known["image_id"], known["made_from"], strict=True))
        current = [
            origin_of.get(image_id) == origin and _picture(folder, image_id).is_file()
            for image_id, origin in zip(wanted["image_id"], wanted["made_from"], strict=True)
        ]
        missing = wanted[~np.array(current, bool)]
        rows: list[tuple] = []
        try:
            for row in _frame_pictures(missing, framing, folder):
                rows.append(row)
        finally:  # what was framed before a picture that cannot be is kept
            if rows:
                made = pd.DataFrame(rows, columns=_COLUMNS)
                kept = known[~known["image_id"].isin(made["image_id"])]
                known = pd.concat([kept, made], ignore_index=True) if len(kept) else made
                tables.write(known, index)
    chosen = known.set_index("image_id").loc[wanted["image_id"].tolist()].reset_index()
    return chosen.assign(path=[str(_picture(folder, image_id)) for image_id in chosen["image_id"]])


def in_network_pixels(table: pd.DataFrame, transforms: pd.DataFrame) -> pd.DataFrame:
    """Labels or predictions in original pixels, brought to network pixels."""
    scale, dx, dy = _transform_of_rows(table, transforms)
    return table.assign(x=table.x * scale + dx, y=table.y * scale + dy)


def in_original_pixels(table: pd.DataFrame, transforms: pd.DataFrame) -> pd.DataFrame:
    """Labels or predictions in network pixels, brought to original pixels."""
    scale, dx, dy = _transform_of_rows(table, transforms)
    return table.assign(x=(table.x - dx) / scale, y=(table.y - dy) / scale)


def _transform_of_rows(table: pd.DataFrame, transforms: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rows = transforms.set_index("image_id").loc[table["image_id"], ["scale", "dx", "dy"]].to_numpy()
    return rows[:, 0], rows[:, 1], rows[:, 2]


def _wanted(dataset: Dataset, framing: Framing) -> pd.DataFrame:
    """The images table with each person's ``length`` in the framing's yardstick and what a picture is made from."""
    table = dataset.images
    if isinstance(framing, ScaledPerson):
        lengths = dataset.reference_lengths.query("name == @framing.yardstick").set_index("image_id")["length"]
        table = table.assign(length=table["image_id"].map(lengths))
    return table.assign(made_from=[_origin(row) for row in table.itertuples()])


def _origin(row: Any) -> str:
    """What a framed picture was made from: another file, or another box, and it has to be made anew."""
    length = f":{row.length}" if hasattr(row, "length") else ""
    return f"{images.stamp(row.path)}:{row.bbox_x}:{row.bbox_y}:{row.bbox_w}:{row.bbox_h}{length}"


def _picture(folder: Path, image_id: str) -> Path:
    return folder / f"{image_id}.png"


def _frame_pictures(table: pd.DataFrame, framing: Framing, folder: Path) -> Iterator[tuple]:
    """Frame one picture of the table after the other; yields the columns of the index."""

    def one(row: Any) -> tuple[str, str, float, float, float]:
        picture = images.read_picture(row.path, (row.width, row.height))
        if picture.shape[:2] != (row.height, row.width):
            raise StudyError(
                f"{row.path}: is {picture.shape[1]} x {picture.shape[0]} pixels, but its labels are for "
                f"{row.width} x {row.height}: restore the picture that was labelled"
            )
        try:
            cut, transform = _cut(picture, row, framing)
        except StudyError as error:
            raise StudyError(f"{row.path}: {error}") from None
        images.write_picture(_picture(folder, row.image_id), cut)
        return row.image_id, row.made_from, transform.scale, transform.dx, transform.dy

    with ThreadPoolExecutor(cores()) as pool:  # decoding and resampling release the interpreter
        done = pool.map(one, table.itertuples())
        hidden = len(table) < _SHOW_PROGRESS_FROM
        yield from tqdm(done, total=len(table), desc="framing pictures", disable=hidden, mininterval=5)


def _cut(picture: np.ndarray, row: Any, framing: Framing) -> tuple[np.ndarray, images.Transform]:
    box = (row.bbox_x, row.bbox_y, row.bbox_w, row.bbox_h)
    match framing:
        case WholePicture(size=int(side)):
            return images.letterbox(picture, (side, side))
        case WholePicture(size=(width, height)):
            return images.letterbox(picture, (width, height))
        case PersonCrop():
            longer = max(row.bbox_w, row.bbox_h)
            return images.crop(picture, box, framing.person / longer if longer > 0 else math.nan, framing.size)
        case ScaledPerson():
            if not row.length > 0:
                raise StudyError(f"the length {framing.yardstick} that its scale comes from is not known")
            return images.crop(picture, box, framing.length / row.length, framing.size)
    raise TypeError(f"unknown framing {framing!r}")
