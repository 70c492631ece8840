# SPDX-License-Identifier: MIT
"""Whatever is killed, and whenever: a build is finished by the next make, the terminal is as it was, machines side by side do not
know of each other."""
import hashlib
import os
import re
import signal
import subprocess
import time

import pexpect
import pytest

from machine import ESCAPE, PATIENCE, PROMPT, TOP


def run(*command, **more):
    return subprocess.run([str(word) for word in command], cwd=TOP, capture_output=True, text=True, timeout=200 * PATIENCE, **more)


def wait_until(what, seconds=20):
    end = time.monotonic() + seconds * PATIENCE
    while not what():
        assert time.monotonic() < end, f"waited {seconds * PATIENCE:.0f} s"
        time.sleep(0.05)


def kill_when(told, *command, **more):
    """Starts the command, and kills it and all of its group when the file told is there."""
    process = subprocess.Popen([str(word) for word in command], cwd=TOP, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
                               start_new_session=True, **more)
    try:
        wait_until(told.exists)
    finally:
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
    told.unlink()


# ---- builds ----

def built(target):
    """What make builds as target, as a digest."""
    result = run("make", target)
    assert result.returncode == 0, result.stdout + result.stderr
    return hashlib.sha256((TOP / target).read_bytes()).hexdigest()


# A compiler that writes half of what it should, or the half of the dependencies, tells, and sleeps.
HALF = """#!/bin/bash
for word in "$@"; do
	case $last in
	-o) printf half >"$word" ;;
	-MF) printf 'half: \\\\' >"$word" ;;
	esac
	last=$word
done
echo "$$" >{told}
sleep 100
"""


@pytest.mark.alone
@pytest.mark.parametrize("target, inputs, variable", [
    ("build/disco.elf", ["build/obj/kernel/format.c.o", "build/obj/arch/mips/fast.S.o", "build/obj/numa/batch.c.o"], "CC"),
    ("build/gen/asm-offsets.h", [], "CC"),
    ("build/host/unit/test_format", [], "HOST_CC"),
    ("build/guests/tests/exc_sys.elf", ["build/guests/obj/tests/guest/exc_sys.o"], "CC"),
])
def test_a_build_that_was_killed_is_finished_by_the_next(tmp_path, target, inputs, variable):
    def forget():
        for name in [target, *inputs]:
            (TOP / name).unlink()

    forget()  # debug information has the folder's name: what is there may be of before the clone was moved
    before = built(target)
    half, told = tmp_path / "half", tmp_path / "told"
    half.write_text(HALF.format(told=told))
    half.chmod(0o755)
    forget()
    kill_when(told, "make", target, f"{variable}={half}")
    assert built(target) == before


@pytest.mark.alone
def test_a_build_killed_at_any_moment():
    """The real compiler, killed with all that make started, a little later each time."""
    before = built("build/disco.elf")
    for delay in (0.3, 0.7, 1.2):
        for name in [*(TOP / "build/obj/numa").glob("*.o"), TOP / "build/disco.elf"]:
            name.unlink(missing_ok=True)
        make = subprocess.Popen(["make", "build/disco.elf"], cwd=TOP, stdout=subprocess.DEVNULL, start_new_session=True)
        time.sleep(delay)
        os.killpg(make.pid, signal.SIGKILL)
        make.wait()
        assert built("build/disco.elf") == before


def test_two_makes_and_one_long_step(tmp_path):
    """The second waits, and takes what the first has made."""
    stamp, log, count, said, go = (tmp_path / name for name in ("stamp", "log", "count", "said", "go"))
    step = [str(TOP / "tools/progress.sh"), "-s", str(stamp), "a step", str(log), "sh", "-c", f"echo once >>{count}; until [ -e {go} ]; do sleep 0.1; done"]
    first = subprocess.Popen(step, stdout=subprocess.DEVNULL)
    wait_until(count.exists)
    with open(said, "wb") as out:
        second = subprocess.Popen(step, stdout=out)
    wait_until(lambda: b"another make is at it" in said.read_bytes())
    go.touch()
    assert first.wait() == 0 and second.wait() == 0
    assert "done by the other" in said.read_text()
    assert count.read_text() == "once\n" and stamp.exists()


def test_what_a_killed_make_left_running_is_waited_for(tmp_path):
    log, count = tmp_path / "log", tmp_path / "count"
    step = [str(TOP / "tools/progress.sh"), "a step", str(log), "sh", "-c", f"echo begin >>{count}; sleep 2; echo end >>{count}"]
    first = subprocess.Popen(step, stdout=subprocess.DEVNULL)
    wait_until(count.exists)
    first.kill()
    first.wait()
    assert run(*step).returncode == 0
    assert count.read_text() == "begin\nend\nbegin\nend\n"


def test_a_kernel_whose_build_was_killed_is_built_from_the_start(tmp_path):
    """Linux's makefiles would take the half file for a whole one; a kernel that failed otherwise goes on where it was."""
    src, out, told, config = tmp_path / "src", tmp_path / "out", tmp_path / "told", tmp_path / "config"
    src.mkdir()
    config.write_text("CONFIG_A=y\n")
    (src / "Makefile").write_text(f"""allnoconfig:
\tcp $(KCONFIG_ALLCONFIG) $(O)/.config
vmlinux: $(O)/part $(O)/part.o
\tcat $^ >$(O)/vmlinux
$(O)/part:
\techo made >>{tmp_path}/parts; echo part >$@
$(O)/part.o:
\t[ ! -e {tmp_path}/fail ]
\t[ -e {tmp_path}/go ] || {{ printf half >$@; touch {told}; sleep 100; }}
\techo whole >$@
""")
    command = ["tools/build-linux.sh", src, out, config, "none-"]
    (tmp_path / "fail").touch()
    assert run(*command).returncode != 0
    (tmp_path / "fail").unlink()
    kill_when(told, *command)
    assert (out / "part.o").read_text() == "half" and (tmp_path / "parts").read_text() == "made\n"
    (tmp_path / "go").touch()
    assert run(*command).returncode == 0
    assert (out / "vmlinux").read_text() == "part\nwhole\n" and not (out / ".unfinished").exists()


def test_patches_whose_application_was_killed_are_applied_by_the_next_run(tmp_path):
    tree, patches, bin_dir, told = tmp_path / "tree", tmp_path / "patches", tmp_path / "bin", tmp_path / "told"
    for folder in (tree, patches, bin_dir):
        folder.mkdir()
    for name in ("one", "two", "three"):
        (tree / name).write_text(f"{name}\nis a file\n")
        (patches / f"{name}.patch").write_text(f"--- a/{name}\n+++ b/{name}\n@@ -1,2 +1,2 @@\n {name}\n-is a file\n+is patched\n")
    (patches / "new.patch").write_text("--- /dev/null\n+++ b/new\n@@ -0,0 +1 @@\n+is new\n")
    (patches / "series").write_text("one.patch\n")
    assert run("tools/apply-patches.sh", tree, patches).returncode == 0
    for name in ("one", "two", "three"):
        os.utime(tree / name, (1000, 1000))
    # Two of the new series are applied, the third half: then the power fails.
    (patches / "series").write_text("two.patch\nnew.patch\none.patch\nthree.patch\n")
    quilt = bin_dir / "quilt"
    quilt.write_text(f"#!/bin/bash\n/usr/bin/quilt --quiltrc=- push 2\necho half >three\ntouch {told}\nsleep 100\n")
    quilt.chmod(0o755)
    kill_when(told, "tools/apply-patches.sh", tree, patches, env={**os.environ, "PATH": f"{bin_dir}:{os.environ['PATH']}"})
    assert (tree / "three").read_text() == "half\n"
    assert run("tools/apply-patches.sh", tree, patches).returncode == 0
    assert [(tree / name).read_text() for name in ("one", "two", "three", "new")] == [
        "one\nis patched\n", "two\nis patched\n", "three\nis patched\n", "is new\n"]
    assert (tree / "one").stat().st_mtime == 1000 and (tree / "two").stat().st_mtime > 1000
    (patches / "series").write_text("three.patch\n")
    assert run("tools/apply-patches.sh", tree, patches).returncode == 0
    assert (tree / "one").read_text() == "one\nis a file\n" and not (tree / "new").exists()


# ---- the terminal ----

# For a shell: until the watcher of the terminal, which would otherwise have to be faster than the shell's next prompt, has done its work.
WATCHED = r"while pgrep -s 0 -f qemu/terminal\.py >/dev/null; do sleep 0.1; done"


def hear_hang_up():
    """Who runs the tests may ignore SIGHUP (nohup), and a shell hands that on to all that it starts."""
    signal.signal(signal.SIGHUP, signal.SIG_DFL)


class Shell:
    """A person's shell, and what the modes of its terminal are."""

    def __init__(self):
        self.line = pexpect.spawn("/bin/bash", ["--norc", "--noprofile"], cwd=str(TOP), encoding="utf-8", codec_errors="replace",
                                  preexec_fn=hear_hang_up,
                                  env={**os.environ, "PS1": "ready> "}, timeout=60 * PATIENCE)
        self.line.expect("ready> ")

    def modes(self):
        self.line.send("stty -a | tr ';\\n' '  '; echo en''d\r")
        self.line.expect(r"end\r")
        words = re.findall(r"(?<!\w)-?(?:icanon|echo|isig|opost|icrnl|ixon|iexten)\b", self.line.before)
        self.line.expect("ready> ")
        return " ".join(words)

    def process(self, pattern):
        """The oldest process of this shell's session with such a command line."""
        found = subprocess.run(["pgrep", "-o", "-s", str(self.line.pid), "-f", pattern], capture_output=True, text=True).stdout
        return int(found) if found else None


@pytest.fixture
def shell():
    one = Shell()
    yield one
    one.line.close(force=True)


def killed(shell, pattern, number):
    """Kills that process; the modes of the terminal once the shell has its prompt again. Nothing of the command is left."""
    os.kill(shell.process(pattern), number)
    shell.line.expect("ready> ")
    wait_until(lambda: shell.process(r"^qemu-system|terminal\.py|console\.py") is None)
    return shell.modes()


@pytest.mark.parametrize("victim, number", [("^qemu-system-mips64el", signal.SIGTERM), ("^qemu-system-mips64el", signal.SIGKILL),
                                            ("qemu/terminal.py", signal.SIGHUP), ("qemu/terminal.py", signal.SIGKILL)])
def test_the_terminal_after_make_run(shell, victim, number):
    before = shell.modes()
    shell.line.send(f"make run SCENARIO=one; {WATCHED}\r")
    shell.line.expect(re.escape(PROMPT))
    assert killed(shell, victim, number) == before


def test_the_terminal_after_quit(shell):
    before = shell.modes()
    shell.line.send("make run SCENARIO=one; echo status $?\r")
    shell.line.expect(re.escape(PROMPT))
    shell.line.send("quit\r")
    shell.line.expect(r"status 0\r")
    shell.line.expect("ready> ")
    assert shell.modes() == before


# ---- machines side by side ----

@pytest.fixture
def debugged(under_gdb):
    """debugged() starts `make debug` and returns it at gdb's prompt; what it said before is in its `before`."""
    started = []

    def start():
        started.append(pexpect.spawn("make", ["debug", "SCENARIO=one"], cwd=str(TOP), encoding="utf-8", timeout=90 * PATIENCE))
        started[-1].expect(r"\(gdb\) ")
        return started[-1]

    yield start
    for one in started:
        one.close(force=True)


@pytest.mark.parametrize("victim, number", [("^/usr/bin/python3 qemu/console.py", signal.SIGHUP),
                                            ("^/usr/bin/python3 qemu/console.py", signal.SIGKILL),
                                            ("qemu/terminal.py", signal.SIGKILL)])
def test_the_terminal_after_make_console(shell, debugged, victim, number):
    debugged()
    before = shell.modes()
    shell.line.send(f"make console; {WATCHED}\r")
    shell.line.expect("Connected")
    shell.line.send("x")
    wait_until(lambda: shell.process("python3 qemu/console.py"))
    assert killed(shell, victim, number) == before


def test_a_console_without_a_terminal(debugged):
    debugged()
    result = run("make", "console", input="vms\n")
    assert result.returncode != 0 and "no terminal" in result.stderr and "Traceback" not in result.stderr


def test_two_machines_under_gdb(debugged):
    """Each has a console of its own, and the end of one is not the other's."""
    first, second = debugged(), debugged()
    assert "make console`" in first.before and "make console MACHINE=2`" in second.before
    consoles = []
    try:
        for one, words in ((first, ["console"]), (second, ["console", "MACHINE=2"])):
            one.send("continue\r")
            consoles.append(pexpect.spawn("make", words, cwd=str(TOP), encoding="utf-8", timeout=120 * PATIENCE))
            consoles[-1].expect("Connected")
        consoles[0].expect(r"\[alpha\] alpha: Linux ")
        consoles[0].send("\rquit\r")
        consoles[0].expect(pexpect.EOF)
        consoles[1].expect(r"\[alpha\] alpha: Linux ")
        consoles[1].send("\rattach alpha\r")
        consoles[1].expect("attached to alpha")
        consoles[1].send(ESCAPE + ".quit\r")
        consoles[1].expect(pexpect.EOF)
    finally:
        for one in consoles:
            one.close(force=True)
