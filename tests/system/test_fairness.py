# SPDX-License-Identifier: MIT
"""Whatever a neighbour does, a VM has its half of their node, is not away for long, and shootdowns of the node do not wait. The
measurements of tests/bench/fairness.py, short and under -d, where they repeat."""
import sys

import pytest

from machine import TOP, vm

sys.path.insert(0, str(TOP / "tests/bench"))
import fairness  # noqa: E402

MS, CALLS = 600, 200


@pytest.fixture(scope="module")
def beside_spin():
    """The mean wait for a shootdown beside a neighbour that computes, in us."""
    mean, longest = fairness.shootdown_us("spin", CALLS)
    assert mean <= fairness.SHOOTDOWN_US, f"{mean} us, at most {longest}, beside spin"
    return mean


@pytest.mark.parametrize("name", fairness.HABITS)
def test_share_and_gap(name):
    share, gap = fairness.share_and_gap(name, MS)
    assert share >= fairness.SHARE_PCT, f"{share} % of the node beside {name}"
    assert gap <= fairness.GAP_MS, f"away for {gap} ms beside {name}"


@pytest.mark.parametrize("name", [name for name in fairness.HABITS if name != "spin"])
def test_foreign_shootdown(name, beside_spin):
    mean, longest = fairness.shootdown_us(name, CALLS)
    assert mean <= fairness.SHOOTDOWN_TIMES * beside_spin, f"{mean} us, at most {longest}, beside {name}; {beside_spin} beside spin"


@pytest.mark.parametrize("victim, other, share", [({"weight": 3072}, {}, 75), ({"cap": 30}, {}, 30), ({}, {"cap": 20}, 80)],
                         ids=["three-to-one", "capped", "beside-capped"])
def test_weights_and_caps(victim, other, share):
    """Percent of the node that a VM has which computes, beside one that does, too."""
    vms = [vm("neighbour", "rivals/neighbour.elf", None, 8, node=1, bootargs="habit=0", **other),
           vm("victim", "rivals/victim.elf", None, 8, node=1, bootargs="ms=600", **victim)]
    had, = fairness.run(vms, r"\[victim\] share (\d+) per mille")
    assert abs(had / 10 - share) <= share / 50 + 1, f"{had / 10} % in place of {share} %"
