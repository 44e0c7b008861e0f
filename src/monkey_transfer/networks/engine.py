"""What the study asks of an engine, and what a profile says of training on any."""

from typing import Literal

from monkey_transfer.settings import Positive, Probability, Settings


class StopRule(Settings):
    """When training ends before its last iteration.

    ``validation_plateau``: the mean error on the validation people has not fallen by
    ``min_improvement`` (relative) for ``patience`` validations in a row.
    ``training_loss_plateau``: the same of the training loss, which is the paper's rule
    (section 2.3: "halted when the loss began to plateau").
    """

    rule: Literal["validation_plateau", "training_loss_plateau", "none"] = "none"
    patience: Positive = 5
    min_improvement: Probability = 0.01
