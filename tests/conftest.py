# SPDX-License-Identifier: MIT
"""What all tests share: an environment without what tools/environment.txt does not name, the fixture `machine`, the end of
each machine's log shown when its test fails, the mark `alone`, and the fixtures `under_gdb` and `mine`."""
import contextlib
import fcntl
import fnmatch
import os
import re
import shutil
from pathlib import Path

import pytest

KEPT = [line.split()[0] for line in (Path(__file__).parent.parent / "tools/environment.txt").read_text().splitlines()
        if line.strip() and not line.startswith("#")]
for name in list(os.environ):
    if not any(fnmatch.fnmatchcase(name, pattern) for pattern in KEPT) and not name.startswith("PYTEST"):
        del os.environ[name]
os.environ["LC_ALL"] = "C.UTF-8"

from machine import LOGS, SEED, Machine, tail  # noqa: E402

os.environ["DISCO_SEED"] = str(SEED)  # the same in all processes of pytest-xdist


@contextlib.contextmanager
def _locked(name, how):
    LOGS.mkdir(parents=True, exist_ok=True)
    with open(LOGS.parent / name, "w", encoding="utf-8") as file:
        fcntl.flock(file, how)
        yield


@contextlib.contextmanager
def _room(alone):
    """The tests of all processes are in one room; who wants it alone waits at its door, and nobody passes him."""
    with contextlib.ExitStack() as inside:
        with _locked("tests.door", fcntl.LOCK_EX):
            inside.enter_context(_locked("tests.room", fcntl.LOCK_EX if alone else fcntl.LOCK_SH))
        yield


@pytest.hookimpl(hookwrapper=True, tryfirst=True)
def pytest_runtest_protocol(item):
    with _room(item.get_closest_marker("alone")) if "PYTEST_XDIST_WORKER" in os.environ else contextlib.nullcontext():
        yield


@pytest.fixture
def machine(request):
    """machine(scenario, words="", options=(), qemu=()) starts one; all are gone when the test ends."""
    started = []

    def start(scenario, words="", options=(), qemu=()):
        name = re.sub(r"[^A-Za-z0-9_.-]+", "-", request.node.nodeid.split("/")[-1])
        name = name.replace(".py", "").strip("-") + (f"-{len(started)}" if started else "")
        started.append(Machine(name, scenario, words, options, qemu))
        return started[-1]

    request.node.machines = started
    yield start
    for one in started:
        one.kill()


@pytest.fixture
def under_gdb():
    """Machines under gdb have numbers, and the first is who `make console` talks to: one test at a time has them."""
    with _locked("tests.gdb", fcntl.LOCK_EX):
        yield


@pytest.fixture
def mine():
    """build/mine, where the pages of docs/ write programs of one's own: not there, and one test's alone."""
    with _locked("tests.mine", fcntl.LOCK_EX):
        folder = Path(__file__).parent.parent / "build/mine"
        shutil.rmtree(folder, ignore_errors=True)
        yield
        shutil.rmtree(folder, ignore_errors=True)


def pytest_report_header():
    return f"DISCO_SEED={SEED}"


@pytest.hookimpl(hookwrapper=True)
def pytest_runtest_makereport(item, call):
    report = (yield).get_result()
    if report.failed and {"machine", "runs"} & set(item.fixturenames):
        report.sections.append(("random guests", f"DISCO_SEED={SEED} repeats their numbers"))
    if report.failed:
        for one in getattr(item, "machines", []):
            report.sections.append((f"end of {one.log_path}", tail(one.log_path)))
