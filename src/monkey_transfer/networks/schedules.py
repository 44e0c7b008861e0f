"""Learning rates that fall in steps, as DeepLabCut writes them in ``multi_step``."""

from monkey_transfer.settings import Positive, PositiveNumber

# (learning rate, last iteration at which it holds), one after the other
Steps = tuple[tuple[PositiveNumber, Positive], ...]


def rate_of(steps: Steps, iteration: int) -> float:
    """What DeepLabCut's ``LearningRate`` gives that is asked for each iteration, from 0, in turn."""
    return next(rate for rate, last in steps if iteration <= last)


def refuse_gaps(steps: Steps, iterations: int, key: str = "multi_step") -> None:
    """Raise ValueError, which names them by their key, if steps do not rise to the last iteration."""
    ends = [end for _, end in steps]
    if not ends or ends != sorted(set(ends)):
        raise ValueError(f"{key}: expected rising last iterations, such as [[0.001, 800], [0.0001, 1000]]")
    if ends[-1] < iterations:
        raise ValueError(f"{key} ends at iteration {ends[-1]}, before iterations {iterations}")


def refuse_one_rate(steps: Steps, iterations: int, key: str = "multi_step") -> None:
    """Raise ValueError, which names them by their key, if later steps are never reached."""
    (rate, end), *later = steps
    if later and end >= iterations:
        raise ValueError(
            f"{key}: the rate stays {rate:g}, whose step ends at iteration {end} and the training at "
            f"{iterations}; end it sooner, or write [[{rate:g}, {iterations}]] if one rate is meant"
        )
