"""What a study leaves for readers: executed notebooks, the chapters bound from them, and figures.

Run as a program, ``python -m monkey_transfer.tell.reports``, it is what the workflow and the Makefile call:
``execute NOTEBOOK OUTPUT --profile demo [--seed 0] [--arm transfer] [--images 100]``, ``bind PROFILE NOTEBOOK...``,
``weights PROFILE`` and ``show PROFILE``.
"""

import argparse
import io
import json
import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from monkey_transfer.environment import for_kernels, messages_into
from monkey_transfer.errors import StudyError, print_any_letters
from monkey_transfer.files import clear_disk_errors, only_one, write_json, written
from monkey_transfer.images import small_png
from monkey_transfer.networks.supervisor import HEADLESS
from monkey_transfer.places import ROOT, reports_folder, runs_folder
from monkey_transfer.profiles.loading import load_profile
from monkey_transfer.study.opening import Study
from monkey_transfer.study.training import find_weights
from monkey_transfer.tell.parameters import check_parameters

if TYPE_CHECKING:
    import pandas as pd
    from matplotlib.figure import Figure


# By which a report's numbers are made and ruled on: raise it when the same runs would give others than before.
RULES = 3
# Tag of the notebooks' cells that are about the paper, which reports of own data leave out.
OF_THE_PAPER = "paper"
# The file of a report that says by which, and of what data.
_STAMP = "rules.json"


def report_folder(profile: str) -> Path:
    """Where the report of a profile is kept: ``reports/<profile>`` or below what MONKEY_TRANSFER_REPORTS names."""
    return reports_folder() / profile


def opened_report(profile: str) -> Path:
    """The folder of a profile's report, to be written into; made if it is not there.

    Raises StudyError if what is in it was made by other rules, whose numbers would stand beside these.
    """
    folder = report_folder(profile)
    if not folder.is_dir() or not any(folder.iterdir()):
        write_json(folder / _STAMP, {"rules": RULES})
    made_by = _stamp(folder).get("rules", "none that is recorded")
    if made_by != RULES:
        raise StudyError(
            f"{folder}: was made by other rules ({made_by}, these are {RULES}), and numbers of both would be mixed; "
            "move the folder away or delete it"
        )
    return folder


def report_of(study: Study) -> Path:
    """The folder of a study's report, to be written into: :func:`opened_report`.

    A report of other data, or of which it is not known, is kept beside the runs, as ``report-<digest>``, and a new one
    begun.
    """
    folder = opened_report(study.profile.name)
    if study.rendered or _stamp(folder).get("data") == study.data_digest:  # of rendered data the profile says it all
        return folder
    runs = runs_folder() / study.profile.name
    with only_one(runs / "report"):
        made_of = _stamp(folder).get("data", "unknown")
        if made_of != study.data_digest:
            if [file.name for file in folder.iterdir()] != [_STAMP]:
                _set_aside(folder, runs / f"report-{made_of[:8]}")
            write_json(folder / _STAMP, {"rules": RULES, "data": study.data_digest})
    return folder


def _set_aside(folder: Path, aside: Path) -> None:
    """Keep a copy of a report, whole or not at all, and empty its folder; no other copy is replaced."""
    number, kept = 1, aside
    while kept.exists():
        number, kept = number + 1, aside.with_name(f"{aside.name}-{number + 1}")
    unfinished = kept.with_name(f".{kept.name}.unfinished")
    shutil.rmtree(unfinished, ignore_errors=True)
    shutil.copytree(folder, unfinished)
    unfinished.rename(kept)
    shutil.rmtree(folder)


def _stamp(folder: Path) -> dict[str, Any]:
    """What a report's stamp says; nothing if it is not whole."""
    try:
        said = json.loads((folder / _STAMP).read_text(encoding="utf-8"))
    except (FileNotFoundError, ValueError):
        return {}
    return said if isinstance(said, dict) else {}


def execute(notebook: Path, output: Path, parameters: Mapping[str, Any]) -> None:
    """Run a notebook headless with those parameters; ``output`` is there when it ran to its end.

    Raises
    ------
    StudyError
        If a parameter is unknown, the disk refuses, the kernel is not there or dies, or a cell fails: with what the
        cell said. The notebook as far as it got is kept beside ``output`` with the ending ``.failed.ipynb``.
    """
    import papermill
    from jupyter_client.kernelspec import NoSuchKernel
    from nbclient.exceptions import DeadKernelError

    check_parameters(notebook, parameters)
    unfinished, log = output.with_name(f"{output.stem}.failed.ipynb"), output.with_suffix(".log")
    os.environ[HEADLESS] = "1"
    with clear_disk_errors(output):
        output.parent.mkdir(parents=True, exist_ok=True)
        try:
            with for_kernels(), messages_into(log):
                papermill.execute_notebook(
                    str(notebook),
                    str(unfinished),
                    dict(parameters),
                    cwd=str(ROOT),
                    progress_bar=False,
                    stdout_file=sys.stdout,
                )
            _make_presentable(unfinished)
            unfinished.replace(output)
        except papermill.PapermillExecutionError as error:
            reason = error.evalue if error.ename == "StudyError" else f"{error.ename}: {error.evalue}"
            raise StudyError(f"{notebook.name}: {reason} (the notebook as far as it got: {unfinished})") from None
        except NoSuchKernel as error:
            raise StudyError(f"{notebook}: kernel '{error.name}' is not installed; make setup installs it") from None
        except DeadKernelError:
            raise StudyError(
                f"{notebook}: its kernel was killed, as the system does where memory is short; what it said is in {log}"
            ) from None
        except OSError:
            unfinished.unlink(missing_ok=True)
            raise


def _make_presentable(notebook: Path) -> None:
    """Take out of an executed notebook what only concerns this machine: its paths, warnings and progress bars."""
    import nbformat

    content = nbformat.read(notebook, as_version=4)
    for key in ("input_path", "output_path"):
        content.metadata.get("papermill", {}).pop(key, None)
    for cell in content.cells:
        if cell.cell_type == "code":
            cell.outputs = [output for output in cell.outputs if output.get("name") != "stderr"]
    nbformat.write(content, notebook)


def bind(profile: str, notebooks: Sequence[Path]) -> Path:
    """Bind executed notebooks as the chapters of a report, beside its answer page; returns their contents page.

    Those of own data are without the cells that are about the paper.

    Raises StudyError if the answer page is not written yet, or a notebook did not run to its end.
    """
    from monkey_transfer.tell.pages import site

    loaded = load_profile(profile)
    folder = opened_report(profile)
    answer = folder / "answer.html"
    if not answer.is_file():
        raise StudyError(f"{answer}: is not there; execute 05_analysis, which writes it, before chapters are bound")
    without = OF_THE_PAPER if loaded.own_data else None
    return site(notebooks, folder / "chapters", loaded.title, answer.read_text(encoding="utf-8"), without)


def show_pictures(
    study: Study,
    role: str,
    image_ids: Sequence[str],
    name: str,
    predictions: "pd.DataFrame | None" = None,
    heading: str = "",
) -> "Figure":
    """Pictures of the source or target with their labels, and with predictions of them, as the report may show them.

    Where the profile keeps photographs out of reports, the same figure with them is in ``runs/<profile>/figures``.
    """
    from monkey_transfer import plots  # a second to import, and the workflow needs none of it

    dataset, shown = study.dataset(role), study.profile.pictures_in_reports
    if not shown:
        photographs = plots.picture_grid(dataset, image_ids, True, predictions=predictions, heading=heading)
        _save(photographs, runs_folder() / study.profile.name / "figures" / f"{name}.png")
    return plots.picture_grid(dataset, image_ids, shown, predictions=predictions, heading=heading)


def save_figure(study: Study, name: str, figure: "Figure") -> None:
    """Keep a figure of the report as ``figures/<name>.png``."""
    _save(figure, report_of(study) / "figures" / f"{name}.png")


def save_table(study: Study, name: str, table: "pd.DataFrame") -> None:
    """Keep a table of the report as ``tables/<name>.csv``; every row says what kind of pictures it is of."""
    with written(report_of(study) / "tables" / f"{name}.csv") as unfinished:
        table.assign(pictures=study.pictures).to_csv(unfinished, index=False, float_format="%.6g")


def _save(figure: "Figure", file: Path) -> None:
    drawn = io.BytesIO()
    figure.savefig(drawn, format="png")
    with written(file) as unfinished:
        unfinished.write_bytes(small_png(drawn.getvalue()))


def _show(profile: str) -> None:
    """Print the answer, without what only a page can show, and where the pages are."""
    folder = report_folder(load_profile(profile).name)
    if not (folder / "answer.md").is_file():
        raise StudyError(f"{folder / 'answer.md'}: is not there yet; make study PROFILE={profile} writes it")
    text = (folder / "answer.md").read_text(encoding="utf-8")
    lines = [line for line in text.splitlines() if not line.startswith("![")]
    print("\n".join(lines).replace("<br>", " ").replace("<small>", "").replace("</small>", ""))
    print(f"{folder / 'answer.html'} has it with its figure, {folder / 'chapters' / 'index.html'} the chapters.")


def main() -> None:
    """The commands that the workflow and the Makefile call."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(required=True)
    show, weights, binding, run = (commands.add_parser(name) for name in ("show", "weights", "bind", "execute"))
    for command in (show, weights, binding):
        command.add_argument("profile")
    binding.add_argument("notebooks", type=Path, nargs="+")
    run.add_argument("notebook", type=Path)
    run.add_argument("output", type=Path)
    run.add_argument("--profile", required=True)
    run.add_argument("--arm", default=argparse.SUPPRESS)
    for number in ("--seed", "--images"):
        run.add_argument(number, type=int, default=argparse.SUPPRESS)
    show.set_defaults(do=_show)
    weights.set_defaults(do=lambda profile: find_weights(load_profile(profile)))
    binding.set_defaults(do=bind)
    run.set_defaults(do=lambda notebook, output, **parameters: execute(notebook, output, parameters))
    asked = vars(parser.parse_args())
    print_any_letters()
    try:
        with clear_disk_errors():
            asked.pop("do")(**asked)
    except StudyError as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
