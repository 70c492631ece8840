# SPDX-License-Identifier: MIT
"""`top`: a line of JSON for scripts, whose figures are those of what guests do, also when weights and caps change meanwhile, and a live picture that a key
ends."""
import json
import re

from machine import PROMPT, vm, write_scenario


def top(one):
    return json.loads(next(line for line in one.command("top json") if line.startswith("{")))


def test_top(machine, tmp_path):
    vms = [vm("busy", "rivals/neighbour.elf", None, 8, "habit=0", node=1), vm("half", "rivals/neighbour.elf", None, 8, "habit=0", node=2, cap=50),
           vm("with", "rivals/neighbour.elf", None, 8, "habit=0", node=1, weight=512), vm("none", "neighbour.elf", None, 8, on_demand=True)]
    one = machine(write_scenario(tmp_path, vms, nodes=4, memory=256), "latency=on", ["-d"])  # time is instructions, whatever the host does
    one.up()
    one.send("\r")
    one.expect_all([rf"vm: {name} started" for name in ("busy", "half", "with")])
    one.send("\r")
    top(one)
    one.elapse(600)
    now = top(one)
    by_name = {guest["name"]: guest for guest in now["vms"]}
    assert [guest["name"] for guest in now["vms"]] == ["busy", "half", "with", "none"]
    assert 500 < now["since_ms"] < now["ms"]
    assert by_name["none"]["state"] == "absent" and by_name["none"]["vcpus"] == 0 == by_name["none"]["run"]
    assert 20 < by_name["half"]["run"] < 55, now
    assert 1.5 < by_name["busy"]["run"] / by_name["with"]["run"] < 2.7, now  # by their weights
    assert 0.6 < by_name["busy"]["wait"] / by_name["with"]["run"] < 1.5, now  # while the other runs
    assert by_name["half"]["nodes"] == [2]
    nodes = {node["node"]: node for node in now["nodes"]}
    assert nodes[1]["vcpus"] == 2 and nodes[1]["busy"] > 70 and nodes[2]["busy"] < 85 and nodes[3]["busy"] < 60, now
    for command in ("weight with 1024", "cap half 20"):
        assert not [line for line in one.command(command) if "found" in line]
    top(one)
    one.elapse(400)
    ran = {guest["name"]: guest["run"] for guest in top(one)["vms"]}
    assert 0.75 < ran["busy"] / ran["with"] < 1.35 and 10 < ran["half"] < 25, ran
    assert "busy: weight: found 0, allowed 64..16384" in one.command("weight busy 0")
    one.send("top 100\r")
    one.expect(r"busy +running +1 +\d+\.\d +\d+\.\d ")
    one.expect(r"of the last \d+ ms; any key ends it")
    one.expect(r"of the last \d+ ms; any key ends it")
    one.send("q")
    one.expect(re.escape(PROMPT))
    assert "top: found 5, allowed json or 100..10000 ms" in one.command("top 5")
    assert one.quit() == 0
