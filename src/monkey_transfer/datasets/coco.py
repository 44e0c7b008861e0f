"""COCO keypoint annotations: one JSON file and a folder of pictures.

The format is that of cocodataset.org, 'Data format', sections 1 and 2: keypoints are (x, y, v) with v = 0 not
labelled (then x = y = 0), 1 labelled but hidden, 2 labelled and visible. Keypoints are 0-based pixel indices and are
taken as pixel centres, unchanged. Boxes are measured from the corner of the picture, so half a pixel is taken off
their x and y. (detectron2 reads both in the same way: `load_coco_json` in its `data/datasets/coco.py`.)
"""

import json
import os
from collections import Counter
from collections.abc import Iterable, Mapping
from itertools import compress
from pathlib import Path, PurePosixPath, PureWindowsPath
from reprlib import Repr
from typing import Annotated, Any
from urllib.parse import unquote

import numpy as np
import pandas as pd
from pydantic import BaseModel, BeforeValidator, Field, Strict, ValidationError

from monkey_transfer.datasets.assembly import FEW, assemble, either_spelling, short_id, with_sizes
from monkey_transfer.datasets.base import Dataset
from monkey_transfer.datasets.naming import study_keypoints
from monkey_transfer.datasets.units import IN_PIXELS, refuse_shares
from monkey_transfer.errors import StudyError
from monkey_transfer.skeletons import Skeleton
from monkey_transfer.tables import BOX, SIZE


class _Json(Repr):
    """Shows values in JSON's words, cut short if they are long."""

    def repr_bool(self, value: float | None, _: int) -> str:
        return json.dumps(value)

    repr_NoneType = repr_float = repr_bool


shown = _Json().repr


def _no_boolean(value: Any) -> Any:
    if isinstance(value, bool):  # it would count as 0 or 1
        raise ValueError("true and false are no numbers")
    return value


# Control characters would break the lines of messages, and are in no sound name.
_Text = Annotated[str, Field(pattern=r"^[^\x00-\x1f]+$")]
# Writers differ, even within one file, in whether an id is 1, 1.0 or "1": it is a number if it can be one.
_Id = Annotated[Annotated[int | _Text, Field(union_mode="left_to_right")], BeforeValidator(_no_boolean)]
# What is written as a number is taken without a call of ours: large files hold millions.
_Number = Annotated[
    Annotated[float, Strict()] | Annotated[float, BeforeValidator(_no_boolean)], Field(union_mode="left_to_right")
]
_Finite = Annotated[_Number, Field(allow_inf_nan=False)]
_Side = Annotated[_Finite, Field(ge=0)]
_Size = Annotated[int, Field(gt=0), BeforeValidator(_no_boolean)]
_EXPECTED = {
    **dict.fromkeys(("id", "image_id", "category_id"), "a whole number or text"),
    **dict.fromkeys(("width", "height"), "a whole number of pixels above 0"),
    "file_name": "the name of the picture's file",
    "annotations": "a finite number, the x, y or v of a keypoint",  # of a list in it, like the name in the next line
    "categories": "the name of a keypoint",
    "keypoints": "a list: of the numbers x, y and v of each keypoint, in a category of their names",
    "bbox": "four finite numbers: x, y, width and height, the last two not below 0",
    "iscrowd": "0 or 1",
}


# So many of the pictures that a file names are looked for to find their folder: the first may be gone.
_LOOKED_FOR = 50


class _Picture(BaseModel):
    id: _Id
    file_name: _Text
    width: _Size | None = None
    height: _Size | None = None


class _Annotation(BaseModel):
    id: _Id
    image_id: _Id
    category_id: _Id
    keypoints: list[_Number | None] = []
    bbox: tuple[()] | tuple[_Finite, _Finite, _Side, _Side] = ()
    iscrowd: bool = False


class _Category(BaseModel):
    id: _Id
    keypoints: list[_Text] = []


class _File(BaseModel):
    images: list[_Picture]
    annotations: list[_Annotation]
    categories: list[_Category]


def read_coco(
    annotations: Path, images: Path, skeleton: Skeleton, keypoints: Mapping[str, str] | None = None
) -> Dataset:
    """Read every annotation that has labelled keypoints and is no crowd; each becomes one record.

    ``image_id`` is the stem of the picture's file name, with its folders where two are alike, and with
    ``-<annotation id>`` where a picture shows several people; ``group`` is the picture's path within ``images``, so
    that one photograph stays in one part of a split. The box is the annotation's, or that of the labelled joints
    where it has none or one without extent. The format does not say what trains and what tests: ``split`` is ``all``.
    A joint at (0, 0) counts as unlabelled, and is listed in ``left_out`` if v says that it is labelled.

    StudyError if the file is not as the format says, names something twice, refers to what it does not list, has nobody
    to read, positions that are not in pixels, boxes of two corners or names that do not lead to the skeleton's, if more
    than one picture in a hundred is missing or has most of its joints outside, or one has another size than is said.

    Parameters
    ----------
    annotations : the JSON file.
    images : the folder that its file names are relative to; they may have back-slashes, be url-encoded or begin with
        folders of another machine.
    skeleton : the keypoint set to bring the categories' keypoints to; they may lack some of it.
    keypoints : keypoint of the file -> keypoint of the skeleton; those that are not named are not read. Without
        it, every keypoint of a category must be one of the skeleton's, spaces counting as underscores.
    """
    annotations, images = Path(annotations), Path(images)
    content = _read(annotations)
    names_of = {category.id: category.keypoints for category in content.categories}
    people = _people(annotations, content, names_of)
    chosen = study_keypoints(annotations, dict.fromkeys(sum(names_of.values(), [])), skeleton, keypoints)
    place_of = {name: skeleton.keypoints.index(keypoint) for name, keypoint in chosen.items()}
    places_of = {category: [place_of.get(name, -1) for name in names] for category, names in names_of.items()}
    poses = np.zeros((len(people), len(skeleton.keypoints) + 1, 3))  # the last place takes what is not to be read
    for pose, person in zip(poses, people, strict=True):
        pose[places_of[person.category_id]] = np.array(person.keypoints, float).reshape(-1, 3)
    poses = poses[:, :-1]
    has_pose = (poses[..., 2] > 0).any(axis=1)
    _some(annotations, has_pose.any(), f"none of the keypoints that are read is labelled ({', '.join(chosen)})")
    people, points, v = list(compress(people, has_pose)), poses[has_pose, :, :2], poses[has_pose, :, 2]
    labelled = (v > 0) & (points != 0).any(axis=-1)
    _some(annotations, labelled.any(), "all labelled joints are at (0, 0), where COCO puts those that are not labelled")
    table = _images(annotations, images, content.images, people, np.where(labelled[..., None], points, np.nan))
    dataset = assemble(annotations, annotations.parent.name, skeleton, table, points, v > 0, visible=v > 1)
    return dataset.named_by(chosen)


def labelled_keypoints(annotations: Path) -> dict[str, int]:
    """The keypoints that the categories name, and of how many people each is labelled, (0, 0) not counted.

    StudyError if the file is not as the format says or has nobody.
    """
    content = _read(annotations)
    names_of = {category.id: category.keypoints for category in content.categories}
    labelled = Counter(
        name
        for person in _people(annotations, content, names_of)
        for place, name in enumerate(names_of[person.category_id])
        if person.keypoints[3 * place + 2] and any(person.keypoints[3 * place : 3 * place + 2])
    )
    return {name: labelled[name] for names in names_of.values() for name in names}


def folder_of_pictures(annotations: Path) -> Path:
    """The folder that the file names of the pictures are relative to, of those near the file where one expects it.

    StudyError if the file cannot be read, or none of them holds one of the first pictures.
    """
    names = [picture.file_name for picture in _read(annotations).images]
    _some(annotations, names, "there is nothing in 'images'")
    near = annotations.parent
    folders = [
        folder for above in (near, near.parent) for folder in (above / "images", above / annotations.stem, above)
    ]
    for folder in folders:
        if any(os.path.isfile(_picture_file(folder, name)) for name in names[:_LOOKED_FOR]):
            return folder
    raise StudyError(
        f"{annotations}: its first picture, {names[0]}, is not found near it: put the pictures into {folders[0]}"
    )


def _read(path: Path) -> _File:
    expected = "a COCO keypoint file, an object with 'images', 'annotations' and 'categories', lists of objects"
    try:
        return _File.model_validate(json.loads(path.read_bytes(), object_pairs_hook=lambda pairs: _object(path, pairs)))
    except OSError as error:
        raise StudyError(f"{path}: cannot be read ({error.strerror}): expected {expected}") from error
    except ValidationError as error:
        problem = error.errors(include_url=False)[0]
        # After part, position and key come the position in a list and pydantic's own names of members of unions.
        keys = [key for depth, key in enumerate(problem["loc"]) if depth < 3 or isinstance(key, int)]
        place = "".join(f"[{key}]" if isinstance(key, int) else f".{key}" for key in keys).removeprefix(".")
        found = "missing" if problem["type"] == "missing" else shown(problem["input"])
        expected = _EXPECTED[str(keys[0 if keys[3:] else 2])] if keys[2:] else expected
        raise StudyError(f"{path}: {place or 'it'} is {found}: expected {expected}") from None
    except json.JSONDecodeError as error:
        fault = f"not JSON at line {error.lineno}, column {error.colno}" if error.doc.strip() else "the file is empty"
        raise StudyError(f"{path}: {fault}: expected {expected}") from None
    except (ValueError, RecursionError) as error:
        fault = "not text in UTF-8" if isinstance(error, UnicodeError) else "nested too deeply, or a number is too long"
        raise StudyError(f"{path}: {fault}: expected {expected}") from None


def _object(origin: Path, pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    """A JSON object, in which null counts as not there; a second value of a key would hide the first."""
    found = dict(pairs)
    if len(found) < len(pairs):
        _once(origin, "values in one object have the key", [key for key, _ in pairs])
    return {key: value for key, value in pairs if value is not None} if None in found.values() else found


def _people(origin: Path, content: _File, names_of: dict[int | str, list[str]]) -> list[_Annotation]:
    """The annotations that have labelled keypoints and are no crowds, checked against the other lists."""
    for part, entries in content:
        _some(origin, entries, f"there is nothing in '{part}'")
        _once(origin, f"entries of '{part}' have the id", [entry.id for entry in entries])
    for category, names in names_of.items():
        _once(f"{origin}: category {category}", "keypoints have the name", names)
    _some(origin, any(names_of.values()), "no category has 'keypoints', the names of its joints")
    people = [person for person in content.annotations if person.keypoints]
    _some(origin, people, "no annotation has 'keypoints'")
    people = [person for person in people if not person.iscrowd]
    _some(origin, people, "all annotations with 'keypoints' are crowds ('iscrowd')")
    known = {"image_id": {picture.id for picture in content.images}, "category_id": names_of}
    for person in people:
        where, expected = f"{origin}: annotation {person.id}", 3 * len(names_of.get(person.category_id, ()))
        for key, ids in known.items():
            if (value := getattr(person, key)) not in ids:
                raise StudyError(f"{where} has the {key} {value!r}, which is not listed: add its entry or correct it")
        if any(person.keypoints) and len(person.keypoints) != expected:
            raise StudyError(
                f"{where} has {len(person.keypoints)} numbers under 'keypoints': expected {expected}, "
                "x, y and v of each keypoint of its category"
            )
        if strange := [shown(v) for v in person.keypoints[2::3] if v not in (0, 1, 2)]:
            raise StudyError(f"{where} has a v of {strange[0]}: expected 0 (not labelled), 1 (hidden) or 2 (visible)")
    people = [person for person in people if any(person.keypoints[2::3])]
    _some(origin, people, "no joint is labelled: v, the third number of each, is 0 throughout")
    return people


def _images(
    origin: Path, folder: Path, listed: list[_Picture], people: list[_Annotation], points: np.ndarray
) -> pd.DataFrame:
    """The images table of the people, whose points are NaN where they are not labelled."""
    picture_of = {picture.id: picture for picture in listed}
    pictures = {person.image_id: picture_of[person.image_id] for person in people}
    table = pd.DataFrame(
        {
            "path": [_picture_file(folder, picture.file_name) for picture in pictures.values()],
            **{side: [getattr(picture, side) for picture in pictures.values()] for side in SIZE},
            "split": "all",
        },
        pd.Index(pictures, dtype=object),
    )
    _once(origin, "pictures have the file", table["path"])
    table["group"] = table["path"].map(lambda file: os.path.relpath(file, folder))
    names = table["group"].map(lambda name: os.path.splitext(name)[0])
    stems = names.map(os.path.basename)
    table["image_id"] = stems.mask(stems.duplicated(keep=False), names)
    table = with_sizes(origin, table.loc[[person.image_id for person in people]].reset_index(drop=True), points)
    _check_pixels(origin, people, points, table[SIZE].to_numpy())
    ids = table["image_id"] + [f"-{person.id}" for person in people]
    image_ids = table["image_id"].where(~table["path"].duplicated(keep=False), ids).str.replace("/", "-").map(short_id)
    boxes = np.array([person.bbox or [np.nan] * 4 for person in people])
    _check_no_corners(origin, boxes, table[SIZE].to_numpy())
    boxes -= (0.5, 0.5, 0, 0)
    return table.assign(image_id=image_ids, **dict(zip(BOX, boxes.T, strict=True)))


def _picture_file(folder: Path, name: str) -> str:
    """The picture of that name, as it is, with slashes or decoded; of an absolute one the longest end there is."""
    slashed = name.replace("\\", "/")
    spellings = [PurePosixPath(spelling).parts for spelling in dict.fromkeys((name, slashed, unquote(slashed)))]
    for start in range(len(spellings[-1]) if PureWindowsPath(name).anchor else 1):
        for parts in spellings:
            if os.path.isfile(file := either_spelling(folder, os.path.join("", *parts[start:]))):
                return file
    return str(folder / slashed)


def _check_pixels(origin: Path, people: list[_Annotation], points: np.ndarray, sizes: np.ndarray) -> None:
    """Raise StudyError if (people, keypoints, 2) points are shares or percent of the pictures' (people, 2) sizes."""
    refuse_shares(origin, [f"annotation {person.id}" for person in people], points)
    reach = np.nan_to_num(np.abs(points)).max(axis=(1, 2))
    # How likely it is that the farthest joints of all are within 100 pixels, if they can be anywhere in a picture.
    if reach.max() <= 100 and np.minimum(100 / np.maximum(sizes, 1), 1).prod() < 0.05:
        largest = " x ".join(map(str, sizes.max(axis=0)))
        raise StudyError(f"{origin}: no joint is beyond 100 in pictures of up to {largest} pixels: {IN_PIXELS} of 100")


def _check_no_corners(origin: Path, boxes: np.ndarray, sizes: np.ndarray) -> None:
    """Raise StudyError if (people, 4) boxes are in their pictures as left, top, right, bottom, and not otherwise."""
    low, high = boxes[:, :2], boxes[:, 2:]
    beyond = (low + high > sizes + 2).any(axis=1)[known := np.isfinite(boxes).all(axis=1) & (sizes[:, 0] > 0)]
    # Such corners are beyond the middle of the picture for most people.
    if beyond.sum() > known.sum() / 4 and ((low < high) & (high <= sizes))[known].all(axis=1).mean() >= 1 - FEW:
        raise StudyError(
            f"{origin}: the boxes of {beyond.sum()} people reach beyond their pictures, as left, top, right and bottom "
            "none would: expected x, y, width and height"
        )


def _some(origin: Path, found: object, lacking: str) -> None:
    if not found:
        raise StudyError(f"{origin}: the data set is empty: {lacking}")


def _once(origin: object, what: str, values: Iterable[Any]) -> None:
    for value, times in Counter(values).most_common(1):
        if times > 1:
            raise StudyError(f"{origin}: {times} {what} {shown(value)}: each needs its own")
