#!/bin/bash
# SPDX-License-Identifier: MIT
# apply-patches.sh TREE PATCHES - bring TREE (an unpacked Linux) to exactly the quilt series in the folder PATCHES, whatever was
# applied before. Files whose text did not change keep their times, so that the next build compiles only what changed. May be
# killed: what TREE was like is kept in TREE.before until all is done, and the next run begins there.
set -eu
tree=$(realpath "$1")
export QUILT_PATCHES; QUILT_PATCHES=$(realpath "$2")
export QUILT_PC=.pc QUILT_SERIES=series
unset QUILTRC
# TREE.before: pristine/ each file that patches change, without any patch (an empty one: there is none); old/ the same as they were
# found; started, once both are whole.
before=$tree.before
cd "$tree"

# Quilt keeps what a patch found in .pc/PATCH; the first patch that changed a file found it pristine.
from_quilt() {
	[ -f .pc/applied-patches ] || return 0
	local patch file
	while read -r patch; do
		(cd ".pc/$patch" && find . -type f ! -name .timestamp ! -name '.quilt*' -printf '%P\n') | while read -r file; do
			[ -e "$before/pristine/$file" ] || (cd ".pc/$patch" && cp -p --parents "$file" "$before/pristine/")
		done
	done <.pc/applied-patches
}

# A file that no applied patch has changed is pristine as it is.
from_tree() {
	local patch file
	sed -e 's/#.*//' -e 's/[[:space:]].*//' -e '/^$/d' "$QUILT_PATCHES/series" | while read -r patch; do
		sed -n -e 's|^+++ [^/]*/||p' -e 's|^--- a/||p' "$QUILT_PATCHES/$patch"
	done | cut -f 1 | sort -u | while read -r file; do
		[ -e "$before/pristine/$file" ] && continue
		mkdir -p "$(dirname "$before/pristine/$file")"
		if [ -f "$file" ]; then cp -p "$file" "$before/pristine/$file"; else : >"$before/pristine/$file"; fi
	done
}

pristine() { (cd "$before/pristine" && find . -type f -printf '%P\n' | sort); }

if [ ! -e "$before/started" ]; then
	rm -rf "$before"
	mkdir -p "$before/pristine" "$before/old"
	from_quilt
fi
from_tree
if [ ! -e "$before/started" ]; then
	pristine | while read -r file; do
		[ ! -f "$file" ] || cp -p --parents "$file" "$before/old/"
	done
	touch "$before/started"
fi

pristine | while read -r file; do
	if [ -s "$before/pristine/$file" ]; then
		cp -p "$before/pristine/$file" "$file"
	else
		rm -f "$file"
	fi
done
rm -rf .pc
if grep -qv -e '^#' -e '^[[:space:]]*$' "$QUILT_PATCHES/series"; then
	quilt --quiltrc=- push -a --fuzz=0
fi

pristine | while read -r file; do
	if [ -f "$file" ] && cmp -s "$before/old/$file" "$file"; then
		touch -r "$before/old/$file" "$file"
	elif [ -f "$file" ]; then
		touch "$file"
	fi
done
rm -rf "$before"
