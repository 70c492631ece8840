#!/bin/bash
# SPDX-License-Identifier: MIT
# unpack-linux.sh DIR - Debian's linux-source-6.1, unpacked as DIR. Does not apply guest-patches (apply-patches.sh does).
set -eu
dir=$1
rm -rf "$dir" "$dir.tmp"
mkdir -p "$dir.tmp"
tar -C "$dir.tmp" --strip-components=1 -xf /usr/src/linux-source-6.1.tar.xz
mv "$dir.tmp" "$dir"
