"""What this process may run on, found out without loading an engine."""

import os
import re
import shutil
import subprocess
from pathlib import Path

import psutil

from monkey_transfer.errors import StudyError

_CPUINFO = Path("/proc/cpuinfo")
_BFLOAT16_FLAGS, _BFLOAT16_CAPABILITY = {"avx512_bf16", "amx_bf16"}, 8.0
_MEMORY_OF_A_TRAINING = 3 * 2**30  # bytes; a ResNet-50 at 640 pixels is for a GPU


def cores() -> int:
    """Processor cores that this process may use."""
    return len(os.sched_getaffinity(0))


def visible_gpus() -> list[str]:
    """Names of the GPUs that this process, and so a training started from it, may use."""
    return _said_of_gpus("name")


def has_bfloat16() -> bool:
    """Whether what a training started from this process computes on has instructions for bfloat16.

    That is the visible GPUs, which have them from NVIDIA's compute capability 8 on, else the processor.
    """
    if capabilities := _said_of_gpus("compute_cap"):  # which an old driver answers with '[N/A]'
        return all(re.match(r"\d", said) and float(said) >= _BFLOAT16_CAPABILITY for said in capabilities)
    flags = _CPUINFO.read_text(encoding="utf-8").split() if _CPUINFO.is_file() else []
    return not _BFLOAT16_FLAGS.isdisjoint(flags)


def _said_of_gpus(what: str) -> list[str]:
    """A field that nvidia-smi knows, of every visible GPU."""
    hidden = os.environ.get("CUDA_VISIBLE_DEVICES", "all").strip() in ("", "-1")
    if hidden or shutil.which("nvidia-smi") is None:
        return []
    ask = ["nvidia-smi", f"--query-gpu={what}", "--format=csv,noheader"]
    try:
        asked = subprocess.run(ask, capture_output=True, text=True, timeout=30)
    except subprocess.TimeoutExpired:  # a driver that does not answer drives nothing
        return []
    return asked.stdout.split("\n")[:-1] if asked.returncode == 0 else []


def trainings_at_once() -> int:
    """How many networks to train side by side on this machine: one on a GPU, else one for each core.

    On two cores two trainings of one thread each learnt 1.6 times the pictures per second of one training of two
    threads (MobileNetV2 0.35, batch 8, 128 pixels). Each has its share of the memory.
    """
    return 1 if visible_gpus() else max(1, min(cores(), psutil.virtual_memory().total // _MEMORY_OF_A_TRAINING))


def training_device(requires_gpu: bool) -> str:
    """A sentence that says where networks train; StudyError if a GPU is required and none is visible."""
    if gpus := visible_gpus():
        return f"Networks train on the GPU: {', '.join(gpus)}."
    if requires_gpu:
        raise StudyError(
            "this profile requires a GPU and none is visible: run the notebook on the kernel monkey-transfer-gpu on a "
            "machine with an NVIDIA driver, or set requires_gpu to false in the profile"
        )
    return f"No GPU is visible: networks train on {cores()} processor cores."
