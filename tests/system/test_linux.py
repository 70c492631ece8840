# SPDX-License-Identifier: MIT
"""Linux as a guest: what its drivers and its processors do beyond a shell that comes up."""
import os
import re
import signal
import time

import pexpect
import pytest

from machine import TOP, Machine, vm, write_scenario

WRAP = 2 ** 32 / 166666667  # seconds


def boot(machine, folder, **options):
    """A machine of two nodes with one guest "tux" on node 1, attached, its shell up."""
    one = machine(write_scenario(folder, [vm("tux", node=1, **options)]), "attach=tux")
    one.expect(r"tux: Linux [^\n]*\n", 120)
    return one


@pytest.fixture(scope="module")
def still(tmp_path_factory):
    """A machine whose emulator is stopped while the other tests run, and since when. Its guest has looked at the monitor's clock once."""
    one = Machine("test_linux-still", write_scenario(tmp_path_factory.mktemp("still"), [vm("tux", node=1)]), "attach=tux")
    try:
        one.expect(r"tux: Linux [^\n]*\n", 120)
        one.shell("tux", "sleep 6")
        os.kill(one.line.pid, signal.SIGSTOP)
        yield one, time.monotonic()
    finally:
        one.kill()


def test_an_emulator_that_is_stopped_says_nothing(still):
    """The last test of this file starts it again."""
    still[0].send("\r")
    with pytest.raises(pexpect.TIMEOUT):
        still[0].line.expect(".", timeout=0.3)


def test_barriers_are_instructions():
    """Processors of the machine may see each other's stores late: smp_mb() and virtio's barriers are SYNC, which WEAK_ORDERING says."""
    options = (TOP / "build/linux/.config").read_text().splitlines()
    assert {"CONFIG_SMP=y", "CONFIG_WEAK_ORDERING=y"} <= set(options)


def test_the_drivers_are_ours(machine, tmp_path):
    """Hypercall console, paravirtual timer, Count as the clock; no delay loop calibrated, nothing emulated for them."""
    one = boot(machine, tmp_path)
    assert one.shell("tux", "cat /sys/class/tty/console/active") == "hvc0"
    clocks = "/sys/devices/system"
    assert one.shell("tux", f"cat {clocks}/clocksource/clocksource0/current_clocksource") == "MIPS"
    assert one.shell("tux", f"cat {clocks}/clockevents/clockevent0/current_device") == "disco"
    interrupts = one.shell("tux", "cat /proc/interrupts")
    assert re.search(r"2: +[1-9]\d* +MIPS +2 +hvc_disco", interrupts), interrupts
    assert re.search(r"7: +[1-9]\d* +MIPS +7 +timer", interrupts), interrupts
    log = one.shell("tux", "dmesg", kernel=True)
    assert "Calibrating delay" not in log
    assert re.search(r"machine is tux", log)


def test_input_by_interrupt(machine, tmp_path):
    """A line as long as the terminal takes, in one go; and one that wakes a process which sleeps on the console."""
    one = boot(machine, tmp_path)
    one.shell("tux", "stty -echo")
    # While its line is edited, the shell has the terminal in another mode: what is typed waits until that is over.
    one.send("echo rea''dy; cat >/tmp/long; wc -c </tmp/long\r")
    one.expect("ready")
    one.send("x" * 1000 + "\r" + "y" * 1000 + "\r\x04")
    one.expect(r"\b2002\b", 30)
    one.send("\recho wai''ting; read -r word; echo got-$word\r")
    one.expect("waiting")
    one.send("hello\r")
    one.expect("got-hello", 30)


def test_restart_and_power_off(machine, tmp_path):
    """reboot starts the same VM afresh: nothing of before is left; power off ends it with code 0."""
    one = boot(machine, tmp_path)
    one.shell("tux", "touch /tmp/before")
    one.send("reboot\r")
    one.expect(r"Linux version 6\.1", 60)
    one.expect(r"tux: Linux [^\n]*\n", 120)
    one.send("\recho new-$((40+2))\r")  # the replay shows the old shell's prompts: wait for the new one
    one.expect("new-42")
    assert one.shell("tux", "ls /tmp") == ""
    one.send("poweroff\r")
    one.expect(r"tux powered off, code 0", 60)


def test_init_that_dies_ends_the_vm(machine, tmp_path):
    """Without an init Linux panics: the VM ends, the monitor says with which code, the rest of the machine runs."""
    one = machine(write_scenario(tmp_path, [vm("tux", node=1, bootargs="rdinit=/bin/true")]))
    one.expect(r"\[tux\] [^\n]*Kernel panic", 120)
    one.expect(r"vm: tux powered off, code 1", 30)


def test_processors_work_together(machine, tmp_path):
    """Sixteen VCPUs, as many as a VM may have: all start, each is interrupted by others, work spreads over all of them."""
    many = 16
    one = boot(machine, tmp_path, vcpus=many, memory=64)
    assert one.shell("tux", "nproc") == str(many)
    assert f"Brought up 1 node, {many} CPUs" in one.shell("tux", "dmesg", kernel=True)
    work = "for c in 1 20 400 8000; do taskset $c sh -c 'i=0; while [ $i -lt 500 ]; do i=$((i+1)); done; echo done-$i' & done; wait"
    assert one.shell("tux", work, 120).count("done-500") == 4
    one.shell("tux", f"i=0; while [ $i -lt 64 ]; do taskset $(printf %x $((1 << i % {many}))) true; i=$((i+1)); done", 120)
    interrupts = one.shell("tux", "cat /proc/interrupts")
    for name in ("reschedule", "timer"):
        counts = re.search(rf"\d: +((?:\d+ +){{{many}}})MIPS +\d +{name}", interrupts)
        assert counts and all(int(n) for n in counts[1].split()), interrupts


def megabytes_used(one):
    return [int(total) - int(free) for total, free in re.findall(r"(?m)^ *\d+ +\S+ +(\d+) +(\d+) ", "\n".join(one.command("nodes")))]


def test_nodes_that_are_shown(machine, tmp_path):
    """The guest's tree says which processor is on which node, whose memory is where and how far; and so it is, whatever its processors use first."""
    guest = vm("tux", memory=64, vcpus=3, node=[3, 1, 3], show_nodes=True)
    one = machine(write_scenario(tmp_path, [guest], nodes=4, more="\tlatency-ns = <300 900>;\n"))
    one.expect(r"\[tux\] tux: Linux [^\n]*\n", 120)
    one.send("\r")
    before = megabytes_used(one)
    one.attach("tux")
    number = "hexdump -v -e '/1 \"%02x\"' /proc/device-tree"
    tree = {path: one.shell("tux", f"{number}/{path}") for path in
            [*(f"cpus/cpu@{i}/numa-node-id" for i in range(3)), "memory@0/numa-node-id", "memory@0/reg", "memory@2000000/numa-node-id",
             "memory@2000000/reg", "distance-map/distance-matrix"]}
    assert list(tree.values()) == ["00000000", "00000001", "00000000", "00000000", "0000000000000000" "0000000002000000", "00000001",
                                   "0000000002000000" "0000000002000000", "".join(f"{n:08x}" for n in (0, 0, 10, 0, 1, 30, 1, 1, 10))], tree
    # More than the memory of one node, and less than what the guest has left: nobody is killed for it.
    assert one.shell("tux", "mount -o remount,size=40m /dev/shm; taskset 1 dd if=/dev/zero of=/dev/shm/all bs=1M count=38 2>/dev/null; echo $?") == "0"
    one.detach()
    used = [now - then for then, now in zip(before, megabytes_used(one))]
    assert max(used[0], used[2]) <= 1 and min(used[1], used[3]) >= 8, used  # a page of the monitor may make a MB fewer


def test_floating_point_and_pipes(machine, tmp_path):
    """Programs that use the FPU at once keep their registers apart; pipes and processes work."""
    one = boot(machine, tmp_path)
    sums = "for k in 1 2 3 4; do awk -v k=$k 'BEGIN { for (i = 1; i < 20000; i++) s += 1 / (i * k); printf \"%.6f\\n\", s * k }' & done; wait"
    answers = one.shell("tux", sums, 180).split()
    assert len(answers) == 4 and set(answers) == {"10.480678"}, answers
    assert one.shell("tux", "dd if=/dev/zero bs=1M count=4 2>/dev/null | md5sum | cut -c1-8", 60) == "b5cfa9d6"


def seconds_wrong(one):
    """How far the guest's clock is from ours, which goes on while the answer travels: at least, at most."""
    before = time.time()
    guest = float(one.shell("tux", "date +%s.%N"))
    return guest - time.time(), guest - before


def test_date_is_right(machine, tmp_path):
    """Within a second of the host."""
    one = boot(machine, tmp_path)
    least, most = seconds_wrong(one)
    assert least < 1 and most > -1, (least, most)


def test_repeated_runs_have_a_time_of_their_own(machine, tmp_path):
    one = machine(write_scenario(tmp_path, [vm("tux", node=1)]), "attach=tux", ["-d"])
    one.expect(r"tux: Linux [^\n]*\n", 120)
    assert one.shell("tux", "date +%Y-%m-%d") == "2020-01-01"


def test_random_numbers_from_the_start(machine, tmp_path):
    """The kernel is seeded before anything runs; each VM, and the same VM at each start, with something else."""
    one = machine(write_scenario(tmp_path, [vm(name, node=1) for name in ("tux", "pingu")]), "attach=tux")
    one.expect(r"tux: Linux [^\n]*\n", 120)
    seen = []
    for name in ("tux", "pingu", "tux"):
        one.send("\r")
        assert re.search(r"\[ +0\.000000\] random: crng init done", one.shell(name, "dmesg | grep crng", kernel=True))
        seen.append(one.shell(name, "head -c 16 /dev/random | xxd -p"))
        if len(seen) == 1:
            one.detach()
            one.attach("pingu")
        elif len(seen) == 2:
            one.detach()
            one.do("reset tux", r"\[tux\] tux: Linux ", timeout=120)
            one.attach("tux")
            one.send("\recho new-$((40+2))\r")  # the replay shows the old shell's prompts: wait for the new one
            one.expect("new-42")
    assert len(set(seen)) == 3, seen


def test_the_terminal_has_a_size(machine, tmp_path):
    """And no program complains that there is none; UTF-8 is one letter for the line editing of the kernel."""
    one = boot(machine, tmp_path)
    rows, columns = one.shell("tux", "stty size").split()
    assert int(rows) >= 24 and int(columns) >= 80
    assert re.search(r"(?<!-)iutf8", one.shell("tux", "stty -a"))


def test_the_root_is_as_programs_expect(machine, tmp_path):
    one = boot(machine, tmp_path)
    mounts = one.shell("tux", "cut -d' ' -f2,3 /proc/mounts").splitlines()
    for mount in ("/proc proc", "/sys sysfs", "/dev/pts devpts", "/dev/shm tmpfs", "/dev/mqueue mqueue", "/tmp tmpfs", "/run tmpfs"):
        assert mount in mounts, mounts
    assert one.shell("tux", "id") == "uid=0(root) gid=0(root)"
    assert "1 packets transmitted, 1 packets received" in one.shell("tux", "ping -c 1 localhost", 30)
    assert one.shell("tux", "seq 9 | head -3 | tail -2 | xargs") == "2 3"
    assert re.match(r"PID +USER +TIME +COMMAND", one.shell("tux", "ps | head -1"))
    assert one.shell("tux", "ps -o pid,stat,comm | head -2 | tail -1").split()[0] == "1"
    for program in ("less", "vi", "resize", "top", "pgrep", "bc", "xxd", "realpath", "stat"):
        assert one.shell("tux", f"which {program}").startswith("/"), program


def test_long_command_lines(machine, tmp_path):
    """2048 characters reach the guest."""
    args = "console=hvc0 hostname=tux "
    args += "x=" + "y" * (2048 - len(args) - 6) + " z=42"
    one = boot(machine, tmp_path, bootargs=args[:2048])
    assert one.shell("tux", "tail -c 7 /proc/cmdline") == args[:2048][-6:]
    assert one.shell("tux", "wc -c </proc/cmdline") == "2049"


def test_date_is_right_after_standing_still(still):
    """The emulator was stopped for longer than Count takes to wrap: what is lost is found again in seconds, but not what the
    guest itself has set."""
    one, since = still
    time.sleep(max(0, WRAP + 1 - (time.monotonic() - since)))
    os.kill(one.line.pid, signal.SIGCONT)
    one.shell("tux", "until dmesg | grep -q 'clock: [0-9]* ms passed without us'; do sleep 0.5; done", 60)
    least, most = seconds_wrong(one)
    assert least < 1 and most > -1, (least, most)
    one.shell("tux", "date -s '2001-02-03 04:05:06'; sleep 6")
    assert one.shell("tux", "date +%Y-%m-%d") == "2001-02-03"
