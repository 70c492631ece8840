#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""console.py SOCKET - this terminal as the machine's serial line, while gdb has the other. Ctrl-\\ leaves. `make console` runs it
under terminal.py, which puts the terminal back whatever happens here."""
import os
import select
import socket
import sys
import tty

LEAVE = b"\x1c"


def relay(line):
    """Copies both ways until somebody leaves or the machine ends."""
    while True:
        for ready in select.select([0, line], [], [])[0]:
            data = os.read(0, 4096) if ready == 0 else line.recv(4096)
            if not data or (ready == 0 and LEAVE in data):
                return
            if ready == 0:
                line.sendall(data)
            else:
                os.write(1, data)


def main():
    if not os.isatty(0):
        sys.exit("console.py: standard input is no terminal; a script talks to the socket build/debug.line itself")
    line = socket.socket(socket.AF_UNIX)
    try:
        line.connect(sys.argv[1])
    except OSError as error:
        sys.exit(f"console.py: {sys.argv[1]}: {error.strerror}; is `make debug` running?")
    print("Connected; Ctrl-\\ leaves this console, the machine goes on.", flush=True)
    tty.setraw(0)
    try:
        relay(line)
    except ConnectionError:
        pass  # the machine ended
    print("\r")


main()
