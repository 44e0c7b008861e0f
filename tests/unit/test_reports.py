"""Reports: parameters are checked first, failures are told, and words follow the intervals."""

import nbformat
import pytest

from monkey_transfer.errors import StudyError
from monkey_transfer.profiles import ROOT
from monkey_transfer.reports import check_parameters, execute


def write_notebook(path, *cells):
    notebook = nbformat.v4.new_notebook(
        metadata={"kernelspec": {"name": "monkey-transfer", "display_name": "x", "language": "python"}}
    )
    notebook.cells = [nbformat.v4.new_code_cell(cell) for cell in cells]
    notebook.cells[0].metadata.tags = ["parameters"]
    nbformat.write(notebook, path)
    return path


def test_every_notebook_knows_the_parameters_that_the_workflow_gives_it():
    for notebook in sorted((ROOT / "notebooks").glob("*.ipynb")):
        check_parameters(notebook, {"profile": "smoke"})


def test_an_unknown_parameter_is_refused_before_anything_runs(tmp_path):
    notebook = write_notebook(tmp_path / "a.ipynb", "profile = 'smoke'", "1 / 0")
    with pytest.raises(StudyError, match=r"a\.ipynb: parameter 'profil' is unknown.*profile"):
        execute(notebook, tmp_path / "out.ipynb", {"profil": "demo"})
    assert not (tmp_path / "out.ipynb").exists()


def test_an_executed_notebook_has_its_parameters_and_no_path_of_the_machine(tmp_path):
    cells = "number = 1", "import sys; print(number * 21); print('noise', file=sys.stderr)"
    execute(write_notebook(tmp_path / "a.ipynb", *cells), tmp_path / "out.ipynb", {"number": 2})
    written = (tmp_path / "out.ipynb").read_text()
    assert "42" in written
    assert str(tmp_path) not in written
    assert all(output.name != "stderr" for cell in nbformat.reads(written, 4).cells for output in cell.outputs)


def test_a_failing_cell_is_told_and_leaves_no_result(tmp_path):
    cell = "from monkey_transfer.errors import StudyError\nraise StudyError('row 3 is empty: fill it')"
    notebook = write_notebook(tmp_path / "a.ipynb", "number = 1", cell)
    with pytest.raises(StudyError, match=r"a\.ipynb: row 3 is empty: fill it \("):
        execute(notebook, tmp_path / "out.ipynb", {})
    assert not (tmp_path / "out.ipynb").exists()
    assert (tmp_path / "out.failed.ipynb").exists()


def test_every_checked_cell_holds_what_it_is_compared_with():
    cells = [
        cell
        for notebook in sorted((ROOT / "notebooks").glob("*.ipynb"))
        for cell in nbformat.read(notebook, as_version=4).cells
        if cell.cell_type == "code" and "NBVAL_CHECK_OUTPUT" in cell.source
    ]
    assert len(cells) >= 8
    # nbval passes over a cell without a count, and compares nothing with a cell that has no output
    assert all(cell.outputs and cell.execution_count for cell in cells)
