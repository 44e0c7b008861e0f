"""A run trained alone, and its network tried on other people, by the commands that make calls."""

import sys

import cv2
import pandas as pd
import pytest
import xarray
import yaml
from test_study import TINY

from monkey_transfer.metrics.matching import match
from monkey_transfer.metrics.pckh import pck, scored
from monkey_transfer.profiles import loading
from monkey_transfer.study import opening
from monkey_transfer.study.datasets import open_dataset
from monkey_transfer.study.runs import Run
from monkey_transfer.tell import single
from monkey_transfer.videos.reading import open_video

pytestmark = pytest.mark.slow

# Two iterations on each engine.
TRAININGS = {
    "tensorflow": {**TINY["training"], "iterations": 2, "validate_every": 2},
    "pytorch": {
        "engine": "pytorch",
        "net_type": "mobilenetv2_035",
        "batch_size": 4,
        "iterations": 2,
        "validate_every": 2,
        "predict_mirrored": True,
    },
}
RUN = ("one", "scratch_control", "", "0")


@pytest.fixture
def command(tmp_path, monkeypatch, capsys):
    """``command(word...)`` is what the command of those words prints."""
    monkeypatch.setenv("MONKEY_TRANSFER_RUNS", str(tmp_path / "runs"))
    monkeypatch.setattr(single, "share_of_cores", lambda profile: {})  # which would stay in this process
    for module in (opening, single):
        monkeypatch.setattr(module, "load_profile", lambda name: loading.load_profile(name, tmp_path))

    def command(*words: str) -> str:
        monkeypatch.setattr(sys, "argv", ["single", words[0], "--", *words[1:]])
        single.main()
        return capsys.readouterr().out

    return command


@pytest.mark.parametrize("engine", TRAININGS)
def test_a_run_is_trained_alone_and_its_network_finds_in_others_what_it_found(engine, command, tmp_path):
    (tmp_path / "one.yaml").write_text(yaml.safe_dump({**TINY, "training": TRAININGS[engine]}))
    run, out = Run("one", "scratch_control", 8, 0), tmp_path / "out"
    printed = command("train", *RUN)
    assert "scratch_control of seed 0 finds " in printed
    assert f"DeepLabCut project: {run.folder / 'deeplabcut' / 'config.yaml'}\n" in printed
    assert "is there already" not in printed
    assert command("train", *RUN).startswith("scratch_control n8 s0 is there already, and nothing ")

    # The people that the profile itself has elsewhere, and one more.
    (tmp_path / "people.yaml").write_text(yaml.safe_dump({k: TINY["elsewhere"][k] for k in ("data", "yardstick")}))
    printed = command("predict", *RUN, str(tmp_path / "people.yaml"), "", str(out))
    assert "0 of 12 people are in a picture nearly the same" in printed
    score = run.manifest()["outcome"]["validation_score"]
    assert f"Its own validation people: {score:.1f} % now, {score:.1f} % when the run was made." in printed

    predictions, table = pd.read_parquet(out / "predictions.parquet"), pd.read_csv(out / "scores.csv")
    assert predictions["image_id"].nunique() == 12
    known = run.predictions("elsewhere")
    again = known[["image_id", "keypoint"]].merge(predictions, validate="1:1")
    pd.testing.assert_frame_equal(again, known, atol=1e-3, check_exact=False)
    pd.testing.assert_frame_equal(pd.read_csv(out / "predictions.csv"), predictions)

    people = open_dataset(loading.load_profile("one", tmp_path).data_of("elsewhere"))
    found = match(people.labels, predictions, people.reference_lengths, "torso", people.images)
    [row] = table[table["metric"] == "pck_by_torso"].to_dict("records")
    assert row["value"] == pytest.approx(pck(scored(found.joints), 0.2))
    assert (row["arm"], row["images"], row["seed"], row["seeds"], row["over"]) == ("scratch_control", 8, 0, 1, "people")
    assert (row["tested"], row["near_duplicates"], row["pictures"]) == (12, 0, "rendered")
    assert sorted(file.name for file in out.iterdir()) == ["predictions.csv", "predictions.parquet", "scores.csv"]
    [other] = (tmp_path / "runs" / "one" / "predictions" / "people").iterdir()
    assert other.name == ".scratch_control-n8-s0.partial.lock"


def test_a_run_watches_a_video(command, tmp_path):
    """People of the target one after the other: what is left can be read by those for whom it is."""
    settings = {**TINY, "training": TRAININGS["pytorch"], "picture": {"framing": "person", "size": 64, "person": 50}}
    (tmp_path / "one.yaml").write_text(yaml.safe_dump(settings))
    command("train", *RUN)
    people = open_dataset(loading.load_profile("one", tmp_path).target.data)
    video, frames = tmp_path / "films" / "walk.avi", people.images["path"][:5]
    video.parent.mkdir()
    size = tuple(people.images[["width", "height"]].iloc[0])
    writer = cv2.VideoWriter(str(video), cv2.VideoWriter_fourcc(*"MJPG"), 25, size)
    for path in frames:
        writer.write(cv2.imread(path))
    writer.release()

    printed = command("predict", *RUN, "", str(video.parent), "")
    out = tmp_path / "runs" / "one" / "videos" / "scratch_control-n8-s0"
    assert "\nwalk.avi: somebody is found in " in printed
    assert f"labelled videos and what was found in each frame: {out}\n" in printed
    table = pd.read_hdf(out / "walkDLC_scratch_control_n8_s0.h5")
    assert len(table) == 5
    assert list(table.columns.get_level_values("bodyparts").unique()) == list(people.skeleton.keypoints)
    found = pd.read_csv(out / "walk_frames.csv")
    there = found["found_by"] != "nobody"
    assert table.notna().all(axis=1).tolist() == there.tolist()
    with xarray.open_dataset(out / "walk.nc", engine="h5netcdf") as poses:
        assert dict(poses.sizes) == {"time": 5, "space": 2, "keypoints": 16, "individuals": 1}
    assert open_video(out / "walk_labelled.mp4").frames == 5
    assert len(list(out.iterdir())) == 6
    assert [file.name for file in out.parent.iterdir() if file.is_dir()] == [out.name]
