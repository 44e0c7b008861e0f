"""Scores against labelled people, on people of the data set that was learnt and on people of another, side by side."""

import pandas as pd
from matplotlib.figure import Figure
from matplotlib.pyplot import subplots

from monkey_transfer.errors import StudyError
from monkey_transfer.plots import style
from monkey_transfer.plots.learning import draw_by_people


@style.figure
def here_and_elsewhere(scores: dict[str, pd.DataFrame], titles: dict[str, str], *, rendered: bool) -> Figure:
    """One panel for each data set, of one scale where both are measured alike.

    Parameters
    ----------
    scores : name of the data set -> rows as for :func:`monkey_transfer.plots.learning.by_people`, of the same arms. A
        finished network is a point at no people.
    titles : name of the data set -> title of the score there.

    Raises StudyError unless there are two data sets, and as ``by_people``.
    """
    if len(scores) != 2:
        raise StudyError(f"a figure of two data sets: expected the scores on two, found {len(scores)}")
    drawn, panels = subplots(1, 2, figsize=(style.WIDTH, 4.6), sharey=len(set(titles.values())) == 1)
    for axes, (name, table) in zip(panels, scores.items(), strict=True):
        draw_by_people(axes, table, titles[name], None)
        axes.set_title(f"people of {name}")
    top = max(axes.get_ylim()[1] for axes in panels)
    if len(set(titles.values())) == 1:
        panels[0].set_ylim(0, top)
        panels[1].set_ylabel("")
    style.legend_beside(panels[1])
    style.footnote(drawn, style.how_sure(pd.concat(scores.values())))
    style.set_title(drawn, "The people that were learnt from, and others", rendered)
    return drawn
