#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""make smoke: the default scenario with nobody at the keyboard. Boots, runs a command in the shell of every guest, has the first
reach the next by the network, powers each off, leaves. Exit status 0 only if all of that was seen; the last line says which guests, and when each had its shell.
"""
import re
import sys
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parent.parent))
from machine import PROMPT, TOP, Machine  # noqa: E402


def guests_of(scenario):
    return re.findall(r'label = "([^"]+)"', (TOP / f"configs/{scenario}.dts").read_text())


def smoke(scenario="default", *options):
    """options: of qemu/run.sh; -b boots by U-Boot."""
    guests = guests_of(scenario)
    machine = Machine("-".join(["smoke", scenario, *options]).replace("--", "-"), scenario, options=options)
    try:
        machine.up()
        seconds = {}
        while len(seconds) < len(guests):
            match = machine.expect(r"\[([a-z0-9-]+)\] \1: Linux [^\n]* shell ", 180)
            seconds[match.group(1)] = time.monotonic() - machine.started
        assert sorted(seconds) == sorted(guests), f"shells of {sorted(seconds)}, wanted {guests}"
        machine.send("\r")
        machine.expect(re.escape(PROMPT))
        for number, guest in enumerate(guests):
            machine.attach(guest)
            answer = machine.shell(guest, f"echo $(uname -m) $(hostname) $((6*{number + 7}))")
            assert answer == f"mips64 {guest} {6 * (number + 7)}", f"{guest}: the shell answered {answer!r}"
            if number + 1 < len(guests):  # by its name, without configuration
                other = guests[number + 1]
                answer = machine.shell(guest, f"ping -c 1 -w 20 {other} >/dev/null && echo {other} answers")
                assert answer == f"{other} answers", f"{guest}: ping {other}: the shell answered {answer!r}"
            machine.send("poweroff\r")
            machine.expect(rf"{guest} powered off, code 0")
            machine.send("\r")
            machine.expect(re.escape(PROMPT))
        status = machine.quit()
        assert status == 0, f"QEMU ended with status {status}"
        return guests, seconds
    finally:
        machine.kill()


if __name__ == "__main__":
    try:
        guests, seconds = smoke(*sys.argv[1:])
    except AssertionError as failure:
        print(f"smoke: FAILED: {failure}", file=sys.stderr)
        sys.exit(1)
    print(f"smoke: {len(guests)} guests ran a command and powered off; seconds to shell: "
          + ", ".join(f"{guest} {seconds[guest]:.1f}" for guest in guests))
