import numpy as np
import pytest
from hypothesis import assume, given, settings
from metric_tables import arms, matched
from scipy.integrate import trapezoid
from sklearn.metrics import precision_recall_curve, roc_auc_score

from monkey_transfer.errors import StudyError
from monkey_transfer.metrics import detection

RIGHT, WRONG = (0, 0), (9, 0)


@pytest.mark.parametrize(
    "errors, confidences, threshold",
    [
        # F1 is 2/4 at 0.9, 4/6 at 0.8 (both or neither of two equal ones), 4/7 at 0.3 and 6/8 at 0.2.
        ([RIGHT, RIGHT, WRONG, WRONG, RIGHT], [0.9, 0.8, 0.8, 0.3, 0.2], 0.2),
        # 2/4, 4/5, 4/6, 4/7, 6/8; over all labelled joints instead of its own correct ones 0.5 would be best.
        ([RIGHT, RIGHT, WRONG, WRONG, RIGHT], [0.9, 0.8, 0.7, 0.6, 0.5], 0.8),
        # 2/3, 2/4, 2/5, 4/6: of equal ones the highest.
        ([RIGHT, WRONG, WRONG, RIGHT], [0.9, 0.8, 0.7, 0.6], 0.9),
        ([RIGHT, WRONG, WRONG, RIGHT, RIGHT], [0.7] * 5, 0.7),
        ([WRONG, RIGHT], [1.0, 0.0], 0.0),
    ],
)
def test_the_threshold_of_the_best_f1_by_hand(errors, confidences, threshold):
    assert detection.threshold_of(matched(errors, confidences).joints) == threshold


def test_without_a_correct_prediction_no_threshold_is_best():
    assert np.isnan(detection.threshold_of(matched([WRONG, WRONG], [0.7, 0.2]).joints))


@settings(deadline=None, max_examples=50)
@given(arms())
def test_agrees_with_scikit_learn(arm):
    joints = arm.joints
    correct, confidence = joints["correct"], joints["likelihood"]
    assume(0 < correct.sum() < len(joints))
    curve = detection.roc(joints)
    area = trapezoid(curve["true_positive_rate"], curve["false_positive_rate"])
    assert area == pytest.approx(roc_auc_score(correct, confidence), abs=1e-12)
    precision, recall, threshold = precision_recall_curve(correct, confidence)
    f1 = 2 * precision * recall / np.where(precision + recall > 0, precision + recall, 1)
    best = np.flatnonzero(np.isclose(f1, f1.max(), rtol=1e-12)).max()
    assert detection.threshold_of(joints) == threshold[best]


@pytest.mark.parametrize("error", [RIGHT, WRONG])
def test_one_class_has_no_roc(error):
    assert detection.roc(matched([error] * 3, [0.1, 0.2, 0.3]).joints).empty


@pytest.mark.parametrize("likelihood", [np.nan, -0.1, 1.1])
def test_a_confidence_outside_0_to_1_is_named(likelihood):
    joints = matched([RIGHT, RIGHT], [0.5, likelihood]).joints
    for metric in (detection.roc, detection.threshold_of):
        with pytest.raises(StudyError, match="'right_wrist' of picture 'p001'"):
            metric(joints)
