"""The training loop: DeepLabCut's data set, network, losses and optimiser, under our own order.

DeepLabCut's ``train`` (``pose_estimation_tensorflow/core/train.py``) seeds nothing, restarts its
learning-rate schedule on resume, saves no optimiser slots, never validates and hangs when its
loader fails. This loop computes the same losses and updates, and does those things.
"""

import hashlib
import json
import math
import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import NamedTuple

import imgaug
import numpy as np
import pandas as pd
import tensorflow as tf
from deeplabcut.pose_estimation_tensorflow.config import load_config
from deeplabcut.pose_estimation_tensorflow.core.train import get_batch_spec, get_optimizer
from deeplabcut.pose_estimation_tensorflow.datasets import Batch, PoseDatasetFactory
from deeplabcut.pose_estimation_tensorflow.nnets import PoseNetFactory

from monkey_transfer.errors import StudyError
from monkey_transfer.files import write_json
from monkey_transfer.networks.engine import StopRule
from monkey_transfer.networks.job import Job
from monkey_transfer.networks.tensorflow.initialisation import (
    CALIBRATION_BATCHES,
    Restored,
    calibrate_batch_norm,
    freeze,
    restore,
)
from monkey_transfer.networks.tensorflow.prediction import Predictor, new_session
from monkey_transfer.networks.tensorflow.project import Project
from monkey_transfer.networks.tensorflow.settings import Training

DIGEST_BATCHES = 20
_PREFETCHED = 8


@dataclass
class Progress:
    """How far a training is; all that a resumed one needs besides the weights."""

    iteration: int = 0
    seconds: float = 0.0
    best_iteration: int = 0
    best_error: float = math.inf
    best_score: float = -math.inf
    stopped_by: str = ""
    curve: list[dict[str, float]] = field(default_factory=list)


class Validation(NamedTuple):
    """How good the present weights are on the validation pictures.

    ``validation_error`` is the mean distance in network pixels, ``validation_score`` the percentage of scored joints
    that are correct: the PCK that is reported, on other pictures. NaN where no joint is scored.
    """

    validation_error: float
    validation_score: float


@dataclass(frozen=True)
class Outcome:
    """What a training ended with."""

    chosen_iteration: int
    validation_error: float
    validation_score: float
    iterations: int
    stopped_by: str
    seconds: float
    optimizer: str
    restored: Restored
    frozen_blocks: list[str]
    calibrated_layers: int
    first_batches_digest: str


def learning_rate(training: Training, iteration: int) -> float:
    """The rate at that iteration (from 0): the first step whose last iteration is not yet past.

    The same as DeepLabCut's ``LearningRate`` gives when it is asked for 0, 1, 2, ... in turn, but
    known without asking, so that a resumed training is at its right place.
    """
    return next(rate for rate, last in training.multi_step if iteration <= last)


def seeded_batch(dataset, seed: int, iteration: int) -> dict:
    """The batch of that iteration, a function of (seed, iteration) alone.

    DeepLabCut draws pictures from NumPy's global generator and distortions from imgaug's; both are
    set before each batch. Only one thread may do so.
    """
    state = np.random.SeedSequence([seed, iteration]).generate_state(2)
    np.random.seed(state[0])  # noqa: NPY002
    imgaug.seed(int(state[1]))
    return dataset.next_batch()


def prefetched_batches(dataset, seed: int, first: int, end: int) -> Iterator[dict]:
    """Batches ``first`` to ``end`` - 1 in order, drawn ahead by a thread that dies with the process.

    What goes wrong in the thread is raised here.
    """
    ready: queue.Queue = queue.Queue(_PREFETCHED)

    def draw() -> None:
        try:
            for iteration in range(first, end):
                ready.put(seeded_batch(dataset, seed, iteration))
        except BaseException as error:
            ready.put(error)

    threading.Thread(target=draw, daemon=True).start()
    for _ in range(first, end):
        item = ready.get()
        if isinstance(item, BaseException):
            raise item
        yield item


def batch_digest(dataset, seed: int, batches: int) -> str:
    """sha256 over pictures and score-map targets of the first batches: same digest, same training data."""
    digest = hashlib.sha256()
    for iteration in range(batches):
        batch = seeded_batch(dataset, seed, iteration)
        digest.update(np.ascontiguousarray(batch[Batch.inputs], dtype=np.float32).tobytes())
        digest.update(np.ascontiguousarray(batch[Batch.part_score_targets], dtype=np.uint8).tobytes())
    return digest.hexdigest()


class Trainer:
    """A network in training: graph, session and the folders that it writes.

    Parameters
    ----------
    project : whose training pictures are learnt and whose train folder takes the snapshots.
    resume : folder for what a killed training needs to go on.
    report : called as ``report(iteration, loss)`` after every iteration.
    """

    def __init__(self, job: Job, project: Project, resume: Path, report: Callable[[int, float], None]):
        self.job, self.project, self.resume, self.report = job, project, resume, report
        self.training = job.training
        config = load_config(str(project.train_config))
        config["project_path"] = str(project.folder)  # the run may have moved since the file was written
        self.dataset = PoseDatasetFactory.create(config)
        seeded_batch(self.dataset, job.seed, 0)  # the first that a process draws is not yet that of its seed

        tf.compat.v1.reset_default_graph()
        tf.compat.v1.set_random_seed(job.seed)
        self.inputs = {
            name: tf.compat.v1.placeholder(tf.float32, shape) for name, shape in get_batch_spec(config).items()
        }
        self.loss = PoseNetFactory.create(config).train(self.inputs)["total_loss"]
        self.network_variables = tf.compat.v1.global_variables()
        self.frozen_blocks = freeze(job.frozen)
        self.rate, self.step, _ = get_optimizer(self.loss, config)

        self.session = new_session()
        self.predictor = Predictor(config, self.session, reuse=True)
        self.snapshots = tf.compat.v1.train.Saver(self.network_variables, max_to_keep=None)
        self.everything = tf.compat.v1.train.Saver(max_to_keep=None)

    def initialise(self) -> tuple[Restored, int]:
        """Set the initial weights; returns what was restored and how many batch-norm layers were calibrated."""
        self.session.run(tf.compat.v1.global_variables_initializer())
        restored = restore(self.session, self.network_variables, self.job.checkpoint, self.job.heads)
        if restored.backbone:
            return restored, 0
        batches = [seeded_batch(self.dataset, self.job.seed, i)[Batch.inputs] for i in range(CALIBRATION_BATCHES)]
        return restored, calibrate_batch_norm(self.session, self.inputs[Batch.inputs], batches)

    def run(self, validate: Callable[[], Validation]) -> Outcome:
        """Train until the last iteration or the stop rule; keep the snapshot with the best validation score.

        Of equal scores, of which there are many on few pictures, that with the least error.

        Parameters
        ----------
        validate : of the present weights.

        Raises
        ------
        StudyError
            If the loss or the validation error is no longer a number, or a checkpoint does not fit.
        """
        restored, calibrated = self.initialise()
        digest = batch_digest(self.dataset, self.job.seed, DIGEST_BATCHES)
        progress = self._resumed() or Progress()
        started = time.monotonic() - progress.seconds
        losses: list[float] = []
        training = self.training
        batches = prefetched_batches(self.dataset, self.job.seed, progress.iteration, training.iterations)
        while progress.iteration < training.iterations and not progress.stopped_by:
            losses.append(self._update(next(batches), progress.iteration))
            progress.iteration += 1
            self.report(progress.iteration, losses[-1])
            if progress.iteration % training.validate_every == 0 or progress.iteration == training.iterations:
                progress.seconds = time.monotonic() - started
                self._validate(progress, float(np.mean(losses)), validate())
                # Of a validation error that means nothing no rule can be made; the training loss does mean something.
                if self.job.keeps == "best" or training.stop.rule == "training_loss_plateau":
                    progress.stopped_by = plateau(progress.curve, training.stop)
                self._save_for_resume(progress)
                losses.clear()
        self._drop_all_snapshots_but(progress.best_iteration)
        return Outcome(
            chosen_iteration=progress.best_iteration,
            validation_error=progress.best_error,
            validation_score=progress.best_score,
            iterations=progress.iteration,
            stopped_by=progress.stopped_by or "iterations",
            seconds=progress.seconds,
            optimizer=training.optimizer,
            restored=restored,
            frozen_blocks=self.frozen_blocks,
            calibrated_layers=calibrated,
            first_batches_digest=digest,
        )

    def restore_snapshot(self, iteration: int) -> None:
        """Load the weights of a snapshot."""
        self.snapshots.restore(self.session, str(self.project.snapshot(iteration)))

    def _update(self, batch: dict, iteration: int) -> float:
        feed = {placeholder: batch[name] for name, placeholder in self.inputs.items()}
        feed[self.rate] = learning_rate(self.training, iteration)
        try:
            _, loss = self.session.run([self.step, self.loss], feed)
        except tf.errors.InvalidArgumentError as error:
            if "LossTensor is inf or nan" not in error.message:  # slim's training operation looks itself
                raise
            raise StudyError(
                f"the training loss is infinite or no number at iteration {iteration}: lower the learning rates in "
                "training.multi_step"
            ) from None
        return float(loss)

    def _validate(self, progress: Progress, loss: float, validated: Validation) -> None:
        error, score = validated
        if not math.isfinite(error):
            raise StudyError(
                f"the validation error is {error} at iteration {progress.iteration}: lower the learning rates in "
                "training.multi_step, or label joints of the validation pictures if there are none"
            )
        progress.curve.append(
            {
                "iteration": progress.iteration,
                "training_loss": loss,
                **validated._asdict(),
                "learning_rate": learning_rate(self.training, progress.iteration - 1),
                "seconds": round(progress.seconds, 2),
            }
        )
        print(
            f"iteration {progress.iteration}: loss {loss:.5f}, validation error {error:.3f} px, score {score:.2f} %",
            flush=True,
        )
        if self.job.keeps == "last" or _is_better(validated, progress):
            self.snapshots.save(
                self.session, str(self.project.snapshot(progress.iteration)), write_meta_graph=False, write_state=False
            )
            progress.best_iteration, progress.best_error, progress.best_score = progress.iteration, error, score

    def _save_for_resume(self, progress: Progress) -> None:
        self.resume.mkdir(exist_ok=True)
        prefix = self.resume / f"state-{progress.iteration}"
        self.everything.save(self.session, str(prefix), write_meta_graph=False, write_state=False)
        write_json(self.resume / "progress.json", asdict(progress))  # from here on this state counts
        for file in self.resume.glob("state-*"):
            if not file.name.startswith(f"{prefix.name}."):
                file.unlink()

    def _resumed(self) -> Progress | None:
        saved = self.resume / "progress.json"
        if not saved.is_file():
            return None
        progress = Progress(**json.loads(saved.read_text(encoding="utf-8")))
        self.everything.restore(self.session, str(self.resume / f"state-{progress.iteration}"))
        return progress

    def _drop_all_snapshots_but(self, iteration: int) -> None:
        kept = self.project.snapshot(iteration)
        for file in kept.parent.glob("snapshot-*"):
            if not file.name.startswith(f"{kept.name}."):
                file.unlink()


def _is_better(validated: Validation, best: Progress) -> bool:
    # A score that is no number, where nothing is scored, is never above another: the error decides alone.
    error, score = validated
    return score > best.best_score or (not score < best.best_score and error < best.best_error)


def plateau(curve: list[dict[str, float]], stop: StopRule) -> str:
    """The stop rule's name once its curve is flat, else ''.

    Flat: none of the last ``patience`` values is lower than the lowest before them by more than
    ``min_improvement`` of it.
    """
    column = {"validation_plateau": "validation_error", "training_loss_plateau": "training_loss"}.get(stop.rule)
    if column is None or len(curve) <= stop.patience:
        return ""
    values = [row[column] for row in curve]
    before, recent = min(values[: -stop.patience]), min(values[-stop.patience :])
    return stop.rule if recent > before * (1 - stop.min_improvement) else ""


def curve_table(resume: Path) -> pd.DataFrame:
    """The learning curve of the training whose resume folder this is."""
    progress = json.loads((resume / "progress.json").read_text(encoding="utf-8"))
    return pd.DataFrame(progress["curve"])
