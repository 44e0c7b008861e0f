"""What of a person's settings reaches the kernels and processes that the study starts: none that changes a result.

``python -m monkey_transfer.environment`` installs the study's two kernels, so that JupyterLab starts them with the
same settings. Whatever is not named here, such as ``CUDA_VISIBLE_DEVICES`` or a proxy, is passed on as it is.
"""

import contextlib
import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path

_SET = {
    # A person's own for Python, which takes what is empty for unset: -O leaves assertions out, -W may make errors.
    **dict.fromkeys(("PYTHONHOME", "PYTHONINSPECT", "PYTHONOPTIMIZE", "PYTHONSAFEPATH", "PYTHONSTARTUP"), ""),
    **dict.fromkeys(("PYTHONDEVMODE", "PYTHONIOENCODING", "PYTHONPROFILEIMPORTTIME", "PYTHONVERBOSE"), ""),
    "PYTHONWARNINGS": "",
    "NUMEXPR_NUM_THREADS": "1",  # it would read OMP_NUM_THREADS, and fail where that is of several levels, as in "4,2"
    "PYTHONHASHSEED": "0",  # no order of a set differs from run to run
    "PYTHONNOUSERSITE": "1",  # packages of a home folder are not those of requirements.lock
    "PYTHONUNBUFFERED": "1",  # a log holds what was printed before its process was killed
    "PYTHONUTF8": "1",  # whatever the locale
    "MPLBACKEND": "Agg",
    # No start-up files and settings of a person's; where this cannot be written, IPython takes a temporary folder.
    "IPYTHONDIR": str(Path(sys.prefix, "share", "ipython")),
}
# With MPLBACKEND=Agg, which is usual on clusters, a notebook would show no figure.
_SET_IN_KERNELS = {**_SET, "MPLBACKEND": "module://matplotlib_inline.backend_inline"}
# Not passed on, by their beginnings: what changes how an engine computes, and where Jupyter finds other kernels.
_DROPPED = ("TF_", "XLA_", "KERAS_", "NVIDIA_TF32", "TORCH_", "ONEDNN_", "DNNL_", "ATEN_CPU_", "JUPYTER_")
_KEPT = "TF_NUM_"  # threads: the shares of trainings side by side, which the workflow sets
_KERNELS = {
    "monkey-transfer": ("monkey-transfer", {"CUDA_VISIBLE_DEVICES": "-1"}),
    "monkey-transfer-gpu": ("monkey-transfer (GPU)", {}),
}


def of_children() -> dict[str, str]:
    """The environment for a process that is started from this one; it finds the same copy of this package."""
    passed_on = {
        name: value for name, value in os.environ.items() if name.startswith(_KEPT) or not name.startswith(_DROPPED)
    }
    return {**passed_on, **_SET, "PYTHONPATH": str(Path(__file__).parents[1])}


@contextlib.contextmanager
def for_kernels() -> Iterator[None]:
    """Let this process have, within, the environment that kernels which it starts are to inherit."""
    before = dict(os.environ)
    with tempfile.TemporaryDirectory() as connections:  # not in the home folder, which may not be writable
        _replace(of_children() | _SET_IN_KERNELS | {"JUPYTER_RUNTIME_DIR": connections})
        try:
            yield
        finally:
            _replace(before)


def _replace(environment: dict[str, str]) -> None:
    os.environ.clear()
    os.environ.update(environment)


@contextlib.contextmanager
def messages_into(file: Path) -> Iterator[None]:
    """Write to ``file`` what kernels and libraries print to stderr; TensorFlow does, whatever it is told."""
    sys.stderr.flush()
    terminal = os.dup(2)
    with file.open("wb") as opened:
        os.dup2(opened.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)


def install_kernels(prefix: str = sys.prefix) -> None:
    """Install the kernels monkey-transfer, which sees no GPU, and monkey-transfer-gpu for Jupyter."""
    from ipykernel.kernelspec import install

    for name, (shown, own) in _KERNELS.items():
        install(kernel_name=name, display_name=shown, prefix=prefix, env={**_SET_IN_KERNELS, **own})


if __name__ == "__main__":
    install_kernels()
