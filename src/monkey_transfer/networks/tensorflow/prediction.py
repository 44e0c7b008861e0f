"""Prediction in batches of pictures of equal size.

The pose of a picture is DeepLabCut's own (``nnets/base.py``, ``inference``): for every joint the
cell with the highest score, its centre plus the predicted offset, and that score as likelihood.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import numpy as np
import pandas as pd
import tensorflow as tf
from deeplabcut.pose_estimation_tensorflow.config import load_config
from deeplabcut.pose_estimation_tensorflow.nnets import PoseNetFactory

from monkey_transfer.images import picture_size, read_picture
from monkey_transfer.networks.engine import Network, Report, Restored
from monkey_transfer.networks.job import Job
from monkey_transfer.networks.tensorflow.initialisation import restore
from monkey_transfer.networks.tensorflow.project import CORNER

# Bounds the memory of a batch: 32 pictures of 192 x 192, or one of 1280 x 720.
_PIXELS_IN_A_BATCH = 32 * 192 * 192
_BATCH = 32
# While one is read, another is computed; two cores are also busier with two batches than with the parts of one.
_BATCHES_AT_ONCE = 2


def new_session() -> tf.compat.v1.Session:
    """A session on the default graph that takes a GPU's memory as it needs it."""
    options = tf.compat.v1.ConfigProto()
    options.gpu_options.allow_growth = True
    return tf.compat.v1.Session(config=options)


class Predictor(Network):
    """Poses from the network of DeepLabCut's pose configuration; with ``reuse``, from that in the default graph."""

    def __init__(self, config: dict, session: tf.compat.v1.Session, reuse: bool = False):
        self.session = session
        self.keypoints = list(config["all_joints_names"])
        self.pictures = tf.compat.v1.placeholder(tf.float32, [None, None, None, 3])
        # DeepLabCut builds another graph for a batch of one, which would not take several.
        batched = {**config, "batch_size": _BATCH}
        with tf.compat.v1.variable_scope(tf.compat.v1.get_variable_scope(), reuse=reuse or None):
            self.pose = PoseNetFactory.create(batched).inference(self.pictures)["pose"]

    def poses(self, pictures: np.ndarray) -> np.ndarray:
        """(n, keypoints, 3): x, y in network pixels (pixel centres) and likelihood, for n RGB pictures (n, h, w, 3)."""
        pose = self.session.run(self.pose, {self.pictures: pictures})
        pose = pose.reshape(len(pictures), len(self.keypoints), 3)[..., [1, 0, 2]].astype(float)
        pose[..., :2] -= CORNER
        return pose

    def predict(self, pictures: pd.DataFrame, report: Report = lambda *_: None) -> pd.DataFrame:
        """Pictures of equal size go through the graph together."""
        paths = [Path(path) for path in pictures["path"]]
        batches = list(batches_of_equal_size([picture_size(path) for path in paths]))

        def poses_of(indices: list[int]) -> np.ndarray:
            return self.poses(np.stack([read_picture(paths[i]) for i in indices]))

        poses, done = np.empty((len(paths), len(self.keypoints), 3)), 0
        with ThreadPoolExecutor(_BATCHES_AT_ONCE) as pool:
            for indices, of_batch in zip(batches, pool.map(poses_of, batches), strict=True):
                poses[indices] = of_batch
                done += len(indices)
                report(done, len(paths))
        found = pd.DataFrame(poses.reshape(-1, 3), columns=["x", "y", "likelihood"])
        found.insert(0, "image_id", np.repeat(pictures["image_id"].to_numpy(object), len(self.keypoints)))
        found.insert(1, "keypoint", np.tile(np.asarray(self.keypoints, dtype=object), len(paths)))
        return found


def batches_of_equal_size(sizes: Sequence[tuple[int, int]]) -> Iterator[list[int]]:
    """Indices of pictures in batches in which all have one (width, height), none with too many pixels."""
    by_size: dict[tuple[int, int], list[int]] = {}
    for index, size in enumerate(sizes):
        by_size.setdefault(size, []).append(index)
    for (width, height), indices in by_size.items():
        length = max(1, min(_BATCH, _PIXELS_IN_A_BATCH // (width * height)))
        for first in range(0, len(indices), length):
            yield indices[first : first + length]


def load(config: Path, job: Job) -> tuple[Predictor, Restored]:
    """The network of a DeepLabCut test configuration with the weights of the job's checkpoint."""
    with tf.Graph().as_default():
        session = new_session()
        predictor = Predictor(load_config(str(config)), session)
        session.run(tf.compat.v1.global_variables_initializer())
        return predictor, restore(session, tf.compat.v1.global_variables(), job.checkpoint, job.heads)
