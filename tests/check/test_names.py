# SPDX-License-Identifier: MIT
"""What documents name is there: functions and variables in backquotes, and files of the tree. A function that was renamed is renamed in the
documents, too."""
import re

import tree

SPAN = re.compile(r"`([^`\n]+)`")
IDENTIFIER = re.compile(r"\b[a-z][a-z0-9]*(?:_[a-z0-9]+)+\b")
FILE = re.compile(r"(?<![\w./-])[\w./-]*\w\.(?:c|S|py|sh|def|patch|dts)\b(?!\w)")
# Names that stand for others, and files that a reader makes.
STAND_IN = re.compile(r"NAME|ROOM|FILE|\bx\.c$|^build/|\bsum\.dts$|\btwo\.dts$|\binit/main\.c$|^10\.S$")


def sources():
    return [name for name in tree.tracked() if not name.endswith(".md")]


def unknown_names(text, code):
    return sorted({name for span in SPAN.findall(text) for name in IDENTIFIER.findall(span) if name not in code})


def unknown_files(text, files):
    """Paths may leave out folders in front of them."""
    found = {name for name in FILE.findall(text) if not STAND_IN.search(name)}
    return sorted(name for name in found if not any(("/" + path).endswith("/" + name.lstrip("./")) for path in files))


def test_names_in_documents_are_in_the_code():
    code = "\n".join(name + "\n" + tree.text(name) for name in sources())
    problems = [f"{name}: `{word}` is nowhere in the code" for name in tree.with_suffix(".md") for word in unknown_names(tree.text(name), code)]
    assert not problems, "\n" + "\n".join(problems)


def test_files_in_documents_are_in_the_tree():
    files = tree.tracked()
    problems = [f"{name}: there is no {word}" for name in tree.with_suffix(".md") for word in unknown_files(tree.text(name), files)]
    assert not problems, "\n" + "\n".join(problems)


def test_the_words_of_the_command_line_are_those_of_the_tour():
    """Rows of its table: a word that ends in "=" may have anything behind it."""
    known = set(re.findall(r'X\("([^"]+)"\)', tree.text("kernel/options.c")))
    section = tree.text("docs/tour.md").split("\n## Words of the command line\n")[1].split("\n## ")[0]
    said = {word for row in re.findall(r"^\| (`[^|]+) \|", section, re.M) for word in re.findall(r"`([a-z-]+=[^`]*)`", row)}
    assert known == {word if word in known else word.split("=")[0] + "=" for word in said}


def test_the_checker_itself():
    assert unknown_names("the function `old_name(x)` and `new_name`, no_code", "int new_name(void);") == ["old_name"]
    assert unknown_files("kernel/gone.c, `main.c`, build/mine/a.c, tests/guest/NAME.c", ["kernel/main.c"]) == ["kernel/gone.c"]
