"""What two labellings of the same photographs say of labels and of networks, in words."""

import pandas as pd

from monkey_transfer.measure.ceiling import (
    AGREE,
    MOST,
    SLIPS,
    UNDONE,
    VAGUE,
    Ceiling,
    explained,
    overall,
)
from monkey_transfer.measure.labelled_twice import FOUND
from monkey_transfer.metrics import pckh
from monkey_transfer.metrics.written import bracketed, rows_of
from monkey_transfer.study.opening import Study
from monkey_transfer.tell.words import listed, score_title

_READINGS = {
    AGREE: "two labellings agree",
    UNDONE: "they would, were left and right never mistaken",
    SLIPS: "what a network that finds every joint would score, were labels either right or far off",
    VAGUE: "what it would score, were labels off by as much as each joint is hard to tell",
    MOST: "what no network can score more than",
}
# A score of nobody in particular, to say what labels take from it.
_EXAMPLE = 80


def on_labellings(study: Study, ceiling: Ceiling) -> str:
    """How well two labellings of the target's photographs agree and what that means for a network; in markdown."""
    if ceiling.labellings is None:
        if study.rendered:
            return "Rendered people are labelled by the program that draws them: no label is off, none is there twice."
        return "No photograph of the target is labelled twice, so how well two labellings agree is not known."
    table, joints = ceiling.table, pckh.scored(ceiling.labellings.joints)
    photographs = ceiling.labellings.people["group"].nunique()
    counts = ceiling.pairs["found"].value_counts()
    pairs = listed(f"{counts[kind]} {kind}" for kind in FOUND if kind in counts)
    # Every pair was measured both ways.
    first = (
        f"**Two labellings of one photograph agree on {_written(table, AGREE)} % of the joints** "
        f"({score_title(study.profile)}; {len(joints) // 2:,} joints, {photographs} photographs). Pairs of pictures "
        f"that look alike: {pairs}."
    )
    rows = "\n".join(f"| {words} | {_written(table, reading)} |" for reading, words in _READINGS.items())
    least, most = (bracketed(row, "pck") for row in rows_of(explained(table, _EXAMPLE)))
    last = (
        f"From a network that finds {_EXAMPLE} % of the joints by right labels, labels like these take {least} to "
        f"{most} points. Intervals are over photographs."
    )
    return f"{first}\n\n| | % of the joints |\n|---|---:|\n{rows}\n\n{last}"


def _written(table: pd.DataFrame, reading: str) -> str:
    row = overall(table, reading)
    return bracketed(row, row.metric)
