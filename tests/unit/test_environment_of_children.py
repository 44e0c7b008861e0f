"""What of a person's environment reaches the kernels and processes that the study starts."""

import json
import os
import subprocess
import sys

import pytest

import monkey_transfer
from monkey_transfer.environment import for_kernels, install_kernels, of_children
from monkey_transfer.places import ROOT

INLINE = "module://matplotlib_inline.backend_inline"


@pytest.mark.parametrize(
    "variable, found",
    [
        ("CUDA_VISIBLE_DEVICES", "person"),
        ("MONKEY_TRANSFER_DATA", "person"),
        ("TF_NUM_INTRAOP_THREADS", "person"),
        ("OMP_NUM_THREADS", "person"),
        ("TF_XLA_FLAGS", None),
        ("XLA_FLAGS", None),
        ("KERAS_BACKEND", None),
        ("NVIDIA_TF32_OVERRIDE", None),
        ("JUPYTER_PATH", None),
        ("MPLBACKEND", "Agg"),
        ("PYTHONPATH", str(ROOT / "src")),
        ("PYTHONOPTIMIZE", ""),
        ("PYTHONSTARTUP", ""),
        ("PYTHONWARNINGS", ""),
        ("PYTHONHASHSEED", "0"),
        ("IPYTHONDIR", f"{sys.prefix}/share/ipython"),
    ],
)
def test_a_child_gets_what_the_study_needs_of_a_persons_environment(variable, found, monkeypatch):
    monkeypatch.setenv(variable, "person")
    assert of_children().get(variable) == found


def test_python_takes_what_is_empty_for_unset(tmp_path, monkeypatch):
    emptied = [name for name, value in of_children().items() if name.startswith("PYTHON") and not value]
    assert len(emptied) == 10
    for variable in emptied:
        monkeypatch.setenv(variable, str(tmp_path))  # as PYTHONHOME, no Python would start
    script = "import monkey_transfer; print(__debug__, monkey_transfer.__file__)"
    ran = subprocess.run([sys.executable, "-c", script], env=of_children(), capture_output=True, text=True)
    assert (ran.stdout, ran.stderr) == (f"True {monkey_transfer.__file__}\n", "")


def test_a_process_has_its_own_environment_again_when_its_kernels_are_started(monkeypatch):
    monkeypatch.setenv("MPLBACKEND", "Agg")
    monkeypatch.setenv("JUPYTER_RUNTIME_DIR", "/person")
    before = dict(os.environ)
    with for_kernels():
        assert os.environ["MPLBACKEND"] == INLINE
        connections = os.environ["JUPYTER_RUNTIME_DIR"]
        assert os.access(connections, os.W_OK)
    assert dict(os.environ) == before
    assert not os.path.exists(connections)


def test_kernels_of_jupyterlab_have_the_same_settings(tmp_path):
    install_kernels(str(tmp_path))
    folder = tmp_path / "share" / "jupyter" / "kernels"
    kernels = {file.parent.name: json.loads(file.read_text()) for file in folder.glob("*/kernel.json")}
    assert {name: kernel["display_name"] for name, kernel in kernels.items()} == {
        "monkey-transfer": "monkey-transfer",
        "monkey-transfer-gpu": "monkey-transfer (GPU)",
    }
    settings = {name: kernel["env"] for name, kernel in kernels.items()}
    assert settings["monkey-transfer"].pop("CUDA_VISIBLE_DEVICES") == "-1"
    assert settings["monkey-transfer"] == settings["monkey-transfer-gpu"]
    assert settings["monkey-transfer"]["MPLBACKEND"] == INLINE
    assert settings["monkey-transfer"]["PYTHONOPTIMIZE"] == ""
