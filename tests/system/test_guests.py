# SPDX-License-Identifier: MIT
"""docs/guests.md: every command of the page, as it is written there; files and programs of one's own in guests."""
import os
import re
import subprocess

import pytest

from machine import PATIENCE, TOP

LIMIT = 120 * PATIENCE


def run(command, **more):
    """A line as a person types it; what it printed, and its status."""
    result = subprocess.run(command, shell=True, executable="/bin/bash", cwd=TOP, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
                            stderr=subprocess.STDOUT, timeout=LIMIT, text=True, errors="replace", **more)
    return result.returncode, result.stdout.replace("\r", "")


def make_run(*words):
    return run(" ".join(["make", "run", "SCENARIO=one", *words]))


def commands_of_page():
    """The blocks of commands of docs/guests.md, as (heading, lines)."""
    heading, found = None, {}
    for line in (TOP / "docs/guests.md").read_text().splitlines():
        if line.startswith("## "):
            heading = line[3:]
        elif line.startswith("    "):
            found.setdefault(heading, []).append(line[4:])
    return found


def test_the_page(mine):
    """In order, in one shell each; what they print is what the page promises."""
    page = commands_of_page()
    expected = {
        "A C program": ["build/mine/bin/hello\n", "\nhello from C\n", "alpha powered off, code 3", "it ended with 3"],
        "A shell script": ["\nline 3 of alpha\n", "alpha powered off, code 0"],
        "A program that is linked dynamically": ["\nhello from C\n", "it ended with 3"],
        "Another command line, memory size, number of guests": ["\nanswer=42\n", "MemTotal:          9"],
    }
    assert list(page) == list(expected)
    for heading, lines in page.items():
        assert len(lines) >= 2
        status, said = run("set -e\n" + "\n".join(lines))
        assert status == 0, f"{heading}: status {status}\n{said}"
        for text in expected[heading]:
            assert text in said, f"{heading}: no {text!r} in\n{said}"


def test_status_is_the_programs():
    status, said = make_run("PROGRAM='echo \"one two\" '\\''three'\\''; [ -c /dev/console ]; exit 41'")
    assert status == 41, said
    assert "\none two three\n" in said
    assert "Error" not in said


def test_names_with_blanks_and_folders_that_are_not_there(tmp_path):
    """Anything may be in a folder's names; folders that the guest's root lacks are made, links and modes are kept."""
    folder = tmp_path / "my files"
    (folder / "opt/not yet/there").mkdir(parents=True)
    script = folder / "opt/not yet/there/it's me.sh"
    script.write_text("#!/bin/sh\necho got-$((6 * 7))\n")
    script.chmod(0o755)
    os.symlink("/opt/not yet/there/it's me.sh", folder / "link")
    (folder / "etc").mkdir()
    (folder / "etc/hosts").write_text("127.0.0.1 replaced\n")
    status, said = make_run(f"OVERLAY='{folder}'", "PROGRAM='/link && cat /etc/hosts && [ -x /bin/sh ]'")
    assert status == 0, said
    assert "\ngot-42\n" in said and "\n127.0.0.1 replaced\n" in said


def test_one_guests_files(machine, tmp_path):
    """overlay-NAME is for that VM alone, and a name that is none is refused with those that are."""
    (tmp_path / "mark").write_text("marked\n")
    status, said = run(f"make run overlay-alpha='{tmp_path}' PROGRAM='cat /mark'")
    assert status == 0 and "\nmarked\n" in said, said
    status, said = run(f"make run overlay-beta='{tmp_path}' PROGRAM='cat /mark'")
    assert status == 1 and "marked" not in said, said
    status, said = run(f"make run overlay-gamma='{tmp_path}'")
    assert status == 2 and re.search(r"overlay-gamma: found no such Linux guest in default, allowed: alpha beta", said), said


@pytest.mark.parametrize("words, said_wanted", [
    ("OVERLAY=/nowhere/at/all", r"OVERLAY: found /nowhere/at/all, allowed: a folder"),
    ("OVERLAY=README.md", r"OVERLAY: found README.md, allowed: a folder"),
])
def test_what_is_no_folder_is_refused(words, said_wanted):
    status, said = make_run(words)
    assert status == 2 and re.search(said_wanted, said), said


def test_a_program_that_is_not_there_is_named():
    status, said = run("make cc FILE=nothing.c")
    assert status == 2 and "nothing.c" in said


@pytest.mark.parametrize("megabytes, fits", [(14, True), (30, False)])
def test_a_root_too_large_is_refused_before_boot(tmp_path, megabytes, fits):
    """one.dts gives its guest 64 MB. What is accepted is there in the guest, whole."""
    with open(tmp_path / "large", "wb") as large:
        large.truncate(megabytes << 20)
    status, said = make_run(f"OVERLAY='{tmp_path}'", "PROGRAM='wc -c </large'")
    if fits:
        assert status == 0 and f"\n{megabytes << 20}\n" in said, said
    else:
        assert status == 2 and "Disco" not in said, said
        assert re.search(r"make run: one: /vms/vm0: ramdisk: found \S+ (with files )?of \d+ MB, allowed \d+ MB", said), said
