"""The network of a finished run on a video: what it is told of people, and what its likelihoods mean."""

from pathlib import Path
from typing import NamedTuple

import numpy as np
import pandas as pd

from monkey_transfer import skeletons
from monkey_transfer.datasets.assembly import joint_extents
from monkey_transfer.errors import StudyError
from monkey_transfer.files import write_json
from monkey_transfer.networks.job import JobFolder
from monkey_transfer.networks.supervisor import run_job
from monkey_transfer.networks.watch import Watch
from monkey_transfer.profiles.framing import PersonCrop
from monkey_transfer.study.jobs import working_in, write_finished
from monkey_transfer.study.opening import Study
from monkey_transfer.study.runs import Run
from monkey_transfer.tables import BOX

# Of the joints of held-out people so many have the likelihood from which on a joint counts.
_SURE = 0.95
# Of a network's joints so many have to count for a person's box.
_JOINTS = 0.5


class Watched(NamedTuple):
    """What a network saw in a video: the tables ``poses`` and ``people`` of
    :func:`monkey_transfer.videos.following.follow`; ``sure``, the likelihood from which on a joint counted; and
    ``finder``, the arm whose network looked for people too, if one did."""

    poses: pd.DataFrame
    people: pd.DataFrame
    sure: float
    finder: str | None


def watch(study: Study, run: Run, video: Path, folder: Path) -> Watched:
    """Have the network of a finished run follow the person in a video, in a process of its own.

    Beside the network itself a finished network of the profile looks for people, if one of its runs is there that is
    not this one. ``folder`` is where the process works; it is gone afterwards, unless StudyError says why there is no
    result: the arm does not see crops of people, the video cannot be read, or one of
    :mod:`monkey_transfer.videos.reading`.
    """
    asked = _watch(study, run, video)
    finder = _finder(study, run)
    with working_in(folder) as work:
        jobs = [(work, run, asked)]
        if finder:
            jobs.append((JobFolder(folder / "finder"), finder, _watch(study, finder, video)))
        for place, of, sees in jobs:
            write_finished(place, study, of)
            write_json(place.path / "watch.json", sees.model_dump())
        run_job(work, f"{run} on {video.name}", program="watch")
        poses, people = (pd.read_parquet(folder / f"{name}.parquet") for name in ("poses", "people"))
    return Watched(poses, people, asked.sure, finder.arm if finder else None)


def _watch(study: Study, run: Run, video: Path) -> Watch:
    framing = study.profile.framing(run.arm)
    if not isinstance(framing, PersonCrop):
        raise StudyError(
            f"arm '{run.arm}' of profile {study.profile.name} sees pictures as framing '{framing.framing}' does: "
            "expected an arm that sees crops around people (framing: person), since only these can be followed"
        )
    found = study.held_out_predictions(run)
    likelihoods = _validated(study, run, found)["likelihood"]
    return Watch(
        video=str(video),
        size=framing.size,
        person=framing.person,
        margin=_margin(study, run),
        sure=float(np.quantile(likelihoods, 1 - _SURE)),
        joints=max(2, round(_JOINTS * likelihoods.groupby(level="keypoint").ngroups)),
        judged=tuple(skeletons.mapping(study.skeleton(run.arm), study.target.skeleton)),
        held_out=tuple(sorted(found.groupby("image_id")["likelihood"].mean())),
    )


def _finder(study: Study, run: Run) -> Run | None:
    """The run of a finished network of the same seed, other than this one, if there is one."""
    arms = [arm for arm in study.profile.finished_networks if arm != run.arm]
    followers = [arm for arm in arms if isinstance(study.profile.framing(arm), PersonCrop)]
    runs = [found for arm in followers for found in study.runs_of(arm, run.seed)]
    return next((found for found in runs if found.is_complete), None)


def _validated(study: Study, run: Run, found: pd.DataFrame) -> pd.DataFrame:
    """By image_id and keypoint, the labelled joints of held-out people that the network has, beside its predictions."""
    labels, keys = study.held_out(run).labels, ["image_id", "keypoint"]
    return labels[labels["labelled"]].merge(found, on=keys, suffixes=("_label", "")).set_index(keys)


def _margin(study: Study, run: Run) -> float:
    """How far the boxes of people reach beyond their joints, as a share of the joints' longer side: the median."""
    people = study.held_out(run)
    places = people.labels.pivot(index="image_id", columns="keypoint", values=["x", "y"])
    points = places.reindex(people.images["image_id"]).to_numpy().reshape(len(people), 2, -1).transpose(0, 2, 1)
    low, high = np.hsplit(joint_extents(points), 2)
    longer = people.images[BOX[2:]].max(axis=1).to_numpy() / (high - low).max(axis=1)
    return max(0.0, float(np.median(longer) - 1) / 2)
