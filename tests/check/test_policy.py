# SPDX-License-Identifier: MIT
"""numa/README.md and docs/numa.md say what the code of numa/ does: parameters of the policy, costs and classes of delays."""
import re

import tree

README = tree.text("numa/README.md")
NUMA = tree.text("docs/numa.md")
POLICY = tree.text("numa/policy.c")
LATENCY = tree.text("numa/latency.c")


def rows(text, head):
    """The rows below a table's head, as lists of cells."""
    lines = iter(text.split("\n"))
    for line in lines:
        if line.startswith(head):
            next(lines)
            break
    else:
        raise AssertionError(f"no table with the head {head}")
    found = []
    for line in lines:
        if not line.startswith("|"):
            break
        found.append([cell.strip() for cell in line.strip("|").split("|")])
    return found


def test_every_parameter_has_its_default():
    stated = {row[0]: int(row[1]) for row in rows(README, "| parameter | default |")}
    block = re.search(r"policy_default = \{(.*?)\};", POLICY, re.S).group(1)
    defaults = {name: int(value) for name, value in re.findall(r"\.(\w+) = (\d+)", block)}
    assert stated == defaults
    assert set(re.findall(r"PARAMETER\((\w+), ", POLICY)) - {"name_"} == set(defaults), "parameters that can be set"


def test_every_policy_is_named():
    stated = {name for row in rows(README, "| policy | a page is given |") for name in row[0].split(", ")}
    kinds = re.search(r"kinds\[POLICY_KINDS\] = \{(.*?)\}", POLICY, re.S).group(1)
    assert stated == set(re.findall(r'"([\w-]+)"', kinds))


def test_every_class_of_programs_has_about_the_misses_measured():
    classes = re.search(r"classes\[\] = \{(.*?)\};", LATENCY, re.S).group(1)
    for name, hundredths in re.findall(r'\{ "(\w+)", (\d+) \}', classes):
        stated = re.search(rf"^\| {name} \| ([\d.]+) \|", NUMA, re.M)
        assert stated and abs(float(stated.group(1)) * 100 / int(hundredths) - 1) < 0.05, name


def test_the_filter_holds_as_many_lines_as_said():
    lines = re.search(r"#define CACHE_LINES (\d+)u", LATENCY).group(1)
    assert f"{lines} / D of the last lines" in NUMA


def test_the_weight_of_a_sample_is_the_default_class():
    weight = int(re.search(r"\.weight = (\d+)", POLICY).group(1))
    clustered = int(re.search(r'"clustered", (\d+)', LATENCY).group(1))
    assert round(clustered / 100) == weight
