"""A network of DeepLabCut's in training: its data set, network, losses and optimiser, under our own order.

DeepLabCut's ``train`` (``pose_estimation_tensorflow/core/train.py``) seeds nothing, restarts its learning-rate schedule
on resume, saves no optimiser slots, never validates and hangs when its loader fails. Here the same losses and updates
are computed, one at a time, for :class:`monkey_transfer.networks.loop.Trainer`.
"""

import hashlib
import math
from pathlib import Path

import imgaug
import numpy as np
import tensorflow as tf
from deeplabcut.pose_estimation_tensorflow.config import load_config
from deeplabcut.pose_estimation_tensorflow.core.train import get_batch_spec, get_optimizer
from deeplabcut.pose_estimation_tensorflow.datasets import Batch, PoseDatasetFactory
from deeplabcut.pose_estimation_tensorflow.nnets import PoseNetFactory

from monkey_transfer.errors import StudyError
from monkey_transfer.networks.engine import Restored, Trainable
from monkey_transfer.networks.job import Job
from monkey_transfer.networks.loop import DIGEST_BATCHES
from monkey_transfer.networks.tensorflow import initialisation
from monkey_transfer.networks.tensorflow.prediction import Predictor, new_session
from monkey_transfer.networks.tensorflow.project import TensorFlowProject


def seeded_batch(dataset, seed: int, iteration: int) -> dict:
    """The batch of that iteration, a function of (seed, iteration) alone.

    DeepLabCut draws pictures from NumPy's global generator and distortions from imgaug's; both are set before each
    batch. Only one thread may do so.
    """
    state = np.random.SeedSequence([seed, iteration]).generate_state(2)
    np.random.seed(state[0])  # noqa: NPY002
    imgaug.seed(int(state[1]))
    return dataset.next_batch()


def batch_digest(dataset, seed: int, batches: int) -> str:
    """sha256 over pictures and score-map targets of the first batches: same digest, same training data."""
    digest = hashlib.sha256()
    for iteration in range(batches):
        batch = seeded_batch(dataset, seed, iteration)
        digest.update(np.ascontiguousarray(batch[Batch.inputs], dtype=np.float32).tobytes())
        digest.update(np.ascontiguousarray(batch[Batch.part_score_targets], dtype=np.uint8).tobytes())
    return digest.hexdigest()


class TensorFlowNetwork(Trainable):
    """A graph and session, and the DeepLabCut project whose pictures are learnt and which takes the snapshots."""

    workers = 1  # DeepLabCut's chance is global

    def __init__(self, job: Job, project: TensorFlowProject):
        self.job, self.project = job, project
        self.keypoints = list(job.keypoints)
        config = load_config(str(project.train_config))
        config["project_path"] = str(project.folder)  # the run may have moved since the file was written
        self.dataset = PoseDatasetFactory.create(config)
        try:
            seeded_batch(self.dataset, job.seed, 0)  # the first that a process draws is not yet that of its seed
        except (TypeError, AssertionError) as error:  # imgaug's own checks
            said = str(error).replace(".__init__() got an unexpected keyword argument", " has no key")
            raise StudyError(f"training.augmentation: contrast or convolution cannot be used: {said}") from None

        tf.compat.v1.reset_default_graph()
        tf.compat.v1.set_random_seed(job.seed)
        self.inputs = {
            name: tf.compat.v1.placeholder(tf.float32, shape) for name, shape in get_batch_spec(config).items()
        }
        self.loss = PoseNetFactory.create(config).train(self.inputs)["total_loss"]
        self.network_variables = tf.compat.v1.global_variables()
        self.frozen_blocks = initialisation.freeze(job.frozen)
        self.rate, self.step, _ = get_optimizer(self.loss, config)

        self.session = new_session()
        self.predictor = Predictor(config, self.session, reuse=True)
        self.snapshots = tf.compat.v1.train.Saver(self.network_variables, max_to_keep=None)
        self.everything = tf.compat.v1.train.Saver(max_to_keep=None)

    def initialise(self) -> tuple[Restored, list[str], int]:
        """Restored are variables of a checkpoint; layers are calibrated where a network starts from random weights."""
        self.session.run(tf.compat.v1.global_variables_initializer())
        restored = initialisation.restore(self.session, self.network_variables, self.job.checkpoint, self.job.heads)
        if restored.backbone:
            return restored, self.frozen_blocks, 0
        pictures = [self.batch(i)[Batch.inputs] for i in range(initialisation.CALIBRATION_BATCHES)]
        calibrated = initialisation.calibrate_batch_norm(self.session, self.inputs[Batch.inputs], pictures)
        return restored, self.frozen_blocks, calibrated

    def batch(self, iteration: int) -> dict:
        return seeded_batch(self.dataset, self.job.seed, iteration)

    def digest(self) -> str:
        return batch_digest(self.dataset, self.job.seed, DIGEST_BATCHES)

    def update(self, batch: dict, rate: float) -> float:
        """One step of the optimiser; the loss is DeepLabCut's total loss."""
        feed = {placeholder: batch[name] for name, placeholder in self.inputs.items()}
        try:
            return float(self.session.run([self.step, self.loss], {**feed, self.rate: rate})[1])
        except tf.errors.InvalidArgumentError as error:
            if "LossTensor is inf or nan" not in error.message:  # slim's training operation looks itself
                raise
            return math.nan

    def poses(self, pictures: np.ndarray) -> np.ndarray:
        return self.predictor.poses(pictures)

    def save_snapshot(self, iteration: int) -> None:
        """A checkpoint of the network's variables in the project's train folder."""
        prefix = str(self.project.snapshot(iteration))
        self.snapshots.save(self.session, prefix, write_meta_graph=False, write_state=False)

    def load_snapshot(self, iteration: int) -> None:
        self.snapshots.restore(self.session, str(self.project.snapshot(iteration)))

    def drop_snapshots_but(self, iteration: int) -> None:
        kept = self.project.snapshot(iteration)
        for file in kept.parent.glob("snapshot-*"):
            if not file.name.startswith(f"{kept.name}."):
                file.unlink()

    def save_state(self, prefix: Path) -> None:
        """A checkpoint of all variables, the optimiser's slots among them."""
        self.everything.save(self.session, str(prefix), write_meta_graph=False, write_state=False)

    def load_state(self, prefix: Path) -> None:
        self.everything.restore(self.session, str(prefix))
