"""Files are there whole or not at all, and a disk that refuses is one sentence, whoever writes."""

import resource
from contextlib import contextmanager
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pandas as pd
import pytest
from bad_input import refused

from monkey_transfer import tables
from monkey_transfer.errors import StudyError
from monkey_transfer.files import clear_disk_errors, refuse_full_disk, write_json, written
from monkey_transfer.images import write_picture
from monkey_transfer.rendered import rendered_dataset

MUCH = pd.DataFrame({"number": np.random.default_rng(0).random(5000)})


@contextmanager
def a_full_disk():
    """Let no file of this process, nor of those it starts, grow beyond a few bytes: 'File too large', Python says."""
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (10, before[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)


def test_what_fails_half_way_leaves_what_was_there(tmp_path):
    file = tmp_path / "new folder" / "a.txt"
    with written(file) as unfinished:
        unfinished.write_text("old")
    with pytest.raises(ZeroDivisionError), written(file) as unfinished:
        unfinished.write_text(f"half {1 / 0}")
    assert file.read_text() == "old"
    assert list(file.parent.iterdir()) == [file]


WRITERS = {
    "json": lambda file: write_json(file, list(range(100))),
    "table": lambda file: tables.write(MUCH, file),
    "picture": lambda file: write_picture(file, np.zeros((64, 64, 3), np.uint8)),
}


@pytest.mark.parametrize("write", WRITERS.values(), ids=WRITERS)
def test_every_writer_says_that_the_disk_is_full_and_leaves_nothing_half_written(write, tmp_path):
    file = tmp_path / "a.file"
    file.write_text("old")
    with pytest.raises(StudyError, match=r"a\.file: .+; free some space there.*MONKEY_TRANSFER_RUNS"), a_full_disk():
        write(file)
    assert file.read_text() == "old"
    assert list(tmp_path.iterdir()) == [file]


def test_pictures_that_are_drawn_onto_a_full_disk(tmp_path):
    """The pictures of a data set are drawn in batches, and a batch counts once its labels are there."""
    with pytest.raises(StudyError, match="free some space"), a_full_disk():
        rendered_dataset("human", 2, 0, tmp_path / "people", size=32)
    assert [file.name for file in (tmp_path / "people").iterdir() if "manifest" not in file.name] == []
    assert len(rendered_dataset("human", 2, 0, tmp_path / "people", size=32)) == 2


def test_a_full_disk_is_named():
    """/dev/full is a disk that is always full; Python does not tell its name when a write fails."""
    with refused("disk", "full", match="answer.md: No space left on device"), written(Path("/tmp/answer.md")):
        Path("/dev/full").write_text("x")


def test_a_file_where_a_folder_should_be(tmp_path):
    (tmp_path / "runs").touch()
    with refused("disk", "a file where a folder should be", match="runs: a file is where a folder should be"):
        write_json(tmp_path / "runs" / "run.json", {})


def test_a_file_that_is_gone(tmp_path):
    with refused("disk", "a file of a run that is gone", match="run this again"), clear_disk_errors():
        (tmp_path / "picture.png").read_bytes()


def test_a_disk_that_a_library_filled(tmp_path, monkeypatch):
    """What failed, and its log, could not say so."""
    refuse_full_disk(tmp_path)
    monkeypatch.setattr("shutil.disk_usage", lambda _: SimpleNamespace(free=0))
    with refused("disk", "full while a network is trained", match="No space left on device; free some space"):
        refuse_full_disk(tmp_path)
