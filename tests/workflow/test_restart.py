"""A study that is killed while a run is under way goes on with that run and repeats none that is finished."""

import os
import signal
import time
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

pytestmark = pytest.mark.slow

SIZES = (6, 8)


def wait_for(what: Callable[[], bool], seconds: float = 300) -> None:
    end = time.monotonic() + seconds
    while not what():
        assert time.monotonic() < end, f"waited {seconds} s in vain"
        time.sleep(0.01)


def finished(arm: Path) -> list[Path]:
    return sorted(arm.glob("n*-s0/run.json"))


def under_way(arm: Path) -> list[Path]:
    return sorted(arm.glob("n*-s0.partial/progress.json"))


def processes_of(project: Path) -> list[psutil.Process]:
    """All that still works for the project, in whatever process group."""
    return [process for process in psutil.process_iter(["cmdline"]) if str(project) in str(process.info["cmdline"])]


def state(folder: Path) -> dict:
    """Which file each one is and when it was written."""
    files = [file for file in sorted(folder.rglob("*")) if file.is_file()]
    return {str(file): (file.stat().st_ino, file.stat().st_mtime_ns) for file in files}


def trainings(folder: Path) -> int:
    """How many trainings came to their end in that folder: each validates its last iteration, 20."""
    return (folder / "log.txt").read_text().count("iteration 20: ")


def test_a_killed_sweep_repeats_no_finished_run(project):
    arm = project.runs / "scratch_control"
    asked = ["--cores", "2", "--resources", "training=1", "--", *(str(project.trained(images)) for images in SIZES)]
    with project.workflow(*asked) as sweep:
        wait_for(lambda: sweep.poll() is not None or (finished(arm) and under_way(arm)))
        assert sweep.poll() is None, project.said
        os.killpg(sweep.pid, signal.SIGKILL)
    # Notebooks are in process groups of their own; they end when they miss the process that started them.
    wait_for(lambda: not processes_of(project.root), seconds=60)
    (first,) = finished(arm)
    before = state(first.parent)

    with project.workflow(*asked) as sweep:
        assert sweep.wait() == 0, project.said
    assert state(first.parent) == before
    assert all(project.trained(images).is_file() for images in SIZES)
    assert {run.parent.name: trainings(run.parent) for run in finished(arm)} == {"n6-s0": 1, "n8-s0": 1}
