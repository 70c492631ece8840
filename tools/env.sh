# SPDX-License-Identifier: MIT
# env.sh - sourced first by every script that a person may call: takes away the exported variables that tools/environment.txt does
# not name, and sets the C locale, so that grep, sort, git and the like print what the script expects. The scripts themselves
# begin with "#!/bin/bash -p": such a bash reads neither BASH_ENV nor CDPATH nor functions from its environment.

mapfile -t env_kept < <(sed -e 's/#.*//' -e 's/[[:space:]].*//' -e '/^$/d' "$(dirname "${BASH_SOURCE[0]}")/environment.txt")
for env_name in $(compgen -e); do
	[ "$env_name" != PWD ] || continue
	for env_pattern in "${env_kept[@]}"; do
		# shellcheck disable=SC2053 # a pattern
		[[ $env_name == $env_pattern ]] && continue 2
	done
	unset "$env_name" 2>/dev/null || true
done
if [ ! -d "${TMPDIR:-/}" ] || [ ! -w "${TMPDIR:-/tmp}" ]; then
	unset TMPDIR
fi
unset env_kept env_name env_pattern
export LC_ALL=C
