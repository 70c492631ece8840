# SPDX-License-Identifier: MIT
"""Each folder's README.md has a table "| file | what it is |" that names every file, and no file that is not there."""
import fnmatch
import pathlib
import re

import tree

# Named by no file map: what every folder has, and what tools want in a fixed place.
UNNAMED = {"README.md", "series", "module.mk", ".gitignore", "__init__.py", "conftest.py"}
HEAD = re.compile(r"^\|\s*`?(file|files|folder|test|patch|module)`?\s*\|", re.I)


def file_map(readme):
    """First cells of the rows of every table whose head starts with "file" (or folder, test, patch): names and patterns."""
    names, inside = [], False
    for line in tree.text(readme).split("\n"):
        if not line.startswith("|"):
            inside = False
        elif HEAD.match(line):
            inside = True
        elif inside and not set(line) <= set("|-: "):
            cell = line.split("|")[1]
            names += [word for word in re.split(r"[\s,`]+", cell) if word]
    return names


def readme_of(name):
    """The README.md that answers for a file: in its folder, or the nearest above that is not the root's."""
    for folder in pathlib.PurePath(name).parents:
        candidate = str(folder / "README.md")
        if (tree.ROOT / candidate).exists():
            return candidate
        if len(folder.parts) <= 1:
            break
    return None


def named(relative, names):
    return any(fnmatch.fnmatchcase(relative.removesuffix(".patch"), word.removesuffix(".patch")) or (word.endswith("/") and relative.startswith(word)) for word in names)


def test_every_file_is_named():
    problems = []
    for name in tree.tracked():
        path = pathlib.PurePath(name)
        if path.name in UNNAMED or len(path.parts) == 1 or path.parts[0].startswith("."):
            continue
        readme = readme_of(name)
        if readme is None:
            problems.append(f"{name}: no README.md in {path.parent}/ (or above it) to name it")
        elif not named(str(path.relative_to(pathlib.PurePath(readme).parent)), file_map(readme)):
            problems.append(f"{name}: not named in the file map of {readme}")
    assert not problems, "\n" + "\n".join(problems)


def test_every_named_file_exists():
    problems = []
    for readme in tree.with_suffix("README.md"):
        folder = (tree.ROOT / readme).parent
        for word in file_map(readme):
            looks_like_a_file = re.search(r"\.\w+$|/$|\.\[\w+\]$", word)
            if looks_like_a_file and not word.startswith("build/") and not any(folder.glob(word)):
                problems.append(f"{readme}: names {word}, which does not exist")
    assert not problems, "\n" + "\n".join(problems)


def test_every_top_folder_has_a_readme():
    folders = {name.split("/")[0] for name in tree.tracked() if "/" in name and not name.startswith(".")}
    missing = [folder for folder in sorted(folders)
               if not any((tree.ROOT / p).exists() for p in (f"{folder}/README.md", f"{folder}/mips/README.md"))]
    assert not missing, f"no README.md in: {missing}"
