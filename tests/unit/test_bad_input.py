"""The table of bad input in docs/ holds what tests saw and nothing else."""

import re

from bad_input import HEAD, ROOT, TABLE


def rows() -> list[list[str]]:
    lines = TABLE.read_text(encoding="utf-8").removeprefix(HEAD).splitlines()
    return [re.split(r"(?<!\\)\|", line)[1:-1] for line in lines]


def test_there_are_at_least_forty_kinds():
    assert TABLE.read_text(encoding="utf-8").startswith(HEAD)
    kinds = {(where, what) for where, what, _ in rows()}
    assert len(kinds) == len(rows()) >= 40


def test_every_row_is_of_a_test():
    """A row whose test is gone goes too: BAD_INPUT=write only adds."""
    tests = "\n".join(file.read_text(encoding="utf-8") for file in (ROOT / "tests").rglob("test_*.py"))
    orphans = [what.strip() for _, what, _ in rows() if f'"{what.strip()}"' not in tests]
    assert orphans == []


def test_every_sentence_is_one_and_none_speaks_python():
    for _, what, sentence in rows():
        assert not re.search(r"Traceback|Error:|object at 0x|<class|NoneType", sentence), what
