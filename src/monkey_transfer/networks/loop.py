"""The training loop: order, schedule, validation, stop rules and resuming, the same for every engine.

Given weights and batches that follow from seed and iteration, a training that is killed at any moment and resumed ends
as the straight one does.
"""

import json
import math
import queue
import threading
import time
from collections.abc import Callable, Iterator
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from monkey_transfer.errors import StudyError
from monkey_transfer.files import write_json
from monkey_transfer.networks.engine import Restored, StopRule, Trainable, Training

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


def prefetched(draw: Callable[[int], Any], first: int, end: int) -> Iterator[Any]:
    """``draw(first)`` to ``draw(end - 1)`` in order, drawn ahead by a thread that dies with the process.

    What goes wrong in the thread is raised here.
    """
    ready: queue.Queue = queue.Queue(_PREFETCHED)

    def ahead() -> None:
        try:
            for iteration in range(first, end):
                ready.put(draw(iteration))
        except BaseException as error:
            ready.put(error)

    threading.Thread(target=ahead, daemon=True).start()
    for _ in range(first, end):
        item = ready.get()
        if isinstance(item, BaseException):
            raise item
        yield item


class Trainer:
    """Trains a network.

    Parameters
    ----------
    resume : folder for what a killed training needs to go on.
    report : called as ``report(iteration, loss)`` after every iteration.
    """

    def __init__(self, network: Trainable, resume: Path, report: Callable[[int, float], None]):
        self.network, self.resume, self.report = network, resume, report

    def run(self, validate: Callable[[], Validation]) -> Outcome:
        """Train until the last iteration or the stop rule; keep the snapshot with the best validation score.

        Of equal scores, of which there are many on few pictures, that with the least error.

        Parameters
        ----------
        validate : of the present weights.

        Raises
        ------
        StudyError
            If the loss or the validation error is no longer a number, or the initial weights do not fit.
        """
        network, job = self.network, self.network.job
        training = job.training
        restored, frozen, calibrated = network.initialise()
        digest = network.digest()
        progress = self._resumed() or Progress()
        started = time.monotonic() - progress.seconds
        losses: list[float] = []
        batches = prefetched(network.batch, progress.iteration, training.iterations)
        while progress.iteration < training.iterations and not progress.stopped_by:
            losses.append(network.update(next(batches), learning_rate(training, progress.iteration)))
            if not math.isfinite(losses[-1]):
                raise StudyError(
                    f"the training loss is infinite or no number at iteration {progress.iteration}: lower the "
                    "learning rates in training.multi_step"
                )
            progress.iteration += 1
            self.report(progress.iteration, losses[-1])
            if progress.iteration % training.validate_every == 0 or progress.iteration == training.iterations:
                progress.seconds = time.monotonic() - started
                self._validate(progress, float(np.mean(losses)), validate())
                # Of a validation error that means nothing no rule can be made; the training loss does mean something.
                if job.keeps == "best" or training.stop.rule == "training_loss_plateau":
                    progress.stopped_by = plateau(progress.curve, training.stop)
                self._save_for_resume(progress)
                losses.clear()
        network.drop_snapshots_but(progress.best_iteration)
        return Outcome(
            chosen_iteration=progress.best_iteration,
            validation_error=progress.best_error,
            validation_score=progress.best_score,
            iterations=progress.iteration,
            stopped_by=progress.stopped_by or "iterations",
            seconds=progress.seconds,
            optimizer=network.optimizer,
            restored=restored,
            frozen_blocks=frozen,
            calibrated_layers=calibrated,
            first_batches_digest=digest,
        )

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
                "learning_rate": learning_rate(self.network.job.training, progress.iteration - 1),
                "seconds": round(progress.seconds, 2),
            }
        )
        print(
            f"iteration {progress.iteration}: loss {loss:.5f}, validation error {error:.3f} px, score {score:.2f} %",
            flush=True,
        )
        if self.network.job.keeps == "last" or _is_better(validated, progress):
            self.network.save_snapshot(progress.iteration)
            progress.best_iteration, progress.best_error, progress.best_score = progress.iteration, error, score

    def _save_for_resume(self, progress: Progress) -> None:
        self.resume.mkdir(exist_ok=True)
        state = self._state(progress)
        self.network.save_state(state)
        write_json(self.resume / "progress.json", asdict(progress))  # from here on this state counts
        for file in self.resume.glob("state-*"):
            if not file.name.startswith(f"{state.name}."):
                file.unlink()

    def _resumed(self) -> Progress | None:
        saved = self.resume / "progress.json"
        if not saved.is_file():
            return None
        progress = Progress(**json.loads(saved.read_text(encoding="utf-8")))
        self.network.load_state(self._state(progress))
        return progress

    def _state(self, progress: Progress) -> Path:
        return self.resume / f"state-{progress.iteration}"


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
