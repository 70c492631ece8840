# SPDX-License-Identifier: MIT
"""virtio_fuzz.c: random drivers of every device of a VM, while neighbours on the same nodes find their own state as it was, and the
monitor answers. DISCO_VIRTIO_OPS=number: how many operations (20000)."""
import os
import re

import pytest

from machine import SEED, disk, net, vm, write_scenario

OPS = int(os.environ.get("DISCO_VIRTIO_OPS", "20000"))


@pytest.mark.parametrize("words", ["", "shuffle=1 check=1"], ids=["plain", "moves-checked"])
def test_random_drivers_disturb_nobody(machine, tmp_path, words):
    image = tmp_path / "random.img"
    image.write_bytes(bytes([0xee]) * 65536)
    vms = [vm(f"good{node}", "neighbour.elf", None, 8, node=node) for node in (1, 2)]
    vms.append(vm("bad", "virtio_fuzz.elf", None, 8, f"seed={SEED} ops={OPS}", vcpus=2, node=[1, 2], disk0=disk(image),
                  net0=net(any_source=True)))
    # Sends back to whatever address what reaches it, and starts anew when it is told to.
    vms.append(vm("peer", "net_rules.elf", None, 8, "role=1", node=3, net0=net(any_source=True)))
    one = machine(write_scenario(tmp_path, vms, nodes=4, memory=256), words)
    one.expect_all([rf"\[good{node}\] PASS neighbour\r*\n" for node in (1, 2)]
                   + [rf"vm: good{node} powered off, code 0" for node in (1, 2)]
                   + [r"vm: bad powered off, code 0", r"\[bad\] (?:PASS|FAIL)[^\n]*\n"], 120 + OPS // 1000)
    assert re.search(r"\n  sent [1-9]\d* frames", "\n".join(one.command("net")))
    one.send("stop peer\r")
    one.expect(r"vm: peer stopped")
    lines = one.command("mem")
    left = re.search(r"guests use (\d+) KB.*promised to VMs (\d+) KB", "\n".join(lines))
    assert left and int(left[2]) <= 256, lines  # the cache of the image
    assert one.quit() == 0
    log = one.log_path.read_text()
    assert "PASS virtio_fuzz" in log and "panic" not in log and " check: " not in log, f"see {one.log_path}"
    assert re.search(r"virtio: bad: .*; the device waits for a reset \(\d+\)", log), f"see {one.log_path}"
