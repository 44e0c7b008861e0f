"""A folder of rendered pictures and their labels, as a data set."""

import json
from dataclasses import asdict, dataclass, replace
from functools import partial
from pathlib import Path

import cv2
import numpy as np
import pandas as pd
from tqdm import tqdm

from monkey_transfer import tables
from monkey_transfer.datasets.assembly import BOX, assemble
from monkey_transfer.datasets.base import Dataset
from monkey_transfer.errors import StudyError
from monkey_transfer.files import write_json, written
from monkey_transfer.pool import in_processes
from monkey_transfer.rendered.rendering import check_species, render
from monkey_transfer.skeletons import MPII_16

VERSION = 1  # of the generator: raise it with every change that alters a picture
NAMES = {"human": "rendered people", "macaque": "rendered macaques"}
BATCH = 50  # pictures drawn, labelled and kept together


@dataclass(frozen=True)
class _Request:
    """What a folder of pictures was made from; kept in it as manifest.json."""

    species: str
    images: int
    seed: int
    size: int
    generator: int = VERSION

    def image_id(self, index: int) -> str:
        return f"{self.species}-{self.seed}-{index:05d}"


def rendered_dataset(
    species: str, images: int, seed: int, folder: Path, size: int = 160, processes: int = 1
) -> Dataset:
    """Draw ``images`` pictures into ``folder``, or take those already there, and return them with their labels.

    Every picture is its own group. ``head_size`` is MPII's (0.6 x diagonal of the head's box); other reference lengths
    are those of :func:`~monkey_transfer.datasets.assembly.assemble`. Joints outside the picture are unlabelled.

    Parameters
    ----------
    folder : made if missing; a folder that was left half finished is completed.
    size : side of the square pictures in pixels.
    processes : how many draw at once; the pictures do not depend on it.

    Raises StudyError if the species is unknown, no picture is asked for, or ``folder`` holds something else.
    """
    check_species(species)
    if images < 1:
        raise StudyError(f"{images} rendered pictures asked for: expected at least 1")
    folder, request = Path(folder), _Request(species, images, seed, size)
    _claim(folder, asdict(request))
    batches = [range(start, min(start + BATCH, images)) for start in range(0, images, BATCH)]
    missing = [batch for batch in batches if not all(file.exists() for file in _files(folder, request, batch))]
    title = f"Drawing {NAMES[species]}"
    with tqdm(total=sum(map(len, missing)), desc=title, unit="picture", delay=2, leave=False) as bar:
        for pictures in in_processes(partial(_draw_batch, folder, request), missing, processes):
            bar.update(pictures)
    return _read(folder, request, batches)


def _claim(folder: Path, request: dict) -> None:
    """Make the folder and its manifest, or make sure that it is the one for this request."""
    manifest = folder / "manifest.json"
    folder.mkdir(parents=True, exist_ok=True)
    if not any(folder.iterdir()):
        write_json(manifest, request)
    try:
        found = json.loads(manifest.read_text())
    except (FileNotFoundError, ValueError):
        found = "something else"
    if found != request:
        raise StudyError(
            f"{folder}: expected an empty folder or pictures made from {request}, but it holds {found}: "
            "delete the folder or name another one"
        )


def _files(folder: Path, request: _Request, batch: range) -> list[Path]:
    """The labels of a batch, and its pictures."""
    return [folder / f"labels-{batch.start:05d}.parquet", *(folder / f"{request.image_id(i)}.png" for i in batch)]


def _draw_batch(folder: Path, request: _Request, batch: range) -> int:
    """Write the pictures of a batch, and then, as the sign that they are all there, their labels."""
    labels, *pictures = _files(folder, request, batch)
    rows = []
    for index, picture in zip(batch, pictures, strict=True):
        drawn = render(request.species, request.seed, index, request.size)
        with written(picture) as unfinished:
            unfinished.write_bytes(cv2.imencode(".png", drawn.image[..., ::-1])[1].tobytes())
        left, top, right, bottom = drawn.bbox
        rows.append(
            {
                "image_id": request.image_id(index),
                "pose": drawn.pose_name,
                "head_size": drawn.head_size,
                **dict(zip(BOX, (left, top, right - left, bottom - top), strict=True)),
                "x": drawn.joints[:, 0].tolist(),
                "y": drawn.joints[:, 1].tolist(),
                "visible": drawn.visible.tolist(),
            }
        )
    tables.write(pd.DataFrame(rows), labels)
    return len(batch)


def _read(folder: Path, request: _Request, batches: list[range]) -> Dataset:
    files = [_files(folder, request, batch) for batch in batches]
    drawn = pd.concat([pd.read_parquet(labels) for labels, *_ in files], ignore_index=True)
    images = drawn[["image_id", *BOX]].assign(
        path=[str(picture) for _, *pictures in files for picture in pictures],
        width=request.size,
        height=request.size,
        group=drawn["image_id"],
        split="",
    )
    points = np.array([drawn["x"].tolist(), drawn["y"].tolist()]).transpose(1, 2, 0)
    labelled = ((points >= -0.5) & (points <= request.size - 0.5)).all(axis=-1)
    visible = np.array(drawn["visible"].tolist())
    dataset = assemble(folder, NAMES[request.species], MPII_16, images, points, labelled, visible)
    heads = drawn[["image_id"]].assign(name="head_size", length=drawn["head_size"])
    lengths = pd.concat([heads, dataset.reference_lengths], ignore_index=True)
    return replace(dataset, reference_lengths=lengths, rendered=True)
