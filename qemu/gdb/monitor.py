# SPDX-License-Identifier: MIT
"""The monitor's data as gdb sees it. What a field is called and where a structure lies is written here and nowhere else in this
folder. Names are always looked up in the monitor's own file, since Linux has a struct page and a struct node, too."""
import contextlib
import re

import gdb

MASK = (1 << 64) - 1
XKPHYS = 0x9800000000000000  # cached
KSEG0 = 0xffffffff80000000
RAM = 0x80000000  # machine address of the first byte of RAM, which KSEG0 shows as well
PAGE_SHIFT = 12
PAGE = 1 << PAGE_SHIFT
STATUS_EXL, STATUS_ERL, STATUS_KSU, STATUS_KSU_U, STATUS_KX = 2, 4, 0x18, 0x10, 0x80


# ---- symbols ----

def file():
    for objfile in gdb.objfiles():
        if objfile.filename and objfile.filename.endswith("/disco.elf"):
            return objfile
    raise gdb.GdbError("found no symbols of the monitor: say `file build/disco.elf`")


def variable(name):
    symbol = file().lookup_global_symbol(name) or file().lookup_static_symbol(name)
    if symbol is None:
        raise gdb.GdbError(f"the monitor has no variable {name}: is build/disco.elf newer than qemu/gdb?")
    return symbol.value()


def type_of(name, function):
    """A type, as the source file of a function of the monitor knows it."""
    return gdb.lookup_type(name, file().lookup_global_symbol(function).symtab.static_block())


def enumerator(value, name, prefix, function):
    """The name of a value of an enum, which the field itself need not be."""
    names = {f.enumval: f.name.removeprefix(prefix) for f in type_of(name, function).fields()}
    return names.get(int(value), f"{int(value)}, not of {name}")


def constants(header):
    """The plain numbers that a header of the sources #defines."""
    with open(header, encoding="utf-8") as lines:
        found = re.findall(r"^#define\s+(\w+)\s+(0x[0-9a-fA-F]+|\d+)\b", lines.read(), re.M)
    return {name: int(value, 0) for name, value in found}


def label(address):
    """What `info symbol` says, without the section: "" if there is no name."""
    said = gdb.execute(f"info symbol {address & MASK:#x}", to_string=True)
    return "" if said.startswith("No symbol") else said.split(" in section")[0].strip()


def unsigned(value):
    return int(value) & MASK


# ---- processors ----

guest_status = {}  # number of a thread that was given the monitor's view -> Status as the guest has it


@contextlib.contextmanager
def selected_again():
    """Brings back the thread and the frame that are selected now."""
    thread = gdb.selected_thread()
    # Not gdb.selected_frame(): where a frame has no symbols gdb would warn, and only execute() can keep that from the person.
    level = re.search(r"^#(\d+)", gdb.execute("frame", to_string=True), re.M)[1]
    try:
        yield
    finally:
        thread.switch()
        gdb.execute(f"frame {level}", to_string=True)


def status():
    """Status of the selected thread's processor, whatever view it was given."""
    real = unsigned(gdb.parse_and_eval("$sr"))
    return guest_status.get(gdb.selected_thread().num, real)


def mode():
    """Where the selected thread's processor is: in the "monitor", or in a guest's "kernel" or "user" mode."""
    bits = status()
    if bits & (STATUS_EXL | STATUS_ERL) or not bits & STATUS_KSU:
        return "monitor"
    return "user" if bits & STATUS_KSU == STATUS_KSU_U else "kernel"


def set_status(value):
    with selected_again():
        gdb.execute("frame 0", to_string=True)
        gdb.execute(f"set $sr = {value:#x}", to_string=True)
        gdb.execute("maintenance flush dcache", to_string=True)


def enter_kernel_view():
    """The selected thread's processor, stopped in a guest or before it has come to the monitor, sees memory as the monitor does:
    Status.EXL and KX are set. False: it does so already."""
    thread, before = gdb.selected_thread().num, status()
    wanted = before | STATUS_KX | (0 if mode() == "monitor" else STATUS_EXL)
    if wanted == before or thread in guest_status:
        return False
    set_status(wanted)
    guest_status[thread] = before
    return True


def leave_kernel_view():
    before = guest_status.pop(gdb.selected_thread().num, None)
    if before is not None:
        set_status(before)


@contextlib.contextmanager
def kernel_view():
    thread = gdb.selected_thread()
    entered = enter_kernel_view()
    try:
        yield
    finally:
        thread.switch()
        if entered:
            leave_kernel_view()


def thread_of_node(node):
    """Node n is thread n + 1."""
    return next((t for t in gdb.selected_inferior().threads() if t.num == node + 1), None)


# ---- nodes, VMs, VCPUs ----

def nodes():
    array = variable("nodes")
    found = [array[i] for i in range(int(variable("nnodes"))) if array[i]]
    if not found:
        raise gdb.GdbError("the monitor has not made its nodes yet: `thbreak node_start_others`, `continue`, and ask again")
    return found


def node_id(node): return int(node["id"])
def node_text(node): return unsigned(node["text"])
def node_stack_top(node): return unsigned(node["stack_top"])
def node_current(node): return node["current"]
def node_vcpus(node): return int(node["nvcpus"])


def vms():
    array = variable("vms")
    return [array[i] for i in range(int(variable("nvms")))]


def vm_name(vm): return vm["name"].string()
def vm_id(vm): return int(vm["id"])
def vm_state(vm): return enumerator(vm["state"], "enum vm_state", "VM_", "vm_describe")
def vm_home(vm): return node_id(vm["home"]) if vm["home"] else None
def vm_pages(vm): return int(vm["pmap"]["npages"])
def vm_pages_used(vm): return int(vm["pmap"]["used"])
def vm_vcpus(vm): return [vm["vcpus"][i] for i in range(int(vm["nvcpus"]))]


def vcpu_name(vcpu): return f"{vm_name(vcpu['vm'])}/{int(vcpu['id'])}"
def vcpu_state(vcpu): return enumerator(vcpu["state"], "enum vcpu_state", "VCPU_", "vcpu_start")
def vcpu_node(vcpu): return vcpu["node"]
def vcpu_saved(vcpu, number): return unsigned(vcpu["arch"]["gpr"][number])
def vcpu_saved_pc(vcpu): return unsigned(vcpu["arch"]["pc"])
def vcpu_lines(vcpu): return int(vcpu["arch"]["irq_lines"]) | int(vcpu["arch"]["soft_irq"])
def vcpu_walker(vcpu): return vcpu["arch"]["walker"]
def vcpu_special_page(vcpu): return unsigned(vcpu["arch"]["cp0"])


def vcpu_cp0(vcpu):
    """{name: value} of the virtual CP0, in the order of arch/mips/cp0.def; registers that are computed when read are not right."""
    rows = type_of("enum vcp0_index", "vcp0_read").fields()
    registers = vcpu["arch"]["cp0"]["reg"]
    return {f.name.removeprefix("VCP0_"): unsigned(registers[f.enumval // 8][f.enumval % 8]) for f in rows}


def vcpu_tlb(vcpu):
    """(EntryHi, EntryLo0, EntryLo1, PageMask) of each entry of the guest's own TLB."""
    array = vcpu["arch"]["vtlb"]
    for i in range(array.type.sizeof // array[0].type.sizeof):
        e = array[i]
        yield unsigned(e["hi"]), unsigned(e["lo"][0]), unsigned(e["lo"][1]), unsigned(e["mask"])


def find_vm(name):
    for vm in vms():
        if vm_name(vm) == name:
            return vm
    names = ", ".join(vm_name(vm) for vm in vms())
    raise gdb.GdbError(f"found VM {name!r}, allowed: {names or 'none: the monitor has not made its VMs yet'}")


def find_vcpu(text):
    """NAME/N, or NAME for its VCPU 0."""
    name, slash, number = text.partition("/")
    vm = find_vm(name)
    vcpus = vm_vcpus(vm)
    if not vcpus:
        raise gdb.GdbError(f"VM {name} has no VCPUs: it is {vm_state(vm)}")
    if slash and not (number.isdecimal() and int(number) < len(vcpus)):
        raise gdb.GdbError(f"found VCPU {number!r} of {name}, allowed: 0 to {len(vcpus) - 1}")
    return vcpus[int(number or 0)]


# ---- memory ----

def word(maddr):
    """The 64-bit word at a machine address."""
    return int.from_bytes(gdb.selected_inferior().read_memory(XKPHYS | maddr, 8).tobytes(), "little")


def machine_address(pointer):
    """A pointer of the monitor, in KSEG0 or XKPHYS -> machine address; None: neither."""
    if pointer >= KSEG0:
        return RAM | pointer & 0x1fffffff if pointer < KSEG0 + 0x20000000 else None
    return pointer - XKPHYS if XKPHYS <= pointer < XKPHYS + (1 << 44) else None


def pmap_page(vm, gpn):
    """(master's machine page number or 0, mask of nodes with replicas, busy) of a VM's page. The top bit of the word says that the
    master is shared with other VMs (kernel/mem/pmap_state.h)."""
    page = vm["pmap"]["page"][gpn]
    return int(page["master"]) & 0x7fffffff, int(page["replicas"]), int(page["busy"])


def pmap_views(vm, gpn):
    """(node, EntryLo that its VCPUs see) for each node that has a view of the VM."""
    views = vm["pmap"]["view"]
    for node in nodes():
        entries = views[node_id(node)]["entry"]
        if entries:
            yield node_id(node), unsigned(entries[gpn]["lo"])


def memmap_ranges():
    """(first machine page number, pages, the entries) of each node."""
    for node in nodes():
        part = variable("memmap")[node_id(node)]
        yield int(part["first"]["v"]), int(part["npages"]), part["entries"]


def memmap_page(mpn):
    """(node, memmap entry), or None: not RAM of the machine."""
    for node, (first, pages, entries) in enumerate(memmap_ranges()):
        if first <= mpn < first + pages:
            return node, entries[mpn - first]
    return None


def page_state(page): return enumerator(page["state"], "enum page_state", "PAGE_", "memmap_page")
def page_owner(page): return int(page["owner"])
def page_gpn(page): return int(page["gpn"])


def shared_users(page, most=8):
    """(held by so many, used by so many, [(VM id, page) of the first ones]) of a SHARED page; kernel/mem/share.c."""
    held, users, user = int(page["held"]), int(page["nusers"]), int(page["first_user"])
    listed = []
    by_id = {vm_id(vm): vm for vm in vms()}
    for _ in range(min(users, most)):
        vm, gpn = user >> 20, user & 0xfffff
        listed.append((vm, gpn))
        user = int(by_id[vm]["pmap"]["link"][gpn]["next"])
    return held, users, listed
