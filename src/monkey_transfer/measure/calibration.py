"""What a network's likelihoods are worth: how often it is right where it says so, on people whom it did not learn."""

from collections.abc import Callable

import numpy as np
from sklearn.linear_model import LogisticRegression

from monkey_transfer.measure.matched import matched
from monkey_transfer.study.opening import Study
from monkey_transfer.study.runs import Run

# Likelihoods are kept so far from 0 and 1, where a logit ends.
_NEAR = 1e-6


def calibrated(study: Study, run: Run) -> Callable[[np.ndarray], np.ndarray]:
    """The function from a run's likelihoods to the share of joints that are correct where it says so, 0 to 1.

    Its logarithmic odds are a straight line in those of the likelihood (Platt, "Probabilistic outputs for support
    vector machines", 1999), fitted to the joints of the validation people of the run's seed: two numbers, which few
    people can carry. Correct is what the profile's yardstick calls so. NaN stays NaN.
    """
    joints = matched(
        study, run.predictions("threshold"), people=study.target.subset(study.threshold_people(run))
    ).joints
    right = joints["correct"].to_numpy()
    if right.all() or not right.any():
        return lambda likelihood: np.where(np.isnan(likelihood), np.nan, float(right[0]))
    fitted = LogisticRegression(C=np.inf).fit(_odds(joints["likelihood"].to_numpy())[:, None], right)

    def share(likelihood: np.ndarray) -> np.ndarray:
        known = ~np.isnan(likelihood)
        found = np.full(len(likelihood), np.nan)
        if known.any():
            found[known] = fitted.predict_proba(_odds(likelihood[known])[:, None])[:, 1]
        return found

    return share


def _odds(likelihood: np.ndarray) -> np.ndarray:
    inside = np.clip(likelihood, _NEAR, 1 - _NEAR)
    return np.log(inside / (1 - inside))
