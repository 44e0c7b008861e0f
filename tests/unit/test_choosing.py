"""The frames to label are uncertain, unusual and unlike each other, whichever frames there are."""

import math
from itertools import combinations

import numpy as np
import pandas as pd
import pytest
from hypothesis import given
from hypothesis import strategies as st

from monkey_transfer.videos.choosing import GAP, choose, reasons

NAN = math.nan


def table(wrong, rarity=None) -> pd.DataFrame:
    return pd.DataFrame(
        {"frame": range(len(wrong)), "expected_wrong": wrong, "rarity": NAN if rarity is None else rarity}, dtype=float
    ).astype({"frame": int})


def along(places):
    """Poses that differ by how far apart they are on a line; nobody asks for that of a frame without a person."""

    def distance(frame, others):
        assert not np.isnan(places[[frame, *others]]).any()
        return np.abs(places[others] - places[frame])

    return distance


FRACTIONS = st.floats(0, 1)


@st.composite
def videos(draw):
    """Frames, where their poses are on the line, how many to choose, frames a second, which are labelled already."""
    frame = st.none() | st.tuples(FRACTIONS, st.floats(0, 2), st.floats(0, 2))
    seen = [one or (NAN, NAN, NAN) for one in draw(st.lists(frame, max_size=25))]
    wrong, rarity, places = np.array(seen, float).reshape(-1, 3).T
    labelled = draw(st.sets(st.integers(0, len(seen) - 1), max_size=3)) if seen else set()
    known = draw(st.booleans())
    return table(wrong, rarity if known else None), places, draw(st.integers(1, 8)), draw(st.floats(1, 12)), labelled


@given(videos())
def test_frames_are_distinct_and_apart_and_no_more_than_asked_for(video):
    frames, places, count, rate, labelled = video
    chosen = choose(frames, along(places), count, rate, labelled)
    assert len(chosen) <= count
    assert {*chosen} <= {*frames["frame"]}
    pairs = [*combinations(chosen, 2), *((one, other) for one in chosen for other in labelled)]
    assert all(abs(one - other) / rate >= GAP for one, other in pairs)


@given(videos(), st.randoms())
def test_the_order_of_rows_does_not_matter(video, random):
    frames, places, *asked = video
    order = random.sample(range(len(frames)), len(frames))
    assert choose(frames.iloc[order], along(places), *asked) == choose(frames, along(places), *asked)


@given(videos())
def test_what_is_certain_and_ordinary_is_not_preferred_to_what_is_uncertain_and_unusual(video):
    """Nor, where frames are missing of the number that was asked for, is one left that could have been chosen."""
    frames, places, count, rate, labelled = video
    chosen = choose(frames, along(places), count, rate, labelled)
    somebody = frames["expected_wrong"].notna()
    found, wrong = frames["frame"][somebody].tolist(), frames["expected_wrong"]
    rarity = frames["rarity"].fillna(np.inf)
    without = [one for one in chosen if one not in found]
    assert chosen[len(chosen) - len(without) :] == without  # last
    assert len(without) <= min(count / 4, count * (~somebody).mean() + 0.5)
    for number in range(len(chosen) - len(without) + 1):
        before = [*labelled, *chosen[:number]]
        free = [one for one in found if all(abs(one - other) >= GAP * rate for other in before)]
        near = {
            one: min([rarity[one], *(abs(places[one] - places[other]) for other in before if other in found)])
            for one in free
        }
        if number == len(chosen) - len(without):
            room = count - min(round(count * (~somebody).mean()), count // 4) if len(frames) else 0
            assert not free or number == room
        else:
            one = chosen[number]
            assert not any(near[other] > near[one] and wrong[other] > wrong[one] for other in free)


def test_a_frame_is_worth_its_uncertainty_times_how_unusual_it_is():
    frames = table([0.9, 0.1, 0.5], rarity=[1, 2, 3])
    assert choose(frames, along(np.array([0, 10, 20])), 3, 1) == [2, 0, 1]


def test_of_two_that_are_alike_the_second_is_worth_little():
    places = np.array([0, 0.01, 3, 2.9])
    frames = table([0.9, 0.9, 0.5, 0.4], rarity=[1, 1, 1, 1])
    assert choose(frames, along(places), 4, 1) == [0, 2, 3, 1]


def test_what_is_like_a_labelled_frame_of_the_video_is_worth_little():
    places = np.array([0, 5, 0.1])
    frames = table([0.9, 0.3, 0.9], rarity=[2, 2, 2])
    assert choose(frames, along(places), 1, 1) == [0]
    assert choose(frames, along(places), 1, 1, labelled=[0]) == [1]


def test_where_rarity_is_not_known_the_most_uncertain_is_first_and_then_what_is_unlike_it():
    places = np.array([0, 0.1, 4, 1])
    assert choose(table([0.5, 0.6, 0.4, 0.5]), along(places), 3, 1) == [1, 2, 3]


def test_of_a_network_that_is_certain_of_everything_the_first_frames_are_chosen():
    assert choose(table([0.0] * 4), along(np.zeros(4)), 2, 4) == [0, 2]


def test_some_frames_without_a_person_are_offered_by_their_share_and_far_from_the_others():
    wrong = np.full(40, NAN)
    wrong[:20] = 0.5
    chosen = choose(table(wrong), along(np.where(np.isnan(wrong), NAN, 0)), 8, 1)
    # Half of the video, but no more than a quarter of the frames: the farthest from frame 5, and then the middle.
    assert chosen == [0, 1, 2, 3, 4, 5, 39, 22]
    wrong[:39] = 0.5
    assert 39 not in choose(table(wrong), along(np.where(np.isnan(wrong), NAN, 0)), 8, 1)


@pytest.mark.parametrize(
    "wrong, rarity, why",
    [
        (0.6, 1.1, "uncertain and unusual"),
        (0.6, 1.0, "uncertain"),
        (0.6, NAN, "uncertain"),
        (0.5, 1.1, "unusual"),
        (0.5, 1.0, "ordinary"),
        (NAN, NAN, "nobody found"),
    ],
)
def test_a_reason_is_what_is_beyond_its_limit(wrong, rarity, why):
    assert reasons(table([wrong], [rarity]), {"expected_wrong": 0.5, "rarity": 1.0}) == [why]
    assert reasons(table([wrong], [rarity]), {"expected_wrong": NAN, "rarity": NAN})[0] in ("ordinary", "nobody found")
