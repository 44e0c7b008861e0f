"""Where profiles, data and runs lie: in folders of the project unless a variable of the environment names others."""

import os
from pathlib import Path

from monkey_transfer.errors import StudyError

ROOT = Path(__file__).resolve().parents[2]
CONFIG = ROOT / "config"


def data_folder() -> Path:
    """Where data and networks lie: ``data/`` of the project, or the folder that MONKEY_TRANSFER_DATA names.

    StudyError if what it names is not a folder.
    """
    named = os.environ.get("MONKEY_TRANSFER_DATA")
    if named and not Path(named).is_dir():
        raise StudyError(f"MONKEY_TRANSFER_DATA names '{named}', which is not a folder")
    return Path(named or ROOT / "data").resolve()


def runs_folder() -> Path:
    """Where runs are kept: ``runs/`` of the project, or what MONKEY_TRANSFER_RUNS names."""
    return Path(os.environ.get("MONKEY_TRANSFER_RUNS", ROOT / "runs")).resolve()
