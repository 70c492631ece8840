# SPDX-License-Identifier: MIT
"""One serial line for everybody: prefixes, attach, replay, the escape."""
import re

import pytest

from machine import ESCAPE, PROMPT


@pytest.fixture
def shells(machine):
    """The default machine with both shells up and the monitor's prompt seen."""
    one = machine("default")
    one.expect_all([r"\[alpha\] alpha: Linux [^\n]*\n", r"\[beta\] beta: Linux [^\n]*\n"], 180)
    one.send("\r")
    one.expect(re.escape(PROMPT))
    return one


def test_attach_replay_detach(shells):
    """Attached, a guest has the line raw, after a replay of what it said; the escape leads back to the prompt."""
    shells.attach("alpha")
    shells.expect(r"Linux version 6\.1")  # replayed: it was said at boot
    replayed = shells.before
    shells.expect(r"alpha: Linux [^\n]*\n")
    assert "[alpha]" not in replayed + shells.before, "an attached guest's lines carry no prefix"
    assert shells.shell("alpha", "echo here-$((40+2))") == "here-42"
    shells.detach()
    shells.attach("beta")
    assert shells.shell("beta", "hostname") == "beta"
    shells.detach()
    shells.attach("alpha")
    shells.expect(r"here-42")  # the last 16 KiB hold it
    shells.detach()


def test_escape_with_another_key_is_help(shells):
    shells.attach("alpha")
    shells.shell("alpha", "true")
    shells.send(ESCAPE + "?")
    shells.expect(r"Ctrl-\]")
    assert shells.shell("alpha", "echo still-$((40+2))") == "still-42"
    shells.send(ESCAPE + ".")
    shells.expect(re.escape(PROMPT))


def test_control_c_reaches_the_guest(shells):
    """Ctrl-C and Ctrl-A belong to the guest: neither QEMU nor the monitor takes them."""
    shells.attach("alpha")
    shells.shell("alpha", "true")
    # The shell must have given its child the terminal before the key is pressed.
    shells.send("sh -c 'echo ready-$((40+2)); sleep 1000'\r")
    shells.expect(r"ready-42")
    shells.send("\x03")
    shells.expect(r"alpha:[^\n]*# ")
    shells.send("echo c-$((40+2))\x01#\r")  # Ctrl-A: start of line in the shell's editor, so this becomes a comment
    shells.expect(r"alpha:[^\n]*# ")
    assert shells.shell("alpha", "echo after-$((40+2))") == "after-42"


def test_lines_of_the_others_are_whole(shells):
    """Two guests talk at once, nobody attached: each line has its prefix and is one guest's alone."""
    count = 40
    for guest in ("alpha", "beta"):
        shells.attach(guest)
        shells.shell(guest, "true")
        shells.send(f"(i=0; while [ $i -lt {count} ]; do i=$((i+1)); echo {guest[0]}line $i {guest[0] * 60}; done; echo {guest}-$((6*7)))"
                    " >/dev/console &\r")
        shells.expect(r"# ")
        shells.detach()
    # What was said while its guest was attached is in the replay, not here: look at what is prefixed.
    shells.send("\r")
    shells.expect(re.escape(PROMPT))
    lines = []
    for guest in ("alpha", "beta"):
        shells.attach(guest)
        shells.expect(rf"{guest}-42", 60)
        lines += shells.before.replace("\r", "").split("\n")
        shells.detach()
    for text in lines:
        whole = re.search(r"([ab])line \d+ (\w*)$", text)
        assert not whole or whole.group(2) == whole.group(1) * 60, f"a line of two guests: {text!r}"


def test_attach_at_start(machine):
    """attach=NAME on the command line: the shell without a prompt in between."""
    one = machine("one", "attach=alpha")
    one.expect(r"alpha: Linux [^\n]*\n", 120)
    assert "[alpha]" not in one.before.split("main:")[-1]
    assert one.shell("alpha", "echo direct-$((40+2))") == "direct-42"
    one.detach()
    assert one.quit() == 0


def test_guest_end_gives_the_prompt_back(shells):
    shells.attach("alpha")
    shells.shell("alpha", "true")
    shells.send("poweroff\r")
    shells.expect(r"alpha powered off, code 0")
    shells.send("\r")
    shells.expect(re.escape(PROMPT))
    shells.attach("beta")
    assert shells.shell("beta", "echo alive-$((40+2))") == "alive-42"
