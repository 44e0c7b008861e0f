"""A MobileNet that gives one picture one answer.

DeepLabCut 3.0.2 builds its MobileNets in training mode always, so that at prediction each batch is normalised by its
own mean and variance and a picture's pose depends on its neighbours (``pose_estimation_tensorflow/nnets/mobilenet.py``
uses ``training_scope()`` as it is). Here that is so in training only; prediction uses the stored statistics.
"""

import warnings

import tf_slim as slim
from deeplabcut.pose_estimation_tensorflow.nnets import PoseNetFactory
from deeplabcut.pose_estimation_tensorflow.nnets.mobilenet import PoseMobileNet, networks

# Slim's 0.997 averages over about 330 batches, longer than a small study's learning rate stands
# still. The losses of a training do not depend on it.
STATISTICS_DECAY = 0.99


class StoredStatisticsMobileNet(PoseMobileNet):
    """DeepLabCut's MobileNet, batch-normalised by stored statistics wherever it is not training."""

    _is_training = False

    def train(self, batch):
        """The losses for one batch, as DeepLabCut defines them, with batch statistics."""
        self._is_training = True
        try:
            return super().train(batch)
        finally:
            self._is_training = False

    def extract_features(self, inputs):
        """Backbone features (batch, height / 16, width / 16, channels) and the layers before them."""
        backbone, scope = networks[self.cfg["net_type"]]
        with slim.arg_scope(scope(is_training=self._is_training, bn_decay=STATISTICS_DECAY)):
            return backbone(self.center_inputs(inputs))


def register() -> None:
    """Make DeepLabCut's factory build this MobileNet, in this process, wherever it is asked for one."""
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # that it replaces DeepLabCut's is the purpose
        PoseNetFactory.register("mobilenet")(StoredStatisticsMobileNet)
