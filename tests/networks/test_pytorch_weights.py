"""ImageNet weights of PyTorch's backbones: what they recognise, from which files they are read, and what is refused."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import timm
import torch
from bad_input import refused
from safetensors.torch import save_file
from skimage import data
from skimage.transform import resize
from timm.data import ImageNetInfo
from timm.models import get_pretrained_cfg

from monkey_transfer.acquire.archives import ARCHIVES
from monkey_transfer.networks.job import Job
from monkey_transfer.networks.pytorch.initialisation import restore
from monkey_transfer.networks.pytorch.model import build
from monkey_transfer.networks.pytorch.settings import BACKBONES, PyTorchTraining
from monkey_transfer.networks.pytorch.weights import (
    LITE0,
    imagenet_archive,
    imagenet_weights,
    in_timms_names,
    read_backbone,
)


@pytest.fixture(scope="module")
def resnet() -> timm.models.ResNet:
    """ResNet-18 with its classifier, at random weights and statistics."""
    torch.manual_seed(0)
    network = timm.create_model("resnet18").eval()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 2)
    return network


def test_the_packaged_weights_see_coffee_in_a_picture_of_coffee():
    """By the backbone as it is handed out, and the normalisation that goes with it; the classifier is the file's."""
    file = imagenet_weights(PyTorchTraining())
    whole = in_timms_names(torch.load(file, weights_only=True))
    assert len(whole) == 296
    network = timm.create_model(LITE0).eval()
    network.load_state_dict(whole | read_backbone(file, LITE0))
    picture = resize(data.coffee()[:, 100:500], (224, 224), order=1, anti_aliasing=True)  # 0 to 1
    mean, sd = BACKBONES[LITE0].mean, BACKBONES[LITE0].sd
    pixels = torch.from_numpy(((picture - mean) / sd).astype(np.float32)).permute(2, 0, 1)[None]
    with torch.no_grad():
        sure = network(pixels).softmax(dim=1)[0]
    assert ImageNetInfo().index_to_description(int(sure.argmax())) == "espresso"
    assert sure.max() > 0.9


def test_a_training_starts_from_them():
    job = Job(
        name="a-test",
        keypoints=("right", "left"),
        pairs=(("right", "left"),),
        training=PyTorchTraining(),
        checkpoint=imagenet_weights(PyTorchTraining()),
        heads=(None, None),
        seed=0,
    )
    network = build(job, torch.device("cpu"))
    restored = restore(network, job)
    assert restored.backbone == restored.backbone_total == 288
    assert (restored.heads, restored.joints) == (0, 0)
    theirs = torch.load(restored.checkpoint, weights_only=True)["_conv_stem.weight"]
    assert torch.equal(network.state_dict()["backbone.model.conv_stem.weight"], theirs)


@pytest.mark.parametrize("net_type", BACKBONES)
def test_a_backbones_tensors_are_those_of_its_classifier(net_type):
    with torch.device("meta"):
        whole, backbone = (timm.create_model(BACKBONES[net_type].timm, features_only=part) for part in (False, True))
    shapes = {name: value.shape for name, value in whole.state_dict().items()}
    assert {name: value.shape for name, value in backbone.state_dict().items()}.items() <= shapes.items()


def halves(state):
    """As files of old versions have them: without counts of batches."""
    return {name: value.half() for name, value in state.items() if not name.endswith("num_batches_tracked")}


@pytest.mark.parametrize(
    "name, save",
    [
        ("weights.pth", torch.save),
        ("weights.safetensors", save_file),
        ("checkpoint.pt", lambda state, file: torch.save({"epoch": 3, "state_dict": state}, file)),
        ("checkpoint.bin", lambda state, file: torch.save({"model": state, "args": None}, file)),
        ("halves.pth", lambda state, file: torch.save(halves(state), file)),
    ],
)
def test_a_file_of_timms_names_becomes_the_backbone(tmp_path, resnet, name, save):
    save(resnet.state_dict(), tmp_path / name)
    backbone = timm.create_model("resnet18", features_only=True).eval()
    state = read_backbone(str(tmp_path / name), "resnet_18")
    backbone.load_state_dict(state)
    assert {value.dtype for value in state.values()} == {torch.float32, torch.int64}
    pixels = torch.rand(1, 3, 64, 64)
    close = {"rtol": 0.01, "atol": 0.01} if name == "halves.pth" else {}
    with torch.no_grad():
        torch.testing.assert_close(backbone(pixels)[-1], resnet.forward_features(pixels), **close)


class Runs:
    def __reduce__(self):
        return Path.touch, (Path("it-ran"),)


@pytest.mark.parametrize(
    "what, content",
    [("a list for a state dict", [1, 2]), ("a dictionary without tensors", {"state_dict": {"epoch": 3}})],
)
def test_what_is_no_state_dict_is_refused(tmp_path, what, content):
    torch.save(content, tmp_path / "weights.pth")
    with refused("weights", what, match="weights.pth are no state dict, expected tensors by their names"):
        read_backbone(str(tmp_path / "weights.pth"), "resnet_18")


def deeper(state):
    return state | {"layer1.0.conv1.weight": torch.zeros(64, 64, 1, 1)}


def around(state):
    return {f"backbone.{name}": value for name, value in state.items()}


def broken(state):
    return state | {"layer1.0.bn1.weight": torch.full((64,), torch.nan)}


@pytest.mark.parametrize(
    "what, changed, told",
    [
        ("weights of a deeper backbone", deeper, r"'layer1.0.conv1.weight' in shape \[64, 64, 1, 1\], expected shape"),
        ("a network around the backbone", around, "'conv1.weight' not at all .but 'backbone.conv1.weight'.* resnet_18"),
        ("weights that are no numbers", broken, "no finite number in 'layer1.0.bn1.weight'"),
    ],
)
def test_what_differs_first_is_told(tmp_path, resnet, what, changed, told):
    torch.save(changed(resnet.state_dict()), tmp_path / "weights.pth")
    with refused("weights", what, match=f"weights.pth hold .*{told}.*: name another file"):
        read_backbone(str(tmp_path / "weights.pth"), "resnet_18")


def test_the_package_is_of_one_backbone_alone():
    with refused("weights", "weights of another backbone", match="'conv1.weight' not at all .but '_conv_stem.weight'"):
        read_backbone(imagenet_weights(PyTorchTraining()), "resnet_18")


@pytest.mark.parametrize("what, save", [("a cut .pth", torch.save), ("a cut .safetensors", save_file)])
def test_a_cut_file_is_refused(tmp_path, resnet, what, save):
    file = tmp_path / what.replace("a cut ", "cut")
    save(resnet.state_dict(), file)
    whole = file.read_bytes()
    for size in (0, 5, len(whole) // 2, len(whole) - 1):
        file.write_bytes(whole[:size])
        with refused("weights", what, match="cannot be read .*, expected a whole file"):
            read_backbone(str(file), "resnet_18")


def test_what_would_run_code_is_not_read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("code.pth").write_bytes(pickle.dumps({"conv1.weight": Runs()}, protocol=2))
    with refused("weights", "a pickle that runs code", match="tensors and nothing to run"):
        read_backbone("code.pth", "resnet_18")
    assert not Path("it-ran").exists()


def test_weights_come_from_where_timm_fetches_them_and_see_pictures_as_they_were_trained():
    without = set()
    for net_type, backbone in BACKBONES.items():
        archive = imagenet_archive(PyTorchTraining(net_type=net_type))
        published = get_pretrained_cfg(archive.removeprefix("imagenet:") if archive else backbone.timm)
        assert (published.mean, published.std) == (backbone.mean, backbone.sd)
        if archive is None:
            without.add(net_type)
            continue
        assert (
            ARCHIVES[archive].address == f"https://huggingface.co/{published.hf_hub_id}/resolve/main/model.safetensors"
        )
    assert without == {LITE0, "mobilenetv2_035"}
    assert not timm.list_pretrained("mobilenetv2_035*"), "timm has weights now, which a profile could be given"
