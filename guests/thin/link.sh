#!/bin/bash -p
# SPDX-License-Identifier: MIT
# link.sh NM OUT FILE... - a thin program of C and object files. The commands come by the environment, from module.mk: THIN_CC, THIN_LINK,
# THIN_LIBS. Linked twice: the first image gives the names of functions that the report of a fault uses.
set -eu
nm=$1 out=$2
shift 2
work=$(mktemp -d)
trap 'rm -rf "$work"' EXIT

objects=()
for file in "$@"; do
	case $file in
	*.c)
		[ -f "$file" ] || { echo "make thin: found no file $file" >&2; exit 2; }
		objects+=("$work/${#objects[@]}.o")
		$THIN_CC -Wall -c -o "${objects[-1]}" "$file"
		;;
	*) objects+=("$file") ;;
	esac
done
if ! $nm --defined-only "${objects[@]}" | grep -q ' T main$'; then
	echo "make thin: found no main() in $*, needed: int main(void), or int main(int argc, char **argv)" >&2
	exit 2
fi
$THIN_LINK -o "$work/first" "${objects[@]}" $THIN_LIBS
"$(dirname "$0")/../../tools/symbols.sh" "$nm" "$work/first" >"$work/symbols.S"
$THIN_CC -c -o "$work/symbols.o" "$work/symbols.S"
$THIN_LINK -o "$out" "${objects[@]}" "$work/symbols.o" $THIN_LIBS
