"""A notebook's kernel on a machine whose user has settings of many kinds."""

import nbformat

from monkey_transfer.tell.reports import execute

FIGURE = """
import matplotlib.pyplot as plt
from monkey_transfer.plots.style import figure

@figure
def draw():
    drawn, axes = plt.subplots()
    axes.set_title("95_%")
    return drawn

draw()
"""
SETTINGS = "'started' in globals(), __debug__, plt.rcParams['text.usetex'], plt.rcParams['savefig.dpi']"


def test_a_notebook_holds_its_figures_and_nothing_of_its_users_settings(tmp_path, monkeypatch):
    settings = tmp_path / ".config" / "matplotlib" / "matplotlibrc"
    start = tmp_path / ".ipython" / "profile_default" / "startup" / "start.py"
    for file, text in {settings: "text.usetex: True\nsavefig.dpi: 7\n", start: "started = True"}.items():
        file.parent.mkdir(parents=True)
        file.write_text(text, encoding="utf-8")
    users = {"HOME": tmp_path, "MATPLOTLIBRC": settings, "IPYTHONDIR": tmp_path / ".ipython", "PYTHONSTARTUP": start}
    for variable, value in {**users, "MPLBACKEND": "Agg", "PYTHONOPTIMIZE": 2, "JUPYTER_RUNTIME_DIR": "/proc"}.items():
        monkeypatch.setenv(variable, str(value))
    cells = [nbformat.v4.new_code_cell(cell) for cell in ("number = 1", FIGURE, SETTINGS)]
    cells[0].metadata.tags = ["parameters"]
    kernel = {"name": "monkey-transfer", "display_name": "monkey-transfer", "language": "python"}
    nbformat.write(nbformat.v4.new_notebook(metadata={"kernelspec": kernel}, cells=cells), tmp_path / "a.ipynb")
    execute(tmp_path / "a.ipynb", tmp_path / "out.ipynb", {})
    _, figure, found = nbformat.read(tmp_path / "out.ipynb", as_version=4).cells
    assert "image/png" in figure.outputs[0].data
    assert found.outputs[0].data["text/plain"] == "(False, True, False, 'figure')"
