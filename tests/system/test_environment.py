# SPDX-License-Identifier: MIT
"""Any folder, any environment, any name: the commands of README.md where a shell exports what changes tools, with descriptions
under odd names and in every form that dtc takes, and from other folders."""
import hashlib
import os
import re
import shutil
import struct
import subprocess

import pexpect
import pytest

from machine import PATIENCE, PROMPT, TOP

KB, MB = 1 << 10, 1 << 20

NAMES = {
    # folders, colours, locale
    "CDPATH": "/:/usr", "TMPDIR": "/nonexistent", "GREP_OPTIONS": "--color=always", "GREP_COLORS": "mt=01;31", "GREP_COLOR": "1",
    "LS_COLORS": "di=01;34", "QUOTING_STYLE": "shell-always", "CLICOLOR_FORCE": "1", "POSIXLY_CORRECT": "1", "LANG": "de_DE.UTF-8",
    "LC_ALL": "tr_TR.UTF-8", "LANGUAGE": "de", "TZ": "Asia/Kolkata", "COLUMNS": "9",
    # options of make, grep, git, quilt, python, pytest, dtc, qemu, compilers
    "GNUMAKEFLAGS": "--print-directory", "MAKEFILES": "/nonexistent.mk", "GIT_DIR": "/nonexistent", "GIT_WORK_TREE": "/nonexistent",
    "GIT_CONFIG_COUNT": "1", "GIT_CONFIG_KEY_0": "core.quotePath", "GIT_CONFIG_VALUE_0": "bad", "QUILT_PATCHES": "/nonexistent",
    "QUILT_PATCH_OPTS": "--reverse", "PYTHONPATH": "/nonexistent", "PYTHONHOME": "/nonexistent", "PYTEST_ADDOPTS": "--collect-only",
    "DTC_FLAGS": "-@", "QEMU_AUDIO_DRV": "none", "SOURCE_DATE_EPOCH": "1", "CC": "false", "CFLAGS": "-O0 -DWRONG", "CPATH": "/nonexistent",
    "C_INCLUDE_PATH": "/nonexistent", "LDFLAGS": "-static-pie", "ARCH": "x86", "CROSS_COMPILE": "wrong-", "GCC_EXEC_PREFIX": "/nonexistent/",
    # what our own makefiles call variables
    "V": "1", "Q": "false", "O": "/nonexistent", "M": "/nonexistent", "T": "x", "ALL": "wrong", "HELP": "wrong", "TEST_NEEDS": "wrong",
    "MONITOR_SRCS": "wrong.c", "SCENARIO": "wrong", "ARGS": "exit=1", "FLASH": "wrong", "TESTS": "wrong", "TEST_ARGS": "--wrong",
    "CROSS": "wrong-", "START_AGAIN": "yes",
}


@pytest.fixture(params=["-i", "-n -k", "-j3 -B --warn-undefined-variables", "e"])
def hostile(request, tmp_path):
    """An environment where all of that is exported, one set of make's options a time, and bash runs a file first."""
    (tmp_path / "bash-env").write_text("echo from BASH_ENV; exit 3\n")
    return {**os.environ, **NAMES, "MAKEFLAGS": request.param, "BASH_ENV": str(tmp_path / "bash-env"), "ENV": str(tmp_path / "bash-env"),
            "BASH_FUNC_mkdir%%": "() { echo wrong; }", "SHELLOPTS": "xtrace"}


def run(command, cwd=TOP, env=None):
    return subprocess.run([str(word) for word in command], cwd=cwd, env=env, capture_output=True, text=True, stdin=subprocess.DEVNULL,
                          timeout=300 * PATIENCE)


def digest(name):
    return hashlib.sha256((TOP / name).read_bytes()).hexdigest()


@pytest.mark.alone
def test_what_is_exported_changes_no_byte(hostile):
    """One object, one archive and the monitor, built again, are what they were."""
    assert run(["make", "build/disco.elf", "build/one.cpio"]).returncode == 0
    before = digest("build/disco.elf"), digest("build/one.cpio")
    for name in ("build/obj/boot/boot.c.o", "build/needs/one.mk", "build/disco.elf", "build/one.cpio"):
        (TOP / name).unlink()
    result = run(["make", "build/disco.elf", "build/one.cpio"], env=hostile)
    assert result.returncode == 0, result.stdout + result.stderr
    assert (digest("build/disco.elf"), digest("build/one.cpio")) == before, result.stdout
    assert "BASH_ENV" not in result.stdout and "wrong" not in result.stdout + result.stderr


def test_make_run_under_what_is_exported(hostile):
    make = pexpect.spawn("make", ["run", "SCENARIO=one"], cwd=str(TOP), env=hostile, encoding="utf-8", timeout=90 * PATIENCE)
    try:
        make.expect(re.escape(PROMPT))
        make.send("quit\r")
        make.expect(pexpect.EOF)
    finally:
        make.close(force=True)
    assert make.exitstatus == 0


def test_make_test_under_what_is_exported(hostile):
    result = run(["make", "test", "TESTS=tests/check/test_layering.py", "ALL=", "TEST_NEEDS=", "TEST_WORKERS=0"], env=hostile)
    assert result.returncode == 0 and re.search(r"[1-9]\d* passed", result.stdout), result.stdout + result.stderr


def test_scripts_by_themselves(hostile, tmp_path):
    result = run([TOP / "tools/mkimage.sh", TOP / "configs/one.dts", tmp_path / "one.cpio"], env=hostile)
    assert result.returncode == 0, result.stderr
    assert (tmp_path / "one.cpio").read_bytes() == (TOP / "build/one.cpio").read_bytes()


def test_a_folder_that_sources_cannot_be_built_in(tmp_path):
    """The first line says what is wrong with it, and what to do."""
    for name in ("with space", "co:lon", "do$lar", "it's"):
        folder = tmp_path / name
        (folder / "tools").mkdir(parents=True)
        shutil.copy(TOP / "Makefile", folder)
        for part in ("start.mk", "start-again.sh", "environment.txt"):
            shutil.copy(TOP / "tools" / part, folder / "tools")
        result = run(["make", "run"], cwd=folder)
        first = (result.stdout + result.stderr).splitlines()[0]
        assert result.returncode == 2 and name in first and "Move it" in first, result


# ---- names ----

ODD = ["with space.dts", "it's (a copy) of $HOME & #1.dts", "-q.dts", "täst.dts", "100%.dts", "a=b;c.dts", 'quo"te.dts', "st*r[x].dts"]
SMALL = """/dts-v1/; / { compatible = "disco,machine"; nodes = <2>; memory-mb = <256>; vms { vm0 {
compatible = "disco,vm"; label = "small"; kernel = "exc_sys.elf"; memory-mb = <16>; }; }; };
"""


@pytest.mark.parametrize("name", ODD)
def test_a_description_of_any_name(tmp_path, name):
    """In a folder that has such a name too, by its path."""
    folder = tmp_path / name.removesuffix(".dts")
    folder.mkdir()
    (folder / name).write_text(SMALL)
    result = run(["make", "run", f"SCENARIO={folder / name}", "ARGS=exit=1"])
    assert result.returncode == 0 and "[small] PASS exc_sys" in result.stdout, result.stdout + result.stderr


@pytest.mark.alone
@pytest.mark.parametrize("name", ODD)
def test_an_odd_file_in_configs_stops_nobody_else(name):
    odd = TOP / "configs" / name
    odd.write_text(SMALL if "%" not in name else "this is no device tree\n")
    try:
        result = run(["make", "build/disco.elf", "build/one.cpio"])
        assert result.returncode == 0 and "up to date" in result.stdout, result.stdout + result.stderr
    finally:
        odd.unlink()


def test_an_unknown_scenario_names_the_known():
    result = run(["make", "run", "SCENARIO=no such thing"])
    assert result.returncode == 2
    assert "no such thing" in result.stderr and "crowded" in result.stderr


# ---- forms ----

FORMS = {
    "one line": SMALL.replace("\n", " "),
    "comments": SMALL.replace("kernel =", '/* kernel = "absent.elf"; */\n// ramdisk = "absent.cpio";\nkernel =').replace(
        "memory-mb = <16>;", 'memory-mb = <16>; /*\n\tkernel = "absent.elf";\n*/'),
    "included": '/dts-v1/;\n/include/ "part of it.dtsi"\n',
    "deleted": SMALL.replace("vms {", 'vms { old: vm9 { compatible = "disco,vm"; kernel = "absent.elf"; };') + "/delete-node/ &old;\n",
    "by label": SMALL.replace("vm0 {", "first: vm0 {").replace('kernel = "exc_sys.elf";', 'kernel = "absent.elf";')
    + '&first { kernel = "exc_sys.elf"; };\n',
    "spread": SMALL.replace('kernel = "exc_sys.elf"', 'kernel\n=\n"exc_"\n"sys.elf"').replace('"exc_"\n"sys.elf"', '"exc_sys\\x2eelf"'),
}


@pytest.mark.parametrize("form", FORMS)
def test_a_description_in_any_form(tmp_path, form):
    dts, archive = tmp_path / "form.dts", tmp_path / "form.cpio"
    dts.write_text(FORMS[form])
    (tmp_path / "part of it.dtsi").write_text(SMALL.split(";", 1)[1])
    result = run([TOP / "tools/mkimage.sh", dts, archive])
    assert result.returncode == 0, result.stderr
    names = subprocess.run(["cpio", "--quiet", "-it"], stdin=archive.open("rb"), capture_output=True, text=True, check=True).stdout
    assert [name for name in names.split() if not name.startswith(".pad")] == ["disco.dtb", "exc_sys.elf"]


def test_a_kernel_begins_where_its_pages_can_be_large(tmp_path):
    """In memory its first segment is at an address that equals the guest's, modulo 1 MB, wherever QEMU puts such an archive: as high as
    it fits, by 64 KB, 128 KB below the end of the first 256 MB."""
    dts, archive = tmp_path / "kernel.dts", tmp_path / "kernel.cpio"
    dts.write_text(SMALL.replace("exc_sys.elf", "vmlinux").replace("memory-mb = <16>", "memory-mb = <64>"))
    result = run([TOP / "tools/mkimage.sh", dts, archive])
    assert result.returncode == 0, result.stderr
    bytes_ = archive.read_bytes()
    at = bytes_.index(b"\x7fELF")
    assert b"vmlinux\0" in bytes_[at - 16:at]
    offset, address = struct.unpack_from("<QQ", bytes_, at + struct.unpack_from("<Q", bytes_, at + 32)[0] + 8)
    begin = (256 * MB - 128 * KB - len(bytes_)) // (64 * KB) * (64 * KB)
    assert (begin + at + offset - address) % MB == 0


# ---- folders ----

def test_paths_are_the_callers(tmp_path):
    """mkimage.sh and run.sh from another folder, with relative names of everything."""
    folder = tmp_path / "my, folder"
    folder.mkdir()
    (folder / "my.dts").write_text(SMALL)
    result = run([TOP / "tools/mkimage.sh", "my.dts", "out/my.cpio"], cwd=folder)
    assert result.returncode == 0 and (folder / "out/my.cpio").exists(), result.stderr
    shutil.copy(TOP / "build/disco.elf", folder)
    for options in (["-q"], ["-p", os.path.relpath(TOP / "build/count.so", folder) + f",out={tmp_path}/counts"] if "," not in str(TOP) else []):
        result = run([TOP / "qemu/run.sh", *options, "-a", "exit=1", "out/my.cpio"], cwd=folder)
        assert result.returncode == 0 and "[small] PASS exc_sys" in result.stdout, result.stdout + result.stderr
    result = run([TOP / "tools/mkimage.sh", "absent.dts", "out/my.cpio"], cwd=folder)
    assert result.returncode == 2 and "absent.dts" in result.stderr
