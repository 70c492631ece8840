# SPDX-License-Identifier: MIT
"""200 random supervisor programs, natively and under the monitor with its fast paths and without them; `make diff` runs more."""
import pytest

import diff

SEEDS = range(1, 201)


@pytest.mark.parametrize("variant", diff.VARIANTS)
def test_same_as_the_bare_machine(variant, tmp_path):
    runner = diff.Runner(tmp_path, "diff-" + variant.replace(" ", "-"))
    reports, fleeting = diff.compare(runner, SEEDS, diff.VARIANTS[variant], print, most=1)
    assert not reports, "\n\n".join(reports)
    assert fleeting <= len(SEEDS) / 20, f"{fleeting} programs differed once and not again"


def test_a_seed_is_always_the_same_program():
    one, again = diff.programs.program(7), diff.programs.program(7)
    assert one.words() == again.words() and one.flags == again.flags
    assert any(diff.programs.program(seed).words() != one.words() for seed in (8, 9))


def test_a_difference_is_found_and_made_small(tmp_path, monkeypatch):
    """The bare machine given another program in one place: the search must end at the unit that holds it."""
    wrong = 0x24010000 | 0x77  # ADDIU r1, r0, 0x77
    right = 0x24010000 | 0x66
    runner = diff.Runner(tmp_path, "diff-search")
    native = runner.native

    def other(some, verbose=False):
        return native([p.with_units([[wrong if w == right else w for w in u] for u in p.units]) for p in some], verbose)

    monkeypatch.setattr(runner, "native", other)
    one = diff.programs.program(11)
    one = one.with_units([*one.units, [right, 0xC]])
    assert runner.different([one]) == [0]
    small = runner.minimise(one, "", lambda text: None)
    assert small.words() == [right, diff.programs.syscall(diff.programs.SYS_END)] or right in small.words()
    assert len(small.units) == 1
