"""What this process may run on."""

import os
from types import SimpleNamespace

import pytest

from monkey_transfer import devices
from monkey_transfer.errors import StudyError

GIB = 2**30


@pytest.mark.parametrize(
    "gpus, cores, memory, expected",
    [
        (["NVIDIA H200"], 16, 128 * GIB, 1),
        ([], 2, 24 * GIB, 2),
        ([], 16, 24 * GIB, 8),
        ([], 4, 2 * GIB, 1),
    ],
)
def test_trainings_share_cores_and_memory_but_no_gpu(monkeypatch, gpus, cores, memory, expected):
    monkeypatch.setattr(devices, "visible_gpus", lambda: gpus)
    monkeypatch.setattr(devices, "cores", lambda: cores)
    monkeypatch.setattr(devices.psutil, "virtual_memory", lambda: SimpleNamespace(total=memory))
    assert devices.trainings_at_once() == expected


def test_cores_are_those_that_this_process_may_use():
    assert devices.cores() == len(os.sched_getaffinity(0))


def test_a_gpu_that_is_required_and_missing_is_an_error(monkeypatch):
    monkeypatch.setattr(devices, "visible_gpus", list)
    with pytest.raises(StudyError, match="requires a GPU and none is visible"):
        devices.training_device(requires_gpu=True)
    assert devices.training_device(requires_gpu=False).startswith("No GPU is visible")
