"""Run the notebooks at their defaults and keep, in the notebooks themselves, the outputs that nbval compares.

``make notebooks`` calls it. Only cells marked NBVAL_CHECK_OUTPUT keep what they printed, so that a
changed result shows in the diff and nothing else does. Networks come from their recordings where these are of the
profile as it is (:mod:`recorded`), else they are trained and recorded.
"""

import os
import tempfile
from pathlib import Path

from recorded import PROFILE, play_back, record

NOTEBOOKS = Path(__file__).resolve().parents[2] / "notebooks"
MARK = "NBVAL_CHECK_OUTPUT"


def keep_checked_outputs(executed: Path, notebook: Path) -> None:
    """Write into ``notebook`` the outputs of its marked cells as ``executed`` has them."""
    import nbformat

    ran, kept = nbformat.read(executed, as_version=4), nbformat.read(notebook, as_version=4)
    outputs = {cell.id: cell.outputs for cell in ran.cells if cell.cell_type == "code"}
    for cell in kept.cells:
        if cell.cell_type == "code":
            checked = MARK in cell.source
            cell.outputs = outputs[cell.id] if checked else []
            cell.execution_count = 1 if checked else None  # nbval compares only cells that have a count
            for output in cell.outputs:
                if output.output_type == "execute_result":
                    output.execution_count = 1
    nbformat.write(kept, notebook)


def main() -> None:
    """Regenerate all notebooks, in their order, in folders of their own."""
    from monkey_transfer.study.opening import open_study
    from monkey_transfer.study.training import train_missing
    from monkey_transfer.tell.reports import execute

    with tempfile.TemporaryDirectory() as scratch:
        os.environ["MONKEY_TRANSFER_RUNS"] = f"{scratch}/runs"
        os.environ["MONKEY_TRANSFER_REPORTS"] = f"{scratch}/reports"
        study = open_study(PROFILE)
        play_back(study)
        if train_missing(study):
            record(study)
        for notebook in sorted(NOTEBOOKS.glob("*.ipynb")):
            executed = Path(scratch) / notebook.name
            execute(notebook, executed, {})
            keep_checked_outputs(executed, notebook)
            print(f"{notebook.name} is up to date")


if __name__ == "__main__":
    main()
