"""The engines that a profile may name."""

from typing import Annotated, Any

from pydantic import PlainValidator, SerializeAsAny

from monkey_transfer.networks.engine import Engine, Training
from monkey_transfer.networks.tensorflow.engine import TensorFlow

ENGINES: dict[str, Engine] = {engine.name: engine for engine in (TensorFlow(),)}
# That of a profile, or of a finished run's specification, which names none.
DEFAULT_ENGINE = TensorFlow.name


def engine_of(training: Training) -> Engine:
    """The engine that a network is trained on."""
    return ENGINES[training.engine]


def _of_its_engine(value: Any) -> Training:
    name = value.get("engine", DEFAULT_ENGINE) if isinstance(value, dict) else getattr(value, "engine", None)
    if name not in list(ENGINES):  # a file may name it by a list or by keys
        raise ValueError(f"expected keys and values; engine, if it is named, is one of {', '.join(ENGINES)}")
    return ENGINES[name].settings.model_validate(value)


# Written out as the settings of its engine, whose defaults are not those that all engines share.
AnyTraining = Annotated[SerializeAsAny[Training], PlainValidator(_of_its_engine)]
