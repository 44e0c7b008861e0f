"""The study that a profile describes: its data, its splits, its framed pictures and its runs.

This is what notebooks call. Nothing here imports an engine; a run is trained in a process of its own.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from functools import cached_property

import pandas as pd

from monkey_transfer import tables
from monkey_transfer.datasets.base import Dataset
from monkey_transfer.datasets.pictures import framed
from monkey_transfer.errors import StudyError
from monkey_transfer.files import clear_disk_errors, digest_of, only_one
from monkey_transfer.images import stamp
from monkey_transfer.places import runs_folder
from monkey_transfer.profiles.data import CocoData, DlcData
from monkey_transfer.profiles.framing import Framing, ScaledPerson
from monkey_transfer.profiles.loading import load_profile
from monkey_transfer.profiles.profile import Profile
from monkey_transfer.skeletons import Skeleton
from monkey_transfer.study import runs
from monkey_transfer.study.datasets import open_dataset
from monkey_transfer.study.near_duplicates import NEAR, kept_together, near_duplicates
from monkey_transfer.study.pseudonyms import key_of, pseudonymised
from monkey_transfer.study.runs import Best, Run
from monkey_transfer.study.splits import Draw, Split, draw_people, everybody, fold_people, set_aside, split_people


@dataclass(frozen=True)
class Study:
    """A profile with its data opened and split.

    Attributes
    ----------
    source, target : the data sets, whole.
    sources : the other data sets that arms may learn first, by the profile's names.
    elsewhere : people of another data set, those that every arm is tried on; None where the profile names none.
    fold : of a profile with folds, the one whose people test, see :attr:`parts`; None for all of them together.
    """

    profile: Profile
    source: Dataset
    target: Dataset
    elsewhere: Dataset | None = None
    sources: Mapping[str, Dataset] = field(default_factory=dict)
    fold: int | None = None

    @cached_property
    def parts(self) -> tuple["Study", ...]:
        """The study as the networks of each fold see it, which learn nobody who tests there; without folds itself."""
        if self.profile.folds is None or self.fold is not None:
            return (self,)
        return tuple(replace(self, fold=fold) for fold in range(len(self._folds)))

    def part(self, run: Run) -> "Study":
        """The study as a run sees it: that of its fold, or itself."""
        return self if run.fold == self.fold else self.parts[run.fold or 0]

    @cached_property
    def _folds(self) -> tuple[Split, ...]:
        profile = self.profile
        assert profile.folds is not None
        with _told_of(f"profile {profile.name}"):
            return fold_people(self.target.images, profile.folds, profile.split_seed, self.unscored)

    @property
    def datasets(self) -> dict[str, Dataset]:
        """By role, all data sets that the profile names."""
        elsewhere = {} if self.elsewhere is None else {"elsewhere": self.elsewhere}
        return {"source": self.source, **self.sources, "target": self.target, **elsewhere}

    def dataset(self, role: str) -> Dataset:
        """The data set of that role, for 'set_aside' the target; StudyError if there is none."""
        data = self.datasets | {"set_aside": self.target}
        if role not in data:
            raise self.profile.lacks(role)
        return data[role]

    @cached_property
    def unscored(self) -> frozenset[str]:
        """People of the target whose yardstick is not known: they can be learnt, and nobody is tried on them.

        StudyError if it is known for nobody.
        """
        measured = self.target.measured_by(self.profile.yardstick)
        return frozenset(self.target.images["image_id"]) - frozenset(measured.images["image_id"])

    @cached_property
    def splits(self) -> dict[str, Split]:
        """Who tests, of all that arms learn; the same for all arms and seeds."""
        profile = self.profile
        splits: dict[str, Split] = {}
        for role, asked in profile.learnt_data.items():
            with _told_of(self._asks(role)):
                if role == "set_aside":
                    splits["target"], splits[role] = set_aside(splits["target"], profile.target.set_aside)
                elif asked.test is None:
                    splits[role] = self._of_fold
                else:
                    unscored = self.unscored if role == "target" else ()
                    splits[role] = split_people(self.dataset(role).images, asked.test, profile.split_seed, unscored)
        return splits

    @property
    def _of_fold(self) -> Split:
        """Of people who test by folds, those of this one; of all together everybody."""
        if self.fold is None:
            return everybody(self.target.images, self.profile.split_seed, self.unscored)
        return self._folds[self.fold]

    @cached_property
    def draws(self) -> dict[str, dict[int, Draw]]:
        """Whom each seed learns of the sources and of the target; the same for all arms of that seed.

        StudyError if an arm asks for more pictures than the pool has: now rather than hours later.
        """
        profile, draws = self.profile, {}
        for role, split in self.splits.items():
            with _told_of(self._asks(role)):
                draws[role] = {s: draw_people(split, profile.largest_validation(role), s) for s in profile.seeds}
                if role != "target" or len(self.parts) == 1:  # with folds nobody learns of all together
                    for draw in draws[role].values():
                        draw.training_subset(profile.largest_training_set(role))
        return draws

    def _asks(self, role: str) -> str:
        """What asks for pictures of a data set, and what of it stays together."""
        groups = self.dataset(role).groups
        whole = "" if groups == "pictures" else f"; its {groups} stay whole"
        fold = "" if self.fold is None or role != "target" else f" in fold {self.fold}"
        return f"profile {self.profile.name}, {role}{fold} (its test and its arms' images{whole})"

    def draw(self, role: str, seed: int) -> Draw:
        """Whom a seed learns; StudyError if the profile does not have that seed."""
        if seed not in self.draws[role]:
            seeds = ", ".join(map(str, self.profile.seeds))
            raise StudyError(f"profile {self.profile.name} has no seed {seed}; expected one of {seeds}")
        return self.draws[role][seed]

    def threshold_people(self, run: Run) -> tuple[str, ...]:
        """The validation people of a run's seed on whom its detection threshold is chosen.

        Of the network that learnt everybody they are those of its :meth:`witnesses`.
        """
        if isinstance(run, Best):
            each = (i for one in self.witnesses(run) for i in self.part(one).threshold_people(one))
            return tuple(dict.fromkeys(each))
        return self.draw("target", run.seed).validation[: self.profile.threshold_size(run.arm, run.images)]

    def witnesses(self, run: Run) -> list[Run]:
        """The runs that say how a network does on people whom it did not learn: itself; of the one that learnt
        everybody those of its arm, number of images and seed. StudyError if the profile no longer has these."""
        if not isinstance(run, Best):
            return [run]
        found = [one for one in self.runs() if (one.arm, one.images, one.seed) == (run.arm, run.images, run.seed)]
        if not found:
            raise self._outdated(run)
        return found

    def held_out(self, run: Run) -> Dataset:
        """The same people as a data set."""
        return self.target.subset(self.threshold_people(run))

    @cached_property
    def test_people(self) -> Dataset:
        """The test people, the same for every arm."""
        return self.target.subset(self.splits["target"].test)

    @cached_property
    def data_digest(self) -> str:
        """A digest of its data sets: labels, boxes, lengths, groups, and the sizes of pictures and of their files."""
        digest = hashlib.sha256()
        for role, of in self.datasets.items():
            digest.update(role.encode())
            images = of.images[["image_id", "group", *tables.SIZE, *tables.BOX]]
            sizes = [os.path.getsize(path) for path in of.images["path"]]
            for table in (images.assign(bytes=sizes), of.labels, of.reference_lengths):
                digest.update(tables.content_of(table))
        return digest.hexdigest()

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
        return pd.concat([of.left_out.assign(data=role) for role, of in self.datasets.items()], ignore_index=True)

    def framed(self, role: str, image_ids: Iterable[str], framing: Framing) -> pd.DataFrame:
        """Pictures of that role as networks see them: :func:`monkey_transfer.datasets.pictures.framed`."""
        people, role = self.dataset(role).subset(image_ids), "target" if role == "set_aside" else role
        frame = {"picture": framing.model_dump(), "data": self.profile.data_of(role).model_dump(exclude={"group"})}
        folder = runs_folder() / self.profile.name / "pictures" / f"{role}-{digest_of(frame)[:8]}"
        return framed(people, framing, folder)

    def test_frames(self, arm: str) -> pd.DataFrame:
        """The test people as that arm sees them."""
        return self.framed("target", self.splits["target"].test, self.profile.framing(arm))

    def skeleton(self, arm: str) -> Skeleton:
        """The keypoints that an arm's network has, under the names that it gives them: those of what it learnt."""
        chosen = self.profile.arm(arm)
        if chosen.learns == "nothing" and chosen.published:
            return chosen.published.skeleton
        return self.dataset(chosen.learns).own_skeleton

    @property
    def body_yardstick(self) -> str:
        """What a person's size is measured by: MPII's 200 x scale (paper, section 2.1), else the box's length."""
        known = set(self.target.reference_lengths["name"])
        return "mpii_200scale" if "mpii_200scale" in known else "bbox_length"

    def runs(self) -> list[Run]:
        """All runs of the study, arm by arm and size by size."""
        return runs.runs_of(self.profile, self._fold_numbers)

    def runs_of(self, arm: str, seed: int, images: int | None = None) -> tuple[Run, ...]:
        """The runs of that arm, seed and number of training pictures, its largest unless given; finished or not.

        There is one, or one for each fold. StudyError as :func:`monkey_transfer.study.runs.run_of` has it.
        """
        run = runs.run_of(self.profile, arm, seed, images)
        folds = self._fold_numbers if self.profile.learns_people(arm) else (None,)
        return tuple(replace(run, fold=fold) for fold in folds)

    @property
    def _fold_numbers(self) -> tuple[int | None, ...]:
        return tuple(part.fold for part in self.parts)

    def finished(self, arm: str, seed: int, images: int | None = None) -> tuple[Run, ...]:
        """The :meth:`runs_of`, finished.

        StudyError if one is not, or was trained when the profile said something else of the arm or of its pictures.
        Whether the data or their split changed only :func:`~monkey_transfer.study.training.train_arm` sees.
        """
        found = self.runs_of(arm, seed, images)
        for run in found:
            self.refuse_outdated(run)
        return found

    def refuse_outdated(self, run: Run) -> None:
        """StudyError if a run is not finished, or not as the profile now says: see :meth:`finished`."""
        if not runs.has_settings(self.profile, run):
            raise self._outdated(run)

    def _outdated(self, run: Run) -> StudyError:
        return StudyError(
            f"run {run} was trained when profile {self.profile.name} or the training code were others: "
            f"run it again ({run.made_by})"
        )

    def predictions(self, arm: str, seed: int, images: int | None = None) -> pd.DataFrame:
        """What the :meth:`finished` runs predict of the test people: with folds each of those who test there."""
        found = {part.splits["target"].test: part.finished_run(arm, seed, images).predictions() for part in self.parts}
        return pd.concat([rows[rows["image_id"].isin(test)] for test, rows in found.items()], ignore_index=True)

    def finished_run(self, arm: str, seed: int, images: int | None = None) -> Run:
        """The one run that is :meth:`finished`; of a study with folds ask a part of it."""
        [run] = self.finished(arm, seed, images)
        return run

    def held_out_predictions(self, run: Run) -> pd.DataFrame:
        """What a finished run predicts of the people whom it :meth:`held_out`.

        For the network that learnt everybody its :meth:`witnesses` speak, of each person the first who held them out:
        of people whom it knows it would be surer, and more often right, than of any others.
        """
        if isinstance(run, Best):
            found = [self.part(one).held_out_predictions(one) for one in self.witnesses(run)]
            return pd.concat(found, ignore_index=True).drop_duplicates(["image_id", "keypoint"], ignore_index=True)
        # With folds a network that learns no people predicts everybody as test people, whichever fold they are of.
        of = "threshold" if run.fold == self.fold else "test"
        rows = run.predictions(of)
        return rows[rows["image_id"].isin(self.threshold_people(run))]


def open_study(name: str) -> Study:
    """Load the profile of that name and open its data.

    Left out of the target are people whose size an arm of framing ``scaled`` would have to know and does not. Where a
    format knows no videos, pictures that are nearly the same are of one group, so that no split and no resample parts
    them. Own data have pseudonyms from here on.
    """
    profile = load_profile(name)
    with clear_disk_errors():
        data = {role: open_dataset(asked.data) for role, asked in profile.learnt_data.items() if role != "set_aside"}
        with _told_of(f"profile {name}"):
            data["target"] = scalable(data["target"], profile)
        data = {role: near_duplicates_together(of, name) for role, of in data.items()}
        data = {role: under_pseudonyms(of, role, profile) for role, of in data.items()}
        return Study(profile, data.pop("source"), data.pop("target"), _elsewhere(profile), data)


def _elsewhere(profile: Profile) -> Dataset | None:
    """As many people of the other data set as are tried, drawn as test people are."""
    chosen = profile.elsewhere
    if chosen is None:
        return None
    with _told_of(f"profile {profile.name}, elsewhere"):
        people = scalable(open_dataset(chosen.data).measured_by(chosen.yardstick), profile)
        people = people.subset(split_people(people.images, chosen.test, profile.split_seed).test)
    return under_pseudonyms(people, "elsewhere", profile)


@contextmanager
def _told_of(asked: str) -> Iterator[None]:
    """Say what asks for it before what is wrong with it."""
    try:
        yield
    except StudyError as error:
        raise StudyError(f"{asked}: {error}") from None


def scalable(people: Dataset, profile: Profile) -> Dataset:
    """The people whom every arm's framing can scale."""
    framings = [arm.picture for arm in profile.arms.values()]
    for name in dict.fromkeys(f.yardstick for f in framings if isinstance(f, ScaledPerson)):
        people = people.measured_by(name)
    return people


def under_pseudonyms(dataset: Dataset, role: str, profile: Profile) -> Dataset:
    """The data set without names of its own, where data are own; the other formats are those of published ones."""
    if not profile.own_data or not isinstance(profile.data_of(role), CocoData | DlcData):
        return dataset
    dataset = pseudonymised(dataset, role, key_of(profile.name))
    return replace(dataset, name=profile.title if role == "target" else role)


def near_duplicates_together(dataset: Dataset, profile: str) -> Dataset:
    """The data set with its near duplicates in one group; which they are is looked for once for the same files.

    Where a format knows groups of files they stay as they are: frames of one video's room look alike, whoever is in
    it, and so do cut-outs of monkeys on black, whichever photograph they are from.
    """
    if dataset.images.groupby("group")["path"].nunique().max() > 1:
        return dataset
    files = {path: stamp(path) for path in dataset.images["path"].unique()}
    known = runs_folder() / profile / "near_duplicates" / f"{digest_of({**files, 'within': NEAR})[:16]}.parquet"
    known.parent.mkdir(parents=True, exist_ok=True)
    with only_one(known):
        if not known.is_file():
            tables.write(near_duplicates(files, files), known)
    images = kept_together(dataset.images, pd.read_parquet(known))
    joined = images["group"].nunique() < dataset.images["group"].nunique()
    return replace(dataset, images=images, groups="near duplicates" if joined else dataset.groups)
