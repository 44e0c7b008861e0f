"""A run's folder is what is cached, resumed and reported: it is whole and up to date, or it is not there."""

import errno
import fcntl
import os
import select
import subprocess
import sys
from functools import partial
from pathlib import Path

import pandas as pd
import pytest

from monkey_transfer.devices import visible_gpus
from monkey_transfer.errors import StudyError
from monkey_transfer.files import clear_disk_errors, digest_of, only_one, write_json
from monkey_transfer.networks.engines import ENGINES
from monkey_transfer.profiles.loading import load_profile
from monkey_transfer.study import runs
from monkey_transfer.study.runs import Run


@pytest.fixture
def run(tmp_path, monkeypatch) -> Run:
    monkeypatch.setenv("MONKEY_TRANSFER_RUNS", str(tmp_path))
    return Run("study", "transfer", 20, 0)


def finish(folder, **manifest) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    write_json(folder / "run.json", manifest)


def test_a_run_has_one_folder(run, tmp_path):
    assert run.folder == tmp_path / "study" / "transfer" / "n20-s0"
    others = {Run("study", "transfer", 20, 1), Run("study", "transfer", 21, 0), Run("study", "scratch", 20, 0)}
    assert len({other.folder for other in others} | {run.folder}) == 4
    assert run.partial.parent == run.folder.parent  # on one disk, so that putting in place is a mere renaming
    assert run.partial != run.folder


def test_a_digest_depends_on_what_is_specified_and_not_on_its_order():
    assert digest_of({"a": 1, "b": [1, 2]}) == digest_of({"b": [1, 2], "a": 1})
    assert digest_of({"a": 1}) != digest_of({"a": 2})
    assert digest_of({"b": [1, 2]}) != digest_of({"b": [2, 1]})


def test_a_run_is_reused_only_with_its_own_digest(run):
    assert not runs.has_digest(run.folder, "run.json", "abc")
    finish(run.folder, digest="abc")
    assert runs.has_digest(run.folder, "run.json", "abc")
    assert not runs.has_digest(run.folder, "run.json", "abd")
    (run.folder / "run.json").write_text('{"digest": "ab')  # as a full disk leaves it
    assert not runs.has_digest(run.folder, "run.json", "abc")


def test_a_half_finished_run_is_not_complete_and_says_how_to_get_it(run):
    finish(run.partial, digest="abc")
    assert not run.is_complete
    of_people = (partial(run.predictions, of) for of in runs.PREDICTIONS)
    for read in (run.manifest, *of_people, run.learning_curve, run.snapshot):
        with pytest.raises(StudyError, match="transfer n20 s0.*not there yet: make study PROFILE=study"):
            read()
    runs.put_in_place(run)
    assert run.is_complete
    assert run.manifest()["digest"] == "abc"


def test_the_project_of_a_run_that_is_kept_beside_is_its_own(run):
    """Or DeepLabCut would go on training the earlier network on the labels of the new one."""
    for folder, digest in ((run.folder, "0123456789"), (run.partial, "new")):
        finish(folder, digest=digest)
        (folder / "deeplabcut" / "train").mkdir(parents=True)
        config = folder / "deeplabcut" / "train" / "pose_cfg.yaml"
        config.write_text(f"project_path: {run.folder}/deeplabcut\n")
    runs.put_in_place(run)
    kept = run.folder.with_name("n20-s0-01234567")
    for folder in (run.folder, kept):
        said = (folder / "deeplabcut" / "train" / "pose_cfg.yaml").read_text()
        assert said == f"project_path: {folder}/deeplabcut\n"


@pytest.mark.parametrize("manifest", [None, "", '{"digest": "ab', "{}"])
def test_a_damaged_older_run_does_not_keep_a_new_one_from_its_place(run, manifest):
    run.folder.mkdir(parents=True)
    if manifest is not None:
        (run.folder / "run.json").write_text(manifest)
    finish(run.partial, digest="new")
    runs.put_in_place(run)
    assert run.manifest()["digest"] == "new"
    assert run.folder.with_name("n20-s0-damaged").is_dir()


def test_putting_in_place_keeps_an_older_run_beside_under_its_digest(run):
    finish(run.folder, digest="0123456789")
    (run.folder / "only_in_the_old_one").touch()
    finish(run.partial, digest="new")
    runs.put_in_place(run)
    assert run.manifest()["digest"] == "new"
    kept = run.folder.with_name("n20-s0-01234567")
    assert {entry.name for entry in run.folder.parent.iterdir()} == {run.folder.name, kept.name}
    assert (kept / "only_in_the_old_one").exists()
    assert not (run.folder / "only_in_the_old_one").exists()


def test_every_set_of_people_has_predictions_of_its_own(run):
    finish(run.folder)
    for people, file in runs.PREDICTIONS.items():
        pd.DataFrame({"image_id": [people]}).to_parquet(run.folder / file)
    for people in runs.PREDICTIONS:
        assert run.predictions(people)["image_id"].tolist() == [people]
    assert run.predictions()["image_id"].tolist() == ["test"]


def test_a_learning_curve_marks_the_snapshot_that_was_kept(run):
    finish(run.folder, outcome={"chosen_iteration": 20})
    curve = pd.DataFrame(
        {"iteration": [10, 20, 30], "validation_error": [3.0, 2.0, 1.0], "validation_score": [5, 7, 6]}
    )
    curve.to_csv(run.folder / "learning_curve.csv", index=False)
    found = run.learning_curve()
    assert found["chosen"].tolist() == [False, True, False]
    assert found["validation_score"].tolist() == [5, 7, 6]


def test_a_missing_snapshot_is_named(run):
    finish(run.folder, outcome={"chosen_iteration": 30}, specification={"arm": {"training": {}}})
    with pytest.raises(StudyError, match="snapshot-30 is missing; delete the folder"):
        run.snapshot()
    train = run.folder / "deeplabcut/dlc-models/iteration-0/model/train"
    train.mkdir(parents=True)
    for name in ("snapshot-30.index", "snapshot-3.index"):
        (train / name).touch()
    assert run.snapshot() == str(train / "snapshot-30")


def test_only_one_process_works_on_a_folder(tmp_path):
    folder = tmp_path / "runs" / "n20-s0"
    program = f"""
from pathlib import Path
from monkey_transfer.files import only_one
print("waiting", flush=True)
with only_one(Path({str(folder)!r})):
    print("in", flush=True)
"""
    with only_one(folder):
        other = subprocess.Popen([sys.executable, "-c", program], stdout=subprocess.PIPE, text=True)
        assert other.stdout.readline() == "waiting\n"
        assert not select.select([other.stdout], [], [], 0.5)[0]
        with only_one(folder.with_name("n20-s1")):
            pass  # another folder is free
    assert other.communicate()[0] == "in\n"
    assert other.returncode == 0


def test_a_full_disk_is_one_sentence():
    """/dev/full is a disk that is always full; Python does not tell its name when a write fails."""
    full = Path("/dev/full")
    with pytest.raises(StudyError, match="No space left on device; free some space") as error, clear_disk_errors():
        full.write_text("x")
    assert "\n" not in str(error.value)
    assert "MONKEY_TRANSFER_RUNS" in str(error.value)


@pytest.mark.parametrize("place", ["a file", "/sys"])  # both keep the superuser out too, whom permissions do not
def test_a_folder_that_cannot_be_written_is_named(tmp_path, monkeypatch, place):
    (tmp_path / "a file").touch()
    monkeypatch.setenv("MONKEY_TRANSFER_RUNS", str(tmp_path / place / "runs"))
    folder = Run("study", "transfer", 20, 0).folder
    with pytest.raises(StudyError) as error, clear_disk_errors(), only_one(folder):
        pass
    assert str(tmp_path / place) in str(error.value)
    assert "MONKEY_TRANSFER_RUNS" in str(error.value)


def test_a_file_system_without_locks_is_told_from_a_full_one(tmp_path, monkeypatch):
    def refuse(*_):
        raise OSError(errno.ENOLCK, os.strerror(errno.ENOLCK))

    monkeypatch.setattr(fcntl, "flock", refuse)
    with pytest.raises(StudyError, match="files cannot be locked there"), only_one(tmp_path / "n20-s0"):
        pass


def test_an_error_that_is_not_the_disks_stays_what_it_is():
    with pytest.raises(ConnectionError), clear_disk_errors():
        raise ConnectionResetError(errno.ECONNRESET, "reset")


def test_a_file_is_written_whole_or_not_at_all(tmp_path):
    file = tmp_path / "outcome.json"
    write_json(file, {"a": 1})
    with pytest.raises(TypeError):
        write_json(file, {"a": object()})
    assert file.read_text() == '{\n "a": 1\n}'
    assert list(tmp_path.iterdir()) == [file]


def test_the_environment_names_what_numbers_depend_on():
    recorded = runs.environment(ENGINES["tensorflow"])
    assert recorded["versions"]["tensorflow"].startswith("2.18")
    assert recorded["machine"]["cores"] == os.cpu_count()
    assert recorded["machine"]["gpus"] == visible_gpus()


# Of all runs' settings, as they were when TensorFlow was the only engine: the same ones, or finished runs train again.
SETTINGS = {
    "demo-seeds": "43cc98f2ef0ee355",
    "lsp-tensorflow": "d630727d7d11538c",
    "paper": "ae28d9f1de76e587",
    "paper-check": "fbd3f5d1ced5323e",
    "paper-controls": "b3112e22c069700c",
    "smoke": "bd2fb522c7a50f01",
}


@pytest.mark.parametrize("name", SETTINGS)
def test_finished_runs_keep_their_digests(name):
    profile = load_profile(name)
    settings = {str(run): runs.settings(profile, run) for run in runs.runs_of(profile)}
    assert digest_of(settings)[:16] == SETTINGS[name]


def test_where_imagenet_weights_lie_is_not_what_a_run_depends_on():
    """Their content is: it goes into the specification."""
    profile = load_profile("lsp-tensorflow")
    run = runs.run_of(profile, "imagenet_control", 0)
    arm = profile.arm(run.arm)
    named = arm.model_copy(update={"training": arm.training.model_copy(update={"imagenet": "my.ckpt"})})
    elsewhere = profile.model_copy(update={"arms": {**profile.arms, run.arm: named}})
    assert runs.settings(elsewhere, run) == runs.settings(profile, run)
