"""Where ImageNet weights are: named in a profile or by the machine, packaged or fetched; whole, or in a sentence."""

from dataclasses import replace
from importlib.metadata import PackageNotFoundError
from types import SimpleNamespace

import pytest
from bad_input import refused

from monkey_transfer.acquire import download
from monkey_transfer.acquire.archives import ARCHIVES
from monkey_transfer.networks.engines import ENGINES
from monkey_transfer.networks.pytorch import weights as pytorch
from monkey_transfer.networks.pytorch.settings import BACKBONES, PyTorchTraining
from monkey_transfer.networks.tensorflow.settings import TensorFlowTraining
from monkey_transfer.networks.tensorflow.weights import IMAGENET_VARIABLE, checkpoint_files, imagenet_checkpoint

INDEX, DATA = "net.ckpt.index", "net.ckpt.data-00000-of-00001"


@pytest.fixture
def folder(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv("MONKEY_TRANSFER_DATA", str(tmp_path))
    monkeypatch.delenv(IMAGENET_VARIABLE, raising=False)
    return tmp_path


def naming(checkpoint: str | None) -> TensorFlowTraining:
    return TensorFlowTraining(net_type="mobilenet_v2_0.35", imagenet=checkpoint)


def write(folder, *names: str) -> None:
    for name in names:
        (folder / name).write_bytes(b"some")


@pytest.mark.parametrize("named", ["net.ckpt", INDEX, DATA, "net.ckpt.meta"])
def test_people_name_a_checkpoint_by_its_prefix_or_by_any_of_its_files(folder, named):
    write(folder, INDEX, DATA, "net.ckpt.meta")
    for written in (str(folder / named), f"~/{named}", named):
        assert imagenet_checkpoint(naming(written)) == str(folder / "net.ckpt")


def test_the_variable_names_one_unless_it_is_empty(folder, monkeypatch):
    write(folder, INDEX, DATA)
    tensorflow = ENGINES["tensorflow"]
    monkeypatch.setenv(IMAGENET_VARIABLE, "")
    assert tensorflow.archive("imagenet", naming(None)) == "imagenet:mobilenet_v2_0.35"
    monkeypatch.setenv(IMAGENET_VARIABLE, str(folder / INDEX))
    assert tensorflow.archive("imagenet", naming(None)) is None
    assert tensorflow.imagenet(naming(None)) == str(folder / "net.ckpt")
    write(folder, "mine.index", "mine.data-00000-of-00001")
    assert tensorflow.imagenet(naming("mine")) == str(folder / "mine"), "the profile comes first"


@pytest.mark.parametrize(
    "what, files",
    [
        ("the list of variables is there, its values are not", [INDEX]),
        ("the values are there, their list is not", [DATA]),
        ("one of two files of values is missing", [INDEX, "net.ckpt.data-00000-of-00002"]),
        ("nothing of that name is there", ["net.ckpt2.index", "net.ckpt2.data-00000-of-00001"]),
        ("its values are half fetched", [INDEX, f"{DATA}.part"]),
        ("the list was written and not yet renamed", [f"{INDEX}.tempstate1", DATA]),
    ],
)
def test_what_is_not_whole_is_told_before_anything_is_read(folder, what, files):
    write(folder, *files)
    with refused("weights", what, match="expected the files net.ckpt.index and net.ckpt.data-00000-of-00001"):
        imagenet_checkpoint(naming("net.ckpt"))


def test_a_folder_is_no_checkpoint(folder):
    (folder / "weights").mkdir()
    with refused("weights", "a folder is named", match="is not there"):
        imagenet_checkpoint(naming("weights"))


def test_what_may_not_be_looked_at_is_no_checkpoint(folder):
    with refused("weights", "a name that is too long", match="is not there: .* whole and readable"):
        imagenet_checkpoint(naming("x" * 300))


def test_an_old_checkpoint_is_one_file_and_brackets_are_letters(folder):
    write(folder, "old.ckpt", "a[1].ckpt.index", "a[1].ckpt.data-00000-of-00001")
    assert checkpoint_files(str(folder / "old.ckpt")) == [folder / "old.ckpt"]
    assert len(checkpoint_files(str(folder / "a[1].ckpt"))) == 2


# --- PyTorch


def on_pytorch(net_type: str, imagenet: str | None = None) -> PyTorchTraining:
    return PyTorchTraining(net_type=net_type, imagenet=imagenet)


def test_a_file_of_the_data_folder_comes_before_all_others(folder):
    write(folder, "mine.pth")
    for net_type in BACKBONES:
        assert pytorch.imagenet_weights(on_pytorch(net_type, "mine.pth")) == str(folder / "mine.pth")
        assert pytorch.imagenet_archive(on_pytorch(net_type, "mine.pth")) is None
    assert ENGINES["pytorch"].weight_files(str(folder / "mine.pth")) == [folder / "mine.pth"]
    with refused("weights", "a file that is not there", match="gone.pth: is not there, expected a file"):
        pytorch.imagenet_weights(on_pytorch(pytorch.LITE0, "gone.pth"))
    assert (
        ENGINES["pytorch"].weight_files(str(folder / ("x" * 300))) == ENGINES["pytorch"].weight_files(str(folder)) == []
    )


def test_the_package_is_the_one_that_was_tried(folder, monkeypatch):
    def installed(version: str) -> SimpleNamespace:
        return SimpleNamespace(version=version, locate_file=lambda name: folder / name.rpartition("/")[2])

    monkeypatch.setattr(pytorch, "distribution", lambda name: installed("0.2.0"))
    with refused("weights", "a package of another version", match="as in version 0.1.0 .* installed is 0.2.0"):
        pytorch.imagenet_weights(on_pytorch(pytorch.LITE0))
    write(folder, "efficientnet-lite0-57934424.pth")
    monkeypatch.setattr(pytorch, "distribution", lambda name: installed("0.1.0"))
    with refused("weights", "a package whose file was changed", match="installed is 0.1.0.: install that version anew"):
        pytorch.imagenet_weights(on_pytorch(pytorch.LITE0))

    def missing(name: str):
        raise PackageNotFoundError(name)

    monkeypatch.setattr(pytorch, "distribution", missing)
    with refused("weights", "a package that is not installed", match="not installed, expected version 0.1.0"):
        pytorch.imagenet_weights(on_pytorch(pytorch.LITE0))


def test_the_weights_of_other_backbones_are_fetched_or_put_there_by_hand(folder, monkeypatch):
    monkeypatch.setattr(download, "PAUSE", 0)
    name = "imagenet:resnet50_gn.a1h_in1k"
    monkeypatch.setitem(ARCHIVES, name, replace(ARCHIVES[name], address="http://127.0.0.1:9/gone"))
    with refused("weights", "nobody serves them", match="put it at .*gn.a1h_in1k.safetensors; or name another file in"):
        pytorch.imagenet_weights(on_pytorch("resnet_50_gn"))
    write(folder / "archives", "resnet50_gn.a1h_in1k.safetensors")
    found = folder / "imagenet" / "resnet50_gn.a1h_in1k.safetensors"
    assert pytorch.imagenet_weights(on_pytorch("resnet_50_gn")) == str(found)
    assert found.read_bytes() == b"some"


def test_a_backbone_without_published_weights_is_told(folder):
    with refused(
        "weights", "a backbone of which nobody published any", match="timm has no ImageNet .* mobilenetv2_035"
    ):
        pytorch.imagenet_weights(on_pytorch("mobilenetv2_035"))
