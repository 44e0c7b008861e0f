"""How many runs a profile has, how many exist and what the others may take, from their folders alone."""

import shutil

import pytest

from monkey_transfer.files import write_json
from monkey_transfer.networks.tensorflow.engine import TensorFlow
from monkey_transfer.profiles.profile import Profile
from monkey_transfer.study.outlook import Outlook, outlook
from monkey_transfer.study.runs import Run, runs_of, settings

TRAINING = {"batch_size": 4, "iterations": 900, "multi_step": [[0.001, 900]], "global_scale": 1.0}
SMALL = {"net_type": "mobilenet_v2_0.35", **TRAINING}
DATA = {"format": "synthetic", "images": 500}
ARMS = {
    "baseline": {"learns": "source", "images": 100, "init": "scratch", "training": SMALL},
    "benchmark": {"learns": "target", "images": 200, "init": "scratch", "training": SMALL},
    "transfer": {"learns": "target", "images": (20, 50), "init": "arm:baseline", "training": SMALL},
    "scratch_control": {"learns": "target", "images": 20, "init": "scratch", "training": SMALL},
}


@pytest.fixture(autouse=True)
def runs_folder(tmp_path, monkeypatch):
    monkeypatch.setenv("MONKEY_TRANSFER_RUNS", str(tmp_path))


def study(**arms) -> Profile:
    return Profile(
        name="sweep",
        title="Sweep",
        source={"data": {**DATA, "species": "macaque"}, "test": 10},
        target={"data": {**DATA, "species": "human"}, "test": 10},
        picture={"framing": "whole", "size": 160},
        yardstick="head_size",
        arms={**ARMS, **arms},
        seeds=(0, 1),
    )


def finish(run: Run, seconds: float, iterations: int = 900, gpus: list[str] | None = None, **training) -> None:
    """Leave a run.json as training does; without ``gpus`` one that was written before they were recorded.

    ``training`` is what the profile said then and says no more.
    """
    machine = {"cores": 2} if gpus is None else {"cores": 2, "gpus": gpus}
    outcome = {"seconds": seconds, "iterations": iterations}
    run.folder.mkdir(parents=True)
    specification = settings(study(), run)
    if training:
        specification["arm"]["training"] = training
    write_json(run.folder / "run.json", {"outcome": outcome, "machine": machine, "specification": specification})


def outlooked(profile: Profile, changed: dict[Run, str] | None = None) -> Outlook:
    return outlook(profile, runs_of(profile), changed or {})


def test_a_study_has_a_run_for_each_size_and_seed_of_each_arm():
    runs = runs_of(study())
    assert [str(run) for run in runs if run.arm == "transfer"] == [
        "transfer n20 s0",
        "transfer n20 s1",
        "transfer n50 s0",
        "transfer n50 s1",
    ]
    assert len(set(runs)) == len(runs) == 10


def test_before_the_first_run_the_time_is_not_known():
    there = outlooked(study())
    assert (there.runs, there.existing, there.to_train, there.unknown) == (10, 0, 10, 10)
    assert "10 runs of profile sweep: 0 exist, 10 to train; how long is not known before" in str(there)


def test_runs_of_other_labels_are_made_again_and_with_them_what_starts_from_them():
    for arm, images in (("baseline", 100), ("transfer", 20), ("scratch_control", 20)):
        finish(Run("sweep", arm, images, 0), 1800)
    baseline, control = Run("sweep", "baseline", 100, 0), Run("sweep", "scratch_control", 20, 0)
    assert outlooked(study()).existing == 3
    there = outlooked(study(), {baseline: "labels changed", control: "pictures changed"})
    assert (there.existing, there.to_train) == (0, 10)
    assert str(there).endswith(
        "from the runs so far. 1 finished run is made again: labels changed. "
        "1 finished run is made again: pictures changed."
    )


def test_a_run_that_was_killed_does_not_exist():
    finish(Run("sweep", "baseline", 100, 0), 60)
    run = Run("sweep", "baseline", 100, 0)
    run.folder.rename(run.partial)
    assert outlooked(study()).existing == 0


def test_time_is_proportional_to_the_pictures_that_a_network_sees():
    finish(Run("sweep", "baseline", 100, 0), seconds=1800)  # 900 x 4 pictures
    twice = {**SMALL, "batch_size": 8}
    there = outlooked(study(benchmark={**ARMS["benchmark"], "training": twice}))
    # Missing are a baseline, two benchmarks of twice the pictures, four transfers and two controls.
    assert there.hours == pytest.approx(0.5 * (1 + 2 * 2 + 4 + 2))
    assert there.unknown == 0


def test_a_run_that_stopped_early_counts_with_what_it_did():
    finish(Run("sweep", "baseline", 100, 0), seconds=900, iterations=450)
    assert outlooked(study()).hours == pytest.approx(0.5 * 9)


def test_what_a_run_was_trained_with_is_what_its_own_record_says():
    """The profile may have changed since; of a key that is not recorded the run had the default."""
    finish(Run("sweep", "baseline", 100, 0), seconds=1800, iterations=3600, net_type=SMALL["net_type"])
    assert outlooked(study()).hours == pytest.approx(0.5 * 10)  # DeepLabCut's batch is one picture


def test_another_network_says_nothing_of_this_one():
    finish(Run("sweep", "baseline", 100, 0), seconds=1800)
    there = outlooked(study(benchmark={**ARMS["benchmark"], "training": {"net_type": "resnet_50", **TRAINING}}))
    assert there.unknown == 2
    assert "1 exist, 9 to train; about 3.5 hours of training for 7 of them, from the runs so far" in str(there)


def test_a_finished_network_takes_no_time():
    zoo = {"learns": "nothing", "init": "zoo:full_macaque", "training": {"net_type": "resnet_50"}}
    control = {"learns": "target", "images": 20, "init": "scratch", "training": SMALL}
    finish(Run("sweep", "benchmark", 200, 0), seconds=3600)
    there = outlooked(study(baseline=zoo, transfer=control))
    assert (there.existing, there.to_train, there.unknown, there.hours) == (1, 5, 0, pytest.approx(5))
    assert "8 runs of profile sweep: 1 exist, 5 to train, 2 of networks as they are; about 5.0 hours" in str(there)


@pytest.mark.parametrize(
    "first, second, on",
    [
        (["NVIDIA"], ["NVIDIA"], "14 GPU hours"),
        ([], [], "14 processor hours"),
        ([], ["NVIDIA"], "14 hours of training"),
        (None, ["NVIDIA"], "14 hours of training"),
    ],
    ids=["gpu", "processor", "both", "not recorded"],
)
def test_hours_are_those_of_what_the_runs_so_far_trained_on(first, second, on):
    finish(Run("sweep", "baseline", 100, 0), seconds=6300, gpus=first)
    finish(Run("sweep", "baseline", 100, 1), seconds=6300, gpus=second)
    assert f"; about {on}, from the runs so far" in str(outlooked(study()))


def test_runs_of_another_profile_are_to_be_made_again_and_so_are_those_that_start_from_them():
    for run in runs_of(study()):
        finish(run, 60)
    shorter = {**SMALL, "iterations": 800}
    assert outlooked(study()).existing == 10
    assert outlooked(study(transfer={**ARMS["transfer"], "training": shorter})).existing == 6
    there = outlooked(study(baseline={**ARMS["baseline"], "training": shorter}))
    assert (there.existing, there.to_train) == (4, 6)
    # Of an arm that is being made again only what is not there yet is to do.
    profile = study(transfer={**ARMS["transfer"], "training": shorter})
    anew = Run("sweep", "transfer", 20, 0)
    write_json(anew.folder / "run.json", anew.manifest() | {"specification": settings(profile, anew)})
    assert outlooked(profile).existing == 7
    # What came from a run that is gone comes from another one now.
    shutil.rmtree(Run("sweep", "baseline", 100, 1).folder)
    assert outlooked(study()).existing == 10 - 1 - 2 - 1


def test_runs_of_other_training_code_are_to_be_made_again(monkeypatch):
    for run in runs_of(study()):
        finish(run, 60)
    monkeypatch.setattr(TensorFlow, "version", TensorFlow.version + 1)
    there = outlooked(study())
    assert (there.existing, there.to_train) == (0, 10)


def test_when_all_runs_exist_there_is_no_time_to_tell():
    for run in runs_of(study()):
        finish(run, 60)
    assert str(outlooked(study())).startswith("10 runs of profile sweep: 10 exist, 0 to train.")
