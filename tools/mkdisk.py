#!/usr/bin/python3
# SPDX-License-Identifier: MIT
"""mkdisk.py OUT.img MB LABEL [ARCHIVE.cpio...] - an ext4 image of that size: empty, or with the files of cpio archives, as a kernel
would unpack them one after the other.

Needs no rights: nothing is mounted, owners and device nodes are written into the image (debugfs). Equal arguments make equal bytes,
whatever the clock, the user and the order of files here: one identity by label, one time for everything, names in order. Blocks of 4 KB,
so that whole pages of files are whole blocks of the disk, which guests can share. An image that begins with files has no journal,
since what guests write to it is gone with them; an empty one has, for what they keep.
"""
import hashlib
import os
import re
import shutil
import stat
import subprocess
import sys
import tempfile
import uuid
from pathlib import Path

TIME = "1577836800"  # 2020-01-01
FEATURES = "none,ext_attr,dir_index,filetype,extent,flex_bg,sparse_super,large_file,huge_file,dir_nlink,extra_isize"
KEPT = FEATURES + ",has_journal,metadata_csum"
# No configuration of this machine's, no clock.
ENVIRONMENT = {"PATH": os.environ["PATH"] + ":/usr/sbin:/sbin", "LC_ALL": "C", "MKE2FS_CONFIG": "mke2fs.conf",
               "E2FSPROGS_FAKE_TIME": TIME, "SOURCE_DATE_EPOCH": TIME}


class Entry:
    def __init__(self, mode, uid=0, gid=0, device=(0, 0), data=b""):
        self.mode, self.uid, self.gid, self.device, self.data = mode, uid, gid, device, data


def fail(text):
    sys.exit(f"mkdisk.py: {text}")


def entries_of(archive):
    """Each file of a newc archive, or of several in one file, as (name, Entry)."""
    bytes_, at, linked = archive.read_bytes(), 0, {}
    while at < len(bytes_):
        if bytes_[at] == 0:
            at += 4
            continue
        if bytes_[at:at + 6] != b"070701":
            fail(f"{archive}: found {bytes_[at:at + 6]!r} at byte {at}, allowed: headers of a newc archive")
        ino, mode, uid, gid, links, _, size, *_, major, minor, length, _ = (
            int(bytes_[i:i + 8], 16) for i in range(at + 6, at + 110, 8))
        name = bytes_[at + 110:at + 110 + length - 1].decode(errors="surrogateescape")
        at = -(-(at + 110 + length) // 4) * 4
        data = bytes_[at:at + size]
        at = -(-(at + size) // 4) * 4
        if name == "TRAILER!!!":
            linked.clear()
            continue
        entry = Entry(mode, uid, gid, (major, minor), data)
        if links > 1 and stat.S_ISREG(mode):  # only the last of several names comes with the bytes
            for other in linked.setdefault(ino, []):
                other.data = other.data or data
            linked[ino].append(entry)
        yield "/" + name.strip("./") if name in (".", "./") else "/" + re.sub(r"^(\./|/)+", "", name), entry


def tree_of(archives):
    """{path: Entry}, folders that no archive names among them, what is above first."""
    tree = {}
    for archive in archives:
        tree.update(entries_of(archive))
    for path in list(tree):
        if re.search(r'[\n\0]|(^|/)\.\.(/|$)', path):
            fail(f"found the name {path!r}, allowed: neither line ends nor ..")
        for above in Path(path).parents:
            tree.setdefault(str(above), Entry(stat.S_IFDIR | 0o755))
    tree.pop("/", None)  # mke2fs makes the root
    return dict(sorted(tree.items(), key=lambda item: item[0].split("/")))


def quoted(name):
    return '"' + name.replace('"', '""') + '"'


def commands_for(path, entry, source):
    """What debugfs is told to make one file; source: where its bytes may be put for that."""
    folder, name = os.path.split(path)
    yield f"cd {quoted(folder)}"
    if stat.S_ISDIR(entry.mode):
        yield f"mkdir {quoted(name)}"
    elif stat.S_ISLNK(entry.mode):
        yield f"symlink {quoted(name)} {quoted(entry.data.decode(errors='surrogateescape').rstrip(chr(0)))}"
    elif stat.S_ISREG(entry.mode):
        source.write_bytes(entry.data)
        yield f"write {source.name} {quoted(name)}"
    elif stat.S_ISFIFO(entry.mode):
        yield f"mknod {quoted(name)} p"
    elif stat.S_ISCHR(entry.mode) or stat.S_ISBLK(entry.mode):
        yield f"mknod {quoted(name)} {'c' if stat.S_ISCHR(entry.mode) else 'b'} {entry.device[0]} {entry.device[1]}"
    else:
        fail(f"found {path} of mode {entry.mode:o}, allowed: folders, links, files, devices and pipes")
    if stat.S_ISLNK(entry.mode):  # debugfs would follow; a link is root's, and its mode has no meaning
        return
    for field, value in (("mode", f"0{entry.mode:o}"), ("uid", entry.uid), ("gid", entry.gid)):
        yield f"set_inode_field {quoted(name)} {field} {value}"


def fill(image, tree, work):
    """debugfs goes on behind an error, with status 0: what it says is looked at."""
    lines = [line for number, (path, entry) in enumerate(tree.items()) for line in commands_for(path, entry, work / str(number))]
    (work / "commands").write_text("\n".join(lines) + "\n", errors="surrogateescape")
    done = subprocess.run(["debugfs", "-w", "-f", "commands", image], cwd=work, env=ENVIRONMENT, stdout=subprocess.PIPE,
                          stderr=subprocess.STDOUT, text=True, errors="surrogateescape")
    said = [line for line in done.stdout.splitlines() if not re.match(r"debugfs[: ]|Allocated inode: \d+$|$", line)]
    made = sum(not stat.S_ISDIR(entry.mode) and not stat.S_ISLNK(entry.mode) for entry in tree.values())
    if done.returncode or said or done.stdout.count("Allocated inode") != made:
        fail(f"{image}: not all files could be written; debugfs said:\n" + "\n".join(said[:5]))


def make(out, megabytes, label, archives):
    tree = tree_of(archives)
    name = str(uuid.UUID(hashlib.md5(label.encode()).hexdigest()))
    with tempfile.TemporaryDirectory(prefix=out.name + ".", suffix=".tmp", dir=out.parent) as folder:
        work = Path(folder).resolve()
        image = work / "disk"
        (work / "mke2fs.conf").write_text("[fs_types]\n\tdisk = {\n\t\tblocksize = 4096\n\t}\n")
        image.touch()
        subprocess.run(["mke2fs", "-q", "-F", "-T", "disk", "-b", "4096", "-I", "256", "-m", "0", "-O", FEATURES if archives else KEPT, "-L", label,
                        "-U", name, "-E", f"hash_seed={name},root_owner=0:0,nodiscard,lazy_itable_init=0,lazy_journal_init=0",
                        image, f"{megabytes}M"], check=True, env=ENVIRONMENT, cwd=work)
        fill(image, tree, work)
        check = subprocess.run(["e2fsck", "-fn", image], env=ENVIRONMENT, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True)
        if check.returncode:
            fail(f"{out}: e2fsck found errors:\n{check.stdout}")
        shutil.move(image, out)


def main():
    if len(sys.argv) < 4 or not re.fullmatch(r"[1-9]\d{0,4}", sys.argv[2]) or not 1 <= len(sys.argv[3]) <= 16:
        fail("found " + " ".join(sys.argv[1:]) + "; needed: OUT.img, a number of MB, a label of 1 to 16 characters, then archives")
    make(Path(sys.argv[1]), sys.argv[2], sys.argv[3], [Path(name) for name in sys.argv[4:]])


main()
