#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""terminal.py [-p TEXT] COMMAND... - run COMMAND, which may change the settings of this terminal, and leave the terminal as it
was, whatever ends whom. TEXT is printed first, with the process number of COMMAND in place of %d.

COMMAND is a child; when it has ended, however it did, its parent puts back what it found at the start. Should the parent be
killed, COMMAND is killed with it, and a second child, the watcher, puts the terminal back. The exit status is COMMAND's, or 128 and
the number of the signal that ended it. Without a terminal this is COMMAND and nothing else."""
import fcntl
import os
import signal
import sys
import termios


class Terminal:
    """The settings of the terminal that is file 0, and the flags of the open file, as they are now."""

    def __init__(self):
        self.modes = termios.tcgetattr(0)
        self.flags = fcntl.fcntl(0, fcntl.F_GETFL)

    def restore(self):
        try:
            fcntl.fcntl(0, fcntl.F_SETFL, self.flags)
            if termios.tcgetattr(0) != self.modes:
                termios.tcsetattr(0, termios.TCSANOW, self.modes)
        except (termios.error, OSError):
            pass  # the terminal is gone


def watch(terminal, pipe):
    """The watcher: a byte from the pipe says that all is done, its end that the parent was killed."""
    for number in (signal.SIGINT, signal.SIGQUIT, signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, signal.SIG_IGN)
    if os.read(pipe, 1):
        return
    # Once, and at once: a moment later the terminal is in the hands of a shell. COMMAND, which may not touch it again either,
    # is dying already.
    terminal.restore()


def main():
    words = sys.argv[1:]
    text = ""
    if words[:1] == ["-p"]:
        text, words = words[1], words[2:]
    try:
        terminal = Terminal()
    except termios.error:
        os.execvp(words[0], words)
    signal.signal(signal.SIGTTOU, signal.SIG_IGN)  # settings may be put back from the background, too
    pipe = os.pipe()
    pid = os.fork()
    if pid == 0:
        signal.signal(signal.SIGTTOU, signal.SIG_DFL)
        os.execvp("setpriv", ["setpriv", "--pdeathsig", "KILL", *words])
    watcher = os.fork()
    if watcher == 0:
        os.close(pipe[1])
        watch(terminal, pipe[0])
        os._exit(0)
    for number in (signal.SIGTERM, signal.SIGHUP):
        signal.signal(number, lambda number, frame: os.kill(pid, number))
    for number in (signal.SIGINT, signal.SIGQUIT):
        signal.signal(number, signal.SIG_IGN)  # the terminal sends them to COMMAND as well
    if text:
        print(text.replace("%d", str(pid)), flush=True)
    status = os.waitstatus_to_exitcode(os.waitpid(pid, 0)[1])
    terminal.restore()
    os.write(pipe[1], b".")
    os.waitpid(watcher, 0)
    if status < 0:
        print(f"{words[0]} was ended by {signal.Signals(-status).name}", file=sys.stderr)
        status = 128 - status
    sys.exit(status)


main()
