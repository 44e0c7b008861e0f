"""Could an arm have seen the test people? The audit of a study's arms, here and on the people of another data set."""

import pandas as pd

from monkey_transfer.study.near_duplicates import near_duplicates
from monkey_transfer.study.opening import Study
from monkey_transfer.study.splits import Learnt, audit


def audited(study: Study) -> pd.DataFrame:
    """How many test people each arm may have seen, with any seed (:func:`~monkey_transfer.study.splits.audit`)."""
    arms = {name: _learnt(study, name) for name in study.profile.arms}
    images = {role: study.dataset(role).images for role in ("source", "target")}
    pictures = pd.concat(_paths(study, learnt) for learnt in arms.values())
    alike = near_duplicates(study.test_people.images["path"], pictures)
    return audit(arms, study.splits["target"].test, images, alike)


def alike_elsewhere(study: Study) -> pd.Series:
    """By arm, how many people of the other data set are in a picture nearly the same as one that the arm learnt.

    Missing for finished networks: what they learnt is not here to be looked at.
    """
    trained = [name for name, arm in study.profile.arms.items() if arm.learns != "nothing"]
    learnt = {name: _learnt_pictures(study, name) for name in trained}
    people = study.dataset("elsewhere").images["path"]
    alike = near_duplicates(people, set().union(*learnt.values()))
    counts = {name: people.isin(alike.loc[alike["second"].isin(learnt[name]), "first"]).sum() for name in trained}
    return pd.Series(counts, dtype="Int64").reindex(list(study.profile.arms))


def may_have_seen(leaks: pd.DataFrame) -> dict[str, str]:
    """Arm -> why it may know the test people, of those arms that may."""
    noted = leaks[leaks["may_have_seen"] > 0]
    return dict(zip(noted["arm"], noted["note"], strict=True))


def _learnt_pictures(study: Study, arm: str) -> set[str]:
    """Paths of the pictures that the arm, or an arm that it started from, learnt with any of the seeds."""
    return {path for name in study.profile.lineage(arm) for path in _paths(study, _learnt(study, name))}


def _paths(study: Study, learnt: Learnt) -> pd.Series:
    images = study.dataset(learnt.role).images
    return images.loc[images["image_id"].isin(learnt.image_ids), "path"]


def _learnt(study: Study, name: str) -> Learnt:
    """What an arm learns and what decides when it stops; of a finished network, why it may know the test people."""
    arm = study.profile.arm(name)
    elsewhere = arm.published.may_know_people if arm.published else ""
    if arm.learns == "nothing":
        return Learnt("target", (), arm.parent, elsewhere)
    validation = study.profile.validation_size(name)
    draws = [study.draw(arm.learns, seed) for seed in study.profile.seeds]
    ids = {i for draw in draws for i in (*draw.training_subset(arm.largest), *draw.validation[:validation])}
    # Everybody's threshold is chosen on people of the target; those are none of the test people by the same split.
    return Learnt(arm.learns, ids, arm.parent, elsewhere)
