#!/bin/bash
# SPDX-License-Identifier: MIT
# fetch.sh NAME - tools/fetch-source.sh, and if the archive lacks a part of the package, what there is of it: the author's sources
# without Debian's patches.
set -eu
cd "$(dirname "$0")/../.."
name=$1
tools/fetch-source.sh "$name" && exit
orig=$(ls -t build/src/download/"${name}"_*.orig.tar.* | head -n 1)
echo "fetch.sh: taking $orig alone"
rm -rf "build/src/$name"
mkdir -p "build/src/$name"
tar -C "build/src/$name" --strip-components=1 -xf "$orig"
