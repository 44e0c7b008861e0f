"""The engines that a profile may name."""

from typing import Annotated, Any

from pydantic import GetCoreSchemaHandler
from pydantic_core import CoreSchema, core_schema

from monkey_transfer.networks.engine import Engine, Training
from monkey_transfer.networks.tensorflow.engine import TensorFlow

ENGINES: dict[str, Engine] = {engine.name: engine for engine in (TensorFlow(),)}
# That of a profile, or of a finished run's specification, which names none.
DEFAULT_ENGINE = TensorFlow.name


def engine_of(training: Training) -> Engine:
    """The engine that a network is trained on."""
    return ENGINES[training.engine]


class _OfItsEngine:
    """Has pydantic read settings as those of the engine that they name."""

    def __get_pydantic_core_schema__(self, source: Any, handler: GetCoreSchemaHandler) -> CoreSchema:
        def named(value: Any) -> Any:
            return value.get("engine", DEFAULT_ENGINE) if isinstance(value, dict) else getattr(value, "engine", None)

        return core_schema.tagged_union_schema(
            {name: handler.generate_schema(engine.settings) for name, engine in ENGINES.items()},
            named,
            custom_error_type="engine",
            custom_error_message=f"expected keys and values; engine, if it is named, is one of {', '.join(ENGINES)}",
        )


AnyTraining = Annotated[Training, _OfItsEngine()]
