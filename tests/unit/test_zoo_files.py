"""Networks of the zoo: the files of an unpacked archive, the order of its joints, and what is wrong with archives."""

import json
import random
from dataclasses import replace
from pathlib import Path
from types import SimpleNamespace

import pytest
import yaml
from PIL import Image

from monkey_transfer.acquire import download
from monkey_transfer.acquire.archives import ARCHIVES
from monkey_transfer.errors import StudyError
from monkey_transfer.files import digest_of, write_json
from monkey_transfer.networks.job import Job, JobFolder
from monkey_transfer.networks.tensorflow.engine import TensorFlow
from monkey_transfer.networks.tensorflow.weights import checkpoint_files
from monkey_transfer.networks.tensorflow.zoo import ZOO, zoo_network
from monkey_transfer.profiles import loading
from monkey_transfer.profiles.arms import Arm
from monkey_transfer.skeletons import MPII_16
from monkey_transfer.study import jobs, opening, training

MACAQUE = ZOO["zoo:full_macaque"].skeleton.keypoints
SHUFFLED = tuple(random.Random(0).sample(MACAQUE, len(MACAQUE)))
SETTINGS = {
    "net_type": "resnet_50",
    "num_joints": 17,
    "all_joints": [[i] for i in range(17)],
    "all_joints_names": [joint.replace("_", " ") for joint in SHUFFLED],
    "global_scale": 0.8,
    "location_refinement": True,
    "locref_stdev": 7.2801,
    "mean_pixel": [123.68, 116.779, 103.939],
}


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """Where the network is looked for, without it."""
    monkeypatch.setenv("MONKEY_TRANSFER_DATA", str(tmp_path))
    return tmp_path / "zoo" / "full_macaque"


def write_snapshot(folder: Path, iterations: int) -> str:
    folder.mkdir(parents=True, exist_ok=True)
    for ending in ("index", "meta", "data-00000-of-00001"):
        (folder / f"snapshot-{iterations}.{ending}").write_bytes(b"a checkpoint")
    return str(folder / f"snapshot-{iterations}")


def write_settings(folder: Path, **changes) -> Path:
    folder.mkdir(parents=True, exist_ok=True)
    file = folder / "pose_cfg.yaml"
    file.write_text(yaml.safe_dump({**SETTINGS, **changes}))
    return file


def test_an_exported_network(folder):
    inside = folder / "DLC_macaque_full_resnet50"
    snapshot = write_snapshot(inside, 103000)
    write_settings(inside)
    found = zoo_network("zoo:full_macaque", "resnet_50")
    assert found.weights == snapshot
    assert [file.name for file in checkpoint_files(found.weights)] == [
        "snapshot-103000.data-00000-of-00001",
        "snapshot-103000.index",
    ]
    assert found.keypoints == SHUFFLED != MACAQUE
    assert found.architecture == {
        "location_refinement": True,
        "locref_stdev": 7.2801,
        "mean_pixel": [123.68, 116.779, 103.939],
    }


def test_a_whole_model_folder_with_several_snapshots(folder):
    for iterations in (50000, 200000, 100000):
        write_snapshot(folder / "model" / "train", iterations)
    (folder / "model" / "train" / "._snapshot-900000.index").write_bytes(b"of another system")
    write_settings(folder / "model" / "train", stride=4.0)
    write_settings(folder / "model" / "test", stride=8.0)
    found = zoo_network("zoo:full_macaque", "resnet_50")
    assert found.weights == str(folder / "model" / "train" / "snapshot-200000")
    assert found.architecture["stride"] == 4.0


def test_a_network_that_is_not_there_says_where_to_get_it(folder, monkeypatch):
    archive = replace(ARCHIVES["zoo:full_macaque"], address="http://127.0.0.1:9/nobody_is_listening.tar.gz")
    monkeypatch.setitem(ARCHIVES, "zoo:full_macaque", archive)
    monkeypatch.setattr(download, "PAUSE", 0)
    with pytest.raises(StudyError) as error:
        zoo_network("zoo:full_macaque", "resnet_50")
    assert f"from {archive.page} and put it at {folder.parents[1] / 'archives' / archive.file}" in str(error.value)


def test_no_snapshot(folder):
    write_settings(folder)
    for ending in ("index", "data-00000-of-00001"):
        (folder / f"snapshot-best.{ending}").write_bytes(b"a checkpoint")
    with pytest.raises(StudyError, match=f"{folder}: no snapshot of the network is in it, expected a file such as"):
        zoo_network("zoo:full_macaque", "resnet_50")


def test_settings_of_which_network(folder):
    write_snapshot(folder, 1)
    with pytest.raises(StudyError, match=r"full_macaque is incomplete, 0 of 1 \*\*/pose_cfg.yaml"):
        zoo_network("zoo:full_macaque", "resnet_50")
    for name in ("train", "test"):
        write_settings(folder / name)
    with pytest.raises(StudyError, match="or one beside snapshot-1.index, found 2; move the folder away"):
        zoo_network("zoo:full_macaque", "resnet_50")


@pytest.mark.parametrize(
    "changes, told",
    [
        ({"all_joints_names": [*SHUFFLED[:-1], "tail"]}, "other joints than expected: found .*tail, expected nose, "),
        ({"all_joints_names": list(SHUFFLED[:-1])}, "other joints than expected"),
        ({"all_joints_names": [*SHUFFLED, SHUFFLED[0]]}, "other joints than expected"),
        ({"net_type": "resnet_101"}, "the network is a resnet_101, expected the resnet_50 of zoo:full_macaque"),
    ],
)
def test_another_network(folder, changes, told):
    write_snapshot(folder, 1)
    file = write_settings(folder, **changes)
    with pytest.raises(StudyError, match=f"^{file}: .*{told}"):
        zoo_network("zoo:full_macaque", "resnet_50")


@pytest.mark.parametrize(
    "content, told",
    [
        (b"net_type: [", "not valid YAML"),
        (b"\xff\xfe\x00", "not valid YAML"),
        (b"\n", "key 'all_joints_names' is missing"),
        (b"all_joints_names: [nose]", "key 'net_type' is missing"),
    ],
)
def test_settings_that_are_none(folder, content, told):
    write_snapshot(folder, 1)
    (folder / "pose_cfg.yaml").write_bytes(content)
    with pytest.raises(StudyError, match=f"pose_cfg.yaml: {told}"):
        zoo_network("zoo:full_macaque", "resnet_50")


# what arms make of it

ARMS = {
    "baseline": {"learns": "nothing", "init": "zoo:full_macaque"},
    "benchmark": {"learns": "target", "images": 2, "init": "zoo:full_macaque", "restore": "all"},
    "transfer": {"learns": "target", "images": 2, "init": "arm:baseline"},
    "imagenet_control": {"learns": "target", "images": 2, "init": "imagenet"},
    "backbone": {"learns": "source", "images": 2, "init": "zoo:full_macaque"},
    "heads": {"learns": "source", "images": 2, "init": "zoo:full_macaque", "restore": "all"},
    "heads_of_heads": {"learns": "source", "images": 2, "init": "arm:heads", "restore": "all"},
}


@pytest.fixture
def opened(folder, tmp_path, monkeypatch):
    """A study whose source has the joints of full_macaque, with that network unpacked."""
    write_snapshot(folder, 103000)
    write_settings(folder)
    (tmp_path / "monkeys").mkdir()
    numbers = range(1, 6)
    for number in numbers:
        Image.effect_noise((96, 96), 99).convert("RGB").save(tmp_path / "monkeys" / f"{number}.png")
    coco = {
        "images": [{"id": n, "file_name": f"{n}.png", "width": 96, "height": 96} for n in numbers],
        "annotations": [
            {"id": n, "image_id": n, "category_id": 1, "keypoints": [9, 9, 2] * 8 + [80, 80, 2] * 9} for n in numbers
        ],
        "categories": [{"id": 1, "name": "monkey", "keypoints": MACAQUE}],
    }
    (tmp_path / "labels.json").write_text(json.dumps(coco))
    monkeys = {"format": "coco", "annotations": "labels.json", "images": "monkeys", "skeleton": "macaquepose_17"}
    people = {"format": "synthetic", "species": "human", "images": 5, "size": 96}
    profile = {
        "title": "Zoo",
        "source": {"data": monkeys, "test": 1},
        "target": {"data": people, "test": 1},
        "picture": {"framing": "whole", "size": 200},
        "yardstick": "head_size",
        "seeds": [0],
        "smallest_validation": 1,
        "arms": {name: {"training": {}, **arm} for name, arm in ARMS.items()},
    }
    (tmp_path / "zoo.yaml").write_text(yaml.safe_dump(profile))
    monkeypatch.setenv("MONKEY_TRANSFER_RUNS", str(tmp_path / "runs"))
    monkeypatch.setattr(opening, "load_profile", lambda name: loading.load_profile(name, tmp_path))
    return opening.open_study("zoo")


class Asked(Exception):
    """Raised where the job would be run."""


def job_of(opened, arm: str, monkeypatch) -> tuple[Job, dict]:
    """The job of an arm, and what its results depend on."""

    def ask(folder: JobFolder, _: str) -> None:
        raise Asked(folder)

    monkeypatch.setattr(training, "run_job", ask)
    with pytest.raises(Asked) as asked:
        training.train_arm(opened, arm, 0)
    (folder,) = asked.value.args
    return folder.read()[0], json.loads((folder.path / "specification.json").read_text())["specification"]


def test_weights_are_looked_into_before_any_training(folder, monkeypatch):
    snapshot, asked = write_snapshot(folder, 103000), []
    write_settings(folder)
    monkeypatch.setattr(TensorFlow, "refuse_weights", lambda _, *weights: asked.append(weights))
    arms = {name: Arm.model_validate({"training": {}, **ARMS[name]}) for name in ("baseline", "transfer", "heads")}
    training.find_weights(SimpleNamespace(arms=arms, imagenet_checkpoint=None))
    assert asked == [(snapshot, "resnet_50")]


def test_a_finished_arm_has_the_joints_in_the_order_of_the_network(opened, monkeypatch):
    job, specification = job_of(opened, "baseline", monkeypatch)
    assert job.keypoints == SHUFFLED
    assert job.finished == specification["finished"] == zoo_network("zoo:full_macaque", "resnet_50").architecture
    assert len(specification["initial_weights"]) == 2


def test_heads_are_taken_over_joint_by_joint(opened, monkeypatch):
    job, specification = job_of(opened, "backbone", monkeypatch)
    assert job.keypoints == MACAQUE
    assert job.finished is None
    assert set(job.heads) == {None}
    assert "finished" not in specification
    job, _ = job_of(opened, "heads", monkeypatch)
    assert job.keypoints == MACAQUE
    assert tuple(SHUFFLED[theirs] for theirs in job.heads) == MACAQUE


def test_so_are_those_of_another_arm(opened, monkeypatch):
    parent = opened.runs_of("heads", 0)[0].folder
    write_snapshot(parent / "deeplabcut" / "dlc-models" / "iteration-0" / "model" / "train", 3)
    run = opened.runs_of("heads", 0)[0]
    specification = jobs.specification_of(*jobs.job_of(opened, run), opened, run)
    finished = {"digest": digest_of(specification), "specification": specification, "outcome": {"chosen_iteration": 3}}
    write_json(parent / "run.json", finished)
    assert job_of(opened, "heads_of_heads", monkeypatch)[0].heads == tuple(range(len(MACAQUE)))


def test_joints_that_only_the_new_network_has_start_from_random_weights(opened, monkeypatch):
    job, _ = job_of(opened, "benchmark", monkeypatch)
    assert job.keypoints == MPII_16.keypoints
    pairs = zip(job.keypoints, job.heads, strict=True)
    taken = {ours: SHUFFLED[theirs] for ours, theirs in pairs if theirs is not None}
    assert taken == {joint: joint for joint in MPII_16.keypoints if joint in MACAQUE}
    assert len(taken) == 12
