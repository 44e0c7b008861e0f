"""The engines that a profile may name."""

from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from monkey_transfer.networks.engine import Engine, Training
from monkey_transfer.networks.pytorch.engine import PyTorch
from monkey_transfer.networks.tensorflow.engine import TensorFlow
from monkey_transfer.networks.tflite.engine import TFLite

ENGINES: dict[str, Engine] = {engine.name: engine for engine in (TensorFlow(), PyTorch(), TFLite())}
# By the init of an arm, the engine that has the network.
ENGINE_THAT_PUBLISHES = {init: engine for engine in ENGINES.values() for init in engine.published}
# That of a profile, or of a finished run's specification, which names none.
DEFAULT_ENGINE = TensorFlow.name


def engine_of(training: Training) -> Engine:
    """The engine that a network is trained on."""
    return ENGINES[training.engine]


class _OfItsEngine:
    """Has pydantic read settings as those of the engine that they name."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        def named(value: Any) -> Any:
            return {"engine": DEFAULT_ENGINE} | value if isinstance(value, dict) else value

        settings = {name: handler.generate_schema(engine.settings) for name, engine in ENGINES.items()}
        return core_schema.no_info_before_validator_function(named, core_schema.tagged_union_schema(settings, "engine"))


AnyTraining = Annotated[Training, _OfItsEngine()]
