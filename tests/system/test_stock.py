# SPDX-License-Identifier: MIT
"""Linux without a patch of ours to its shell. Where `make stock` has not built it, this is skipped: it takes 9 minutes."""
import re

import pytest

from machine import TOP


@pytest.mark.skipif(not (TOP / "build/stock.cpio").exists(), reason="make build/stock.cpio builds it")
def test_shell(machine):
    one = machine(TOP / "build/stock.cpio", "attach=stock")
    one.expect(r"Linux version 6\.1")
    one.expect("MIPS: machine is stock")
    one.expect("ttyS0 at MMIO 0x180003f8")
    one.expect(r"stock:[^\n]*# ", timeout=120)
    assert "mips64" in one.shell("stock", "uname -a")
    assert re.search(r"7: +\d+ +MIPS +7 +timer", one.shell("stock", "cat /proc/interrupts"))
    # Its programs' memory, files and processes are its own affair, and right.
    assert one.shell("stock", "seq 1 2000 | md5sum").startswith("ea4d0a24dabcaa11f9aa979b872d162b")
    # It resets its VM, and switches it off.
    one.send("reboot -f\r")
    one.expect("vm: stock started|Linux version")
    one.expect(r"stock:[^\n]*# ", timeout=120)
    one.detach()
    told = "\n".join(one.command("stats stock"))
    assert int(re.search(r"patched: (\d+) places", told)[1]) > 10000, told
    one.attach("stock")
    one.send("poweroff\r")
    one.expect("stock powered off, code 0")
