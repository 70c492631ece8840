#!/bin/bash
# SPDX-License-Identifier: MIT
# apply-patches.sh TREE PATCHES - bring TREE (an unpacked Linux) to exactly the quilt series in the folder PATCHES, whatever was
# applied before. Files whose text did not change keep their times, so that the next build compiles only what changed.
set -eu
tree=$(realpath "$1")
export QUILT_PATCHES; QUILT_PATCHES=$(realpath "$2")
export QUILT_PC=.pc QUILT_SERIES=series
unset QUILTRC
cd "$tree"

before=$tree/../linux-src.before
rm -rf "$before"
mkdir -p "$before"
touched() { # every file that an applied patch changes
	[ -d .pc ] && (cd .pc && find . -mindepth 2 -type f ! -name .timestamp ! -name '.quilt*' | cut -d/ -f3- | sort -u)
	true
}
touched | while read -r file; do
	[ -f "$file" ] && cp -p --parents "$file" "$before/"
done
true

quilt --quiltrc=- pop -a -f >/dev/null 2>&1 || true
rm -rf .pc
if grep -qv -e '^#' -e '^[[:space:]]*$' "$QUILT_PATCHES/series"; then
	quilt --quiltrc=- push -a --fuzz=0
fi

(cd "$before" && find . -type f) | while read -r file; do
	if cmp -s "$before/$file" "$file"; then
		touch -r "$before/$file" "$file"
	elif [ -f "$file" ]; then
		touch "$file"
	fi
done
rm -rf "$before"
