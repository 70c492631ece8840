# SPDX-License-Identifier: MIT
"""What all tests share: the fixture `machine`, and the end of each machine's log shown when its test fails."""
import re

import pytest

from machine import Machine, tail


@pytest.fixture
def machine(request):
    """machine(scenario, words="", options=()) starts one; all are gone when the test ends."""
    started = []

    def start(scenario, words="", options=()):
        name = re.sub(r"[^A-Za-z0-9_.-]+", "-", request.node.nodeid.split("/")[-1])
        name = name.replace(".py", "").strip("-") + (f"-{len(started)}" if started else "")
        started.append(Machine(name, scenario, words, options))
        return started[-1]

    request.node.machines = started
    yield start
    for one in started:
        one.kill()


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if report.failed:
        for one in getattr(item, "machines", []):
            report.sections.append((f"end of {one.log_path}", tail(one.log_path)))
