"""The DeepLabCut project that a run leaves: DeepLabCut can open it, evaluate it and train it on.

It is written here rather than by ``create_training_dataset``, which downloads ImageNet weights first and truncates
labels to whole pixels (``generate_training_dataset/trainingsetmanipulation.py``, ``format_training_data``).
"""

import os
import shutil
from abc import ABC, abstractmethod
from dataclasses import replace
from pathlib import Path
from typing import ClassVar, Self

import numpy as np
import pandas as pd
import scipy.io
from deeplabcut.core.config.project_config import ProjectConfig
from deeplabcut.core.engine import Engine
from deeplabcut.generate_training_dataset import metadata
from deeplabcut.utils import auxiliaryfunctions

from monkey_transfer.images import picture_size
from monkey_transfer.networks.job import FIT_ROLES, Job, JobFolder

SCORER = "labels"
SHUFFLE = 1
DATE = "Jan1"  # part of folder names in DeepLabCut; constant, so that a run's files have known names


class Project(ABC):
    """Paths of a DeepLabCut project with one training set (shuffle 1, iteration 0), and how an engine fills it.

    Attributes
    ----------
    engine : DeepLabCut's name of what trains it.
    corner : what an engine's coordinates are larger by than pixel centres.
    stored : the numbers that DeepLabCut can read from its training file; labels stand elsewhere with all their digits.
    """

    engine: ClassVar[Engine]
    corner: ClassVar[float]
    stored: ClassVar[type[float] | type[int]]

    def __init__(self, folder: Path, job: Job, training_share: float):
        self.folder, self.job = folder, job
        self.fraction = round(float(training_share), 2)
        self.settings = ProjectConfig(
            Task=job.name,
            scorer=SCORER,
            date=DATE,
            project_path=folder,
            engine=self.engine.aliases[0],
            bodyparts=list(job.keypoints),
            TrainingFraction=[self.fraction],
            iteration=0,
            default_net_type=self.net_type,
            default_augmenter=self.augmenter,
            snapshotindex=-1,
            pcutoff=0.4,
        )
        self.training_set = folder / auxiliaryfunctions.get_training_set_folder(self.settings)
        self.model = folder / auxiliaryfunctions.get_model_folder(
            self.fraction, SHUFFLE, self.settings, engine=self.engine
        )

    @classmethod
    def opened(cls, folder: JobFolder) -> Self:
        """The project in which the job of that folder is trained: the one it goes on in, else a new one.

        A project without the state of a training beside it may be half written, and is written anew.
        """
        job, pictures, joints = folder.read()
        fit = pictures[pictures["role"].isin(FIT_ROLES)].reset_index(drop=True)
        if (folder.resume / "progress.json").is_file():
            return cls(folder.project, job, (fit["role"] == "train").mean())
        return cls.written(folder.project, job, fit, joints)

    @classmethod
    def written(cls, folder: Path, job: Job, pictures: pd.DataFrame, joints: pd.DataFrame) -> Self:
        """Write the project anew and return it; what is in ``folder`` is replaced.

        ``pictures`` have the role 'train' or 'validation', and the latter become DeepLabCut's test pictures; ``joints``
        are the labelled ones, in network pixels (pixel centres).
        """
        train = (pictures["role"] == "train").to_numpy()
        project = cls(folder, job, train.mean())
        shutil.rmtree(folder, ignore_errors=True)
        for part in (project.training_set, project.model / "train", project.model / "test"):
            part.mkdir(parents=True)

        keys = [_place_picture(folder, Path(path)) for path in pictures["path"]]
        positions = joint_positions(job, pictures["image_id"], joints) + cls.corner
        _write_labels(project, job, keys, positions)
        train_indices, test_indices = np.flatnonzero(train), np.flatnonzero(~train)
        project.settings.to_yaml(folder / "config.yaml")
        data_file, metadata_file = auxiliaryfunctions.get_data_and_metadata_filenames(
            project.training_set.relative_to(folder), project.fraction, SHUFFLE, project.settings
        )
        records = _training_records(folder, [keys[i] for i in train_indices], positions[train_indices], cls.stored)
        scipy.io.savemat(folder / data_file, {"dataset": records})
        auxiliaryfunctions.save_metadata(folder / metadata_file, [], train_indices, test_indices, project.fraction)
        described = metadata.TrainingDatasetMetadata.create(project.settings)
        # DeepLabCut takes every training set for one of TensorFlow's, and would then refuse to analyse with it.
        shuffles = tuple(replace(shuffle, engine=cls.engine) for shuffle in described.shuffles)
        replace(described, shuffles=shuffles).save()
        project.write_pose_configs(str(data_file), str(metadata_file))
        return project

    @property
    @abstractmethod
    def net_type(self) -> str:
        """The network's name among DeepLabCut's."""

    @property
    @abstractmethod
    def augmenter(self) -> str:
        """DeepLabCut's name of what varies pictures."""

    @abstractmethod
    def snapshot(self, iteration: int) -> Path:
        """The weights of that iteration, as the engine names them."""

    @abstractmethod
    def write_pose_configs(self, data_file: str, metadata_file: str) -> None:
        """Write the files from which DeepLabCut builds the network."""


def joint_positions(job: Job, image_ids: pd.Series, joints: pd.DataFrame) -> np.ndarray:
    """(pictures, keypoints, 2) in network pixels (pixel centres), NaN where a joint is not labelled."""
    wide = joints.pivot(index="image_id", columns="keypoint", values=["x", "y"])
    wide = wide.reindex(index=pd.Index(image_ids), columns=pd.MultiIndex.from_product([["x", "y"], job.keypoints]))
    return np.stack([wide["x"].to_numpy(), wide["y"].to_numpy()], axis=-1)


def link_or_copy(file: Path, name: Path) -> None:
    """Give a file a second name, which costs no disk, or copy it where it cannot have one."""
    try:
        os.link(file, name)
    except OSError:
        shutil.copyfile(file, name)


def _place_picture(folder: Path, picture: Path) -> tuple[str, str, str]:
    key = ("labeled-data", picture.parent.name, picture.name)
    folder.joinpath(*key).parent.mkdir(parents=True, exist_ok=True)
    link_or_copy(picture, folder.joinpath(*key))
    return key


def _write_labels(project: Project, job: Job, keys: list[tuple[str, str, str]], positions: np.ndarray) -> None:
    columns = pd.MultiIndex.from_product([[SCORER], job.keypoints, ["x", "y"]], names=["scorer", "bodyparts", "coords"])
    table = pd.DataFrame(positions.reshape(len(keys), -1), columns=columns, index=pd.MultiIndex.from_tuples(keys))
    file = project.training_set / f"CollectedData_{SCORER}.h5"
    table.to_hdf(file, key="df_with_missing", mode="w")
    table.to_csv(file.with_suffix(".csv"))


def _training_records(
    folder: Path, keys: list[tuple[str, str, str]], positions: np.ndarray, stored: type
) -> np.ndarray:
    """DeepLabCut's training file: picture, its size, rows of (joint, x, y)."""
    records = np.empty(len(keys), dtype=[("image", "O"), ("size", "O"), ("joints", "O")])
    for i, (key, points) in enumerate(zip(keys, positions, strict=True)):
        labelled = ~np.isnan(points).any(axis=1)
        cell = np.empty((1, 1), dtype=object)
        cell[0, 0] = np.column_stack([np.flatnonzero(labelled), points[labelled]]).astype(stored)
        width, height = picture_size(folder.joinpath(*key))
        records[i] = (np.array([key], dtype="U"), np.array([[3, height, width]]), cell)
    return records
