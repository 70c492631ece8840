# SPDX-License-Identifier: MIT
"""make debug, with a script in the place of the person: breakpoints, back traces, both sides' symbols, no crash of QEMU."""
import re
import subprocess

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
