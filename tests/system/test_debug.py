# SPDX-License-Identifier: MIT
"""make debug as a person uses it: breakpoints and back traces in every node's copy of the monitor's text and in a guest, the commands
that show the monitor's objects, and the session of docs/debugging.md as it is written there."""
import os
import re
import socket
import subprocess

import pexpect
import pytest

from machine import ESCAPE, PATIENCE, PROMPT, TOP

GDB = "(gdb) "
OUTERMOST = r"(boot_entry|secondary|guest_exit|guest_enter|walk_fast|vector\w*|fast_\w+) \(\)"


class Person:
    """Types at gdb, reads what it answers."""

    def __init__(self, scenario, words="", *more):
        environment = dict(os.environ, TERM="dumb", COLUMNS="400")
        command = ["debug", f"SCENARIO={scenario}"] + ([f"ARGS={words}"] if words else []) + list(more)
        self.child = pexpect.spawn("make", command, cwd=str(TOP), encoding="utf-8", timeout=90 * PATIENCE, env=environment,
                                   dimensions=(50, 400))
        self.greeting = self.answer()
        self.say("set style enabled off")
        self.say("set width 0")

    def answer(self):
        self.child.expect_exact(GDB)
        return self.child.before.replace("\r", "")

    def say(self, command):
        """What gdb answers, without the echo of the command."""
        self.child.sendline(command)
        return self.answer().split("\n", 1)[-1]

    def says(self, command, pattern):
        answer = self.say(command)
        assert re.search(pattern, answer), f"{command}: no {pattern!r} in\n{answer}"
        return answer

    def interrupt(self):
        self.child.sendline("continue")
        self.child.expect("Continuing")
        self.child.send("\x03")
        return self.answer()

    def console(self):
        """The serial line, as `make console` has it."""
        number = re.search(r"make console(?: MACHINE=(\d+))?", self.greeting)[1]
        line = socket.socket(socket.AF_UNIX)
        line.connect(str(TOP / (f"build/debug-{number}.line" if number else "build/debug.line")))
        return line

    def end(self):
        self.child.sendline("quit")
        self.child.expect(pexpect.EOF)
        self.child.close()
        return self.child.exitstatus


@pytest.fixture
def person(under_gdb):
    made = []

    def start(*arguments):
        made.append(Person(*arguments))
        return made[-1]

    yield start
    for one in made:
        if not one.child.closed:
            one.child.close(force=True)


def line_of(path, text):
    """path:number of the one line of a source file that has the text."""
    lines = (TOP / path).read_text(encoding="utf-8").splitlines()
    found = [i for i, one in enumerate(lines, 1) if text in one]
    assert len(found) == 1, f"{text!r} is in lines {found} of {path}"
    return f"{os.path.basename(path)}:{found[0]}"


def ends_cleanly(trace, outermost=OUTERMOST):
    frames = [line for line in trace.splitlines() if line.startswith("#")]
    assert frames and re.search(outermost, frames[-1]), trace
    assert not re.search(r"\?\?|Backtrace stopped|corrupt|warning", trace), trace
    return frames


def test_breakpoint_set_before_boot_hits_in_a_copy(person):
    """Set when no copy existed, of a function that only nodes with guests come to."""
    gdb = person("default")
    gdb.says("thbreak trap_from_guest", r"breakpoint 1 at")
    gdb.says("continue", r"Thread [23] hit Temporary breakpoint 1\S*, trap_from_guest \(v=")
    gdb.says("print $pc > 0x9800000000000000 && $pc < 0xa000000000000000", r"= 1")
    frames = ends_cleanly(gdb.say("backtrace"), r"guest_exit \(\) at arch/mips/entry.S:\d+")
    assert len(frames) == 2


@pytest.mark.parametrize("command", ["break", "tbreak", "hbreak", "thbreak"])
def test_breakpoints_by_name_and_line(person, command):
    gdb = person("default")
    gdb.say(f"{command} node_main")
    gdb.says("continue", r"Thread [2-8] hit .*node_main \(n=")
    ends_cleanly(gdb.say("backtrace"), r"(secondary|boot_entry) \(\) at boot/start.S")
    gdb.say("delete")
    gdb.says(f"{command} {line_of('arch/mips/trap.c', 'v->stats.exits[code]++')}", r"\(8 locations\)")
    gdb.says("continue", r"Thread [23] hit .*trap_from_guest \(v=")
    gdb.say("delete")
    gdb.says(f"{command} mmu_fault", r"8 locations")
    gdb.says("continue", r"Thread [23] hit .*mmu_fault \(v=")
    gdb.say("delete")
    ends_cleanly(gdb.say("backtrace"))
    gdb.says("finish", r"Run till exit from #0 .*mmu_fault(.|\n)*trap_from_guest \(v=")


def test_until_advance_step(person):
    gdb = person("default")
    gdb.say("thbreak trap_from_guest")
    gdb.say("continue")
    gdb.says("next", r"^\d+\s+v->stats|^\d+\s+verdict|^\d+\s+\S")
    gdb.say("thbreak mmu_fault")
    gdb.says("continue", "mmu_fault")
    gdb.says("advance pmap_use", r"(pmap_use|trap_from_guest) \(v")
    gdb.say("thbreak mmu_fault")
    gdb.says("continue", "mmu_fault")
    gdb.says(f"until {line_of('arch/mips/trap.c', 'if (verdict == INJECT)')}", r"trap_from_guest \(v=.*\) at arch/mips/trap.c")
    gdb.say("thbreak monitor_trap")
    for _ in range(3):
        ends_cleanly(gdb.say("backtrace"))
        assert "??" not in gdb.say("step")


def test_threads_and_traces_have_names(person):
    gdb = person("default")
    gdb.say("thbreak start_kernel")
    gdb.say("continue")
    threads = gdb.say("info threads")
    assert threads.count("Thread 1.") == 8 and "??" not in threads, threads
    traces = gdb.say("thread apply all backtrace")
    for trace in re.split(r"\nThread \d+", traces):
        if "start_kernel" not in trace and trace.strip():
            ends_cleanly(trace)


def test_at_the_reset_vector(person):
    """gdb used to search backwards from the boot ROM, into registers whose reading kills QEMU, and to warn at length."""
    gdb = person("one")
    assert ends_cleanly(gdb.say("backtrace").replace("??", ""), "") == ["#0  0xffffffffbfc00000 in  ()"]
    gdb.says("info threads", r"CPU#1")
    gdb.says("hbreak monitor_main", "breakpoint 1 at")
    gdb.says("continue", r"Breakpoint 1, monitor_main \(")
    frames = ends_cleanly(gdb.say("backtrace"))
    assert "boot_main (" in frames[1] and "boot_entry ()" in frames[2]
    for _ in range(12):  # over the making of the copies, and the moment when their symbols are added
        gdb.says("next", r"^\d+\s")
    assert gdb.end() == 0


def test_booted_by_uboot(person):
    """Attached before U-Boot's first instruction; the breakpoint is set in memory where U-Boot will put the monitor."""
    gdb = person("one", "", "BOOT=uboot")
    gdb.says("hbreak monitor_main", "breakpoint 1 at")
    gdb.says("continue", r"Breakpoint 1, monitor_main \(")
    frames = ends_cleanly(gdb.say("backtrace"))
    assert "boot_main (" in frames[1] and "boot_entry ()" in frames[2]
    gdb.says("print boot->memory_bytes", r"= 268435456")
    assert gdb.end() == 0


def test_without_copies(person):
    gdb = person("default", "off=text")
    gdb.say("thbreak trap_from_guest")
    gdb.says("continue", r"Thread [23] hit .*trap_from_guest \(v=")
    ends_cleanly(gdb.say("backtrace"))
    gdb.says("hbreak mmu_fault", r"at 0xffffffff80\w+: file")


def has_lines_of_linux():
    sections = subprocess.run(["readelf", "-SW", str(TOP / "build/linux/vmlinux")], capture_output=True, text=True, check=True).stdout
    return ".debug_line" in sections


def test_in_a_guest(person):
    """Breakpoints that were set before the kernel was loaded; on from one on a page that the TLB does not hold yet."""
    gdb = person("default")
    gdb.say("break start_kernel")
    gdb.say("thbreak rest_init")
    gdb.says("continue", r"Thread [23] hit Breakpoint 1, .*start_kernel \(")
    gdb.says("continue", r"Thread [23] hit .*(start_kernel|rest_init) \(")
    gdb.say("delete 1")
    gdb.say("thbreak kernel_init")
    gdb.says("continue", r"Thread [23] hit .*(rest_init|kernel_init) \(")
    assert has_lines_of_linux()
    gdb.says("info line start_kernel", r"init/main.c")
    gdb.say("delete")
    gdb.say("thbreak do_execveat_common")
    gdb.says("continue", r"do_execveat_common \(fd=")
    gdb.says("backtrace", r"#1 .* at .*fs/exec.c:\d+")


def test_commands(person):
    gdb = person("default")
    gdb.says("disco-nodes", r"has not made its nodes yet")
    listed = gdb.say("help user-defined")
    page = (TOP / "docs/debugging.md").read_text(encoding="utf-8")
    for name in set(re.findall(r"disco-[a-z]+", listed)):
        assert f"`{name}" in page, f"{name} is not in docs/debugging.md"
    gdb.say("thbreak do_execveat_common")
    gdb.say("continue")  # in a guest: its kernel cannot see the monitor's memory
    vm, other = ("alpha", "beta") if "Thread 2" in gdb.say("thread") or "thread is 2" in gdb.say("thread") else ("beta", "alpha")
    look(gdb, vm, other)
    gdb.says("print nnodes", "Cannot access memory")  # the guest's view is back
    gdb.say("disco-kernel-view")
    gdb.says("print nnodes", "= 8")
    gdb.says("disco-nodes", rf"{vm}/0 +kernel")
    gdb.say("disco-guest-view")
    gdb.say("thbreak trap_from_guest")
    gdb.say("continue")  # in the monitor
    look(gdb, vm, other, inside=False)


def look(gdb, vm, other, inside=True):
    nodes = gdb.say("disco-nodes")
    assert len(re.findall(r"^ +\d+ +\d+  [0-9a-f]{16} ", nodes, re.M)) == 8, nodes
    gdb.says("disco-vms", rf"{vm} +RUNNING +\d +1 +\d+ +\d+")
    gdb.says("disco-vcpus", rf"{other}/0 ")
    assert other not in gdb.say(f"disco-vcpus {vm}")
    registers = gdb.say(f"disco-vcpu {vm}/0")
    if inside:
        assert "in the processor, kernel mode" in registers
        pc, sp = (int(gdb.say(f"print/x {name}").split("= ")[1], 16) for name in ("$pc", "$sp"))
        assert f"pc {pc:016x}" in registers and f"sp {sp:016x}" in registers, registers
    assert re.search(r"EBase [0-9a-f]{16}", registers) and re.search(r"Status 0{8}[0-9a-f]{8}", registers), registers
    # V -> P -> M, in the window, and back from M
    window = gdb.says(f"disco-page {vm} 0xffffffffc0100000", r"P 0000000000100000, page 100 of")
    machine = re.search(r"M ([0-9a-f]{16})", window)[1]
    gdb.says(f"disco-owner 0x{machine}", rf"SHARED, .*{vm}'s page 100")
    gdb.says(f"disco-owner 0x{machine[:-3]}", rf"SHARED, .*{vm}'s page 100")
    gdb.says(f"disco-page {vm} 0x4000000000100000", rf"M {machine}")
    # the program that runs is at 0x120000000, or will be
    gdb.says(f"disco-page {vm} 0x120000000", r"level 0: (.|\n)*(M [0-9a-f]{16}|not present|no memory)")
    gdb.says(f"disco-page {vm} 0xffffffffdffff000", r"special page")
    gdb.says("disco-owner 0x80100", r"MONITOR, its image: boot_entry")
    gdb.says("disco-owner (unsigned long)0x9800000080100000", r"MONITOR")
    # what is wrong is said
    gdb.says("disco-vcpu gamma", r"found VM 'gamma', allowed: alpha, beta")
    gdb.says(f"disco-vcpu {vm}/9", r"found VCPU '9' of \w+, allowed: 0 to 0")
    gdb.says("disco-page alpha", r"found alpha, expected: disco-page VM\[/N\] ADDRESS")
    gdb.says("disco-page alpha nowhere", r"No symbol \"nowhere\"")
    gdb.says("disco-owner 5", r"machine page 5 is not RAM; the machine has 80000 to 87fff \(node 0\)")


def test_exception_of_the_monitor(person):
    """From panic_exception the back trace leads through the exception to who raised it, in node 1's copy."""
    gdb = person("one")
    gdb.say("thbreak panic_exception")
    gdb.child.sendline("continue")
    line = gdb.console()
    line.settimeout(90 * PATIENCE)
    said = b""
    while b"up" not in said or PROMPT.encode() not in said:
        line.sendall(b"\r")
        said += line.recv(4096)
    line.sendall(b"crash far\r")
    assert re.search(r"Thread 2 hit .*panic_exception \(n=", gdb.answer())
    trace = gdb.say("backtrace")
    ends_cleanly(trace)
    assert re.search(r"<signal handler called>\n#2 .*store_nowhere \(.*\) at kernel/panic.c:\d+\n", trace), trace
    assert "#0  panic_exception (n=0x9800" in trace


def test_back_traces_of_the_monitor_itself(machine):
    """Without gdb: what a fatal error prints has names in every copy, and ends where the monitor was entered."""
    one = machine("default")
    one.expect_all([r"\[alpha\] alpha: Linux [^\n]*\n", r"\[beta\] beta: Linux [^\n]*\n"], 180)
    one.send("\r")
    one.expect(re.escape(PROMPT))
    one.attach("beta")
    # A guest prints without a pause when the end comes.
    one.shell("beta", "for i in 1 2 3; do while :; do echo noise; done & done")
    one.send(ESCAPE + ".")
    one.send("crash far\r")
    one.expect(r"\[1\] PANIC: exception 3 in the monitor at 98\w+ \(store_nowhere\)", 60)
    one.expect("machine halted: press q", 60)
    said = one.log_path.read_text(encoding="utf-8", errors="replace").split("PANIC: exception")[1]
    assert "does not answer" not in said and "noise" not in said
    traces = re.split(r"\[[0-7]\] stopped", said.split("machine halted")[0])
    assert len(traces) == 8
    for trace in traces:
        names = re.findall(r" f{8}80[0-9a-f]{6} (\S+)\s*$", trace, re.M)
        assert names and names[-1] in ("guest_exit", "boot_entry", "secondary") and "?" not in names, trace


def played(page):
    """[(command, [lines of its answer])] of the page's session."""
    steps = []
    for block in re.findall(r"^```gdb\n(.*?)^```", page, re.M | re.S):
        for line in block.splitlines():
            if line.startswith(GDB):
                steps.append((line[len(GDB):], []))
            elif line.strip():
                steps[-1][1].append(line)
    return steps


def as_pattern(line):
    """What the page shows, with any other number for each number; "..." is the rest of a line."""
    parts = [re.split(r"(?:0x)?[0-9a-f]*[0-9][0-9a-f]*", part) for part in re.split(r"\s*\.\.\.\s*", line.strip())]
    pattern = ".*".join(r"(?:0x)?[0-9a-f]+".join(re.escape(text) for text in part) for part in parts)
    return re.sub(r"(\\ )+", r"\\s+", pattern)


def test_the_session_of_the_page(person):
    steps = played((TOP / "docs/debugging.md").read_text(encoding="utf-8"))
    assert len(steps) > 10
    gdb = person("default")
    for command, lines in steps:
        answer = gdb.interrupt() if command == "continue ^C" else gdb.say(command)
        for line in lines:
            assert re.search(as_pattern(line), answer), f"{command}: no {line!r} in\n{answer}"
