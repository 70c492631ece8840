# SPDX-License-Identifier: MIT
"""Commands that show the monitor's objects, from the monitor or from a guest: disco-nodes, disco-vms, disco-vcpus, disco-vcpu."""
import gdb

import monitor as m

REGISTERS = ("zero at v0 v1 a0 a1 a2 a3 a4 a5 a6 a7 t0 t1 t2 t3 s0 s1 s2 s3 s4 s5 s6 s7 t8 t9 k0 k1 gp sp fp ra").split()
COMPUTED = {"Count", "Cause"}  # by the monitor, when the guest reads them
COLUMNS = 4


class Command(gdb.Command):
    """A command whose help is its docstring; run() is given the words of its argument, and sees the monitor's memory."""
    name, words = "", (0, 0)

    def __init__(self):
        super().__init__(self.name, gdb.COMMAND_USER)

    def invoke(self, argument, from_tty):
        least, most = self.words
        words = argument.split(None, max(most - 1, 0))  # the last may be an expression with spaces
        if not least <= len(words) <= most:
            usage = self.__doc__.strip().splitlines()[0]
            raise gdb.GdbError(f"found {argument or 'nothing'}, expected: {usage.split(': ')[0]}")
        if gdb.selected_thread() is None:
            raise gdb.GdbError("there is no machine: `make debug` starts one")
        with m.kernel_view():
            self.run(*words)


def print_columns(pairs):
    for i in range(0, len(pairs), COLUMNS):
        print("  ".join(f"{name:>9} {value:016x}" for name, value in pairs[i:i + COLUMNS]))


class Nodes(Command):
    """disco-nodes: each node, its processor as a thread of gdb, where that is, and which VCPU it runs."""
    name = "disco-nodes"

    def run(self):
        print("node  thread  text at           VCPUs  current     mode     pc")
        for node in m.nodes():
            number, current = m.node_id(node), m.node_current(node)
            thread = m.thread_of_node(number)
            name = m.vcpu_name(current) if current else "-"
            mode, pc = processor(thread)
            text = m.unsigned(gdb.parse_and_eval("&text_start")) + m.node_text(node) & m.MASK
            print(f"{number:4}  {thread.num:6}  {text:016x}  {m.node_vcpus(node):5}  {name:10}  {mode:7}  {pc:016x} {m.label(pc)}")


class Vms(Command):
    """disco-vms: each VM, its state, its home node, its memory in pages and how many of them it has used."""
    name = "disco-vms"

    def run(self):
        print("id  name              state     home  VCPUs  pages    used")
        for vm in m.vms():
            home = m.vm_home(vm)
            print(f"{m.vm_id(vm):2}  {m.vm_name(vm):16}  {m.vm_state(vm):8}  {'-' if home is None else home:>4}  "
                  f"{len(m.vm_vcpus(vm)):5}  {m.vm_pages(vm):7}  {m.vm_pages_used(vm)}")


class Vcpus(Command):
    """disco-vcpus [VM]: each VCPU, its state, its node, and where its guest is."""
    name, words = "disco-vcpus", (0, 1)

    def run(self, name=None):
        print("VCPU              state     node  pc")
        for vm in [m.find_vm(name)] if name else m.vms():
            for vcpu in m.vm_vcpus(vm):
                pc, _, _ = registers(vcpu)
                print(f"{m.vcpu_name(vcpu):16}  {m.vcpu_state(vcpu):8}  {m.node_id(m.vcpu_node(vcpu)):4}  {pc:016x} {m.label(pc)}")


class Vcpu(Command):
    """disco-vcpu VM/N: a VCPU's registers, its virtual CP0 and its state; VM alone is its VCPU 0."""
    name, words = "disco-vcpu", (1, 1)

    def run(self, name):
        vcpu = m.find_vcpu(name)
        node = m.node_id(m.vcpu_node(vcpu))
        pc, gprs, where = registers(vcpu)
        print(f"{m.vcpu_name(vcpu)}: {m.vcpu_state(vcpu)} on node {node} (thread {node + 1}); registers {where}")
        print(f"       pc {pc:016x} {m.label(pc)}")
        print_columns(list(zip(REGISTERS, gprs)))
        print(f"virtual CP0 (Cause and Count are put together when the guest reads them; lines that are up: "
              f"{m.vcpu_lines(vcpu):02x})")
        print_columns([pair for pair in m.vcpu_cp0(vcpu).items() if pair[0] not in COMPUTED])


def processor(thread):
    """(mode, pc) of a thread."""
    with m.selected_again():
        thread.switch()
        return m.mode(), m.unsigned(gdb.parse_and_eval("$pc"))


def registers(vcpu):
    """(pc, the 32 registers, where they were found): in the processor while the guest runs there, else where they were saved."""
    node = m.vcpu_node(vcpu)
    thread = m.thread_of_node(m.node_id(node))
    current = m.node_current(node)
    if current and m.unsigned(current) == m.unsigned(vcpu) and m.vcpu_state(vcpu) == "RUNNING":
        mode, pc = processor(thread)
        if mode != "monitor":
            with m.selected_again():
                thread.switch()
                return pc, [m.unsigned(gdb.parse_and_eval(f"$r{i}")) for i in range(32)], f"in the processor, {mode} mode"
    return m.vcpu_saved_pc(vcpu), [m.vcpu_saved(vcpu, i) for i in range(32)], "as saved at its last entry to the monitor"


class KernelView(gdb.Command):
    """disco-kernel-view: from now on this thread's memory is the monitor's, while its processor is stopped in a guest.

Supervisor and user mode cannot see KSEG0 and XKPHYS. Sets Status.EXL; say disco-guest-view before you continue. The commands that
show the monitor's objects do both by themselves."""

    def __init__(self):
        super().__init__("disco-kernel-view", gdb.COMMAND_USER)

    def invoke(self, argument, from_tty):
        if not m.enter_kernel_view():
            print("This processor is in the monitor already.")


class GuestView(gdb.Command):
    """disco-guest-view: undo disco-kernel-view."""

    def __init__(self):
        super().__init__("disco-guest-view", gdb.COMMAND_USER)

    def invoke(self, argument, from_tty):
        m.leave_kernel_view()


for command in (Nodes, Vms, Vcpus, Vcpu, KernelView, GuestView):
    command()
