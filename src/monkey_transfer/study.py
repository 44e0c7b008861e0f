"""The study that a profile describes: its data, its splits, its framed pictures and its runs.

This is what notebooks call. Nothing here imports an engine; a run is trained in a process of its
own (:mod:`monkey_transfer.networks`).
"""

import hashlib
import json
import os
import shutil
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path

import numpy as np
import pandas as pd
from tqdm.auto import tqdm

from monkey_transfer import images, runs, skeletons, tables
from monkey_transfer.datasets import open_dataset
from monkey_transfer.datasets.base import Dataset
from monkey_transfer.errors import StudyError
from monkey_transfer.metrics.headline import summary
from monkey_transfer.metrics.matching import Matched, match
from monkey_transfer.networks.imagenet import checkpoint_files, imagenet_checkpoint
from monkey_transfer.networks.job import Job, JobFolder, write_json
from monkey_transfer.networks.supervisor import run_job
from monkey_transfer.profiles import Arm, PersonCrop, Profile, load_profile, runs_folder, validation_size
from monkey_transfer.runs import Run
from monkey_transfer.splits import Split, split_people, training_subset

# Part of every run's digest: raise it when training or prediction would give other results than before.
TRAINING_VERSION = 1

MEAN_POSE = "mean_pose"


@dataclass(frozen=True)
class Study:
    """A profile with its data opened and split.

    Attributes
    ----------
    source, target : the data sets, whole.
    """

    profile: Profile
    source: Dataset
    target: Dataset

    def dataset(self, role: str) -> Dataset:
        """The data set with the role 'source' or 'target'."""
        return {"source": self.source, "target": self.target}[role]

    @cached_property
    def splits(self) -> dict[str, Split]:
        """Split of the source and of the target; the same for all arms."""
        return {role: self._split(role) for role in ("source", "target")}

    def _split(self, role: str) -> Split:
        validation = validation_size(self.profile.largest_training_set(role))
        tested = self.profile.study_data(role).test
        try:
            split = split_people(self.dataset(role).images, tested, validation, self.profile.split_seed)
            training_subset(split, self.profile.largest_training_set(role))  # an error now rather than hours later
        except StudyError as error:
            raise StudyError(f"profile {self.profile.name}, {role} (its test and its arms' images): {error}") from None
        return split

    @cached_property
    def test_people(self) -> Dataset:
        """The test people, the same for every arm."""
        return self.target.subset(self.splits["target"].test)

    @cached_property
    def held_out_source(self) -> Dataset:
        """Source pictures that no arm learns."""
        return self.source.subset(self.splits["source"].test)

    @property
    def rendered(self) -> bool:
        """Whether the results are those of rendered pictures and have to say so."""
        return self.target.rendered

    @property
    def pictures(self) -> str:
        """What kind of pictures the numbers are of, in one word beside each of them."""
        return "rendered" if self.rendered else "photographs"

    @property
    def left_out(self) -> pd.DataFrame:
        """What the files hold and the study does not: data ('source' or 'target'), image_id, keypoint, reason."""
        parts = [self.dataset(role).left_out.assign(data=role) for role in ("source", "target")]
        return pd.concat(parts, ignore_index=True)

    def run(self, arm: str, seed: int) -> Run:
        """The run of that arm and seed, finished or not."""
        return Run(self.profile.name, arm, self.profile.arm(arm).images, seed)

    def runs(self) -> list[Run]:
        """All runs of the study, arm by arm."""
        return [self.run(arm, seed) for arm in self.profile.arms for seed in self.profile.seeds]


def open_study(name: str) -> Study:
    """Load the profile of that name and open its data.

    People without the profile's yardstick cannot be measured and are left out of the target.
    """
    profile = load_profile(name)
    with runs.clear_disk_errors():
        source, target = open_dataset(profile.source.data), open_dataset(profile.target.data)
    try:
        return Study(profile, source, target.measured_by(profile.yardstick))
    except StudyError as error:
        raise StudyError(f"profile {name}: {error}") from None


def train_arm(study: Study, arm_name: str, seed: int) -> Run:
    """Train an arm and let it predict the test pictures, unless the run is there already.

    A run that was killed goes on from where it was. The arm that this one starts from must be finished.

    Raises
    ------
    StudyError
        If weights are missing, training fails or the disk is full; what was trained so far stays.
    """
    run = study.run(arm_name, seed)
    with runs.clear_disk_errors(), runs.only_one(run.folder):
        job, pictures, joints = _job(study, study.profile.arm(arm_name), run)
        specification = _specification(job, pictures, joints, study, run)
        digest = runs.digest_of(specification)
        if runs.has_digest(run.folder, "run.json", digest):
            return run
        folder = JobFolder(run.partial)
        if not runs.has_digest(run.partial, "specification.json", digest):
            shutil.rmtree(run.partial, ignore_errors=True)
            folder.write(job, pictures, joints)
            write_json(run.partial / "specification.json", {"digest": digest, "specification": specification})
        if not folder.outcome.is_file():
            run_job(folder, str(run))
        if not runs.has_digest(run.partial, "run.json", digest):
            _finish(study, run, digest, specification)
        folder.forget_training()
        runs.publish(run)
    return run


def framed(study: Study, role: str, image_ids: tuple[str, ...]) -> pd.DataFrame:
    """The pictures as networks see them, written to disk where they are not there yet.

    Returns
    -------
    DataFrame with image_id, path, and the transform from original to network pixels: scale, dx, dy.
    """
    dataset = study.dataset(role).subset(image_ids)
    frame = {"picture": study.profile.picture.model_dump(), "data": study.profile.study_data(role).data.model_dump()}
    folder = runs_folder() / study.profile.name / "pictures" / f"{role}-{runs.digest_of(frame)[:8]}"
    with runs.clear_disk_errors(), runs.only_one(folder):
        folder.mkdir(parents=True, exist_ok=True)
        index = folder / "transforms.parquet"
        known = pd.read_parquet(index) if index.is_file() else pd.DataFrame({"image_id": [], "made_from": []})
        wanted = dataset.images.assign(made_from=[_origin(row) for row in dataset.images.itertuples()])
        current = set(zip(known["image_id"], known["made_from"], strict=True))
        missing = wanted[[pair not in current for pair in zip(wanted["image_id"], wanted["made_from"], strict=True)]]
        if len(missing):
            kept = known[~known["image_id"].isin(missing["image_id"])]
            known = pd.concat([kept, _frame_pictures(study.profile, missing, folder)], ignore_index=True)
            known.to_parquet(f"{index}.tmp")
            os.replace(f"{index}.tmp", index)
    chosen = known.set_index("image_id").loc[list(image_ids)].reset_index()
    return chosen.assign(path=[str(folder / f"{i}.png") for i in image_ids])


def _origin(row) -> str:
    """What a framed picture was made from: another file, or another box, and it has to be made anew."""
    file = Path(row.path)
    if not file.is_file():
        raise StudyError(f"{file}: there is no such picture: restore it or take it out of the labels")
    found = file.stat()
    return f"{found.st_size}:{found.st_mtime_ns}:{row.bbox_x}:{row.bbox_y}:{row.bbox_w}:{row.bbox_h}"


def _frame_pictures(profile: Profile, table: pd.DataFrame, folder: Path) -> pd.DataFrame:
    """Frame every picture of an images table; returns image_id, made_from, scale, dx, dy."""

    def one(row) -> tuple[str, str, float, float, float]:
        picture = images.read_picture(row.path)
        if picture.shape[:2] != (row.height, row.width):
            raise StudyError(
                f"{row.path}: is {picture.shape[1]} x {picture.shape[0]} pixels, but its labels are for "
                f"{row.width} x {row.height}: restore the picture that was labelled"
            )
        if isinstance(profile.picture, PersonCrop):
            box = (row.bbox_x, row.bbox_y, row.bbox_w, row.bbox_h)
            try:
                cut, transform = images.crop_person(picture, box, profile.picture.person, profile.picture.size)
            except StudyError as error:
                raise StudyError(f"{row.path}: {error}") from None
        else:
            cut, transform = images.letterbox(picture, profile.picture.size)
        images.write_picture(folder / f"{row.image_id}.png", cut)
        return row.image_id, row.made_from, transform.scale, transform.dx, transform.dy

    with ThreadPoolExecutor(os.cpu_count()) as pool:  # decoding and resampling release the interpreter
        done = pool.map(one, table.itertuples())
        rows = list(tqdm(done, total=len(table), desc="framing pictures", disable=len(table) < 500, mininterval=5))
    return pd.DataFrame(rows, columns=["image_id", "made_from", "scale", "dx", "dy"])


def in_network_pixels(table: pd.DataFrame, transforms: pd.DataFrame) -> pd.DataFrame:
    """Labels or predictions in original pixels, brought to network pixels."""
    scale, dx, dy = _transform_of_rows(table, transforms)
    return table.assign(x=table.x * scale + dx, y=table.y * scale + dy)


def in_original_pixels(table: pd.DataFrame, transforms: pd.DataFrame) -> pd.DataFrame:
    """Labels or predictions in network pixels, brought to original pixels."""
    scale, dx, dy = _transform_of_rows(table, transforms)
    return table.assign(x=(table.x - dx) / scale, y=(table.y - dy) / scale)


def _transform_of_rows(table: pd.DataFrame, transforms: pd.DataFrame) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    rows = transforms.set_index("image_id").loc[table["image_id"], ["scale", "dx", "dy"]].to_numpy()
    return rows[:, 0], rows[:, 1], rows[:, 2]


def mean_pose(study: Study) -> pd.DataFrame:
    """Predictions for the test people by someone who never looks: the training people's mean pose.

    Every joint is predicted where it is on average in the framed pictures of the people that
    ``transfer`` learns; the likelihood is 1. It is the floor that any network must beat.
    """
    ids = training_subset(study.splits["target"], study.profile.arm("transfer").images)
    labels = study.target.subset(ids).labels
    mean = (
        in_network_pixels(labels[labels["labelled"]], framed(study, "target", ids))
        .groupby("keypoint")[["x", "y"]]
        .mean()
    )
    people = framed(study, "target", study.splits["target"].test)
    everywhere = people[["image_id"]].merge(mean.reset_index(), how="cross").assign(likelihood=1.0)
    return in_original_pixels(everywhere, people)


def matched(study: Study, predictions: pd.DataFrame) -> Matched:
    """Predictions on the test people beside their labels, measured in the profile's yardstick."""
    people = study.test_people
    return match(people.labels, predictions, people.reference_lengths, study.profile.yardstick, people.images)


def matched_on_source(study: Study, run: Run) -> Matched:
    """Predictions of an arm on the held-out source pictures beside their labels, in the macaque study's yardstick.

    That is the length of the animal's bounding box (Labuguen et al. 2021; paper, section 2.1).
    """
    held_out = study.held_out_source
    predictions = run.source_predictions()
    return match(held_out.labels, predictions, held_out.reference_lengths, "bbox_length", held_out.images)


def _job(study: Study, arm: Arm, run: Run) -> tuple[Job, pd.DataFrame, pd.DataFrame]:
    """The job of a run, its pictures (image_id, path, role) and its labelled joints in network pixels."""
    role = arm.learns
    split = study.splits[role]
    parts = [
        (role, "train", training_subset(split, arm.images)),
        (role, "validation", split.validation[: validation_size(arm.images)]),
        ("target", "test", study.splits["target"].test),
    ]
    if role == "source":
        parts.append(("source", "source_test", split.test))
    pictures = pd.concat([framed(study, of, ids).assign(role=part) for of, part, ids in parts], ignore_index=True)
    fit = pictures[pictures["role"].isin(("train", "validation"))]
    labels = study.dataset(role).subset(fit["image_id"]).labels
    joints = in_network_pixels(labels[labels["labelled"]], fit)[["image_id", "keypoint", "x", "y"]]
    skeleton = study.dataset(role).skeleton
    job = Job(
        name=f"{run.arm}-{run.profile}",
        keypoints=skeleton.keypoints,
        pairs=skeleton.pairs,
        training=arm.training,
        checkpoint=_checkpoint(study, arm, run),
        restore=arm.restore,
        frozen=arm.frozen,
        seed=run.seed,
    )
    return job, pictures[["image_id", "path", "role"]], joints


def _checkpoint(study: Study, arm: Arm, run: Run) -> str | None:
    if arm.parent:
        return str(study.run(arm.parent, run.seed).snapshot())
    if arm.init == "imagenet":
        return imagenet_checkpoint(study.profile, arm.training.net_type)
    return None


def _specification(job: Job, pictures: pd.DataFrame, joints: pd.DataFrame, study: Study, run: Run) -> dict:
    """All that a run's results depend on."""
    weights = [_file_digest(file) for file in checkpoint_files(job.checkpoint)] if job.checkpoint else None
    return {
        "training_version": TRAINING_VERSION,
        # without defaults, so that a new key that leaves things as they were does not outdate finished runs
        "arm": study.profile.arm(run.arm).model_dump(mode="json", exclude_defaults=True),
        "seed": run.seed,
        "keypoints": job.keypoints,
        "picture": study.profile.picture.model_dump(),
        "initial_weights": weights,
        "data": _data_digest(pictures, joints),
    }


def _finish(study: Study, run: Run, digest: str, specification: dict) -> None:
    """Turn what the training process left into a finished run."""
    folder = JobFolder(run.partial)
    predicted = pd.read_parquet(folder.network_predictions)
    people = _predictions(predicted, "test", framed(study, "target", study.splits["target"].test))
    names = skeletons.mapping(study.dataset(study.profile.arm(run.arm).learns).skeleton, study.target.skeleton)
    people = people[people["keypoint"].isin(names)]
    people = people.assign(keypoint=people["keypoint"].map(names))
    people.to_parquet(run.partial / "predictions.parquet")
    if study.profile.arm(run.arm).learns == "source":
        transforms = framed(study, "source", study.splits["source"].test)
        _predictions(predicted, "source_test", transforms).to_parquet(run.partial / "source_predictions.parquet")
    write_json(run.partial / "metrics.json", summary(matched(study, people)))
    manifest = {
        "digest": digest,
        "run": {"profile": run.profile, "arm": run.arm, "images": run.images, "seed": run.seed},
        "rendered": study.rendered,
        "specification": specification,
        "outcome": json.loads(folder.outcome.read_text(encoding="utf-8")),
        **runs.environment(),
    }
    for config in folder.project.rglob("*.yaml"):
        moved = config.read_text(encoding="utf-8").replace(str(run.partial), str(run.folder))
        config.write_text(moved, encoding="utf-8")
    write_json(run.partial / "run.json", manifest)  # last: its presence says that the run is whole


def _predictions(predicted: pd.DataFrame, role: str, transforms: pd.DataFrame) -> pd.DataFrame:
    rows = predicted[predicted["role"] == role].drop(columns="role")
    return tables.check(in_original_pixels(rows, transforms), tables.PREDICTIONS, f"predictions of {role}")


def _data_digest(pictures: pd.DataFrame, joints: pd.DataFrame) -> str:
    """sha256 over the framed pictures' bytes, their roles and their joints."""
    digest = hashlib.sha256()
    for picture in pictures.itertuples():
        digest.update(f"{picture.image_id}:{picture.role}:".encode())
        digest.update(Path(str(picture.path)).read_bytes())
    digest.update(pd.util.hash_pandas_object(joints, index=False).to_numpy().tobytes())
    return digest.hexdigest()


def _file_digest(file: Path) -> str:
    with file.open("rb") as opened:
        return hashlib.file_digest(opened, "sha256").hexdigest()
