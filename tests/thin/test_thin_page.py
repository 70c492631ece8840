# SPDX-License-Identifier: MIT
"""docs/thin.md: every command of the page, as it is written there."""
import re
import subprocess

from machine import PATIENCE, TOP

EXPECTED = {
    "From an empty folder to eight nodes": [*(f"thread {i} on VCPU {i} is done" for i in range(8)), "\n1.644933\n", "sum powered off, code 0"],
    "A program that goes wrong": ["thin: thread 0 on VCPU 0: load from 0x0, where there is nothing: a null pointer\n", "at main+0x",
                                  "wrong powered off, code 139", "it ended with 139"],
    "Files": ["/default.dts: ", "longest powered off, code 0"],
    "A network": [" is 127.0.0.1:", "greet powered off, code 0", "it said: hello from file 4\n"],
    "In a scenario of one's own": ["[wander] 1.644934\n", "wander powered off, code 0"],
}


def commands_of_page():
    """The blocks that begin with a command, as (heading, lines)."""
    heading, block, found = None, [], {}
    for line in [*(TOP / "docs/thin.md").read_text().splitlines(), "end"]:
        if line.startswith("    ") or (not line and block):
            block.append(line[4:])
            continue
        if block and re.match(r"(mkdir|cat|sed|make) ", block[0]):
            found.setdefault(heading, []).extend(block)
        block = []
        if line.startswith("## "):
            heading = line[3:]
    return found


def test_the_page(mine):
    page = commands_of_page()
    assert list(page) == list(EXPECTED)
    for heading, lines in page.items():
        done = subprocess.run("set -e\n" + "\n".join(lines), shell=True, executable="/bin/bash", cwd=TOP, stdin=subprocess.DEVNULL,
                              stdout=subprocess.PIPE, stderr=subprocess.STDOUT, timeout=120 * PATIENCE, text=True, errors="replace")
        said = done.stdout.replace("\r", "")
        assert done.returncode == 0, f"{heading}: status {done.returncode}\n{said}"
        for text in EXPECTED[heading]:
            assert text in said, f"{heading}: no {text!r} in\n{said}"
