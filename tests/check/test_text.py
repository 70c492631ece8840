# SPDX-License-Identifier: MIT
"""What every text file keeps to: a licence line, clean ends of lines, a readable size, no traces of one machine."""
import re

import pytest

import tree

# No comments possible, or somebody else's text.
NO_SPDX = {"LICENSE"}
NO_SPDX_SUFFIX = (".json", ".xml", ".png")
LICENSES = {"MIT", "GPL-2.0", "GPL-2.0-only", "GPL-2.0-or-later"}
SPDX = re.compile(r"SPDX-License-Identifier: ([A-Za-z0-9.+-]+)")
SOURCES = (".c", ".h", ".S", ".py", ".sh", ".mk", ".dts", ".def", ".ld")
# A person's folders, and addresses of machines.
TRACES = re.compile(r"(?:^|[\s\"'=(:,]|-[A-Z])/(?:home|root|work|Users)/\w"
                    r"|(?<![\w.])(?:10\.\d{1,3}|192\.168|172\.16)\.\d{1,3}\.\d{1,3}(?![\w.])"
                    r"|\.(?:internal|local|corp)\b[:/]")
# The formatter keeps C at 100 columns; it does not see these.
ASSEMBLY_WIDTH = 132


def report(problems):
    assert not problems, "\n" + "\n".join(problems)


def test_every_file_names_its_licence():
    problems = []
    for name in tree.tracked():
        if name in NO_SPDX or name.endswith(NO_SPDX_SUFFIX) or not tree.text(name):
            continue
        head = "\n".join(tree.text(name).split("\n")[:12 if name.endswith(".patch") else 4])
        found = SPDX.search(head)
        if not found or found.group(1) not in LICENSES:
            problems.append(f"{name}: no SPDX-License-Identifier line at its top")
        elif name.endswith(".patch") != found.group(1).startswith("GPL") and not name.startswith("guest-patches/"):
            problems.append(f"{name}: {found.group(1)}: patches are GPL-2.0, all else is MIT")
    report(problems)


def test_lines_end_cleanly():
    problems = []
    for name in tree.tracked():
        body = tree.text(name)
        if name.endswith(".patch"):
            continue # a context line that is empty is one blank
        problems += [f"{name}:{i}: blanks at the end of the line"
                     for i, line in enumerate(body.split("\n"), 1) if line != line.rstrip()]
        if body and (not body.endswith("\n") or body.endswith("\n\n")):
            problems.append(f"{name}: ends with no newline, or with empty lines")
    report(problems)


def test_assembly_is_not_too_wide():
    problems = []
    for name in tree.with_suffix(".S", ".ld", ".def"):
        for i, line in enumerate(tree.text(name).split("\n"), 1):
            if len(line.expandtabs(8)) > ASSEMBLY_WIDTH:
                problems.append(f"{name}:{i}: {len(line.expandtabs(8))} columns")
    report(problems)


def test_files_are_short():
    report([f"{name}: {tree.text(name).count(chr(10))} lines, split at 500" for name in tree.with_suffix(*SOURCES)
            if tree.text(name).count("\n") > 500])


def test_no_traces_of_one_machine():
    problems = []
    for name in tree.tracked():
        if name == "tests/check/test_text.py":
            continue
        for i, line in enumerate(tree.text(name).split("\n"), 1):
            if TRACES.search(line):
                problems.append(f"{name}:{i}: {line.strip()}")
    report(problems)


@pytest.mark.parametrize("line, bad", [("see /home/me/x", True), ("-I/home/me/disco", True), ("at 192.168.1.7:80", True),
                                       ("/dev/null", False), ("version 10.2.1 of gcc", False), ("build/work/x", False)])
def test_the_pattern_for_traces(line, bad):
    assert bool(TRACES.search(line)) == bad


def test_modules_of_tests_have_names_of_their_own():
    """pytest imports them by name alone: of two that are equal only one is found."""
    names = [name.rsplit("/", 1)[1] for name in tree.tracked() if name.startswith("tests/") and name.endswith(".py")]
    report(sorted({f"{name}: twice" for name in names if names.count(name) > 1}))
