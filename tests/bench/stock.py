#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""What the unit operations cost an unpatched Linux as a guest: entries to the monitor and instructions, with its places patched.

stock.py [WORDS]: WORDS for the monitor, as off=patch. Needs what `make build/stock.cpio build/bench-root.cpio` builds.
"""
import re
import subprocess
import sys

import bench
from bench import CROSS, OUT, TOP, entries, instructions, units, without_waiting

LIMIT = 900
WINDOW = 0x40000000  # from KSEG0 to csseg, where its code runs

DESCRIPTION = """/dts-v1/;
/ {
	compatible = "disco,machine";
	nodes = <2>;
	memory-mb = <256>;
	vms {
		vm0 {
			compatible = "disco,vm";
			label = "stock";
			kernel = "linux-stock/vmlinux";
			ramdisk = "bench-root.cpio";
			rewrite;
			memory-mb = <64>;
			node = <1>;
			bootargs = "console=ttyS0 rdinit=/bench";
		};
	};
};
"""


def kernel_entry():
    header = subprocess.run([CROSS + "readelf", "-h", TOP / "build/linux-stock/vmlinux"], check=True, capture_output=True, text=True).stdout
    return hex(int(re.search(r"Entry point address: +0x(\w+)", header)[1], 16) + WINDOW)


def count(words):
    OUT.mkdir(parents=True, exist_ok=True)
    (OUT / "stock.dts").write_text(DESCRIPTION)
    subprocess.run(["tools/mkimage.sh", OUT / "stock.dts", OUT / "stock.cpio"], cwd=TOP, check=True)
    out = OUT / "stock.json"
    options = bench.plugin_options("guest", out)
    options = re.sub(r"boot=\w+", "boot=" + kernel_entry(), options)
    line = ["qemu/run.sh", "-q", "-p", options, "-d", "-a", f"{bench.ONE_TEXT}{words} exit=1", str(OUT / "stock.cpio")]
    with open(OUT / "stock.log", "wb") as sink:
        subprocess.run(line, cwd=TOP, stdin=subprocess.DEVNULL, stdout=sink, stderr=subprocess.STDOUT, timeout=LIMIT, check=True)
    return out


def main():
    words = sys.argv[1].removeprefix("off=") if len(sys.argv) > 1 else ""
    rows = [bench.json.loads(line) for line in count("," + words if words else "").read_text().splitlines()]
    rows = {row["unit"]: row for row in rows if "unit" in row}
    print("| operation | entries to the monitor | instructions, guest and monitor |\n|---|---|---|")
    for number, (name, operations) in units().items():
        if number in rows:
            row = without_waiting(rows[number], name)
            print(f"| {name} | {entries(row) / operations:,.1f} | {instructions(row) / operations:,.0f} |")


main()
