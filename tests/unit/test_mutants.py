"""The falsifications of tests/mutants.py can all be made, and a noticed one is told from one that changes nothing."""

import pytest
from mutants import MUTANTS, PACKAGE, ROOT, Mutant, is_noticed, mutated


def test_there_are_enough():
    assert len(MUTANTS) >= 30
    assert len({mutant.what for mutant in MUTANTS}) == len(MUTANTS)


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.what)
def test_what_is_falsified_stands_there_once(mutant):
    code = (ROOT / PACKAGE / mutant.file).read_text(encoding="utf-8")
    changed = mutated(mutant, code)
    assert changed != code
    compile(changed, mutant.file, "exec")


def test_what_changes_nothing_is_not_noticed():
    wrong = Mutant("higher is lower", "measure/claims.py", '"higher" if found.value > 0', '"higher" if found.value < 0')
    same = Mutant("another comment", "measure/claims.py", "# The largest adjusted", "# The very largest adjusted")
    assert is_noticed(wrong, ("claims",))
    assert not is_noticed(same, ("claims",))
