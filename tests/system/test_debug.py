# SPDX-License-Identifier: MIT
"""make debug, with a script in the place of the person: breakpoints, back traces, both sides' symbols, no crash of QEMU."""
import re
import subprocess

import pexpect

from machine import PATIENCE, TOP


def debug(tmp_path, script, scenario="one"):
    commands = tmp_path / "commands.gdb"
    commands.write_text(script)
    result = subprocess.run([str(TOP / "qemu/debug.sh"), "-b", str(commands), scenario], cwd=TOP, capture_output=True, text=True,
                            timeout=90 * PATIENCE)
    assert result.returncode == 0, result.stdout + result.stderr
    return result.stdout + result.stderr


def test_break_in_the_monitor(tmp_path):
    """Stopped at the reset vector, `info threads` reads memory backwards from there: it used to kill QEMU."""
    output = debug(tmp_path, """
info threads
hbreak monitor_main
continue
backtrace
info threads
""")
    assert "CPU#1" in output
    assert "hit Breakpoint 1, monitor_main (" in output
    assert re.search(r"#1 .* boot_main \(", output), output


def test_nodes_run_their_own_text(tmp_path):
    """Node 1's entries to the monitor go to the copy in its own memory; the original of the same function is left alone."""
    output = debug(tmp_path, """
thbreak console_start
continue
print nodes[1]->text
thbreak *((unsigned long)&trap_from_guest + nodes[1]->text)
continue
print/x $pc - (unsigned long)&trap_from_guest == nodes[1]->text
thread
""", "default")
    assert re.search(r"\$1 = [1-9]", output), output
    assert re.search(r"\$2 = 0x1", output), output
    assert "CPU#1" in output.splitlines()[-1] or "Thread 1.2" in output, output


def test_break_in_a_guest(tmp_path):
    """A breakpoint in the guest kernel, by name; then the monitor's memory from there."""
    output = debug(tmp_path, """
hbreak start_kernel
continue
backtrace 1
disco-kernel-view
x/i 0xffffffff80100000
disco-guest-view
""")
    assert re.search(r"hit Breakpoint 1, .* start_kernel \(", output), output
    assert "Cannot access memory" not in output


def test_a_person_at_gdb():
    """Stop in the monitor, stop in a guest, look at the monitor from there, go on, interrupt with Ctrl-C, leave."""
    gdb = pexpect.spawn("qemu/debug.sh", ["one"], cwd=str(TOP), encoding="utf-8", timeout=90 * PATIENCE)

    def say(command, answer):
        gdb.sendline(command)
        gdb.expect(answer)
        gdb.expect(r"\(gdb\) ")

    try:
        gdb.expect(r"\(gdb\) ")
        say("set style enabled off", "")
        say("thbreak monitor_main", r"breakpoint 1 at")
        say("continue", r"breakpoint 1, monitor_main")
        say("thbreak start_kernel", r"breakpoint 2 at")
        say("continue", r"breakpoint 2, .* start_kernel")
        say("disco-kernel-view", "")
        say("print nnodes", r"\$\d+ = 2")
        say("disco-guest-view", "")
        gdb.sendline("continue")
        gdb.expect("Continuing")
        gdb.send("\x03")
        gdb.expect(r"received signal SIGINT")
        gdb.expect(r"\(gdb\) ")
        say("info threads", r"CPU#1")
        gdb.sendline("quit")
        gdb.expect(pexpect.EOF)
    finally:
        gdb.close(force=True)
    assert gdb.exitstatus == 0
