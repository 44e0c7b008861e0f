"""What finished runs no longer stand for, because the files that they were made of are others now.

A run is made again when its specification is another, which holds the bytes of every picture as the network sees it.
Here it is asked sooner, without making pictures: from labels, boxes and the sizes of files alone.
"""

import hashlib
import os
from collections.abc import Callable
from functools import cache, partial

from monkey_transfer.networks.job import FIT_ROLES
from monkey_transfer.profiles.profile import Profile
from monkey_transfer.study.jobs import Part, given_to
from monkey_transfer.study.opening import Study, open_study
from monkey_transfer.study.runs import Run, runs_of
from monkey_transfer.tables import BOX, SIZE, content_of

# What is kept of a run's files, and what is said where it is another.
_CHANGED = {"people": "others are learnt or predicted", "labels": "labels changed", "pictures": "pictures changed"}
FROM_ANOTHER = "the network that it starts from is made again"


def made_of(study: Study, run: Run) -> dict[str, str]:
    """Digests of what a run is made of: which ``people`` in which role, their ``labels`` and boxes and what joints are
    called, and the sizes of the files of their ``pictures``."""
    return _joined(study, run, [_digests(study, part) for part in given_to(study, run)])


def runs_and_changes(profile: Profile) -> tuple[list[Run], dict[Run, str]]:
    """All runs of a profile's study, and the :func:`changes` among them.

    The study is opened for it unless all of its pictures are rendered and nobody has to be told apart in folds.
    StudyError if its data cannot be read, or has not the people that it asks for.
    """
    if profile.folds is None and all(data.format == "synthetic" for data in profile.data.values()):
        return runs_of(profile), {}
    study = open_study(profile.name)
    for part in study.parts:
        part.draws  # noqa: B018
    return study.runs(), changes(study)


def change_of(study: Study, run: Run) -> str:
    """Why a finished run is not of the data as they are; empty if it is, or nothing was kept by which to tell."""
    return change_since(study, run, run.manifest().get("made_of"))


def change_since(study: Study, run: Run, was: dict[str, str] | None) -> str:
    """Why a run that was :func:`made_of` that is not of the data as they are; empty as :func:`change_of` has it."""
    return _change(study, run, was, partial(_digests, study))


def changes(study: Study) -> dict[Run, str]:
    """Which finished runs will be made again, and why; those of which nothing was kept are passed over."""
    of_part = cache(partial(_digests, study))  # most are the same for many runs
    found: dict[Run, str] = {}
    for run in sorted(study.runs(), key=lambda run: len(study.profile.lineage(run.arm))):
        if not run.is_complete:
            continue
        parent, why = study.profile.arm(run.arm).parent, _change(study, run, run.manifest().get("made_of"), of_part)
        if not why and parent and not found.keys().isdisjoint(study.part(run).runs_of(parent, run.seed)):
            why = FROM_ANOTHER
        if why:
            found[run] = why
    return found


def _change(study: Study, run: Run, was: dict[str, str] | None, of_part: Callable[[Part], dict[str, bytes]]) -> str:
    """What of a run's people, labels and pictures is another than when it was made: the first that is."""
    if not was:
        return ""
    now = _joined(study, run, [of_part(part) for part in given_to(study.part(run), run)])
    return next((said for what, said in _CHANGED.items() if now[what] != was[what]), "")


def _digests(study: Study, part: Part) -> dict[str, bytes]:
    of = study.dataset(part.of).subset(part.image_ids)
    said = [of.images[["image_id", *SIZE, *BOX]]]
    said += [of.labels, of.reference_lengths] if part.role in FIT_ROLES else []
    return {
        "people": repr((part.role, part.image_ids)).encode(),
        "labels": b"".join(map(content_of, said)),
        "pictures": repr([os.path.getsize(path) for path in of.images["path"]]).encode(),
    }


def _joined(study: Study, run: Run, parts: list[dict[str, bytes]]) -> dict[str, str]:
    names = {"labels": repr(study.skeleton(run.arm).keypoints).encode()}
    parts = [*parts, {what: names.get(what, b"") for what in _CHANGED}]
    return {what: hashlib.sha256(b"".join(part[what] for part in parts)).hexdigest() for what in _CHANGED}
