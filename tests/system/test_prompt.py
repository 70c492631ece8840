# SPDX-License-Identifier: MIT
"""The monitor's prompt: every command shows or does what its name says, and a wrong one says what is right."""
import re
import time

import pytest

from machine import PATIENCE, PROMPT, net, vm, write_scenario

COMMANDS = ["help", "vms", "vcpus", "nodes", "mem", "numa", "latency", "stats", "regs", "tlb", "attach", "start", "stop", "reset", "log", "readback", "quit"]


@pytest.fixture(scope="module")
def shared(request):
    """One machine for the commands that only look: the default one, both guests at their shell."""
    from machine import Machine
    one = Machine("test_prompt-shared", "default")
    request.addfinalizer(one.kill)
    one.expect_all([r"\[alpha\] alpha: Linux [^\n]*\n", r"\[beta\] beta: Linux [^\n]*\n"], 180)
    one.send("\r")
    one.expect(re.escape(PROMPT))
    return one


def has(lines, pattern):
    assert any(re.search(pattern, text) for text in lines), f"no line with {pattern!r} in\n" + "\n".join(lines)


def test_help_names_every_command(shared):
    lines = shared.command("help")
    for name in COMMANDS:
        has(lines, rf"^\s*{name}\b")


def test_unknown_command_says_what_to_do(shared):
    has(shared.command("frobnicate"), r"help")


@pytest.mark.parametrize("typed, said", [
    ("quit now", "quit: found now, which is one word too many; it is: quit"),
    ("stop alpha beta", "stop: found beta, which is one word too many; it is: stop VM"),
    ("regs alpha 0 1", "regs: found 1, which is one word too many; it is: regs VM [VCPU]"),
    ("numa map once more", "numa: found more, which is one word too many; it is: numa [map [once|MS]]")])
def test_a_word_too_many_is_refused(shared, typed, said):
    assert said in shared.command(typed)


def test_empty_line_is_no_error(shared):
    shared.command("vms")
    shared.send("\r")
    shared.expect(re.escape(PROMPT))
    assert "no such command" not in shared.before


def test_vms(shared):
    lines = shared.command("vms")
    has(lines, r"\balpha\b.*\b64\b")
    has(lines, r"\bbeta\b.*\b64\b")


def test_vcpus(shared):
    lines = shared.command("vcpus")
    has(lines, r"\balpha\b")
    has(lines, r"\bbeta\b")


def test_nodes(shared):
    lines = shared.command("nodes")
    for node in range(8):
        has(lines, rf"^\s*{node}\b")


def test_mem(shared):
    has(shared.command("mem"), r"\d")


def test_stats(shared):
    """Exits by cause, per VCPU: each guest took some of the kinds that none escapes."""
    lines = "\n".join(shared.command("stats"))
    for guest in ("alpha", "beta"):
        assert re.search(rf"{guest}/0: [1-9]\d* entries: .*\bTLBL [1-9]\d*.*\bSys [1-9]\d*", lines), lines
    assert len(re.findall(r"[1-9]\d* monitor calls", lines)) == 2, lines
    assert re.search(r"^pages shared [1-9]\d*, copied \d+, broken \d+; read before they were written \d+, written since \d+$", lines, re.M), lines
    assert "pages shared" not in "\n".join(shared.command("stats alpha"))


def test_regs(shared):
    lines = shared.command("regs alpha")
    has(lines, r"\bra\b")
    has(lines, r"(?i)status")
    has(lines, r"(?i)epc")


def test_tlb(shared):
    assert len(shared.command("tlb alpha")) > 1


def test_log(shared):
    has(shared.command("log"), r"8 nodes up")


@pytest.mark.parametrize("command", ["attach nobody", "start nobody", "stop nobody", "reset nobody", "regs nobody", "tlb nobody"])
def test_wrong_name_is_named(shared, command):
    has(shared.command(command), r"nobody")


def test_line_editing(shared):
    """Backspace at the prompt."""
    shared.send("vmz\x7fs\r")
    shared.expect(r"alpha")
    shared.expect(re.escape(PROMPT))


def test_long_line_is_no_harm(shared):
    shared.send("x" * 2000 + "\r")
    shared.expect(re.escape(PROMPT))
    has(shared.command("vms"), r"\balpha\b")


def test_a_lost_timer_is_missed_by_a_neighbour(machine):
    """QEMU forgets a node's timer now and then, on a busy host; the node would sleep for 25 s."""
    one = machine("default")
    one.expect_all([r"\[alpha\] alpha: Linux [^\n]*\n"], 180)
    one.send("\r")
    one.expect(re.escape(PROMPT))
    one.command("crash timer")

    def ticks():
        return next(int(line.split()[7]) for line in one.command("nodes") if line.split()[0] == "1")

    before, start = ticks(), time.monotonic()
    while ticks() < before + 10:
        assert time.monotonic() - start < 15 * PATIENCE, "node 1 still sleeps"
        time.sleep(0.1)


def test_stop_start_reset(machine):
    one = machine("one")
    banner = r"\[alpha\] alpha: Linux [^\n]*\n"
    one.expect(banner, 120)
    one.send("\r")
    one.expect(re.escape(PROMPT))
    one.send("stop alpha\r")
    one.expect(r"alpha[^\n]*stopped")
    one.send("start alpha\r")
    one.expect(banner, 120)
    one.send("reset alpha\r")
    one.expect(banner, 120)
    one.send("\r")
    one.expect(re.escape(PROMPT))
    assert one.quit() == 0


def test_guests_that_print_cut_no_command(machine, tmp_path):
    """A guest prints all the time: a command is there whole when it runs, and so are its lines and the guest's."""
    vms = [vm("talk", "net_storm.elf", None, 8, "ms=2", node=1, net0=net()), vm("answer", "net_storm.elf", None, 8, "role=1", node=2, net0=net())]
    one = machine(write_scenario(tmp_path, vms, nodes=3), options=("-f", "cache=0"))  # processors in step
    for command in ["stats", "regs talk", "tlb talk", "net"] * 5:
        one.send(command)
        one.expect(r"\[talk\] \d+ trips[^\n]*\n")
        one.expect(r"\[talk\] \d+ trips[^\n]*\n")  # and the prompt is not shown just then
        one.send("\r")
        one.expect(rf"disco> {command}\r*\n", 10)
        one.expect(re.escape(PROMPT))
        lines = one.before.replace("\r", "").split("\n")
        assert not [line for line in lines if "[talk]" in line[1:]], lines
    assert one.quit() == 0


def test_resets_of_a_guest_leave_the_log_to_others(machine, tmp_path):
    """It resets itself as fast as it can: each is shown, the log keeps the first and a few later ones."""
    vms = [vm("again", "smp_reset.elf", None, 4, vcpus=8, node=[1, 2], manual=True)]
    one = machine(write_scenario(tmp_path, vms, nodes=3))
    one.up()
    one.send("start again\r")
    for _ in range(24):
        one.expect("vm: again reset")
    one.do("stop again", "vm: again stopped")
    shown = one.log_path.read_text().count("vm: again reset")
    lines = one.command("log")
    assert sum("again reset" in line for line in lines) == 8 + sum(1 << k <= shown for k in range(4, 40)), (shown, lines)
    has(lines, "vm: again stopped")
    assert one.quit() == 0
