"""Photographs that a data set holds twice, labelled by people who knew nothing of each other.

Which pictures these are is asked of the pictures alone. Near duplicates are laid on each other by the affine map under
which their grey levels correlate best (ECC: Evangelidis and Psarakis, IEEE TPAMI 2008). Then the two have to look alike
in every part of the box that holds both labels: whoever has moved, in a burst or a video, changes some of it however
well the place fits. What labels say has no part in the map, or they would be made to agree.
"""

from collections.abc import Iterator
from itertools import combinations
from math import sqrt

import cv2
import numpy as np
import pandas as pd
from PIL import Image

from monkey_transfer.datasets.base import Dataset
from monkey_transfer.images import read_picture
from monkey_transfer.metrics.matching import Matched, match
from monkey_transfer.metrics.written import rows_of
from monkey_transfer.study.near_duplicates import near_duplicates
from monkey_transfer.tables import BOX

# What a pair of pictures is found to be.
SAME, MOMENT, PERSON = "one photograph", "another moment", "another person"
FOUND = (SAME, MOMENT, PERSON)

# Least correlation of grey levels in every part of one photograph that is there twice. On LSPET it is at least 0.87
# where the eye sees one photograph and at most 0.03 where it sees another moment (docs/metrics.md).
_LEAST_ALIKE = 0.6
# Two boxes of one person overlap by more than this share of the area that they cover together.
_LEAST_OVERLAP = 0.5
# Pictures are compared at no more than so many pixels of the longer side, blurred so that the grain of JPEG is gone.
_LONGER_SIDE = 320
_BLUR = 1.5
_PARTS = 4  # along each side of the box
# A part with less than this share of the box's contrast, in both pictures, shows nothing.
_LEAST_CONTRAST = 0.25
_STEPS = (cv2.TERM_CRITERIA_EPS | cv2.TERM_CRITERIA_COUNT, 100, 1e-6)

_MAP = ["xx", "xy", "dx", "yx", "yy", "dy"]


def labelled_twice(dataset: Dataset) -> pd.DataFrame:
    """Pairs of pictures of a data set that are nearly the same, and whether they are one photograph and one person.

    Looked for among pictures of one group, since a study puts near duplicates in one
    (:func:`monkey_transfer.study.opening.open_study`). Returns one row for each pair: ``first, second`` (image_id);
    ``xx, xy, dx, yx, yy, dy``, the map from pixels of the second picture to those of the first, ``x = xx x' + xy y' +
    dx`` and likewise y, missing where they cannot be laid on each other; ``alike``, the least correlation of grey
    levels in any part of the box that holds both people; ``overlap``, the area that the two boxes share over the area
    that they cover, in the first picture; ``found``, one of :data:`FOUND`. StudyError if a file is not a picture.
    """
    images = dataset.images.set_index("image_id")
    rows = []
    for first, second in _candidates(dataset.images):
        one, other = (images.loc[[image_id]].iloc[0] for image_id in (first, second))
        way, alike = _registered(one, other)
        overlap = _overlap(_box(one), _moved(_box(other), way))
        found = MOMENT if not alike >= _LEAST_ALIKE else SAME if overlap >= _LEAST_OVERLAP else PERSON
        numbers = dict(zip(_MAP, way.ravel(), strict=True))
        rows.append({"first": first, "second": second, **numbers, "alike": alike, "overlap": overlap, "found": found})
    return pd.DataFrame(rows, columns=["first", "second", *_MAP, "alike", "overlap", "found"])


def second_labelling(people: Dataset, pairs: pd.DataFrame, yardstick: str) -> Matched:
    """Each labelling of a photograph measured by the other, as if a network had predicted it, both ways.

    Only joints count that both have. The person ``<a> by <b>`` is the one whom picture a shows, with the labels of b
    brought into its pixels; both ways of a pair are of one group. Distances are divided by the mean of the two
    labellings' yardsticks, each in pixels of the picture that is measured.

    Parameters
    ----------
    people : with the yardstick known of everybody in ``pairs``.
    pairs : :func:`labelled_twice`; those that are not one photograph and one person are passed over.
    """
    labels = dict(iter(people.labels[people.labels["labelled"]].groupby("image_id")))
    named = people.reference_lengths[people.reference_lengths["name"] == yardstick]
    length, images = named.set_index("image_id")["length"], people.images.set_index("image_id")
    true, guessed, lengths, of = [], [], [], []
    for label, other, way in _both_ways(pairs[pairs["found"] == SAME]):
        name = f"{label} by {other}"
        both = labels[label].merge(labels[other], on="keypoint", suffixes=("", "_other"))
        moved = _moved(both[["x_other", "y_other"]].to_numpy(), way)
        true.append(both[["keypoint", "x", "y", "labelled", "visible"]].assign(image_id=name))
        guessed.append(both[["keypoint"]].assign(image_id=name, x=moved[:, 0], y=moved[:, 1], likelihood=1.0))
        enlarged = sqrt(abs(np.linalg.det(way[:, :2])))
        lengths.append((name, yardstick, (length[label] + enlarged * length[other]) / 2))
        of.append({**images.loc[label], "image_id": name})
    return match(
        pd.concat(true),
        pd.concat(guessed),
        pd.DataFrame(lengths, columns=["image_id", "name", "length"]),
        yardstick,
        pd.DataFrame(of),
    )


def _candidates(images: pd.DataFrame) -> list[tuple[str, str]]:
    """Pairs of image_ids, in different files of one group, that are near duplicates; in the order of the alphabet."""
    several = images[images.groupby("group")["path"].transform("nunique") > 1]
    if several.empty:
        return []
    alike = near_duplicates(several["path"], several["path"])
    near = {frozenset(pair) for pair in zip(alike["first"], alike["second"], strict=True)}
    path_of = images.set_index("image_id")["path"]
    return [
        (first, second)
        for _, members in several.groupby("group")
        for first, second in combinations(sorted(members["image_id"]), 2)
        if path_of[first] != path_of[second] and frozenset((path_of[first], path_of[second])) in near
    ]


def _registered(first: pd.Series, second: pd.Series) -> tuple[np.ndarray, float]:
    """The map (2, 3) from pixels of the second picture to those of the first, and the least that a part is alike.

    Both are squashed to one shape, so that what is left to find is near the identity. NaN where nothing is found.
    """
    shrunk = min(1.0, _LONGER_SIDE / max(first["width"], first["height"]))
    shape = round(shrunk * first["width"]), round(shrunk * first["height"])
    one, other = (_grey(row, shape) for row in (first, second))
    try:
        _, found = cv2.findTransformECC(one, other, np.eye(2, 3, dtype=np.float32), cv2.MOTION_AFFINE, _STEPS, None, 1)
    except cv2.error:  # that is how it says that the two have nothing in common
        return np.full((2, 3), np.nan), float("nan")
    squashed = _resized(first, shape)
    back = np.linalg.inv(np.vstack([found, (0, 0, 1)]))  # it leads from the first picture to the second
    way = (np.linalg.inv(squashed) @ back @ _resized(second, shape))[:2]

    boxes = _moved(np.concatenate([_box(first), _moved(_box(second), way)]), squashed[:2])
    (left, top), (right, bottom) = np.floor(boxes.min(axis=0)), np.ceil(boxes.max(axis=0)) + 1
    box = np.s_[max(int(top), 0) : max(int(bottom), 0), max(int(left), 0) : max(int(right), 0)]
    flags = cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP
    shows, laid = (cv2.warpAffine(layer, found, shape, flags=flags) for layer in (np.ones_like(other), other))
    return way, _least_alike(one[box], laid[box], shows[box] > 0.999)


def _least_alike(one: np.ndarray, other: np.ndarray, shows: np.ndarray) -> float:
    """The least correlation of two grey pictures in any of their parts of which half ``shows`` and that is not flat.

    A correlation does not mind that one was made brighter. NaN where no part is left.
    """
    flat = [_LEAST_CONTRAST * picture[shows].std() for picture in (one, other)]
    found = []
    for rows in np.array_split(np.arange(one.shape[0]), _PARTS):
        for columns in np.array_split(np.arange(one.shape[1]), _PARTS):
            part = np.ix_(rows, columns)
            a, b = one[part][shows[part]], other[part][shows[part]]
            if len(a) > shows[part].size / 2 and (a.std() > flat[0] or b.std() > flat[1]):
                found.append(np.corrcoef(a, b)[0, 1] if min(a.std(), b.std()) > 0 else 0.0)
    return float(min(found, default=float("nan")))


def _grey(row: pd.Series, shape: tuple[int, int]) -> np.ndarray:
    """A picture's grey levels, (height, width) float32, squashed to that (width, height) and blurred a little."""
    picture = Image.fromarray(read_picture(row["path"], (row["width"], row["height"]))).convert("L")
    levels = np.asarray(picture.resize(shape, Image.Resampling.LANCZOS), np.float32)
    return cv2.GaussianBlur(levels, (0, 0), _BLUR)


def _resized(row: pd.Series, shape: tuple[int, int]) -> np.ndarray:
    """The map (3, 3) from a picture's pixels to those of the picture resized to a (width, height)."""
    x, y = shape[0] / row["width"], shape[1] / row["height"]
    return np.array([[x, 0, (x - 1) / 2], [0, y, (y - 1) / 2], [0, 0, 1]])


def _box(row: pd.Series) -> np.ndarray:
    """Top left and bottom right corner (2, 2) of a person's box."""
    x, y, width, height = row[BOX].astype(float)
    return np.array([(x, y), (x + width, y + height)])


def _overlap(one: np.ndarray, other: np.ndarray) -> float:
    """The area that two boxes share over the area that they cover; NaN where one is not known."""
    shared = np.prod(np.maximum(np.minimum(one[1], other[1]) - np.maximum(one[0], other[0]), 0))
    return float(shared / (np.prod(one[1] - one[0]) + np.prod(other[1] - other[0]) - shared))


def _moved(points: np.ndarray, way: np.ndarray) -> np.ndarray:
    """Points (..., 2) by an affine map (2, 3)."""
    return points @ way[:, :2].T + way[:, 2]


def _both_ways(pairs: pd.DataFrame) -> Iterator[tuple[str, str, np.ndarray]]:
    """Whose labels are measured, whose labels are brought into that picture, and the map (2, 3) that does so."""
    for row in rows_of(pairs):
        way = np.array([getattr(row, name) for name in _MAP]).reshape(2, 3)
        back = np.linalg.inv(np.vstack([way, (0, 0, 1)]))[:2]
        yield row.first, row.second, way
        yield row.second, row.first, back
