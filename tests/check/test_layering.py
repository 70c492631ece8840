# SPDX-License-Identifier: MIT
"""Who may include whom. The table is the architecture: change it there (docs/tour.md) before changing it here."""
import re

import tree

# layer: what its files may include beside their own layer. A name ending in / is a whole folder, else one header.
MAY_INCLUDE = {
    "kernel/abi/": [],
    "kernel/": ["kernel/abi/", "arch/mips/arch.h", "numa/numa.h", "drivers/dev.h"],
    "arch/mips/": ["kernel/", "kernel/abi/", "numa/numa.h"],
    "numa/": ["kernel/", "kernel/abi/", "arch/mips/arch.h"],
    "drivers/": ["kernel/", "kernel/abi/", "numa/numa.h", "arch/mips/arch.h"],
    "boot/": ["kernel/", "kernel/abi/", "arch/mips/", "numa/", "drivers/"],
    # types.h, symbols.h: integer types, names of functions; nothing of the monitor
    "guests/": ["kernel/abi/", "kernel/types.h", "kernel/symbols.h"],
    "tests/guest/": ["kernel/abi/", "kernel/types.h", "guests/lib/"],
    "tests/thin/": [],
    "tests/unit/": ["kernel/", "kernel/abi/", "arch/mips/", "numa/", "drivers/"],
    "tests/sim/": ["kernel/", "kernel/abi/", "arch/mips/", "numa/"],
    "tests/fuzz/": ["kernel/", "kernel/abi/", "arch/mips/", "numa/", "drivers/", "tests/unit/drivers/vqueue_memory.h"],
    "tools/": ["kernel/", "kernel/abi/"],
}
# Generated headers, found by -Ibuild/gen; assembly and its generator only.
GENERATED = {"asm-offsets.h"}
# The monitor takes from outside: the compiler's own headers, the pure part of newlib, libfdt.
MONITOR = ("kernel/", "arch/mips/", "numa/", "drivers/", "boot/")
OUTSIDE = {"stdarg.h", "stdbool.h", "stddef.h", "stdint.h", "stdnoreturn.h", "limits.h", "string.h", "stdio.h", "ctype.h",
           "stdlib.h", "libfdt.h"}


def layer_of(path):
    """The longest layer name that the path starts with, or None."""
    fits = [layer for layer in MAY_INCLUDE if path.startswith(layer)]
    return max(fits, key=len, default=None)


def allowed(layer, target):
    if layer_of(target) == layer:
        return True
    for door in MAY_INCLUDE[layer]:
        if target == door or (door.endswith("/") and layer_of(target) == door):
            return True
        # guests/lib is a part of the layer guests/
        if door.endswith("/") and target.startswith(door) and layer_of(door) == layer_of(target) != door:
            return True
    return False


def problems_of(name):
    layer = layer_of(name)
    for kind, path, line in tree.includes(name):
        where = f"{name}:{line}"
        if kind == "<":
            if name.startswith(MONITOR) and path not in OUTSIDE:
                yield f"{where}: <{path}> is not one of the headers the monitor takes from outside"
        elif path in GENERATED:
            if not name.endswith((".S", "asm-offsets.c")):
                yield f"{where}: {path} is for assembly only"
        elif "/" not in path or path.startswith("."):
            yield f'{where}: "{path}" is not a rooted path'
        elif layer is not None and not allowed(layer, path):
            yield f"{where}: {layer} may not include {path}"
        elif not (tree.ROOT / path).exists():
            yield f"{where}: {path} does not exist"


def test_includes_keep_to_the_layers():
    sources = [name for name in tree.with_suffix(".c", ".h", ".S", ".def") if layer_of(name)]
    found = [problem for name in sources for problem in problems_of(name)]
    assert not found, "\n" + "\n".join(found)


def test_the_guest_abi_includes_nothing():
    for name in tree.with_suffix(".h"):
        if name.startswith("kernel/abi/"):
            assert not tree.includes(name), f"{name} is copied into guests: it must stand alone"


def test_the_table_itself():
    """The checker sees what it should: one allowed and one forbidden edge of each kind."""
    assert allowed("kernel/", "arch/mips/arch.h") and not allowed("kernel/", "arch/mips/regs.h")
    assert allowed("kernel/", "kernel/abi/disco.h") and not allowed("kernel/abi/", "kernel/types.h")
    assert allowed("arch/mips/", "kernel/vm/vcpu.h") and not allowed("arch/mips/", "numa/topology.h")
    assert allowed("drivers/", "numa/numa.h") and not allowed("drivers/", "numa/topology.h")
    assert allowed("boot/", "arch/mips/regs.h") and not allowed("kernel/", "boot/boot.h")
    assert allowed("tests/guest/", "guests/lib/guest.h") and not allowed("guests/", "kernel/vm/vm.h")


def test_names_of_cp0_stay_inside_arch():
    """arch.h needs regs.h for its inline functions; nobody else gets used to what comes along."""
    names = re.findall(r"^#define (\w+)", tree.text("arch/mips/regs.h"), re.M)
    names = [name for name in names if not name.startswith(("ARCH_MIPS_", "WINDOW_", "WALK_"))]
    assert {"STATUS_EXL", "ENTRYLO_V", "EXC_TLBL"} <= set(names)
    used = re.compile(rf"\b({'|'.join(names)})\b")
    found = [f"{name}: {used.search(tree.text(name))[1]}" for name in tree.with_suffix(".c", ".h")
             if name.startswith(("kernel/", "numa/", "drivers/", "boot/")) and used.search(tree.text(name))]
    assert not found, "\n" + "\n".join(found)


def test_few_conditionals_in_c():
    """The tree selects, not the preprocessor: no file has more than three #if."""
    for name in tree.with_suffix(".c"):
        if name.startswith(MONITOR):
            count = len(re.findall(r"^\s*#\s*if", tree.text(name), re.M))
            assert count <= 3, f"{name}: {count} times #if"
