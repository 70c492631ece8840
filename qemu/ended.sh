# SPDX-License-Identifier: MIT
# Sourced by with.sh and guests/thin/run.sh, which run one VM for the sake of its exit code.

# run_attached LABEL WORDS LOG run.sh's OPTIONS... - the machine, with this terminal attached to the VM, and ends when all VMs have.
# `code` is the VM's exit code by the monitor's last word on it, 125 if it ended without one. LOG: QEMU's log of the terminal.
run_attached() {
	local label=$1 words=$2 log=$3 last
	"$top/qemu/run.sh" -q -a "attach=$label exit=1${words:+ $words}" "${@:4}" -- -set "chardev.line.logfile=$log" ||
		echo "${who:-make run}: QEMU ended with status $?" >&2
	last=$(tr -d '\r' <"$log" | grep -aE "^(.*vm: )?$label (powered off|killed|stopped|reset)" | tail -n 1) || true
	case $last in
	*"$label powered off, code "*) code=${last##* } ;;
	*)
		code=125
		echo "${who:-make run}: the machine ended while $label had not powered off" >&2
		;;
	esac
	code=$((code > 255 ? 255 : code))
}

# The status: this script's, or in the file.
end_with() { # CODE FILE
	[ -n "$2" ] || exit "$1"
	echo "$1" >"$2"
}
