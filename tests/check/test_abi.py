# SPDX-License-Identifier: MIT
"""The monitor calls as the monitor's table, the guest ABI's header and its page give them: numbers, names, arguments."""
import re

import tree


def of_header():
    """name -> (number, arguments), from the defines and their comments "(a, b) -> result"."""
    found = re.findall(r"^#define DISCO_HC_(\w+)\s+(\d+)\s+/\* \(([^)]*)\)", tree.text("kernel/abi/disco.h"), re.M)
    return {name: (int(number), len(arguments.split(",")) if arguments else 0) for name, number, arguments in found}


def of_table():
    """[(name, arguments)], from the rows CALL(NAME, arguments, function)."""
    rows = re.findall(r"^CALL\((\w+), +(\d+), call_(\w+)\)$", tree.text("kernel/vm/calls.def"), re.M)
    assert all(function == name.lower() for name, _, function in rows), rows
    return [(name, int(arguments)) for name, arguments, _ in rows]


def of_page():
    """name -> (number, whether it has arguments), from the table under "Monitor calls"."""
    section = tree.text("docs/guest-abi.md").split("\n## Monitor calls\n")[1].split("\n## ")[0]
    rows = re.findall(r"^\| (\d+) (\w+) \|([^|]*)\|", section, re.M)
    return {name: (int(number), bool(arguments.strip())) for number, name, arguments in rows}


def test_header_and_table_agree():
    header, table = of_header(), of_table()
    assert len(header) >= 18, "the pattern for the header's lines"
    assert sorted(header) == sorted(name for name, _ in table)
    assert [name for name, _ in table] == sorted(header, key=lambda name: header[name]), "the rows lie in the order of numbers"
    assert {name: arguments for name, arguments in table} == {name: arguments for name, (_, arguments) in header.items()}
    count = int(re.search(r"^#define DISCO_HC_COUNT_\s+(\d+)", tree.text("kernel/abi/disco.h"), re.M).group(1))
    assert sorted(number for number, _ in header.values()) == list(range(count))


def test_each_call_reads_the_arguments_that_its_row_says():
    """Only a function's highest argument(v, N) counts; the names between may be handed on together."""
    text = tree.text("kernel/vm/hypercall.c")
    for name, arguments in of_table():
        body = re.search(rf"call_{name.lower()}\(struct vcpu \*v\)( {{.*}}\n|\n{{\n(?:.*\n)*?}}\n)", text).group(1)
        read = [int(i) for i in re.findall(r"argument\(v, (\d)\)", body)]
        assert max(read, default=-1) + 1 == arguments, name


def test_the_page_names_every_call():
    header, page = of_header(), of_page()
    assert {name: number for name, (number, _) in page.items()} == {name: number for name, (number, _) in header.items()}
    assert {name: has for name, (_, has) in page.items()} == {name: bool(n) for name, (_, n) in header.items()}
