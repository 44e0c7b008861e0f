"""From labelled points to a Dataset: what is done to every real data set alike, whatever its format."""

import os
from collections.abc import Sequence
from pathlib import Path

import numpy as np
import pandas as pd

from monkey_transfer.datasets.base import Dataset
from monkey_transfer.errors import StudyError
from monkey_transfer.images import orientation, picture_size, upright_size
from monkey_transfer.skeletons import Skeleton

BOX = ["bbox_x", "bbox_y", "bbox_w", "bbox_h"]
# The outermost joints lie inside the body: a box of the joints is enlarged by this share of its longer side.
BOX_MARGIN = 0.1
# Fewer joints than this say nothing about where and how large somebody is.
MIN_LABELLED = 2
# Large releases lack a few pictures; more than this share missing means that the folder is the wrong one.
MISSING_SHARE = 0.01
# What to do about a file of a release that is missing.
GET_IT = "make data PROFILE=<yours> fetches what can be fetched and says where to get the rest"

# What labels say of a picture's width and height; None is not said.
Said = tuple[int | None, int | None]


def picture_sizes(
    origin: object,
    paths: Sequence[Path],
    points: np.ndarray,
    said: Sequence[Said] | None = None,
    remedy: str = "restore them or take them out of the labels",
) -> np.ndarray:
    """(people, 2) widths and heights in pixels of the pictures that were labelled; (0, 0) for a missing file.

    They are read from the files' headers, and checked to be those of the pictures that the labels are for: against
    the size that the labels state, if they do, and by most of a picture's joints lying inside it.

    Parameters
    ----------
    origin : the file that was read, for messages.
    paths : the picture of every person.
    points : (people, keypoints, 2) x and y in pixels of the picture, NaN where not labelled.
    said : what the labels say of every person's picture; None for a format that states no size. A picture is taken
        as it is stored, unless it has the stated size only when turned upright (:mod:`monkey_transfer.images`).
    remedy : what to do about missing pictures.

    Raises
    ------
    StudyError
        Naming ``origin``, the first such picture and how many there are: if more than one in a hundred is missing
        or has most of its joints outside. If a picture has another size than the labels say, has an orientation
        tag and its size does not tell whether the labels follow it, or is not a picture.
    """
    missing = [path for path in dict.fromkeys(paths) if not os.path.isfile(path)]
    if len(missing) > MISSING_SHARE * len(set(paths)):
        raise StudyError(
            f"{origin}: {len(missing)} of {len(set(paths))} labelled pictures are missing, the first is {missing[0]}: "
            f"{remedy}"
        )
    size_of = dict.fromkeys(missing, (0, 0))
    for position, path in enumerate(paths):
        if path not in size_of:
            size_of[path] = picture_size(path) if said is None else _size_said(origin, path, said[position])
    sizes = np.array([size_of[path] for path in paths], int).reshape(-1, 2)
    _check_joints(origin, paths, points, sizes)
    return sizes


def _size_said(origin: object, path: Path, said: Said) -> tuple[int, int]:
    """The (width, height) that the picture has as it is stored or turned upright, as said by its labels."""
    stored, tag = picture_size(path), orientation(path)
    upright = upright_size(stored, tag)
    if tag != 1 and (stored == upright or None in said):
        raise StudyError(
            f"{path}: its EXIF orientation is {tag}, and {origin} does not tell by its size whether it was labelled "
            "turned or as it is stored: save it as it was labelled, without that tag"
        )
    for size in (stored, upright):
        if all(own in (None, side) for own, side in zip(said, size, strict=True)):
            return size
    raise StudyError(
        f"{path}: the picture is {stored[0]} x {stored[1]} pixels, but {origin} says "
        f"{said[0] or stored[0]} x {said[1] or stored[1]}: find the version of the picture that was labelled"
    )


def _check_joints(origin: object, paths: Sequence[Path], points: np.ndarray, sizes: np.ndarray) -> None:
    """Raise StudyError if most joints of more than one picture in a hundred lie outside: it was another version."""
    labelled = np.isfinite(points).all(axis=-1) & (sizes[:, :1] > 0)
    outside = labelled & ~_inside(points, sizes)
    counts = pd.DataFrame({"path": paths, "labelled": labelled.sum(axis=1), "outside": outside.sum(axis=1)})
    counts = counts.groupby("path", sort=False).sum()
    wrong = counts.index[counts["outside"] > counts["labelled"] / 2]
    if len(wrong) > MISSING_SHARE * len(counts):
        width, height = sizes[list(paths).index(wrong[0])]
        raise StudyError(
            f"{origin}: most joints of {len(wrong)} of {len(counts)} pictures lie outside them, the first is "
            f"{wrong[0]} with {width} x {height} pixels: restore the pictures that were labelled, or correct the joints"
        )


def _inside(points: np.ndarray, sizes: np.ndarray) -> np.ndarray:
    """(people, keypoints) bool: joints within pictures of (people, 2) sizes, edges included; False where NaN."""
    return ((points >= -0.5) & (points <= sizes[:, None] - 0.5)).all(axis=-1)


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

    Joints outside their picture become unlabelled; people whose picture is missing (size 0) or who have fewer
    than two labelled joints are left out. ``left_out`` lists both. Where a format has no box of the person, it
    is the box of the labelled joints, enlarged on every side by a tenth of its longer side.

    Reference lengths, in pixels: ``bbox_length``, the longer side of the box; ``head_segment``, head top to
    upper neck (4/3 of MPII's official head size for most people, hence looser); ``torso``, a diagonal of the
    trunk as in Sapp and Taskar, CVPR 2013: right shoulder to left hip, or left shoulder to right hip where
    the first two are not both labelled. A picture has a row only for lengths that are known and above zero.

    Parameters
    ----------
    origin : the file that was read, for messages.
    name, skeleton : of the data set.
    images : one row per person: image_id, path, width, height, group, split and, where the format has
        them, bbox_x, bbox_y, bbox_w, bbox_h (NaN for a person without a box).
    points : (people, keypoints, 2) x and y, 0-based pixel centres; ignored where not labelled.
    labelled, visible : (people, keypoints) bool.

    Raises
    ------
    StudyError
        If a labelled joint has no finite position, two people have one id, or nobody is left.
    """
    _check_ids(origin, images)
    finite = np.isfinite(points).all(axis=-1)
    if (labelled & ~finite).any():
        person, joint = np.argwhere(labelled & ~finite)[0]
        raise StudyError(
            f"{origin}: joint {skeleton.keypoints[joint]} of picture {images['image_id'].iloc[person]} is marked as "
            "labelled but has no finite position: correct it or mark it as unlabelled"
        )
    inside = _inside(points, images[["width", "height"]].to_numpy())
    there = images["width"].to_numpy() > 0
    kept = there & ((labelled & inside).sum(axis=1) >= MIN_LABELLED)
    left_out = _left_out(images["image_id"], skeleton, there, kept, kept[:, None] & labelled & ~inside)
    if len(kept) and not kept.any():
        first, _, reason = left_out.iloc[0]
        raise StudyError(f"{origin}: the data set is empty: all {len(kept)} people are left out, {first} for {reason}")

    images, labelled = images[kept], (labelled & inside)[kept]
    points = np.where(labelled[..., None], points[kept], np.nan)
    images = images.reindex(columns=[*images.columns.difference(BOX), *BOX])
    images[BOX] = images[BOX].fillna(_joint_boxes(points, index=images.index))
    return Dataset.checked(
        origin,
        name=name,
        skeleton=skeleton,
        images=images,
        labels=_labels(images, skeleton, points, labelled, visible[kept]),
        reference_lengths=_reference_lengths(images, skeleton, points),
        left_out=left_out,
    )


def _check_ids(origin: object, images: pd.DataFrame) -> None:
    """Raise StudyError if one person is labelled twice, or two have names of which the same id is made."""
    twice = images[images["image_id"].duplicated(keep=False)]
    if len(twice):
        image_id = twice["image_id"].iloc[0]
        pictures = twice.loc[twice["image_id"] == image_id, "path"]
        raise StudyError(
            f"{origin}: {len(pictures)} labels are all {image_id}, of the picture {' and '.join(pictures.unique())}: "
            "keep one of them, or give their pictures different names"
        )


def _left_out(
    image_ids: pd.Series, skeleton: Skeleton, there: np.ndarray, kept: np.ndarray, outside: np.ndarray
) -> pd.DataFrame:
    """The left_out table of the people who are not ``kept`` and of the joints that lie ``outside``."""
    people, joints = np.nonzero(outside)
    reasons = np.where(there, f"fewer than {MIN_LABELLED} labelled joints", "the picture is missing")
    whole = pd.DataFrame({"image_id": image_ids[~kept], "keypoint": "", "reason": reasons[~kept]})
    single = pd.DataFrame(
        {
            "image_id": image_ids.to_numpy()[people],
            "keypoint": np.array(skeleton.keypoints, object)[joints],
            "reason": "the joint lies outside its picture",
        }
    )
    return pd.concat([whole, single], ignore_index=True)


def _joint_boxes(points: np.ndarray, index: pd.Index) -> pd.DataFrame:
    if not len(points):
        return pd.DataFrame(columns=BOX, index=index, dtype=float)
    low, high = np.nanmin(points, axis=1), np.nanmax(points, axis=1)
    margin = BOX_MARGIN * (high - low).max(axis=1, keepdims=True)
    return pd.DataFrame(np.hstack([low - margin, high - low + 2 * margin]), columns=BOX, index=index)


def _labels(
    images: pd.DataFrame, skeleton: Skeleton, points: np.ndarray, labelled: np.ndarray, visible: np.ndarray
) -> pd.DataFrame:
    return pd.DataFrame(
        {
            "image_id": np.repeat(images["image_id"].to_numpy(), len(skeleton.keypoints)),
            "keypoint": np.tile(np.array(skeleton.keypoints, object), len(images)),
            "x": points[..., 0].ravel(),
            "y": points[..., 1].ravel(),
            "labelled": labelled.ravel(),
            "visible": (labelled & visible).ravel(),
        }
    )


def _reference_lengths(images: pd.DataFrame, skeleton: Skeleton, points: np.ndarray) -> pd.DataFrame:
    def between(a: str, b: str) -> np.ndarray:
        if not {a, b} <= skeleton.keypoint_of.keys():
            return np.full(len(points), np.nan)
        ends = [points[:, skeleton.keypoints.index(skeleton.keypoint_of[landmark])] for landmark in (a, b)]
        return np.linalg.norm(ends[0] - ends[1], axis=-1)

    torso = between("right_shoulder", "left_hip")
    lengths = pd.DataFrame(
        {
            "image_id": images["image_id"].to_numpy(),
            "bbox_length": images[["bbox_w", "bbox_h"]].max(axis=1).to_numpy(float),
            "head_segment": between("head_top", "upper_neck"),
            "torso": np.where(np.isnan(torso), between("left_shoulder", "right_hip"), torso),
        }
    ).melt(id_vars="image_id", var_name="name", value_name="length")
    return lengths[lengths["length"] > 0]
