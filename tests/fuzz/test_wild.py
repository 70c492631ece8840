# SPDX-License-Identifier: MIT
"""Guests whose kernels are random code, beside one that checks all it has: it must not notice, and the monitor must live."""
import pytest

import wild


@pytest.mark.parametrize("seed", [1, 2, 3])
def test_wild_guests_disturb_nobody(machine, tmp_path, seed):
    archive = tmp_path / "wild.cpio"
    archive.write_bytes(wild.archive(seed))
    one = machine(archive)
    one.up(3)
    for _ in range(2):
        one.expect(r"\[good\] PASS neighbour")
        one.expect(r"vm: good powered off, code 0")
        one.send("start good\r")
    one.expect(r"vm: good started")
    assert one.quit() == 0
