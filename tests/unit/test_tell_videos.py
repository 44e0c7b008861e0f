"""Which videos are meant, and what is said of what was found in them."""

from pathlib import Path

import pandas as pd
import pytest
from bad_input import refused

from monkey_transfer.measure.calibration import Calibration
from monkey_transfer.study.watching import Watched
from monkey_transfer.tell.videos import in_words, on_likelihoods, videos_of
from monkey_transfer.videos.reading import Video


def test_a_folder_stands_for_its_videos(tmp_path):
    for name in ("b.MP4", "a.avi", "notes.txt", "a.avi.csv", "a_labelled.mp4", "aDLC_run_labeled.mp4"):
        (tmp_path / name).touch()
    assert videos_of(tmp_path) == [tmp_path / "a.avi", tmp_path / "b.MP4"]
    assert videos_of(tmp_path / "notes.txt") == [tmp_path / "notes.txt"]  # what is named is meant
    (tmp_path / "a.mov").touch()
    with refused("video", "two that would leave files of one name", match="a.avi and a.mov would leave files of one"):
        videos_of(tmp_path)
    (tmp_path / "empty").mkdir()
    with refused("video", "a folder without videos", match="empty: holds no video; expected files such as .mp4"):
        videos_of(tmp_path / "empty")


WAYS = {"f": "last frame", "h": "finder", "w": "whole frame", "-": "nobody"}


@pytest.mark.parametrize(
    "frames, finder, said",
    [
        (
            "wfff",
            None,
            "walk.mp4: somebody is found in 4 of 4 frames (3 from where the person was last, 1 by searching the whole "
            "frame).",
        ),
        (
            "hf-hf---w",
            "blazepose",
            "walk.mp4: somebody is found in 5 of 9 frames (2 from where the person was last, 2 by blazepose, 1 by "
            "searching the whole frame). Nobody is found in frames 5 to 7 and 2 (counted from 0).",
        ),
        (
            "--",
            None,
            "walk.mp4: somebody is found in 0 of 2 frames. Nobody is found in frames 0 to 1 (counted from 0).",
        ),
        (
            "-f-f-f-f-f-f-",
            None,
            "walk.mp4: somebody is found in 6 of 13 frames (6 from where the person was last). Nobody is found in "
            "frames 0, 2, 4, 6, 8 and 2 other stretches (counted from 0).",
        ),
    ],
)
def test_in_how_many_frames_and_how_somebody_is_found_and_where_nobody(frames, finder, said):
    people = pd.DataFrame({"found_by": [WAYS[letter] for letter in frames]})
    video = Video(Path("walk.mp4"), 64, 48, 25.0, len(frames), True)
    assert in_words(video, Watched(pd.DataFrame(), people, 0.5, finder)) == said


def test_what_likelihoods_mean_and_where_they_mean_nothing():
    assert on_likelihoods(Calibration(1.2, 0.1, 1400, 100), "PCK@0.2 by torso") == (
        "Likelihoods are calibrated on 1,400 joints of 100 held-out people: of those with 0.8 there 80 % were correct "
        "(PCK@0.2 by torso)."
    )
    assert on_likelihoods(Calibration(0, 0.1, 14, 1), "PCK@0.2 by torso").startswith("Likelihoods say nothing: on 14 ")
