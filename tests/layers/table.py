# SPDX-License-Identifier: MIT
"""TABLE.md: what was seen of each row, written for people and read back by run.py."""

import re

import parts

HEAD = """\
# Layers and rows

Made by `tests/layers/run.py --table`. A row is an attack of `tests/sandbox`; with all the
layers marked in it left out, it succeeds.

● the layer holds alone · ○ it cannot alone, see below · – the row is no matter of this layer
"""
CELLS = {"holds": "●", "falls": "○", None: "–"}
LINKS = {"mutations": "[MUTATIONS.md](MUTATIONS.md)"}
MARKS = {cell: mark for mark, cell in CELLS.items() if mark}


def read(path):
    """{row: {layer: mark}}, with the mark of all left out (None): only what was seen to fall
    without any stands there."""
    found, layers = {}, None
    for line in path.read_text(encoding="utf-8").splitlines() if path.exists() else ():
        cells = [cell.strip() for cell in line.split("|")[1:-1]]
        if cells and layers is None:
            layers = cells[1:]
        elif not cells and layers:
            return found
        elif cells and not cells[0].startswith("-"):
            marks = {layer: MARKS[cell] for layer, cell in zip(layers, cells[1:]) if cell in MARKS}
            found[cells[0]] = {None: "falls", **marks}
    return found


def _of_row(marks):
    return [marks.get(layer) for layer in parts.STEPS]


def write(path, shown, unseen, cannot, absent):
    """shown: {row: {layer: mark}}; unseen: names of rows; cannot: {(row, layer): why};
    absent: [(row, the one that stands for it, why)]"""
    lines = [HEAD, "| row | " + " | ".join(parts.STEPS) + " |", "|---|" + ":-:|" * len(parts.STEPS)]
    lines += [f"| {row} | " + " | ".join(CELLS[mark] for mark in _of_row(marks)) + " |"
              for row, marks in shown.items()]
    lines += ["", "## Why a layer cannot", "", "| row | layer | why |", "|---|---|---|"]
    lines += [f"| {row} | {layer} | {cannot[row, layer]} |" for row, marks in shown.items()
              for layer, mark in zip(parts.STEPS, _of_row(marks)) if mark == "falls"]
    lines += ["", "## Shown by another row", "", "| row | the same attack | why |", "|---|---|---|"]
    lines += dict.fromkeys(f"| {re.sub('/.*', '/…', name)} | {LINKS.get(other, other)} | {why} |"
                           for name, other, why in absent)
    if unseen:
        lines += ["", "Not shown yet: " + ", ".join(unseen) + "."]
    path.write_text("\n".join(lines) + "\n", encoding="utf-8")
