# SPDX-License-Identifier: MIT
"""What a structure holds is changed by functions of its owner: other folders write none of its fields."""
import re

import tree

MONITOR = ("kernel/", "arch/mips/", "numa/", "drivers/", "boot/")

# what, the folders it belongs to, how somebody who reaches in would write it (spaces are taken out before)
DOORS = [
    ("the states of a VM's page: kernel/mem/pmap.h has the functions", ("kernel/mem/",),
     r'kernel/mem/pmap_state\.h"|structpmap_page\b|pmap(\.|->)page\b|pmap(\.|->)broken\b'),
    ("what a node sees of a VM's page: kernel/mem/pmap.h has the functions", ("kernel/mem/", "arch/mips/"),
     r"\bpmap_entry\(|\bpmap_pair\(|(\.|->)view\["),
    ("what a machine page is: kernel/mem/memmap.h has the functions", ("kernel/mem/",),
     r"memmap_page\([^;]*\)(->(state|owner|gpn|moves)=[^=])|\*memmap_page\([^;]*\)="),
]


def code_of(text):
    """Without comments, spaces and ends of lines, but for the line ends that separate includes."""
    text = re.sub(r"/\*.*?\*/", "", text, flags=re.S)
    return re.sub(r"[ \t]+|\n(?!#)", "", text)


def problems_of(name, text):
    for what, owners, pattern in DOORS:
        found = None if name.startswith(owners) else re.search(pattern, code_of(text))
        if found:
            yield f"{name}: {found.group(0)}: {what}"


def test_structures_are_changed_by_their_owners():
    found = [problem for name in tree.with_suffix(".c", ".h", ".def") if name.startswith(MONITOR)
             for problem in problems_of(name, tree.text(name))]
    assert not found, "\n" + "\n".join(found)


def test_the_table_itself():
    """Each way of reaching in is seen outside the owner's folder, and not inside; comments are not code."""
    for line in ('#include "kernel/mem/pmap_state.h"\n', "vm->pmap.page[gpn.v].master = 0;", "const struct pmap_page *page;",
                 "p->view[node].entry = e;", "pmap_entry(&vm->pmap,\n\tgpn, node)->lo = 0;", "vm->pmap.broken[1] = true;",
                 "memmap_page(to)->moves = 1;", "*memmap_page(to) = p;", "memmap_page(maddr_mpn(page))->state = PAGE_FREE;"):
        assert list(problems_of("numa/x.c", line)), line
        assert not list(problems_of("kernel/mem/x.c", line)), line
    for line in ("/* struct pmap_page */", "if (memmap_page(mpn)->state == PAGE_FREE)", "b->page[i].from = from;"):
        assert not list(problems_of("numa/x.c", line)), line
