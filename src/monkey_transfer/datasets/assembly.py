"""From labelled points to a Dataset: what is done to every real data set alike, whatever its format."""

import hashlib
import os
from collections.abc import Callable, Sequence
from itertools import repeat
from unicodedata import normalize

import numpy as np
import pandas as pd
from numpy.typing import ArrayLike

from monkey_transfer.datasets.base import Dataset
from monkey_transfer.errors import StudyError
from monkey_transfer.images import opened, orientation, upright_size
from monkey_transfer.skeletons import Skeleton
from monkey_transfer.tables import BOX, SIZE

# The outermost joints lie inside the body: a box of the joints is enlarged by this share of its longer side.
BOX_MARGIN = 0.1
# Fewer joints than this say nothing about where and how large somebody is.
MIN_LABELLED = 2
# Large releases lack a few pictures and hold a few slips; where more than this share is wrong, all of it is suspect.
FEW = 0.01
# What to do about pictures that are missing, or a file of a release.
_RESTORE = "restore them or take them out of the labels"
GET_IT = "make data PROFILE=<yours> fetches what can be fetched and says where to get the rest"
# Reference lengths that only some formats state, in columns of their own beside each person's box.
STATED_LENGTHS = ["head_size", "mpii_200scale"]
# In pixels along the longer side: a shorter box shows nobody.
SMALLEST_BOX = 1
# A yardstick is from this share of the box's longer side to so many longer sides of the picture. (Of 8,000 people of
# LSPET the shortest head segment is 0.007 of the box; of 2,958 of MPII 200 x scale is at most 5 boxes.)
_SHORTEST, _LONGEST = 0.001, 10
# Bytes of an id. A file named after it has an ending, and more while it is written; no name may be above 255.
_ID_BYTES = 200


def short_id(name: str) -> str:
    """The name as an id: its end is a digest where it would be too long for a file."""
    if len(content := name.encode()) > _ID_BYTES:
        content = content[: _ID_BYTES - 17] + b"-" + hashlib.sha256(content).hexdigest()[:16].encode()
    return content.decode(errors="ignore")


def either_spelling(folder: str | os.PathLike, name: str) -> str:
    """The file of that name, also where one of them has accents as letters of their own, as macOS has them (NFD)."""
    files = [os.path.join(folder, spelt) for spelt in (name, *(normalize(form, name) for form in ("NFC", "NFD")))]
    return next(filter(os.path.isfile, files), files[0])


def with_sizes(origin: object, images: pd.DataFrame, points: np.ndarray, remedy: str = _RESTORE) -> pd.DataFrame:
    """The same table with the width and height in pixels that the pictures' files have; 0 for a missing file.

    They are read from the files' headers, and checked to be those of the pictures that the labels are for: against
    the size that the labels state, if they do, and by most of a picture's joints lying inside it.

    StudyError if more than one picture in a hundred is missing or has most of its joints outside, or if one has another
    size than the labels say, has an orientation tag that by its size they may follow or not, or is no picture.

    Parameters
    ----------
    origin : the file that was read, for messages.
    images : one row per person: path and, for a format that states them, width and height, NaN where it does not. A
        picture is taken as it is stored, unless it has that size only when turned (:mod:`monkey_transfer.images`).
    points : (people, keypoints, 2) x and y in pixels of the picture, NaN where not labelled.
    remedy : what to do about missing pictures.
    """
    files = images.drop_duplicates("path").set_index("path")
    missing = [not os.path.isfile(file) for file in files.index]
    _refuse_many(
        origin, missing, lambda n, i: f"{n} labelled pictures are missing, the first is {files.index[i]}: {remedy}"
    )
    said = files[SIZE].itertuples(index=False) if {*SIZE} <= {*files} else repeat(None)
    size_of = {
        file: (0, 0) if gone else _size(origin, file, own)
        for file, gone, own in zip(files.index, missing, said, strict=False)
    }
    sizes = np.array([size_of[path] for path in images["path"]], int).reshape(-1, 2)
    labelled = np.isfinite(points).all(axis=-1) & (sizes[:, :1] > 0)
    outside = labelled & ~_inside(points, sizes)
    joints = pd.DataFrame({"labelled": labelled.sum(axis=1), "outside": outside.sum(axis=1)})
    of_files = joints.groupby(images["path"].to_numpy(), sort=False).sum()
    _refuse_many(
        origin,
        of_files["outside"] > of_files["labelled"] / 2,
        lambda n, i: (
            f"most joints of {n} pictures lie outside them, the first is {files.index[i]} with "
            f"{' x '.join(map(str, size_of[files.index[i]]))} pixels: restore the pictures that were labelled, or "
            "correct the joints"
        ),
    )
    return images.assign(width=sizes[:, 0], height=sizes[:, 1])


def _refuse_many(origin: object, wrong: ArrayLike, sentence: Callable[[str, int], str]) -> None:
    """Raise StudyError if more than one in a hundred is wrong; the sentence is made of how many and of the first."""
    wrong = np.asarray(wrong)
    if wrong.sum() > FEW * len(wrong):
        raise StudyError(f"{origin}: {sentence(f'{wrong.sum()} of {len(wrong)}', int(wrong.argmax()))}")


def _size(origin: object, path: str, said: Sequence[float] | None) -> tuple[int, int]:
    """The (width, height) of a picture as it is stored, or turned upright if only then it is as its labels say."""
    with opened(path) as picture:
        stored = picture.size
        if said is None:
            return stored
        upright, tag = upright_size(picture), orientation(picture)
    if tag != 1 and (stored == upright or any(map(pd.isna, said))):
        raise StudyError(
            f"{path}: its EXIF orientation is {tag}, and {origin} does not tell by its size whether it was labelled "
            "turned or as it is stored: save it as it was labelled, without that tag"
        )
    expected = tuple(int(side if pd.isna(own) else own) for own, side in zip(said, stored, strict=True))
    if expected not in (stored, upright):
        raise StudyError(
            f"{path}: the picture is {stored[0]} x {stored[1]} pixels, but {origin} says "
            f"{expected[0]} x {expected[1]}: find the version of the picture that was labelled"
        )
    return stored if expected == stored else upright


def _inside(points: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """(people, keypoints) bool: joints within pictures of (people, 2) sizes, edges included; False where NaN."""
    return ((points >= -0.5) & (points <= sizes[:, None] - 0.5)).all(axis=-1)


def boxes_fit(
    origin: object, image_ids: pd.Series, boxes: np.ndarray, points: np.ndarray, sizes: np.ndarray, what: str = "box"
) -> np.ndarray:
    """(people,) bool: whether (people, 4) boxes, x, y, width and height in pixels, can be those of the people.

    Such a box is at least a pixel long and shows part of its picture, beyond whose edges it reaches by no more than
    the picture's longer side: usual boxes reach some way beyond. At least half of the person's labelled joints lie in
    it, to a pixel. If it is not so for more than one in a hundred, StudyError names the first and ``what`` it is of.

    ``points`` are (people, keypoints, 2) x and y, NaN where not labelled; ``sizes`` (people, 2) those of the pictures.
    """
    low, extent, edge = boxes[:, :2], boxes[:, 2:], sizes - 0.5
    high, longer, reach = low + extent, extent.max(axis=1), sizes.max(axis=1, keepdims=True)
    within = ((points >= low[:, None] - 1) & (points <= high[:, None] + 1)).all(axis=-1)
    fit = (
        ((extent > 0) & (low < edge) & (high > -0.5)).all(axis=1)
        & ((low >= -0.5 - reach) & (high <= edge + reach)).all(axis=1)
        & (longer >= SMALLEST_BOX)
        & (2 * within.sum(axis=1) >= np.isfinite(points).all(axis=-1).sum(axis=1))
    )

    def sentence(number: str, first: int) -> str:
        numbers = (*boxes[first], *sizes[first], *joint_extents(points)[first])
        return (
            f"the {what} of {number} people cannot be theirs, the first is that of {image_ids.iloc[first]}: "
            "x {:g}, y {:g}, width {:g}, height {:g} in a picture of {:g} x {:g} pixels, with joints from "
            "({:g}, {:g}) to ({:g}, {:g}): correct it or take it out of the labels".format(*numbers)
        )

    _refuse_many(origin, ~fit, sentence)
    return fit


def assemble(
    origin: object,
    name: str,
    skeleton: Skeleton,
    images: pd.DataFrame,
    points: np.ndarray,
    labelled: np.ndarray,
    visible: np.ndarray,
) -> Dataset:
    """Build the checked tables of a data set from its labelled points.

    Joints outside their picture or at (0, 0) become unlabelled; people whose picture is missing (size 0), who have
    fewer than two labelled joints or all in one place, or whose box cannot be theirs (:func:`boxes_fit`) are left
    out. ``left_out`` lists all of them. Where a person has no box, or one without extent, it is the box of the labelled
    joints, enlarged on every side by a tenth of its longer side.

    Reference lengths, in pixels: those that the format states; ``bbox_length``, the longer side of the box;
    ``head_segment``, head top to upper neck (4/3 of MPII's official head size for most people, hence looser);
    ``torso``, a diagonal of the trunk as in Sapp and Taskar, CVPR 2013: right shoulder to left hip, or left shoulder to
    right hip where the first two are not both labelled. A picture has a row only for lengths that are known, not zero,
    and from a thousandth of the box's longer side to ten longer sides of the picture.

    StudyError if a labelled joint has no finite position, two people have one id, nobody is left, or more than one
    person in a hundred has a box or a length that cannot be his.

    Parameters
    ----------
    origin : the file that was read, for messages.
    images : one row per person: image_id, path, width, height, group, split and, where the format has them, bbox_x,
        bbox_y, bbox_w, bbox_h (all NaN for a person without a box) and the lengths of :data:`STATED_LENGTHS`.
    points : (people, keypoints, 2) x and y, 0-based pixel centres; ignored where not labelled.
    labelled, visible : (people, keypoints) bool.
    """
    ids = images["image_id"].reset_index(drop=True)
    for image_id, own in images[ids.duplicated(keep=False).to_numpy()].groupby("image_id", sort=False):
        raise StudyError(
            f"{origin}: {len(own)} labels are all {image_id}, of the picture {' and '.join(own['path'].unique())}: "
            "keep one of them, or give their pictures different names"
        )
    for person, joint in np.argwhere(labelled & ~np.isfinite(points).all(axis=-1)):
        raise StudyError(
            f"{origin}: joint {skeleton.keypoints[joint]} of picture {ids[person]} is marked as labelled but has no "
            "finite position: correct it or mark it as unlabelled"
        )
    sizes = images[SIZE].to_numpy()
    wrong = {
        "the joint is at (0, 0), where tools put those that are not labelled": labelled & (points == 0).all(axis=-1),
        "the joint lies outside its picture": labelled & ~_inside(points, sizes),
    }
    lost = np.select(list(wrong.values()), list(wrong), "")
    labelled = labelled & (lost == "")
    points = np.where(labelled[..., None], points, np.nan)
    boxes = images.reindex(columns=BOX).to_numpy(float)
    without = np.isnan(boxes).all(axis=1) | (boxes[:, 2:] == 0).any(axis=1)
    boxes[without] = _joint_boxes(points[without])

    unusable = {
        "the picture is missing": sizes[:, 0] == 0,
        f"fewer than {MIN_LABELLED} labelled joints": labelled.sum(axis=1) < MIN_LABELLED,
        "the labelled joints lie in one place": without & (boxes[:, 2:].max(axis=1) < SMALLEST_BOX),
    }
    reasons = np.select(list(unusable.values()), list(unusable), "").astype(object)
    usable = reasons == ""
    fit = boxes_fit(origin, ids[usable], boxes[usable], points[usable], sizes[usable])
    reasons[usable] = np.where(fit, "", "the box cannot be theirs")
    kept = reasons == ""
    if len(kept) and not kept.any():
        why = f"all {len(kept)} people are left out, {ids[0]} for {reasons[0]}"
        raise StudyError(f"{origin}: the data set is empty: {why}")
    images = images[kept].assign(**dict(zip(BOX, boxes[kept].T, strict=True)))
    rows = pd.MultiIndex.from_product([images["image_id"], skeleton.keypoints], names=["image_id", "keypoint"])
    labels = rows.to_frame(index=False).assign(
        x=points[kept, :, 0].ravel(),
        y=points[kept, :, 1].ravel(),
        labelled=labelled[kept].ravel(),
        visible=(labelled & visible)[kept].ravel(),
    )
    people, joints = np.nonzero((lost != "") & kept[:, None])
    dataset = Dataset.checked(
        origin,
        name=name,
        skeleton=skeleton,
        images=images,
        labels=labels,
        reference_lengths=_reference_lengths(origin, images, skeleton, points[kept]),
    )
    return dataset.leaving_out(ids[~kept], reasons[~kept]).leaving_out(
        ids[people], lost[people, joints], np.array(skeleton.keypoints)[joints]
    )


def joint_extents(points: np.ndarray) -> np.ndarray:
    """(people, 4) lowest x and y, highest x and y of the labelled joints (people, keypoints, 2); NaN without any."""
    return np.hstack([np.fmin.reduce(points, axis=1), np.fmax.reduce(points, axis=1)])


def _joint_boxes(points: np.ndarray) -> np.ndarray:
    """(people, 4) x, y, width, height of the boxes of the labelled joints, margins included."""
    low, high = np.hsplit(joint_extents(points), 2)
    margin = BOX_MARGIN * (high - low).max(axis=1, keepdims=True)
    return np.hstack([low - margin, high - low + 2 * margin])


def _reference_lengths(origin: object, images: pd.DataFrame, skeleton: Skeleton, points: np.ndarray) -> pd.DataFrame:
    def between(a: str, b: str) -> np.ndarray:
        if not {a, b} <= skeleton.keypoint_of.keys():
            return np.full(len(points), np.nan)
        ends = [points[:, skeleton.keypoints.index(skeleton.keypoint_of[landmark])] for landmark in (a, b)]
        return np.linalg.norm(ends[0] - ends[1], axis=-1)

    torso = between("right_shoulder", "left_hip")
    box, side = images[["bbox_w", "bbox_h"]].max(axis=1), images[SIZE].max(axis=1)
    lengths = images[images.columns.intersection(STATED_LENGTHS)].assign(
        bbox_length=box,
        head_segment=between("head_top", "upper_neck"),
        torso=np.where(np.isnan(torso), between("left_shoulder", "right_hip"), torso),
    )
    lengths = lengths.where(lengths != 0)
    wrong = lengths.lt(_SHORTEST * box, axis=0) | lengths.gt(_LONGEST * side, axis=0)

    def sentence(number: str, first: int) -> str:
        name = wrong.columns[int(wrong.iloc[first].argmax())]
        return (
            f"a length of {number} people cannot be theirs, the first is that of {images['image_id'].iloc[first]}: "
            f"{name} is {lengths[name].iloc[first]:g} pixels, the box {box.iloc[first]:g} and the picture "
            f"{side.iloc[first]}: correct the labels that it is made of"
        )

    _refuse_many(origin, wrong.any(axis=1), sentence)
    lengths = lengths.mask(wrong).assign(image_id=images["image_id"])
    return lengths.melt(id_vars="image_id", var_name="name", value_name="length").dropna()
