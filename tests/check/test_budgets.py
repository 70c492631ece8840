# SPDX-License-Identifier: MIT
"""Budgets of hot paths in assembly: the comment "Budget: N instructions" states what is numbered below it, one instruction after the
other, up to the return to the guest."""
import re

import pytest

import tree

BUDGET = re.compile(r"Budget: (\d+) instructions")
NUMBERED = re.compile(r"^(?:\S+:)?\t(\w+)[^#\n]*# (\d+)(?:, (\d+))?\b")
WIDE = ("li",)  # may be two instructions, then with both numbers


def paths():
    """(file, line, budget, [(instruction, first number, last number)]) of each budget."""
    for name in tree.with_suffix(".S"):
        lines = tree.text(name).splitlines()
        for at, line in enumerate(lines):
            budget = BUDGET.search(line)
            if not budget:
                continue
            steps = []
            for below in lines[at + 1:]:
                step = NUMBERED.match(below)
                if step:
                    steps.append((step[1], int(step[2]), int(step[3] or step[2])))
                if step and step[1] == "eretnc":
                    break
            yield name, at + 1, int(budget[1]), steps


PATHS = list(paths())


@pytest.mark.parametrize("name, line, budget, steps", PATHS, ids=[f"{name}:{line}" for name, line, _, _ in PATHS])
def test_the_budget_is_what_is_counted(name, line, budget, steps):
    assert steps and steps[-1][0] == "eretnc", f"{name}:{line}: no numbered way to ERETNC"
    for before, step in zip(steps, steps[1:]):
        assert step[1] == before[2] + 1, f"{name}:{line}: {before} is followed by {step}"
    for insn, first, last in steps:
        assert first == last or insn in WIDE, f"{name}:{line}: {insn} is one instruction"
    assert steps[-1][2] == budget, f"{name}:{line}: says {budget}, counts {steps[-1][2]}"


def test_budgets_are_found():
    assert len(PATHS) >= 4
