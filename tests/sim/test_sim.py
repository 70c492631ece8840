# SPDX-License-Identifier: MIT
"""The short form of `make sim`: where pages go on simulated machines is near the best, and deciding it costs the same on all."""
import functools

import pytest

import sim


@functools.cache
def rows_of(config):
    return sim.run(config)


@pytest.mark.parametrize("config", sim.SHORT, ids=lambda config: f"{config[0]}-nodes")
def test_pages_go_where_they_should(config):
    rows = rows_of(config)
    sim.print_head()
    sim.print_runs(rows)
    assert {(row["trace"], row["source"]) for row in rows} == {(trace, source) for source in ("all", "samples")
                                                               for trace in sim.TRACES}
    assert not [problem for row in rows for problem in sim.problems_of_run(row, config[1])]


@pytest.mark.parametrize("misses", (700000, 1400000))
def test_turns_of_any_length_cost_little(misses):
    """How long two nodes use pages in turn must not matter: gains of one turn are given back in the next, and moves paid with them are lost."""
    rows = sim.run((8, misses, 8), ["trace=ping-pong"])
    sim.print_runs(rows)
    assert len(rows) == 2
    assert not [problem for row in rows for problem in sim.problems_of_run(row, misses)]


def test_the_size_of_the_machine_does_not_matter():
    rows = [row for config in sim.SHORT[1:] for row in rows_of(config)]
    assert len(rows) == 2 * len(rows_of(sim.SHORT[1]))
    assert not list(sim.problems_of_sizes(rows))
    worse = [rows[0], dict(rows[0], cost=rows[0]["cost"] + 0.001)]
    assert list(sim.problems_of_sizes(worse))


def test_nothing_moves_without_a_policy():
    for row in sim.run((8, 50000, 8), ["first-touch"]):
        assert row["migrated"] + row["replicated"] == 0
        assert row["cost"] == row["static"]


def test_steps_are_the_same_on_all_machines():
    rows = [sim.flat(config) for config in sim.SHORT_FLAT]
    sim.print_flat(rows)
    assert not list(sim.problems_of_flat(rows))
