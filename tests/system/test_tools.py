# SPDX-License-Identifier: MIT
"""The scripts around the machine: they say what is wrong, and do nothing twice."""
import difflib
import os
import re
import subprocess
import time

import pexpect

from machine import PATIENCE, PROMPT, TOP, vm, without_kernel, write_scenario


def run(*command, **more):
    return subprocess.run([str(part) for part in command], cwd=TOP, capture_output=True, text=True, **more)


def test_unknown_scenario_names_the_known(tmp_path):
    result = run("qemu/run.sh", "nonsense")
    assert result.returncode == 2
    assert "nonsense" in result.stderr and "configs/default.dts" in result.stderr


def test_a_second_build_does_nothing():
    """Everything `make run` builds is up to date after it was built; make finds that out in a second of the processor's, whoever else has it."""
    start = os.times()
    result = run("make", "-q", "build/disco.elf", "build/default.cpio")
    assert result.returncode == 0, "make would build again:\n" + run("make", "-n", "build/disco.elf", "build/default.cpio").stdout
    took = os.times()
    assert took.children_user + took.children_system - start.children_user - start.children_system < 10


def test_a_line_of_a_kernel_in_the_middle_of_a_programs():
    """What a shell printed is whole without it (machine.py)."""
    said = "hal[    5.573223] hrtimer: interrupt took 47352018 ns\nf a line\n[   12.000001] clock: 9 ms passed without us\nthe next"
    assert without_kernel(said) == "half a line\nthe next"


def test_help_names_every_command():
    result = run("make", "help")
    assert result.returncode == 0
    for target in ("run", "test", "smoke", "bench", "debug", "clean"):
        assert f"make {target}" in result.stdout


def test_progress_shows_the_end_of_a_failure(tmp_path):
    result = run("tools/progress.sh", "a step", tmp_path / "log", "sh", "-c", "echo the reason; exit 3")
    assert result.returncode == 3
    assert "FAILED" in result.stderr and "the reason" in result.stderr


def test_config_check_finds_what_kconfig_dropped(tmp_path):
    (tmp_path / "wanted").write_text("CONFIG_A=y\nCONFIG_B=y\nCONFIG_C=n\nCONFIG_D=n\n")
    (tmp_path / "config").write_text("CONFIG_A=y\n# CONFIG_B is not set\nCONFIG_C=y\n")
    result = run("tools/check-config.sh", tmp_path / "wanted", tmp_path / "config")
    assert result.returncode == 1
    assert "CONFIG_B" in result.stderr and "CONFIG_C" in result.stderr
    assert "CONFIG_A:" not in result.stderr and "CONFIG_D" not in result.stderr


def test_missing_image_is_named(tmp_path):
    dts = tmp_path / "s.dts"
    dts.write_text((TOP / "configs/one.dts").read_text().replace("vmlinux", "absent.elf"))
    result = run("tools/mkimage.sh", dts, tmp_path / "s.cpio")
    assert result.returncode == 1
    assert "absent.elf" in result.stderr


def test_make_run_is_interactive():
    """The whole way of a person: make, QEMU in this terminal, the prompt, quit."""
    make = pexpect.spawn("make", ["run", "SCENARIO=one"], cwd=str(TOP), encoding="utf-8", timeout=120 * PATIENCE)
    try:
        make.expect(re.escape(PROMPT))
        make.expect(r"\[alpha\] alpha: Linux ")
        make.send("quit\r")
        make.expect(pexpect.EOF)
    finally:
        make.close(force=True)
    assert make.exitstatus == 0


def test_demo_shows_pages_that_follow():
    """What the first page promises: the picture comes by itself, most misses become local, a key ends it."""
    make = pexpect.spawn("make", ["demo"], cwd=str(TOP), encoding="utf-8", timeout=120 * PATIENCE)
    try:
        local, deadline = [], time.monotonic() + 120 * PATIENCE  # pictures come ten times a second, however slow the host is
        while not local or local[-1] < 90:
            make.expect(r"misses of processor \(row\) on memory of \(column\): \d+, (\d+) % local")
            local.append(int(make.match.group(1)))
            assert time.monotonic() < deadline, local[-40:]
        make.expect("each 100 ms; any key ends it")
        make.send("q")
        make.expect(re.escape(PROMPT))
        make.send("quit\r")
        make.expect(pexpect.EOF)
    finally:
        make.close(force=True)
    assert make.exitstatus == 0


def test_console_beside_gdb(tmp_path, under_gdb):
    """While gdb has the first terminal, `make console` has the serial line in the second."""
    script = tmp_path / "run.gdb"
    script.write_text("continue\n")
    debug = pexpect.spawn("qemu/debug.sh", ["-b", str(script), "one"], cwd=str(TOP), encoding="utf-8")
    console = None
    try:
        debug.expect(r"0xffffffffbfc00000 in", timeout=30 * PATIENCE)  # attached, so the line is there too
        console = pexpect.spawn("make", ["console"], cwd=str(TOP), encoding="utf-8", timeout=120 * PATIENCE)
        console.expect(r"\[alpha\] alpha: Linux ")
        console.send("\r")
        console.expect(re.escape(PROMPT))
        console.send("quit\r")
        console.expect(pexpect.EOF)
        debug.expect(pexpect.EOF, timeout=30 * PATIENCE)
    finally:
        for one in filter(None, (console, debug)):
            one.close(force=True)


def test_as_many_words_as_the_limit_says(machine):
    """QEMU alone would cut the monitor's words at 255 bytes, without a word of its own."""
    last = " attach=alpha"
    one = machine("one", "pad=" + "x" * (2048 - len("pad=" + last)) + last)
    one.expect("attached to alpha")
    one.expect("Linux version")
    result = run("qemu/run.sh", "-q", "-a", "x" * 2049, "one")
    assert result.returncode == 2 and "found 2049 bytes of words, allowed 2048" in result.stderr


def test_a_long_command_line_of_a_guest(machine, tmp_path):
    bootargs = "console=hvc0 hostname=long pad=" + "x" * 1900 + ' disco.run="wc -c /proc/cmdline"'
    one = machine(write_scenario(tmp_path, [vm("long", bootargs=bootargs, memory=64)]), "exit=1")
    assert int(one.expect(r"\[long\] (\d+) /proc/cmdline").group(1)) >= len(bootargs)
    assert one.end(60) == 0


def test_the_log_of_a_line_does_not_grow_without_limit(tmp_path):
    log = tmp_path / "a line.log"
    lines = "".join(f"{number:099}\n" for number in range(100000))
    assert subprocess.run([str(TOP / "qemu/cap_log.py"), str(log)], input=lines, text=True).returncode == 0
    kept = (tmp_path / "a line.log.old").read_text() + log.read_text()
    assert lines.endswith(kept) and 4 << 20 <= len(kept) <= 8 << 20
    assert sorted(path.name for path in tmp_path.iterdir()) == ["a line.log", "a line.log.old"]


def make_patch(old, new, name):
    lines = difflib.unified_diff(old.splitlines(True), new.splitlines(True), f"a/{name}", f"b/{name}")
    return "".join(lines)


def test_patches_follow_the_series_and_keep_times(tmp_path):
    """A changed series is applied from the start, and only files whose text changed look new to make."""
    tree, patches = tmp_path / "tree", tmp_path / "patches"
    tree.mkdir()
    patches.mkdir()
    for name in ("one", "two"):
        (tree / name).write_text(f"{name}\nis a file\n")
        (patches / f"{name}.patch").write_text(make_patch(f"{name}\nis a file\n", f"{name}\nis patched\n", name))
    (patches / "series").write_text("one.patch\ntwo.patch\n")
    assert run("tools/apply-patches.sh", tree, patches).returncode == 0
    assert (tree / "one").read_text() == "one\nis patched\n"
    for name in ("one", "two"):
        os.utime(tree / name, (1000, 1000))
    (patches / "two.patch").write_text(make_patch("two\nis a file\n", "two\nis patched again\n", "two"))
    assert run("tools/apply-patches.sh", tree, patches).returncode == 0
    assert (tree / "two").read_text() == "two\nis patched again\n"
    assert (tree / "one").stat().st_mtime == 1000
    assert (tree / "two").stat().st_mtime > 1000
    (patches / "series").write_text("two.patch\n")
    assert run("tools/apply-patches.sh", tree, patches).returncode == 0
    assert (tree / "one").read_text() == "one\nis a file\n"


def test_a_patch_that_does_not_apply_is_an_error(tmp_path):
    (tmp_path / "tree").mkdir()
    (tmp_path / "tree/one").write_text("something else\n")
    (tmp_path / "patches").mkdir()
    (tmp_path / "patches/series").write_text("one.patch\n")
    (tmp_path / "patches/one.patch").write_text(make_patch("one\n", "two\n", "one"))
    assert run("tools/apply-patches.sh", tmp_path / "tree", tmp_path / "patches").returncode != 0
