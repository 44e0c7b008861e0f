"""The study that a profile describes: its data, its splits, its framed pictures and its runs.

This is what notebooks call. Nothing here imports an engine; a run is trained in a process of its
own (:mod:`monkey_transfer.networks`).
"""

import hashlib
import json
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import cached_property
from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from monkey_transfer import runs, skeletons, tables
from monkey_transfer.datasets import open_dataset
from monkey_transfer.datasets.base import Dataset
from monkey_transfer.devices import training_device
from monkey_transfer.errors import StudyError
from monkey_transfer.framing import framed, in_network_pixels, in_original_pixels
from monkey_transfer.images import stamp
from monkey_transfer.metrics import pckh
from monkey_transfer.metrics.matching import CORRECT_WITHIN, Matched, match
from monkey_transfer.near_duplicates import NEAR, kept_together, near_duplicates
from monkey_transfer.networks.imagenet import checkpoint_files, imagenet_checkpoint
from monkey_transfer.networks.job import FIT_ROLES, Job, JobFolder, write_json
from monkey_transfer.networks.supervisor import run_job
from monkey_transfer.networks.zoo import zoo_network
from monkey_transfer.profiles import ZOO, Arm, Framing, Profile, ScaledPerson, load_profile, runs_folder
from monkey_transfer.runs import Run
from monkey_transfer.skeletons import Skeleton
from monkey_transfer.splits import Draw, Split, draw_people, split_people

MEAN_POSE = "mean_pose"


@dataclass(frozen=True)
class Study:
    """A profile with its data opened and split.

    Attributes
    ----------
    source, target : the data sets, whole.
    elsewhere : people of another data set, those that every arm is tried on; None where the profile names none.
    """

    profile: Profile
    source: Dataset
    target: Dataset
    elsewhere: Dataset | None = None

    def dataset(self, role: str) -> Dataset:
        """The data set with the role 'source', 'target' or 'elsewhere'; StudyError if there is none."""
        chosen = {"source": self.source, "target": self.target, "elsewhere": self.elsewhere}[role]
        if chosen is None:
            raise StudyError(f"profile {self.profile.name} has no data set {role}: add the key {role}")
        return chosen

    @cached_property
    def splits(self) -> dict[str, Split]:
        """Who tests, of the source and of the target; the same for all arms and seeds."""
        return {role: self._split(role) for role in ("source", "target")}

    def _split(self, role: str) -> Split:
        tested = (self.profile.source if role == "source" else self.profile.target).test
        with self._asked_of(role):
            return split_people(self.dataset(role).images, tested, self.profile.split_seed)

    @cached_property
    def draws(self) -> dict[str, dict[int, Draw]]:
        """Whom each seed learns of the source and of the target; the same for all arms of that seed.

        StudyError if an arm asks for more pictures than the pool has: now rather than hours later.
        """
        return {role: {seed: self._draw(role, seed) for seed in self.profile.seeds} for role in ("source", "target")}

    def _draw(self, role: str, seed: int) -> Draw:
        split = self.splits[role]
        with self._asked_of(role):
            draw = draw_people(split, self.profile.largest_validation(role), seed)
            draw.training_subset(self.profile.largest_training_set(role))
        return draw

    @contextmanager
    def _asked_of(self, role: str) -> Iterator[None]:
        try:
            yield
        except StudyError as error:
            raise StudyError(f"profile {self.profile.name}, {role} (its test and its arms' images): {error}") from None

    def draw(self, role: str, seed: int) -> Draw:
        """Whom a seed learns; StudyError if the profile does not have that seed."""
        if seed not in self.draws[role]:
            seeds = ", ".join(map(str, self.profile.seeds))
            raise StudyError(f"profile {self.profile.name} has no seed {seed}; expected one of {seeds}")
        return self.draws[role][seed]

    def threshold_people(self, seed: int) -> tuple[str, ...]:
        """The validation people of that seed, on whom every arm's detection threshold is chosen."""
        return self.draw("target", seed).validation[: self.profile.validation_size("transfer")]

    @cached_property
    def test_people(self) -> Dataset:
        """The test people, the same for every arm."""
        return self.target.subset(self.splits["target"].test)

    @property
    def test_groups(self) -> int:
        """How many groups (videos, photographs, single people) the test people are of."""
        return self.test_people.images["group"].nunique()

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
        """What the files hold and the study does not: data (the role of the data set), image_id, keypoint, reason."""
        roles = ["source", "target", *(["elsewhere"] if self.elsewhere else [])]
        parts = [self.dataset(role).left_out.assign(data=role) for role in roles]
        return pd.concat(parts, ignore_index=True)

    def framed(self, role: str, image_ids: Iterable[str], framing: Framing) -> pd.DataFrame:
        """Pictures of the data set with that role as networks see them: :func:`monkey_transfer.framing.framed`."""
        frame = {"picture": framing.model_dump(), "data": self.profile.study_data(role).model_dump()}
        folder = runs_folder() / self.profile.name / "pictures" / f"{role}-{runs.digest_of(frame)[:8]}"
        return framed(self.dataset(role).subset(image_ids), framing, folder)

    def test_frames(self, arm: str) -> pd.DataFrame:
        """The test people as that arm sees them."""
        return self.framed("target", self.splits["target"].test, self.profile.framing(arm))

    def skeleton(self, arm: str) -> Skeleton:
        """The keypoints that an arm's network has."""
        chosen = self.profile.arm(arm)
        if chosen.learns == "nothing":
            return ZOO[str(chosen.zoo)].skeleton
        return self.dataset(chosen.learns).skeleton

    @property
    def body_yardstick(self) -> str:
        """What a person's size is measured by: MPII's 200 x scale (paper, section 2.1), else the box's length."""
        known = set(self.target.reference_lengths["name"])
        return "mpii_200scale" if "mpii_200scale" in known else "bbox_length"

    @property
    def head_yardsticks(self) -> list[str]:
        """The readings of PCKh that the target allows: by MPII's head size, and by the head segment."""
        known = set(self.test_people.reference_lengths["name"])
        return [name for name in ("head_size", "head_segment") if name in known]

    def run(self, arm: str, seed: int, images: int | None = None) -> Run:
        """The run of that arm, seed and number of training pictures, the arm's largest unless given; finished or not.

        StudyError if the profile does not have that arm at that size.
        """
        sizes = self.profile.arm(arm).sizes
        if images is not None and images not in sizes:
            raise StudyError(
                f"profile {self.profile.name}: arm '{arm}' does not learn {images} pictures; "
                f"expected one of {', '.join(map(str, sizes))}"
            )
        return Run(self.profile.name, arm, self.profile.arm(arm).largest if images is None else images, seed)

    def finished(self, arm: str, seed: int, images: int | None = None) -> Run:
        """The finished run of that arm, seed and number of training pictures, the arm's largest unless given.

        Raises StudyError if it is not finished, or was trained when the profile said something else of the arm or of
        its pictures. Whether the data or their split changed only :func:`train_arm` sees.
        """
        run = self.run(arm, seed, images)
        if not runs.has_settings(self.profile, run):
            raise StudyError(
                f"run {run} was trained when profile {self.profile.name} or the training code were others: "
                f"run it again (make study PROFILE={self.profile.name})"
            )
        return run

    def runs(self) -> list[Run]:
        """All runs of the study, arm by arm and size by size."""
        return runs.runs_of(self.profile)


def open_study(name: str) -> Study:
    """Load the profile of that name and open its data.

    People without the profile's yardstick cannot be measured and are left out of the target. Where a format knows
    no videos, pictures that are nearly the same are of one group, so that no split and no resample parts them.
    """
    profile = load_profile(name)
    with runs.clear_disk_errors():
        source, target = open_dataset(profile.source.data), open_dataset(profile.target.data)
        try:
            target = _measured(target, profile.yardstick, profile)
        except StudyError as error:
            raise StudyError(f"profile {name}: {error}") from None
        source, target = (_near_duplicates_together(data, name) for data in (source, target))
        return Study(profile, source, target, _elsewhere(profile))


def _elsewhere(profile: Profile) -> Dataset | None:
    """As many people of the other data set as are tried, drawn as test people are."""
    chosen = profile.elsewhere
    if chosen is None:
        return None
    try:
        people = _measured(open_dataset(chosen.data), chosen.yardstick, profile)
        tried = split_people(people.images, chosen.test, profile.split_seed).test
    except StudyError as error:
        raise StudyError(f"profile {profile.name}, elsewhere: {error}") from None
    return people.subset(tried)


def _measured(people: Dataset, yardstick: str, profile: Profile) -> Dataset:
    """The people whose scores can be measured and whom every arm's framing can scale."""
    framings = [arm.picture for arm in profile.arms.values()]
    for name in dict.fromkeys([yardstick, *(f.yardstick for f in framings if isinstance(f, ScaledPerson))]):
        people = people.measured_by(name)
    return people


def _near_duplicates_together(dataset: Dataset, profile: str) -> Dataset:
    """The data set with its near duplicates in one group; which they are is looked for once for the same files.

    Where a format knows groups of files they stay as they are: frames of one video's room look alike, whoever is in
    it, and so do cut-outs of monkeys on black, whichever photograph they are from.
    """
    if dataset.images.groupby("group")["path"].nunique().max() > 1:
        return dataset
    files = {path: stamp(path) for path in dataset.images["path"].unique()}
    known = runs_folder() / profile / "near_duplicates" / f"{runs.digest_of({**files, 'within': NEAR})[:16]}.parquet"
    known.parent.mkdir(parents=True, exist_ok=True)
    with runs.only_one(known):
        if not known.is_file():
            tables.write(near_duplicates(files, files), known)
    return replace(dataset, images=kept_together(dataset.images, pd.read_parquet(known)))


def find_weights(profile: Profile) -> None:
    """See to it that the weights which arms start from are there, fetched if need be, and of their network.

    Raises StudyError if some are not: now, rather than when their arm's turn comes.
    """
    for name in sorted({arm.zoo for arm in profile.arms.values() if arm.zoo}):
        zoo_network(name)
    for net_type in sorted({arm.training.net_type for arm in profile.arms.values() if arm.init == "imagenet"}):
        from monkey_transfer.networks.initialisation import refuse_other_backbone  # imports TensorFlow: seconds

        refuse_other_backbone(imagenet_checkpoint(profile, net_type), net_type)


def where_it_trains(study: Study, arm: str, seed: int, images: int | None = None) -> str:
    """A sentence that says on what a run is trained; StudyError if that has to be a GPU and none is visible."""
    trains = study.profile.arm(arm).learns != "nothing" and not study.run(arm, seed, images).is_complete
    return training_device(study.profile.requires_gpu and trains)


def train_arm(study: Study, arm: str, seed: int, images: int | None = None) -> Run:
    """Train an arm and let it predict the test pictures, unless the run is there already.

    It learns ``images`` pictures, its largest number unless given.

    A run that was killed goes on from where it was. The arm that this one starts from must be finished.

    Raises
    ------
    StudyError
        If weights are missing, training fails or the disk is full; what was trained so far stays.
    """
    run = study.run(arm, seed, images)
    with runs.clear_disk_errors(), runs.only_one(run.folder):
        job, pictures, joints = _job(study, run)
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
            training_device(study.profile.requires_gpu and job.finished is None)
            run_job(folder, str(run))
        if not runs.has_digest(run.partial, "run.json", digest):
            _finish(study, run, digest, specification)
        folder.forget_training()
        runs.publish(run)
    return run


def train_missing(study: Study) -> list[Run]:
    """Train every run that is not finished, parents first; returns those that were not.

    For notebooks that are opened before the workflow ran; after it there is nothing to do.
    """
    missing = [run for run in study.runs() if not run.is_complete]
    for run in sorted(missing, key=lambda run: len(study.profile.lineage(run.arm))):
        train_arm(study, run.arm, run.seed, run.images)
    return missing


def mean_pose(study: Study, seed: int) -> pd.DataFrame:
    """Predictions for the test people by someone who never looks: the training people's mean pose.

    Every joint is predicted where it is on average in the pictures of the people that ``transfer`` learns with that
    seed, framed as the study frames them; the likelihood is 1. It is the floor that any network must beat.
    """
    ids = study.draw("target", seed).training_subset(study.profile.arm("transfer").largest)
    labels = study.target.subset(ids).labels
    learnt = study.framed("target", ids, study.profile.picture)
    mean = in_network_pixels(labels[labels["labelled"]], learnt).groupby("keypoint")[["x", "y"]].mean()
    people = study.framed("target", study.splits["target"].test, study.profile.picture)
    everywhere = people[["image_id"]].merge(mean.reset_index(), how="cross").assign(likelihood=1.0)
    return in_original_pixels(everywhere, people)


def matched(
    study: Study, predictions: pd.DataFrame, yardstick: str | None = None, people: Dataset | None = None
) -> Matched:
    """Predictions beside the labels of people of the target, the test people unless others are given.

    They are measured in the profile's yardstick, or in another. People whose length of that name is not known are left
    out.
    """
    chosen = yardstick or study.profile.yardstick
    people = (people or study.test_people).measured_by(chosen)
    predictions = predictions[predictions["image_id"].isin(people.images["image_id"])]
    return match(people.labels, predictions, people.reference_lengths, chosen, people.images)


def matched_on_source(study: Study, run: Run) -> Matched:
    """Predictions of an arm on the held-out source pictures beside their labels, in the macaque study's yardstick.

    That is the length of the animal's bounding box (Labuguen et al. 2021; paper, section 2.1).
    """
    held_out = study.held_out_source
    predictions = run.source_predictions()
    return match(held_out.labels, predictions, held_out.reference_lengths, "bbox_length", held_out.images)


def matched_elsewhere(study: Study, run: Run) -> Matched:
    """Predictions of an arm on the people of the other data set beside their labels; StudyError if there is none."""
    people, predicted = study.dataset("elsewhere"), run.elsewhere_predictions()
    return match(people.labels, predicted, people.reference_lengths, study.profile.elsewhere_yardstick, people.images)


def _job(study: Study, run: Run) -> tuple[Job, pd.DataFrame, pd.DataFrame]:
    """The job of a run, its pictures (image_id, path, role) and its labelled joints in network pixels."""
    arm, framing = study.profile.arm(run.arm), study.profile.framing(run.arm)
    role = "target" if arm.learns == "nothing" else arm.learns
    draw = study.draw(role, run.seed)
    parts: list[tuple[str, str, tuple[str, ...]]] = [
        (role, "train", draw.training_subset(run.images) if run.images else ()),
        (role, "validation", draw.validation[: study.profile.validation_size(run.arm)]),
        *((one.of, one.role, one.image_ids) for one in _predicted(study, run)),
    ]
    pictures = pd.concat(
        [study.framed(of, ids, framing).assign(role=part) for of, part, ids in parts if ids], ignore_index=True
    )
    fit = pictures[pictures["role"].isin(FIT_ROLES)]
    labels = study.dataset(role).subset(fit["image_id"]).labels
    skeleton = study.skeleton(run.arm)
    named = labels["keypoint"].map(skeletons.mapping(study.dataset(role).skeleton, skeleton))
    labels = labels.assign(keypoint=named)[labels["labelled"] & named.notna()]
    job = Job(
        name=f"{run.arm}-{run.profile}",
        keypoints=_keypoints(study, run.arm),
        pairs=skeleton.pairs,
        training=arm.training,
        finished=zoo_network(str(arm.zoo)).network if arm.learns == "nothing" else None,
        checkpoint=_checkpoint(study, arm, run),
        heads=_heads(study, run.arm),
        frozen=arm.frozen_blocks,
        keeps="last" if arm.names == "shuffled" else "best",
        seed=run.seed,
    )
    within = _correct_within(study.dataset(role), study.profile.yardstick if role == "target" else "bbox_length", fit)
    joints = in_network_pixels(labels, fit)[["image_id", "keypoint", "x", "y"]]
    joints["within"] = joints["image_id"].map(within).where(joints.index.isin(pckh.scored(joints).index))
    if arm.names == "shuffled":
        joints = _with_shuffled_names(joints, run.seed)
    return job, pictures[["image_id", "path", "role"]], joints


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


class _Predicted(NamedTuple):
    """Pictures that a run predicts: of which data, in which role of its job, and the file that it leaves of them."""

    of: str
    role: str
    image_ids: tuple[str, ...]
    file: str


def _predicted(study: Study, run: Run) -> list[_Predicted]:
    """All that a run predicts; the test people first."""
    sets = [
        _Predicted("target", "test", study.splits["target"].test, "predictions.parquet"),
        _Predicted("target", "threshold", study.threshold_people(run.seed), "threshold_predictions.parquet"),
        _Predicted("source", "source_test", _source_test(study, run.arm), "source_predictions.parquet"),
    ]
    if study.elsewhere:
        ids = tuple(study.elsewhere.images["image_id"])
        sets.append(_Predicted("elsewhere", "elsewhere", ids, "elsewhere_predictions.parquet"))
    return [one for one in sets if one.image_ids]


def _source_test(study: Study, arm: str) -> tuple[str, ...]:
    """The held-out monkeys on which a source network is tried first; none for other arms."""
    is_source_network = arm == "baseline" or study.profile.arm(arm).learns == "source"
    return study.splits["source"].test if is_source_network else ()


def _keypoints(study: Study, arm: str) -> tuple[str, ...]:
    """An arm's keypoints in the order of its network's outputs."""
    chosen = study.profile.arm(arm)
    return zoo_network(str(chosen.zoo)).keypoints if chosen.learns == "nothing" else study.skeleton(arm).keypoints


def _heads(study: Study, arm: str) -> tuple[int | None, ...]:
    """Which outputs of the network that an arm starts from its own start from, see :class:`Job`."""
    chosen, ours = study.profile.arm(arm), _keypoints(study, arm)
    if chosen.learns == "nothing":
        return tuple(range(len(ours)))
    if chosen.restore == "backbone":
        return (None,) * len(ours)
    if chosen.parent:
        skeleton, theirs = study.skeleton(chosen.parent), _keypoints(study, chosen.parent)
    else:
        skeleton, theirs = ZOO[str(chosen.zoo)].skeleton, zoo_network(str(chosen.zoo)).keypoints
    names = skeletons.mapping(skeleton, study.skeleton(arm))
    position = {names[keypoint]: place for place, keypoint in enumerate(theirs) if keypoint in names}
    if not position:
        raise StudyError(
            f"profile {study.profile.name}: arm '{arm}' restores no head of {chosen.init}, since their joints "
            f"({skeleton.name}, {study.skeleton(arm).name}) have none in common: set restore: backbone"
        )
    return tuple(position.get(keypoint) for keypoint in ours)


def _checkpoint(study: Study, arm: Arm, run: Run) -> str | None:
    if arm.zoo:
        return zoo_network(arm.zoo).snapshot
    if arm.parent:
        return str(study.finished(arm.parent, run.seed).snapshot())
    if arm.init == "imagenet":
        return imagenet_checkpoint(study.profile, arm.training.net_type)
    return None


def _specification(job: Job, pictures: pd.DataFrame, joints: pd.DataFrame, study: Study, run: Run) -> dict:
    """All that a run's results depend on."""
    weights = [_file_digest(file) for file in checkpoint_files(job.checkpoint)] if job.checkpoint else None
    return {
        **runs.settings(study.profile, run),
        "keypoints": job.keypoints,
        "initial_weights": weights,
        **job.model_dump(mode="json", include={"finished", "keeps"}, exclude_defaults=True),
        **({"heads": job.heads} if study.profile.arm(run.arm).restore == "all" else {}),
        "data": _data_digest(pictures, joints),
    }


def _finish(study: Study, run: Run, digest: str, specification: dict) -> None:
    """Turn what the training process left into a finished run."""
    folder = JobFolder(run.partial)
    predicted = pd.read_parquet(folder.network_predictions)
    own, framing = study.skeleton(run.arm), study.profile.framing(run.arm)
    found = {}
    for of, role, image_ids, file in _predicted(study, run):
        frames = study.framed(of, image_ids, framing)
        found[role] = _predictions(predicted, role, frames, own, study.dataset(of).skeleton)
        found[role].to_parquet(run.partial / file)
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


def _predictions(
    predicted: pd.DataFrame, role: str, transforms: pd.DataFrame, own: Skeleton, labelled: Skeleton
) -> pd.DataFrame:
    """An arm's predictions of one role in original pixels, its joints under the names that the labels have."""
    names = skeletons.mapping(own, labelled)
    rows = predicted[(predicted["role"] == role) & predicted["keypoint"].isin(names)].drop(columns="role")
    rows = rows.assign(keypoint=rows["keypoint"].map(names))
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
