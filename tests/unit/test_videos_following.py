"""One person is followed through the frames: where the joints are, and how the person was found, is known."""

import numpy as np
import pandas as pd
import pytest
from drawn_videos import COLOURS, MARGIN, drawn, find_dots, joints_at, sight, write_video
from hypothesis import given, settings
from hypothesis import strategies as st

from monkey_transfer.tables import BOX
from monkey_transfer.videos.following import DRIFT, GROWTH, LOOKS, follow, nearly, windows
from monkey_transfer.videos.reading import open_video

WIDTH, HEIGHT = 160, 120


class Finder:
    """Another network: where it finds people in a whole frame, and of what share of people it was less sure."""

    def __init__(self, search=lambda frame: [], share=1.0):
        self.search, self.surer_than, self.looks = search, share, 0

    def look(self, frames, box):
        self.looks += 1
        return np.zeros((len(frames), len(COLOURS), 3))

    def share(self, pose):
        return self.surer_than


def followed(truth, width=WIDTH, height=HEIGHT, eye=None, **other):
    frames = [drawn(width, height, joints) for joints in truth]
    return follow(frames, len(frames), eye or sight(), **other)


def points(poses: pd.DataFrame) -> np.ndarray:
    return poses[["x", "y"]].to_numpy().reshape(-1, len(COLOURS), 2)


def worst(poses: pd.DataFrame, truth) -> float:
    return np.linalg.norm(points(poses) - np.array(truth), axis=2).max()


class Counting:
    """A network that counts the pictures it is given."""

    def __init__(self, predict=find_dots):
        self.predict, self.pictures = predict, 0

    def __call__(self, pictures):
        self.pictures += len(pictures)
        return self.predict(pictures)


def only_at_its_size(pictures):
    """A network that is right about people who stand in the middle at the size that it learnt, give or take 1.4 times
    the tolerance, and of others takes a quarter of what they are off for its own doing."""
    found, side = find_dots(pictures), pictures.shape[1]
    for pose in found:
        low, high = pose[:, :2].min(axis=0), pose[:, :2].max(axis=0)
        off, size = (low + high) / 2 - (side - 1) / 2, (high - low).max() * (1 + 2 * MARGIN) / (side * 125 / 160)
        if np.hypot(*off) > 1.4 * DRIFT * side * 125 / 160 or abs(np.log(max(size, 0.01))) > 1.4 * np.log(GROWTH):
            pose[:, :2] = (pose[:, :2] - (low + high) / 2) / max(size, 0.01) ** 0.25 + (low + high) / 2 - off / 4
    return found


@pytest.mark.parametrize("width, height, person", [(320, 240, 190), (640, 480, 300), (1920, 1080, 800)])
def test_joints_are_where_they_are_whatever_the_size_of_the_frames(width, height, person, tmp_path):
    """The person walks through most of the frame and comes nearer."""
    truth = [joints_at(width * (0.3 + 0.02 * number), height * 0.5, person * 1.005**number) for number in range(10)]
    video = open_video(write_video(tmp_path / "a.mp4", [drawn(width, height, joints) for joints in truth]))
    done = []
    poses, people = follow(video, video.frames, sight(), None, 4, lambda *counts: done.append(counts))
    assert worst(poses, truth) < 0.15 * person / 125  # of a pixel of what the network sees
    assert people["found_by"].tolist() == ["whole frame", *["last frame"] * 9]
    assert poses.columns.tolist() == ["frame", "keypoint", "x", "y", "likelihood"]
    assert poses["frame"].tolist() == np.arange(10).repeat(6).tolist()
    assert poses["keypoint"].tolist() == [*COLOURS] * 10
    assert people.columns.tolist() == ["frame", *BOX, "found_by"]
    assert done == [(number, 10) for number in range(1, 11)]


def only_near_its_size(pictures):
    """A network that is sure of nobody who has not about the size that it learnt, or is cut off."""
    found = find_dots(pictures)
    for pose in found:
        pose[:, 2] *= 45 < np.ptp(pose[:, 1]) < 150 and pose[:, 2].all()
    return found


@pytest.mark.parametrize(
    "width, height, person", [(320, 240, 130), (640, 480, 125), (1920, 1080, 140), (1080, 1920, 300)]
)
def test_a_small_person_is_found_in_a_large_frame(width, height, person):
    """By windows of the frame, since the network sees nobody in the whole of it."""
    truth = [joints_at(width * 0.8, height * 0.3, person)] * 2
    network = Counting(only_near_its_size)
    poses, people = followed(truth, width, height, eye=sight(network))
    assert people["found_by"].tolist() == ["whole frame", "last frame"]
    assert worst(poses, truth) < 0.3
    assert network.pictures < 400


@given(st.tuples(st.integers(20, 900), st.integers(20, 900)), st.floats(30, 300))
def test_windows_cover_the_picture_and_are_square(size, smallest):
    sides = []
    for boxes in windows(size, smallest):
        x, y, across, down = np.array(boxes).T
        assert (across == down).all()
        sides.append(across[0])
        # A person of half a window's size, wherever, is whole in one of them.
        for axis, length in ((x, size[0]), (y, size[1])):
            starts = np.unique(axis)
            assert starts[0] <= -0.5
            assert starts[-1] + across[0] >= length - 0.5 - 1e-6
            assert (np.diff(starts) <= across[0] / 2 + 1e-6).all()
    assert sides[0] == max(size)
    assert all(side >= smallest for side in sides[1:])


def test_the_box_is_that_of_the_joints_with_its_margin():
    _, people = followed([joints_at(80, 60, 90)])
    low, high = joints_at(80, 60, 90).min(axis=0), joints_at(80, 60, 90).max(axis=0)
    margin = MARGIN * (high - low).max()
    expected = [*(low - margin), *(high - low + 2 * margin)]
    assert people[BOX].to_numpy()[0] == pytest.approx(expected, abs=0.2)
    assert expected[3] == pytest.approx(90)


@settings(deadline=None, max_examples=15)
@given(
    st.lists(st.tuples(st.floats(-12, 12), st.floats(-8, 8), st.floats(0.9, 1.12)), min_size=1, max_size=6),
    st.integers(2, 6),
)
def test_how_many_frames_go_through_the_network_at_once_changes_nothing(steps, batch):
    x, y, person = 80.0, 60.0, 70.0
    truth = []
    for across, down, growth in steps:
        x, y = np.clip(x + across, 40, 120), np.clip(y + down, 50, 70)
        person = float(np.clip(person * growth, 55, 90))
        truth.append(joints_at(x, y, person))
    eye = sight(only_at_its_size, size=96, person=75)
    poses, people = followed(truth, eye=eye, batch=1)
    other_poses, other_people = followed(truth, eye=eye, batch=batch)
    assert worst(poses, truth) < 0.3
    assert worst(other_poses, truth) < 0.3
    assert people["found_by"].tolist() == other_people["found_by"].tolist()


def test_who_moves_fast_costs_predictions_and_who_stands_hardly_any():
    still, fast = [joints_at(80, 60, 80)] * 40, [joints_at(40 + 9 * (number % 10), 60, 80) for number in range(40)]
    spent = {}
    for name, truth in {"still": still, "fast": fast}.items():
        network = Counting(only_at_its_size)
        poses, _ = followed(truth, eye=sight(network), batch=8)
        assert worst(poses, truth) < 0.2, name
        spent[name] = network.pictures
    assert spent["still"] <= 40 + 4 * LOOKS
    assert 40 * 2 < spent["fast"] < 40 * 5


def test_a_person_who_leaves_is_not_invented_and_is_found_again():
    there, gone = joints_at(60, 60, 80), None
    truth = [there, there, gone, gone, gone, there, there, there]
    asked = []

    def find(frame):
        asked.append(frame)
        x, y, person = 58, 62, 86  # about
        seen = (frame == (255, 0, 0)).all(axis=2).any()
        return [(x - person / 4, y - person / 2, person / 2, person)] if seen else []

    poses, people = followed(truth, finder=Finder(find))
    assert people["found_by"].tolist() == ["finder", "last frame", *["nobody"] * 3, *["last frame"] * 3]
    without = poses[poses["frame"].isin([2, 3, 4])]
    assert without[["x", "y", "likelihood"]].isna().all(axis=None)
    assert people.loc[2:4, BOX].isna().all(axis=None)
    assert worst(poses.drop(without.index), [joints for joints in truth if joints is not None]) < 0.2
    assert len(asked) == 2  # where nobody is followed, but not where somebody is seen ahead


@pytest.mark.parametrize("before, gone, after", [(2, 100, 3), (0, 40, 1), (0, 5, 20), (1, 31, 1), (3, 16, 0)])
def test_an_empty_time_is_searched_at_few_of_its_frames(before, gone, after):
    truth = [*[joints_at(60, 60, 80)] * before, *[None] * gone, *[joints_at(90, 60, 80)] * after]
    asked = []
    poses, people = followed(truth, finder=Finder(lambda frame: asked.append(frame) or []))
    assert people["found_by"].ne("nobody").tolist() == [joints is not None for joints in truth]
    assert worst(poses.dropna(), [joints for joints in truth if joints is not None]) < 0.2
    assert len(asked) <= 2 * (gone // 16 + 1) + 5 + bool(before)


def test_somebody_else_elsewhere_is_found_when_the_first_is_gone():
    truth = [joints_at(40, 60, 60), joints_at(125, 60, 60)]
    _, people = followed(truth)
    assert people["found_by"].tolist() == ["whole frame", "whole frame"]


def test_joints_that_are_not_sure_stay_as_they_are_and_shape_no_box():
    def unsure_of_a_foot(pictures):
        found = find_dots(pictures)
        found[:, -1] = 3, 150, 0.4
        return found

    truth = joints_at(80, 60, 80)
    poses, people = followed([truth, truth], eye=sight(unsure_of_a_foot))
    assert points(poses)[1, :5] == pytest.approx(truth[:5], abs=0.2)
    assert poses["likelihood"].tolist() == [1, 1, 1, 1, 1, 0.4] * 2
    assert people.loc[1, "bbox_x"] > 80 - 40


@pytest.mark.parametrize("joints, by", [(6, "nobody"), (5, "whole frame")])
def test_so_many_sure_joints_make_a_person(joints, by):
    def without_one(pictures):
        found = find_dots(pictures)
        found[:, 2, 2] = 0.49
        return found

    _, people = followed([joints_at(80, 60, 80)], eye=sight(without_one, joints=joints))
    assert people["found_by"].tolist() == [by]


# The network's means are 1: of so many of 20 held-out people it was less sure.
@pytest.mark.parametrize(
    "less_sure, finders, somebody",
    [
        (20, None, True),
        (1, None, True),
        (0, None, False),
        (10, 0, True),
        (9, 0, False),
        (9, 0.05, True),
        (1, 0.1, False),
        (1, 0.15, True),
        (0, 0.2, True),
    ],
)
def test_somebody_is_there_of_whom_networks_are_as_sure_as_of_held_out_people(less_sure, finders, somebody):
    eye = sight(held_out=(0.9,) * less_sure + (1.0,) * (20 - less_sure))
    finder = finders if finders is None else Finder(share=finders)
    _, people = followed([joints_at(80, 60, 80)], eye=eye, finder=finder)
    assert people["found_by"].tolist() == ["whole frame" if somebody else "nobody"]
    assert finder is None or (finder.looks > 0) == (less_sure < 10)  # only where its answer matters


@pytest.mark.parametrize(
    "less_sure, finders, stays",
    [(1, None, True), (0, None, False), (10, 0, True), (9, 0, False), (1, 0.09, True), (1, 0.07, False)],
)
def test_somebody_who_was_there_before_stays_with_less(less_sure, finders, stays):
    """The network is surest in the first frame; then it is as sure as of so many of 50 people."""
    likelihood = 1.0

    def frames():
        nonlocal likelihood
        for likelihood in (1.0, 0.8, 0.8):  # noqa: B007
            yield drawn(WIDTH, HEIGHT, joints_at(80, 60, 80))

    def less_sure_later(pictures):
        return find_dots(pictures) * (1, 1, likelihood)

    eye = sight(less_sure_later, held_out=(0.7,) * less_sure + (0.9,) * (50 - less_sure))
    finder = finders if finders is None else Finder(share=finders)
    _, people = follow(frames(), 3, eye, finder, batch=1)
    assert people["found_by"].tolist() == ["whole frame", *["last frame" if stays else "nobody"] * 2]


def test_who_is_not_sure_enough_for_a_moment_is_not_lost_for_longer():
    """The figure is half hidden in one frame, and all hidden in others."""
    hidden = np.concatenate([joints_at(80, 60, 80)[:2], np.full((4, 2), -50)])
    truth = [joints_at(80, 60, 80)] * 3 + [hidden] + [joints_at(80, 60, 80)] * 3 + [None] * 2 + [hidden] * 30
    _, people = followed(truth, eye=sight(held_out=(0.9,)))
    assert (
        people["found_by"].tolist()
        == ["whole frame", *["last frame"] * 2, "nobody", *["last frame"] * 3] + ["nobody"] * 32
    )


def test_only_the_joints_that_held_out_people_were_judged_by_say_how_sure_it_is():
    pose = np.column_stack([np.zeros((6, 2)), [1, 1, 0, 0, 0, 0]])
    eye = sight(judged=("right_shoulder", "left_shoulder"), held_out=(0.2, 0.4, 0.999))
    assert eye.share(pose) == 1
    assert sight(held_out=(0.2, 0.4, 0.999)).share(pose) == pytest.approx(1 / 3)


@pytest.mark.parametrize("down, person", [(20, True), (85, True), (101, False), (-40, False)])
def test_a_box_that_lies_in_the_frame_by_less_than_half_is_nobody(down, person):
    """The joints reach 40 pixels down, their box 4 more either way."""
    pose = np.column_stack([np.linspace(40, 60, 6), np.linspace(down, down + 40, 6), np.ones(6)])
    box = sight().box_of(pose, drawn(WIDTH, HEIGHT, None))
    assert box == (pytest.approx((36, down - 4, 28, 48)) if person else None)


NONSENSE = [
    (np.nan, 0, 10, 10),
    (0, 0, np.inf, 10),
    (500, 0, 40, 40),
    (-60, 10, 80, 80),
    (20, 20, 0.5, 0.5),
    (9, 9, -4, 0),
]


@pytest.mark.parametrize("box", NONSENSE, ids=str)
def test_a_box_of_the_finder_that_cannot_be_a_persons_is_passed_over(box):
    poses, people = followed([joints_at(80, 60, 80)], finder=Finder(lambda frame: [box]))
    assert people["found_by"].tolist() == ["whole frame"]


def test_a_finder_that_is_a_little_off_is_corrected_before_its_joints_count():
    truth = joints_at(80, 60, 60)
    finder = Finder(lambda frame: [(120, 5, 20, 20), (55, 25, 60, 75)])
    poses, people = followed([truth], eye=sight(only_at_its_size), finder=finder)
    assert people["found_by"].tolist() == ["finder"]
    assert worst(poses, [truth]) < 0.2


def test_a_network_that_never_settles_comes_to_an_end():
    """A foot is sure in every second picture, and then far away."""
    calls = []

    def changing(pictures):
        found = find_dots(pictures)
        for pose in found:
            calls.append(pose)
            pose[-1] = (pose[-1, 0], 158, 1) if len(calls) % 2 else (0, 0, 0)
        return found

    _, people = followed([joints_at(80, 50, 60)] * 6, eye=sight(changing), batch=3)
    assert "nobody" not in set(people["found_by"])
    assert len(calls) <= 6 * (LOOKS + 3)


@given(st.floats(-10, 150), st.floats(-10, 110), *[st.floats(20, 300)] * 2)
def test_what_is_in_the_middle_of_a_crop_is_in_the_middle_of_the_box(x, y, width, height):
    middle = np.array([[[79.5, 79.5, 1.0]] * 6])
    frame = np.zeros((HEIGHT, WIDTH, 3), np.uint8)
    seen = sight(lambda pictures: middle).look([frame], (x, y, width, height))
    assert seen[0, :, :2] == pytest.approx(np.tile([x + width / 2, y + height / 2], (6, 1)))


def test_boxes_are_nearly_the_same():
    box = (10.0, 20.0, 50.0, 100.0)
    assert nearly(box, box)
    assert nearly((14.9, 20, 50, 100), box)
    assert not nearly((15.1, 20, 50, 100), box)
    assert not nearly((13.6, 23.6, 50, 100), box)
    assert nearly((10, 15.5, 50, 109), box)
    assert not nearly((10, 14.5, 50, 111), box)
    assert not nearly((10, 25.5, 50, 89), box)
    assert nearly((-10, 20, 90, 100), box)  # wider, at the same scale
