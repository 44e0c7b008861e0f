"""Learning rates that fall in steps, as DeepLabCut writes them in ``multi_step``."""

from monkey_transfer.settings import Positive, PositiveNumber

# (learning rate, last iteration at which it holds), one after the other
Steps = tuple[tuple[PositiveNumber, Positive], ...]
# Those of DeepLabCut 3.0.2's pose_cfg.yaml.
DEEPLABCUTS: Steps = ((0.005, 10_000), (0.02, 430_000), (0.002, 730_000), (0.001, 1_030_000))


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


def refuse_unreached(steps: Steps, iterations: int, key: str = "multi_step") -> None:
    """Raise ValueError, which names them by their key, if the training ends before the last step begins.

    But for DeepLabCut's own steps: the paper trained 164,000 iterations on their first two.
    """
    reached = 1 + sum(end < iterations for _, end in steps[:-1])
    (rate, end), (_, last) = steps[reached - 1], steps[-1]
    if reached == len(steps) or (steps == DEEPLABCUTS and reached > 1):
        return
    if reached == 1:
        raise ValueError(
            f"{key}: the rate stays {rate:g}, whose step ends at iteration {end} and the training at "
            f"{iterations}; end it sooner, or write [[{rate:g}, {iterations}]] if one rate is meant"
        )
    raise ValueError(
        f"{key} goes on to iteration {last}, but the training ends at {iterations}, where the rate is still {rate:g}: "
        f"say iterations: {last}, or end each step as much sooner, as in {_ending_at(steps, iterations)}"
    )


def _ending_at(steps: Steps, iterations: int) -> list[list[float]]:
    """The same rates for the same shares of so many iterations, as a profile writes them."""
    return [[rate, round(end * iterations / steps[-1][1])] for rate, end in steps]
