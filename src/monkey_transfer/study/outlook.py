"""What is left of a profile's runs, and how long that may take, told before anything starts.

Runs are counted by their folders, and time is that of the profile's runs so far.
"""

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from types import MappingProxyType

import pandas as pd

from monkey_transfer.networks.engine import Training
from monkey_transfer.profiles.profile import Profile
from monkey_transfer.study.recovered import is_needed
from monkey_transfer.study.runs import Run, ancestors, has_settings


@dataclass(frozen=True)
class Outlook:
    """How many runs a profile has, and what is known of those that are missing.

    Attributes
    ----------
    existing : finished runs that were made as the profile now has their arm, and the arms that it starts from.
    to_train : other runs that train a network; any other uses a finished network as it is.
    unknown : of these, runs whose kind of network no finished run has trained, so that their time is not known.
    hours : expected training time of the others.
    on : what the runs so far trained on: 'GPU', 'processor', or nothing where that was not recorded or differs.
    changed : finished runs that will be made again, and why.
    unseen : of the existing ones, those of which nothing was kept by which to tell.
    """

    profile: str
    runs: int
    existing: int
    to_train: int
    unknown: int
    hours: float
    on: str
    changed: Mapping[Run, str]
    unseen: int

    def __str__(self) -> str:
        as_it_is = self.runs - self.existing - self.to_train
        counted = f"{self.runs} runs of profile {self.profile}: {self.existing} exist, {self.to_train} to train"
        finished = f", {as_it_is} of networks as they are" if as_it_is else ""
        later = [f"Whether data of {self.unseen} changed is seen when their turn comes."] if self.unseen else []
        return " ".join([f"{counted}{finished}{self._time()}.", *again(self.changed), *later])

    def _time(self) -> str:
        if not self.to_train:
            return ""
        if self.unknown == self.to_train:
            return "; how long is not known before a run of that kind of network is finished"
        hours = f"{self.hours:.{0 if self.hours >= 10 else 1 if self.hours >= 0.1 else 2}f}"
        unit = f"{self.on} hours" if self.on else "hours of training"
        of = f" for {self.to_train - self.unknown} of them" if self.unknown else ""
        return f"; about {hours} {unit}{of}, from the runs so far"


def again(changed: Mapping[Run, str]) -> list[str]:
    """How many runs that are there are made again, in a sentence for each reason."""
    counted = Counter(changed.values()).items()
    return [f"{number} finished run{'s are' if number > 1 else ' is'} made again: {why}." for why, number in counted]


def outlook(profile: Profile, runs: Sequence[Run], changed: Mapping[Run, str] = MappingProxyType({})) -> Outlook:
    """Count the ``runs`` of a profile and expect of the missing ones what finished runs of their network took.

    ``changed`` are finished runs that do not count (:func:`monkey_transfer.study.changes.changes`). Time is
    proportional to the pictures seen, iterations x batch size. An arm that stops at a plateau takes less.
    """
    finished = [run for run in runs if run.is_complete]
    trained = [run for run in finished if run.has_network and run.manifest()["outcome"]["seconds"]]
    pace = _seconds_per_picture(trained)
    current = {run for run in finished if has_settings(profile, run) and run not in changed}
    lacking = {run for run in current if not run.has_network and is_needed(profile, run, runs)}
    existing = {run for run in current - lacking if current.issuperset(ancestors(profile, run))}
    missing = [profile.arm(run.arm).at(run.images) for run in runs if run not in existing]
    to_train = [arm.training for arm in missing if arm.learns != "nothing"]
    known = [training for training in to_train if _kind(training) in pace]
    gpus = [run.manifest()["machine"].get("gpus") for run in trained]
    on = {"" if names is None else "GPU" if names else "processor" for names in gpus}
    return Outlook(
        profile=profile.name,
        runs=len(runs),
        existing=len(existing),
        to_train=len(to_train),
        unknown=len(to_train) - len(known),
        hours=sum(pace[_kind(training)] * training.iterations * training.batch_size for training in known) / 3600,
        on=on.pop() if len(on) == 1 else "",
        changed=changed,
        unseen=sum("made_of" not in run.manifest() for run in existing),
    )


def _kind(training: Training) -> tuple[str, str]:
    """What training time depends on: engine and backbone."""
    return training.engine, training.net_type


def _seconds_per_picture(trained: list[Run]) -> pd.Series:
    """Training time per picture seen of each kind of network."""
    seen = []
    for run in trained:
        training, outcome = run.training(), run.manifest()["outcome"]
        seen.append((*_kind(training), outcome["seconds"], outcome["iterations"] * training.batch_size))
    table = pd.DataFrame(seen, columns=["engine", "net_type", "seconds", "pictures"])
    of_kind = table.groupby(["engine", "net_type"]).sum()
    return of_kind["seconds"] / of_kind["pictures"]
