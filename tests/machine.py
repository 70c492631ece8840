# SPDX-License-Identifier: MIT
"""A machine under test: QEMU through qemu/run.sh, with pexpect on its serial line.

Nothing here waits for a fixed time: every wait is for a text or for the end of QEMU, with a limit. Everything that comes over
the line is kept in a log, written as it comes, with control characters made visible.
"""
import contextlib
import io
import os
import random
import re
import signal
import subprocess
import time
from pathlib import Path

import pexpect

TOP = Path(__file__).resolve().parent.parent
LOGS = TOP / "build/results/logs"
# A busy machine: DISCO_PATIENCE=3 makes every limit three times as long.
PATIENCE = float(os.environ.get("DISCO_PATIENCE", "1"))
# What random guests start from: another number in each run; DISCO_SEED=number repeats one.
SEED = int(os.environ.get("DISCO_SEED") or random.randrange(1 << 32))
# DISCO_STALL=percent: so often this process sleeps before it looks or types, or the emulator is stopped, for up to two seconds.
STALL = float(os.environ.get("DISCO_STALL", "0"))
PROMPT = "disco> "
ESCAPE = "\x1d"


class _Log(io.StringIO):
    """What pexpect writes its input to: a readable file, with the time since the start before each line."""

    def __init__(self, path):
        super().__init__()
        path.parent.mkdir(parents=True, exist_ok=True)
        self._file = open(path, "w", encoding="utf-8", errors="replace")
        self._start = time.monotonic()
        self._fresh = True

    def write(self, text):
        for char in text:
            if char == "\r":
                continue
            if self._fresh:
                self._file.write(f"{time.monotonic() - self._start:8.3f} ")
                self._fresh = False
            if char == "\n":
                self._fresh = True
                self._file.write(char)
            elif char.isprintable() or char == "\t":
                self._file.write(char)
            else:
                self._file.write(f"\\x{ord(char):02x}")
        return len(text)

    def note(self, text):
        self._file.write(f"{'' if self._fresh else chr(10)}         -- {text}\n")
        self._fresh = True
        self.flush()

    def flush(self):
        self._file.flush()


def tail(path, lines=40):
    if not Path(path).exists():
        return "(no log)"
    return "\n".join(Path(path).read_text(encoding="utf-8", errors="replace").splitlines()[-lines:])


def without_kernel(text):
    """What a guest printed without lines of its kernel, which says so when an interrupt was late, or the clock was wrong, be it in the middle
    of a line of a program's."""
    return re.sub(r"\[ *\d+\.\d{6}\] .*(\n|$)", "", text)


class Machine:
    """scenario: a name in configs/ or the path of a boot archive. words: for the monitor's command line. options: of run.sh;
    qemu: of QEMU, behind all that run.sh gives it."""

    def __init__(self, name, scenario, words="", options=(), qemu=()):
        self.log_path = LOGS / f"{name}.log"
        self._log = _Log(self.log_path)
        command = ["-q", *(("-a", words) if words else ()), *options, str(scenario), *(("--", *qemu) if qemu else ())]
        self._log.note("qemu/run.sh " + " ".join(command))
        self.started = time.monotonic()
        self.line = pexpect.spawn(str(TOP / "qemu/run.sh"), command, cwd=str(TOP), encoding="utf-8", codec_errors="replace",
                                  dimensions=(50, 250), echo=False)
        self.line.delaybeforesend = None
        self.line.logfile_read = self._log

    def _stall(self):
        """As on a host that has no time for us, or for QEMU."""
        if random.random() * 100 >= STALL:
            return
        seconds, us = random.random() * 2, random.random() < 0.5
        self._log.note(f"{'we sleep' if us else 'QEMU stands still'} for {seconds:.2f} s")
        with contextlib.suppress(ProcessLookupError):  # a machine that has ended stands still as it is
            if not us:
                os.kill(self.line.pid, signal.SIGSTOP)
            time.sleep(seconds)
            if not us:
                os.kill(self.line.pid, signal.SIGCONT)

    def expect(self, pattern, timeout=60):
        """Wait for a regular expression; its match object. What came before it is in self.before."""
        self._stall()
        try:
            self.line.expect(pattern, timeout=timeout * PATIENCE)
        except pexpect.TIMEOUT:
            raise AssertionError(f"waited {timeout * PATIENCE:.0f} s for {pattern!r}; the last lines:\n"
                                 + tail(self.log_path, 15)) from None
        except pexpect.EOF:
            raise AssertionError(f"QEMU ended before {pattern!r} came; the last lines:\n"
                                 + tail(self.log_path, 15)) from None
        return self.line.match

    @property
    def before(self):
        return self.line.before

    def expect_all(self, patterns, timeout=60):
        """Wait until every one of the patterns has come, in any order; their match objects, in the order given."""
        found = {}
        deadline = time.monotonic() + timeout * PATIENCE
        while len(found) < len(patterns):
            missing = [p for p in patterns if p not in found]
            match = self.expect(missing, max(0, deadline - time.monotonic()) / PATIENCE)
            found[missing[self.line.match_index]] = match
        return [found[p] for p in patterns]

    def send(self, text):
        self._stall()
        self._log.note(f"sent {text!r}")
        self.line.send(text)

    def up(self, nodes=r"\d+", timeout=60):
        """Wait for the monitor to be up on all its nodes."""
        return self.expect(rf"\[0\] main: {nodes} nodes up", timeout)

    def command(self, text, timeout=30):
        """One command at the monitor's prompt; the lines it printed, among which lines of guests may be. Of one whose end the log tells
        later see do(). The prompt must have been seen or be due."""
        self.send(text + "\r")
        self.expect(re.escape(text) + r"\r*\n", timeout)
        self.expect(re.escape(PROMPT), timeout)
        return self.before.replace("\r", "").splitlines()

    def do(self, text, *lines, timeout=60):
        """A command that changes something, until the log has said these lines of what came of it, in any order."""
        self.send(text + "\r")
        self.expect(re.escape(text) + r"\r*\n", timeout)
        self.expect_all(lines, timeout)

    def until(self, holds, timeout=30):
        """Ask time and again until holds() does; what it gave."""
        deadline = time.monotonic() + timeout * PATIENCE
        while not (found := holds()):
            assert time.monotonic() < deadline, f"waited {timeout * PATIENCE:.0f} s in vain; the last lines:\n" + tail(self.log_path, 30)
        return found

    def elapse(self, ms):
        """Wait until the machine's clock has gone on by so much, which under -d is not the host's: by the ticks of node 0."""
        def ticks():
            return int(next(line for line in self.command("nodes") if line.split()[0] == "0").split()[7])

        begin = ticks()
        while ticks() < begin + ms // 10:
            time.sleep(0.1)

    def attach(self, guest, timeout=30):
        self.send(f"attach {guest}\r")
        self.expect(rf"attached to {guest};", timeout)  # the echo may be cut by a line of another guest

    def detach(self, timeout=30):
        self.send(ESCAPE + ".")
        self.expect(re.escape(PROMPT), timeout)

    def shell(self, guest, command, timeout=60, kernel=False):
        """One command in the shell of the attached guest, whose prompt is due after an empty line; what it printed. kernel: with lines of
        the guest's kernel."""
        self.send("\r")
        self.expect(rf"{guest}:[^\n]*# ", timeout)
        # The marks are written so that the line as typed, which the shell echoes and may wrap, holds neither.
        self.send(f"echo be''gin; {command}; echo e''nd\r")
        self.expect(r"begin\r*\n", timeout)
        self.expect(r"end\r*\n", timeout)
        answer = self.before.replace("\r", "")
        self.expect(rf"{guest}:[^\n]*# ", timeout)
        return (answer if kernel else without_kernel(answer)).strip()

    def end(self, timeout=30):
        """Wait for QEMU to end; its exit status."""
        try:
            self.line.expect(pexpect.EOF, timeout=timeout * PATIENCE)
        except pexpect.TIMEOUT:
            raise AssertionError(f"QEMU still runs after {timeout * PATIENCE:.0f} s; the last lines:\n"
                                 + tail(self.log_path, 15)) from None
        self.line.close()
        return self.line.exitstatus

    def quit(self, timeout=30):
        self.send("quit\r")
        return self.end(timeout)

    def kill(self):
        self.line.close(force=True)
        self._log.flush()


def vm(label, kernel="vmlinux", ramdisk="root.cpio", memory=32, bootargs=None, **more):
    """A VM for write_scenario: Linux unless told otherwise. more: other properties; True is a property without value, a
    dictionary is a node."""
    properties = {"compatible": "disco,vm", "label": label, "kernel": kernel, "memory-mb": memory}
    if ramdisk:
        properties["ramdisk"] = ramdisk
    if kernel == "vmlinux":
        properties["bootargs"] = bootargs or f"console=hvc0 hostname={label}"
    elif bootargs:
        properties["bootargs"] = bootargs
    properties.update({key.replace("_", "-"): value for key, value in more.items()})
    return properties


def disk(image, mode="cow", **more):
    """A disk of a VM: vm(..., disk0=disk("root.img")). more: as of vm()."""
    return {"compatible": "disco,disk", "image": str(image), "mode": mode,
            **{key.replace("_", "-"): value for key, value in more.items()}}


def net(subnet="lan", **more):
    """A network port of a VM: vm(..., net0=net()). more: as of vm()."""
    return {"compatible": "disco,net", "subnet": subnet, **{key.replace("_", "-"): value for key, value in more.items()}}


def _dts_property(key, value):
    if value is True:
        return f"\t\t\t{key};\n"
    if isinstance(value, int):
        return f"\t\t\t{key} = <{value}>;\n"
    if isinstance(value, list):
        return f"\t\t\t{key} = <{' '.join(map(str, value))}>;\n"
    if isinstance(value, dict):
        return f"\t\t\t{key} {{\n{''.join(_dts_property(*one) for one in value.items())}\t\t\t}};\n"
    escaped = value.replace('"', '\\"')
    return f'\t\t\t{key} = "{escaped}";\n'


def write_scenario(folder, vms, nodes=2, memory=256, name="scenario", more=""):
    """A boot archive from VMs made by vm(), built without the host's checks, so that the monitor's own are seen. more: other
    properties of the machine, as they are written."""
    text = f'/dts-v1/;\n/ {{\n\tcompatible = "disco,machine";\n\tnodes = <{nodes}>;\n\tmemory-mb = <{memory}>;\n{more}\tvms {{\n'
    for index, properties in enumerate(vms):
        body = "".join(_dts_property(key, value) for key, value in properties.items())
        text += f"\t\tvm{index} {{\n{body}\t\t}};\n"
    text += "\t};\n};\n"
    dts = Path(folder) / f"{name}.dts"
    dts.write_text(text)
    archive = Path(folder) / f"{name}.cpio"
    make_image(dts, archive)
    return archive


def make_image(dts, archive):
    subprocess.run([str(TOP / "tools/mkimage.sh"), "--no-check", str(dts), str(archive)], check=True, cwd=TOP)


def pack(folder, archive, names):
    """A boot archive of the files names in folder, in that order."""
    result = subprocess.run(["cpio", "--quiet", "-o", "-H", "newc", "--owner=0:0"], cwd=folder, check=True,
                            input="\n".join(names).encode(), stdout=subprocess.PIPE)
    Path(archive).write_bytes(result.stdout)
    return archive
