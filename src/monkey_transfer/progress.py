"""How work that takes long says how far it is, to whoever asked for it."""

import time
from collections.abc import Callable
from pathlib import Path

from monkey_transfer.files import write_json

# Called as ``report(done, of)`` now and then.
Report = Callable[[int, int], None]

_SECONDS_BETWEEN_REPORTS = 1.0


class Reporter:
    """Writes how far the work is, about once a second, into a file for another process to read."""

    def __init__(self, file: Path):
        self.file, self.last = file, 0.0
        self.stage, self.first, self.since = "", 0, time.monotonic()

    def __call__(self, stage: str, done: int, of: int, **more: float) -> None:
        now = time.monotonic()
        if stage != self.stage:
            self.stage, self.first, self.since, self.last = stage, done, now, 0.0
        if now - self.last < _SECONDS_BETWEEN_REPORTS and done < of:
            return
        self.last = now
        rate = (done - self.first) / (now - self.since) if now > self.since else 0.0
        write_json(self.file, {"stage": stage, "done": done, "of": of, "per_second": rate, **more})
