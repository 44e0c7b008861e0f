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
from monkey_transfer.networks.engine import Training
from monkey_transfer.networks.pytorch.weights import (
    LITE0,
    TIMM,
    imagenet_archive,
    imagenet_weights,
    in_timms_names,
    normalisation,
    read_backbone,
)


def training(net_type: str, imagenet: str | None = None) -> Training:
    return Training(
        engine="pytorch", net_type=net_type, iterations=1, batch_size=1, optimizer="adamw", imagenet=imagenet
    )


def classifier(net_type: str) -> torch.nn.Module:
    """The network with its classifier, at random weights and statistics."""
    torch.manual_seed(0)
    network = timm.create_model(TIMM[net_type]).eval()
    for module in network.modules():
        if isinstance(module, torch.nn.BatchNorm2d):
            module.running_mean.normal_(0, 0.1)
            module.running_var.uniform_(0.5, 2)
    return network


@pytest.fixture(scope="module")
def resnet() -> dict[str, torch.Tensor]:
    return classifier("resnet_18").state_dict()


def test_the_packaged_weights_see_coffee_in_a_picture_of_coffee():
    """By the backbone as it is handed out, and the normalisation that goes with it; the classifier is the file's."""
    file = imagenet_weights(training(LITE0))
    whole = in_timms_names(torch.load(file, weights_only=True))
    assert len(whole) == 296
    network = timm.create_model(LITE0).eval()
    network.load_state_dict(whole | read_backbone(file, LITE0))
    picture = resize(data.coffee()[:, 100:500], (224, 224), order=1, anti_aliasing=True)  # 0 to 1
    mean, sd = normalisation(LITE0)
    pixels = torch.from_numpy(((picture - mean) / sd).astype(np.float32)).permute(2, 0, 1)[None]
    with torch.no_grad():
        sure = network(pixels).softmax(dim=1)[0]
    assert ImageNetInfo().index_to_description(int(sure.argmax())) == "espresso"
    assert sure.max() > 0.9


@pytest.mark.parametrize(
    "net_type, ending, below",
    [
        ("resnet_18", "pth", None),
        ("resnet_50", "pt", "state_dict"),
        ("resnet_50_gn", "safetensors", None),
        ("mobilenetv2_035", "pth", "model"),
        ("hrnet_w32", "safetensors", None),
    ],
)
def test_a_file_of_timms_names_becomes_the_backbone(tmp_path, net_type, ending, below):
    network = classifier(net_type)
    state, file = network.state_dict(), str(tmp_path / f"weights.{ending}")
    if ending == "safetensors":
        save_file(state, file)
    else:
        torch.save({below: state, "epoch": 3} if below else state, file)
    backbone = timm.create_model(TIMM[net_type], features_only=True).eval()
    backbone.load_state_dict(read_backbone(file, net_type))
    assert all(torch.equal(value, state[name]) for name, value in backbone.state_dict().items())
    if net_type.startswith("resnet"):  # where timm has the last map of a whole network ready
        pixels = torch.rand(1, 3, 64, 64)
        with torch.no_grad():
            torch.testing.assert_close(backbone(pixels)[-1], network.forward_features(pixels))


def test_counts_of_batches_may_be_missing_and_halves_become_floats(tmp_path, resnet):
    old = {name: value.half() for name, value in resnet.items() if not name.endswith("num_batches_tracked")}
    torch.save(old, tmp_path / "old.pth")
    backbone = read_backbone(str(tmp_path / "old.pth"), "resnet_18")
    timm.create_model(TIMM["resnet_18"], features_only=True).load_state_dict(backbone)
    assert {value.dtype for value in backbone.values()} == {torch.float32, torch.int64}


class Runs:
    def __reduce__(self):
        return Path.touch, (Path("it-ran"),)


def with_nan(resnet):
    return resnet | {"layer1.0.bn1.weight": torch.full((64,), float("nan"))}


@pytest.mark.parametrize(
    "what, content, told",
    [
        ("a list for a state dict", [1, 2], "holds no state dict, expected tensors by their names"),
        ("a dictionary without tensors", {"state_dict": {"epoch": 3}}, "holds no state dict, expected tensors"),
        ("weights that are no numbers", with_nan, "'layer1.0.bn1.weight' is not of finite numbers"),
        (
            "weights of another backbone",
            lambda _: classifier("mobilenetv2_035").state_dict(),
            "holds 'conv1.weight' not at all .but 'conv_stem.weight'., .* not of resnet_18",
        ),
        (
            "weights of a deeper backbone",
            lambda _: classifier("resnet_50").state_dict(),
            r"holds 'layer1.0.conv1.weight' in shape \[64, 64, 1, 1\], expected shape \[64, 64, 3, 3\]",
        ),
        (
            "a network around the backbone",
            lambda resnet: {f"backbone.{name}": value for name, value in resnet.items()},
            "holds 'conv1.weight' not at all .but 'backbone.conv1.weight'",
        ),
    ],
)
def test_what_is_no_backbone_of_that_name_is_refused(tmp_path, resnet, what, content, told):
    torch.save(content(resnet) if callable(content) else content, tmp_path / "weights.pth")
    with refused("weights", what, match=f"weights.pth: .*{told}.* training.imagenet"):
        read_backbone(str(tmp_path / "weights.pth"), "resnet_18")


@pytest.mark.parametrize("ending", ["pth", "safetensors"])
def test_a_cut_file_is_refused(tmp_path, resnet, ending):
    file = tmp_path / f"cut.{ending}"
    save_file(resnet, file) if ending == "safetensors" else torch.save(resnet, file)
    whole = file.read_bytes()
    for size in (0, 5, len(whole) // 2, len(whole) - 1):
        file.write_bytes(whole[:size])
        with refused("weights", f"a cut .{ending}", match="cannot be read .*, expected a whole file"):
            read_backbone(str(file), "resnet_18")


def test_what_would_run_code_is_not_read(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    Path("code.pth").write_bytes(pickle.dumps({"conv1.weight": Runs()}, protocol=2))
    with refused("weights", "a pickle that runs code", match="tensors and nothing to run"):
        read_backbone("code.pth", "resnet_18")
    assert not Path("it-ran").exists()


def test_weights_come_from_where_timm_fetches_them():
    archives = {net_type: imagenet_archive(training(net_type)) for net_type in TIMM}
    for net_type in ("resnet_18", "resnet_50", "resnet_50_gn", "hrnet_w32"):
        hub = get_pretrained_cfg(TIMM[net_type]).hf_hub_id
        assert ARCHIVES[archives[net_type]].address == f"https://huggingface.co/{hub}/resolve/main/model.safetensors"
    assert {net_type for net_type, archive in archives.items() if archive is None} == {LITE0, "mobilenetv2_035"}
    assert not timm.list_pretrained("mobilenetv2_035*"), "timm has weights now, which a profile could be given"


def test_every_network_sees_pictures_as_its_imagenet_training_did():
    usual = ((0.485, 0.456, 0.406), (0.229, 0.224, 0.225))
    assert {net_type: normalisation(net_type) for net_type in TIMM} == dict.fromkeys(TIMM, usual) | {
        LITE0: ((0.5, 0.5, 0.5), (0.5, 0.5, 0.5))
    }
