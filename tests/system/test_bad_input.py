# SPDX-License-Identifier: MIT
"""What bad input gets: one clear line from the monitor, and a machine that runs everything else.

Every scenario here is packed without the host's check. `good` is a VM that must not notice anything: a bare-metal guest that
passes its test and powers off.
"""
import re
import subprocess

import pytest

from machine import PROMPT, TOP, make_image, net, pack, vm, write_scenario

GOOD = vm("good", kernel="exc_sys.elf", ramdisk=None, memory=16)


def error_and_good_vm(one, message):
    """The line about what is wrong, and the end of the VM that is right; nodes work at once, so in any order."""
    one.expect_all([message, r"\[good\] PASS exc_sys", r"vm: good powered off, code 0"])
    assert one.end() == 0


@pytest.mark.parametrize("change, message", [
    ({"memory-mb": 0}, r"disco\.dtb: /vms/vm0: memory-mb: found 0, allowed 4\.\.1024"),
    ({"memory-mb": 4096}, r"disco\.dtb: /vms/vm0: memory-mb: found 4096, allowed 4\.\.1024"),
    ({"vcpus": 17}, r"disco\.dtb: /vms/vm0: vcpus: found 17, allowed 1\.\.16"),
    ({"vcpus": 2, "node": [0, 7]}, r"disco\.dtb: /vms/vm0: node: found 7, allowed 0\.\.1"),
    ({"vcpus": 2, "node": [0, 1, 0]}, r"disco\.dtb: /vms/vm0: node: found 3 numbers, allowed 1\.\.2, one a VCPU"),
    ({"node": 7}, r"disco\.dtb: /vms/vm0: node: found 7, allowed 0\.\.1"),
    ({"label": "No Caps"}, r'disco\.dtb: /vms/vm0: label: found "No Caps"'),
    ({"colour": 3}, r"disco\.dtb: /vms/vm0: colour: "),
    ({"kernel": "absent.elf"}, r"disco\.dtb: /vms/vm0: kernel: [^\n]*absent\.elf"),
    ({"ramdisk": "absent.cpio"}, r"disco\.dtb: /vms/vm0: ramdisk: [^\n]*absent\.cpio"),
    ({"net0": net("Two Words")}, r'disco\.dtb: /vms/vm0/net0: subnet: found "Two Words"'),
    ({"net0": net(mtu=65536)}, r"disco\.dtb: /vms/vm0/net0: mtu: found 65536, allowed 576\.\.65535"),
    ({"net0": net(speed=10)}, r"disco\.dtb: /vms/vm0/net0: speed: "),
    ({"net0": net(), "net1": net()}, r"disco\.dtb: /vms/vm0/net1: [^\n]*lan"),
], ids=lambda value: next(iter(value)) + "-" + str(next(iter(value.values()))).replace(" ", "-") if isinstance(value, dict) else "")
def test_wrong_property(machine, tmp_path, change, message):
    """The line names the file, the node and the property, what was found and what is allowed."""
    bad = {**vm("bad", kernel="exc_sys.elf", ramdisk=None, memory=16), **change}
    one = machine(write_scenario(tmp_path, [bad, GOOD]), "exit=1")
    error_and_good_vm(one, message)


def test_two_vms_of_one_name(machine, tmp_path):
    one = machine(write_scenario(tmp_path, [GOOD, {**GOOD}]), "exit=1")
    error_and_good_vm(one, r'disco\.dtb: /vms/vm1: label: [^\n]*good')


def test_vm_larger_than_the_memory_left(machine, tmp_path):
    """Fits the limits of a description but not this machine."""
    big = vm("big", kernel="exc_sys.elf", ramdisk=None, memory=1000)
    one = machine(write_scenario(tmp_path, [big, GOOD]), "exit=1")
    error_and_good_vm(one, r"big[^\n]*memory|/vms/vm0: memory-mb")


def test_vms_that_fit_alone_but_not_together(machine, tmp_path):
    """Each of three Linux guests fits; the one that is started last is refused in words, the others run."""
    one = machine(write_scenario(tmp_path, [vm(f"big{number}", memory=90, manual=True) for number in range(3)]))
    one.up(2)
    for number in range(2):
        one.send(f"start big{number}\r")
        one.expect(rf"\[big{number}\] big{number}: Linux ")
    one.send("start big2\r")
    one.expect(r"big2 not started: disco\.dtb: /vms/vm2: memory-mb: found 90, allowed 4\.\.\d+ ")
    one.send("\r")
    one.expect(re.escape(PROMPT))
    one.attach("big1")
    assert one.shell("big1", "hostname") == "big1"


def elf_cases():
    image = bytearray((TOP / "build/guests/tests/exc_sys.elf").read_bytes())

    def at(offset, value):
        changed = bytearray(image)
        changed[offset:offset + len(value)] = value
        return bytes(changed)

    phoff = int.from_bytes(image[32:40], "little")
    return {
        "empty": b"",
        "truncated-header": bytes(image[:40]),
        "truncated-body": bytes(image[:len(image) // 8]),
        "not-elf": b"#!/bin/sh\n" * 100,
        "32-bit": at(4, b"\x01"),
        "big-endian": at(5, b"\x02"),
        "other-machine": at(18, b"\x3e\x00"),
        "headers-past-end": at(32, b"\xff" * 8),
        "many-headers": at(56, b"\xff\xff"),
        "entry-outside": at(24, (0xffffffff80100000).to_bytes(8, "little")),
        "segment-in-kseg0": at(phoff + 16, (0xffffffff80010000).to_bytes(8, "little")),
        "segment-past-file": at(phoff + 32, b"\xff" * 7 + b"\x7f"),
        "segment-past-memory": at(phoff + 40, (1 << 40).to_bytes(8, "little")),
    }


@pytest.mark.parametrize("case", elf_cases() if (TOP / "build/guests/tests/exc_sys.elf").exists() else ["not-built"])
def test_malformed_elf(machine, tmp_path, case):
    bad = vm("bad", kernel="bad.elf", ramdisk=None, memory=16)
    archive = write_scenario(tmp_path, [bad, GOOD])
    subprocess.run(["cpio", "--quiet", "-id"], stdin=archive.open("rb"), cwd=tmp_path, check=True)
    (tmp_path / "bad.elf").write_bytes(elf_cases()[case])
    pack(tmp_path, archive, ["disco.dtb", "bad.elf", "exc_sys.elf"])
    one = machine(archive, "exit=1")
    error_and_good_vm(one, r"disco\.dtb: /vms/vm0: kernel: bad\.elf: ")


ARCHIVES = {
    "none": b"",
    "garbage": b"\xa5" * 8192,
    "old-format": b"070707" + b"0" * 500,
    "truncated": None,
    "no-description": None,
}


@pytest.mark.parametrize("case", ARCHIVES)
def test_malformed_archive(machine, tmp_path, case):
    """Nothing to run: the monitor says why, and its prompt still answers."""
    archive = write_scenario(tmp_path, [GOOD])
    whole = archive.read_bytes()
    if case == "truncated":
        archive.write_bytes(whole[:60])
    elif case == "no-description":
        (tmp_path / "other").write_text("not a description")
        pack(tmp_path, archive, ["other"])
    else:
        archive.write_bytes(ARCHIVES[case])
    one = machine(archive, options=["-n", "2", "-m", "256"])
    one.up(2)
    assert re.search(r"(?i)archive|disco\.dtb", one.log_path.read_text()), "no line about the archive"
    one.send("\r")
    one.expect(re.escape(PROMPT))
    assert one.command("vms") is not None
    assert one.quit() == 0


def test_archive_cut_inside_an_image(machine, tmp_path):
    """The description is there, the kernel is not whole."""
    archive = write_scenario(tmp_path, [GOOD])
    archive.write_bytes(archive.read_bytes()[:20000])
    one = machine(archive, options=["-n", "2", "-m", "256"])
    one.expect_all([r"\[0\] main: 2 nodes up", r"good not started: [^\n]*/vms/vm0: [^\n]*archive"])
    one.send("\r")
    one.expect(re.escape(PROMPT))
    assert one.quit() == 0


@pytest.mark.parametrize("case", ["garbage", "truncated", "wrong-compatible", "too-many-nodes"])
def test_malformed_description(machine, tmp_path, case):
    archive = write_scenario(tmp_path, [GOOD])
    subprocess.run(["cpio", "--quiet", "-id"], stdin=archive.open("rb"), cwd=tmp_path, check=True)
    dtb = (tmp_path / "disco.dtb")
    content = dtb.read_bytes()
    dtb.write_bytes({
        "garbage": b"\x5a" * 500,
        "truncated": content[:len(content) // 2],
        "wrong-compatible": content.replace(b"disco,machine", b"disco,kitchen"),
        "too-many-nodes": content.replace(b"\0\0\0\2", b"\0\0\0\x30", 1),
    }[case])
    pack(tmp_path, archive, ["disco.dtb", "exc_sys.elf"])
    one = machine(archive, options=["-n", "2", "-m", "256"])
    one.expect(r"disco\.dtb: /: [^\n]*found ")
    one.up(2)
    one.send("\r")
    one.expect(re.escape(PROMPT))
    assert one.quit() == 0


def test_more_nodes_than_processors(machine, tmp_path):
    """Eight nodes described, four processors there: said so, and the VMs run on those."""
    archive = write_scenario(tmp_path, [GOOD], nodes=8, memory=512)
    one = machine(archive, "exit=1", options=["-n", "4"])
    error_and_good_vm(one, r"nodes[^\n]*found[^\n]*\b8\b[^\n]*\b4\b|nodes[^\n]*\b4\b[^\n]*\b8\b|processors[^\n]*4")


def test_less_memory_than_described(machine, tmp_path):
    archive = write_scenario(tmp_path, [GOOD], nodes=2, memory=1024)
    one = machine(archive, "exit=1", options=["-m", "256"])
    error_and_good_vm(one, r"memory[^\n]*(1024[^\n]*256|256[^\n]*1024)")


def test_host_check_stops_a_wrong_description(tmp_path):
    """The same errors before boot: the build of an archive fails with the same words."""
    dts = tmp_path / "wrong.dts"
    dts.write_text((TOP / "configs/one.dts").read_text().replace("memory-mb = <64>", "memory-mb = <0>"))
    result = subprocess.run([str(TOP / "tools/mkimage.sh"), str(dts), str(tmp_path / "wrong.cpio")], capture_output=True,
                            text=True, cwd=TOP)
    assert result.returncode != 0
    assert "/vms/vm0: memory-mb: found 0, allowed 4..1024" in result.stdout + result.stderr
    assert not (tmp_path / "wrong.cpio").exists()


def test_make_image_helper_builds_what_it_is_told(tmp_path):
    """The helper above really leaves the check out, else this file would test the host only."""
    archive = write_scenario(tmp_path, [{**GOOD, "memory-mb": 0}])
    assert archive.stat().st_size > 0
    make_image(tmp_path / "scenario.dts", archive)
