# SPDX-License-Identifier: MIT
"""The serial line as a terminal and what is behind it may misuse it: pastes, floods of guests, bytes that act on terminals, pipes."""
import os
import re
import subprocess
import time

import pytest

from machine import ESCAPE, PATIENCE, PROMPT, TOP

QUESTION = "\x1b[6n"


@pytest.fixture
def shell(machine):
    """The smallest machine, its guest attached and at its shell."""
    one = machine("one", "attach=alpha")
    one.expect(r"alpha: Linux [^\n]*\n", 120)
    one.shell("alpha", "true")
    return one


def lines_of(one, text):
    return [line for line in text.replace("\r", "").split("\n") if "[alpha] " in line]


def test_a_paste_arrives_whole_and_soon(shell):
    """30 KB go to a guest that reads, at 2 KB a second or more on a host with much else to do."""
    text = "".join(f"{i:05} " + "x" * 53 + "\n" for i in range(500))
    shell.send("echo 'md5sum </tmp/f; wc -c </tmp/f; echo do''ne' >/tmp/s; stty -echo; echo rea''dy; cat >/tmp/f; stty echo; sh /tmp/s\r")
    shell.expect("ready")
    start = time.monotonic()
    shell.send(text + "\x04")
    shell.expect(r"(\d+)\r*\ndone")
    took = time.monotonic() - start
    assert int(shell.line.match.group(1)) == len(text)
    assert len(text) / took > 2000 / PATIENCE ** 2, f"{len(text) / took:.0f} bytes a second"


def test_the_escape_overtakes_what_the_guest_does_not_read(shell):
    """The guest reads nothing; 40 KB wait for it, more than the monitor keeps. The escape works all the same."""
    shell.send("stty raw -echo; echo slee''ping; sleep 1000\r")
    shell.expect("sleeping")
    shell.send("x" * 40000)
    shell.send(ESCAPE + ".")
    shell.expect(re.escape(PROMPT), 60)
    assert any("running" in line for line in shell.command("vms"))


def test_control_c_overtakes(shell):
    """What nobody reads waits in the guest; Ctrl-C behind it ends the program."""
    shell.send("echo slee''ping; sleep 1000\r")
    shell.expect("sleeping")
    shell.send(("y" * 60 + "\r") * 40 + "\x03")
    shell.expect(r"\^C", 30)
    shell.expect(r"alpha:[^\n]*# ")


def test_lines_do_not_act_on_the_terminal(shell):
    """C1 and ESC are marks in lines of a guest that nobody is attached to; a line is cut between letters."""
    shell.send("(sleep 2; printf 'A\\302\\2332JB\\n'; printf '%0199d\\303\\251END\\n' 0; printf 'C\\033[2JD\\2336nE\\n'; echo la''st) >/dev/console &\r" + ESCAPE + ".")
    shell.expect(re.escape(PROMPT))
    shell.expect(r"\[alpha\] last")
    text = shell.before
    assert "A?2JB" in text and "C?[2JD?6nE" in text
    assert re.search(r"0\r*\n[^\n]*\[alpha\] \u00e9END", text)
    assert "\ufffd" not in text and "\x9b" not in text


def test_a_replay_asks_the_terminal_nothing(shell):
    """What a guest said once, colours and queries in it, is text when it is shown again."""
    shell.shell("alpha", "printf '\\033[31mred\\033[6n\\033[5n\\033]52;c;?\\007\\302\\2335n.\\n'")
    shell.send("\x03")
    shell.detach()
    for command in ("log alpha", "attach alpha"):
        shell.send(command + "\r")
        shell.expect(r"\nred\.\r*\n")
        shown = shell.before.replace(QUESTION, "", 1) if command.startswith("attach") else shell.before
        assert "\x1b[31m" not in shown and "\x9b" not in shown and "\x1b[6n" not in shown and "\x1b]52" not in shown
        shell.send("\r")


def test_a_reset_keeps_the_guest_attached(shell):
    shell.send("reboot\r")
    shell.expect(r"alpha reset")
    shell.expect(r"\nalpha: Linux [^\n]*\n", 120)
    assert PROMPT not in shell.before
    assert shell.shell("alpha", "echo again-$((40+2))") == "again-42"


def test_what_was_typed_for_a_guest_is_not_run(shell):
    """A paste goes on over the guest's end: no line of it is a command of the monitor."""
    shell.send("poweroff -f\r" + "quit\r" * 400)
    shell.expect(r"alpha powered off, code 0", 60)
    shell.expect(re.escape(PROMPT))
    assert any("stopped" in line for line in shell.command("vms")), "the machine still runs"
    assert "no such command" not in shell.before


def test_the_terminal_is_asked_for_its_size(shell):
    """The answer is the monitor's: the guest does not see it. Without one nothing waits."""
    shell.detach()
    shell.send("attach alpha\r\x1b[40;123R")  # at once: the monitor waits a second for it, and we may sleep longer
    shell.expect(re.escape(QUESTION))
    shell.send("echo here-$((40+2))\r")
    shell.expect("here-42")
    assert "40;123" not in shell.before
    assert shell.shell("alpha", "stty size") == "40 123"


KEYS = [("vms\x1b[A\x1b[B\r", "alpha +running"), ("xyz\x03vms\r", "alpha +running"), ("xyz\x15vms\r", "alpha +running"),
        ("ms\x01v\x05\r", "alpha +running"), ("vmx\x1b[D\x1b[3~s\r", "alpha +running"), ("stop b\u00fcro\r", "b\u00fcro: no VM"),
        ("\x1b[15~vm\x1bxs\x1b[5~\r", "alpha +running"), ("vmsx\x7f\r", "alpha +running"),
        ("reg\tal\t\r", "Status"), ("crash pa\x15vms\r", "alpha +running")]


def test_keys_at_the_prompt(machine):
    one = machine("one")
    one.expect(r"\[alpha\] alpha: Linux [^\n]*\n", 120)
    one.send("\r")
    one.expect(re.escape(PROMPT))
    for keys, answer in KEYS:
        one.send(keys)
        one.expect(answer)
        one.expect(re.escape(PROMPT))
        assert "no such command" not in one.before
    one.send("\x1b[A")  # the line before
    one.expect("vms")
    one.send("\x15re\t")  # several: listed
    one.expect(r"regs  reset")
    one.send("\x15")
    one.send("policy rou\ttrig\t9\r")  # names and parameters of the command's own
    one.expect("policy round-robin: trigger=9 ")
    one.expect(re.escape(PROMPT))
    assert one.quit() == 0


def run_piped(words, typed, folder):
    """The machine with its output in a file and its input from a pipe; status and text."""
    out = folder / "out"
    with open(out, "wb") as file:
        done = subprocess.run([str(TOP / "qemu/run.sh"), "-q", "-a", words, "one"], input=typed.encode(), stdout=file, cwd=TOP,
                              timeout=120 * PATIENCE, check=False)
    return done.returncode, out.read_text(errors="replace").replace("\r", "")


def test_a_file_has_neither_prompt_nor_cursor(tmp_path):
    status, text = run_piped("cmd=vms", "nodes\nquit\n", tmp_path)
    assert status == 0
    assert "\x1b" not in text
    assert [line for line in text.split("\n") if PROMPT.strip() in line] == [PROMPT + "nodes", PROMPT + "quit"]
    assert "IPIs" in text and text.endswith("machine off\n")


@pytest.mark.parametrize("word", ["fatal=exit", "exit=1"])
def test_a_fatal_error_has_a_status(tmp_path, word):
    status, text = run_piped(word, "crash panic\n", tmp_path)
    assert "PANIC: asked for at the prompt" in text
    assert status == 1


def test_after_a_fatal_error_a_key_ends_the_machine(machine):
    one = machine("one")
    one.up()
    one.expect(re.escape(PROMPT))
    one.send("crash panic\r")
    one.expect(r"machine halted: press q to end it")
    one.send("xq")
    assert one.end() == 1
