#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""cap_log.py FILE - write what comes from standard input to FILE, as it comes. When FILE has LIMIT bytes it becomes FILE.old, in
place of the one before, and a new one begins: two times LIMIT is the most that is kept."""
import os
import sys

LIMIT = 4 << 20


def main():
    name = sys.argv[1]
    log, size = open(name, "wb", buffering=0), 0
    while data := os.read(0, 65536):
        if size + len(data) > LIMIT and size:
            log.close()
            os.replace(name, name + ".old")
            log, size = open(name, "wb", buffering=0), 0
        log.write(data)
        size += len(data)


main()
