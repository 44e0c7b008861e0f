"""Benchmarks that load DeepLabCut or a real sample run, in their smallest form."""

import os
import subprocess
import sys
import time
from pathlib import Path
from types import SimpleNamespace

import pytest

from benchmarks import train
from monkey_transfer.places import data_folder

ROOT = Path(__file__).parents[2]


def last_line(name: str, *options: str) -> str:
    """Of a benchmark on one core: threads that wait for each other take much longer while other tests run."""
    asked = ["taskset", "--cpu-list", str(min(os.sched_getaffinity(0))), sys.executable, "-m", f"benchmarks.{name}"]
    ran = subprocess.run([*asked, *options], cwd=ROOT, capture_output=True, text=True, timeout=300)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout.splitlines()[-1]


@pytest.mark.slow
def test_predict():
    assert last_line("predict", "--pictures", "16", "--turns", "1", "--sizes", "64").startswith("ratio ")


@pytest.mark.slow
def test_train():
    smallest = "--engines pytorch --people 12 --size 64 --turns 1 --seconds 0.1 --side-by-side 1"
    assert last_line("train", *smallest.split()).startswith("ratio ")


def test_train_on_a_gpu_says_how_busy_it_was(monkeypatch, tmp_path):
    """The GPU is a program that says what one would, and a training that learns 50 pictures a second, at most 80."""
    program = tmp_path / "nvidia-smi"
    program.write_text('#!/bin/sh\ncase "$1" in *name) echo A fake;; *) echo 80; echo 90; exec sleep 60;; esac\n')
    program.chmod(0o755)
    monkeypatch.setenv("PATH", f"{tmp_path}:{os.environ['PATH']}")
    monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)
    monkeypatch.setattr(train, "Contender", lambda *_: SimpleNamespace(answer=lambda: "ready"))

    def learnt(_, turn: train.Turn) -> float:
        time.sleep(turn.seconds)
        return 50.0 if turn.what == "loop" else 80.0

    monkeypatch.setattr(train, "together", learnt)
    said = train.on_the_gpu(tmp_path, SimpleNamespace(people=2, precision="bfloat16", turns=2, seconds=0.3))
    assert said == (
        "GPU (A fake): resnet_50, 256 px, batch 32, bfloat16: 50 pictures a second, 62 % of the limit of computing, "
        "85 % utilisation"
    )


def test_prepare():
    if not (data_folder() / "macaquepose_sample").is_dir():
        pytest.skip("MacaquePose's sample is not in the data folder")
    assert last_line("prepare", "--copies", "20", "--turns", "1").startswith("ratio ")


def test_finished_networks():
    if not all((data_folder() / part).is_dir() for part in ("lsp", "zoo/efficientpose_rt_lite")):
        pytest.skip("Leeds Sports Pose or the network is not in the data folder")
    said = last_line("finished_networks", "--people", "8", "--network", "efficientpose_rt_lite")
    assert 50 < float(said.removeprefix("PCK ")) <= 100
