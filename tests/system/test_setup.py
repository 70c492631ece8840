# SPDX-License-Identifier: MIT
"""tools/setup.sh on machines that lack something: apt, dpkg, sudo and id are small scripts in a PATH of their own."""
import os
import shutil
import subprocess

import pytest

from machine import TOP

WANTED = [line.split()[0] for line in (TOP / "tools/packages.txt").read_text().splitlines() if line.strip() and not line.startswith("#")]


@pytest.fixture
def setup(tmp_path):
    """setup(root, sudo, apt) runs tools/setup.sh where gdb-multiarch and quilt are missing; what it said, called and left."""
    bin_dir = tmp_path / "bin"
    bin_dir.mkdir()
    calls = tmp_path / "calls"
    installed = tmp_path / "installed"
    installed.write_text("".join(f"installed {name}\n" for name in WANTED if name not in ("gdb-multiarch", "quilt")))

    def script(name, body):
        path = bin_dir / name
        path.write_text("#!/bin/bash\n" + body)
        path.chmod(0o755)

    def run(root, sudo=False, apt="works", versions=""):
        script("id", f"echo {0 if root else 1000}")
        script("sudo", 'shift; exec "$@"' if sudo else "exit 1")
        script("dpkg-query", f"cat {installed}")
        install = f'for p in "$@"; do case $p in gdb-multiarch|quilt) echo installed $p >>{installed};; esac; done'
        stale = f'grep -q " update" {calls}.done 2>/dev/null || [[ " $* " = *" update "* ]] || exit 100\n'
        script("apt-get", f'echo apt-get "$@" >>{calls}\n' + (stale if apt == "stale" else "")
               + f'echo " $*" >>{calls}.done\n' + ("exit 100" if apt == "broken" else f'[[ " $* " = *" install "* ]] && {{ {install}; }}\nexit 0'))
        if versions:
            script("qemu-system-mips64el", versions)
        stamp = tmp_path / "stamp"
        result = subprocess.run([str(TOP / "tools/setup.sh"), str(stamp)], capture_output=True, text=True,
                                env={**os.environ, "PATH": f"{bin_dir}:{os.environ['PATH']}"})
        log = calls.read_text().splitlines() if calls.exists() else []
        return result, log, stamp.exists()

    return run


def test_root_installs_what_is_missing(setup):
    result, calls, stamped = setup(root=True)
    assert result.returncode == 0, result.stderr
    assert stamped
    assert len(calls) == 1 and "gdb-multiarch quilt" in calls[0]
    assert "qemu-system-mips64el: found 7." in result.stdout and "needed 7.2" in result.stdout


def test_sudo_installs(setup):
    result, calls, stamped = setup(root=False, sudo=True)
    assert result.returncode == 0 and stamped and len(calls) == 1


def test_nobody_gets_the_line_to_type(setup):
    result, calls, stamped = setup(root=False)
    assert result.returncode == 1 and not stamped and not calls
    assert "apt-get install -y --no-install-recommends gdb-multiarch quilt" in result.stderr


def test_stale_lists_are_refreshed_once(setup):
    result, calls, stamped = setup(root=True, apt="stale")
    assert result.returncode == 0 and stamped
    assert [("install" in c, "update" in c) for c in calls] == [(True, False), (False, True), (True, False)]


def test_apt_that_fails_is_an_error(setup):
    result, _, stamped = setup(root=True, apt="broken")
    assert result.returncode != 0 and not stamped


def test_old_qemu_is_named_with_what_is_needed(setup):
    result, _, stamped = setup(root=True, versions="echo QEMU emulator version 6.0.1; echo plugin")
    assert result.returncode == 1 and not stamped
    assert "found 6.0.1, needed 7.2" in result.stderr


def test_qemu_without_plugins_is_refused(setup):
    result, _, stamped = setup(root=True, versions="echo QEMU emulator version 9.0.0")
    assert result.returncode == 1 and not stamped
    assert "plugin" in result.stderr


def test_nothing_is_made_before_the_packages_are_there(tmp_path):
    """A clone on a machine without our packages: what make finds out before it builds, it finds out with them."""
    clone, bin_dir, installed = tmp_path / "clone", tmp_path / "bin", tmp_path / "installed"
    tracked = subprocess.run(["git", "-C", TOP, "ls-files", "-z"], capture_output=True, check=True).stdout.decode().split("\0")
    for name in filter(None, tracked):
        (clone / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy(TOP / name, clone / name, follow_symlinks=False)
    bin_dir.mkdir()
    scripts = {"id": "echo 0", "apt-get": f'[[ " $* " = *" install "* ]] && touch {installed}; exit 0',
               "dpkg-query": f"[ -e {installed} ] && printf 'installed %s\\n' {' '.join(WANTED)}; exit 0"}
    for tool in ("dtc", "fdtget", "mipsisa64r6el-linux-gnuabi64-gcc", "qemu-system-mips64el", "mke2fs"):
        scripts[tool] = f'[ -e {installed} ] && exec {shutil.which(tool)} "$@"; exit 127'
    for name, body in scripts.items():
        (bin_dir / name).write_text(f"#!/bin/bash\n{body}\n")
        (bin_dir / name).chmod(0o755)
    result = subprocess.run(["make", "-n", "build/default.cpio"], cwd=clone, capture_output=True, text=True,
                            env={**os.environ, "PATH": f"{bin_dir}:{os.environ['PATH']}"})
    assert result.returncode == 0, result.stderr
    assert installed.exists()
    for needed in ("tools/build-linux.sh", "tools/mkdisk.py", "tools/mkimage.sh configs/default.dts"):
        assert needed in result.stdout, f"nothing would make what {needed} makes: {result.stdout[-2000:]}"
