"""Every benchmark runs, in its smallest form; what it measures at full length is in reports/benchmarks."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
# Those that load an engine or read a real sample are started by tests/networks/test_benchmarks.py.
SMALLEST = {
    "coverage": ["--trials", "4"],
    "forecasts": ["--trials", "2"],
    "learning_curves": ["--trials", "20"],
    "metrics": ["--smallest"],
    "power": ["--trials", "20"],
    "render": ["--pictures", "2"],
}
ELSEWHERE = {"finished_networks", "predict", "prepare", "train", "videos"}
HELPERS = {"__init__", "people", "plain", "simulated"}


@pytest.mark.parametrize("name", SMALLEST)
def test_ends_with_its_figure(name):
    asked = [sys.executable, "-m", f"benchmarks.{name}", *SMALLEST[name]]
    ran = subprocess.run(asked, cwd=ROOT, capture_output=True, text=True, timeout=120)
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.splitlines()[-1].split()[0] in ("coverage", "ratio")


def test_none_is_forgotten():
    there = {file.stem for file in (ROOT / "benchmarks").glob("*.py")}
    assert there == SMALLEST.keys() | ELSEWHERE | HELPERS
