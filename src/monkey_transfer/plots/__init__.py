"""Figures of the study: tables in, a matplotlib Figure out, all in one style.

``pictures`` draws people with their skeletons, ``exploration`` what the data sets are like, ``learning`` scores
against labelled people, ``extrapolation`` how these may go on and what fewer promised, ``differences`` pairs of arms
and the figure of the answer, ``results`` training, errors and joints, ``confidences`` what networks know of their
errors, ``by_rarity`` how scores change with rare poses, ``by_tilt`` how with tilted people, ``angles`` how joint angles
agree with labels, ``labellings`` how far two labellings are apart, ``two_data_sets`` the same arms on people of two;
``style`` holds what they share.

Every figure says in its title where its pictures are rendered: ``rendered`` has no default, so that nobody forgets it.
``title`` is that of the score, for the axis. Tables are those of :mod:`monkey_transfer.measure`: rows of one number of
people for each arm, with ``value, low, high`` and, for the line under the title, ``seeds, over, note``.
"""

from monkey_transfer.plots.angles import agreement_of_angles
from monkey_transfer.plots.by_rarity import accuracy_by_rarity, advantage_by_rarity
from monkey_transfer.plots.by_tilt import differences_by_tilt, scores_by_tilt
from monkey_transfer.plots.confidences import calibration, confidence_histograms, roc_curves
from monkey_transfer.plots.differences import answer, differences, joint_differences
from monkey_transfer.plots.exploration import joint_coverage, pose_space, sizes
from monkey_transfer.plots.extrapolation import extrapolations, forecasts
from monkey_transfer.plots.labellings import two_labellings
from monkey_transfer.plots.learning import by_people, equivalents
from monkey_transfer.plots.pictures import picture_grid
from monkey_transfer.plots.results import by_joint, error_distribution, error_types, learning_curves, threshold_curve
from monkey_transfer.plots.two_data_sets import here_and_elsewhere
