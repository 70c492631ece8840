#!/bin/sh
# SPDX-License-Identifier: MIT
# pmake [JOBS]: Pmake in /pmake on the root disk, for `make bench-memory`. Then a line with the checksum of what was made and the free
# memory, and nothing more: the guest is looked at from outside.
cd /pmake
make -s -j"${1:-2}"
sync
echo "pmake: sum $(cat plain/*.o debug/*.o | md5sum | cut -c1-32), $(grep MemFree /proc/meminfo)"
sleep 99999
