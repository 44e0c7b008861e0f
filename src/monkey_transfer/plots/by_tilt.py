"""How scores, and differences of arms, change from upright people to tilted ones."""

import textwrap
from collections.abc import Mapping

import pandas as pd
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.pyplot import subplots

from monkey_transfer.metrics import written
from monkey_transfer.plots import style
from monkey_transfer.profiles.profile import TILTED_LESS_UPRIGHT

# Upright people are drawn above tilted ones.
_COLOURS = {"upright": style.GREY, "tilted": "#d55e00"}
_APART = 0.17  # of a row
_LONGEST_LABEL = 34  # characters in a line beside a row


@style.figure
def scores_by_tilt(
    scores: pd.DataFrame, people: Mapping[str, int], title: str, *, rendered: bool, heading: str = "Score by tilt"
) -> Figure:
    """A share of joints by tilt of the person, in percent, with 95 % intervals; arms stand beside each other.

    Parameters
    ----------
    scores : of one metric: ``arm, tilt, value, low, high, seeds, over, note``. Groups that ``people`` does not have are
        passed over.
    people : the groups from left to right, and how many people they have.
    title : what the axis counts.

    Raises StudyError if no row is left, or two are of one arm and tilt.
    """
    places = {tilt: place for place, tilt in enumerate(people)}
    scores = scores[scores["tilt"].isin(places)]
    style.refuse_double(scores, ("arm", "tilt"), "a figure of tilt")
    scores = scores.assign(place=scores["tilt"].map(places))
    drawn, axes = subplots(figsize=(style.WIDTH, 4.2))
    style.draw_arms(axes, scores, "place", 0.7, lw=0.8)
    style.percent_from_zero(axes, scores[["value", "high"]])
    axes.set_ylabel(title)
    axes.set_xticks(range(len(places)), [f"{tilt}\n{number:,} people" for tilt, number in people.items()])
    axes.set_xlim(-0.5, len(places) - 0.5)
    axes.grid(axis="x", visible=False)
    style.subtitle(axes, style.how_sure(scores))
    style.set_title(drawn, heading, rendered)
    style.legend_beside(axes)
    return drawn


@style.figure
def differences_by_tilt(table: pd.DataFrame, title: str, *, rendered: bool, heading: str) -> Figure:
    """Differences among upright and tilted people, one row each; at the right how much more they are among the tilted.

    Parameters
    ----------
    table : ``row`` (what is compared, or at which joint), ``tilt, value`` (points) ``, low, high, seeds, over, note``.
        Drawn are 'upright', 'tilted' and 'tilted - upright', whose numbers stand beside it.
    title : what the points are of.

    Raises StudyError if no row is left, or two have one ``row`` and tilt.
    """
    table = table[table["tilt"].isin([*_COLOURS, TILTED_LESS_UPRIGHT])]
    style.refuse_double(table, ("row", "tilt"), "a figure of differences by tilt")
    rows = {row: place for place, row in enumerate(table["row"].unique())}
    drawn, (parts, interaction) = subplots(
        1, 2, figsize=(style.WIDTH, 0.42 * len(rows) + 1.9), sharey=True, width_ratios=[1.25, 1]
    )
    for (tilt, colour), shift in zip(_COLOURS.items(), (-_APART, _APART), strict=True):
        _draw(parts, table[table["tilt"] == tilt], rows, shift, colour, f"{tilt} people")
    more = table[table["tilt"] == TILTED_LESS_UPRIGHT]
    _draw(interaction, more, rows, 0, style.INK)
    beside = {"transform": interaction.get_yaxis_transform(), "va": "center", "fontsize": 9}
    for row in written.rows_of(more):
        interaction.text(1.02, rows[row.row], written.in_points(row), **beside)
    names = ["\n".join(textwrap.wrap(style.words(row).replace(" - ", " minus "), _LONGEST_LABEL)) for row in rows]
    parts.set_yticks(range(len(rows)), names)
    parts.set_ylim(len(rows) - 0.5, -0.5)
    for axes, name in ((parts, "difference"), (interaction, "tilted minus upright")):
        axes.axvline(0, color=style.INK, lw=1)
        axes.set_xlabel(f"{name} (points)")
        axes.grid(axis="y", visible=False)
    style.subtitle(parts, f"{title}, {style.how_sure(table)}")
    style.set_title(drawn, heading, rendered)
    style.legend_below(drawn, parts)
    return drawn


def _draw(axes: Axes, table: pd.DataFrame, rows: Mapping[str, int], shift: float, colour: str, label: str = "") -> None:
    places = table["row"].map(rows) + shift
    axes.hlines(places, table["low"], table["high"], color=colour, lw=2)
    axes.plot(table["value"], places, "o", color=colour, ms=6, label=label or None)
