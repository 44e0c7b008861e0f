"""Which frames of a video a run's network asks to have labelled: how uncertain it is of each, how unusual each is."""

import re
from collections.abc import Collection
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pandas as pd

from monkey_transfer.datasets.base import Dataset
from monkey_transfer.measure.calibration import Calibration, calibrated
from monkey_transfer.measure.pose_space import coverage, normalised_poses
from monkey_transfer.measure.rare_poses import FEWEST_TRAINING, rarity_of_people
from monkey_transfer.skeletons import mapping, other_side
from monkey_transfer.study.jobs import given_to
from monkey_transfer.study.opening import Study
from monkey_transfer.study.runs import Run
from monkey_transfer.videos.choosing import choose, reasons
from monkey_transfer.videos.labelling import picture_name
from monkey_transfer.videos.reading import Video

# Of held-out people this share is beyond the limit from which on a frame is uncertain, or unusual.
_BEYOND = 0.1
# Fewer landmarks make no pose.
_FEWEST_LANDMARKS = 3
# Frames whose distances to all poses that were learnt are in memory at once.
_AT_ONCE = 1000


@dataclass(frozen=True)
class Standard:
    """What the frames that a network sees are held against.

    Attributes
    ----------
    calibration : of its likelihoods.
    learnt : what it learnt; None where nobody can say how far a pose is from that: of a finished network of others, or
        where too few of those that it learnt have the same joints of both sides.
    landmarks : by which such distances are measured.
    limits : the ``expected_wrong`` and ``rarity`` that one in ten of the held-out people is beyond, by what the network
        sees of them; NaN where not known.
    """

    calibration: Calibration
    learnt: Dataset | None
    landmarks: list[str]
    limits: dict[str, float]

    def measured(self, seen: Dataset) -> pd.DataFrame:
        """Of every picture with a person or without one, by ``image_id``: ``expected_wrong``, the share of joints that
        are expected to be wrong, NaN without a person, and ``rarity``
        (:func:`monkey_transfer.measure.rare_poses.rarity_of_people`), NaN where it is not known.

        ``seen`` has a network's poses for labels, under its own skeleton's names, and their calibrated likelihoods.
        """
        wrong = 1 - seen.labels.groupby("image_id")["likelihood"].mean()
        rarity = pd.Series(np.nan, wrong.index)
        if self.learnt is not None:
            somebody = wrong.index[wrong.notna()]
            for first in range(0, len(somebody), _AT_ONCE):
                some = seen.subset(somebody[first : first + _AT_ONCE])
                rarity.update(rarity_of_people(some, self.learnt, self.landmarks))
        return pd.DataFrame({"expected_wrong": wrong, "rarity": rarity})


def standard_of(study: Study, run: Run) -> Standard:
    """What the frames of a finished run's network are held against."""
    calibration = calibrated(study, run)
    # Against those alone whom the network learnt that held them out: one that learnt everybody knows their own video.
    people = pd.concat([_held_out(study.part(one), one, calibration) for one in study.witnesses(run)])
    limits = {str(name): of.quantile(1 - _BEYOND) for name, of in people.items()}
    return replace(_against_what_it_learnt(study, run, calibration), limits=limits)


def _against_what_it_learnt(study: Study, run: Run, calibration: Calibration) -> Standard:
    """The standard of a run, without limits."""
    learnt = _learnt(study, run)
    own = {study.target.skeleton.landmark_of[name] for name in _names(study, run).values()}
    landmarks = [] if learnt is None else _landmarks(learnt, own)
    return Standard(calibration, learnt if len(landmarks) >= _FEWEST_LANDMARKS else None, landmarks, {})


def _held_out(study: Study, run: Run, calibration: Calibration) -> pd.DataFrame:
    """:meth:`Standard.measured` of the people whom a run held out, as its network sees them."""
    seen = study.held_out_predictions(run)
    seen = seen.assign(likelihood=calibration.share(seen["likelihood"].to_numpy()))
    people = replace(study.held_out(run), labels=seen)
    return _against_what_it_learnt(study, run, calibration).measured(people)


def chosen_frames(
    study: Study, run: Run, standard: Standard, video: Video, poses: pd.DataFrame, count: int
) -> pd.DataFrame:
    """The frames of a video that are to be labelled, at most ``count``, in order; none where nobody is found at all.

    Returns ``frame``, ``time`` (in seconds: the frame by the video's rate), ``picture``, ``rank`` (1 is the first that
    was chosen), ``why`` (:func:`monkey_transfer.videos.choosing.reasons`), and ``expected_wrong`` and ``rarity`` as
    :meth:`Standard.measured` has them. ``poses`` are those of
    :func:`monkey_transfer.videos.following.follow`, with calibrated likelihoods.
    """
    names = _names(study, run)
    labels = poses[poses["keypoint"].isin(names)]
    labels = labels.assign(keypoint=labels["keypoint"].map(names), image_id=labels["frame"].astype(str))
    seen = replace(study.target, images=labels[["image_id"]].drop_duplicates(), labels=labels)
    frames = standard.measured(seen).reset_index()
    frames["frame"] = frames["image_id"].astype(int)

    ids, found = normalised_poses(seen, [study.target.skeleton.landmark_of[name] for name in names.values()])
    pose_of = dict(zip(ids.astype(int).tolist(), found, strict=True))

    def distance(frame: int, others: np.ndarray) -> np.ndarray:
        return coverage(np.stack([pose_of[other] for other in others.tolist()]), pose_of[frame][None])

    labelled = labelled_frames(study.target, video)
    numbers = choose(frames, distance, count, video.frames_per_second, labelled) if pose_of else []
    chosen = frames.set_index("frame").loc[numbers]
    chosen = chosen.assign(
        time=chosen.index / video.frames_per_second,
        picture=[picture_name(video, frame) for frame in numbers],
        rank=range(1, len(numbers) + 1),
        why=reasons(chosen, standard.limits),
    )
    return chosen.sort_index().reset_index()[["frame", "time", "picture", "rank", "why", "expected_wrong", "rarity"]]


def labelled_frames(target: Dataset, video: Video) -> list[int]:
    """The frames of a video that are labelled in a DeepLabCut project: `labeled-data/<video>/img<frame>.png`."""
    pictures = (Path(path) for path in target.images["path"])
    numbers = (re.fullmatch("img([0-9]+)", one.stem) for one in pictures if one.parent.name == video.path.stem)
    return sorted(int(number[1]) for number in numbers if number)


def _names(study: Study, run: Run) -> dict[str, str]:
    """The network's name of a joint -> the target's, for those that both have."""
    return mapping(study.skeleton(run.arm), study.target.skeleton)


def _learnt(study: Study, run: Run) -> Dataset | None:
    """What a run's network learnt itself; None if it is a finished network of others."""
    for part in given_to(study, run):
        if part.role == "train":
            return study.dataset(part.of).subset(part.image_ids)
    return None


def _landmarks(learnt: Dataset, own: Collection[str]) -> list[str]:
    """Of the landmarks ``own``, first those that are labelled most often and each together with the same of the other
    side, as many as half of those who were learnt have, and as rarity needs."""
    labels = learnt.labels[learnt.labels["labelled"]]
    there = labels.assign(landmark=labels["keypoint"].map(learnt.skeleton.landmark_of))
    there = there.pivot(index="image_id", columns="landmark", values="x").notna()
    pairs = {tuple(sorted({landmark, other_side(landmark)})) for landmark in there.columns}
    pairs = {pair for pair in pairs if {*pair} <= {*there.columns} & {*own}}
    chosen: list[str] = []
    for pair in sorted(pairs, key=lambda pair: (-there[list(pair)].all(axis=1).sum(), pair)):
        if there[[*chosen, *pair]].all(axis=1).sum() < max(FEWEST_TRAINING, len(learnt) / 2):
            break
        chosen += pair
    return chosen
