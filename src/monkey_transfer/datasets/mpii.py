"""MPII Human Pose: `mpii_human_pose_v1_u12_1.mat` and `images/`.

M. Andriluka, L. Pishchulin, P. Gehler and B. Schiele, CVPR 2014. The layout is that of the README of the
release: a struct `RELEASE` with one entry per picture in `annolist`, `img_train` and `single_person`.
People are numbered from 1 within their picture (`ridx`), joints from 0 as in the skeleton ``mpii_16``. Worth
knowing:

- Only pictures with `img_train` = 1 have public labels; others have no `annopoints` at all.
- `single_person` lists people far enough from all others, several in one picture where they are.
- A value that is not known is an empty matrix, or its field is absent from the struct.
- `is_visible` is a number, a character or not known. A joint that is listed is labelled, also with 0, hidden;
  the two of the head (8 and 9) were made from the head box and have no visibility: they count as visible.
- Three pictures are listed that the archive does not hold; public readers skip them by name.

Coordinates are counted from 1 as in MATLAB, in which the labels were made and are evaluated; 1 is taken off.
A head top above the upper edge of its picture lies outside and is unlabelled, as in every data set here (46 of
the 2,932 head tops of the validation people of Tompson et al., CVPR 2015; the official score counts them).
"""

from collections.abc import Iterator
from dataclasses import replace
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

import numpy as np
import pandas as pd

from monkey_transfer.datasets.assembly import GET_IT, MIN_LABELLED, assemble, with_sizes
from monkey_transfer.datasets.base import Dataset
from monkey_transfer.datasets.grouping import VIDEOS
from monkey_transfer.datasets.matfile import read_variable
from monkey_transfer.errors import StudyError
from monkey_transfer.images import stamp
from monkey_transfer.skeletons import MPII_16

_EXPECTED = "expected the annotations of MPII Human Pose, release 1.2, with a struct 'RELEASE'"
ANNOTATIONS = "mpii_human_pose_v1_u12_1.mat"

# The evaluation toolkit's head size is 0.6 of the diagonal of the head box, and the release's scale is made
# of it: head size = 20 x scale.
HEAD_SIZE_OF_DIAGONAL = 0.6
HEAD_SIZE_OF_SCALE = 20
SAME_HEAD_SIZE = 0.01

_X, _Y, _VISIBLE, _TIMES = range(4)


def read_mpii(folder: Path, people: Literal["single_person", "alone_in_picture"] = "single_person") -> Dataset:
    """Read the people with public labels that the filter leaves; each becomes one record.

    ``image_id`` is the stem of the picture's file name and the number of the person in it, `005808361-1`;
    ``group`` is the video the picture was taken from, since the same person may be in several of its pictures,
    or the picture where the release names no video; ``split`` is ``train``. The box is that of the joints.

    Reference lengths: those of every data set, ``head_size`` (official, from the head box; where `scale`
    disagrees the box counts, as in the evaluation toolkit) and ``mpii_200scale`` (200 x `scale`, the
    normalisation of the paper's section 2.1). People without `scale` are left out; those without a head box
    have no ``head_size``. A joint that is listed twice for one person counts as unlabelled.

    StudyError if the .mat file is missing, unreadable or of another layout, labels a picture twice, more than one
    picture in a hundred is missing or has most of its joints outside, more than one person has a length that cannot be
    his, or nobody is left.

    Parameters
    ----------
    folder : holds `mpii_human_pose_v1_u12_1.mat` and `images/`.
    people : a filter, as :func:`read_mpii_people` defines it.
    """
    source = Path(folder) / ANNOTATIONS
    everyone, joints = _read_release(source)
    chosen = everyone["train"] & everyone[people]
    everyone, joints = everyone[chosen].reset_index(drop=True), joints[chosen.to_numpy()]
    points = joints[..., [_X, _Y]]
    images = pd.DataFrame(
        {
            "image_id": everyone["image_id"],
            "path": [str(source.parent / "images" / picture) for picture in everyone["picture"]],
            "group": everyone["video"].where(everyone["video"] != "", everyone["picture"]),
            "split": "train",
            "head_size": everyone["head_size"],
            "mpii_200scale": 200 * everyone["scale"],
        }
    )
    images = with_sizes(source, images, points, remedy=GET_IT)
    times = joints[..., _TIMES]
    dataset = assemble(source, "MPII", MPII_16, images, points, times == 1, visible=joints[..., _VISIBLE] == 1)
    person, joint = np.nonzero(times > 1)
    twice = everyone["image_id"][person], "the joint is listed twice", np.array(MPII_16.keypoints)[joint]
    return replace(dataset.leaving_out(*twice).measured_by("mpii_200scale"), groups=VIDEOS)


def read_mpii_people(folder: Path) -> pd.DataFrame:
    """What the release says of every annotated person, also of those without public labels.

    StudyError if the .mat file is missing, unreadable or of another layout.

    Returns
    -------
    DataFrame with one row per person: ``image_id``; ``picture`` (file name) and ``person`` (number in it);
    ``train`` (`img_train`); ``single_person`` (listed as far enough from all others) and ``alone_in_picture``
    (besides the only annotated one), which are the filters; ``people_in_picture``; ``labelled_joints``;
    ``head_size`` (0.6 x diagonal of the head box) in pixels; ``scale`` (height over 200 pixels); ``video`` (of
    YouTube). A number that is not known is NaN, a name that is not known is empty.
    """
    return _read_release(Path(folder) / ANNOTATIONS)[0].copy()


def count_people(people: pd.DataFrame) -> pd.DataFrame:
    """How many of :func:`read_mpii_people` every filter leaves of those that the one before it leaves.

    Returns
    -------
    DataFrame indexed by filter: ``pictures`` and ``people``, and how many of these people lack a head box or a
    scale, or have a head box whose head size differs by more than 1 % from what their scale says.
    """
    public = people["train"]
    labelled = public & (people["labelled_joints"] >= MIN_LABELLED)
    left = {
        "annotated": people["train"].notna(),
        "img_train = 1": public,
        "with labelled joints": labelled,
        "single_person": labelled & people["single_person"],
        "alone_in_picture": labelled & people["alone_in_picture"],
    }
    by_scale = HEAD_SIZE_OF_SCALE * people["scale"]
    disagrees = (people["head_size"] - by_scale).abs() > SAME_HEAD_SIZE * by_scale
    counts = {
        name: {
            "pictures": people["picture"][kept].nunique(),
            "people": int(kept.sum()),
            "without_head_box": int(people["head_size"][kept].isna().sum()),
            "without_scale": int(people["scale"][kept].isna().sum()),
            "head_box_disagrees": int(disagrees[kept].sum()),
        }
        for name, kept in left.items()
    }
    return pd.DataFrame.from_dict(counts, orient="index").rename_axis("filter")


def _read_release(source: Path) -> tuple[pd.DataFrame, np.ndarray]:
    """The table of :func:`read_mpii_people` and, row by row, (people, 16, 4): x, y, visible, times listed."""
    return _parsed(source, stamp(source) if source.is_file() else "missing")


@lru_cache(maxsize=1)
def _parsed(source: Path, _: str) -> tuple[pd.DataFrame, np.ndarray]:
    """The same of a file at one size and time of change: it takes a quarter minute, so that the last one is kept."""
    content = read_variable(source, "RELEASE", _EXPECTED)
    rows, joints = [], []
    place = "RELEASE"
    try:
        release = content.ravel()[0]
        videos = dict(enumerate(["", *map(_text, release["video_list"].ravel())]))
        fields = [release[field].ravel() for field in ("annolist", "img_train", "single_person")]
        for number, (picture, train, listed) in enumerate(zip(*fields, strict=True), start=1):
            place = f"annolist({number})"
            video = next(iter(_numbers(picture, "vididx")), np.nan)
            facts = {
                "picture": _text(_cells(picture["image"], "name")[0]),
                "train": train == 1,
                "video": videos[np.nan_to_num(video)],
            }
            rows += [facts | person for person in _people(picture["annorect"], Path(facts["picture"]).stem, listed)]
            joints += [_joints(annopoints) for annopoints in _cells(picture["annorect"], "annopoints")]
    except (ArithmeticError, AttributeError, LookupError, TypeError, ValueError) as error:
        raise StudyError(f"{source}: {place} is not as in the release of MPII: get the file again") from error
    if not rows:
        raise StudyError(f"{source}: nobody is annotated in it: get the file again")
    people = pd.DataFrame(rows)
    # Over all entries of a picture, should it have several.
    people["people_in_picture"] = people.groupby("picture")["picture"].transform("size")
    people["alone_in_picture"] = people["single_person"] & (people["people_in_picture"] == 1)
    people["labelled_joints"] = (np.array(joints)[..., _TIMES] == 1).sum(axis=1)
    return people, np.array(joints)


def _people(annorect: np.ndarray, stem: str, listed: np.ndarray) -> Iterator[dict[str, Any]]:
    """What a picture's annotation says of each of its people."""
    numbers = range(1, annorect.size + 1)
    single = {int(number) for number in listed.ravel()}
    if not single.issubset(numbers):
        raise ValueError(f"single_person names person {max(single)} of {annorect.size}")
    left, top, right, bottom = (_numbers(annorect, side) for side in ("x1", "y1", "x2", "y2"))
    head_sizes = HEAD_SIZE_OF_DIAGONAL * np.hypot(right - left, bottom - top)
    for number, head_size, scale in zip(numbers, head_sizes, _numbers(annorect, "scale"), strict=True):
        yield {
            "image_id": f"{stem}-{number}",
            "person": number,
            "single_person": number in single,
            "head_size": head_size,
            "scale": scale,
        }


def _joints(annopoints: np.ndarray) -> np.ndarray:
    """(16, 4) x, y (0-based), visible and times listed of a person's joints."""
    joints = np.full((len(MPII_16.keypoints), 4), (np.nan, np.nan, 0, 0))
    for points in _cells(annopoints, "point"):
        ids, x, y, visible = (_numbers(points, field) for field in ("id", "x", "y", "is_visible"))
        if not set(ids) <= set(range(len(joints))):
            raise ValueError("a joint has an id other than 0 to 15")
        ids = ids.astype(int)
        # Also true where the visibility is NaN, not known.
        joints[ids, :_TIMES] = np.column_stack([x - 1, y - 1, visible != 0])
        np.add.at(joints[:, _TIMES], ids, 1)
    return joints


def _cells(struct: np.ndarray, field: str) -> list[np.ndarray]:
    """A field of every element of a struct array: empty matrices where the struct does not have it."""
    if field not in (struct.dtype.names or ()):
        return [np.empty((0, 0))] * struct.size
    return list(struct[field].ravel())


def _numbers(struct: np.ndarray, field: str) -> np.ndarray:
    """The same as numbers: NaN for an empty matrix, 1 for the character 1."""
    return np.array([float(cell.item()) if cell.size else np.nan for cell in _cells(struct, field)])


def _text(cell: np.ndarray) -> str:
    return str(cell.item()) if cell.size else ""
