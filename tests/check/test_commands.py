# SPDX-License-Identifier: MIT
"""build/compile_commands.json, as `make compile-commands` writes it: every C file of ours, with a command that compiles it."""
import json
import subprocess

import pytest

import tree

SAMPLES = ["kernel/main.c", "arch/mips/mmu.c", "boot/boot.c", "guests/lib/probe.c", "tests/guest/tlb_l2.c", "tests/unit/mips/test_mmu.c",
           "tests/unit/kernel/test_format.c", "qemu/flash/cache.c", "tests/sim/machine.c", "guests/linux/torture.c"]


@pytest.fixture(scope="module")
def database():
    subprocess.run(["make", "-s", "compile-commands"], cwd=tree.ROOT, check=True, capture_output=True)
    return json.loads((tree.ROOT / "build/compile_commands.json").read_text())


def test_every_c_file_is_there_once(database):
    names = [entry["file"] for entry in database]
    assert len(names) == len(set(names))
    assert not set(tree.with_suffix(".c")) - set(names)


@pytest.mark.parametrize("name", SAMPLES)
def test_its_commands_compile(database, name):
    entry = next(entry for entry in database if entry["file"] == name)
    done = subprocess.run([*entry["arguments"], "-fsyntax-only"], cwd=entry["directory"], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
