"""Benchmarks that load DeepLabCut or a real sample run, in their smallest form."""

import subprocess
import sys
from pathlib import Path

import pytest

from monkey_transfer.places import data_folder

ROOT = Path(__file__).parents[2]


def last_line(name: str, *options: str) -> str:
    asked = [sys.executable, "-m", f"benchmarks.{name}", *options]
    ran = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.splitlines()[-1]


@pytest.mark.slow
def test_predict():
    assert last_line("predict", "--pictures", "16", "--turns", "1", "--size", "64").startswith("ratio ")


def test_prepare():
    if not (data_folder() / "macaquepose_sample").is_dir():
        pytest.skip("MacaquePose's sample is not in the data folder")
    assert last_line("prepare", "--copies", "20", "--turns", "1").startswith("ratio ")


def test_finished_networks():
    if not all((data_folder() / part).is_dir() for part in ("lsp", "zoo/efficientpose_rt_lite")):
        pytest.skip("Leeds Sports Pose or the network is not in the data folder")
    said = last_line("finished_networks", "--people", "8", "--network", "efficientpose_rt_lite")
    assert 50 < float(said.removeprefix("PCK ")) <= 100
