"""Could an arm have seen the test people? The audit of a study's arms, here and on the people of another data set."""

from collections.abc import Iterable

import pandas as pd

from monkey_transfer.study.near_duplicates import near_duplicates
from monkey_transfer.study.opening import Study
from monkey_transfer.study.runs import Best, Run


def audited(study: Study) -> pd.DataFrame:
    """How many test people each arm may know, with any seed: from its own training or from its ancestors'.

    Returns one row per arm: ``arm``, ``test_people`` and how many of them were ``trained_on``; are in a
    ``shared_group`` with a training picture (a video, a photograph); are in a picture of which the training has
    ``near_duplicates``, itself included; and ``may_have_seen``, all of them where weights come from a training that may
    have held them, as the ``note`` says.
    """
    counts = [_audited(part) for part in study.parts]
    summed = sum(counts[1:], counts[0]).rename_axis("arm").reset_index()
    notes = ["; ".join(why_it_may_know(study, name, "target")) for name in summed["arm"]]
    may_know = [people if note else 0 for people, note in zip(summed["test_people"], notes, strict=True)]
    return summed.assign(may_have_seen=may_know, note=notes)


def _audited(study: Study) -> pd.DataFrame:
    """The counts by arm of :func:`audited`, of a study without folds or of one of them."""
    seeds, arms, test = study.profile.seeds, study.profile.arms, study.test_people.images
    learnt = {name: _learnt(study, name, arm.largest, seeds) for name, arm in arms.items()}
    alike = near_duplicates(test["path"], pd.concat(learnt.values())["path"])
    rows = {}
    for name in arms:
        seen = pd.concat([learnt[ancestor] for ancestor in study.profile.lineage(name)])
        people = seen[seen["role"].isin(("target", "set_aside"))]
        rows[name] = {
            "test_people": len(test),
            "trained_on": test["image_id"].isin(people["image_id"]).sum(),
            "shared_group": test["group"].isin(people["group"]).sum(),
            "near_duplicates": test["path"].isin(alike.loc[alike["second"].isin(seen["path"]), "first"]).sum(),
        }
    return pd.DataFrame.from_dict(rows, orient="index")


def alike_elsewhere(study: Study) -> pd.Series:
    """By arm, how many people elsewhere are in a picture nearly the same as one that it learnt with any seed.

    As with :func:`alike_elsewhere_of` one run, what it started from and what decided when it stopped count as learnt;
    missing for finished networks: what they learnt is not here to be looked at.
    """
    arms, seeds = study.profile.arms, study.profile.seeds
    learnt = {name: _paths(study, name, arm.largest, seeds) for name, arm in arms.items() if arm.learns != "nothing"}
    people = study.dataset("elsewhere").images["path"]
    alike = near_duplicates(people, pd.concat(learnt.values()))
    counts = {
        name: people.isin(alike.loc[alike["second"].isin(paths), "first"]).sum() for name, paths in learnt.items()
    }
    return pd.Series(counts, dtype="Int64").reindex(list(arms))


def alike_elsewhere_of(study: Study, run: Run) -> int | None:
    """The same of one run; None for that of a finished network."""
    if study.profile.arm(run.arm).learns == "nothing":
        return None
    people = study.dataset("elsewhere").images["path"]
    learnt = _paths(study, run.arm, run.images, (run.seed,))
    if isinstance(run, Best):
        learnt = pd.concat([learnt, study.target.images["path"]])
    alike = near_duplicates(people, learnt)
    return int(people.isin(alike["first"]).sum())


def why_it_may_know(study: Study, arm: str, role: str) -> list[str]:
    """What the networks of others that an arm starts from were trained on, where the people of that role may be among
    it: 'target' or 'elsewhere'. Own people, of whom nobody else has pictures, are not."""
    if role == "target" and study.profile.own_data:
        return []
    networks = [found for ancestor in study.profile.lineage(arm) if (found := study.profile.arm(ancestor).published)]
    people = getattr(study.profile, role).data.format
    return [one.may_know_people for one in networks if one.may_know_people and people not in one.knows_none_of]


def may_have_seen(leaks: pd.DataFrame) -> dict[str, str]:
    """Arm -> why it may know the test people, of those arms that may."""
    noted = leaks[leaks["may_have_seen"] > 0]
    return dict(zip(noted["arm"], noted["note"], strict=True))


def _paths(study: Study, name: str, images: int, seeds: Iterable[int]) -> pd.Series:
    """The pictures that an arm learnt with so many images, and those of the arms that it started from."""
    before = [(one, study.profile.arm(one).largest) for one in study.profile.lineage(name) if one != name]
    return pd.concat([_learnt(study, *one, seeds) for one in [(name, images), *before]])["path"]


def _learnt(study: Study, name: str, images: int, seeds: Iterable[int]) -> pd.DataFrame:
    """Images table and ``role`` of what an arm itself learns with any of these seeds, and of what decides when it
    stops."""
    arm, validation = study.profile.arm(name), study.profile.validation_size(name, images)
    if arm.learns == "nothing":
        return study.target.images.head(0).assign(role="target")
    draws = [study.draw(arm.learns, seed) for seed in seeds]
    # Everybody's threshold is chosen on people of the target; those are none of the test people by the same split.
    ids = {i for draw in draws for i in (*draw.training_subset(images), *draw.validation[:validation])}
    pictures = study.dataset(arm.learns).images
    return pictures[pictures["image_id"].isin(ids)].assign(role=arm.learns)
