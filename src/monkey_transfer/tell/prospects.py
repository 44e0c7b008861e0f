"""What a profile makes of its people before training: what each part gets, what would fit, whether it can rule."""

from collections.abc import Iterator, Mapping
from dataclasses import replace

import numpy as np

from monkey_transfer.devices import trainings_at_once
from monkey_transfer.metrics.estimate import FEWEST_EFFECTIVE, FEWEST_GROUPS, FEWEST_SEEDS, effective_groups
from monkey_transfer.profiles.profile import Profile
from monkey_transfer.study.dividing import Asked, Crowd
from monkey_transfer.study.looking import stated_minutes
from monkey_transfer.study.outlook import outlook
from monkey_transfer.study.runs import runs_of
from monkey_transfer.tell.words import listed, many, markdown


def prospects(profile: Profile, people: Crowd) -> Iterator[str]:
    """What a profile makes of its people: what each part gets, what would fit, if it can rule, how long it takes."""
    asked = Asked.by(profile)
    fits = not people.lacks(asked)
    if fits:
        if asked.folds:
            yield f"Everybody is tested once, in {len(people.divided(asked))} folds. In each of them:\n"
        yield markdown(people.parts(asked))
        yield ""
    yield _largest(people.largest(asked), asked)
    needs = needed_for_a_ruling(profile, people)
    if needs:
        yield "No question of this study can be decided:"
        yield from (f"- {need}" for need in needs)
    else:
        yield f"Its {many(len(profile.questions), 'questions', 'question')} can be decided."
    longer = f"{profile.control.removesuffix('_control')}_longer"
    if longer not in profile.arms:
        yield f"Nothing will say what training on people alone for as long gives: add an arm {longer} for that."
    if fits:
        yield _time(profile, len(people.divided(asked)))


def _largest(most: Mapping[str, int], asked: Asked) -> str:
    called = {"test": "test", "validation": "validation", "images": "an arm's images"}
    said = [f"{called[key]} {number:,} ({getattr(asked, key):,} asked)" for key, number in most.items()]
    return f"The largest that fits, the others as they are asked: {listed(said)}."


def needed_for_a_ruling(profile: Profile, people: Crowd) -> list[str]:
    """What a profile lacks to decide a question, each with what to do; nothing if it can."""
    asked = Asked.by(profile)
    needs = []
    if not profile.questions:
        needs.append("it asks none: say under an arm, as transfer, 'against', another arm and what is asked")
    if len(profile.seeds) < FEWEST_SEEDS:
        needs.append(
            f"{many(len(profile.seeds), 'seeds do', 'seed does')} not show what is chance: say seeds: "
            f"{list(range(FEWEST_SEEDS))}"
        )
    tested = np.array([]) if people.lacks(asked) else people.tested_groups(asked)
    equal = effective_groups(tested) if len(tested) else 0
    if equal < FEWEST_EFFECTIVE:
        unequal = f", which tell as much as {equal:.1f} of equal size" if len(tested) >= equal + 0.1 else ""
        why = f"its test holds {many(len(tested), 'groups', 'group')}{unequal}"
        needs.append(f"{why}, and there are no intervals below {FEWEST_EFFECTIVE}: {_more_groups(people, asked)}")
    return needs


def _more_groups(people: Crowd, asked: Asked) -> str:
    there = people.images["group"].nunique()
    test = None if asked.test is None else people.smallest_test(asked)
    if there < FEWEST_GROUPS or test is None:
        return f"label people of other groups, for there are {there} in all"
    left = people.most_to_learn(replace(asked, test=test))
    beside = f"beside which {left:,} can be learnt" if left else "beside which nobody is left to learn"
    return f"{test:,} test pictures would hold as many, {beside}; or test everybody by target.test: null and folds: 5"


def _time(profile: Profile, divisions: int) -> str:
    runs = runs_of(profile, range(divisions) if profile.folds else (None,))
    expected = outlook(profile, runs)
    minutes = None
    if not expected.existing and expected.unknown == expected.to_train:
        minutes = stated_minutes(profile, runs)
    if minutes is None:
        return str(expected)
    return (
        f"{expected.to_train} trainings, about {minutes:.0f} minutes with {trainings_at_once()} side by side, if this "
        "machine is as fast as that of reports/benchmarks/train.txt; after a first run make plan knows better."
    )
