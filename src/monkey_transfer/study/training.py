"""Training what a study lacks: one run at a time, resumed where it was killed, finished or not there at all."""

import json
import shutil
from dataclasses import asdict

import pandas as pd

from monkey_transfer import skeletons, tables
from monkey_transfer.datasets.pictures import in_original_pixels
from monkey_transfer.devices import cores, training_device, trainings_at_once
from monkey_transfer.errors import StudyError
from monkey_transfer.files import clear_disk_errors, digest_of, only_one, write_json
from monkey_transfer.networks.job import JobFolder
from monkey_transfer.networks.supervisor import run_job
from monkey_transfer.profiles.profile import Profile
from monkey_transfer.study import runs
from monkey_transfer.study.changes import made_of
from monkey_transfer.study.jobs import Part, job_of, predicted, specification_of
from monkey_transfer.study.opening import Study
from monkey_transfer.study.recovered import is_needed, stands
from monkey_transfer.study.runs import PREDICTIONS, Run


def find_weights(profile: Profile) -> None:
    """Fetch the weights which arms start from, if need be; StudyError now, not at their turn, if some do not fit."""
    starts = set()
    for arm in profile.arms.values():
        if arm.published:
            starts.add((arm.engine, arm.published_files.weights, arm.training.net_type))
        elif arm.init == "imagenet":
            starts.add((arm.engine, arm.engine.imagenet(arm.training), arm.training.net_type))
    for engine, weights, net_type in sorted(starts, key=lambda start: start[1:]):
        engine.refuse_weights(weights, net_type)


def refuse_machine(profile: Profile) -> None:
    """StudyError, before the first training, if an arm cannot be trained as it asks on the machine where this runs."""
    for name, arm in profile.arms.items():
        if arm.learns != "nothing":
            try:
                arm.engine.refuse_machine(arm.training)
            except ValueError as error:
                raise StudyError(f"profile {profile.name}: arms.{name}.training.{error}") from None


def share_of_cores(profile: Profile) -> dict[str, str]:
    """Variables that give a training its share of this machine's cores, as many as there are trainings side by side.

    Numbers of TensorFlow depend on its threads: with these a run comes out the same, in a sweep or trained alone.
    """
    threads = max(1, cores() // trainings_at_once())
    return {name: value for engine in profile.engines for name, value in engine.threads(threads).items()}


def where_it_trains(study: Study, arm: str, seed: int, images: int | None = None) -> str:
    """A sentence that says on what a run is trained; StudyError if that has to be a GPU and none is visible."""
    missing = not all(run.is_complete for run in study.runs_of(arm, seed, images))
    return training_device(study.profile.requires_gpu and missing and study.profile.arm(arm).learns != "nothing")


def train_arm(study: Study, arm: str, seed: int, images: int | None = None) -> tuple[Run, ...]:
    """Train an arm and let it predict the test pictures, unless that is done; returns its run, or that of each fold.

    It learns ``images`` pictures, its largest number unless given. The arm that it starts from is trained first. A run
    that was killed goes on from where it was; one that was recovered from a report stays, unless it is of other data or
    settings, or a run that is missing starts from its network. StudyError if weights are missing, training fails or
    the disk is full; what was trained so far stays.
    """
    found, planned = study.runs_of(arm, seed, images), study.runs()
    if all(stands(study, run) and not is_needed(study.profile, run, planned) for run in found):
        return found
    return train_networks(study, arm, seed, images)


def train_networks(study: Study, arm: str, seed: int, images: int | None = None) -> tuple[Run, ...]:
    """As :func:`train_arm`, also where the run was recovered from a report, which kept no network."""
    if parent := study.profile.arm(arm).parent:
        train_networks(study, parent, seed)
    return tuple(train(study.part(run), run) for run in study.runs_of(arm, seed, images))


def train(study: Study, run: Run) -> Run:
    """Train one run, as :func:`train_networks` says, whose parent is there; the study is that of its fold."""
    with clear_disk_errors(), only_one(run.folder):
        job, pictures, joints = job_of(study, run)
        specification = specification_of(job, pictures, joints, study, run)
        digest = digest_of(specification)
        if runs.has_digest(run.folder, "run.json", digest) and run.has_network:
            return run
        folder = JobFolder(run.partial)
        if not runs.has_digest(run.partial, "specification.json", digest):
            shutil.rmtree(run.partial, ignore_errors=True)
            folder.write(job, pictures, joints)
            write_json(run.partial / "specification.json", {"digest": digest, "specification": specification})
        if not folder.outcome.is_file():
            if job.finished is None:
                training_device(study.profile.requires_gpu)
                refuse_machine(study.profile)
            run_job(folder, str(run))
        if not runs.has_digest(run.partial, "run.json", digest):
            _finish(study, run, digest, specification)
        folder.forget_training()
        runs.put_in_place(run)
    return run


def train_missing(study: Study) -> list[Run]:
    """Train every run that is not finished, for notebooks opened before the workflow; returns those that were not."""
    missing = [run for run in study.runs() if not run.is_complete]
    for arm, seed, images in dict.fromkeys((run.arm, run.seed, run.images) for run in missing):
        train_arm(study, arm, seed, images)
    return missing


def as_labelled(study: Study, arm: str, everything: pd.DataFrame, part: Part) -> pd.DataFrame:
    """An arm's predictions of one part, in original pixels, under the labels' names of the keypoints that they have.

    ``everything`` is what its job left: in network pixels, under the network's names, with the ``role`` in a column.
    """
    names = skeletons.mapping(study.skeleton(arm), study.dataset(part.of).skeleton)
    rows = everything[(everything["role"] == part.role) & everything["keypoint"].isin(names)].drop(columns="role")
    rows = rows.assign(keypoint=rows["keypoint"].map(names))
    found = in_original_pixels(rows, study.framed(part.of, part.image_ids, study.profile.framing(arm)))
    return tables.check(found, tables.PREDICTIONS, f"predictions of {part.role}")


def _finish(study: Study, run: Run, digest: str, specification: dict) -> None:
    """Turn what the training process left into a finished run."""
    folder = JobFolder(run.partial)
    everything = pd.read_parquet(folder.network_predictions)
    for part in predicted(study, run):
        as_labelled(study, run.arm, everything, part).to_parquet(run.partial / PREDICTIONS[part.role])
    manifest = {
        "digest": digest,
        "run": asdict(run),
        "rendered": study.rendered,
        "specification": specification,
        "made_of": made_of(study, run),
        "outcome": json.loads(folder.outcome.read_text(encoding="utf-8")),
        **runs.environment(study.profile.arm(run.arm).engine),
    }
    runs.lead_to(run.partial, run.partial, run.folder)
    write_json(run.partial / "run.json", manifest)  # last: its presence says that the run is whole
