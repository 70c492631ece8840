#!/bin/bash
# SPDX-License-Identifier: MIT
# fetch-source.sh NAME - a Debian source package, unpacked (Debian's patches applied) as build/src/NAME. Uses the machine's own
# package sources, asked for sources instead of programs, with apt's state under build/: needs no root, changes nothing
# on the machine.
set -eu
name=$1
top=$(realpath "$(dirname "$0")/..")
apt=$top/build/apt
src=$top/build/src

# The machine's entries with "deb" turned to "deb-src", in both of apt's formats.
derive_sources() {
	rm -rf "$apt/parts"
	mkdir -p "$apt/parts" "$apt/lists/partial" "$apt/cache/archives/partial"
	local file
	for file in /etc/apt/sources.list /etc/apt/sources.list.d/*.list; do
		[ -f "$file" ] || continue
		sed -n 's/^[[:space:]]*deb[[:space:]]/deb-src /p' "$file" >"$apt/parts/$(basename "$file" .list).list"
	done
	for file in /etc/apt/sources.list.d/*.sources; do
		[ -f "$file" ] || continue
		sed 's/^Types:.*/Types: deb-src/I' "$file" >"$apt/parts/$(basename "$file")"
	done
}

apt_get() {
	apt-get -q -o Dir::Etc::sourcelist=/dev/null -o Dir::Etc::sourceparts="$apt/parts" \
		-o Dir::State::Lists="$apt/lists" -o Dir::Cache="$apt/cache" \
		-o APT::Sandbox::User="$(id -un)" -o Acquire::Languages=none "$@"
}

derive_sources
mkdir -p "$src/download"
cd "$src/download"
# An entry that cannot be reached is no harm as long as another has the package. Lists from an earlier call may do.
apt_get source --download-only "$name" || { apt_get update || true; apt_get source --download-only "$name"; }
dsc=$(ls -t "${name}"_*.dsc | head -n 1)
rm -rf "$src/$name" "$src/$name.tmp"
dpkg-source --no-check -x "$dsc" "$src/$name.tmp"
mv "$src/$name.tmp" "$src/$name"
