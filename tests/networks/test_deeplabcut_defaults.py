"""The defaults of our profiles are those of the installed DeepLabCut, whose files are read, not imported."""

import ast
import runpy
from importlib.metadata import distribution
from pathlib import Path

import pytest
import yaml

from monkey_transfer.networks.tensorflow.settings import Augmentation, TensorFlowTraining
from monkey_transfer.tell import departures

PACKAGE = Path(str(distribution("deeplabcut").locate_file("deeplabcut")))
ENGINE = PACKAGE / "pose_estimation_tensorflow"


def settings_file() -> dict:
    """``default_config.py`` with ``pose_cfg.yaml`` over it, as DeepLabCut's ``load_config`` merges them."""
    return {
        **runpy.run_path(str(ENGINE / "default_config.py"))["cfg"],
        **yaml.safe_load((PACKAGE / "pose_cfg.yaml").read_text(encoding="utf-8")),
    }


def loader_defaults() -> dict:
    """Constants that the loader falls back on: ``cfg.get(key, constant)``, and its ``crop_by``."""
    tree = ast.parse((ENGINE / "datasets" / "pose_imgaug.py").read_text(encoding="utf-8"))
    found = {}
    for node in ast.walk(tree):
        match node:
            case ast.Call(
                func=ast.Attribute(value=ast.Name(id="cfg"), attr="get"),
                args=[ast.Constant(value=key), ast.Constant(value=default)],
            ):
                found.setdefault(key, default)
            case ast.Assign(targets=[ast.Name(id="crop_by")], value=ast.Constant(value=default)):
                found["crop_by"] = default
    return found


def deeplabcut_default(key: str) -> object:
    settings = settings_file()
    if key == "iterations":
        return settings["multi_step"][-1][1]  # train: maxiters None
    return settings[key] if key in settings else loader_defaults()[key]


@pytest.mark.parametrize(
    "key", [key for key in TensorFlowTraining.model_fields if key not in {"augmentation", *departures.OUR_OWN}]
)
def test_training_defaults(key):
    ours = TensorFlowTraining().model_dump(mode="json")[key]
    assert ours == deeplabcut_default(key)


@pytest.mark.parametrize("key", Augmentation.model_fields)
def test_augmentation_defaults(key):
    assert Augmentation().model_dump()[key] == deeplabcut_default(key)


@pytest.mark.parametrize("key", sorted(departures.OUR_OWN))
def test_deeplabcut_has_no_such_setting(key):
    assert key in TensorFlowTraining.model_fields
    assert key not in {**settings_file(), **loader_defaults()}


def test_a_training_starts_with_all_restored_and_nothing_frozen():
    tree = ast.parse((ENGINE / "core" / "train.py").read_text(encoding="utf-8"))
    train = next(node for node in tree.body if isinstance(node, ast.FunctionDef) and node.name == "train")
    defaults = dict(
        zip([a.arg for a in train.args.args][-len(train.args.defaults) :], train.args.defaults, strict=True)
    )
    assert ast.literal_eval(defaults["keepdeconvweights"]) is True
    assert departures.DEFAULT_START["restore"] == "all"
    assert 'cfg.get("freezeencoder", False)' in ast.unparse(train).replace("'", '"')
    assert departures.DEFAULT_START["frozen"] == 0


def test_the_sources_of_what_changed_between_releases_are_there():
    assert distribution("deeplabcut").version in departures.between_releases().columns
    files = {file for source in departures.between_releases()["source"] for file in source.split("; ")}
    places = [PACKAGE, PACKAGE.parent, PACKAGE.parent / f"deeplabcut-{distribution('deeplabcut').version}.dist-info"]
    missing = {file for file in files if not any((place / file).exists() for place in places)}
    assert missing == set()
