import numpy as np
import pytest
from hypothesis import assume, given, settings
from metric_tables import arms, matched
from scipy.integrate import trapezoid
from sklearn.metrics import average_precision_score, precision_recall_curve, roc_auc_score

from monkey_transfer.errors import StudyError
from monkey_transfer.metrics import detection

RIGHT, WRONG = (0, 0), (9, 0)
# Confidence 0.9 right, 0.8 right and wrong, 0.3 wrong, 0.2 right.
HAND = matched([RIGHT, RIGHT, WRONG, WRONG, RIGHT], [0.9, 0.8, 0.8, 0.3, 0.2]).joints


def test_counts_and_ratios_by_hand():
    table = detection.at_each_threshold(HAND)
    assert table["threshold"].tolist() == [0.9, 0.8, 0.3, 0.2]
    assert table["kept"].tolist() == [1, 3, 4, 5]
    assert table["correct_kept"].tolist() == [1, 2, 2, 3]
    assert table["precision"].tolist() == pytest.approx([1, 2 / 3, 1 / 2, 3 / 5])
    assert table["recall_over_own_correct"].tolist() == pytest.approx([1 / 3, 2 / 3, 2 / 3, 1])
    assert table["recall_over_all_labelled"].tolist() == pytest.approx([1 / 5, 2 / 5, 2 / 5, 3 / 5])
    best = detection.best_f1(HAND)
    assert (best.threshold, best.kept, best.correct_kept, best.correct, best.labelled) == (0.2, 5, 3, 3, 5)
    assert best.f1 == pytest.approx(2 * 0.6 / 1.6)


def test_of_equal_f1_the_highest_threshold_is_taken():
    joints = matched([RIGHT, WRONG, WRONG, RIGHT], [0.9, 0.8, 0.7, 0.6]).joints
    assert detection.at_each_threshold(joints)["f1_over_own_correct"].tolist()[::3] == [2 / 3, 4 / 6]
    assert detection.best_f1(joints).threshold == 0.9


def test_each_recall_has_its_own_best_threshold():
    # Over own correct (3) F1 is 4/5 at 0.8 and 6/8 at 0.5; over all labelled (5) it is 4/7 and 6/10.
    joints = matched([RIGHT, RIGHT, WRONG, WRONG, RIGHT], [0.9, 0.8, 0.7, 0.6, 0.5]).joints
    assert detection.best_f1(joints).threshold == 0.8
    assert detection.best_f1(joints, "recall_over_all_labelled").threshold == 0.5


@settings(deadline=None)
@given(arms())
def test_agrees_with_scikit_learn(arm):
    joints = arm.joints
    correct, confidence = joints["correct"], joints["likelihood"]
    assume(0 < correct.sum() < len(joints))
    assert detection.roc(joints).auc == pytest.approx(roc_auc_score(correct, confidence), abs=1e-12)
    assert detection.average_precision(joints) == pytest.approx(average_precision_score(correct, confidence), abs=1e-12)
    precision, recall, threshold = precision_recall_curve(correct, confidence)
    table = detection.at_each_threshold(joints)[::-1]
    np.testing.assert_allclose(table["threshold"], threshold)
    np.testing.assert_allclose(table["precision"], precision[:-1])
    np.testing.assert_allclose(table["recall_over_own_correct"], recall[:-1])
    f1 = 2 * precision * recall / np.where(precision + recall > 0, precision + recall, 1)
    assert detection.best_f1(joints).f1 == pytest.approx(f1.max(), abs=1e-12)


@settings(deadline=None)
@given(arms())
def test_the_roc_curve_has_the_area_that_is_reported(arm):
    roc = detection.roc(arm.joints)
    if roc.reason:
        assert np.isnan(roc.auc)
        assert roc.curve.empty
    else:
        area = trapezoid(roc.curve["true_positive_rate"], roc.curve["false_positive_rate"])
        assert roc.auc == pytest.approx(area, abs=1e-12)


@pytest.mark.parametrize("error, word", [(RIGHT, "correct"), (WRONG, "wrong")])
def test_one_class_has_no_roc_and_says_why(error, word):
    roc = detection.roc(matched([error] * 3, [0.1, 0.2, 0.3]).joints)
    assert np.isnan(roc.auc)
    assert roc.reason == f"a ROC needs correct and wrong predictions, and all 3 are {word}"


def test_constant_confidence_ranks_nothing():
    joints = matched([RIGHT, WRONG, WRONG, RIGHT, RIGHT], [0.7] * 5).joints
    assert detection.roc(joints).auc == 0.5
    best = detection.best_f1(joints)
    assert (best.threshold, best.precision, best.recall_over_own_correct) == (0.7, 0.6, 1)
    assert detection.average_precision(joints) == pytest.approx(0.6)


def test_without_a_correct_prediction_no_threshold_is_best():
    joints = matched([WRONG, WRONG], [0.7, 0.2]).joints
    best = detection.best_f1(joints)
    assert best.f1 == 0
    assert np.isnan([best.threshold, best.precision, best.recall_over_own_correct]).all()
    assert (best.correct, best.labelled) == (0, 2)
    assert np.isnan(detection.average_precision(joints))


def test_a_better_prediction_can_worsen_auc_and_the_papers_recall():
    # The least confident prediction moves onto its label: more joints are found, and ranking looks worse.
    confidence = [0.9, 0.8, 0.7, 0.6, 0.5, 0.1]
    before = matched([RIGHT, RIGHT, WRONG, WRONG, WRONG, WRONG], confidence).joints
    after = matched([RIGHT, RIGHT, WRONG, WRONG, WRONG, RIGHT], confidence).joints
    assert detection.roc(before).auc == 1 > detection.roc(after).auc
    best_before, best_after = detection.best_f1(before), detection.best_f1(after)
    assert best_before.recall_over_own_correct == 1 > best_after.recall_over_own_correct
    assert best_before.recall_over_all_labelled == best_after.recall_over_all_labelled


def test_calibration_by_hand():
    joints = matched([RIGHT, WRONG, RIGHT, RIGHT], [0.1, 0.15, 0.95, 1.0]).joints
    reliability = detection.calibration(joints)
    assert reliability["low"].tolist() == pytest.approx([0.1, 0.9])
    assert reliability["joints"].tolist() == [2, 2]
    assert reliability["confidence"].tolist() == pytest.approx([0.125, 0.975])
    assert reliability["correct"].tolist() == [0.5, 1]
    assert detection.expected_calibration_error(reliability) == pytest.approx((0.375 + 0.025) / 2)


@settings(deadline=None)
@given(arms())
def test_every_prediction_is_in_one_calibration_bin_that_holds_it(arm):
    reliability = detection.calibration(arm.joints)
    assert reliability["joints"].sum() == len(arm.joints)
    assert reliability["confidence"].between(reliability["low"] - 1e-12, reliability["high"] + 1e-12).all()


@pytest.mark.parametrize("likelihood", [np.nan, -0.1, 1.1])
def test_a_confidence_outside_0_to_1_is_named(likelihood):
    joints = matched([RIGHT, RIGHT], [0.5, likelihood]).joints
    for metric in (detection.roc, detection.best_f1, detection.average_precision, detection.calibration):
        with pytest.raises(StudyError, match="'right_wrist' of picture 'p001'"):
            metric(joints)
