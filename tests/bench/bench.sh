#!/bin/sh
# SPDX-License-Identifier: MIT
# First program of a measured guest: a shell, whose first command ends unit 1.
/unitops boot
echo bench: shell
mount -t tmpfs tmpfs /tmp
exec /unitops
