# SPDX-License-Identifier: MIT
"""A Linux guest serves files to others (by NFSv4.1, to the last of them by NFSv3): they come up in any order, see each other's files, and
survive an end of any of them.

`make nfs-torture` is the long form: DISCO_NFS_FILES for each of seven clients."""
import hashlib
import os
import re

import pytest

from linux_disks import ask, at_once, linux, up, work  # noqa: F401 (fixtures)
from machine import SEED, TOP, disk, net

FILES = int(os.environ.get("DISCO_NFS_FILES") or 0)
CLIENTS = tuple(f"client{i + 1}" for i in range(7 if FILES else 3))
VERSION3 = CLIENTS[-1]
LIMIT = 180 + 15 * FILES


def server(image, **more):
    return linux("server", image, words="work=/dev/vdb serve=/data,vers=3", node=0, **more, net0=net())


def client(name, **more):
    return linux(name, words="nfs=server" + (",vers=3" if name == VERSION3 else ""), node=1 + CLIENTS.index(name) % 3,
                 **{"memory": 32, **more}, net0=net())


def comes_up(one, *names):
    one.expect_all([rf"\[{name}\] {name}: Linux [^\n]*\n" for name in names], LIMIT)
    one.send("\r")


def all_end(one, names):
    """Nothing of the guests stays in memory: neither pages that are shared nor any that a device holds."""
    for name in names:
        one.send(f"stop {name}\r")
    one.expect_all([rf"vm: {name} stopped" for name in names])
    one.send("\r")
    said = "\n".join(one.command("mem"))
    assert re.search(r"guests use (\d+) KB, .*\n.*blocks of disks and what knows them \1 KB, private to VMs 0 KB", said), said
    for name in names:
        assert re.search(rf"{name} has \d+ KB, uses 0 KB, of these shared 0 KB, private 0 KB; replicas 0 KB", said), said


def wait_for_server(one):
    """Clients that are up before their server get its files when it comes."""
    one.expect_all([rf"\[{name}\] nfs-mount: waiting for server" for name in CLIENTS], 180)
    one.send("start server\r")
    comes_up(one, "server", *CLIENTS)
    assert re.search(r"vers=4.1,rsize=57344,", ask(one, "client1", "grep nfs4 /proc/mounts"))
    assert re.search(r"vers=3,rsize=57344,", ask(one, VERSION3, "grep ' nfs ' /proc/mounts"))


def see_one_tree(one):
    """What a client writes the server and all clients read, at once, and what all write at once each of them does."""
    sent = ask(one, "client1", "head -c 3000007 /dev/urandom >/mnt/file; md5sum </mnt/file").split()[0]
    assert ask(one, "server", "md5sum </data/file").split()[0] == sent
    said = at_once(one, CLIENTS, "md5sum </mnt/file; echo $(hostname) >/mnt/$(hostname); cp /bin/busybox /mnt/b-$(hostname)", LIMIT)
    assert {name: answer.split()[0] for name, answer in said.items()} == dict.fromkeys(CLIENTS, sent)
    busybox = hashlib.md5((TOP / "build/busybox/busybox").read_bytes()).hexdigest()
    said = ask(one, "client2", "cat /mnt/client?; md5sum /mnt/b-client?; rm /mnt/file /mnt/client? /mnt/b-client?")
    assert said.split() == [*CLIENTS, *(word for name in CLIENTS for word in (busybox, f"/mnt/b-{name}"))], said


def shared_kb(one, name):
    return int(re.search(rf"(?m)^{name} has .* of these shared (\d+) KB", "\n".join(one.command("mem")))[1])


def written_pages_are_in_memory_once(one, writer, passed):
    """Pages that a client writes are those of the server's page cache, too, without a copy; who writes one of them afterwards, on either
    side, has a page of its own, and the other sees what it is told of. The file stays: memory that it had would be shared for a while."""
    both, file = (writer, "server"), f"pages-{writer}"
    before = [shared_kb(one, name) for name in both]
    said = ask(one, writer, f"head -c 2048k /dev/urandom >/tmp/pages; cp /tmp/pages /mnt/{file}; sync; md5sum </mnt/{file}")
    more = [shared_kb(one, name) - kb for name, kb in zip(both, before)]
    assert not passed or min(more) >= 1536, more
    assert ask(one, "server", f"md5sum </data/{file}") == said
    for name, path, place in ((writer, f"/mnt/{file}", 5000), ("server", f"/data/{file}", 70000)):
        ask(one, name, f"printf 1 | dd of={path} bs=1 seek={place} conv=notrunc 2>/dev/null")
        said = ask(one, writer, f"printf 1 | dd of=/tmp/pages bs=1 seek={place} conv=notrunc 2>/dev/null; md5sum </tmp/pages")
        for reader, folder in ((writer, "/mnt"), ("server", "/data"), ("client2", "/mnt")):
            assert ask(one, reader, f"md5sum <{folder}/{file}") == said, (name, reader)
    ask(one, writer, "rm /tmp/pages")


def mount_calls_are_answered(one):
    """What nfs-mountd answers to calls of MOUNT one after the other: the words behind the number of the call, by RFC 5531 and RFC 1813."""
    root, data = "00000001" "2f000000", "00000005" "2f64617461000000"
    head = "00000001" + 3 * "00000000"  # a reply, accepted, with no proof who sends it
    answers = {("000186a5", 3, 0, ""): "00000000", ("000186a5", 3, 1, data): "00000000" "00000002", ("000186a5", 3, 5, ""): "00000003",
               ("000186a5", 1, 1, root): "00000002" "00000003" "00000003", ("000186a3", 3, 1, root): "00000001",
               ("000186a5", 3, 1, root): "00000000" "00000000" "00000008" "0100010000000000" "00000001" "00000001"}
    sent = found = ""
    for number, ((program, version, procedure, argument), answer) in enumerate(answers.items()):
        call = f"{number:08x}" "00000000" "00000002" + program + f"{version:08x}{procedure:08x}" + 4 * "00000000" + argument
        reply = f"{number:08x}" + head + answer
        sent += f"{0x80000000 + len(call) // 2:08x}" + call
        found += f"{0x80000000 + len(reply) // 2:08x}" + reply
    assert ask(one, "client1", f"echo {sent} | xxd -r -p | nc server 635 | xxd -p | tr -d '\\n'; echo") == found


def open_without_asking(one):
    """What a client has read it opens again without a request, for more files than stock Linux lets the clients of such a server."""
    opened = "awk '/^proc4ops/ { print $21 }' /proc/net/rpc/nfsd"  # operation 18 is OPEN
    ask(one, "server", "mkdir /data/many; cd /data/many; for i in $(seq 300); do echo $i >$i; done", LIMIT)
    counts = [int(ask(one, "server", opened))]
    for _ in range(2):
        assert ask(one, "client1", "cat /mnt/many/* | wc -l", LIMIT) == "300"
        counts.append(int(ask(one, "server", opened)))
    ask(one, "client1", "rm -r /mnt/many", LIMIT)
    assert counts[1] - counts[0] >= 300 and counts[2] - counts[1] < 5, counts


def equal_files_in_memory(one):
    """Reads, writes, truncates and maps at random, in three clients at once, each a file of its own against a copy in memory."""
    times = 2000 if FILES else 25
    said = at_once(one, CLIENTS[:3], f"disktest file /mnt/random-$(hostname) {SEED} {times}", LIMIT)
    for name, answer in said.items():
        assert re.search(rf"disktest: {times} operations, \d+ bytes are right", answer), (name, answer)


# A tree of small files of random lengths, its copy, both compared when the page cache has lost them: the same sum twice.
SUM = "find {} -type f | sort | xargs cat | md5sum"
TREE = ("set -e; mkdir -p /mnt/$(hostname)/tree; cd /mnt/$(hostname); i=0; while [ $i -lt FILES ]; do "
        "[ $((i % 10)) != 0 ] || mkdir -p tree/$((i / 10)); printf \"%0$((RANDOM % LENGTH))d\\n\" $i >tree/$((i / 10))/$i; i=$((i + 1)); done; "
        "cp -r tree copy; sync; echo 3 >/proc/sys/vm/drop_caches; diff -r tree copy; " + SUM.format("tree") + "; " + SUM.format("copy"))
TREE = TREE.replace("FILES", str(FILES or 20)).replace("LENGTH", "8192" if FILES else "32768")


def begin(one, name, command):
    """In the background of the guest's shell: the word ended is the last that /tmp/said gets."""
    ask(one, name, f"{{ ({command}; echo ended) >/tmp/said 2>&1 & }}")


def result(one, name):
    return ask(one, name, "wait; cat /tmp/said", LIMIT)


def files_are_whole(one):
    """Each client writes a tree and its copy and compares them; meanwhile the last one ends and begins again with a file at random, the
    one before it is reset, and so is the server, for which all wait: the others find every byte, and so do the server and the last."""
    stay, reset, ended = CLIENTS[:-2], CLIENTS[-2], CLIENTS[-1]
    for name in CLIENTS:
        begin(one, name, TREE)
    ask(one, stay[0], f"disktest file /mnt/file {SEED} {150 if FILES else 15}", LIMIT)
    one.send(f"reset {reset}\rstop {ended}\r")  # the end may come before the prompt
    one.expect(rf"vm: {ended} stopped", 60)
    comes_up(one, reset)
    begin(one, reset, f"rm -r /mnt/{reset}; " + TREE)
    one.send(f"start {ended}\r")
    comes_up(one, ended)
    begin(one, ended, f"disktest file /mnt/again {SEED} {400 if FILES else 25}")
    one.do("reset server", r"\[server\] server: Linux [^\n]*\n", timeout=LIMIT)
    sums = {}
    for name in (*stay, reset):
        said = result(one, name)
        found = re.findall(r"([0-9a-f]{32})  -", said)
        assert len(found) == 2 and found[0] == found[1] and "ended" in said, (name, said)
        sums[name] = found[0]
    assert len(set(sums.values())) == len(sums), sums
    assert "bytes are right" in result(one, ended)
    for where, folder in (("server", "/data"), (reset, "/mnt"), (ended, "/mnt")):
        said = ask(one, where, f"cd {folder}; for name in {' '.join(sums)}; do " + SUM.format("$name/tree") + "; done", LIMIT)
        assert re.findall(r"([0-9a-f]{32})  -", said) == list(sums.values()), (where, said)


@pytest.mark.parametrize("words", ["", "off=remap", "check=1 shuffle=1"] if FILES else [""])
def test_a_server_of_files(up, work, words):
    one = up([server(disk(work("files", 64), "persistent"), memory=64, manual=True), *(client(name) for name in CLIENTS)], words, running=0)
    wait_for_server(one)
    for writer in ("client1", VERSION3):
        written_pages_are_in_memory_once(one, writer, "off=remap" not in words)
    see_one_tree(one)
    open_without_asking(one)
    mount_calls_are_answered(one)
    equal_files_in_memory(one)
    files_are_whole(one)
    ask(one, "server", "sync")
    assert " check: " not in one.log_path.read_text()
    all_end(one, ("server", *CLIENTS))
    assert one.quit() == 0


@pytest.mark.skipif(not FILES, reason="make nfs-torture")
def test_the_scenario_comes_up_by_itself(machine):
    """configs/nfs.dts: what one client writes all others read, with nothing typed before."""
    one = machine("nfs")
    comes_up(one, "server", *CLIENTS)
    sent = ask(one, "client1", "head -c 1000003 /dev/urandom >/mnt/file; md5sum </mnt/file")
    assert at_once(one, CLIENTS, "md5sum </mnt/file") == dict.fromkeys(CLIENTS, sent)
    assert one.quit() == 0
