"""Prediction on TensorFlow.

The pose of a picture is DeepLabCut's own (``nnets/base.py``, ``inference``): for every joint the
cell with the highest score, its centre plus the predicted offset, and that score as likelihood.
"""

from pathlib import Path

import numpy as np
import tensorflow as tf
from deeplabcut.pose_estimation_tensorflow.config import load_config
from deeplabcut.pose_estimation_tensorflow.nnets import PoseNetFactory

from monkey_transfer.networks.engine import Network, Restored
from monkey_transfer.networks.job import Job
from monkey_transfer.networks.tensorflow.initialisation import restore
from monkey_transfer.networks.tensorflow.project import CORNER

_BATCH = 32  # any number above 1


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
        pose = self.session.run(self.pose, {self.pictures: pictures})
        pose = pose.reshape(len(pictures), len(self.keypoints), 3)[..., [1, 0, 2]].astype(float)
        pose[..., :2] -= CORNER
        return pose


def load(config: Path, job: Job) -> tuple[Predictor, Restored]:
    """The network of a DeepLabCut test configuration with the weights of the job's checkpoint."""
    with tf.Graph().as_default():
        session = new_session()
        predictor = Predictor(load_config(str(config)), session)
        session.run(tf.compat.v1.global_variables_initializer())
        return predictor, restore(session, tf.compat.v1.global_variables(), job.checkpoint, job.heads)
