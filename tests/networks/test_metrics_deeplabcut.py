import numpy as np
import pandas as pd
import pytest

from monkey_transfer.metrics.headline import headline
from monkey_transfer.metrics.matching import match


@pytest.mark.slow
def test_mean_distance_is_what_deeplabcut_calls_rmse():
    evaluate = pytest.importorskip("deeplabcut.pose_estimation_tensorflow.core.evaluate")
    rng = np.random.default_rng(0)
    images, keypoints = [f"im{i}" for i in range(30)], ["right_knee", "left_knee", "head_top"]
    truth, predicted = rng.uniform(0, 200, (2, 30, 3, 2))
    truth[rng.random((30, 3)) < 0.2] = np.nan

    index = pd.MultiIndex.from_product([images, keypoints], names=["image_id", "keypoint"])
    labels = pd.DataFrame(truth.reshape(-1, 2), columns=["x", "y"], index=index).reset_index()
    labels = labels.assign(labelled=labels["x"].notna(), visible=labels["x"].notna())
    predictions = pd.DataFrame(predicted.reshape(-1, 2), columns=["x", "y"], index=index).reset_index()
    predictions["likelihood"] = rng.random(len(predictions))
    lengths = pd.DataFrame({"image_id": images, "name": "head_size", "length": 20.0})
    arm = match(labels, predictions, lengths)
    ours = headline(arm)(np.ones((1, len(arm.people)), int))

    def wide(points, scorer, values):
        columns = pd.MultiIndex.from_product([[scorer], keypoints, values])
        return pd.DataFrame(points.reshape(30, -1), index=images, columns=columns)

    confident = np.concatenate([predicted, predictions["likelihood"].to_numpy().reshape(30, 3, 1)], axis=2)
    combined = pd.concat(
        [wide(truth, "human", ["x", "y"]), wide(confident, "network", ["x", "y", "likelihood"])], axis=1
    )
    distances, _ = evaluate.pairwisedistances(combined, "human", "network")
    assert ours["mean_distance"] == pytest.approx(np.nanmean(distances.to_numpy()))
    assert len(arm.joints) == np.isfinite(distances.to_numpy()).sum()
