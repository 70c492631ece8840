# SPDX-License-Identifier: MIT
"""A breakpoint in a guest stops before the page it is on is fetched, and the hardware TLB need not hold that page yet. Then gdb
cannot read the instruction there, so cannot go on from its own breakpoint: "Cannot access memory". The guest kernel's code is in its
symbol file, too: while the processor is at a place that cannot be read, gdb takes what it must know from there."""
import gdb

import monitor


def readable(address):
    try:
        gdb.selected_inferior().read_memory(address, 4)
        return True
    except gdb.MemoryError:
        return False


def choose(event=None):
    """Before gdb goes on from wherever the selected thread is."""
    if gdb.selected_thread() is None or gdb.selected_thread().is_running():
        return
    gdb.execute("set trust-readonly-sections off", to_string=True)
    if not readable(monitor.unsigned(gdb.parse_and_eval("$pc"))):
        gdb.execute("set trust-readonly-sections on", to_string=True)


gdb.events.stop.connect(choose)
gdb.events.before_prompt.connect(choose)
