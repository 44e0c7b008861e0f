import numpy as np
import pandas as pd
import pytest
from hypothesis import given, settings
from metric_tables import arms, matched

from monkey_transfer.metrics.matching import in_frame
from monkey_transfer.metrics.rmse import errors, errors_at_best_f1


def test_by_hand():
    found = errors(matched([(3, 4), (0, 5), (-3, 0)], [1, 1, 1]).joints)
    assert found.x == pytest.approx(np.sqrt(18 / 3))
    assert found.y == pytest.approx(np.sqrt(41 / 3))
    assert found.distance == pytest.approx(np.sqrt(59 / 3))
    assert found.normalised == pytest.approx(np.sqrt(59 / 3) / 10)
    assert found.mean_distance == pytest.approx(13 / 3)
    assert found.joints == 3


@settings(deadline=None)
@given(arms())
def test_distance_squared_is_the_sum_of_the_axes_and_bounds_the_mean(arm):
    found = errors(arm.joints)
    assert found.distance**2 == pytest.approx(found.x**2 + found.y**2)
    assert found.mean_distance <= found.distance * (1 + 1e-12)
    assert found.mean_distance == pytest.approx(np.linalg.norm(arm.joints[["dx", "dy"]], axis=1).mean())


def test_at_best_f1_only_what_is_kept_counts():
    joints = matched([(3, 0), (1, 0), (40, 0), (60, 0)], [0.9, 0.8, 0.3, 0.2]).joints
    assert errors_at_best_f1(joints) == errors(joints.head(2))
    assert errors(joints).distance > 30


def test_without_a_correct_prediction_there_is_no_best_threshold_and_no_error_at_it():
    found = errors_at_best_f1(matched([(40, 0), (60, 0)], [0.9, 0.2]).joints)
    assert found.joints == 0
    assert np.isnan(found.distance)


def test_another_frame_scales_pixels():
    arm = matched([(3, 4), (0, 5)], [1, 1])
    seen = errors(in_frame(arm, pd.Series({"p000": 2.0, "p001": 2.0})).joints)
    assert seen.distance == pytest.approx(2 * errors(arm.joints).distance)
    assert seen.normalised == errors(arm.joints).normalised
