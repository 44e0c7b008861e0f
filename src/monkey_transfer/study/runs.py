"""Run folders: where one arm, at one number of training images and one seed, is kept.

A run is written to ``<its folder>.partial`` and renamed when complete, so a killed run is never
mistaken for a finished one; it is reused only while its digest matches its specification.
"""

import json
import os
import platform
import shutil
import subprocess
from collections.abc import Collection, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from numbers import Integral
from pathlib import Path
from typing import Any

import pandas as pd
import psutil
from pydantic import TypeAdapter

from monkey_transfer.devices import visible_gpus
from monkey_transfer.errors import StudyError
from monkey_transfer.networks.engine import Engine, Training
from monkey_transfer.networks.engines import DEFAULT_ENGINE, AnyTraining, engine_of
from monkey_transfer.places import ROOT, runs_folder
from monkey_transfer.profiles.arms import BEST
from monkey_transfer.profiles.profile import Profile

# The files of what a run predicts, by the role that those pictures have in its job.
PREDICTIONS = {
    "test": "predictions.parquet",
    "threshold": "threshold_predictions.parquet",
    "source_test": "source_predictions.parquet",
    "elsewhere": "elsewhere_predictions.parquet",
}
LEARNING_CURVE = "learning_curve.csv"
# The file of a run that was recovered from a report: from which, and what is said of the runs that it started from.
RECOVERED = "recovered.json"
_TRAINING: TypeAdapter[Training] = TypeAdapter(AnyTraining)
_RECORDED_PACKAGES = ("monkey-transfer", "deeplabcut", "numpy", "pandas", "scikit-learn")


@dataclass(frozen=True)
class Run:
    """One arm at one number of training images and one seed, finished or not; and of one ``fold``, if there are any and
    what it learns depends on them."""

    profile: str
    arm: str
    images: int
    seed: int
    fold: int | None = None

    def __str__(self) -> str:
        return f"{self.arm} n{self.images} s{self.seed}{'' if self.fold is None else f' fold {self.fold}'}"

    @property
    def made_by(self) -> str:
        """What is typed to have it made."""
        return f"make study PROFILE={self.profile}"

    @property
    def made_alone_by(self) -> str:
        """The same for this run and what it starts from, and no other."""
        return f"make run PROFILE={self.profile} ARM={self.arm} IMAGES={self.images} SEED={self.seed}"

    @property
    def folder(self) -> Path:
        fold = "" if self.fold is None else f"-f{self.fold}"
        return runs_folder() / self.profile / self.arm / f"n{self.images}-s{self.seed}{fold}"

    @property
    def scorer(self) -> str:
        """What DeepLabCut's files of predictions call the network."""
        return f"DLC_{self.arm}_{self.folder.name.replace('-', '_')}"

    @property
    def partial(self) -> Path:
        return self.folder.with_name(f"{self.folder.name}.partial")

    @property
    def is_complete(self) -> bool:
        return (self.folder / "run.json").is_file()

    @property
    def has_network(self) -> bool:
        """Whether a finished run's network is there: not where the run was recovered from a report, which kept none,
        unless the network is one that others finished."""
        if not (self.folder / RECOVERED).is_file():
            return True
        return self.manifest()["specification"]["arm"]["learns"] == "nothing"

    def manifest(self) -> dict[str, Any]:
        """Specification, digest, versions, data digest, timings and machine of a finished run."""
        return json.loads(self._file("run.json").read_text(encoding="utf-8"))

    def predictions(self, of: str = "test") -> pd.DataFrame:
        """Predictions table of the test people, in original pixels and the labels' names of keypoints.

        ``of`` may also be 'threshold', the validation people of this seed on whom thresholds are chosen; 'source_test',
        the held-out source pictures, of an arm that learnt the source; or 'elsewhere', people of another data set.
        """
        file = self._file(PREDICTIONS[of])
        if not file.is_file() and not self.has_network:
            raise StudyError(f"{file}: was not kept by the report that the run was recovered from: {self._train_again}")
        return pd.read_parquet(file)

    def learning_curve(self) -> pd.DataFrame:
        """iteration, training_loss, validation_error (network pixels), validation_score (PCK, %), learning_rate,
        seconds, chosen: true for the snapshot that the run kept. Empty where the report that a run was recovered from
        did not keep it."""
        curve = pd.read_csv(self._file(LEARNING_CURVE), float_precision="round_trip")
        return curve.assign(chosen=curve["iteration"] == self.manifest()["outcome"]["chosen_iteration"])

    @property
    def has_curve(self) -> bool:
        """Whether there is a curve to draw: not of a network that others finished, nor where a report kept none."""
        return bool(self.learning_curve()["iteration"].any())

    def training(self) -> Training:
        """How a finished run was trained, defaults and all."""
        return _TRAINING.validate_python(self.manifest()["specification"]["arm"]["training"])

    def snapshot(self) -> str:
        """The weights of the chosen snapshot, as the run's engine names them; StudyError if they are not there."""
        self.refuse_without_network()
        chosen = self.manifest()["outcome"]["chosen_iteration"]
        found = engine_of(self.training()).snapshot(self.folder, chosen)
        if found is None:
            raise StudyError(f"{self.folder}: snapshot-{chosen} is missing; delete the folder to train it again")
        return found

    def refuse_without_network(self) -> None:
        """StudyError if a finished run was recovered from a report."""
        if not self.has_network:
            raise StudyError(
                f"run '{self}' of profile {self.profile} was recovered from a report, which keeps no network: "
                f"{self._train_again}"
            )

    @property
    def _train_again(self) -> str:
        return f"delete {self.folder} and train it again ({self.made_alone_by})"

    def _file(self, name: str) -> Path:
        if not self.is_complete:
            raise StudyError(f"run '{self}' of profile {self.profile} is not there yet: {self.made_by}")
        return self.folder / name


@dataclass(frozen=True)
class Best(Run):
    """The network to take: that of an arm and seed, trained as the arm is at that number of images, on everybody.

    Nobody is held out, so what it is worth is what :meth:`monkey_transfer.study.opening.Study.witnesses` say. Of a
    profile there is one.
    """

    def __str__(self) -> str:
        return f"{BEST} ({self.arm}, seed {self.seed})"

    @property
    def made_by(self) -> str:
        return f"make best PROFILE={self.profile} ARM={self.arm} SEED={self.seed}"

    @property
    def folder(self) -> Path:
        return runs_folder() / self.profile / BEST


def runs_of(profile: Profile, folds: Sequence[int | None] = (None,)) -> list[Run]:
    """All runs of a profile's study, arm by arm and size by size; finished or not.

    Of arms that learn the target there is one for each of the ``folds``.
    """
    return [
        Run(profile.name, name, images, seed, fold)
        for name, arm in profile.arms.items()
        for images in arm.sizes
        for seed in profile.seeds
        for fold in (folds if profile.learns_people(name) else [None])
    ]


def ancestors(profile: Profile, run: Run) -> list[Run]:
    """The runs that a run's weights come from, the nearest first; with folds those of its fold, where there is one for
    each."""
    return [
        Run(run.profile, arm, profile.arm(arm).largest, run.seed, run.fold if profile.learns_people(arm) else None)
        for arm in profile.lineage(run.arm)[1:]
    ]


def run_of(profile: Profile, arm: str, seed: int, images: int | None = None) -> Run:
    """The run of that arm, seed and number of training pictures, the arm's largest unless given; finished or not.

    StudyError if the profile does not have it: a seed of '0' or a number of 10.0 pictures is none.
    """
    _expect(arm, profile.arms, f"profile {profile.name} has no arm {arm!r}")
    _expect(seed, profile.seeds, f"profile {profile.name} has no seed {seed!r}")
    if images is None:
        return Run(profile.name, arm, profile.arm(arm).largest, seed)
    _expect(images, profile.arm(arm).sizes, f"profile {profile.name}: arm '{arm}' does not learn {images!r} pictures")
    return Run(profile.name, arm, images, seed)


def best_of(profile: Profile) -> Best:
    """The network that ``make best`` left; StudyError if there is none."""
    file = runs_folder() / profile.name / BEST / "run.json"
    if not file.is_file():
        raise StudyError(f"profile {profile.name} has no network '{BEST}' yet: make best PROFILE={profile.name}")
    return Best(**json.loads(file.read_text(encoding="utf-8"))["run"])


def _expect(value: object, known: Collection[object], otherwise: str) -> None:
    whole = isinstance(value, Integral) and not isinstance(value, bool)
    if not (whole or isinstance(value, str)) or value not in known:
        raise StudyError(f"{otherwise}; expected one of {', '.join(map(str, known))}")


def settings(profile: Profile, run: Run) -> dict[str, Any]:
    """What a run's results depend on as far as the profile and this code say it, as JSON has it."""
    arm = profile.arm(run.arm).at(run.images)
    # without defaults, so that a new key that leaves things as they were does not outdate finished runs
    said = arm.model_dump(
        mode="json", exclude_defaults=True, exclude={"against": True, "against_tilted": True, "training": {"imagenet"}}
    )
    if arm.engine.name != DEFAULT_ENGINE:  # a default of its own settings, and yet what tells it from another engine
        said["training"]["engine"] = arm.engine.name
    return {
        "training_version": arm.engine.version,
        "arm": said,
        "seed": run.seed,
        "picture": profile.framing(run.arm).model_dump(mode="json"),
    }


def has_settings(profile: Profile, run: Run) -> bool:
    """Whether a finished run was made with these :func:`settings`; of its data nothing is said."""
    return specifies(run.manifest()["specification"], profile, run)


def specifies(specification: dict[str, Any], profile: Profile, run: Run) -> bool:
    """Whether a run's specification has these :func:`settings`."""
    return all(specification.get(key) == value for key, value in settings(profile, run).items())


def has_digest(folder: Path, file: str, digest: str) -> bool:
    """Whether ``folder/file`` is there and was written for that digest."""
    return _digest_in(folder / file) == digest


def _digest_in(file: Path) -> str | None:
    """The digest that a file was written for; None if it is not there, or damaged."""
    try:
        return json.loads(file.read_text(encoding="utf-8")).get("digest")
    except (FileNotFoundError, ValueError):
        return None


def put_in_place(run: Run) -> None:
    """Give a finished run its final name; an older one of that name is kept beside it, under its digest as well."""
    if run.folder.exists():
        digest = _digest_in(run.folder / "run.json") or "damaged"
        aside = run.folder.with_name(f"{run.folder.name}-{digest[:8]}")
        shutil.rmtree(aside, ignore_errors=True)
        run.folder.rename(aside)
        lead_to(aside, run.folder, aside)
    run.partial.rename(run.folder)


def lead_to(folder: Path, old: Path, new: Path) -> None:
    """Have the DeepLabCut project in a run's folder say that it lies in ``new``, where it says ``old``."""
    for config in (folder / "deeplabcut").rglob("*.yaml"):
        said = config.read_text(encoding="utf-8")
        config.write_text(said.replace(f"{old}/", f"{new}/"), encoding="utf-8")


def environment(engine: Engine) -> dict[str, Any]:
    """What a run's numbers may depend on besides its specification: versions, commit, machine."""
    return {
        "versions": {package: version(package) for package in (*_RECORDED_PACKAGES, *engine.packages)},
        "python": platform.python_version(),
        "git_commit": _git_commit(),
        "machine": {
            "system": platform.platform(),
            "processor": platform.machine(),
            "cores": os.cpu_count(),
            "gpus": visible_gpus(),
            "memory_gb": round(psutil.virtual_memory().total / 1e9, 1),
        },
    }


def _git_commit() -> str | None:
    if shutil.which("git") is None:
        return None
    asked = subprocess.run(
        ["git", "-C", str(ROOT), "describe", "--always", "--dirty", "--abbrev=40"], capture_output=True, text=True
    )
    return asked.stdout.strip() or None
