"""COCO keypoint annotations: one JSON file and a folder of pictures.

The format is that of cocodataset.org, 'Data format', sections 1 and 2: keypoints are (x, y, v) with v = 0 not
labelled, 1 labelled but hidden, 2 labelled and visible. Keypoints are 0-based pixel indices and are taken as
pixel centres, unchanged. Boxes are measured from the corner of the picture, so half a pixel is taken off
their x and y. (detectron2 reads both in the same way: `load_coco_json` in its `data/datasets/coco.py`.)
"""

import json
from collections import Counter
from collections.abc import Mapping, Sequence
from itertools import chain, compress
from pathlib import Path, PurePosixPath
from typing import Any

import numpy as np
import pandas as pd

from monkey_transfer.datasets.assembly import BOX, assemble, picture_sizes
from monkey_transfer.datasets.base import Dataset
from monkey_transfer.datasets.naming import study_keypoints
from monkey_transfer.errors import StudyError
from monkey_transfer.skeletons import Skeleton

_REQUIRED_KEYS = {
    "images": ("id", "file_name"),
    "annotations": ("id", "image_id", "category_id"),
    "categories": ("id",),
}


def read_coco(
    annotations: Path, images: Path, skeleton: Skeleton, keypoints: Mapping[str, str] | None = None
) -> Dataset:
    """Read every annotation that has labelled keypoints; each becomes one record.

    ``image_id`` is the stem of the picture's file name, with its folders where two are alike, and with
    ``-<annotation id>`` where a picture shows several people; ``group`` is the file name, so that one photograph
    stays in one part of a split. The box is the annotation's, or that of the labelled joints where it has none or
    one without extent. The format does not say what trains and what tests: ``split`` is ``all``.

    Parameters
    ----------
    annotations : the JSON file.
    images : the folder that its file names are relative to.
    skeleton : the keypoint set to bring the categories' keypoints to; they may lack some of it.
    keypoints : keypoint of the file -> keypoint of the skeleton; those that are not named are not read. Without
        it, every keypoint of a category must be one of the skeleton's, spaces counting as underscores.

    Raises
    ------
    StudyError
        If the file is not such a JSON file or names one picture twice, the names do not lead to the skeleton's,
        an annotation has another number of keypoints than its category, more than one picture in a hundred is
        missing, one has another size than the file says, or a labelled joint is NaN.
    """
    annotations, images = Path(annotations), Path(images)
    content = _read_json(annotations)
    names_of = {category["id"]: category["keypoints"] for category in content["categories"] if "keypoints" in category}
    names = list(dict.fromkeys(chain.from_iterable(names_of.values())))
    chosen = study_keypoints(annotations, names, skeleton, keypoints)
    column_of = {name: skeleton.keypoints.index(keypoint) for name, keypoint in chosen.items()}
    picture_of = _pictures(annotations, content["images"])
    people = [p for p in content["annotations"] if p["category_id"] in names_of and "keypoints" in p]
    poses = np.zeros((len(people), len(skeleton.keypoints), 3))
    for pose, person in zip(poses, people, strict=True):
        names = names_of[person["category_id"]]
        numbers = _numbers(annotations, person, "keypoints", 3 * len(names)).reshape(-1, 3)
        for name, number in zip(names, numbers, strict=True):
            if name in column_of:
                pose[column_of[name]] = number
    has_pose = (poses[..., 2] > 0).any(axis=1)
    people, poses = list(compress(people, has_pose)), poses[has_pose]
    return assemble(
        annotations,
        annotations.parent.name,
        skeleton,
        _images(annotations, images, people, poses[..., :2], picture_of),
        poses[..., :2],
        labelled=poses[..., 2] > 0,
        visible=poses[..., 2] > 1,
    )


def _read_json(path: Path) -> dict[str, Any]:
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except OSError as error:
        raise StudyError(f"{path}: cannot be read ({error.strerror}): expected a COCO keypoint file") from error
    except ValueError as error:
        raise StudyError(f"{path}: not JSON ({error}): expected a COCO keypoint file") from error
    for part, keys in _REQUIRED_KEYS.items():
        if not isinstance(content, dict) or not isinstance(content.get(part), list):
            raise StudyError(f"{path}: there is no list '{part}' in it: expected a COCO keypoint file")
        for position, entry in enumerate(content[part]):
            missing = [key for key in keys if key not in entry]
            if missing:
                raise StudyError(f"{path}: entry {position} of '{part}' lacks '{missing[0]}': add it")
    return content


def _pictures(origin: Path, listed: Sequence[dict[str, Any]]) -> dict[Any, dict[str, Any]]:
    """The file's picture entries by id."""
    for key in ("id", "file_name"):
        for value, times in Counter(picture[key] for picture in listed).most_common(1):
            if times > 1:
                raise StudyError(f"{origin}: {times} pictures have the {key} {value!r}: every picture needs its own")
    return {picture["id"]: picture for picture in listed}


def _images(
    origin: Path,
    folder: Path,
    people: Sequence[dict[str, Any]],
    points: np.ndarray,
    picture_of: dict[Any, dict[str, Any]],
) -> pd.DataFrame:
    for person in people:
        if person["image_id"] not in picture_of:
            raise StudyError(
                f"{origin}: annotation {person['id']} belongs to picture {person['image_id']}, which is not listed "
                "under 'images': add the picture or remove the annotation"
            )
    pictures = [picture_of[person["image_id"]] for person in people]
    files = [picture["file_name"] for picture in pictures]
    said = [(picture.get("width"), picture.get("height")) for picture in pictures]
    sizes = picture_sizes(origin, [folder / file for file in files], points, said)
    shown, name_of = Counter(files), _names(files)
    boxes = np.array([_box(origin, person) for person in people]).reshape(-1, 4)
    return pd.DataFrame(
        {
            "image_id": [
                name_of[file] if shown[file] == 1 else f"{name_of[file]}-{person['id']}"
                for file, person in zip(files, people, strict=True)
            ],
            "path": [str(folder / file) for file in files],
            "width": sizes[:, 0],
            "height": sizes[:, 1],
            "group": files,
            "split": "all",
            **dict(zip(BOX, boxes.T, strict=True)),
        }
    )


def _names(files: Sequence[str]) -> dict[str, str]:
    """File name -> its stem; with its folders, where two folders hold a file of one name."""
    stems = Counter(PurePosixPath(file).stem for file in dict.fromkeys(files))
    return {
        file: PurePosixPath(file).stem
        if stems[PurePosixPath(file).stem] == 1
        else str(PurePosixPath(file).with_suffix("")).replace("/", "-")
        for file in files
    }


def _box(origin: Path, person: dict[str, Any]) -> np.ndarray:
    """x, y, width, height in pixel centres; NaN if the annotation has none, or one without extent."""
    if not person.get("bbox"):
        return np.full(4, np.nan)
    box = _numbers(origin, person, "bbox", 4)
    return box - (0.5, 0.5, 0, 0) if (box[2:] > 0).all() else np.full(4, np.nan)


def _numbers(origin: Path, person: dict[str, Any], key: str, count: int) -> np.ndarray:
    try:
        numbers = np.array(person[key], float)
    except (TypeError, ValueError):
        numbers = np.empty(0)
    if numbers.shape != (count,):
        raise StudyError(f"{origin}: annotation {person['id']} needs a list of {count} numbers under '{key}'")
    return numbers
