"""Poses without place and size, so that those of monkeys and of people can be compared.

A pose is an array (landmarks, 2). Its unit is the *body size*, the root mean square distance of its
landmarks from their centre; x points to the right of the picture and y down. A pose and its mirror image
are two poses, and so are one posture seen from two sides.

The distance of two poses is the root mean square, over landmarks, of the distance between the two
positions of a landmark. It is in body sizes, whatever the number of landmarks.
"""

from collections.abc import Sequence

import numpy as np

from monkey_transfer.datasets.base import Dataset
from monkey_transfer.errors import StudyError
from monkey_transfer.skeletons import LIMB_JOINTS, other_side

# Fewer poses than this fill no common space.
FEWEST = 5

_HIPS = ("right_hip", "left_hip")


def common_landmarks(a: Dataset, b: Dataset) -> tuple[str, ...]:
    """The landmarks that both data sets label somewhere, in the order of ``a``; StudyError if there is none."""
    in_a, in_b = ({d.skeleton.landmark_of[k] for k in d.labels.query("labelled")["keypoint"].unique()} for d in (a, b))
    shared = tuple(landmark for _, landmark in a.skeleton.landmarks if landmark in in_a & in_b)
    if not shared:
        raise StudyError(
            f"data sets {a.name} and {b.name} label no landmark that both have: their poses cannot be compared"
        )
    return shared


def normalised_poses(dataset: Dataset, landmarks: Sequence[str] = LIMB_JOINTS) -> tuple[np.ndarray, np.ndarray]:
    """The poses of a data set in body sizes, the middle of the hips at (0, 0).

    Where ``landmarks`` lack one of the two hips, the centre of all landmarks is at (0, 0) instead. Pictures in
    which a landmark is not labelled, or all are at one point, are left out: ``len(dataset) - len(image_ids)``.

    ``landmarks`` say which ones, and their order; of two data sets :func:`common_landmarks`. Returns the image ids
    (poses,), in the order of ``dataset.images``, and x and y (poses, landmarks, 2). StudyError if the data set's
    skeleton lacks a landmark.
    """
    keypoint_of = dataset.skeleton.keypoint_of
    lacking = [landmark for landmark in landmarks if landmark not in keypoint_of]
    if lacking:
        raise StudyError(
            f"data set {dataset.name}: its skeleton {dataset.skeleton.name} has no {', '.join(lacking)}: "
            "choose landmarks that it has (pose_space.common_landmarks)"
        )
    keypoints = [keypoint_of[landmark] for landmark in landmarks]
    wide = dataset.labels.pivot(index="image_id", columns="keypoint", values=["x", "y"])
    wide = wide.reindex(dataset.images["image_id"])
    points = np.stack([wide[axis][keypoints].to_numpy(float) for axis in ("x", "y")], axis=-1)
    complete = np.isfinite(points).all(axis=(1, 2))
    complete &= ~(points == points[:, :1]).all(axis=(1, 2))
    centred = points[complete] - points[complete].mean(axis=1, keepdims=True)
    poses = centred / np.sqrt(np.mean(np.sum(centred**2, axis=-1), axis=-1))[:, None, None]
    if set(_HIPS) <= set(landmarks):
        poses = poses - poses[:, [list(landmarks).index(hip) for hip in _HIPS]].mean(axis=1, keepdims=True)
    return wide.index.to_numpy(str)[complete], poses


def mirrored(poses: np.ndarray, landmarks: Sequence[str]) -> np.ndarray:
    """The mirror images of poses (poses, landmarks, 2): x changes sign, and right and left change places.

    Raises StudyError when a landmark of one side lacks that of the other.
    """
    other = [other_side(landmark) for landmark in landmarks]
    alone = [landmark for landmark, opposite in zip(landmarks, other, strict=True) if opposite not in landmarks]
    if alone:
        raise StudyError(
            f"landmarks of poses: {', '.join(alone)} without the same of the other side, so a pose has no mirror "
            "image: name both sides or neither"
        )
    return poses[:, [list(landmarks).index(landmark) for landmark in other]] * (-1, 1)


def variety(poses: np.ndarray) -> dict[str, float]:
    """How much the poses (poses, landmarks, 2) of a data set differ, two of them or more.

    - ``poses``: how many there are.
    - ``total_variance``: mean squared distance from the mean pose, in body sizes squared.
    - ``effective_dimension``: (sum of l)^2 / (sum of l^2) over the eigenvalues l of the poses' covariance, the
      'participation ratio': in how many directions, about equally, they differ. NaN if they do not differ.
    - ``nearest_neighbour``: median distance from a pose to the one most like it, in body sizes.

    The last two depend on how many poses there are: compare data sets at equal numbers.
    """
    from scipy.spatial import cKDTree

    rows = _rows(poses)
    eigenvalues = np.linalg.svd(rows - rows.mean(axis=0), compute_uv=False) ** 2 / len(rows)
    total = eigenvalues.sum()
    to_nearest = cKDTree(rows).query(rows, k=2)[0][:, 1]  # the nearest of all is the pose itself
    return {
        "poses": len(poses),
        "total_variance": float(total),
        "effective_dimension": float(total**2 / np.sum(eigenvalues**2)) if total > 0 else float("nan"),
        "nearest_neighbour": float(np.median(to_nearest)),
    }


def coverage(of: np.ndarray, by: np.ndarray) -> np.ndarray:
    """How far each pose is from the nearest one of another set: (poses in ``of``,) distances in body sizes.

    Both are (poses, landmarks, 2), of the same landmarks in the same order.
    """
    from scipy.spatial import cKDTree

    return cKDTree(_rows(by)).query(_rows(of))[0]


def _rows(poses: np.ndarray) -> np.ndarray:
    """(poses, 2 x landmarks): rows whose Euclidean distance is the distance of the poses."""
    return poses.reshape(len(poses), -1) / np.sqrt(poses.shape[1])
