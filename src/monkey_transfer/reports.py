"""What a study leaves for readers: executed notebooks, HTML, summary.md, tables and figures.

Run as a program it is what the workflow calls:
``python -m monkey_transfer.reports execute NOTEBOOK OUTPUT --profile demo [--seed 0] [--arm transfer]``
``python -m monkey_transfer.reports html NOTEBOOK OUTPUT`` and ``python -m monkey_transfer.reports show PROFILE``.
"""

import argparse
import contextlib
import os
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import pandas as pd

from monkey_transfer.errors import StudyError
from monkey_transfer.networks.supervisor import HEADLESS
from monkey_transfer.profiles import ROOT, PersonCrop
from monkey_transfer.results import (
    TABLE_ONE_ROWS,
    Results,
    beside_the_paper,
    budget_in_words,
    comparisons,
)
from monkey_transfer.study import MEAN_POSE, Study


def report_folder(profile: str) -> Path:
    """Where the report of a profile is kept: ``reports/<profile>`` or below what MONKEY_TRANSFER_REPORTS names."""
    return Path(os.environ.get("MONKEY_TRANSFER_REPORTS", ROOT / "reports")) / profile


def check_parameters(notebook: Path, parameters: Mapping[str, Any]) -> None:
    """StudyError if the notebook's parameters cell does not know one of them; papermill would only warn."""
    import papermill

    known = papermill.inspect_notebook(str(notebook))
    unknown = sorted(set(parameters) - set(known))
    if unknown:
        raise StudyError(
            f"{notebook}: parameter '{unknown[0]}' is unknown; its parameters cell has {', '.join(known) or 'none'}"
        )


def execute(notebook: Path, output: Path, parameters: Mapping[str, Any]) -> None:
    """Run a notebook headless with those parameters; ``output`` is there when it ran to its end.

    Raises
    ------
    StudyError
        If a parameter is unknown, or a cell fails: with what the cell said. The notebook as far
        as it got is kept beside ``output`` with the ending ``.failed.ipynb``.
    """
    import papermill

    check_parameters(notebook, parameters)
    output.parent.mkdir(parents=True, exist_ok=True)
    unfinished = output.with_name(f"{output.stem}.failed.ipynb")
    os.environ[HEADLESS] = "1"
    try:
        with _kernel_messages_in(output.with_suffix(".log")):
            papermill.execute_notebook(
                str(notebook),
                str(unfinished),
                dict(parameters),
                cwd=str(ROOT),
                progress_bar=False,
                stdout_file=sys.stdout,
            )
    except papermill.PapermillExecutionError as error:
        said = f"{error.ename}: {error.evalue}"
        reason = error.evalue if error.ename == "StudyError" else said
        raise StudyError(f"{notebook.name}: {reason} (the notebook as far as it got: {unfinished})") from None
    _make_presentable(unfinished)
    unfinished.replace(output)


@contextlib.contextmanager
def _kernel_messages_in(log: Path) -> Iterator[None]:
    """Keep what the kernel says of itself out of the terminal; a failing cell is told in any case."""
    sys.stderr.flush()
    terminal = os.dup(2)
    with log.open("wb") as opened:
        os.dup2(opened.fileno(), 2)
        try:
            yield
        finally:
            os.dup2(terminal, 2)
            os.close(terminal)


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


def to_html(notebook: Path, output: Path) -> None:
    """A page of an executed notebook, without its code cells' prompts, that needs no server."""
    import nbformat
    from nbconvert import HTMLExporter

    exporter = HTMLExporter(template_name="classic", exclude_input_prompt=True, exclude_output_prompt=True)
    page, _ = exporter.from_notebook_node(nbformat.read(notebook, as_version=4))
    temporary = output.with_name(f".{output.name}.tmp")
    temporary.write_text(page, encoding="utf-8")
    temporary.replace(output)


def write_results(study: Study, results: Results) -> Path:
    """Write summary.md and the tables of a study; returns the summary's path."""
    folder = report_folder(study.profile.name)
    (folder / "tables").mkdir(parents=True, exist_ok=True)
    tables = {
        "values": results.values,
        "differences": results.differences,
        "over_seeds": results.spread(),
        "budgets": results.budgets,
        "leaks": results.leaks,
        "paper_comparison": beside_the_paper(results),
    }
    for name, table in tables.items():
        table.to_csv(folder / "tables" / f"{name}.csv", index=False, float_format="%.6g")
    summary = folder / "summary.md"
    summary.write_text(summary_text(study, results), encoding="utf-8")
    return summary


def save_figure(study: Study, name: str, figure) -> None:
    """Keep a figure of the report as ``figures/<name>.png``."""
    folder = report_folder(study.profile.name) / "figures"
    folder.mkdir(parents=True, exist_ok=True)
    figure.savefig(folder / f"{name}.png", dpi=110, bbox_inches="tight")


def summary_text(study: Study, results: Results) -> str:
    """summary.md: what was compared, with which budget, what came out and where it comes from."""
    profile = study.profile
    kind = "**rendered** pictures: a demonstration, not evidence about photographs" if study.rendered else "photographs"
    lines = [
        f"# {profile.title}",
        "",
        f"Profile `{profile.name}`, {len(study.test_people)} test people, the same for every arm, on {kind}. "
        f"Intervals are of 95 % over the test people ({results.values['resamples'].iloc[0]} resamples, "
        f"{results.values['method'].iloc[0]}); "
        f"seeds of training: {', '.join(map(str, profile.seeds))}. PCK is by `{profile.yardstick}`. "
        f"{framing_in_words(study)}",
        "",
        "## What came out",
        "",
        *(f"- {sentence}" for sentence in findings(study, results)),
        "",
        "## Every arm with its budget",
        "",
        arm_table(study, results).to_markdown(index=False),
        "",
        "`mean_pose` predicts the mean pose of the training people wherever it is asked: the floor. Recall is over "
        "each arm's own correct predictions, as in the paper, so its denominators differ from arm to arm; the last "
        "column is over all labelled joints and can be compared.",
        "",
        "## The paper's Table 1 beside ours",
        "",
        "The paper's pictures, networks and budget were others (see notebook 05 for every departure).",
        "",
        beside_the_paper(results).round(3).to_markdown(index=False),
        "",
        "## Paired differences on the joints that all arms have",
        "",
        comparisons(results).round(2).to_markdown(index=False),
        "",
        "## Could an arm have seen the test people?",
        "",
        results.leaks.to_markdown(index=False),
        "",
        "## Where the numbers come from",
        "",
        f"Split of the target: seed {profile.split_seed}, digest `{study.splits['target'].digest[:12]}`. "
        f"Run folders are `runs/{profile.name}/<arm>/n<pictures>-s<seed>`.",
        "",
        results.budgets[
            ["arm", "seed", "run_digest", "data_digest", "chosen_iteration", "stopped_by", "optimizer"]
        ].to_markdown(index=False),
        "",
    ]
    return "\n".join(lines)


def framing_in_words(study: Study) -> str:
    """How pictures were framed, and which box that took."""
    frame = study.profile.picture
    if isinstance(frame, PersonCrop):
        return (
            f"Every picture, of every arm, is cut to {frame.size} x {frame.size} pixels around the labelled box, "
            f"the longer side of which becomes {frame.person} pixels: a ground-truth box, in the words of top-down "
            "benchmarks."
        )
    return f"Every picture is shown whole, letterboxed to {frame.size} x {frame.size} pixels."


def arm_table(study: Study, results: Results) -> pd.DataFrame:
    """One row per arm and seed: its budget, then PCK and Table 1's numbers with their intervals."""
    columns = {
        results.score: "PCK@0.5 %",
        **TABLE_ONE_ROWS,
        "best_f1/recall_over_all_labelled": "recall over all labelled",
    }
    own = results.values[results.values["joints_of"] == "own"]
    numbers = {(row.seed, row.arm, row.metric): _with_interval(row) for row in own.itertuples()}
    budgets = {(row.seed, row.arm): budget_in_words(row) for row in results.budgets.itertuples()}
    pictures = "rendered" if study.rendered else "photographs"
    rows = []
    for seed in study.profile.seeds:
        for arm in [*study.profile.arms, MEAN_POSE]:
            cells = {name: numbers[(seed, arm, metric)] for metric, name in columns.items()}
            rows.append(
                {"pictures": pictures, "arm": arm, "seed": seed, "budget": budgets.get((seed, arm), "none"), **cells}
            )
    return pd.DataFrame(rows)


def findings(study: Study, results: Results) -> list[str]:
    """What the intervals of the paired differences say about each pair that the study is about, in words."""
    pairs = [("transfer", arm) for arm in study.profile.arms if arm != "transfer"]
    pairs += [(arm, MEAN_POSE) for arm in study.profile.arms]
    table = comparisons(results)
    return [_finding(a, b, _oriented(table, a, b), "rendered " if study.rendered else "") for a, b in pairs]


def _oriented(table: pd.DataFrame, a: str, b: str) -> pd.DataFrame:
    """Rows of the pair as a minus b, whichever way round the table has it."""
    straight = table[(table["arm_a"] == a) & (table["arm_b"] == b)]
    if len(straight):
        return straight
    turned = table[(table["arm_a"] == b) & (table["arm_b"] == a)]
    opposite = {"higher": "lower", "lower": "higher", "undecided": "undecided"}
    return turned.assign(
        difference=-turned["difference"],
        low=-turned["high"],
        high=-turned["low"],
        verdict=turned["verdict"].map(opposite),
    )


def _finding(a: str, b: str, rows: pd.DataFrame, rendered: str) -> str:
    numbers = "; ".join(f"{row.difference:+.1f} [{row.low:+.1f}, {row.high:+.1f}]" for row in rows.itertuples())
    verdicts = set(rows["verdict"])
    if verdicts == {"higher"}:
        words = f"`{a}` is better than `{b}`"
    elif verdicts == {"lower"}:
        words = f"`{a}` is worse than `{b}`"
    elif len(rows) > 1 and verdicts != {"undecided"}:
        words = f"`{a}` against `{b}` depends on the seed of training"
    else:
        words = f"`{a}` against `{b}` is undecided"
    return f"{words}: {numbers} points of PCK@0.5 on the {rendered}test people."


def _with_interval(row: Any) -> str:
    if pd.isna(row.value):
        return f"undefined ({row.note})"
    digits = 1 if abs(row.value) >= 10 else 3
    return f"{row.value:.{digits}f} [{row.low:.{digits}f}, {row.high:.{digits}f}]"


def main() -> None:
    """The commands that the workflow and the Makefile call."""
    parser = argparse.ArgumentParser(description=__doc__)
    commands = parser.add_subparsers(dest="command", required=True)
    run = commands.add_parser("execute")
    page = commands.add_parser("html")
    for command in (run, page):
        command.add_argument("notebook", type=Path)
        command.add_argument("output", type=Path)
    show = commands.add_parser("show")
    show.add_argument("profile")
    run.add_argument("--profile", required=True)
    run.add_argument("--seed", type=int)
    run.add_argument("--arm")
    asked = parser.parse_args()
    try:
        if asked.command == "show":
            print((report_folder(asked.profile) / "summary.md").read_text(encoding="utf-8"))
        elif asked.command == "html":
            to_html(asked.notebook, asked.output)
        else:
            parameters = {"profile": asked.profile, "seed": asked.seed, "arm": asked.arm}
            execute(asked.notebook, asked.output, {k: v for k, v in parameters.items() if v is not None})
    except (StudyError, OSError) as error:
        sys.exit(f"error: {error}")


if __name__ == "__main__":
    main()
