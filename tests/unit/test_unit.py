# SPDX-License-Identifier: MIT
"""Runs each host unit test program as one case; its output is shown on failure."""
import pathlib
import subprocess

import pytest

from machine import PATIENCE

ROOT = pathlib.Path(__file__).resolve().parents[2]
NAMES = sorted(p.stem for p in (ROOT / "tests/unit").glob("*/test_*.c"))


@pytest.mark.parametrize("name", NAMES)
def test_unit(name):
    program = ROOT / "build/host/unit" / name
    assert program.exists(), f"build/host/unit/{name} is not built: make unit"
    done = subprocess.run([program], capture_output=True, text=True, timeout=120 * PATIENCE, cwd=ROOT)
    print(done.stdout + done.stderr)
    assert done.returncode == 0, f"{name}: exit status {done.returncode}"
