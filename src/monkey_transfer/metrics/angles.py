"""Joint angles as a picture shows them, in degrees, from labelled or predicted points.

They are angles between lines in the picture, *projections* and not anatomical angles: they are a joint's own only where
the limb moves in the plane of the picture, and nothing corrects for a camera that does not look at it squarely.

A *bend* is counted as clinicians do, from the neutral zero position (Cave and Roberts, J. Bone and Joint Surgery 1936;
American Academy of Orthopaedic Surgeons, "Joint Motion: Method of Measuring and Recording", 1965): 0 where the two
segments lie in one line, 180 folded; it is 180 less the angle between them. The recommendations of the International
Society of Biomechanics (Wu et al., J. Biomechanics 2002 for hip and spine, 2005 for elbow and thorax; Grood and Suntay,
J. Biomechanical Engineering 1983 for the knee) describe rotations in space, of frames that more markers fix than a pose
has. Ours differ from these: a bend has no sign, so a joint that is bent too far back looks flexed, and rotation and
abduction look like a bend; the hip's upper segment is the trunk and not the pelvis, so that a bent back counts as the
hip's. At a stretched joint every error of a point, to whichever side, is flexion.

The *trunk*, from the middle of the hips to that of the shoulders, is inclined against the picture's vertical,
clockwise: 0 upright, 90 lying with the head to the right of the picture, -90 to the left. Its upper end is not the
neck, which some skeletons lack and others label as high as the chin. Whether a person leans forward or back, and
whether the camera was held level, is not in these points.
"""

import numpy as np
import pandas as pd

from monkey_transfer import tables
from monkey_transfer.skeletons import Skeleton

# A bend is that of the two segments which meet at the second of three landmarks, all of one side.
BENDS = {"knee": ("hip", "knee", "ankle"), "hip": ("shoulder", "hip", "knee"), "elbow": ("shoulder", "elbow", "wrist")}
TRUNK = "trunk"
# Without its side each, which is how they are pooled (:func:`monkey_transfer.skeletons.without_side`).
ANGLES = (*BENDS, TRUNK)
# Angle, of one side where it has one -> the landmarks that it takes.
LANDMARKS_OF = {
    f"{side}_{joint}": tuple(f"{side}_{landmark}" for landmark in ends)
    for joint, ends in BENDS.items()
    for side in ("right", "left")
} | {TRUNK: ("right_hip", "left_hip", "right_shoulder", "left_shoulder")}

# Places are complex numbers, x + iy, of which y points down: a product turns, and what is positive turns clockwise.
_UP = np.array(-1j)
_ONE_PLACE = 1e-6  # pixels: as far apart as rounding sets one place


def joint_angles(points: pd.DataFrame, skeleton: Skeleton) -> pd.DataFrame:
    """The angles of every picture: see the module's text.

    Parameters
    ----------
    points : ``image_id, keypoint, x, y`` in pixels that are square, y down, such as labels or predictions in the
        original image. A joint that is NaN, or in no row, is missing.
    skeleton : whose keypoints these are.

    Returns one row for each picture and each of :data:`LANDMARKS_OF`: ``image_id, angle`` ('left_knee', 'trunk') and
    ``degrees``, 0 to 180 for a bend and above -180 up to 180 for the trunk; NaN where a joint is missing, or both ends
    of a segment are at one place. StudyError if a joint has two rows.
    """
    tables.refuse_repeated(points, ["image_id", "keypoint"], "points of joint angles")
    x, y = (points.pivot(index="image_id", columns="keypoint", values=axis) for axis in ("x", "y"))
    images, own = x.index.to_numpy(), list(skeleton.keypoints)
    places = x.reindex(columns=own).to_numpy(float) + 1j * y.reindex(columns=own).to_numpy(float)
    place = dict(zip(skeleton.landmark_of.values(), places.T, strict=True))
    missing = np.full(len(images), complex(np.nan, np.nan))
    degrees = []
    for angle, landmarks in LANDMARKS_OF.items():
        ends = [place.get(landmark, missing) for landmark in landmarks]
        degrees.append(_inclination(*ends) if angle == TRUNK else _bend(*ends))
    return pd.DataFrame(
        {
            "image_id": np.repeat(images, len(LANDMARKS_OF)),
            "angle": np.tile(list(LANDMARKS_OF), len(images)),
            "degrees": np.stack(degrees, axis=1).ravel(),
        }
    )


def angle_pairs(labels: pd.DataFrame, predictions: pd.DataFrame, skeleton: Skeleton) -> pd.DataFrame:
    """The angles that are labelled beside those that are predicted, of the joints that the predictions have.

    Both tables are as for :func:`joint_angles`, with the same names of keypoints.

    Returns ``image_id, angle, label, prediction``, in degrees. An angle whose joints the predictions have in no picture
    is left out; where they put both ends of a segment at one place, or lack one in that picture, ``prediction`` is NaN.
    Of the trunk it is counted on from the label the short way round and may lie beyond 180, so that ``prediction -
    label`` is at most half a turn for every angle.
    """
    pairs = joint_angles(labels, skeleton).dropna().rename(columns={"degrees": "label"})
    found = joint_angles(predictions, skeleton).rename(columns={"degrees": "prediction"})
    known = {skeleton.landmark_of.get(keypoint) for keypoint in predictions["keypoint"].unique()}
    known_angles = [angle for angle, landmarks in LANDMARKS_OF.items() if known.issuperset(landmarks)]
    pairs = pairs[pairs["angle"].isin(known_angles)].merge(found, how="left", on=["image_id", "angle"])
    away = pairs["prediction"] - pairs["label"]
    short = away.where(pairs["angle"] != TRUNK, (away + 180) % 360 - 180)
    return pairs.assign(prediction=pairs["label"] + short)


def _bend(upper: np.ndarray, middle: np.ndarray, lower: np.ndarray) -> np.ndarray:
    return np.abs(_turned(middle - upper, lower - middle))


def _inclination(
    right_hip: np.ndarray, left_hip: np.ndarray, right_shoulder: np.ndarray, left_shoulder: np.ndarray
) -> np.ndarray:
    return _turned(_UP, (right_shoulder + left_shoulder) / 2 - (right_hip + left_hip) / 2)


def _turned(one: np.ndarray, other: np.ndarray) -> np.ndarray:
    """Degrees clockwise from one direction to the other, above -180 up to 180; NaN where one has no length."""
    degrees = np.angle(other * np.conj(one), deg=True)
    degrees = np.where(degrees == -180, 180, degrees)
    return np.where(np.minimum(np.abs(one), np.abs(other)) > _ONE_PLACE, degrees, np.nan)
