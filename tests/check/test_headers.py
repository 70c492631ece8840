# SPDX-License-Identifier: MIT
"""Every header compiles alone, included twice, with the compiler of those who use it."""
import concurrent.futures
import subprocess

import tree

TARGET = [tree.CROSS, "-march=mips64r6", "-mabi=64", "-EL", "-ffreestanding", "-fno-pic", "-mno-abicalls", "-msym32",
          "-msoft-float", "-G0", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-Wmissing-prototypes", "-Wstrict-prototypes", "-I.", "-Ibuild/gen",
          "-DGUEST_NAME=\"header\"", "-isystem", "build/libfdt", "-isystem", "build/newlib/mips64el-elf/include"]
THIN = [*(flag for flag in TARGET[:-2] if flag != "-msoft-float"), "-nostdinc", "-isystem", "guests/thin/include",
        "-isystem", "build/newlib-thin/mips64el-elf/include", "-isystem", "guests/thin/lwip", "-isystem", "build/thin-lwip/include",
        "-isystem", "build/thin-lwip/include/posix", "-isystem",
        subprocess.run([tree.CROSS, "-print-file-name=include"], capture_output=True, text=True, check=True).stdout.strip()]
HOST = ["gcc", "-std=gnu11", "-Wall", "-Wextra", "-Werror", "-Wmissing-prototypes", "-Wstrict-prototypes", "-Itests/unit/host",
        "-I.", "-isystem", "build/libfdt"]
# Headers of pure code, which tests/unit and tools compile on the host too.
PURE = {"kernel/types.h", "kernel/errno.h", "kernel/vm/elf.h", "kernel/vm/cpio.h", "kernel/vm/vmdesc.h", "kernel/vm/gdtb.h",
        "kernel/abi/disco.h", "numa/policy.h", "numa/heat.h", "numa/magic.h"}


def compile_alone(command, header, language="c"):
    source = f'#include "{header}"\n#include "{header}"\n'
    done = subprocess.run([*command, "-fsyntax-only" if language == "c" else "-E", "-x", language, "-"], input=source,
                          cwd=tree.ROOT, capture_output=True, text=True)
    return f"{header} ({command[0]}):\n{done.stderr}" if done.returncode else None


def check(jobs):
    with concurrent.futures.ThreadPoolExecutor(2) as pool:
        problems = [p for p in pool.map(lambda job: compile_alone(*job), jobs) if p]
    assert not problems, "\n" + "\n".join(problems)


def headers(*folders):
    return [name for name in tree.with_suffix(".h") if name.startswith(folders)]


def test_target_headers_stand_alone():
    check([(TARGET, name) for name in headers("kernel/", "arch/", "numa/", "drivers/", "boot/", "guests/lib/", "tests/guest/")])


def test_headers_of_thin_programs_stand_alone():
    check([(THIN, name) for name in headers("guests/thin/", "tests/thin/")])


def test_pure_headers_stand_alone_on_the_host():
    check([(HOST, name) for name in sorted(PURE)] + [(HOST, name) for name in headers("tests/unit/")])


def test_the_guest_abi_is_good_for_assembly():
    check([([tree.CROSS, "-I.", "-D__ASSEMBLER__"], name, "assembler-with-cpp") for name in headers("kernel/abi/")])
