"""What would fit of people who are divided in whole groups."""

from dataclasses import replace

import pandas as pd
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from monkey_transfer.study.dividing import Asked, Crowd
from monkey_transfer.study.splits import split_people

ASKED = Asked(test=6, validation=3, images=5, seeds=(0, 1, 2))


def crowd(sizes: list[int], unscored: int = 0) -> Crowd:
    """Groups of so many pictures each, of which the first few of all cannot be tested."""
    rows = [(f"{group}-{picture}", str(group)) for group, size in enumerate(sizes) for picture in range(size)]
    images = pd.DataFrame(rows, columns=["image_id", "group"])
    return Crowd(images, frozenset(images["image_id"][:unscored]))


BY_FOLDS = replace(ASKED, test=None, folds=3)
CROWDS = st.builds(crowd, st.lists(st.integers(1, 5), min_size=5, max_size=25), st.integers(0, 4))


@settings(max_examples=40, deadline=None)
@given(CROWDS, st.sampled_from([ASKED, BY_FOLDS]))
def test_the_largest_fits_and_no_more_does(people, asked):
    most = people.largest(asked)
    assert ("test" in most) == (asked.folds is None)
    for key, number in most.items():
        assert number == 0 or people.lacks(replace(asked, **{key: number})) == ""
    assume(most["images"])
    assert "training pictures were asked for" in people.lacks(replace(asked, images=most["images"] + 1))


@settings(max_examples=20, deadline=None)
@given(CROWDS)
def test_folds_test_every_group_that_can_be_tested(people):
    scored = people.images[~people.images["image_id"].isin(people.unscored)]
    assume(scored["group"].nunique() >= 3)
    assume(people.most_to_learn(BY_FOLDS))
    assert sorted(people.tested_groups(BY_FOLDS)) == sorted(scored["group"].value_counts())


@settings(max_examples=40, deadline=None)
@given(CROWDS, st.integers(1, 8))
def test_the_smallest_test_of_so_many_groups(people, groups):
    test = people.smallest_test(ASKED, groups)
    scored = people.images[~people.images["image_id"].isin(people.unscored)]
    assert (test is None) == (scored["group"].nunique() < groups)
    if test:
        enough, too_few = (
            people.groups_of(split_people(people.images, number, ASKED.split_seed, people.unscored).test)
            for number in (test, test - 1)
        )
        assert (len(enough), len(too_few)) == (groups, groups - 1)


def test_what_each_part_gets():
    parts = crowd([4] * 10, unscored=2).parts(ASKED).set_index("part")
    # Two groups test, of which two pictures are dropped or not scored; one is held out, of which one is dropped.
    assert parts.loc["test"].tolist() == ["6", "2"]
    assert parts.loc["validation"].tolist() == ["3", "1"]
    assert parts.loc["left to learn"].tolist() == ["28", "7"]
    assert parts.loc["dropped", "pictures"] in ("3", "1 to 3", "3 to 5")


def test_people_set_aside_are_not_learnt():
    people = crowd([1] * 30)
    assert people.most_to_learn(ASKED) - people.most_to_learn(replace(ASKED, aside=4)) == 4


def test_too_few_people_leave_nothing():
    assert crowd([10]).largest(ASKED) == {"test": 0, "validation": 0, "images": 0}
    assert "validation pictures were asked for" in crowd([10]).lacks(ASKED)
