# SPDX-License-Identifier: MIT
"""The project's own files: what git tracks, as paths relative to the root."""
import functools
import pathlib
import re
import subprocess

ROOT = pathlib.Path(__file__).resolve().parents[2]
INCLUDE = re.compile(r'^\s*#\s*include\s*([<"])([^>"]+)[>"]', re.M)
CROSS = "mipsisa64r6el-linux-gnuabi64-gcc"


@functools.cache
def tracked():
    """Every tracked file that exists, in a stable order. Files someone deleted but did not commit yet are left out."""
    if (ROOT / ".git").exists():
        names = subprocess.run(["git", "ls-files", "-z"], cwd=ROOT, check=True, stdout=subprocess.PIPE,
                               text=True).stdout.split("\0")
    else:  # unpacked from an archive: all but what is made here
        names = [str(path.relative_to(ROOT)) for path in ROOT.rglob("*")
                 if path.relative_to(ROOT).parts[0] != "build" and "__pycache__" not in path.parts]
    return [name for name in sorted(names) if name and (ROOT / name).is_file()]


def with_suffix(*suffixes):
    return [name for name in tracked() if name.endswith(suffixes)]


@functools.cache
def text(name):
    return (ROOT / name).read_text(encoding="utf-8")


def includes(name):
    """(kind, path, line number) of every include line; kind is '<' or '"'."""
    body = text(name)
    return [(m.group(1), m.group(2), body.count("\n", 0, m.start(2)) + 1) for m in INCLUDE.finditer(body)]
