"""What one has today without labelling anybody: the answer page's section of finished networks."""

import pandas as pd

from monkey_transfer.measure.ceiling import hidden
from monkey_transfer.measure.comparisons import of_metric
from monkey_transfer.measure.results import Results
from monkey_transfer.measure.scores import Point
from monkey_transfer.metrics.written import bracketed, rows_of
from monkey_transfer.tell.where_it_helps import on_finished
from monkey_transfer.tell.words import chapters, counted, score_name


def without_labels(results: Results) -> list[str]:
    """The section's paragraphs; none where the profile tries no finished network on people."""
    profile = results.study.profile
    if not profile.finished_networks:
        return []
    transfer = results.people(Point("transfer", profile.asked_size("transfer")))
    return [
        "## What one has today without labelling anybody",
        f"Finished networks beside `transfer`, which took {transfer:,} labelled {counted(results.study)}; upright are "
        "those within 60 degrees, tilted those beyond 120. None of it was asked beforehand.",
        on_finished(results.study, results.where_it_helps),
        *_what_labels_hide(results),
    ]


def hidden_by_labels(results: Results) -> pd.DataFrame:
    """How many points more finished networks would score on the target by right labels, and what they score elsewhere.

    Returns arm, here, there (scores in percent) and :func:`monkey_transfer.measure.ceiling.hidden`. Empty where the
    target holds no photograph twice, or the two data sets are not measured alike.
    """
    study, score = results.study, score_name(results.study.profile)
    alike = study.elsewhere is not None and study.profile.elsewhere_yardstick == study.profile.yardstick
    if results.ceiling.table.empty or not alike:
        return pd.DataFrame()
    tables = {"here": results.table, "there": results.elsewhere}
    parts = []
    for arm in study.profile.finished_networks:
        scores = {
            where: float(of_metric(table[table["arm"] == arm], score)["value"].iloc[0])
            for where, table in tables.items()
        }
        parts.append(hidden(results.ceiling.table, scores["here"]).assign(arm=arm, **scores))
    return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame()


def _what_labels_hide(results: Results) -> list[str]:
    """The table in words: a sentence for each network."""
    table = hidden_by_labels(results)
    return [_hidden(results, str(arm), rows) for arm, rows in table.groupby("arm", sort=False)] if len(table) else []


def _hidden(results: Results, arm: str, rows: pd.DataFrame) -> str:
    here, there = (results.study.dataset(role).name for role in ("target", "elsewhere"))
    least, most = (bracketed(row, "pck") for row in rows_of(rows))
    more = rows["there"].iloc[0] - rows["here"].iloc[0]
    return (
        f"`{arm}` finds {more:+.1f} points on {there} beside {here}. By right labels it would find {least} to {most} "
        f"points more on {here}{chapters(results.study.profile, 'chapter 1')}; the rest is in the people and the "
        "pictures."
    )
