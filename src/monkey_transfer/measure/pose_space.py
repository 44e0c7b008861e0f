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
from monkey_transfer.skeletons import LIMB_JOINTS

_HIPS = ("right_hip", "left_hip")


# Fewer poses than this fill no common space.
FEWEST = 5


def common_landmarks(a: Dataset, b: Dataset) -> tuple[str, ...]:
    """The landmarks that both data sets label somewhere, in the order of ``a``; StudyError if there is none."""
    labelled = [
        {dataset.skeleton.landmark_of[keypoint] for keypoint in dataset.labels.query("labelled")["keypoint"].unique()}
        for dataset in (a, b)
    ]
    shared = tuple(landmark for _, landmark in a.skeleton.landmarks if landmark in labelled[0] & labelled[1])
    if not shared:
        raise StudyError(
            f"data sets {a.name} and {b.name} label no landmark that both have: their poses cannot be compared"
        )
    return shared


def normalised_poses(dataset: Dataset, landmarks: Sequence[str] = LIMB_JOINTS) -> tuple[np.ndarray, np.ndarray]:
    """The poses of a data set in body sizes, the middle of the hips at (0, 0).

    Where ``landmarks`` lack one of the two hips, the centre of all landmarks is at (0, 0) instead. Pictures in
    which a landmark is not labelled, or all are at one point, are left out: ``len(dataset) - len(image_ids)``.

    Parameters
    ----------
    landmarks : which ones, and their order; for two data sets those that both have (:func:`common_landmarks`).

    Returns
    -------
    image_ids : (poses,) str, in the order of ``dataset.images``.
    poses : (poses, landmarks, 2) x and y.

    Raises
    ------
    StudyError
        If the data set's skeleton lacks a landmark.
    """
    keypoint_of = dataset.skeleton.keypoint_of
    lacking = [landmark for landmark in landmarks if landmark not in keypoint_of]
    if lacking:
        raise StudyError(
            f"data set {dataset.name}: its skeleton {dataset.skeleton.name} has no {', '.join(lacking)}: "
            "choose landmarks that it has (poses.common_landmarks)"
        )
    keypoints = [keypoint_of[landmark] for landmark in landmarks]
    wide = dataset.labels.pivot(index="image_id", columns="keypoint", values=["x", "y"])
    wide = wide.reindex(dataset.images["image_id"])
    points = np.stack([wide[axis][keypoints].to_numpy(float) for axis in ("x", "y")], axis=-1)
    complete = np.isfinite(points).all(axis=(1, 2))
    complete &= ~(points == points[:, :1]).all(axis=(1, 2))
    return wide.index.to_numpy(str)[complete], _normalised(points[complete], landmarks)


def variety(poses: np.ndarray) -> dict[str, float]:
    """How much the poses (poses, landmarks, 2) of a data set differ.

    - ``poses``: how many there are.
    - ``total_variance``: mean squared distance from the mean pose, in body sizes squared.
    - ``effective_dimension``: (sum of l)^2 / (sum of l^2) over the eigenvalues l of the poses' covariance, the
      'participation ratio': in how many directions, about equally, they differ. NaN if they do not differ.
    - ``nearest_neighbour``: median distance from a pose to the one most like it, in body sizes.

    The last two depend on how many poses there are: compare data sets at equal numbers. Raises StudyError for
    fewer than two poses.
    """
    if len(poses) < 2:
        raise StudyError(f"variety of poses: expected at least two poses, got {len(poses)}: label more pictures")
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

    Parameters
    ----------
    of, by : (poses, landmarks, 2), of the same landmarks in the same order.

    Raises StudyError when ``by`` is empty or has other landmarks.
    """
    if not len(by) or of.shape[1:] != by.shape[1:]:
        raise StudyError(
            f"coverage of poses: expected poses of the same landmarks, got shapes {of.shape} and {by.shape}: "
            "normalise both data sets with the same landmarks"
        )
    from scipy.spatial import cKDTree

    return cKDTree(_rows(by)).query(_rows(of))[0]


def _normalised(points: np.ndarray, landmarks: Sequence[str]) -> np.ndarray:
    centred = points - points.mean(axis=1, keepdims=True)
    size = np.sqrt(np.mean(np.sum(centred**2, axis=-1), axis=-1))
    poses = centred / size[:, None, None]
    if set(_HIPS) <= set(landmarks):
        poses = poses - poses[:, [list(landmarks).index(hip) for hip in _HIPS]].mean(axis=1, keepdims=True)
    return poses


def _rows(poses: np.ndarray) -> np.ndarray:
    """(poses, 2 x landmarks): rows whose Euclidean distance is the distance of the poses."""
    return poses.reshape(len(poses), -1) / np.sqrt(poses.shape[1])
