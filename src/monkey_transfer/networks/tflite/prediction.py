"""Poses of finished networks: what they are fed, and how their outputs are read, as their authors do both.

Every interpreter computes on one thread and one picture, so that a pose depends on nothing but its picture.
"""

import threading
from collections.abc import Callable
from pathlib import Path

import cv2
import numpy as np
import tensorflow as tf
from scipy.special import expit

from monkey_transfer.images import letterbox, resample, unpadded
from monkey_transfer.networks.engine import Network
from monkey_transfer.networks.tflite.networks import LAYOUTS

# From a float32 picture (side, side, 3), scaled as the network takes it, to all its outputs, each without its first
# axis of one.
Model = Callable[[np.ndarray], list[np.ndarray]]

# How often a network of landmarks looks, each time where the landmarks of the time before say; MediaPipe does so from
# one frame of a video to the next. On 200 people of Leeds Sports Pose (1001 to 1200) a PCK@0.5 rose from 78.0 to 80.0
# and 82.3.
LOOKS = 3
# Of the circle around hips and body that two of BlazePose's landmarks span (MediaPipe, pose_landmarks_to_roi.pbtxt).
_ROOM_AROUND_A_BODY = 1.25
_HIPS, _RIM = 33, 34  # the centre of that circle and a point on it, above the hips of who stands upright
# MediaPipe, tensors_to_pose_landmarks_and_segmentation.pbtxt and refine_landmarks_from_heatmap_calculator.proto.
_REFINED_WITHIN, _REFINED_FROM = 3, 0.5


class Predictor(Network):
    """Poses from the TFLite file of a published network."""

    def __init__(self, file: Path, name: str):
        self.keypoints = list(LAYOUTS[name].keypoints)
        self._side = LAYOUTS[name].side
        self._read = {"maps": from_maps, "landmarks": from_landmarks}[LAYOUTS[name].outputs]
        self._model = one_for_each_thread(file)

    def poses(self, pictures: np.ndarray) -> np.ndarray:
        return np.stack([self._pose(picture) for picture in pictures])

    def _pose(self, picture: np.ndarray) -> np.ndarray:
        height, width, _ = picture.shape
        frame = letterbox((width, height), (self._side, self._side))
        pose = self._read(self._model, black_around(resample(picture, frame)))[: len(self.keypoints)]
        return np.column_stack([frame.transform.invert(pose[:, :2]), pose[:, 2]])


def one_for_each_thread(file: Path) -> Model:
    """The network of a TFLite file, for any number of threads."""
    own = threading.local()

    def run(picture: np.ndarray) -> list[np.ndarray]:
        if not hasattr(own, "interpreter"):
            own.interpreter = tf.lite.Interpreter(str(file), num_threads=1)
            own.interpreter.allocate_tensors()
        own.interpreter.set_tensor(own.interpreter.get_input_details()[0]["index"], picture[None])
        own.interpreter.invoke()
        return [own.interpreter.get_tensor(output["index"])[0] for output in own.interpreter.get_output_details()]

    return run


def black_around(picture: np.ndarray) -> np.ndarray:
    """A copy of a picture whose padding is black, which all these networks are used to."""
    seen = unpadded(picture)
    black = np.zeros_like(picture)
    black[seen] = picture[seen]
    return black


def from_maps(model: Model, picture: np.ndarray) -> np.ndarray:
    """(keypoints, 3): x, y in pixels of a square RGB picture (pixel centres) and likelihood, of EfficientPose.

    Each keypoint is where its map of the last output, smoothed by a Gaussian of one cell, is highest (`preprocess` and
    `extract_coordinates`, utils/helpers.py of its repository); likelihood is that height, within 0 and 1. Cells are
    pixels. A parabola through the peak's neighbours changed a PCK@0.5 by less than 0.1 points on Leeds Sports Pose.
    """
    maps = model(picture.astype(np.float32) / np.float32(127.5) - np.float32(1))[-1]
    smooth = cv2.GaussianBlur(maps, (9, 9), 1.0, borderType=cv2.BORDER_REFLECT)
    cells = smooth.reshape(-1, smooth.shape[-1])
    y, x = np.unravel_index(cells.argmax(axis=0), smooth.shape[:2])
    return np.column_stack([x, y, cells.max(axis=0).clip(0, 1)]).astype(float)


def from_landmarks(model: Model, picture: np.ndarray) -> np.ndarray:
    """(landmarks, 3): x, y in pixels of a square RGB picture (pixel centres) and likelihood, of BlazePose.

    The network looks :data:`LOOKS` times: at the whole picture, then at what :func:`where_to_look` says. Likelihood is
    the network's own of the landmark being in the picture and not hidden ('visibility').
    """
    side = len(picture)
    cut = np.array([[1.0, 0.0, 0.0], [0.0, 1.0, 0.0]])
    for _ in range(LOOKS):
        # Black beyond the picture, as its padding is.
        seen = cv2.warpAffine(picture, cut, (side, side), flags=cv2.INTER_LINEAR | cv2.WARP_INVERSE_MAP)
        landmarks, _, _, maps, *_ = model(seen.astype(np.float32) / np.float32(255))
        landmarks = landmarks.reshape(-1, 5).astype(float)  # x, y, z, visibility, presence
        points = refined(landmarks[:, :2], maps, side) - 0.5  # its pixels are counted from a corner
        points = points @ cut[:, :2].T + cut[:, 2]
        cut = where_to_look(points[_HIPS], points[_RIM], side)
    return np.column_stack([points, expit(landmarks[:, 3])])


def where_to_look(hips: np.ndarray, rim: np.ndarray, side: int) -> np.ndarray:
    """(2, 3): the way from pixels of a square of ``side`` pixels to those of the picture that it is to be cut from.

    In the square the body, which the circle around ``hips`` through ``rim`` encloses, stands upright in the middle.
    """
    x, y = rim - hips
    turned = 2 * _ROOM_AROUND_A_BODY / side * np.array([[-y, -x], [x, -y]])
    middle = np.full(2, (side - 1) / 2)
    return np.column_stack([turned, hips - turned @ middle])


def refined(points: np.ndarray, maps: np.ndarray, side: int) -> np.ndarray:
    """Landmarks (n, 2) moved to the centre of what their maps (h, w, n) show near them; coordinates as MediaPipe's.

    A landmark stays where its map is nowhere near it as sure as 0.5, or where it is outside. Maps are logits.
    """
    reach, cell = _REFINED_WITHIN, side / np.array(maps.shape[1::-1])
    at = np.floor(points / cell).astype(int)
    inside = ((at >= 0) & (at < maps.shape[1::-1])).all(axis=1)
    steps = np.arange(-reach, reach + 1)
    columns, rows = (np.where(inside, at[:, axis], 0)[:, None] + steps for axis in (0, 1))
    bordered = np.pad(expit(maps), ((reach, reach), (reach, reach), (0, 0)))
    near = bordered[rows[:, :, None] + reach, columns[:, None, :] + reach, np.arange(len(points))[:, None, None]]
    total = near.sum(axis=(1, 2))
    centres = np.column_stack(
        [(near.sum(axis=1) * columns).sum(axis=1) / total, (near.sum(axis=2) * rows).sum(axis=1) / total]
    )
    sure = inside & (near.max(axis=(1, 2)) >= _REFINED_FROM)
    return np.where(sure[:, None], centres * cell, points)
