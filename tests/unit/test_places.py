"""Folders that the environment names, and what libraries would take for something else."""

import re
from pathlib import Path

import pytest
from bad_input import refused

from monkey_transfer import places
from monkey_transfer.errors import StudyError
from monkey_transfer.networks.tensorflow.settings import TensorFlowTraining
from monkey_transfer.networks.tensorflow.weights import IMAGENET_VARIABLE, imagenet_checkpoint, named_checkpoint
from monkey_transfer.places import ROOT, data_folder, plain_path, reports_folder, runs_folder
from monkey_transfer.tell.reports import report_folder

FOLDERS = {
    "MONKEY_TRANSFER_DATA": (data_folder, "data"),
    "MONKEY_TRANSFER_RUNS": (runs_folder, "runs"),
    "MONKEY_TRANSFER_REPORTS": (reports_folder, "reports"),
}
every_folder = pytest.mark.parametrize("variable, read, usual", [(name, *of) for name, of in FOLDERS.items()])


@every_folder
def test_a_variable_that_is_empty_names_nothing(monkeypatch, variable, read, usual):
    for named in ("", " "):
        monkeypatch.setenv(variable, named)
        assert read() == ROOT / usual
    monkeypatch.delenv(variable)
    assert read() == ROOT / usual


@every_folder
def test_a_folder_is_named_in_full_from_here_or_from_home(tmp_path, monkeypatch, variable, read, usual):
    (tmp_path / "some where").mkdir()
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    for named in (str(tmp_path / "some where"), "~/some where", "some where", "./some where/"):
        monkeypatch.setenv(variable, named)
        assert read() == tmp_path / "some where"


def test_folders_that_are_made_need_not_be_there(tmp_path, monkeypatch):
    monkeypatch.setenv("MONKEY_TRANSFER_RUNS", str(tmp_path / "new" / "runs"))
    monkeypatch.setenv("MONKEY_TRANSFER_REPORTS", str(tmp_path / "new" / "reports"))
    assert runs_folder() == tmp_path / "new" / "runs"
    assert report_folder("demo") == tmp_path / "new" / "reports" / "demo"


def test_what_would_be_taken_for_a_pattern(tmp_path, monkeypatch):
    monkeypatch.setenv("MONKEY_TRANSFER_RUNS", str(tmp_path / "a[0]" / "runs"))
    with refused("environment", "brackets in a folder", match="'.' would be .* a pattern .* in MONKEY_TRANSFER_RUNS$"):
        runs_folder()
    monkeypatch.delenv("MONKEY_TRANSFER_DATA", raising=False)
    monkeypatch.setattr(places, "ROOT", tmp_path / "project[0]")
    with refused("environment", "a project in brackets", match="give a path .* in MONKEY_TRANSFER_DATA$"):
        data_folder()


@pytest.mark.parametrize("name", ["[", "]", "*", "?", "{", "}", "\\"])
def test_every_letter_that_makes_a_pattern(tmp_path, name):
    with pytest.raises(StudyError, match=f"a{re.escape(name)}b: '{re.escape(name)}' would be taken for a pattern"):
        plain_path(tmp_path / f"a{name}b", "THIS")
    (tmp_path / "link").symlink_to(tmp_path / f"a{name}b")
    with pytest.raises(StudyError, match="would be taken for a pattern"):
        plain_path(tmp_path / "link", "THIS")


def test_a_file_for_a_folder(tmp_path, monkeypatch):
    (tmp_path / "file").touch()
    monkeypatch.setenv("MONKEY_TRANSFER_REPORTS", str(tmp_path / "file"))
    with refused("environment", "a file for a folder", match="is not a folder; name one in MONKEY_TRANSFER_REPORTS"):
        reports_folder()


def test_bytes_that_are_no_letters(monkeypatch):
    monkeypatch.setenv("MONKEY_TRANSFER_RUNS", "/a\udcff")
    with refused(
        "environment", "bytes of no letter", match="cannot be used .*; give another path in MONKEY_TRANSFER_R"
    ):
        runs_folder()


def test_a_checkpoint_is_a_path_like_others(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    monkeypatch.setenv(IMAGENET_VARIABLE, " ")
    assert named_checkpoint(TensorFlowTraining()) == ""
    (tmp_path / "net.ckpt").touch()
    monkeypatch.setenv(IMAGENET_VARIABLE, "~/net.ckpt")
    assert imagenet_checkpoint(TensorFlowTraining()) == str(tmp_path / "net.ckpt")
    with refused(
        "environment", "brackets in a checkpoint", match=f"pattern .* in {IMAGENET_VARIABLE} or the profile's"
    ):
        imagenet_checkpoint(TensorFlowTraining(imagenet=str(tmp_path / "net[1].ckpt")))


def test_data_that_are_not_there(tmp_path, monkeypatch):
    for name in ("x" * 300, "missing"):
        monkeypatch.setenv("MONKEY_TRANSFER_DATA", str(tmp_path / name))
        with pytest.raises(StudyError, match="is not there"):
            data_folder()
    with refused("environment", "data that are not there", match="missing: is not there; name .* MONKEY_TRANSFER_DATA"):
        data_folder()


def test_links_and_homes_that_lead_nowhere(tmp_path, monkeypatch):
    Path(tmp_path / "a").symlink_to(tmp_path / "a")
    monkeypatch.setenv("MONKEY_TRANSFER_RUNS", str(tmp_path / "a"))
    with refused(
        "environment", "a link to itself", match="a' cannot be used .*; give another path in MONKEY_TRANSFER_RUNS"
    ):
        runs_folder()
    monkeypatch.setenv("MONKEY_TRANSFER_RUNS", "~no-one-of-this-name/runs")
    with refused("environment", "the home of nobody", match="~no-one-of-this-name/runs' cannot be used"):
        runs_folder()
