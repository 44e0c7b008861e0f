"""Runs of which a report kept all but the network: whether they still stand, and when their network is needed."""

import json
from collections.abc import Sequence
from typing import Any

from monkey_transfer.profiles.profile import Profile
from monkey_transfer.study import runs
from monkey_transfer.study.changes import change_since
from monkey_transfer.study.jobs import published_weights
from monkey_transfer.study.opening import Study
from monkey_transfer.study.runs import RECOVERED, Run, ancestors


def difference(study: Study, run: Run, said: dict[str, Any]) -> str:
    """Why a run of which that is said (``specification``, ``made_of``) is not that of the profile and the data now.

    Empty if it is. Weights that somebody published are compared by their bytes, those of a run by :func:`stands`.
    """
    specification, made_of = said["specification"], said.get("made_of")
    if not runs.specifies(specification, study.profile, run):
        return "settings or training code are others"
    if not made_of:
        return "it is not known what it was made of"
    weights = published_weights(study, run)
    if weights is not None and specification["initial_weights"] != weights:
        return "the weights that it starts from are others"
    return change_since(study, run, made_of)


def stands(study: Study, run: Run) -> bool:
    """Whether a run was recovered, and it and what it started from are as the profile and the data are now."""
    if not run.is_complete or run.has_network:
        return False
    said = json.loads((run.folder / RECOVERED).read_text(encoding="utf-8"))["starts_from"]
    each = zip([run, *ancestors(study.profile, run)], [run.manifest(), *said], strict=True)
    return not any(difference(study, one, of) for one, of in each)


def is_needed(profile: Profile, run: Run, of: Sequence[Run]) -> bool:
    """Whether one of those runs that is not finished starts from this one's network."""
    return any(run in ancestors(profile, one) for one in of if not one.is_complete)
