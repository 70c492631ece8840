# SPDX-License-Identifier: MIT
"""Images of disks: what is refused before QEMU starts, what the monitor says of an image that it does not see, and which device
is which image."""
import subprocess

import pytest

from machine import PATIENCE, TOP, disk, make_image, vm, write_scenario

GUEST = {"kernel": "exc_sys.elf", "ramdisk": None, "memory": 16}


def image(path, size=8192):
    with open(path, "wb") as file:
        file.truncate(size)
    return path


def scenario(folder, **disks):
    return write_scenario(folder, [vm("guest", **GUEST, **disks)])


def refusal(archive):
    """What run.sh says instead of starting the machine."""
    result = subprocess.run([str(TOP / "qemu/run.sh"), "-q", "-a", "exit=1", str(archive)], capture_output=True, text=True,
                            stdin=subprocess.DEVNULL, timeout=60 * PATIENCE)
    assert result.returncode == 2 and not result.stdout, result.stdout
    return result.stderr


@pytest.mark.parametrize("name, size, said", [
    ("absent", None, "found no file {}; `make {}` builds it if anything does"),
    ("empty", 0, "found {} of 0 bytes, allowed a multiple of 512, and not 0"),
    ("odd", 8193, "found {} of 8193 bytes, allowed a multiple of 512, and not 0"),
])
@pytest.mark.parametrize("mode", ["cow", "persistent"])
def test_a_bad_image_is_refused(tmp_path, name, size, said, mode):
    path = tmp_path / name
    if size is not None:
        image(path, size)
    said = "disco.dtb: /vms/vm0/disk0: image: " + said.replace("{}", str(path))
    assert said in refusal(scenario(tmp_path, disk0=disk(path, mode)))


def test_a_folder_is_refused(tmp_path):
    said = refusal(scenario(tmp_path, disk0=disk(tmp_path)))
    assert f"/vms/vm0/disk0: image: found {tmp_path}, which is no file, allowed a file" in said


def test_an_image_that_cannot_be_written(machine, tmp_path):
    """Refused if the guest may write it; fine for a copy-on-write disk."""
    path = image(tmp_path / "a.img")
    path.chmod(0o444)
    said = refusal(scenario(tmp_path, disk0=disk(path, "persistent")))
    assert f"/vms/vm0/disk0: image: found {path}, which cannot be written, allowed with mode cow or read-only" in said
    one = machine(scenario(tmp_path, disk0=disk(path)), "exit=1")
    one.expect(r"\[guest\] PASS exc_sys")
    assert one.end() == 0


@pytest.mark.parametrize("link", ["hardlink_to", "symlink_to"])
@pytest.mark.parametrize("modes", [("persistent", "persistent"), ("cow", "persistent"), ("persistent", "cow")])
def test_one_file_under_two_names(tmp_path, link, modes):
    """The description cannot know; the files' own numbers tell."""
    first = image(tmp_path / "a.img")
    second = tmp_path / "b.img"
    getattr(second, link)(first)
    said = refusal(scenario(tmp_path, disk0=disk(first, modes[0]), disk1=disk(second, modes[1])))
    assert f"/vms/vm0/disk1: image: found {second}, which is the file of /vms/vm0/disk0, allowed any other" in said


def test_two_persistent_disks_are_refused_by_name(machine, tmp_path):
    path = image(tmp_path / "a.img")
    archive = write_scenario(tmp_path, [vm("one", **GUEST, disk0=disk(path, "persistent")),
                                        vm("two", **GUEST, disk0=disk(path, "persistent"))])
    one = machine(archive, "exit=1")
    one.expect_all([r"disco\.dtb: /vms/vm1/disk0: image: found \"[^\n]*\", which /vms/vm0/disk0 has as its own",
                    r"\[one\] PASS exc_sys"])
    assert one.end() == 0


def test_an_image_in_use_by_another_machine(machine, tmp_path):
    """A persistent image is one machine's; a copy-on-write one is read by as many as like, but not beside a writer."""
    work, root = image(tmp_path / "work.img"), image(tmp_path / "root.img")
    idle = write_scenario(tmp_path, [vm("guest", **GUEST, manual=True, disk0=disk(work, "persistent"), disk1=disk(root))])
    first = machine(idle)
    first.up(2)
    used = "/vms/vm0/disk0: image: found {}, which another machine uses, allowed when that has ended"
    assert used.format(work) in refusal(scenario(tmp_path, disk0=disk(work, "persistent")))
    assert used.format(work) in refusal(scenario(tmp_path, disk0=disk(work)))
    assert used.format(root) in refusal(scenario(tmp_path, disk0=disk(root, "persistent")))
    second = machine(scenario(tmp_path, disk0=disk(root)), "exit=1")
    second.expect(r"\[guest\] PASS exc_sys")
    assert second.end() == 0
    first.quit()
    again = machine(scenario(tmp_path, disk0=disk(work, "persistent")), "exit=1")
    again.expect(r"\[guest\] PASS exc_sys")
    assert again.end() == 0


def test_every_image_is_found_by_its_number(machine, tmp_path):
    """More devices than a slot has functions; sizes tell which is which."""
    vms = []
    for v in range(3):
        disks = {f"disk{d}": disk(image(tmp_path / f"{v}{d}.img", 4096 * (1 + 4 * v + d)), ("cow", "persistent")[d % 2])
                 for d in range(4)}
        vms.append(vm(f"guest{v}", **GUEST, **disks))
    one = machine(write_scenario(tmp_path, vms), "exit=1")
    one.expect_all([rf"disk: image{4 * v + d}: [^\n]*/{v}{d}\.img: {4 * (1 + 4 * v + d)} KB{', read-only' if d % 2 == 0 else ''}\r" for v in range(3)
                    for d in range(4)])
    one.expect_all([rf"\[guest{v}\] PASS exc_sys" for v in range(3)])
    assert one.end() == 0


def test_the_monitor_refuses_what_it_does_not_see(tmp_path):
    """As with a QEMU that was started by other means; the VM without that disk runs."""
    path = image(tmp_path / "a.img")
    archive = write_scenario(tmp_path, [vm("bad", **GUEST, disk0=disk(path)), vm("good", **GUEST)])
    result = subprocess.run(["qemu-system-mips64el", "-M", "malta", "-cpu", "I6500", "-smp", "2", "-m", "256", "-accel",
                             "tcg,thread=single", "-kernel", str(TOP / "build/disco.elf"), "-append", "exit=1", "-initrd",
                             str(archive), "-display", "none", "-vga", "none", "-nic", "none", "-monitor", "none", "-no-reboot",
                             "-serial", "stdio"], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120 * PATIENCE)
    assert f'disco.dtb: /vms/vm0/disk0: image: found "{path}", which this machine has no device for' in result.stdout
    assert "[good] PASS exc_sys" in result.stdout


def test_an_image_in_the_archive(machine, tmp_path):
    """Packed at whole pages; what is missing or no disk is refused by name, by the build and by the monitor."""
    made = TOP / "build/test-disk"
    made.mkdir(exist_ok=True)
    image(made / "a.img", 12288)
    image(made / "odd.img", 1000)
    dts = tmp_path / "scenario.dts"
    archive = scenario(tmp_path, disk0=disk("test-disk/a.img", in_archive=True))
    make_image(dts, archive)
    data = archive.read_bytes()
    assert -(-(data.rindex(b"test-disk/a.img\0") + len("test-disk/a.img\0")) // 4) * 4 % 4096 == 0
    one = machine(archive, "exit=1")
    one.expect(r"\[guest\] PASS exc_sys")
    assert one.end() == 0
    for name, by_build, by_monitor in (("absent", "found no file build/test-disk/absent.img", "which is not in the boot archive"),
                                       ("odd", "of 1000 bytes, allowed a multiple of 512", "of 1000 bytes, allowed a multiple of 512")):
        archive = scenario(tmp_path, disk0=disk(f"test-disk/{name}.img", in_archive=True))
        built = subprocess.run([str(TOP / "tools/mkimage.sh"), str(dts), str(tmp_path / "checked.cpio")], capture_output=True,
                               text=True, timeout=60 * PATIENCE)
        assert built.returncode != 0 and by_build in built.stdout + built.stderr, built
        one = machine(archive, "exit=1")
        one.expect(rf'disco\.dtb: /vms/vm0/disk0: image: found "test-disk/{name}\.img"[^\n]*{by_monitor}')
        one.end()
