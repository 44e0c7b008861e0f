"""What the study asks of an engine, and what a profile says of training on any.

An engine trains and runs networks. It is a folder of this package with one :class:`Engine` object, which
:mod:`monkey_transfer.networks.engines` lists. Everything here loads without it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import TYPE_CHECKING, Any, ClassVar, Literal, NamedTuple, Protocol

import numpy as np
import pandas as pd

from monkey_transfer.networks.prediction import predictions_of
from monkey_transfer.progress import Report
from monkey_transfer.settings import PathName, Positive, Probability, Settings
from monkey_transfer.skeletons import Skeleton

if TYPE_CHECKING:
    from monkey_transfer.networks.job import Job, JobFolder

# What defines a network besides its backbone and joints, by the names that its engine gives it.
Architecture = dict[str, bool | int | float | list[float]]


class StopRule(Settings):
    """When training ends before its last iteration.

    ``validation_plateau``: the mean error on the validation people has not fallen by ``min_improvement`` (relative)
    for ``patience`` validations in a row. ``training_loss_plateau``: the same of the training loss, which is the
    paper's rule (section 2.3: "halted when the loss began to plateau").
    """

    rule: Literal["validation_plateau", "training_loss_plateau", "none"] = "none"
    patience: Positive = 5
    min_improvement: Probability = 0.01


class Training(Settings):
    """How a network is trained, as far as all engines share it; each adds its own keys, and its own defaults."""

    engine: str
    net_type: str
    iterations: Positive
    batch_size: Positive
    validate_every: Positive = 1000
    stop: StopRule = StopRule()
    # Which snapshot a run keeps: the best by validation, or the last, where few people say little of which is best.
    keeps: Literal["best", "last"] = "best"
    optimizer: str
    # A file of ImageNet weights, in place of those that the engine finds or fetches itself.
    imagenet: PathName | None = None

    def rate(self, iteration: int) -> float:
        """The learning rate at an iteration, counted from 0."""
        raise NotImplementedError

    @property
    def heads_built_by(self) -> dict[str, Any]:
        """What heads are built by besides the joints; only between networks in which it is equal are they restored."""
        return {}

    def refuse(self, width: int, height: int) -> None:
        """Raise ValueError if no network can be trained like this on pictures of so many pixels."""


class PublishedNetwork(NamedTuple):
    """A finished network that its authors published; no two engines have one of the same init.

    ``net_types`` are the backbones that there are weights of; ``trained_on`` says on what, as far as it is known;
    ``may_know_people`` why the study's test people may be among that, empty if they cannot; ``knows_none_of`` the
    formats of data whose people cannot; ``publisher`` whose it is. ``crop`` is how it expects a person, if in one way
    only: the side of a square and of it the longer side of the person's box, in pixels. ``heads_built_by`` as of
    :class:`Training`.
    """

    net_types: tuple[str, ...]
    skeleton: Skeleton
    trained_on: str
    may_know_people: str = ""
    knows_none_of: tuple[str, ...] = ()
    publisher: str = "DeepLabCut's model zoo"
    crop: tuple[int, int] | None = None
    heads_built_by: Mapping[str, Any] = MappingProxyType({})


class PublishedFiles(NamedTuple):
    """A published network on this disk: its weights, as :class:`~monkey_transfer.networks.job.Job` names them, its
    outputs in the order of its heads, and what else its files say of it (the engine's defaults hold for the rest)."""

    weights: str
    keypoints: tuple[str, ...]
    architecture: Architecture


@dataclass(frozen=True)
class Restored:
    """How many of a network's variables came from which weights, and of how many joints the heads did."""

    checkpoint: str | None
    backbone: int
    backbone_total: int
    heads: int
    heads_total: int
    joints: int
    joints_total: int


class Network(Protocol):
    """A network that finds keypoints; only in the process that :mod:`monkey_transfer.networks.child` runs."""

    keypoints: list[str]

    def poses(self, pictures: np.ndarray) -> np.ndarray:
        """(n, keypoints, 3): x, y in network pixels (pixel centres) and likelihood, for n RGB pictures (n, h, w, 3).

        It may be called from several threads.
        """

    def predict(self, pictures: pd.DataFrame, report: Report = lambda *_: None) -> pd.DataFrame:
        """The poses in files: :func:`monkey_transfer.networks.prediction.predictions_of`."""
        return predictions_of(pictures, self.keypoints, self.poses, report)


class Trainable(Network, Protocol):
    """A network of a job that can be trained: the same job and seed give the same bits.

    Attributes
    ----------
    workers : how many threads may draw batches at a time.
    """

    job: "Job"
    workers: int

    def initialise(self) -> tuple[Restored, list[str], int]:
        """Set the initial weights: what was restored, which blocks are frozen, how many norm layers calibrated."""

    def batch(self, iteration: int) -> Any:
        """The batch of that iteration (from 0), a function of seed and iteration alone."""

    def digest(self) -> str:
        """sha256 over the first batches' pictures and targets: same digest, same training data."""

    def update(self, batch: Any, rate: float) -> float:
        """Learn a batch at that rate; returns its loss, which may be infinite or no number."""

    def save_snapshot(self, iteration: int) -> None:
        """Keep the present weights where :meth:`Engine.snapshot` finds them."""

    def load_snapshot(self, iteration: int) -> None:
        """Bring back the weights of a snapshot."""

    def drop_snapshots_but(self, iteration: int) -> None:
        """Remove all other snapshots."""

    def save_state(self, prefix: Path) -> None:
        """Write all that a resumed training needs to files whose names begin with that of ``prefix`` and a dot."""

    def load_state(self, prefix: Path) -> None:
        """Go on from there."""


class Engine(Protocol):
    """What trains and runs networks. Only :meth:`trainable`, :meth:`finished` and :meth:`refuse_weights` load packages.

    Attributes
    ----------
    name : in profiles and specifications.
    version : part of every run's digest: raised when training or prediction would give other results than before.
    settings : what a profile may say below ``training``; its defaults are the engine's own.
    published : finished networks by the init of the arms that start from them, such as ``zoo:full_human``.
    packages : distributions whose versions a run records.
    environment : variables of every process in which the engine runs.
    """

    name: ClassVar[str]
    version: ClassVar[int]
    settings: ClassVar[type[Training]]
    published: ClassVar[Mapping[str, PublishedNetwork]]
    packages: ClassVar[tuple[str, ...]]
    environment: ClassVar[Mapping[str, str]]

    def blocks(self, net_type: str) -> tuple[str, ...]:
        """The blocks of a backbone as its authors named them, from the picture on; none if it cannot be trained."""

    def threads(self, count: int) -> dict[str, str]:
        """Variables that make a process compute on that many cores."""

    def imagenet(self, training: Training, /) -> str:
        """ImageNet weights of a backbone: named by its settings, by the machine, or fetched; StudyError if not."""

    def archive(self, init: str, training: Training) -> str | None:
        """The archive (:mod:`monkey_transfer.acquire.archives`) that an arm's init comes from, if from any."""

    def published_files(self, init: str, net_type: str) -> PublishedFiles:
        """A published network in the data folder, fetched if need be; StudyError if it is not whole."""

    def weight_files(self, weights: str, /) -> list[Path]:
        """The files of some weights, whose content goes into a run's digest; empty if they are not there."""

    def refuse_weights(self, weights: str, net_type: str) -> None:
        """Raise StudyError if weights cannot be read or hold nothing of that backbone."""

    def refuse_machine(self, training: Training) -> None:
        """Raise ValueError if this machine cannot train like that."""

    def snapshot(self, run: Path, iteration: int) -> str | None:
        """The weights that a run's folder keeps of that iteration; None if they are not there."""

    def trainable(self, folder: "JobFolder") -> Trainable:
        """The network of a job, in the DeepLabCut project that the job leaves; new or to be resumed."""

    def finished(self, folder: "JobFolder") -> tuple[Network, Restored]:
        """A finished network, in a DeepLabCut project of its own if DeepLabCut can open it."""
