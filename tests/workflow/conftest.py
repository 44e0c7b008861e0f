"""A copy of the project with a tiny study in it, for tests that run the workflow."""

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path

import pytest
import yaml

from monkey_transfer.places import ROOT

TINY = {
    "extends": "smoke",
    "source": {"data": {"images": 64, "size": 64}, "test": 4},
    "target": {"data": {"images": 70, "size": 64}, "test": 6},
    "picture": {"size": 64},
    "training": {"batch_size": 4, "iterations": 20, "multi_step": [[0.001, 20]], "validate_every": 10},
    "arms": {
        "baseline": {"images": 8},
        "benchmark": {"images": 12},
        "transfer": {"images": 8},
        "scratch_control": {"images": [6, 8]},
    },
}


# Without what a make that runs these tests tells makes inside it.
_OF_MAKE = {"MAKEFLAGS", "MFLAGS", "MAKELEVEL", "PROFILE"}
_OUTSIDE_MAKE = {name: value for name, value in os.environ.items() if name not in _OF_MAKE}


@dataclass(frozen=True)
class Project:
    """A copy of the project with a profile ``tiny``; its workflow shares no file with that of this project."""

    root: Path

    @property
    def runs(self) -> Path:
        return self.root / "runs" / "tiny"

    @property
    def said(self) -> str:
        """What the workflow printed last."""
        return (self.root / "said.txt").read_text(encoding="utf-8")

    def trained(self, images: int) -> Path:
        """The executed notebook of the arm ``scratch_control``, which starts from no other, at that size."""
        return self.runs / "notebooks" / f"04_transfer_training-scratch_control-n{images}-s0.ipynb"

    def make(self, *words: str, **environment: str) -> subprocess.CompletedProcess:
        """Call make with this process's Python for the one that ``make setup`` would install."""
        python = f"PY=env PYTHONPATH={self.root / 'src'} {sys.executable}"
        installed = ("-o", ".venv/.installed", "-o", ".venv/.kernels")
        return subprocess.run(
            ["make", *installed, python, *words],
            cwd=self.root,
            env={**_OUTSIDE_MAKE, **environment},
            capture_output=True,
            text=True,
        )

    @contextmanager
    def workflow(self, *options: str, cluster: str = "") -> Iterator[subprocess.Popen]:
        """Run the workflow in a process group of its own; what is left of that at the end is killed."""
        with (self.root / "said.txt").open("wb") as said:
            started = subprocess.Popen(
                [sys.executable, "workflow/run.py", "tiny", cluster, *options],
                cwd=self.root,
                env={**os.environ, "PYTHONPATH": str(self.root / "src")},
                stdout=said,
                stderr=subprocess.STDOUT,
                start_new_session=True,
            )
        try:
            yield started
        finally:
            with suppress(ProcessLookupError):
                os.killpg(started.pid, signal.SIGKILL)
            started.wait()


@pytest.fixture
def project(tmp_path, monkeypatch) -> Project:
    for variable in ("MONKEY_TRANSFER_RUNS", "MONKEY_TRANSFER_REPORTS"):
        monkeypatch.delenv(variable, raising=False)
    root = tmp_path / "project"
    for part in ("src", "config", "notebooks"):
        shutil.copytree(ROOT / part, root / part, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    for part in ("workflow", "Makefile", "requirements.lock"):
        (root / part).symlink_to(ROOT / part)
    (root / "config" / "tiny.yaml").write_text(yaml.safe_dump(TINY), encoding="utf-8")
    return Project(root)
