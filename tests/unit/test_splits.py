"""Who tests is the same for all; whom a seed learns is its own draw, nests, and no group is in two parts."""

from dataclasses import replace
from itertools import combinations

import pandas as pd
import pytest
from bad_input import refused
from hypothesis import assume, given
from hypothesis import strategies as st

from monkey_transfer.errors import StudyError
from monkey_transfer.study.splits import draw_people, everybody, fold_people, set_aside, split_people

# The sizes of the groups of a data set.
GROUP_SIZES = st.lists(st.integers(1, 7), min_size=5, max_size=30)


def pictures(group_sizes: list[int]) -> pd.DataFrame:
    groups = [f"video{g}" for g, size in enumerate(group_sizes) for _ in range(size)]
    return pd.DataFrame({"image_id": [f"im{i:04d}" for i in range(len(groups))], "group": groups})


def single_pictures(n: int) -> pd.DataFrame:
    return pictures([1] * n)


@given(sizes=GROUP_SIZES, split_seed=st.integers(0, 5), seed=st.integers(0, 5))
def test_parts_are_disjoint_exact_and_complete(sizes, split_seed, seed):
    images = pictures(sizes)
    split = split_people(images, test=4, seed=split_seed)
    draw = draw_people(split, validation=1, seed=seed)
    parts = [split.test, draw.validation, draw.train]
    assert [len(part) for part in parts[:2]] == [4, 1]
    assert sum(len(part) for part in parts) + split.dropped + draw.dropped == len(images)
    assert len(set().union(*parts)) == sum(len(part) for part in parts)
    group_of = images.set_index("image_id")["group"]
    in_groups = [set(group_of[list(part)]) for part in parts]
    for one, other in combinations(in_groups, 2):
        assert not one & other


@given(sizes=GROUP_SIZES, seed=st.integers(0, 5), unscored=st.sets(st.integers(0, 60)), test=st.integers(1, 4))
def test_who_is_not_scored_is_learnt_and_changes_nothing_for_the_others(sizes, seed, unscored, test):
    """The scored people are split as if the others were not there; these come after them, in groups of their own."""
    images = pictures(sizes)
    never = set(images["image_id"][[number for number in unscored if number < len(images)]])
    scored = images[~images["image_id"].isin(never)]
    assume(scored["group"].nunique() > test + 1)
    alone, both = split_people(scored, test, seed), split_people(images, test, seed, never)
    assert alone.test == both.test
    one, other = draw_people(alone, 1, seed), draw_people(both, 1, seed)
    assert (one.validation, one.train) == (other.validation, other.train[: len(one.train)])
    learnt = set(other.train[len(one.train) :])
    assert learnt <= never
    group_of = images.set_index("image_id")["group"]
    elsewhere = set(group_of[[*both.test, *other.validation]])
    assert learnt == {image_id for image_id in never if group_of[image_id] not in elsewhere}
    assert len({*both.test, *other.validation, *other.train}) + both.dropped + other.dropped == len(images)


def test_the_pool_is_all_that_the_test_leaves_in_whole_groups():
    images = pictures([3, 1, 4, 1, 5, 2, 6])
    split = split_people(images, 5, seed=1)
    tested = set(images.loc[images["image_id"].isin(split.test), "group"])
    left = images[~images["group"].isin(tested)]
    assert sorted(split.pool) == sorted(tuple(ids) for _, ids in left.groupby("group")["image_id"])
    assert len(split.test) + split.dropped + len(left) == len(images)


@given(seed=st.integers(0, 2**32), order=st.randoms(use_true_random=False))
def test_row_order_does_not_matter(seed, order):
    images = pictures([3, 1, 4, 1, 5, 2, 6])
    shuffled = images.iloc[order.sample(range(len(images)), len(images))]
    assert split_people(images, 5, seed) == split_people(shuffled, 5, seed)


def test_seeds_differ_and_say_so():
    images = single_pictures(100)
    first, second = split_people(images, 20, seed=1), split_people(images, 20, seed=2)
    assert first.test != second.test
    assert first.digest != second.digest


def test_every_seed_draws_other_people_of_the_same_pool():
    split = split_people(single_pictures(200), 20, seed=1)
    draws = [draw_people(split, 30, seed) for seed in range(5)]
    assert len({draw.digest for draw in draws}) == 5
    assert [draw.seed for draw in draws] == list(range(5))
    for one, other in combinations(draws, 2):
        # 30 of 180 are in both by chance 5 times, give or take 2; of the 50 first to learn 14, give or take 3.
        assert 0 <= len(set(one.validation) & set(other.validation)) < 15
        assert 4 < len(set(one.train[:50]) & set(other.train[:50])) < 25
        assert set(one.validation) & set(other.train)
    for draw in draws:
        assert {*draw.validation, *draw.train} == {image_id for group in split.pool for image_id in group}
        assert draw == draw_people(split, 30, draw.seed)


def test_a_draw_says_whom_it_learns_and_whom_it_holds_out():
    draw = draw_people(split_people(single_pictures(50), 10, seed=1), 10, seed=2)
    turned = replace(draw, validation=draw.validation[::-1])
    other = replace(draw, train=draw.train[::-1])
    assert len({draw.digest, turned.digest, other.digest}) == 3


def test_every_picture_is_equally_likely_to_be_tested():
    images = single_pictures(20)
    counts = pd.Series([i for seed in range(400) for i in split_people(images, 5, seed).test]).value_counts()
    # Expected 100 each; the binomial standard deviation is 8.7.
    assert len(counts) == 20
    assert counts.between(60, 140).all()


def test_every_picture_of_the_pool_is_equally_likely_to_be_learnt_and_to_be_held_out():
    split = split_people(single_pictures(25), 5, seed=0)
    draws = [draw_people(split, 5, seed) for seed in range(400)]
    for chosen in ([draw.validation for draw in draws], [draw.training_subset(5) for draw in draws]):
        counts = pd.Series([image_id for ids in chosen for image_id in ids]).value_counts()
        assert len(counts) == 20
        assert counts.between(60, 140).all()


def test_parts_are_exact_when_groups_are_cut():
    split = split_people(pictures([4] * 10), test=6, seed=0)
    assert (len(split.test), split.dropped) == (6, 2)
    draw = draw_people(split, validation=6, seed=0)
    assert (len(draw.validation), len(draw.train), draw.dropped) == (6, 24, 2)


def test_training_sets_nest():
    draw = draw_people(split_people(single_pictures(50), 10, seed=3), 10, seed=4)
    small, large = draw.training_subset(7), draw.training_subset(30)
    assert large[:7] == small
    assert large == draw.train


def test_training_order_does_not_follow_the_groups():
    images = pictures([10] * 10)
    first = draw_people(split_people(images, 10, seed=0), 10, seed=0).training_subset(20)
    assert images.set_index("image_id")["group"][list(first)].nunique() > 4


@pytest.mark.parametrize("n", [0, 31, -1])
def test_training_set_beyond_the_pool(n):
    draw = draw_people(split_people(single_pictures(50), 10, seed=3), 10, seed=3)
    with pytest.raises(StudyError, match=f"{n} training pictures were asked for, but the training pool holds 30"):
        draw.training_subset(n)


def test_fewer_pictures_than_asked_for():
    split = split_people(single_pictures(100), 90, seed=0)
    with pytest.raises(StudyError, match="20 validation pictures were asked for, .* only 10 in 10 groups"):
        draw_people(split, 20, seed=0)
    with pytest.raises(StudyError, match="101 test pictures were asked for, .* only 100 in 100 groups"):
        split_people(single_pictures(100), 101, seed=0)


def test_enough_pictures_but_too_few_groups():
    split = split_people(pictures([10]), 1, seed=0)
    assert (len(split.test), split.pool, split.dropped) == (1, (), 9)
    with pytest.raises(StudyError, match="1 validation pictures were asked for, .* only 0 in 0 groups"):
        draw_people(split, 1, seed=0)


def test_known_digests():
    # Written down once: a change means that every published split has changed.
    split = split_people(single_pictures(10), 3, seed=7)
    assert split.test == ("im0006", "im0000", "im0009")
    assert split.digest == "56a05a365cf30b61945feb4f1e96d16d73332452e71a8eac0ec0416c3cdcb811"
    draw = draw_people(split, 2, seed=1)
    assert draw.validation == ("im0008", "im0001")
    assert draw.digest == "e929d4bc167fe35ed7e5a4d55efe0c8f26f0f5a9b9c31dd649b543d7d6f4c3d4"


@given(sizes=GROUP_SIZES, seed=st.integers(0, 5), people=st.integers(1, 5))
def test_who_is_set_aside_is_in_no_other_part_and_neither_is_the_rest_of_the_group(sizes, seed, people):
    images = pictures(sizes)
    whole = split_people(images, test=4, seed=seed)
    available = sum(map(len, whole.pool))
    if available < people:
        with pytest.raises(StudyError, match=f"{people} set-aside pictures were asked for"):
            set_aside(whole, people)
        return
    rest, aside = set_aside(whole, people)
    assert rest.test == whole.test
    assert aside.test == ()
    group_of = images.set_index("image_id")["group"]
    kept, apart = ([i for ids in split.pool for i in ids] for split in (rest, aside))
    assert len(apart) == people == len(set(apart))
    assert not set(group_of[apart]) & set(group_of[[*kept, *rest.test]])
    assert len(kept) + people + rest.dropped - whole.dropped == available
    for ids in aside.pool:
        assert group_of[list(ids)].nunique() == 1


@given(sizes=GROUP_SIZES, seed=st.integers(0, 5), folds=st.integers(2, 5), unscored=st.sets(st.integers(0, 60)))
def test_with_folds_every_group_is_tested_once_by_those_who_learn_the_others(sizes, seed, folds, unscored):
    images = pictures(sizes)
    never = set(images["image_id"][[number for number in unscored if number < len(images)]])
    scored = images[~images["image_id"].isin(never)]
    assume(scored["group"].nunique() >= folds)
    found = fold_people(images, folds, seed, never)
    assert len(found) == folds
    assert sorted(image_id for one in found for image_id in one.test) == sorted(scored["image_id"])
    group_of = images.set_index("image_id")["group"]
    for one in found:
        pool = [image_id for ids in one.pool for image_id in ids]
        assert not set(group_of[list(one.test)]) & set(group_of[pool])
        assert len(one.test) + len(pool) + one.dropped == len(images)
    # As even as whole groups allow.
    tested = [len(one.test) for one in found]
    assert max(tested) - min(tested) <= scored.groupby("group").size().max()
    assert fold_people(images.sample(frac=1, random_state=seed), folds, seed, never) == found


@given(sizes=GROUP_SIZES)
def test_each_group_can_be_a_fold(sizes):
    images = pictures(sizes)
    found = fold_people(images, "by_group", 0)
    tested = [set(one.test) for one in found]
    assert sorted(map(sorted, tested)) == sorted(map(sorted, images.groupby("group")["image_id"].apply(list)))
    assert set(everybody(images, 0).test) == set(images["image_id"])


@pytest.mark.parametrize(
    "what, folds, wanted, groups",
    [("more folds than groups", 5, 5, 4), ("one group, folds by group", "by_group", 2, 1)],
)
def test_more_folds_than_groups(what, folds, wanted, groups):
    with refused("split", what, match=f"{wanted} folds were asked for, .* of {groups} groups"):
        fold_people(pictures([3] * groups), folds, 0)
