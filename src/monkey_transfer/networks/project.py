"""The DeepLabCut project that a run leaves: DeepLabCut can open it, evaluate it and train it on.

It is written here rather than by ``create_training_dataset``, which downloads ImageNet weights first and truncates
labels to whole pixels (``generate_training_dataset/trainingsetmanipulation.py``, ``format_training_data``). What that
function reads is there as well, so that somebody may make another training set of the same pictures: labels beside the
pictures of each folder, and the folder's name among the ``video_sets``. Only paths in its ``.yaml`` files are absolute.
"""

import os
import shutil
from abc import ABC, abstractmethod
from dataclasses import replace
from pathlib import Path
from textwrap import fill, indent
from typing import Any, ClassVar, Self

import numpy as np
import pandas as pd
import scipy.io
from deeplabcut.core.config.project_config import ProjectConfig
from deeplabcut.core.engine import Engine
from deeplabcut.generate_training_dataset import metadata
from deeplabcut.utils import auxiliaryfunctions

from monkey_transfer.files import write_text
from monkey_transfer.images import picture_size
from monkey_transfer.networks.job import FIT_ROLES, Job, JobFolder

SCORER = "labels"
SHUFFLE = 1
DATE = "Jan1"  # part of folder names in DeepLabCut; constant, so that a run's files have known names
# Of README.txt: what stands before each line of code, and how the others are broken.
_CODE = "    "
_LINES: dict[str, Any] = {"width": 100, "break_long_words": False, "break_on_hyphens": False}
_LABELS = (
    "labeled-data holds the pictures that it learnt and those on which it was watched meanwhile, with their labels. "
    "config.yaml names their folders as videos, but there are no videos here: what DeepLabCut does with these alone "
    "(extract_frames, for instance) it cannot do."
)
_USAGE = (
    "The following Python, run in this folder, has DeepLabCut evaluate the network, make a training set of its own "
    "(shuffle 2) of the pictures here, and go on training the network on it. New pictures have to be cut out as these "
    "are, or the network meets what it does not know."
)


class Project(ABC):
    """Paths of a DeepLabCut project with one training set (shuffle 1, iteration 0), and how an engine fills it.

    Attributes
    ----------
    engine : DeepLabCut's name of what trains it.
    corner : what an engine's coordinates are larger by than pixel centres.
    stored : the numbers that DeepLabCut can read from its training file; labels stand elsewhere with all their digits.
    usage : Python that evaluates the network and goes on training it on a training set of its own, run in the project's
        folder; for its ``README.txt``.
    """

    engine: ClassVar[Engine]
    corner: ClassVar[float]
    stored: ClassVar[type[float] | type[int]]
    usage: ClassVar[str]

    def __init__(self, folder: Path, job: Job, pictures: pd.DataFrame):
        self.folder, self.job = folder, job
        each = _each_once(pictures)
        self.fraction = round(float((each["role"] == "train").mean()), 2)
        self.settings = ProjectConfig(
            Task=job.name,
            scorer=SCORER,
            date=DATE,
            project_path=folder,
            # Of a path that names no video DeepLabCut takes the last part for the folder below labeled-data.
            video_sets={name: {} for name in sorted({Path(path).parent.name for path in each["path"]})},
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
            return cls(folder.project, job, fit)
        return cls.written(folder.project, job, fit, joints)

    @classmethod
    def written(cls, folder: Path, job: Job, pictures: pd.DataFrame, joints: pd.DataFrame) -> Self:
        """Write the project anew and return it; what is in ``folder`` is replaced.

        ``pictures`` have the role 'train' or 'validation', or are there with both; the latter become DeepLabCut's test
        pictures, which it cannot do without. ``joints`` are the labelled ones, in network pixels (pixel centres).
        """
        project = cls(folder, job, pictures)
        shutil.rmtree(folder, ignore_errors=True)
        for part in (project.training_set, project.model / "train", project.model / "test"):
            part.mkdir(parents=True)

        each = _each_once(pictures)
        each["key"] = pd.Series([_place_picture(folder, Path(path)) for path in each["path"]], each.index)
        each = each.sort_values("key", ignore_index=True)  # the order in which DeepLabCut merges tables of folders
        table = _label_table(job, each, joints, cls.corner)
        _write_table(table, project.training_set)
        for name, rows in table.groupby(level=1):
            _write_table(rows, folder / "labeled-data" / str(name))
        project.settings.to_yaml(folder / "config.yaml")
        data_file, metadata_file = auxiliaryfunctions.get_data_and_metadata_filenames(
            project.training_set.relative_to(folder), project.fraction, SHUFFLE, project.settings
        )
        learnt = pictures[pictures["role"] == "train"].merge(each[["image_id", "key"]], on="image_id")
        positions = joint_positions(job, learnt["image_id"], joints) + cls.corner
        records = _training_records(folder, learnt["key"].tolist(), positions, cls.stored)
        scipy.io.savemat(folder / data_file, {"dataset": records})
        parts = [np.flatnonzero(each["role"] == role) for role in FIT_ROLES]
        auxiliaryfunctions.save_metadata(folder / metadata_file, [], *parts, project.fraction)
        described = metadata.TrainingDatasetMetadata.create(project.settings)
        # DeepLabCut takes every training set for one of TensorFlow's, and would then refuse to analyse with it.
        shuffles = tuple(replace(shuffle, engine=cls.engine) for shuffle in described.shuffles)
        replace(described, shuffles=shuffles).save()
        project.write_pose_configs(str(data_file), str(metadata_file))
        write_text(folder / "README.txt", project.readme())
        return project

    def readme(self) -> str:
        """What somebody who opens the project has to know."""
        said = [self.job.note, _LABELS]
        if self.job.finished is None:
            said += [_USAGE, indent(self.usage.strip(), _CODE)]
        paragraphs = "\n\n".join(filter(None, said)).split("\n\n")
        return "\n\n".join(one if one.startswith(_CODE) else fill(one, **_LINES) for one in paragraphs) + "\n"

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


def _each_once(pictures: pd.DataFrame) -> pd.DataFrame:
    """The pictures as DeepLabCut is told of them, each once: one that is learnt and validated on is a test picture."""
    return pictures.sort_values("role", key=lambda role: role == "validation", kind="stable").drop_duplicates(
        "image_id", keep="last"
    )


def _label_table(job: Job, pictures: pd.DataFrame, joints: pd.DataFrame, corner: float) -> pd.DataFrame:
    """DeepLabCut's table of labels, a row for each picture by its ``key``."""
    columns = pd.MultiIndex.from_product([[SCORER], job.keypoints, ["x", "y"]], names=["scorer", "bodyparts", "coords"])
    positions = joint_positions(job, pictures["image_id"], joints) + corner
    return pd.DataFrame(
        positions.reshape(len(pictures), -1), columns=columns, index=pd.MultiIndex.from_tuples(pictures["key"])
    )


def _write_table(table: pd.DataFrame, folder: Path) -> None:
    file = folder / f"CollectedData_{SCORER}.h5"
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
