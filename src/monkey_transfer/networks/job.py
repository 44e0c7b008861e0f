"""What is handed to the process that trains a network, and what it hands back.

A job is a folder with three files: ``job.json`` (:class:`Job`), ``pictures.parquet`` (image_id, path of the framed
picture, role: 'train', 'validation' or the name of a set to predict; a picture may have several) and ``joints.parquet``
(image_id, keypoint, x, y of the labelled joints, and ``within``, the distance at which a prediction of the joint is
correct; NaN where it is not scored). Coordinates and distances are network pixels: those of the framed picture,
0-based, pixel centres.
"""

import shutil
from pathlib import Path
from typing import Literal

import pandas as pd
from pydantic import BaseModel, ConfigDict

from monkey_transfer.files import write_json
from monkey_transfer.networks.engine import Architecture
from monkey_transfer.networks.engines import AnyTraining

FIT_ROLES = ("train", "validation")


class Job(BaseModel):
    """One network to initialise, train and use.

    Attributes
    ----------
    name : title of the DeepLabCut project that the job leaves.
    keypoints, pairs : the network's outputs in order, and the (right, left) names among them.
    checkpoint : weights to start from, as the engine names them (TensorFlow: a prefix); None for random ones.
    heads : for each keypoint, in order, which output of the checkpoint it starts from; None: from random weights.
        The backbone is restored in any case.
    frozen : number of blocks, counted from the picture, that are not trained.
    keeps : which snapshot the run keeps: the 'best' by validation score, of equal ones that with the least error, or
        the 'last', after all iterations, where validation says nothing.
    finished : None for a network that is trained; otherwise ``checkpoint`` is used as it is, ``training`` only
        names its backbone, and this says what else defines it.
    note : what people are told who open the DeepLabCut project: paragraphs, with an empty line between two.
    """

    model_config = ConfigDict(extra="forbid", frozen=True)

    name: str
    keypoints: tuple[str, ...]
    pairs: tuple[tuple[str, str], ...]
    training: AnyTraining
    checkpoint: str | None
    heads: tuple[int | None, ...]
    frozen: int = 0
    keeps: Literal["best", "last"] = "best"
    seed: int
    finished: Architecture | None = None
    note: str = ""


class JobFolder:
    """Paths inside a run's folder that the training process reads and writes.

    Attributes
    ----------
    job, pictures, joints : what the process is handed.
    project, learning_curve : what stays of the run.
    outcome : what training ended with: chosen snapshot, variables restored, optimiser, timings.
    network_predictions : predictions of every role but 'train', in network pixels, with the role in a column.
    resume : what is needed only to go on with a training.
    log, progress, error : what the process says meanwhile.
    """

    def __init__(self, path: Path):
        self.path = path
        self.job, self.pictures, self.joints = (path / f for f in ("job.json", "pictures.parquet", "joints.parquet"))
        self.project, self.resume = path / "deeplabcut", path / "resume"
        self.learning_curve, self.outcome = path / "learning_curve.csv", path / "outcome.json"
        self.network_predictions = path / "network_predictions.parquet"
        self.log, self.progress, self.error = (path / f for f in ("log.txt", "progress.json", "error.json"))

    def write(self, job: Job, pictures: pd.DataFrame, joints: pd.DataFrame) -> None:
        """Write the three input files; job.json last, so that its presence means the job is whole."""
        self.path.mkdir(parents=True, exist_ok=True)
        pictures.to_parquet(self.pictures)
        joints.to_parquet(self.joints)
        write_json(self.job, job.model_dump(mode="json"))

    def forget_training(self) -> None:
        """Remove what is needed only to go on with a training."""
        # First, so that a kill half way leaves nothing that promises a state which is gone.
        (self.resume / "progress.json").unlink(missing_ok=True)
        shutil.rmtree(self.resume, ignore_errors=True)

    def read(self) -> tuple[Job, pd.DataFrame, pd.DataFrame]:
        """The job, its pictures and its joints."""
        job = Job.model_validate_json(self.job.read_text(encoding="utf-8"))
        return job, pd.read_parquet(self.pictures), pd.read_parquet(self.joints)
