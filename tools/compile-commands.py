#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""compile-commands.py OUT - OUT is a compilation database of all our C files, for clangd and the like. COMPILERS in the environment
is lines of patterns, "=" and a command; a file has the command of the first pattern that fits it. Make calls it."""
import fnmatch
import json
import os
import shlex
import sys
from pathlib import Path

TOP = Path(__file__).resolve().parent.parent


def sources():
    for folder, folders, files in os.walk(TOP):
        folders[:] = sorted(name for name in folders if not name.startswith(".") and (folder != str(TOP) or name != "build"))
        yield from sorted(os.path.relpath(f"{folder}/{name}", TOP) for name in files if name.endswith(".c"))


def main():
    rules = []
    for line in os.environ["COMPILERS"].splitlines():
        patterns, _, command = line.partition(" = ")
        rules += [(pattern, shlex.split(command)) for pattern in patterns.split()]
    found = []
    for name in sources():
        command = next((command for pattern, command in rules if fnmatch.fnmatchcase(name, pattern)), None)
        if command is None:
            sys.exit(f"compile-commands.py: found no compiler for {name}: tools/module.mk names them")
        found.append({"directory": str(TOP), "file": name, "arguments": [*command, "-c", name]})
    out = Path(sys.argv[1])
    whole = out.with_suffix(f".{os.getpid()}.tmp")
    whole.write_text(json.dumps(found, indent=1) + "\n")
    whole.replace(out)
    print(f"{out}: {len(found)} files")


main()
