# SPDX-License-Identifier: MIT
"""virtio_console.c with somebody who types; and Linux, whose shell stays on the console of calls when the device is there too."""
import re

from machine import vm, write_scenario


def test_console_device(machine, tmp_path):
    one = machine(write_scenario(tmp_path, [vm("in", "virtio_console.elf", None, 8)]), "exit=1 attach=in")
    for text, asked in (("a first line", "type"), ("a second \x03 line", "once more"), ("a third line", "and by calls")):
        one.expect(rf"\b{asked}\r*\n")
        one.send(text + "\r")
    one.expect(r"(PASS virtio_console|FAIL[^\n]*)\r*\n")
    assert one.line.match[1] == "PASS virtio_console"
    assert one.end() == 0
    log = one.log_path.read_text()
    assert re.search(r"by a call\n[ 0-9.]*by the device\n[ 0-9.]*by a call\n[ 0-9.]*abbccc[d-o]*\n", log), f"see {one.log_path}"
    assert len(re.findall(r" y{99}\n", log)) == 60


def test_console_device_of_linux(machine, tmp_path):
    """Its driver takes buffers for input at once; who opens the device can write, and the shell still gets what is typed."""
    one = machine(write_scenario(tmp_path, [vm("tux", node=1)]), "attach=tux tty=41x101")
    one.expect(r"tux: Linux [^\n]*\n", 120)
    assert one.shell("tux", "cat /sys/class/tty/console/active") == "hvc0"
    assert one.shell("tux", "echo by-the-dev''ice >/dev/hvc1; sleep 1").count("by-the-device") == 1
    assert one.shell("tux", "stty size </dev/hvc1") == "41 101"
    one.shell("tux", "dmesg -n 1; i=0; while [ $i -lt 300 ]; do echo line-$i; i=$((i+1)); done >/dev/hvc1; sleep 1")
    assert [int(n) for n in re.findall(r"line-(\d+)\n", one.log_path.read_text())] == list(range(300))
    assert "0 hvc" not in one.shell("tux", "echo still-there")
