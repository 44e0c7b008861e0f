"""A split must be the same for the same seed, must nest, and must keep every group in one part."""

import json

import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monkey_transfer.errors import StudyError
from monkey_transfer.splits import Learnt, audit, split_people, training_subset

# The sizes of the groups of a data set.
GROUP_SIZES = st.lists(st.integers(1, 7), min_size=5, max_size=30)


def pictures(group_sizes: list[int]) -> pd.DataFrame:
    groups = [f"video{g}" for g, size in enumerate(group_sizes) for _ in range(size)]
    return pd.DataFrame({"image_id": [f"im{i:04d}" for i in range(len(groups))], "group": groups})


def single_pictures(n: int) -> pd.DataFrame:
    return pictures([1] * n)


@given(sizes=GROUP_SIZES, seed=st.integers(0, 5))
def test_parts_are_disjoint_exact_and_complete(sizes, seed):
    images = pictures(sizes)
    split = split_people(images, test=4, validation=1, seed=seed)
    parts = [split.test, split.validation, split.train]
    assert [len(part) for part in parts[:2]] == [4, 1]
    assert sum(len(part) for part in parts) + split.dropped == len(images)
    assert len(set().union(*parts)) == sum(len(part) for part in parts)
    group_of = images.set_index("image_id")["group"]
    in_groups = [set(group_of[list(part)]) for part in parts]
    assert not in_groups[0] & in_groups[1]
    assert not in_groups[0] & in_groups[2]
    assert not in_groups[1] & in_groups[2]


@given(seed=st.integers(0, 2**32), order=st.randoms(use_true_random=False))
def test_row_order_does_not_matter(seed, order):
    images = pictures([3, 1, 4, 1, 5, 2, 6])
    shuffled = images.iloc[order.sample(range(len(images)), len(images))]
    assert split_people(images, 5, 3, seed) == split_people(shuffled, 5, 3, seed)


def test_seeds_differ_and_say_so():
    images = single_pictures(100)
    first, second = split_people(images, 20, 10, seed=1), split_people(images, 20, 10, seed=2)
    assert first.test != second.test
    assert first.digest != second.digest


def test_every_picture_is_equally_likely_to_be_tested():
    images = single_pictures(20)
    counts = pd.Series([i for seed in range(400) for i in split_people(images, 5, 0, seed).test]).value_counts()
    # Expected 100 each; the binomial standard deviation is 8.7.
    assert len(counts) == 20
    assert counts.between(60, 140).all()


def test_test_set_is_exact_when_groups_are_cut():
    split = split_people(pictures([4] * 10), test=6, validation=6, seed=0)
    assert (len(split.test), len(split.validation), len(split.train), split.dropped) == (6, 6, 24, 4)


def test_training_sets_nest():
    split = split_people(single_pictures(50), 10, 10, seed=3)
    small, large = training_subset(split, 7), training_subset(split, 30)
    assert large[:7] == small
    assert large == split.train


def test_training_order_does_not_follow_the_groups():
    images = pictures([10] * 10)
    first = training_subset(split_people(images, 10, 10, seed=0), 20)
    assert images.set_index("image_id")["group"][list(first)].nunique() > 4


@pytest.mark.parametrize("n", [0, 31, -1])
def test_training_set_beyond_the_pool(n):
    with pytest.raises(StudyError, match=f"{n} training pictures were asked for, but the training pool holds 30"):
        training_subset(split_people(single_pictures(50), 10, 10, seed=3), n)


def test_fewer_pictures_than_asked_for():
    with pytest.raises(StudyError, match="90 test and 20 validation .* only 100 pictures in 100 groups"):
        split_people(single_pictures(100), 90, 20, seed=0)


def test_enough_pictures_but_too_few_groups():
    with pytest.raises(StudyError, match="1 test and 1 validation .* only 10 pictures in 1 groups"):
        split_people(pictures([10]), 1, 1, seed=0)


def test_stored_as_json_with_seed_and_digest():
    split = split_people(pictures([2] * 20), 5, 5, seed=9)
    stored = json.loads(json.dumps(split.as_dict()))
    assert (stored["seed"], stored["digest"]) == (9, split.digest)
    assert [tuple(stored[part]) for part in ("test", "validation", "train")] == [
        split.test,
        split.validation,
        split.train,
    ]


def test_known_digest():
    # Written down once: a change means that every published split has changed.
    split = split_people(single_pictures(10), 3, 2, seed=7)
    assert split.test == ("im0006", "im0000", "im0009")
    assert split.digest == "a509c98e50164a724d308940199738628e1928f1027534afbd0a522eaf10ea42"


NOTHING_ALIKE = pd.DataFrame({"first": [], "second": []})


def audited(arms: dict[str, Learnt], test_ids: list[str], alike: pd.DataFrame = NOTHING_ALIKE) -> pd.DataFrame:
    """The audit by arm, of pictures im0000 im0001 | im0002 im0003 | im0004 | im0005 in source and target."""
    images = {
        role: pictures([2, 2, 1, 1]).assign(path=[f"{role}/im{i:04d}.png" for i in range(6)])
        for role in ("source", "target")
    }
    return audit(arms, test_ids, images, alike).set_index("arm")


def test_audit_counts_people_and_groups_of_the_target():
    table = audited(
        {
            "baseline": Learnt("source", ["im0000", "im0001", "im0003", "im0004"]),
            "benchmark": Learnt("target", ["im0000", "im0002", "im0004"]),
            "control": Learnt("target", ["im0001", "im0005"]),
        },
        ["im0000", "im0003", "im0004"],
    )
    assert table["test_people"].tolist() == [3, 3, 3]
    assert table["trained_on"].to_dict() == {"baseline": 0, "benchmark": 2, "control": 0}
    assert table["shared_group"].to_dict() == {"baseline": 0, "benchmark": 3, "control": 1}
    assert not table[["near_duplicates", "may_have_seen"]].to_numpy().any()
    assert (table["note"] == "").all()


def test_audit_follows_the_weights_that_an_arm_started_from():
    table = audited(
        {
            "second": Learnt("target", ["im0005"], parent="first"),
            "first": Learnt("target", ["im0003"], parent="zoo"),
            "zoo": Learnt("target", elsewhere="the network was trained on all of them"),
            "other": Learnt("target", ["im0005"]),
        },
        ["im0002", "im0003", "im0004"],
    )
    assert table["trained_on"].to_dict() == {"second": 1, "first": 1, "zoo": 0, "other": 0}
    assert table["shared_group"].to_dict() == {"second": 2, "first": 2, "zoo": 0, "other": 0}
    assert table["may_have_seen"].to_dict() == {"second": 3, "first": 3, "zoo": 3, "other": 0}
    assert table["note"].tolist() == ["the network was trained on all of them"] * 3 + [""]


def test_audit_counts_near_duplicates_in_both_data_sets():
    alike = pd.DataFrame(
        {
            "first": ["target/im0000.png", "target/im0000.png", "target/im0003.png", "target/im0004.png"],
            "second": ["source/im0001.png", "target/im0002.png", "target/im0002.png", "target/im0001.png"],
        }
    )
    table = audited(
        {
            "baseline": Learnt("source", ["im0001", "im0002"]),
            "transfer": Learnt("target", ["im0005"], parent="baseline"),
            "benchmark": Learnt("target", ["im0002", "im0005"]),
        },
        ["im0000", "im0003", "im0004"],
        alike,
    )
    assert table["near_duplicates"].to_dict() == {"baseline": 1, "transfer": 1, "benchmark": 2}
    assert not table["trained_on"].any()


@given(sizes=GROUP_SIZES)
def test_a_split_never_leaks(sizes):
    images = pictures([*sizes, 7, 7, 7]).assign(path="unread.png")
    split = split_people(images, 5, 2, seed=0)
    arms = {"transfer": Learnt("target", split.train + split.validation)}
    table = audit(arms, split.test, {"target": images}, NOTHING_ALIKE)
    assert table[["trained_on", "shared_group"]].to_numpy().sum() == 0


def test_audit_refuses_unknown_pictures():
    with pytest.raises(StudyError, match="arm transfer names picture 'monkey1', .* images table of the source"):
        audited({"transfer": Learnt("source", ["im0001", "monkey1"])}, ["im0000"])
    with pytest.raises(StudyError, match="the test set names picture 'monkey1', .* images table of the target"):
        audited({"transfer": Learnt("source", ["im0000"])}, ["im0000", "monkey1"])
