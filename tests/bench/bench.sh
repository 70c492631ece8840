#!/bin/sh
# SPDX-License-Identifier: MIT
# First program of a measured guest: a shell, whose first command ends unit 1. With read=MB on the kernel's command line, so much of the
# guest's first disk is in its page cache before the other units; with units=times they are repeated instead, for a watch
# outside, and with units=barrier threads spin at barriers, one and four in turn.
/unitops boot
echo bench: shell
mount -t tmpfs tmpfs /tmp
if [ -n "${read-}" ]; then
	mount -t devtmpfs dev /dev
	dd if=/dev/vda of=/dev/null bs=1048576 count="$read"
fi
if [ "${units-}" = barrier ]; then
	for threads in 1 4 1 4 1 4; do
		/barrier $threads
	done
	echo unitops: done
	exec sleep 100000
fi
exec /unitops ${units-}
