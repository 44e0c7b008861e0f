"""The network of a finished run on people whom the study does not know."""

import json
from dataclasses import replace
from pathlib import Path
from typing import NamedTuple

import pandas as pd

from monkey_transfer.datasets.base import Dataset
from monkey_transfer.errors import StudyError
from monkey_transfer.networks.supervisor import run_job
from monkey_transfer.profiles.data import ElsewhereData, OtherPeople
from monkey_transfer.profiles.framing import ScaledPerson
from monkey_transfer.study.datasets import open_dataset
from monkey_transfer.study.jobs import Part, working_in, write_finished
from monkey_transfer.study.opening import Study
from monkey_transfer.study.runs import Run
from monkey_transfer.study.splits import split_people
from monkey_transfer.study.training import as_labelled


class Tried(NamedTuple):
    """What a run's network finds: ``predictions`` of the other people, as :mod:`monkey_transfer.tables` has them, in
    original pixels and under the labels' names; and the ``validation_score`` that it has now, on its own people."""

    predictions: pd.DataFrame
    validation_score: float


def with_people(study: Study, arm: str, asked: OtherPeople, origin: Path) -> Study:
    """The study with other people elsewhere, of whom none was chosen by what is known of him.

    Left out are only those whose size an arm of framing ``scaled`` would have to know and does not. StudyError, which
    names ``origin``, the file that asks for them, if their files cannot be read, there are fewer than asked for, or
    nobody could be measured: for want of the yardstick, or of a labelled joint that the arm finds.
    """
    try:
        people = _shown(study, arm, asked)
    except StudyError as error:
        raise StudyError(f"{origin}: {error}") from None
    elsewhere = ElsewhereData(data=asked.data, test=len(people), yardstick=asked.yardstick)
    return replace(study, profile=study.profile.model_copy(update={"elsewhere": elsewhere}), elsewhere=people)


def _shown(study: Study, arm: str, asked: OtherPeople) -> Dataset:
    people, framing, own = open_dataset(asked.data), study.profile.framing(arm), study.skeleton(arm)
    if isinstance(framing, ScaledPerson):
        people = people.measured_by(framing.yardstick)
    if asked.test is not None:
        people = people.subset(split_people(people.images, asked.test, study.profile.split_seed).test)
    labels = people.measured_by(asked.yardstick).labels
    labelled = labels.loc[labels["labelled"], "keypoint"].unique()
    if own.keypoint_of.keys().isdisjoint(people.skeleton.landmark_of[keypoint] for keypoint in labelled):
        raise StudyError(
            f"none of its labelled joints ({', '.join(labelled)}) is one that arm '{arm}' finds "
            f"({', '.join(own.keypoints)}): expected at least one that both have"
        )
    return people


def try_elsewhere(study: Study, run: Run, folder: Path) -> Tried:
    """Have the network of a finished run predict the people elsewhere, framed as it learnt, in a process of its own.

    It predicts its own validation people as well, so that one can see that it is the network it was. ``folder`` is
    where the process works; it is gone afterwards, unless StudyError says why there is no result.
    """
    people = study.dataset("elsewhere")
    others = Part("elsewhere", "elsewhere", tuple(people.images["image_id"]))
    with working_in(folder) as work:
        write_finished(work, study, run, others)
        run_job(work, f"{run} on {people.name}")
        everything = pd.read_parquet(work.network_predictions)
        outcome = json.loads(work.outcome.read_text(encoding="utf-8"))
    return Tried(as_labelled(study, run.arm, everything, others), outcome["validation_score"])
