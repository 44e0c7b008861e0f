"""ImageNet weights that are named: by their prefix or by one of their files, whole or in a sentence."""

import pytest
from bad_input import refused

from monkey_transfer.networks.engines import ENGINES
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
