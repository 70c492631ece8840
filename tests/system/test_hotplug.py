# SPDX-License-Identifier: MIT
"""Linux takes its processors off and on (/sys/devices/system/cpu), under load, while they move: those that are off are so for the monitor, too, the
disk's interrupt goes to who is left, time is accounted as before, and goes as the machine's does. Thousands of times, with what locks promise: `make locks`."""
import json
import re

from linux_disks import ask, linux, up  # noqa: F401 (fixture)

LOOPS = 2
OTHERS = (1, 2, 3)
READ = "dd if=/dev/vda of=/dev/null bs=4k count=40 iflag=direct 2>&1 | grep -c 160.0KB"
# Jiffies that processor 1 lost to others, and all that it has had.
LOST = "awk '/^cpu1 / { print $9, $2 + $3 + $4 + $5 + $6 + $7 + $8 + $9 }' /proc/stat"
COMPUTE = "taskset -p 2 $$ >/tmp/said; i=0; while [ $i -lt 5000 ]; do i=$((i + 1)); done"


def states(one):
    return [match[1] for match in (re.match(r"plug */\d+ .*\b(offline|ready|running|waiting|moving)\b", line) for line in one.command("vcpus")) if match]


def clocks(one):
    """ms of the machine's clock, of the guest's, in steps of ten, and of the machine's once more."""
    def machines():
        return json.loads(next(line for line in one.command("top json") if line.startswith("{")))["ms"]

    return machines(), 1000 * float(ask(one, "plug", "cat /proc/uptime").split()[0]), machines()


def switch(one, how):
    return ask(one, "plug", "; ".join(f"echo {how} >/sys/devices/system/cpu/cpu{cpu}/online" for cpu in OTHERS) + "; nproc")


def test_processors_go_and_come_back(up):
    one = up([linux("plug", vcpus=4, node=[0, 1, 2, 3])], "shuffle=1", options=["-d"])
    assert sorted(ask(one, "plug", "ls /sys/devices/system/cpu/cpu*/online").split()) == [f"/sys/devices/system/cpu/cpu{cpu}/online" for cpu in OTHERS]
    ask(one, "plug", "dmesg -n 1; for i in 1 2; do (while [ ! -e /tmp/stop ]; do cat /proc/self/maps | md5sum >/dev/null; done) & done")
    begin = clocks(one)
    for _ in range(LOOPS):
        assert switch(one, 0) == "1"
        one.until(lambda: states(one)[1:] == ["offline"] * 3)
        assert ask(one, "plug", READ) == "1"
        assert switch(one, 1) == "4"
        assert "offline" not in states(one)
        assert ask(one, "plug", READ) == "1"
    ask(one, "plug", "touch /tmp/stop; wait")
    was, now = (list(map(int, ask(one, "plug", f"{before}; {LOST}").split())) for before in (":", COMPUTE))
    assert now[0] - was[0] <= (now[1] - was[1]) / 2, (was, now)
    assert ask(one, "plug", "dmesg | grep -c -E 'stall|lockup|BUG|WARN|did not stop|failed to start|no interrupt|Clocksource'") == "0"
    end = clocks(one)
    least, went, most = end[0] - begin[2], end[1] - begin[1], end[2] - begin[0]
    assert least - 20 <= went <= most + 20, (begin, end)
    assert one.quit() == 0
