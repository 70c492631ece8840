# SPDX-License-Identifier: MIT
"""A short bounded run of each fuzzer from its seeds; `make fuzz` runs longer. A crash leaves its input in build/results."""
import pathlib
import subprocess

import pytest

from machine import PATIENCE

ROOT = pathlib.Path(__file__).resolve().parents[2]
NAMES = sorted(p.stem.removeprefix("fuzz_") for p in (ROOT / "tests/fuzz").glob("fuzz_*.c"))


@pytest.mark.parametrize("name", NAMES)
def test_fuzz(name, tmp_path):
    program = ROOT / "build/host/fuzz" / f"fuzz_{name}"
    assert program.exists(), f"build/host/fuzz/fuzz_{name} is not built: make fuzz"
    results = ROOT / "build/results"
    results.mkdir(parents=True, exist_ok=True)
    seeds = ROOT / "build/host/fuzz/seeds" / name
    assert any(seeds.iterdir())
    # New inputs go to the first folder, which the test throws away; a fixed seed makes the run repeatable.
    done = subprocess.run(
        [program, "-runs=50000", "-seed=1", "-max_len=4096", "-timeout=10", "-print_final_stats=1",
         f"-artifact_prefix={results}/fuzz-{name}-", tmp_path, seeds],
        capture_output=True, text=True, timeout=120 * PATIENCE)
    print(done.stdout + done.stderr[-4000:])
    assert done.returncode == 0, f"fuzz_{name}: exit status {done.returncode}"
