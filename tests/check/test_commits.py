# SPDX-License-Identifier: MIT
"""How commits are described: "area: imperative" in at most 72 characters, an empty line, a body of lines of at most 80."""
import re
import subprocess

import pytest

import tree

SINCE = "2026-11-28 19:00 +0000"  # older ones are as they are
SUBJECT = re.compile(r"[\w./*{},+ -]+: \S")


def problems_of(message):
    lines = message.rstrip("\n").split("\n")
    subject, body = lines[0], lines[2:]
    if len(subject) > 72:
        yield f"the subject has {len(subject)} characters, allowed 72"
    if not SUBJECT.match(subject):
        yield "the subject does not begin with an area and a colon"
    if subject.endswith("."):
        yield "the subject ends with a full stop"
    if lines[1:2] not in ([], [""]):
        yield "the second line is not empty"
    if not any(line.strip() for line in body):
        yield "there is no body that says why and how it was tested"
    yield from (f"a line of the body has {len(line)} characters, allowed 80" for line in body
                if len(line) > 80 and " " in line.strip())


def test_commits_say_what_why_and_how_tested():
    """Of what is there: a shallow clone has few commits, a tarball none."""
    if not (tree.ROOT / ".git").exists():
        pytest.skip("no history here")
    log = subprocess.run(["git", "log", "--no-merges", f"--since={SINCE}", "--format=%h%x00%B%x01"], cwd=tree.ROOT,
                         capture_output=True, text=True, check=True).stdout
    commits = [entry.strip("\n").split("\0") for entry in log.split("\1") if entry.strip("\n")]
    problems = [f"{name} {message.splitlines()[0] if message else ''}: {problem}"
                for name, message in commits for problem in problems_of(message)]
    assert not problems, "\n" + "\n".join(problems)


@pytest.mark.parametrize("message, good", [
    ("numa: count what moves\n\nThe figures were guessed.\n", True), ("numa: count what moves\n", False),
    ("count what moves\n\nWhy.\n", False), ("numa: " + "x" * 70 + "\n\nWhy.\n", False), ("x\n", False)])
def test_the_checker_itself(message, good):
    assert (not list(problems_of(message))) == good
