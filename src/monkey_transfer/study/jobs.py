"""What a run is given: pictures, joints, initial weights, and the specification of all that its results depend on."""

import hashlib
import shutil
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from statistics import median
from typing import NamedTuple

import numpy as np
import pandas as pd

from monkey_transfer import skeletons, tables
from monkey_transfer.datasets.base import Dataset
from monkey_transfer.datasets.pictures import in_network_pixels
from monkey_transfer.errors import StudyError
from monkey_transfer.files import only_one, sha256_of
from monkey_transfer.metrics import pckh
from monkey_transfer.metrics.matching import CORRECT_WITHIN
from monkey_transfer.networks.engine import Engine
from monkey_transfer.networks.engines import engine_of
from monkey_transfer.networks.job import FIT_ROLES, Job, JobFolder
from monkey_transfer.profiles.arms import BEST, Arm
from monkey_transfer.profiles.framing import Framing, PersonCrop, ScaledPerson, WholePicture
from monkey_transfer.study import runs
from monkey_transfer.study.opening import Study
from monkey_transfer.study.runs import Best, Run

# Of what a README.txt says in the DeepLabCut project of a run.
_OF_EVERYBODY = (
    "This network has learnt all labelled pictures. Those that DeepLabCut calls test pictures are among them, so their "
    "errors say nothing of other people."
)
_SEES_PICTURES = (
    "This network sees whole pictures, scaled into {width} x {height} pixels and padded, as they are in labeled-data. "
    "deeplabcut.analyze_videos does not scale frames, so scale them like that before."
)
# The shares are of an EfficientNet-Lite0, trained on crops of 160 pixels with people of 125.
_SEES_CROPS = (
    "This network sees squares of {size} x {size} pixels cut out around one person, in which {person}, as they are in "
    "labeled-data. deeplabcut.analyze_videos gives it whole frames instead. It then finds next to nothing, and neither "
    "says so: of the very pictures that it had learnt, such a network found 64.6 % of the joints (PCK@0.2 by torso) in "
    "its crops, 28.3 % where the same people were in frames of 320 pixels, 2.3 % in frames of 640 and 0.4 % of 1920, "
    "with median likelihoods of 0.84 to 0.96."
)
_FOLLOWS = "What cuts the frames of a video out around the person is, in the study's folder:"


class Part(NamedTuple):
    """Pictures of a run: of which data set, and in which role of its job."""

    of: str
    role: str
    image_ids: tuple[str, ...]


def given_to(study: Study, run: Run) -> list[Part]:
    """All pictures of a run: what it learns, what it holds out, and what it predicts.

    The one that learns everybody holds nobody out. It is watched on people whom it learns, those that decide when a run
    of its arm stops: that shows whether the training fails, and DeepLabCut cannot do without test pictures.
    """
    arm = study.profile.arm(run.arm)
    learnt = "target" if arm.learns == "nothing" else arm.learns
    draw = study.draw(learnt, run.seed)
    if isinstance(run, Best):
        train = tuple(sorted(study.target.images["image_id"]))
    else:
        train = draw.training_subset(run.images) if run.images else ()
    parts = [
        Part(learnt, "train", train),
        Part(learnt, "validation", draw.validation[: study.profile.validation_size(run.arm, run.images)]),
        *predicted(study, run),
    ]
    return [part for part in parts if part.image_ids]


def job_of(study: Study, run: Run) -> tuple[Job, pd.DataFrame, pd.DataFrame]:
    """The job of a run, its pictures (image_id, path, role) and its labelled joints in network pixels."""
    arm, framing = study.profile.arm(run.arm).at(run.images), study.profile.framing(run.arm)
    training, given = arm.training, given_to(study, run)
    if isinstance(run, Best):  # no plateau of a validation can end it, so it goes as far as that led the others
        iterations = median(one.manifest()["outcome"]["iterations"] for one in study.witnesses(run))
        training = training.model_copy(update={"iterations": round(iterations), "keeps": "last"})
    role = given[0].of
    pictures = pd.concat(
        [study.framed(part.of, part.image_ids, framing).assign(role=part.role) for part in given], ignore_index=True
    )
    fit = pictures[pictures["role"].isin(FIT_ROLES)].drop_duplicates("image_id")
    labels = study.dataset(role).subset(fit["image_id"]).labels
    skeleton = study.skeleton(run.arm)
    named = labels["keypoint"].map(skeletons.mapping(study.dataset(role).skeleton, skeleton))
    labels = labels.assign(keypoint=named)[labels["labelled"] & named.notna()]
    job = Job(
        name=f"{run.arm}-{run.profile}",
        keypoints=_keypoints(study, run.arm),
        pairs=skeleton.pairs,
        training=training,
        finished=arm.published_files.architecture if arm.learns == "nothing" else None,
        checkpoint=_checkpoint(study, arm, run),
        heads=_heads(study, run.arm),
        frozen=arm.frozen_blocks,
        keeps="last" if arm.names == "shuffled" else training.keeps,
        seed=run.seed,
        note=_note(run, framing),
    )
    within = _correct_within(study.dataset(role), study.profile.yardstick if role == "target" else "bbox_length", fit)
    joints = in_network_pixels(labels, fit)[["image_id", "keypoint", "x", "y"]]
    joints["within"] = joints["image_id"].map(within).where(joints.index.isin(pckh.scored(joints).index))
    if arm.names == "shuffled":
        joints = _with_shuffled_names(joints, run.seed)
    return job, pictures[["image_id", "path", "role"]], joints


@contextmanager
def working_in(folder: Path) -> Iterator[JobFolder]:
    """A folder for the job of a moment: empty at first, nobody else's meanwhile, and gone unless something fails."""
    with only_one(folder):
        shutil.rmtree(folder, ignore_errors=True)
        yield JobFolder(folder)
        shutil.rmtree(folder)


def write_finished(work: JobFolder, study: Study, run: Run, others: Part | None = None) -> None:
    """Write a job that learns nothing: that of the run, whose snapshot is the network.

    Its pictures are the run's own validation people, and the ``others``.
    """
    arm, framing = study.profile.arm(run.arm), study.profile.framing(run.arm)
    kept = JobFolder(run.folder)
    # A report keeps no jobs, but that of a network which others finished is what it would be.
    job, pictures, joints = kept.read() if kept.job.is_file() else job_of(study, run)
    if job.finished is None:
        whole = {"checkpoint": run.snapshot(), "heads": tuple(range(len(job.keypoints))), "finished": {}}
        job = job.model_copy(update=whole)
    validation = pictures.loc[pictures["role"] == "validation", "image_id"]
    learnt = "target" if arm.learns == "nothing" else arm.learns
    parts = [Part(learnt, "validation", tuple(validation)), *([others] if others else [])]
    framed = [study.framed(part.of, part.image_ids, framing).assign(role=part.role) for part in parts]
    seen = pd.concat(framed, ignore_index=True)[["image_id", "path", "role"]]
    work.write(job, seen, joints[joints["image_id"].isin(validation)])


def specification_of(job: Job, pictures: pd.DataFrame, joints: pd.DataFrame, study: Study, run: Run) -> dict:
    """All that a run's results depend on."""
    return {
        **runs.settings(study.profile, run),
        "keypoints": job.keypoints,
        "initial_weights": _digests_of_weights(engine_of(job.training), job.checkpoint),
        **job.model_dump(mode="json", include={"finished", "keeps"}, exclude_defaults=True),
        **({"heads": job.heads} if study.profile.arm(run.arm).restore == "all" else {}),
        **({"iterations": job.training.iterations} if isinstance(run, Best) else {}),
        "data": _data_digest(pictures, joints),
    }


def published_weights(study: Study, run: Run) -> list[str] | None:
    """As a specification has them, the weights of others that a run starts from; None if it starts from none."""
    arm = study.profile.arm(run.arm)
    return None if arm.parent else _digests_of_weights(arm.engine, _checkpoint(study, arm, run))


def _digests_of_weights(engine: Engine, checkpoint: str | None) -> list[str] | None:
    return [sha256_of(file) for file in engine.weight_files(checkpoint)] if checkpoint else None


def predicted(study: Study, run: Run) -> list[Part]:
    """All that a run predicts; the test people first, and of a source network the held-out monkeys.

    Nobody where it has learnt everybody: there is nobody left of whom a prediction would say anything.
    """
    if isinstance(run, Best):
        return []
    arm = study.profile.arm(run.arm)
    held_out = study.splits[arm.source].test if study.profile.is_source_network(run.arm) else ()
    sets = [
        Part("target", "test", study.splits["target"].test),
        Part("target", "threshold", study.threshold_people(run)),
        Part(arm.source, "source_test", held_out),
        Part("elsewhere", "elsewhere", tuple(study.elsewhere.images["image_id"]) if study.elsewhere else ()),
    ]
    return [one for one in sets if one.image_ids]


def _keypoints(study: Study, arm: str) -> tuple[str, ...]:
    """An arm's keypoints in the order of its network's outputs."""
    chosen = study.profile.arm(arm)
    if chosen.learns == "nothing":
        return chosen.published_files.keypoints
    return study.skeleton(arm).keypoints


def _heads(study: Study, arm: str) -> tuple[int | None, ...]:
    """What outputs an arm starts its own from, for :class:`~monkey_transfer.networks.job.Job`."""
    chosen, ours = study.profile.arm(arm), _keypoints(study, arm)
    if chosen.learns == "nothing":
        return tuple(range(len(ours)))
    if chosen.restore == "backbone":
        return (None,) * len(ours)
    if chosen.parent:
        skeleton, theirs = study.skeleton(chosen.parent), _keypoints(study, chosen.parent)
    else:
        skeleton, theirs = chosen.engine.published[chosen.init].skeleton, chosen.published_files.keypoints
    names = skeletons.mapping(skeleton, study.skeleton(arm))
    position = {names[keypoint]: place for place, keypoint in enumerate(theirs) if keypoint in names}
    if not position:
        raise StudyError(
            f"profile {study.profile.name}: arm '{arm}' restores no head of {chosen.init}, since their joints "
            f"({skeleton.name}, {study.skeleton(arm).name}) have none in common: set restore: backbone"
        )
    return tuple(position.get(keypoint) for keypoint in ours)


def _checkpoint(study: Study, arm: Arm, run: Run) -> str | None:
    if arm.published:
        return arm.published_files.weights
    if arm.parent:
        return study.finished_run(arm.parent, run.seed).snapshot()
    if arm.init == "imagenet":
        return arm.engine.imagenet(arm.training)
    return None


def _correct_within(dataset: Dataset, yardstick: str, frames: pd.DataFrame) -> pd.Series:
    """By ``image_id``, the distance in network pixels at which a prediction still counts as correct."""
    lengths = dataset.reference_lengths.query("name == @yardstick").set_index("image_id")["length"]
    scale = frames.set_index("image_id")["scale"]
    return CORRECT_WITHIN[yardstick] * lengths.reindex(scale.index) * scale


def _with_shuffled_names(joints: pd.DataFrame, seed: int) -> pd.DataFrame:
    """The same points in every picture, their keypoints' names dealt out at random among them."""
    rng = np.random.default_rng(seed)
    return joints.assign(
        keypoint=joints.groupby("image_id")["keypoint"].transform(lambda names: rng.permutation(names))
    )


def _note(run: Run, framing: Framing) -> str:
    """What somebody has to know who opens a run's DeepLabCut project: what its network learnt, and what it sees."""
    said = [_OF_EVERYBODY] if isinstance(run, Best) else []
    match framing:
        case WholePicture(size=size):
            width, height = (size, size) if isinstance(size, int) else size
            said.append(_SEES_PICTURES.format(width=width, height=height))
        case ScaledPerson():
            length = f"the person's {framing.yardstick.replace('_', ' ')} is {framing.length} pixels"
            said.append(_SEES_CROPS.format(size=framing.size, person=length))
        case PersonCrop():
            person = f"the longer side of the person's box is {framing.person} pixels"
            of_all = isinstance(run, Best) or run.fold is not None  # no network of a fold learnt everybody
            words = f"ARM={BEST}" if of_all else f"ARM={run.arm} IMAGES={run.images} SEED={run.seed}"
            command = f"    make predict PROFILE={run.profile} {words} VIDEO=film.mp4"
            if run.fold is not None:
                command = f"    make best PROFILE={run.profile}\n{command}"
            said += [_SEES_CROPS.format(size=framing.size, person=person), _FOLLOWS, command]
    return "\n\n".join(said)


def _data_digest(pictures: pd.DataFrame, joints: pd.DataFrame) -> str:
    """sha256 over the framed pictures' bytes, their roles and their joints."""
    digest = hashlib.sha256()
    for picture in pictures.itertuples():
        digest.update(f"{picture.image_id}:{picture.role}:".encode())
        digest.update(Path(str(picture.path)).read_bytes())
    digest.update(tables.content_of(joints))
    return digest.hexdigest()
