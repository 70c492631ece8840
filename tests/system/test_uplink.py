# SPDX-License-Identifier: MIT
"""The uplink: programs of the host reach guests by the machine's network device, guests reach nothing else."""
import hashlib
import os
import random
import re
import socket
import subprocess
import threading
from concurrent.futures import ThreadPoolExecutor

from linux_disks import listens
from machine import PATIENCE, TOP, net, vm, write_scenario

UPLINK = '\tuplink { compatible = "disco,uplink"; subnet = "lan"; };\n'
HOST = "10.0.0." + "254"  # as the guests see it
LINUX = r"\[alpha\] alpha: Linux [^\n]*shell after"


def free_port():
    """Of this host, with the next one free as well. Of those that the host gives nobody who does not ask for them: between our look and QEMU's
    no other program gets them by chance."""
    while True:
        port = random.randrange(10000, 32000, 2)
        try:
            with socket.create_server(("127.0.0.1", port)), socket.create_server(("127.0.0.1", port + 1)):
                return port
        except OSError:
            continue


def boot(machine, folder, words="", qemu=(), others=()):
    port = free_port()
    alpha = vm("alpha", node=1, memory=48, net0=net(forward=[2323, 2324]))
    one = machine(write_scenario(folder, [alpha, *others], nodes=4, more=UPLINK), words, options=("-u", str(port)), qemu=qemu)
    one.expect(LINUX, 180)
    one.attach("alpha")
    return one, port


def try_the_host(one, listener, seconds):
    """The attached guest connects to a program of this host by itself, or gives up after so long."""
    one.send(f"\rnc -w {seconds} {HOST} {listener.getsockname()[1]} </dev/null && echo reach''ed || echo not-reach''ed\r")


def connect(port):
    """The guest's program must listen: QEMU takes every connection, and ends those that nobody wanted."""
    return socket.create_connection(("127.0.0.1", port), 60 * PATIENCE)


def read_all(line, bytes_):
    got = b""
    while len(got) < bytes_:
        part = line.recv(65536)
        if not part:
            break
        got += part
    return got


def test_files_in_and_out(machine, tmp_path):
    one, port = boot(machine, tmp_path, "shuffle=1 check=1")
    sent = os.urandom(300_007)
    one.send(f"\r(tail -f /dev/null | nc -l -p 2323 >/tmp/in; :) & {listens(2323)}; echo listen''ing\r")
    one.expect("listening")
    with connect(port) as line:
        line.sendall(sent)
        line.shutdown(socket.SHUT_WR)
        one.send(f"\rwhile [ $(wc -c </tmp/in) != {len(sent)} ]; do sleep 1; done; md5sum /tmp/in\r")
        one.expect(hashlib.md5(sent).hexdigest())
    one.send(f"\rnc -l -p 2324 </tmp/in & {listens(2324)}; echo listen''ing-again\r")
    one.expect("listening-again")
    with connect(port + 1) as line:
        assert read_all(line, len(sent)) == sent
    with socket.create_server(("127.0.0.1", 0)) as listener:
        try_the_host(one, listener, 2)
        one.expect("not-reached")
    one.detach()
    shown = "\n".join(one.command("net"))
    assert re.search(r"uplink on lan, MTU 1500\n  sent \d+ frames of [1-9]\d\d+ KB", shown), shown
    assert " check: " not in one.log_path.read_text()
    one.send("quit\r")
    assert one.end() == 0


def echoed(port, sent):
    """What a program that sends all of it back has sent back."""
    with connect(port) as line, ThreadPoolExecutor() as pool:
        got = pool.submit(read_all, line, len(sent))
        line.sendall(sent)
        line.shutdown(socket.SHUT_WR)
        return got.result()


def test_a_guest_on_several_nodes(machine, tmp_path):
    """Bytes that its other nodes have written, on pages that move: what the uplink sends is not always in the view of the VM's home."""
    port, times = free_port(), 12
    guest = vm("echo", "thin/tests/sockets.elf", None, 32, f"echo times={times}", vcpus=4, node=[0, 1, 2, 3], net0=net(forward=[7]))
    one = machine(write_scenario(tmp_path, [guest], nodes=4, more=UPLINK), "shuffle=1 check=1", options=("-u", str(port)))
    one.expect(r"\[echo\] listening at 7")
    sent = [os.urandom(150_001) for _ in range(times)]
    with ThreadPoolExecutor(times) as pool:
        assert list(pool.map(lambda bytes_: echoed(port, bytes_), sent)) == sent
    one.expect("vm: echo powered off, code 0")
    assert one.quit() == 0
    assert " check: " not in one.log_path.read_text()


def flood(port, until):
    """Bytes to the port, as fast as they are taken, until the event; how many."""
    sent = 0
    with connect(port) as line:
        line.settimeout(1)
        while not until.is_set():
            try:
                sent += line.send(bytes(1 << 20))
            except TimeoutError:
                continue
    return sent


def test_a_flood_from_the_host(machine, tmp_path):
    """The host sends a guest all that it takes, into node 0's interrupts: the prompt answers, and two other guests talk on."""
    talkers = [vm("answer", "net_storm.elf", None, 8, "role=1", node=2, net0=net()),
               vm("talk", "net_storm.elf", None, 8, "ms=500", node=3, net0=net())]
    one, port = boot(machine, tmp_path, others=talkers)
    one.send(f"\rnc -l -p 2323 >/dev/null & {listens(2323)}; echo listen''ing\r")
    one.expect("listening")
    one.detach()
    over = threading.Event()
    with ThreadPoolExecutor() as pool:
        bytes_ = pool.submit(flood, port, over)
        try:
            frames = [0]

            def more():
                now = int(re.search(r"uplink on lan, .*\n  sent (\d+) frames", "\n".join(one.command("net")))[1])
                return now > frames[-1] and now

            while len(frames) < 6 or frames[-1] < 700:
                one.expect(r"\[talk\] [1-9]\d* trips, ")
                frames.append(one.until(more))
        finally:
            over.set()
    assert bytes_.result() > 1 << 20
    assert one.quit() == 0


def test_what_keeps_guests_from_the_host(machine, tmp_path):
    """The same guest without QEMU's restrict=on: that is what the test above looks for."""
    one, _ = boot(machine, tmp_path, qemu=("-set", "netdev.uplink.restrict=off"))
    with socket.create_server(("127.0.0.1", 0)) as listener:
        listener.settimeout(60 * PATIENCE)
        try_the_host(one, listener, 60)
        listener.accept()[0].close()
        one.expect(r"[^-]reached")


def test_a_machine_without_the_device(machine, tmp_path):
    """The description says uplink, but QEMU was started by somebody else: one line, and the guest runs."""
    alpha = vm("alpha", node=1, memory=48, net0=net(forward=[2323]))
    archive = write_scenario(tmp_path, [alpha], more=UPLINK)
    one = machine(archive, options=("-k", str(TOP / "build/disco.elf"), "-n", "2", "-m", "256", "--", "-initrd"))
    one.expect_all([r"uplink: found no virtio network device on PCI: VMs are not reached from outside", LINUX], 180)


def test_wrong_ports():
    for port, shown in ("0", "0"), ("65536", "65536"), ("many", "many"):
        done = subprocess.run(["qemu/run.sh", "-u", port, "default"], cwd=TOP, capture_output=True, text=True, check=False)
        assert done.returncode == 2 and done.stderr == f"run.sh: -u: found {shown}, allowed 1..65535\n"


def test_a_port_that_another_program_has(tmp_path):
    """run.sh says where the guest's port is, QEMU that it is taken; no machine is started."""
    archive = write_scenario(tmp_path, [vm("alpha", net0=net(forward=[80]))], more=UPLINK)
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = str(taken.getsockname()[1])
        done = subprocess.run(["qemu/run.sh", "-u", port, archive], cwd=TOP, stdin=subprocess.DEVNULL, capture_output=True, text=True,
                              check=False, timeout=60 * PATIENCE)
    assert done.returncode == 1 and port in done.stderr
    assert f"TCP port 80 of alpha is 127.0.0.1:{port} of this host.\n" in done.stdout
