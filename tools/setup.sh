#!/bin/bash
# SPDX-License-Identifier: MIT
# setup.sh STAMP [GROUP] - everything the project needs from the machine: the packages of tools/packages.txt (those in no group, or
# those of GROUP), installed when we may, else named in one line to type; then the versions, as "found X, needed Y". Touches
# STAMP when all is well.
# Changes nothing but installed packages; make runs it whenever the list or the machine's packages changed.
set -u
stamp=$1 group=${2-}
list=$(dirname "$0")/packages.txt

wanted() {
	sed -e 's/#.*//' -e '/^[[:space:]]*$/d' "$list" |
		awk -v group="$group" '/^\[/ { now = substr($1, 2, length($1) - 2); next } now == group { print $1 }'
}

missing_packages() {
	local installed
	installed=$(dpkg-query -W -f '${db:Status-Status} ${Package}\n' 2>/dev/null | sed -n 's/^installed //p' | sort -u)
	comm -23 <(wanted | sort -u) <(echo "$installed")
}

# Words to put before apt-get, or failure when this user may not install.
as_root() {
	if [ "$(id -u)" = 0 ]; then
		echo env
	elif sudo -n true 2>/dev/null; then
		echo sudo -n env
	else
		return 1
	fi
}

install_packages() {
	local root line="apt-get install -y --no-install-recommends $*"
	if ! root=$(as_root); then
		echo "setup: these packages are missing, and only root can install them. Type, then try again:" >&2
		if command -v sudo >/dev/null; then
			echo "  sudo apt-get update && sudo $line" >&2
		else
			echo "  su -c 'apt-get update && $line'" >&2
		fi
		return 1
	fi
	echo "  SETUP   installing: $*"
	local apt="$root DEBIAN_FRONTEND=noninteractive apt-get -q -o DPkg::Lock::Timeout=300"
	local go="$apt install -y --no-install-recommends"
	# The machine's package lists may be empty or older than the archive: refreshed once, only if they fail us.
	$go "$@" && return
	echo "  SETUP   refreshing apt's package lists, then once more"
	$apt update && $go "$@"
}

bad=0
# require NAME NEEDED FOUND: NEEDED is the least version that works.
require() {
	local name=$1 needed=$2 found=$3
	if [ -n "$found" ] && printf '%s\n' "$needed" "$found" | sort -C -V; then
		printf '  SETUP   %s: found %s, needed %s\n' "$name" "$found" "$needed"
	else
		printf 'setup: %s: found %s, needed %s or newer\n' "$name" "${found:-none}" "$needed" >&2
		bad=1
	fi
}

version_of() { # COMMAND... : the first number with a dot that it prints
	"$@" 2>/dev/null | grep -oE '[0-9]+\.[0-9]+(\.[0-9]+)*' | head -n 1
}

check_versions() {
	require qemu-system-mips64el 7.2 "$(version_of qemu-system-mips64el --version)"
	if ! qemu-system-mips64el -d help 2>/dev/null | grep -q '^plugin'; then
		echo "setup: qemu-system-mips64el: found no TCG plugins, needed a QEMU built with them" >&2
		bad=1
	fi
	require mipsisa64r6el-linux-gnuabi64-gcc 12 "$(version_of mipsisa64r6el-linux-gnuabi64-gcc -dumpfullversion)"
	require gdb-multiarch 12 "$(version_of gdb-multiarch --version)"
	require make 4.3 "$(version_of make --version)"
	require dtc 1.6 "$(version_of dtc --version)"
	require python3 3.9 "$(version_of /usr/bin/python3 --version)"
}

if ! command -v dpkg-query >/dev/null; then
	echo "setup: found no dpkg, needed Debian 12 or a system like it" >&2
	exit 1
fi
missing=$(missing_packages)
if [ -n "$missing" ]; then
	install_packages $missing || exit 1
	missing=$(missing_packages)
	if [ -n "$missing" ]; then
		echo "setup: still missing after installing:" $missing >&2
		exit 1
	fi
fi
check_versions
((bad)) && exit 1
mkdir -p "$(dirname "$stamp")"
touch "$stamp"
