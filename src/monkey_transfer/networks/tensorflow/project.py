"""The DeepLabCut project that a run leaves: DeepLabCut can open it, evaluate it and train it on.

It is written here rather than by ``create_training_dataset``, which downloads ImageNet weights first and truncates
labels to whole pixels (``generate_training_dataset/trainingsetmanipulation.py``, ``format_training_data``).

DeepLabCut hands coordinates to imgaug, whose origin is the corner of the first pixel, not its centre. Coordinates are
therefore shifted by half a pixel on their way in and back on their way out (:data:`CORNER`); with that, a mirrored or
resized label stays on its pixel exactly.
"""

import os
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import scipy.io
from deeplabcut.core.config.project_config import ProjectConfig
from deeplabcut.core.engine import Engine
from deeplabcut.generate_training_dataset import metadata
from deeplabcut.generate_training_dataset.trainingsetmanipulation import MakeTest_pose_yaml, MakeTrain_pose_yaml
from deeplabcut.utils import auxiliaryfunctions

from monkey_transfer.images import picture_size
from monkey_transfer.networks.job import FIT_ROLES, Job, JobFolder
from monkey_transfer.networks.tensorflow.settings import TensorFlowTraining
from monkey_transfer.networks.tensorflow.weights import checkpoint_files

CORNER = 0.5
SCORER = "labels"
SHUFFLE = 1
DATE = "Jan1"  # part of folder names in DeepLabCut; constant, so that a run's files have known names

_TEST_KEYS = (
    *("dataset", "num_joints", "all_joints", "all_joints_names", "net_type", "init_weights", "global_scale"),
    *("location_refinement", "locref_stdev"),
)
# Settings of a profile's training that stand in pose_cfg.yaml as they are.
_POSE_KEYS = {
    *("batch_size", "optimizer", "global_scale", "pos_dist_thresh", "locref_loss_weight"),
    *("intermediate_supervision", "weigh_only_present_joints"),
}
# Said of finished networks only; its defaults hold otherwise.
_TEST_KEYS_OF_FINISHED_NETWORKS = ("stride", "mean_pixel")
# Keys of DeepLabCut's default file that belong to its other loaders.
_OTHER_LOADERS_KEYS = dict.fromkeys(("pre_resize", "crop_size", "max_shift", "crop_sampling"))


class Project:
    """Paths of a DeepLabCut project with one training set (shuffle 1, iteration 0)."""

    def __init__(self, folder: Path, job: Job, training_share: float):
        self.folder = folder
        self.fraction = round(float(training_share), 2)
        self.settings = ProjectConfig(
            Task=job.name,
            scorer=SCORER,
            date=DATE,
            project_path=folder,
            engine="tensorflow",
            bodyparts=list(job.keypoints),
            TrainingFraction=[self.fraction],
            iteration=0,
            default_net_type=job.training.net_type,
            default_augmenter="imgaug",
            snapshotindex=-1,
            pcutoff=0.4,
        )
        self.training_set = folder / auxiliaryfunctions.get_training_set_folder(self.settings)
        model = folder / auxiliaryfunctions.get_model_folder(self.fraction, SHUFFLE, self.settings)
        self.train_config, self.test_config = (model / part / "pose_cfg.yaml" for part in ("train", "test"))

    def snapshot(self, iteration: int) -> Path:
        """Prefix of the checkpoint of that iteration."""
        return self.train_config.with_name(f"snapshot-{iteration}")

    def adopt(self, checkpoint: str) -> None:
        """Make a finished network's checkpoint the project's snapshot 0."""
        own = self.snapshot(0)
        for file in checkpoint_files(checkpoint):
            _link_or_copy(file, own.with_name(file.name.replace(Path(checkpoint).name, own.name, 1)))


def open_project(folder: JobFolder) -> Project:
    """The project in which the job of that folder is trained: the one it goes on in, else a new one.

    A project without the state of a training beside it may be half written, and is written anew.
    """
    job, pictures, joints = folder.read()
    fit = pictures[pictures["role"].isin(FIT_ROLES)].reset_index(drop=True)
    if (folder.resume / "progress.json").is_file():
        return Project(folder.project, job, (fit["role"] == "train").mean())
    return write_project(folder.project, job, fit, joints)


def write_project(folder: Path, job: Job, pictures: pd.DataFrame, joints: pd.DataFrame) -> Project:
    """Write the project anew and return it; what is in ``folder`` is replaced.

    ``pictures`` have the role 'train' or 'validation', and the latter become DeepLabCut's test pictures; ``joints`` are
    the labelled ones, in network pixels (pixel centres).
    """
    train = (pictures["role"] == "train").to_numpy()
    project = Project(folder, job, train.mean())
    shutil.rmtree(folder, ignore_errors=True)
    for part in (project.training_set, project.train_config.parent, project.test_config.parent):
        part.mkdir(parents=True)

    keys = [_place_picture(folder, Path(path)) for path in pictures["path"]]
    positions = _positions(job, pictures["image_id"], joints)
    _write_labels(project, job, keys, positions)
    train_indices, test_indices = np.flatnonzero(train), np.flatnonzero(~train)
    project.settings.to_yaml(folder / "config.yaml")
    data_file, metadata_file = auxiliaryfunctions.get_data_and_metadata_filenames(
        project.training_set.relative_to(folder), project.fraction, SHUFFLE, project.settings
    )
    records = _training_records(folder, [keys[i] for i in train_indices], positions[train_indices])
    scipy.io.savemat(folder / data_file, {"dataset": records})
    auxiliaryfunctions.save_metadata(folder / metadata_file, [], train_indices, test_indices, project.fraction)
    metadata.TrainingDatasetMetadata.create(project.settings).save()
    _write_pose_configs(project, job, str(data_file), str(metadata_file))
    return project


def _place_picture(folder: Path, picture: Path) -> tuple[str, str, str]:
    key = ("labeled-data", picture.parent.name, picture.name)
    folder.joinpath(*key).parent.mkdir(parents=True, exist_ok=True)
    _link_or_copy(picture, folder.joinpath(*key))
    return key


def _link_or_copy(file: Path, name: Path) -> None:
    try:
        os.link(file, name)  # a second name costs no disk
    except OSError:
        shutil.copyfile(file, name)


def _positions(job: Job, image_ids: pd.Series, joints: pd.DataFrame) -> np.ndarray:
    """(pictures, keypoints, 2) in DeepLabCut's coordinates, NaN where a joint is not labelled."""
    wide = joints.pivot(index="image_id", columns="keypoint", values=["x", "y"])
    wide = wide.reindex(index=pd.Index(image_ids), columns=pd.MultiIndex.from_product([["x", "y"], job.keypoints]))
    return np.stack([wide["x"].to_numpy(), wide["y"].to_numpy()], axis=-1) + CORNER


def _write_labels(project: Project, job: Job, keys: list[tuple[str, str, str]], positions: np.ndarray) -> None:
    columns = pd.MultiIndex.from_product([[SCORER], job.keypoints, ["x", "y"]], names=["scorer", "bodyparts", "coords"])
    table = pd.DataFrame(positions.reshape(len(keys), -1), columns=columns, index=pd.MultiIndex.from_tuples(keys))
    file = project.training_set / f"CollectedData_{SCORER}.h5"
    table.to_hdf(file, key="df_with_missing", mode="w")
    table.to_csv(file.with_suffix(".csv"))


def _training_records(folder: Path, keys: list[tuple[str, str, str]], positions: np.ndarray) -> np.ndarray:
    """DeepLabCut's training file with exact coordinates: picture, its size, rows of (joint, x, y)."""
    records = np.empty(len(keys), dtype=[("image", "O"), ("size", "O"), ("joints", "O")])
    for i, (key, points) in enumerate(zip(keys, positions, strict=True)):
        labelled = ~np.isnan(points).any(axis=1)
        cell = np.empty((1, 1), dtype=object)
        cell[0, 0] = np.column_stack([np.flatnonzero(labelled), points[labelled]])
        width, height = picture_size(folder.joinpath(*key))
        records[i] = (np.array([key], dtype="U"), np.array([[3, height, width]]), cell)
    return records


def _write_pose_configs(project: Project, job: Job, data_file: str, metadata_file: str) -> None:
    training = job.training
    assert isinstance(training, TensorFlowTraining)
    default = auxiliaryfunctions.get_deeplabcut_path() / "pose_cfg.yaml"
    own = {
        "dataset": data_file,
        "engine": Engine.TF.aliases[0],
        "metadataset": metadata_file,
        "num_joints": len(job.keypoints),
        "all_joints": [[i] for i in range(len(job.keypoints))],
        "all_joints_names": list(job.keypoints),
        "init_weights": job.checkpoint or "",
        "project_path": str(project.folder),
        "net_type": training.net_type,
        "dataset_type": "imgaug",
        "symmetric_pairs": [[job.keypoints.index(right), job.keypoints.index(left)] for right, left in job.pairs],
        **training.model_dump(include=_POSE_KEYS),
        # DeepLabCut leaves out the weights that this key computes unless this one is set as well.
        "weigh_part_predictions": training.weigh_only_present_joints,
        "multi_step": [list(step) for step in training.multi_step],
        **training.augmentation.model_dump(),
        **(job.finished or {}),
    }
    written = MakeTrain_pose_yaml(own, str(project.train_config), default, _OTHER_LOADERS_KEYS)
    said = [key for key in _TEST_KEYS_OF_FINISHED_NETWORKS if key in written]
    MakeTest_pose_yaml(written, [*_TEST_KEYS, *said], str(project.test_config))
