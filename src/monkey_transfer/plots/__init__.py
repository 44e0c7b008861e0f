"""Figures of the study: tables in, a matplotlib Figure out, all in one style.

``pictures`` draws people with their skeletons, ``exploration`` what the data sets are like, ``results``
what the networks learnt, ``controls`` how arms compare over numbers of people, ``rarity`` how that changes with rare
poses; ``style`` holds what they share.
"""

from monkey_transfer.plots.controls import by_people, comparisons, contrasts, equivalents, joint_differences
from monkey_transfer.plots.exploration import joint_coverage, pose_space, sizes
from monkey_transfer.plots.pictures import picture_grid
from monkey_transfer.plots.rarity import accuracy_by_rarity, advantage_by_rarity
from monkey_transfer.plots.results import (
    by_joint,
    calibration,
    confidence_histograms,
    error_distribution,
    learning_curves,
    roc_curves,
    threshold_curve,
)

__all__ = [
    "accuracy_by_rarity",
    "advantage_by_rarity",
    "by_joint",
    "by_people",
    "calibration",
    "comparisons",
    "confidence_histograms",
    "contrasts",
    "equivalents",
    "error_distribution",
    "joint_coverage",
    "joint_differences",
    "learning_curves",
    "picture_grid",
    "pose_space",
    "roc_curves",
    "sizes",
    "threshold_curve",
]
