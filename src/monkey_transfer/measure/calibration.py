"""What a network's likelihoods are worth: how often it is right where it says so, on people whom it did not learn."""

from dataclasses import dataclass

import numpy as np
from sklearn.linear_model import LogisticRegression

from monkey_transfer.measure.matched import matched
from monkey_transfer.study.opening import Study
from monkey_transfer.study.runs import Run

# Likelihoods are kept so far from 0 and 1, where a logit ends.
_NEAR = 1e-6


@dataclass(frozen=True)
class Calibration:
    """How often joints are correct, by the likelihood that a network gives them.

    The logarithmic odds of that are a straight line in those of the likelihood (Platt, "Probabilistic outputs for
    support vector machines", 1999).

    Attributes
    ----------
    slope, intercept : of that line. A slope of 0 says that the network's likelihoods tell nothing.
    joints, people : how many it was fitted to.
    """

    slope: float
    intercept: float
    joints: int
    people: int

    def share(self, likelihood: np.ndarray) -> np.ndarray:
        """The share of joints of each likelihood that are correct, 0 to 1; NaN stays NaN."""
        return 1 / (1 + np.exp(-self.intercept - self.slope * _odds(likelihood)))


def calibrated(study: Study, run: Run) -> Calibration:
    """The calibration of a run, on the validation people of its seed: correct is what the yardstick calls so.

    Where the surest of their joints would be the least likely to be right, or all or none are, all likelihoods become
    the share that is right, of which half a joint is taken for unknown.
    """
    joints = matched(study, study.held_out_predictions(run), people=study.held_out(run)).joints
    right, whom = joints["correct"].to_numpy(), (len(joints), joints["image_id"].nunique())
    if 0 < right.sum() < len(right):
        fitted = LogisticRegression(C=np.inf).fit(_odds(joints["likelihood"].to_numpy())[:, None], right)
        if (slope := float(fitted.coef_[0, 0])) > 0:
            return Calibration(slope, float(fitted.intercept_[0]), *whom)
    share = (right.sum() + 0.5) / (len(right) + 1)
    return Calibration(0.0, float(np.log(share / (1 - share))), *whom)


def _odds(likelihood: np.ndarray) -> np.ndarray:
    inside = np.clip(likelihood, _NEAR, 1 - _NEAR)
    return np.log(inside / (1 - inside))
