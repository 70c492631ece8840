#!/bin/bash
# SPDX-License-Identifier: MIT
# check-config.sh FRAGMENT CONFIG - every symbol that FRAGMENT sets must stand so in the finished CONFIG; Kconfig drops in silence
# what does not exist or lacks a dependency.
set -u
bad=0
while IFS= read -r line; do
	name=${line%%=*}
	found=$(grep -E "^($name=|# $name is not set)" "$2" || true)
	if [ "$found" != "$line" ] && ! { [ "${line#*=}" = n ] && [ "${found%=*}" != "$name" ]; }; then
		echo "$1: $name: found ${found:-nothing} in $2, wanted $line" >&2
		bad=1
	fi
done < <(grep -E '^CONFIG_[A-Za-z0-9_]+=' "$1")
exit $bad
