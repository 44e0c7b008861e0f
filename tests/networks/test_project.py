"""The installed DeepLabCut makes a training set of a run's project and goes on training, as its README.txt says."""

import json
import os
import pickle
import shutil
from pathlib import Path

import numpy as np
import pandas as pd
import pytest
import scipy.io
import yaml

from monkey_transfer.networks.job import FIT_ROLES, Job, JobFolder
from monkey_transfer.networks.pytorch.batches import Batches
from monkey_transfer.networks.pytorch.project import PyTorchProject


@pytest.fixture
def moved(tmp_path, monkeypatch):
    """``moved(folder)`` is a copy of a run's project, which somebody has taken elsewhere, as the present folder."""

    def move(folder: JobFolder) -> Path:
        project = Path(shutil.copytree(folder.project, tmp_path / "taken along"))
        monkeypatch.chdir(project)
        return project

    return move


def code_of(readme: Path) -> str:
    return "\n".join(line.removeprefix("    ") for line in readme.read_text().splitlines() if line.startswith("    "))


def run_code(readme: Path, quick: dict[str, str]) -> None:
    """The code of a README.txt as it stands there, but for what takes long."""
    code = code_of(readme)
    for usual, less in quick.items():
        assert code.count(usual) == 1, usual
        code = code.replace(usual, less)
    exec(compile(code, str(readme), "exec"), {})


def labels_of(project: Path) -> pd.DataFrame:
    return pd.read_hdf(next(project.glob("training-datasets/*/*/CollectedData_labels.h5")))


def split_of(project: Path, shuffle: int) -> list[set[str]]:
    """The pictures that a shuffle trains on and tests on, by the rows of the table that DeepLabCut takes them from."""
    file = next(project.glob(f"training-datasets/*/*/Documentation_data-*shuffle{shuffle}.pickle"))
    _, *parts, _ = pickle.loads(file.read_bytes())
    return [set(labels_of(project).index[part].get_level_values(2)) for part in parts]


def given_to(folder: JobFolder) -> list[set[str]]:
    _, pictures, _ = folder.read()
    return [{Path(path).name for path in pictures.loc[pictures["role"] == role, "path"]} for role in FIT_ROLES]


def goes_on(folder: JobFolder, project: Path, quick: dict[str, str]) -> None:
    """DeepLabCut does what the README.txt says and leaves the first training set as it was."""
    labels, parts = labels_of(project), given_to(folder)
    assert split_of(project, 1) == parts
    run_code(project / "README.txt", quick)
    pd.testing.assert_frame_equal(labels_of(project), labels, check_exact=True)
    assert split_of(project, 1) == parts
    assert set.union(*split_of(project, 2)) == set.union(*parts)


def test_what_the_readme_says_goes_on_training_on_pytorch(finished_pytorch, moved):
    import torch

    project = moved(finished_pytorch)
    assert yaml.safe_load((project / "config.yaml").read_text())["video_sets"].keys() == {"drawn0"}
    [before] = project.rglob("snapshot-*.pt")
    goes_on(finished_pytorch, project, {"epochs=10": "epochs=1, device='cpu', save_epochs=1"})
    assert [*project.glob("evaluation-results-pytorch/**/*-results.csv")]
    [after] = set(project.rglob("snapshot*.pt")) - {before}
    assert "shuffle2" in str(after)
    # One more epoch, at a low rate, from what was there.
    weights = [torch.load(file, weights_only=False)["model"] for file in (before, after)]
    assert weights[0].keys() == weights[1].keys()
    head = next(name for name in weights[0] if name.startswith("heads."))
    assert 0 < float((weights[0][head] - weights[1][head]).abs().max()) < 0.01


@pytest.mark.filterwarnings("ignore::pytest.PytestUnhandledThreadExceptionWarning")  # its loader, when its session ends
def test_what_the_readme_says_goes_on_training_on_tensorflow(finished, moved, monkeypatch):
    import importlib

    import tensorflow as tf
    from deeplabcut.utils import auxfun_models
    from tensorflow.python.platform import build_info

    project, chosen = moved(finished), json.loads(finished.outcome.read_text())["chosen_iteration"]
    theirs = importlib.import_module("deeplabcut.pose_estimation_tensorflow.core.train")
    monkeypatch.setattr(auxfun_models, "check_for_weights", lambda *_: "fetched")
    monkeypatch.setattr(theirs, "setup_logging", lambda: None)  # it reloads ``logging`` under pytest's feet
    monkeypatch.setitem(build_info.build_info, "is_cuda_build", True)
    tf.compat.v1.reset_default_graph()
    goes_on(finished, project, {"max_iters=1000": "max_iters=2"})
    os.chdir(project)
    results = pd.read_csv(next(project.glob("evaluation-results/**/CombinedEvaluation-results.csv")))
    assert results["Training iterations:"].tolist() == [chosen]
    assert [file.stem for file in project.glob("dlc-models/*/*shuffle2/train/*.index")] == [f"snapshot-{chosen + 2}"]


@pytest.fixture
def everybody(write_job, tmp_path) -> JobFolder:
    """A job that learns the pictures on which it is validated as well; they lie in two folders."""
    folder = write_job(tmp_path / "job", engine="pytorch")
    job, pictures, joints = folder.read()
    fit = pictures[pictures["role"].isin(FIT_ROLES)].copy()
    for place, (row, path) in enumerate(fit["path"].items()):
        of = tmp_path / ("second", "first")[place % 2]
        of.mkdir(exist_ok=True)
        fit.loc[row, "path"] = shutil.copy(path, of)
    folder.write(job, pd.concat([fit.assign(role="train"), fit[fit["role"] == "validation"]]), joints)
    return folder


def test_a_picture_that_is_learnt_and_validated_on_is_a_test_picture_for_deeplabcut_alone(everybody):
    _, pictures, joints = everybody.read()
    project = PyTorchProject.opened(everybody)
    validation = pictures.loc[pictures["role"] == "validation", "image_id"]
    assert [{name.removesuffix(".png") for name in part} for part in split_of(project.folder, 1)] == [
        set(pictures["image_id"]) - set(validation),
        set(validation),
    ]
    assert project.fraction == 0.67
    records = scipy.io.loadmat(next(project.folder.rglob("*.mat")))["dataset"][0]
    assert [str(record["image"][0, -1].strip()) for record in records] == [f"{i}.png" for i in _learnt(pictures)]
    drawn = Batches(*everybody.read()).paths
    assert [Path(path).stem for path in drawn] == _learnt(pictures)


def _learnt(pictures: pd.DataFrame) -> list[str]:
    return pictures.loc[pictures["role"] == "train", "image_id"].tolist()


def test_labels_lie_beside_the_pictures_of_each_folder(everybody):
    from deeplabcut.generate_training_dataset.trainingsetmanipulation import merge_annotateddatasets

    _, pictures, joints = everybody.read()
    project = PyTorchProject.opened(everybody)
    own = labels_of(project.folder)
    theirs = merge_annotateddatasets(project.settings, everybody.path)
    pd.testing.assert_frame_equal(theirs, own, check_exact=True)
    assert own.index.get_level_values(1).unique().tolist() == ["first", "second"]
    found = own.stack(["scorer", "bodyparts"], future_stack=True).dropna().reset_index(level=["bodyparts"])
    found["image_id"] = [name.removesuffix(".png") for name in found.index.get_level_values(2)]
    asked = joints[joints["image_id"].isin(pictures["image_id"])]
    both = asked.merge(found, left_on=["image_id", "keypoint"], right_on=["image_id", "bodyparts"])
    assert len(both) == len(asked) == len(found)
    np.testing.assert_array_equal(both[["x_x", "y_x"]], both[["x_y", "y_y"]])


def test_no_file_but_yaml_leads_to_where_the_project_lies(everybody):
    """Or it would lead astray once a run is put in its place, or somebody takes the project along."""
    project = PyTorchProject.opened(everybody).folder
    for file in project.rglob("*"):
        if file.is_file() and file.suffix not in (".yaml", ".png"):
            assert str(project).encode() not in file.read_bytes(), file


def test_the_readme_begins_with_what_the_study_has_to_say(everybody):
    job, pictures, joints = everybody.read()
    said = "This network sees crops.\n\n    make predict PROFILE=film VIDEO=" + "long" * 40
    everybody.write(Job.model_validate({**job.model_dump(), "note": said}), pictures, joints)
    readme = (PyTorchProject.opened(everybody).folder / "README.txt").read_text()
    assert readme.startswith(f"{said}\n\nlabeled-data holds ")
