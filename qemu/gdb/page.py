# SPDX-License-Identifier: MIT
"""disco-page: a guest's address on its way V -> P -> M. disco-owner: whose a machine page is."""
import gdb

import monitor as m
from show import Command

ABI = m.constants("kernel/abi/disco.h")
REGS = m.constants("arch/mips/regs.h")
VPN2, PFN, ASID = REGS["ENTRYHI_VPN2"], REGS["ENTRYLO_PFN"], REGS["ENTRYHI_ASID"]
V, D, RI, XI = REGS["ENTRYLO_V"], REGS["ENTRYLO_D"], REGS["ENTRYLO_RI"], REGS["ENTRYLO_XI"]
STACK = m.constants("kernel/node.h")["NODE_STACK_SIZE"]
LEVELS = 3


def lo_page(lo):
    return (lo & PFN) >> REGS["ENTRYLO_PFN_SHIFT"]


def lo_text(lo):
    names = [name for bit, name in ((D, "writable"), (RI, "no read"), (XI, "no execute")) if lo & bit]
    return ", ".join((["valid"] if lo & V else ["not valid"]) + names)


class NoPage(Exception):
    """Why an address leads nowhere."""


# ---- V -> P, as mmu.c and walk.c do ----

def window(vcpu, va):
    """P behind an address of the windows, which need no TLB entry of the guest; None: it lies in neither."""
    if ABI["DISCO_CSSEG_BASE"] <= va < ABI["DISCO_CSSEG_MAPPED"]:
        return va - ABI["DISCO_CSSEG_BASE"]
    p = va - ABI["DISCO_XSSEG_BASE"]
    return p if va >> 62 == 1 and p >> m.PAGE_SHIFT < m.vm_pages(vcpu["vm"]) else None


def guest_word(vcpu, va):
    p = window(vcpu, va)
    if p is None:
        raise NoPage(f"the table at {va:016x} is in no window")
    gpn = p >> m.PAGE_SHIFT
    if gpn >= m.vm_pages(vcpu["vm"]) or not m.pmap_page(vcpu["vm"], gpn)[0]:
        raise NoPage(f"the table at {va:016x}, P {p:x}, has no memory yet")
    return m.word((m.pmap_page(vcpu["vm"], gpn)[0] << m.PAGE_SHIFT) + p % m.PAGE)


def walk(vcpu, va):
    """P by the guest's page tables, level by level."""
    walker = m.vcpu_walker(vcpu)
    supervisor = va >> 62 != 0
    table = m.unsigned(walker["kernel_root" if supervisor else "root"])
    top = int(walker["shift"][0]) + int(walker["bits"][0])
    if not supervisor and va >> top:
        raise NoPage(f"above what the guest's tables cover, {1 << top:x}")
    for level in range(LEVELS):
        index = va >> int(walker["shift"][level]) & (1 << int(walker["bits"][level])) - 1
        entry = guest_word(vcpu, table + 8 * index)
        print(f"  level {level}: table {table:016x}, entry {index:#x}: {entry:016x}")
        table = entry
    rotate = int(walker["rotate"])
    lo = (entry >> rotate | entry << 64 - rotate) & m.MASK
    present = m.unsigned(walker["present"])
    if not entry & present:
        raise NoPage("the guest's entry is not present")
    print(f"  as EntryLo: page {lo_page(lo):x}, {lo_text(lo)}")
    return lo_page(lo) << m.PAGE_SHIFT | va % m.PAGE


def look_in_tlb(vcpu, va):
    """P by the guest's own TLB, for a guest that has no walker."""
    asid = m.vcpu_cp0(vcpu)["EntryHi"] & ASID
    for i, (hi, lo0, lo1, mask) in enumerate(m.vcpu_tlb(vcpu)):
        if hi & REGS["ENTRYHI_EHINV"] or (hi ^ va) & VPN2 & ~(mask | 0x1fff):
            continue
        if not lo0 & lo1 & REGS["ENTRYLO_G"] and hi & ASID != asid:
            continue
        half = mask + 0x2000 >> 1
        lo = lo1 if va & half else lo0
        print(f"  TLB entry {i}: {hi:016x} {lo0:016x} {lo1:016x}: page {lo_page(lo):x}, {lo_text(lo)}")
        if not lo & V:
            raise NoPage("the guest's entry is not valid")
        return (lo_page(lo) << m.PAGE_SHIFT) & ~(half - 1) | va & half - 1
    raise NoPage("the guest's TLB has no entry for it: its own refill handler would be asked")


def physical(vcpu, va):
    if va >= ABI["DISCO_SPECIAL_PAGE"]:
        where = m.machine_address(m.vcpu_special_page(vcpu))
        raise NoPage(f"the special page: no page of the VM, machine page {where >> m.PAGE_SHIFT:x}")
    p = window(vcpu, va)
    if p is not None:
        print("  in a window: no TLB entry of the guest is needed")
        return p
    return walk(vcpu, va) if m.vcpu_walker(vcpu)["on"] else look_in_tlb(vcpu, va)


# ---- P -> M ----

def show_machine_page(vm, gpn):
    if gpn >= m.vm_pages(vm):
        raise NoPage(f"{m.vm_name(vm)} has only pages 0 to {m.vm_pages(vm) - 1:x}")
    master, replicas, busy = m.pmap_page(vm, gpn)
    if not master:
        raise NoPage("no machine page yet: the page was never used")
    show_owner(master)
    print(f"  replicas on nodes: {', '.join(str(i) for i in range(16) if replicas >> i & 1) or 'none'}" + (", on the move" if busy else ""))
    for node, lo in m.pmap_views(vm, gpn):
        print(f"  node {node} sees: " + (f"{lo_page(lo):x}, {lo_text(lo)}" if lo else "nothing yet"))
    return master


class Page(Command):
    """disco-page VM[/N] ADDRESS: a guest's address V, the VM's "physical" address P, the machine page M, and who sees it.

V is translated as VCPU N (or 0) of the VM would do now, in the address space that it is in."""
    name, words = "disco-page", (2, 2)

    def run(self, name, address):
        vcpu = m.find_vcpu(name)
        va = number(address)
        print(f"V {va:016x} of {m.vcpu_name(vcpu)} {m.label(va)}".rstrip())
        try:
            p = physical(vcpu, va)
            print(f"P {p:016x}, page {p >> m.PAGE_SHIFT:x} of {m.vm_name(vcpu['vm'])}")
            mpn = show_machine_page(vcpu["vm"], p >> m.PAGE_SHIFT)
            maddr = mpn << m.PAGE_SHIFT | p % m.PAGE
            print(f"M {maddr:016x}; in the monitor's view: x/gx {m.XKPHYS | maddr & ~7:#x}")
        except NoPage as why:
            print(f"  {why}")


def number(text):
    return m.unsigned(gdb.parse_and_eval(text).cast(gdb.lookup_type("unsigned long")))


# ---- M ----

def show_owner(mpn):
    found = m.memmap_page(mpn)
    if found is None:
        raise gdb.GdbError(f"machine page {mpn:x} is not RAM; the machine has {ranges()}")
    node, page = found
    state = m.page_state(page)
    line = f"  machine page {mpn:x}, node {node}: {state}"
    owners = {m.vm_id(vm): m.vm_name(vm) for vm in m.vms()}
    if state == "MONITOR":
        line += monitors(mpn)
    elif state == "SHARED":
        held, users, listed = m.shared_users(page)
        line += f", held {held} times, used by {users}: " + ", ".join(f"{owners[vm]}'s page {gpn:x}" for vm, gpn in listed)
        line += " ..." if users > len(listed) else ""
    elif state != "FREE":
        line += f", {owners.get(m.page_owner(page), m.page_owner(page))}'s page {m.page_gpn(page):x}"
    print(line)


def monitors(mpn):
    """What the monitor has there, as far as that can be said."""
    start = mpn << m.PAGE_SHIFT
    for node in m.nodes():
        first, last = (m.unsigned(gdb.parse_and_eval(f"&{name}")) for name in ("text_start", "text_end"))
        text = m.machine_address(first + m.node_text(node) & m.MASK)
        if m.node_text(node) and text <= start < text + (last - first):
            return f", the copy of its text that node {m.node_id(node)} runs"
        if 0 < m.machine_address(m.node_stack_top(node)) - start <= STACK:
            return f", the stack of node {m.node_id(node)}"
    name = m.label(m.KSEG0 | start & 0x1fffffff) if start < m.RAM + 0x10000000 else ""
    return f", its image: {name}" if name else ", allocated at boot"


def ranges():
    return ", ".join(f"{first:x} to {first + pages - 1:x} (node {i})" for i, (first, pages, _) in enumerate(m.memmap_ranges()))


class Owner(Command):
    """disco-owner PAGE-OR-ADDRESS: whose a machine page is, by memmap.

A page number, a machine address (RAM is from 0x80000000) or a pointer of the monitor, in KSEG0 or XKPHYS."""
    name, words = "disco-owner", (1, 1)

    def run(self, text):
        value = number(text)
        if value >= m.RAM:
            maddr = m.machine_address(value) if value >> 63 else value
            if maddr is None or maddr >> m.PAGE_SHIFT >> 32:
                raise gdb.GdbError(f"found {value:#x}, expected a page number, a machine address, or a pointer of the monitor")
            value = maddr >> m.PAGE_SHIFT
        show_owner(value)


for command in (Page, Owner):
    command()
