# SPDX-License-Identifier: MIT
"""Runs under the timing model (qemu/flash): of the monitor with its guests, and of the bare kernel."""
import contextlib
import subprocess
import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent), str(Path(__file__).resolve().parent.parent)]
import bench  # noqa: E402
from machine import Machine  # noqa: E402

LIMIT = 1800  # seconds of the host for one run
# The bare kernel takes the time from each processor's own Count, as the faster of two clocks. These are some microseconds apart (it sets them at the start,
# processors are out of step), and where a processor updates the time that is behind the one before, 26 s go by: in one of three starts of sixteen, and then it
# prints for seconds what no processor has done. With more than eight it has the counter that all read.
COUNTS_MOST = 8


@contextlib.contextmanager
def machine(name, archive, words="", model=""):
    """A machine with the monitor, for as long as it is used. What it does not do ends this program, and is told."""
    one = Machine(name, archive, words, ["-f", model])
    try:
        yield one
    except AssertionError as why:
        sys.exit(f"{name}: {why}")
    finally:
        one.kill()


def bare(model, processors, megabytes, root, command, log):
    """Runs the bare kernel until it has done the command and ended; what it printed, which is in log, too. root: in build/; processors: 16 at most, QEMU's Malta has no more."""
    clock = "clocksource=GIC " if processors > COUNTS_MOST else ""
    words = ["timeout", "-k", "5", str(LIMIT), "qemu/run.sh", "-q", "-f", model, "-k", "build/linux-bare/vmlinux", "-n", str(processors), "-m",
             str(megabytes), "-a", f'console=ttyS0 {clock}disco.run="{command}"', "--", "-initrd", f"build/{root}"]
    with open(log, "wb") as sink:
        subprocess.run(words, cwd=bench.TOP, stdin=subprocess.DEVNULL, stdout=sink, stderr=subprocess.STDOUT, check=False)
    return log.read_text(errors="replace")
