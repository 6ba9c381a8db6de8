# SPDX-License-Identifier: MIT
"""Is every attack of the list shown somewhere? A number needs a program in tests/sandbox, or
a line in one of the two tables of its README. And is each that a check of ours stops, and no
layer of the box, shown to need that check (tests/layers/mutations.txt)? And does docs/SECURITY.md
name the rows of each layer? And has each language its program of what is tried in all, and does its
self-test try all that it has? check_tree.py says what this finds."""
import re
import sys

from tree import ROOT

SANDBOX, LAYERS, LANGUAGES = ROOT / "tests/sandbox", ROOT / "tests/layers", ROOT / "tests/languages"
sys.path[:0] = [str(SANDBOX), str(LAYERS), str(LANGUAGES)]

# pylint: disable=wrong-import-position
import mutate
import parts
import refusals
import row as corpus

ROWS = {str(number) for number in range(1, 121)} | {"72b", "77b"}
LINE = re.compile(r"^\| (\d+b?) (\w+) \| (.*) \|$", re.MULTILINE)
# Of docs/SECURITY.md: a layer, and numbers with ranges among them.
LAYER_LINE = re.compile(r"^\| `(\w+)` \| (\d[\d, –]*) \|", re.MULTILINE)
# What it calls one layer.
CALLED = {"users": "namespaces"}
TOLD, ABSENT = "## Rows that are no program alone", "## Rows of what there is not"


def read_page():
    """({row: its tests} of what is told there, the same of what there is not)"""
    page = (SANDBOX / "README.md").read_text(encoding="utf-8")
    told, _, absent = page.partition(TOLD)[2].partition(ABSENT)
    return tuple({number: rest for number, _, rest in LINE.findall(text)} for text in (told, absent))


def complaints():
    shown, missing = read_page()
    programs = {row.number for row in corpus.collect(SANDBOX)}
    found = [f"row {number} is not shown by anything"
             for number in sorted(ROWS - programs - set(shown) - set(missing))]
    found += [f"row {number} is not in the list of attacks"
              for number in sorted((programs | set(shown) | set(missing)) - ROWS)]
    found += [f"row {number} names no test" for number, rest in shown.items() if "](" not in rest]
    found += [f"row {number} is shown, and said to have nothing to attack"
              for number in sorted(set(missing) & (programs | set(shown)))]
    return found


def spoilt_complaints():
    mutations = mutate.read_mutations(LAYERS / "mutations.txt")
    rows = corpus.collect(SANDBOX)
    ours = {row.number for row in rows if "supervisor" in row.keys.get("layer", "")}
    ours |= set(read_page()[0]) - {row.number for row in rows}
    found = [f"row {number} is stopped by a check of ours, and none is spoilt"
             for number in sorted(ours - {mutation.row for mutation in mutations})]
    for mutation in mutations:
        count = (ROOT / mutation.path).read_text(encoding="utf-8").count(mutation.old)
        if count != 1:
            found.append(f"'{mutation.row} {mutation.name}': {mutation.path} has its lines {count} times")
        test = mutation.test.partition(" ")[0]
        if "." in test and not (ROOT / test).is_file():
            found.append(f"'{mutation.row} {mutation.name}': there is no {test}")
    return found


def language_complaints():
    """A language that nobody has installed is skipped by its name; one without a program is not
    even that."""
    languages = {path.stem for path in (ROOT / "languages").glob("*.lang")}
    programs = [row for row in corpus.collect(SANDBOX) if "/" in row.name]
    found = []
    for folder in sorted(path.name for path in (SANDBOX / "all").iterdir()):
        there = {row.language for row in programs if row.path.parent.name == folder}
        found += [f"tests/sandbox/all/{folder} has no program in {language}"
                  for language in sorted(languages - there)]
    for test in (row for row in programs if row.path.parent == refusals.SELF_TESTS):
        says = refusals.self_test_says(test.language)
        if [pattern.pattern for pattern in test.patterns["stdout"]] != [f"^{says}$"]:
            found.append(f"the self-test in {test.language} should say '{says}' (absent.txt)")
    return found + [f"absent.txt: '{language} {what}' is no language, or nothing that is tried"
                    for language, what in sorted(refusals.read_list("absent.txt"))
                    if language not in languages or what not in refusals.TRIED]


def numbers(text):
    """"1–3, 7" as a set"""
    found = set()
    for part in text.replace(" ", "").split(","):
        first, _, last = part.partition("–")
        found |= set(range(int(first), int(last or first) + 1))
    return found


def layer_complaints():
    """What programs try at each layer stands in their headers, and for people in SECURITY.md."""
    page = (ROOT / "docs/SECURITY.md").read_text(encoding="utf-8")
    told = {layer: numbers(text) for layer, text in LAYER_LINE.findall(page)}
    tried = {layer: set() for layer in told}
    for row in corpus.collect(SANDBOX):
        for word in re.findall(r"\w+", row.keys.get("layer", "")):
            if CALLED.get(word, word) in tried:
                tried[CALLED.get(word, word)].add(int(row.number))
    found = [f"SECURITY.md names no programs of the layer '{layer}'"
             for layer in set(parts.STEPS) - set(told) - set(CALLED)]
    for layer in told:
        found += [f"SECURITY.md lacks {number} at '{layer}'" for number in sorted(tried[layer] - told[layer])]
        found += [f"SECURITY.md has {number} at '{layer}', which no program says"
                  for number in sorted(told[layer] - tried[layer])]
    return found
