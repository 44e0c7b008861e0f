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

    @contextmanager
    def workflow(self, *options: str, **environment: str) -> Iterator[subprocess.Popen]:
        """Run the workflow in a process group of its own; what is left of that at the end is killed."""
        command = [sys.executable, "-m", "snakemake", "--snakefile", "workflow/Snakefile", "--config", "profile=tiny"]
        with (self.root / "said.txt").open("wb") as said:
            started = subprocess.Popen(
                [*command, "--nolock", "--rerun-incomplete", *options],
                cwd=self.root,
                env={**os.environ, "PYTHONPATH": str(self.root / "src"), **environment},
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
    for part in ("src", "config"):
        shutil.copytree(ROOT / part, root / part, symlinks=True, ignore=shutil.ignore_patterns("__pycache__"))
    for part in ("notebooks", "workflow"):
        (root / part).symlink_to(ROOT / part)
    (root / "config" / "tiny.yaml").write_text(yaml.safe_dump(TINY), encoding="utf-8")
    return Project(root)
