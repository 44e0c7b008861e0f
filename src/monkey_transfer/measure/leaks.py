"""Could an arm have seen the test people? The audit of a study's arms, here and on the people of another data set."""

import pandas as pd

from monkey_transfer.study.near_duplicates import near_duplicates
from monkey_transfer.study.opening import Study


def audited(study: Study) -> pd.DataFrame:
    """How many test people each arm may know, with any seed: from its own training or from its ancestors'.

    Returns one row per arm: ``arm``, ``test_people`` and how many of them were ``trained_on``; are in a
    ``shared_group`` with a training picture (a video, a photograph); are in a picture of which the training has
    ``near_duplicates``, itself included; and ``may_have_seen``, all of them where weights come from a training that may
    have held them, as the ``note`` says.
    """
    test, learnt = study.test_people.images, {name: _learnt(study, name) for name in study.profile.arms}
    alike = near_duplicates(test["path"], pd.concat(learnt.values())["path"])
    rows = []
    for name in study.profile.arms:
        lineage = study.profile.lineage(name)
        seen = pd.concat([learnt[ancestor] for ancestor in lineage])
        people = seen[seen["role"].isin(("target", "set_aside"))]
        notes = why_it_may_know(study, name, "target")
        rows.append(
            {
                "arm": name,
                "test_people": len(test),
                "trained_on": test["image_id"].isin(people["image_id"]).sum(),
                "shared_group": test["group"].isin(people["group"]).sum(),
                "near_duplicates": test["path"].isin(alike.loc[alike["second"].isin(seen["path"]), "first"]).sum(),
                "may_have_seen": len(test) if notes else 0,
                "note": "; ".join(notes),
            }
        )
    return pd.DataFrame(rows)


def alike_elsewhere(study: Study) -> pd.Series:
    """By arm, how many people of the other data set are in a picture nearly the same as one that the arm learnt.

    Missing for finished networks: what they learnt is not here to be looked at.
    """
    trained = [name for name, arm in study.profile.arms.items() if arm.learns != "nothing"]
    learnt = {name: pd.concat([_learnt(study, one) for one in study.profile.lineage(name)])["path"] for name in trained}
    people = study.dataset("elsewhere").images["path"]
    alike = near_duplicates(people, pd.concat(learnt.values()))
    counts = {name: people.isin(alike.loc[alike["second"].isin(learnt[name]), "first"]).sum() for name in trained}
    return pd.Series(counts, dtype="Int64").reindex(list(study.profile.arms))


def why_it_may_know(study: Study, arm: str, role: str) -> list[str]:
    """What the networks of others that an arm starts from were trained on, where the people of that role may be among
    it: 'target' or 'elsewhere'."""
    networks = [found for ancestor in study.profile.lineage(arm) if (found := study.profile.arm(ancestor).published)]
    people = getattr(study.profile, role).data.format
    return [one.may_know_people for one in networks if one.may_know_people and people not in one.knows_none_of]


def may_have_seen(leaks: pd.DataFrame) -> dict[str, str]:
    """Arm -> why it may know the test people, of those arms that may."""
    noted = leaks[leaks["may_have_seen"] > 0]
    return dict(zip(noted["arm"], noted["note"], strict=True))


def _learnt(study: Study, name: str) -> pd.DataFrame:
    """Images table and ``role`` of what an arm itself learns with any seed, and of what decides when it stops."""
    arm, validation = study.profile.arm(name), study.profile.validation_size(name)
    if arm.learns == "nothing":
        return study.target.images.head(0).assign(role="target")
    draws = [study.draw(arm.learns, seed) for seed in study.profile.seeds]
    # Everybody's threshold is chosen on people of the target; those are none of the test people by the same split.
    ids = {i for draw in draws for i in (*draw.training_subset(arm.largest), *draw.validation[:validation])}
    images = study.dataset(arm.learns).images
    return images[images["image_id"].isin(ids)].assign(role=arm.learns)
