# SPDX-License-Identifier: MIT
"""Symbols for each node's own copy of the monitor's text (arch/mips/text.c), so that a breakpoint by name or by file and line is in
all of them, and threads and back traces in a copy have names. The copies exist from create_nodes() on; nobody runs in one before
node 0 has come to text_enter(). There the symbols are added, without the person noticing: gdb then sets all of its breakpoints
anew, also those that were set before the first instruction."""
import gdb

import monitor


class CopiesAreMade(gdb.Breakpoint):
    """At text_enter(): never a stop to the person, only the first time of use."""

    def __init__(self):
        start = monitor.unsigned(gdb.parse_and_eval("&text_enter"))
        super().__init__(f"*{start:#x}", internal=True)
        self.silent = True

    def stop(self):
        self.enabled = False
        add_symbols()
        return False


def text_section():
    """The first address of .text in the original."""
    line = next(s for s in gdb.execute("info files", to_string=True).splitlines() if s.endswith("is .text"))
    return int(line.split()[0], 16)


def add_symbols():
    known = gdb.execute("info files", to_string=True)
    original = text_section()
    for node in monitor.nodes():
        start = original + monitor.node_text(node) & monitor.MASK
        if start != original and f"{start:#x}" not in known:
            gdb.execute(f'add-symbol-file "{monitor.file().filename}" {start:#x}', to_string=True)


def watch():
    """To be called when the monitor's symbols are known. A machine that has booted before has its copies already."""
    if int(monitor.variable("nnodes")):
        with monitor.kernel_view():
            add_symbols()
    else:
        CopiesAreMade()
