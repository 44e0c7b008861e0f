"""Finished networks of others: how a profile names them, what they bring, and where their files are looked for."""

import copy
from dataclasses import replace

import pytest
from bad_input import refused
from test_profiles import VALID, write  # noqa: F401

from monkey_transfer.acquire.archives import ARCHIVES
from monkey_transfer.files import sha256_of
from monkey_transfer.networks.engines import ENGINES, AnyTraining, engine_of
from monkey_transfer.networks.tflite.networks import LAYOUTS, TFLiteTraining
from monkey_transfer.profiles.framing import PersonCrop
from monkey_transfer.profiles.loading import load_profile
from monkey_transfer.settings import Settings
from monkey_transfer.study import runs
from monkey_transfer.study.needs import needed_by

NAME = "efficientpose_ii_lite"
FINISHED = {"learns": "nothing", "init": f"zoo:{NAME}"}
LANDMARKS = ENGINES["tflite"].published["zoo:blazepose_full"].skeleton


def with_arm(**arm) -> dict:
    settings = copy.deepcopy(VALID)
    settings["arms"]["finished"] = FINISHED | arm
    return settings


@pytest.fixture
def load(write, tmp_path):  # noqa: F811
    def load(settings: dict):
        write("study", settings)
        return load_profile("study", tmp_path)

    return load


def test_a_finished_network_brings_its_engine_and_its_crop(load):
    profile = load(with_arm())
    training = profile.arm("finished").training
    assert (engine_of(training).name, training.net_type) == ("tflite", NAME)
    assert profile.framing("finished") == PersonCrop(framing="person", size=368, person=294)
    assert profile.framing("transfer") == profile.picture
    assert profile.arm("transfer").training.iterations == 100
    assert needed_by(profile)[-1] == f"zoo:{NAME}"
    [run] = [run for run in runs.runs_of(profile) if run.arm == "finished"]
    assert runs.settings(profile, run)["arm"]["training"] == {"engine": "tflite", "net_type": NAME}


def test_its_own_crop_comes_first(load):
    own = {"framing": "person", "size": 200, "person": 100}
    assert load(with_arm(picture=own)).framing("finished") == PersonCrop(**own)


def test_a_shared_training_on_another_engine_is_not_that_of_an_arm(load):
    """Else every key of the one engine would have to be taken off again by an arm of the other."""
    settings = copy.deepcopy(VALID)
    own = {"engine": "pytorch", "net_type": "resnet_18", "iterations": 7}
    settings["arms"]["other"] = {"learns": "target", "images": 20, "init": "scratch", "training": own}
    profile = load(settings)
    assert (profile.arm("other").training.engine, profile.arm("other").training.iterations) == ("pytorch", 7)
    settings["training"], settings["arms"]["other"]["training"] = own, {**VALID["training"], "engine": "tensorflow"}
    profile = load(settings)
    assert profile.arm("other").training.iterations == 100
    assert {profile.arm(name).training.engine for name in VALID["arms"]} == {"pytorch"}


@pytest.mark.parametrize(
    "what, arm, said",
    [
        (
            "a finished network that is to be trained for so long",
            {"training": {"engine": "tflite", "net_type": NAME, "iterations": 5, "batch_size": 2}},
            "'arms.finished.training.*used as it is and trains nothing.*remove iterations, batch_size",
        ),
        ("a finished network with a key of no engine", {"training": {"speed": 5}}, "speed' is unknown; remove it"),
        (
            "an arm that trains on an engine that trains nothing",
            {"learns": "target", "images": 5, "training": {"engine": "tflite", "net_type": NAME}},
            "learns: engine tflite trains no network; expected 'nothing'",
        ),
        (
            "a start from a network of another engine",
            {"learns": "target", "images": 5},
            f"engine tensorflow has no network 'zoo:{NAME}'; .* or training.engine tflite, which has it",
        ),
        (
            "a finished network of another name",
            {"training": {"net_type": "blazepose_full"}},
            f"net_type: expected {NAME}",
        ),
    ],
)
def test_what_cannot_be_said_of_a_finished_network(load, what, arm, said):
    with refused("profile", what, match=said):
        load(with_arm(**arm))


def test_an_arm_cannot_start_from_an_arm_of_another_engine(load):
    settings = with_arm()
    settings["arms"]["transfer"]["init"] = "arm:finished"
    with refused(
        "profile", "a start from an arm of another engine", match=rf"is a {NAME} \(tflite\), expected the mob"
    ):
        load(settings)


def test_an_init_is_that_of_one_network():
    inits = [init for engine in ENGINES.values() for init in engine.published]
    assert len(set(inits)) == len(inits)


@pytest.mark.parametrize("name", LAYOUTS)
def test_each_has_its_archive_and_the_joints_of_its_skeleton(name):
    network, layout = ENGINES["tflite"].published[f"zoo:{name}"], LAYOUTS[name]
    assert network.net_types == (name,)
    assert sorted(layout.keypoints) == sorted(network.skeleton.keypoints)
    assert network.crop[0] == layout.side
    archive = ARCHIVES[ENGINES["tflite"].archive(f"zoo:{name}", TFLiteTraining(net_type=name))]
    assert archive.file == archive.inside
    assert archive.sha256
    assert archive.licence == "Apache 2.0"
    assert archive.place.startswith(f"zoo/{name}/")


def test_landmarks_are_in_the_order_of_their_documentation():
    found = LANDMARKS.keypoints
    assert [found[i] for i in (0, 7, 8, 11, 16, 23, 28, 32)] == [
        *("nose", "left_ear", "right_ear", "left_shoulder", "right_wrist", "left_hip", "right_ankle"),
        "right_foot_index",
    ]


@pytest.fixture
def file(tmp_path, monkeypatch):
    """Where a network's file is looked for, with one of eight bytes in it."""
    monkeypatch.setenv("MONKEY_TRANSFER_DATA", str(tmp_path))
    file = tmp_path / ARCHIVES[f"zoo:{NAME}"].place
    file.parent.mkdir(parents=True)
    file.write_bytes(b"network.")
    return file


def test_a_file_that_is_not_the_published_one_is_refused(file):
    with refused("weights", "another file than was published", match="sha256 is 6.*, expected e0d2.*: move it away to"):
        ENGINES["tflite"].published_files(f"zoo:{NAME}", NAME)


def test_a_file_put_there_by_hand_is_used(file, monkeypatch):
    known = replace(ARCHIVES[f"zoo:{NAME}"], sha256=sha256_of(file))
    monkeypatch.setitem(ARCHIVES, f"zoo:{NAME}", known)
    found = ENGINES["tflite"].published_files(f"zoo:{NAME}", NAME)
    assert found.weights == str(file)
    assert found.keypoints[:2] == ("head_top", "upper_neck")
    assert ENGINES["tflite"].weight_files(found.weights) == [file]


def test_settings_survive_a_job(load):
    class Holder(Settings):
        training: AnyTraining

    training = load(with_arm()).arm("finished").training
    assert Holder.model_validate_json(Holder(training=training).model_dump_json()).training == training
