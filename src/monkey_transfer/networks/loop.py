"""The training loop: order, schedule, validation, stop rules and resuming, the same for every engine.

Given weights and batches that follow from seed and iteration, a training that is killed at any moment and resumed ends
as the straight one does.
"""

import json
import math
import time
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import numpy as np
import pandas as pd

from monkey_transfer.errors import StudyError
from monkey_transfer.files import write_json
from monkey_transfer.networks.engine import Restored, StopRule, Trainable

_AHEAD = 8
# Of so many batches an engine's digest is: the first ones.
DIGEST_BATCHES = 20


@dataclass
class Progress:
    """How far a training is; all that a resumed one needs besides the weights."""

    iteration: int = 0
    seconds: float = 0.0
    stopped_by: str = ""
    curve: list[dict[str, Any]] = field(default_factory=list)


class Validation(NamedTuple):
    """How good the present weights are on the validation pictures."""

    validation_error: float  # mean distance in network pixels
    validation_score: float  # percentage of scored joints that are correct, the PCK that is reported; NaN without any


@dataclass(frozen=True)
class Outcome:
    """What a training ended with; the defaults are those of a finished network, which is not trained."""

    validation_error: float
    validation_score: float
    restored: Restored
    chosen_iteration: int = 0
    iterations: int = 0
    stopped_by: str = "learns nothing"
    seconds: float = 0.0
    optimizer: str = "none"
    frozen_blocks: list[str] = field(default_factory=list)
    calibrated_layers: int = 0
    first_batches_digest: str = ""


def drawn_ahead(draw: Callable[[int], Any], first: int, end: int, workers: int) -> Iterator[Any]:
    """``draw(first)`` to ``draw(end - 1)`` in order, drawn ahead by so many threads; by none, when their turn comes.

    What goes wrong in a thread is raised here.
    """
    if not workers:
        yield from map(draw, range(first, end))
        return
    ahead: deque[Future] = deque()
    with ThreadPoolExecutor(workers) as pool:
        for following in range(first, end + _AHEAD):
            if following < end:
                ahead.append(pool.submit(draw, following))
            if following >= first + _AHEAD:
                yield ahead.popleft().result()


@dataclass(frozen=True)
class Trainer:
    """Trains a network; ``resume`` is the folder for what a killed training needs to go on."""

    network: Trainable
    resume: Path
    report: Callable[[int, float], None]  # called with the iteration and its loss after each

    def run(self, validate: Callable[[], Validation]) -> Outcome:
        """Train until the last iteration or the stop rule; keep the snapshot that is :func:`best_of` all.

        ``validate`` is of the present weights. StudyError if the loss or the validation error is no longer a number, or
        the initial weights do not fit.
        """
        network, job, training = self.network, self.network.job, self.network.job.training
        restored, frozen, calibrated = network.initialise()
        digest = network.digest()
        progress = self._resumed() or Progress()
        started = time.monotonic() - progress.seconds
        losses: list[float] = []
        batches = drawn_ahead(network.batch, progress.iteration, training.iterations, network.workers)
        while progress.iteration < training.iterations and not progress.stopped_by:
            losses.append(network.update(next(batches), training.rate(progress.iteration)))
            if not math.isfinite(losses[-1]):
                raise StudyError(
                    f"the training loss is infinite or no number at iteration {progress.iteration}: lower the "
                    "learning rates of training"
                )
            progress.iteration += 1
            self.report(progress.iteration, losses[-1])
            if progress.iteration % training.validate_every == 0 or progress.iteration == training.iterations:
                progress.seconds = time.monotonic() - started
                self._record(progress, float(np.mean(losses)), validate())
                # Of a validation error that means nothing no rule can be made; the training loss does mean something.
                if job.keeps == "best" or training.stop.rule == "training_loss_plateau":
                    progress.stopped_by = plateau(progress.curve, training.stop)
                self._save_for_resume(progress)
                losses.clear()
        chosen = self._chosen(progress)
        network.drop_snapshots_but(chosen["iteration"])
        return Outcome(
            chosen_iteration=chosen["iteration"],
            validation_error=chosen["validation_error"],
            validation_score=chosen["validation_score"],
            iterations=progress.iteration,
            stopped_by=progress.stopped_by or "iterations",
            seconds=progress.seconds,
            optimizer=training.optimizer,
            restored=restored,
            frozen_blocks=frozen,
            calibrated_layers=calibrated,
            first_batches_digest=digest,
        )

    def _record(self, progress: Progress, loss: float, validated: Validation) -> None:
        error, score = validated
        if not math.isfinite(error):
            raise StudyError(
                f"the validation error is {error} at iteration {progress.iteration}: lower the learning rates of "
                "training, or label joints of the validation pictures if there are none"
            )
        progress.curve.append(
            {
                "iteration": progress.iteration,
                "training_loss": loss,
                **validated._asdict(),
                "learning_rate": self.network.job.training.rate(progress.iteration - 1),
                "seconds": round(progress.seconds, 2),
            }
        )
        print(
            f"iteration {progress.iteration}: loss {loss:.5f}, validation error {error:.3f} px, score {score:.2f} %",
            flush=True,
        )
        if self._chosen(progress) is progress.curve[-1]:
            self.network.save_snapshot(progress.iteration)

    def _chosen(self, progress: Progress) -> dict[str, Any]:
        """The row of the curve whose snapshot is kept."""
        return progress.curve[-1] if self.network.job.keeps == "last" else best_of(progress.curve)

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
        found = json.loads(saved.read_text(encoding="utf-8"))
        progress = Progress(found["iteration"], found["seconds"], found["stopped_by"], found["curve"])
        self.network.load_state(self._state(progress))
        return progress

    def _state(self, progress: Progress) -> Path:
        return self.resume / f"state-{progress.iteration}"


def best_of(curve: list[dict[str, Any]]) -> dict[str, Any]:
    """The row with the best validation score, of equal ones that with the least error, of equal ones the first.

    Where nothing is scored no score is a number, and the error decides alone.
    """
    return max(curve, key=lambda row: (np.nan_to_num(row["validation_score"], nan=-np.inf), -row["validation_error"]))


def plateau(curve: list[dict[str, float]], stop: StopRule) -> str:
    """The stop rule's name once its curve is flat, else ''.

    Flat: none of the last ``patience`` values is lower than the lowest before by more than ``min_improvement`` of it.
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
