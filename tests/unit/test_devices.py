"""What this process may run on."""

import os
import shutil
from pathlib import Path
from types import SimpleNamespace

import pytest
from bad_input import refused

from monkey_transfer import devices
from monkey_transfer.errors import StudyError
from monkey_transfer.places import CONFIG
from monkey_transfer.profiles.loading import load_profile
from monkey_transfer.study.training import refuse_machine

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


@pytest.fixture
def machine(monkeypatch, tmp_path):
    """``machine(flags, capabilities)``: a processor with those flags and GPUs of those compute capabilities."""

    def make(flags: str, capabilities: tuple[str, ...] = ()) -> None:
        (tmp_path / "cpuinfo").write_text(f"model name : some\nflags : fpu {flags} sse\n")
        monkeypatch.setattr(devices, "_CPUINFO", tmp_path / "cpuinfo")
        program = tmp_path / "nvidia-smi"
        answers = " ".join(f"'{capability}'" for capability in capabilities)
        program.write_text(f'#!/bin/sh\n[ "$1" = --query-gpu=compute_cap ] && printf "%s\\n" {answers}\n')
        program.chmod(0o755 if capabilities else 0o644)
        monkeypatch.setenv("PATH", f"{tmp_path}:/usr/bin:/bin")
        monkeypatch.delenv("CUDA_VISIBLE_DEVICES", raising=False)

    return make


@pytest.mark.parametrize(
    "flags, capabilities, expected",
    [
        ("avx2", (), False),
        ("avx2 avx512f", (), False),
        ("avx2 avx512_bf16", (), True),
        ("amx_bf16", (), True),
        ("avx2", ("9.0",), True),
        ("avx2", ("9.0", "7.5"), False),
        ("avx512_bf16", ("[N/A]",), False),
        ("avx512_bf16", ("7.0",), False),  # a GPU trains where there is one
    ],
)
def test_bfloat16_is_what_the_gpus_have_else_the_processor(machine, flags, capabilities, expected):
    machine(flags, capabilities)
    assert devices.has_bfloat16() == expected


def test_no_bfloat16_where_nothing_is_known_of_the_processor(machine, monkeypatch):
    machine("avx512_bf16")
    monkeypatch.setattr(devices, "_CPUINFO", Path("/nowhere"))
    assert not devices.has_bfloat16()


def test_a_precision_that_the_machine_lacks_is_refused_before_any_training(machine, tmp_path):
    shutil.copy(CONFIG / "demo.yaml", tmp_path)
    (tmp_path / "half.yaml").write_text("extends: demo\ntitle: In half\ntraining: {precision: bfloat16}\n")
    profile = load_profile("half", tmp_path)
    machine("avx2 amx_bf16")
    refuse_machine(profile)
    machine("avx2")
    with refused("profile", "bfloat16 where no processor and no GPU has it", match="arms.baseline.training.precision"):
        refuse_machine(profile)
