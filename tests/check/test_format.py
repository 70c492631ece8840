# SPDX-License-Identifier: MIT
"""The layout is the formatter's (.clang-format). `make format` repairs it; tables are marked `// clang-format off`."""
import subprocess

import tree


def test_layout_is_the_formatters():
    sources = tree.with_suffix(".c", ".h")
    done = subprocess.run(["clang-format", "--dry-run", "-Werror", "--ferror-limit=3", *sources], cwd=tree.ROOT,
                          capture_output=True, text=True)
    assert done.returncode == 0, "make format would change:\n" + done.stderr[-6000:]


def test_formatting_is_seldom_switched_off():
    for name in tree.with_suffix(".c", ".h"):
        count = tree.text(name).count("clang-format off")
        assert count <= 3, f"{name}: clang-format off {count} times"
        assert count == tree.text(name).count("clang-format on"), f"{name}: clang-format is not switched on again"
