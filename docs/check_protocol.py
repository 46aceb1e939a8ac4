#!/usr/bin/env python3
"""Holds docs/protocol.md to the code: every file it names is there, and every test it names is one that
`cargo test --workspace` runs.

A rule is a table row: | rule | where it is kept | tests |. Files are links, relative to docs/. A test is
`crate: path::of::test` (unit tests) or `crate/binary: path::of::test` (files in tests/), each in backquotes.
"""

import json
import pathlib
import re
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
TABLE = ROOT / "docs" / "protocol.md"
SECTIONS = ["Auth key", "Session", "Transports", "Connections", "Updates"]


def existing_tests():
    """`crate[/binary]` -> (tests that run, tests that are ignored)."""
    build = subprocess.run(
        ["cargo", "test", "--locked", "--workspace", "--no-run", "--message-format", "json"],
        cwd=ROOT, stdout=subprocess.PIPE, check=True, text=True,
    )
    tests = {}
    for line in build.stdout.splitlines():
        message = json.loads(line)
        if message.get("reason") != "compiler-artifact" or not message.get("executable"):
            continue
        if not message["profile"]["test"]:
            continue
        crate = pathlib.Path(message["manifest_path"]).parent.name
        target = message["target"]
        name = crate if target["kind"] != ["test"] else f"{crate}/{target['name']}"
        run, ignored = tests.setdefault(name, (set(), set()))
        for flags, found in ((["--list"], run), (["--list", "--ignored"], ignored)):
            listed = subprocess.run(
                [message["executable"], *flags], cwd=ROOT / crate, stdout=subprocess.PIPE, check=True, text=True
            )
            found.update(row.removesuffix(": test") for row in listed.stdout.splitlines() if row.endswith(": test"))
    return {name: (run - ignored, ignored) for name, (run, ignored) in tests.items()}


def rows():
    """(line number, section, rule, files, tests) for each row of a table."""
    section = None
    for number, line in enumerate(TABLE.read_text().splitlines(), 1):
        if line.startswith("## "):
            section = line.removeprefix("## ").strip()
        if not line.startswith("|") or section not in SECTIONS:
            continue
        cells = [cell.strip() for cell in line.strip("|").split("|")]
        if cells[0] == "rule" or set(cells[0]) <= set("-: "):
            continue
        if len(cells) != 3:
            yield number, section, line, [], None
            continue
        yield number, section, cells[0], re.findall(r"\]\(([^)#]+)", cells[1]), re.findall(r"`([^`]+)`", cells[2])


def main():
    tests = existing_tests()
    errors, rules, named = [], dict.fromkeys(SECTIONS, 0), set()
    for number, section, rule, files, names in rows():
        where = f"docs/protocol.md:{number}"
        rules[section] += 1
        if names is None:
            errors.append(f"{where}: expected three cells: {rule}")
            continue
        if not files:
            errors.append(f"{where}: no file is named for: {rule}")
        if not names:
            errors.append(f"{where}: no test is named for: {rule}")
        errors += [f"{where}: no such file: {file}" for file in files if not (TABLE.parent / file).is_file()]
        for name in names:
            binary, _, path = name.partition(": ")
            run, ignored = tests.get(binary, (set(), set()))
            named.add(name)
            if path in ignored:
                errors.append(f"{where}: the test is ignored: {name}")
            elif path not in run:
                errors.append(f"{where}: no such test: {name}")
    errors += [f"docs/protocol.md: no rule in the section {name!r}" for name, count in rules.items() if not count]
    for error in errors:
        print(error, file=sys.stderr)
    count = ", ".join(f"{name} {count}" for name, count in rules.items())
    print(f"{sum(rules.values())} rules ({count}), {len(named)} tests named, {len(errors)} errors")
    return 1 if errors else 0


if __name__ == "__main__":
    sys.exit(main())
