# SPDX-License-Identifier: MIT
"""Parallel programs (guests/workloads): the same sums in a Linux guest over four nodes as on this host, with any number of threads."""
import re
import subprocess

import pytest

from machine import TOP, Machine, vm, write_scenario

SIZES = {"radix": 20000, "fft": 4096, "lu": 96, "barnes": 256, "ocean": 31, "cg": 512, "join": 2000, "pipe": 4, "quick": 10000}


def sums(text):
    return dict(re.findall(r"(\w+): \d+ threads, \d+ [a-z ]+, sum ([0-9a-f]{16}), \d+ us", text))


def on_host(threads):
    said = [subprocess.run([TOP / f"build/host/parallel/{name}", str(threads), str(size)], check=True, capture_output=True, text=True).stdout
            for name, size in SIZES.items()]
    return sums("".join(said))


@pytest.fixture(name="host", scope="module")
def _host():
    return on_host(1)


def test_any_number_of_threads(host):
    assert set(host) == set(SIZES)
    for threads in (2, 3, 8, 13):
        assert on_host(threads) == host, f"{threads} threads"


def test_four_threads_in_a_guest(host, tmp_path):
    command = " && ".join(f"{name} 4 {size}" for name, size in SIZES.items())
    guest = vm("alpha", ramdisk="parallel-root.cpio", memory=64, vcpus=4, node=[0, 1, 2, 3], bootargs=f'console=hvc0 quiet disco.run="{command}"')
    machine = Machine("parallel", write_scenario(tmp_path, [guest], nodes=4, memory=512))
    try:
        machine.expect("vm: alpha powered off, code 0", 60)
        assert sums(machine.before) == host
        machine.quit()
    finally:
        machine.kill()


@pytest.mark.parametrize("words, said", [
    ([], "threads: found none, allowed 1 to 64"),
    (["0", "16"], "threads: found 0, allowed 1 to 64"),
    (["4"], "rows and columns: found none, allowed 16 to 8192"),
    (["4", "16x"], "rows and columns: found 16x, allowed 16 to 8192"),
    (["4", "100"], "found rows that are no multiple of 16"),
])
def test_arguments_that_are_none(words, said):
    done = subprocess.run([TOP / "build/host/parallel/lu", *words], check=False, capture_output=True, text=True)
    assert done.returncode in (1, 2) and said in done.stderr and not done.stdout
