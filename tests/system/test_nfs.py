# SPDX-License-Identifier: MIT
"""A Linux guest serves files to others (NFSv4.1): they come up in any order, see each other's files, and survive an end of any of them.

`make nfs-torture` is the long form."""
import hashlib
import re

from linux_disks import ask, at_once, linux, up, work  # noqa: F401 (fixtures)
from machine import TOP, disk, net

EMPTY = TOP / "build/empty.img"
CLIENTS = ("client1", "client2", "client3")


def server(image=None, **more):
    return linux("server", image or disk(EMPTY), words="work=/dev/vdb serve=/data", node=0, **more, net0=net())


def client(name, **more):
    return linux(name, words="nfs=server", node=1 + CLIENTS.index(name), **{"memory": 32, **more}, net0=net())


def test_clients_wait_for_their_server_and_see_one_tree(up):
    one = up([server(manual=True), *(client(name) for name in CLIENTS)], running=0)
    one.expect_all([rf"\[{name}\] nfs-mount: waiting for server" for name in CLIENTS], 180)
    one.send("start server\r")
    one.expect_all([rf"\[{name}\] {name}: Linux [^\n]*\n" for name in CLIENTS], 180)
    one.send("\r")
    assert re.search(r"vers=4.1,rsize=61440,", ask(one, "client1", "grep nfs4 /proc/mounts"))
    sent = ask(one, "client1", "head -c 3000007 /dev/urandom >/mnt/file; md5sum </mnt/file").split()[0]
    assert ask(one, "server", "md5sum </data/file").split()[0] == sent
    said = at_once(one, CLIENTS, "md5sum </mnt/file; echo $(hostname) >/mnt/$(hostname); cp /bin/busybox /mnt/b-$(hostname)")
    assert {name: answer.split()[0] for name, answer in said.items()} == dict.fromkeys(CLIENTS, sent)
    busybox = hashlib.md5((TOP / "build/busybox/busybox").read_bytes()).hexdigest()
    said = ask(one, "client2", "cat /mnt/client?; md5sum /mnt/b-client?")
    assert said.split() == [*CLIENTS, *(word for name in CLIENTS for word in (busybox, f"/mnt/b-{name}"))], said
    assert one.quit() == 0
