#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Puts the attack corpus into the program, for `runnel selftest`.

embed_corpus.py OUT.c DEPFILE TREE    corpus_rows[] and its kin (src/selftest/corpus.h)

Headers are read by the corpus' own reader, so that both judges have the same rows.
"""
import json
import pathlib
import sys

from embed import c_string, write_changed

sys.dont_write_bytecode = True
TREE = pathlib.Path(sys.argv[3])
sys.path.insert(0, str(TREE / "tests" / "sandbox"))

# pylint: disable=wrong-import-position
import row as corpus

INPUTS = {"none": "CORPUS_NO_INPUT", "open": "CORPUS_OPEN_INPUT"}
PAIRS = {None: "CORPUS_SINGLE", "together": "CORPUS_TOGETHER", "after": "CORPUS_AFTER"}
STREAMS = {"stdout": "CORPUS_OUT", "stderr": "CORPUS_ERR", "reason": "CORPUS_REASON",
           "never": "CORPUS_NEVER"}


def text(value):
    return c_string(value.encode()).strip()


def texts(values):
    """A NULL-ended list, or nothing at all."""
    if not values:
        return None
    return f"(const char *const[]){{{', '.join([text(value) for value in values] + ['NULL'])}}}"


def patterns(row):
    rows = [f"{{{STREAMS[stream]}, {text(pattern.pattern)}}}"
            for stream, found in row.patterns.items() for pattern in found]
    return f"(const struct corpus_pattern[]){{{', '.join(rows + ['{0}'])}}}" if rows else None


def checks(row):
    rows = [f'{{{text(fact)}, "{comparison}", {number}}}'
            for fact, comparison, number in row.checks]
    return f"(const struct corpus_check[]){{{', '.join(rows + ['{0}'])}}}" if rows else None


def exact(row, stream):
    if stream not in row.exact:
        return None
    string, times = row.exact[stream]
    return f"{{{text(string)}, {len(string.encode())}, {times}}}"


def given(row):
    """What goes to the program's stdin."""
    if row.stdin.startswith("random "):
        return {"input": "CORPUS_RANDOM_INPUT", "input_bytes": row.stdin.split()[1]}
    if row.stdin in INPUTS:
        return {"input": INPUTS[row.stdin]}
    return {"input": "CORPUS_TEXT_INPUT", "input_text": text(json.loads(row.stdin))}


def layers(row):
    """As doctor knows them: the box's own user namespace is one of its namespaces."""
    named = [layer.strip().replace("users", "namespaces") for layer in row.keys["layer"].split(",")]
    return list(dict.fromkeys(named))


def fields(row):
    return {
        "number": text(row.number), "name": text(row.name), "language": text(row.language),
        "source": "\n" + c_string(row.path.read_bytes()),
        "layers": texts(layers(row)), "needs": texts(row.needs), "expect": texts(row.verdicts),
        "exit_code": row.exit_code and text(row.exit_code),
        "signal": row.signal and text(row.signal),
        "patterns": patterns(row), "checks": checks(row),
        "out_is": exact(row, "stdout"), "err_is": exact(row, "stderr"),
        "limits": texts([f"{name}={value}" for name, value in row.limits.items()]),
        "args": texts(row.args), "env": texts(row.env),
        "each": texts([word for word in row.each if word is not None]),
        "pair": PAIRS[row.pair], **given(row),
        "raw": row.raw and "true", "terminal": row.terminal and "true",
        "alone": row.alone and "true", "quick": row.quick and "true",
    }


def c_row(row):
    lines = [f"     .{name} = {value}," for name, value in fields(row).items() if value]
    return "    {\n" + "\n".join(lines) + "\n    },\n"


def check_quick(rows):
    """--quick takes one row of each layer that comes first anywhere."""
    chosen = [layers(row)[0] for row in rows if row.quick]
    wanted = {layers(row)[0] for row in rows}
    if sorted(chosen) != sorted(wanted):
        sys.exit(f"'quick: yes' must stand in one row of each of {', '.join(sorted(wanted))}")


def main(out, depfile):
    here = TREE / "tests" / "sandbox"
    rows = corpus.collect(here)
    check_quick(rows)
    header, hello = here / "include" / "saw.h", here / "hello.sh"
    languages = sorted((here / "languages").glob("*.lang"))
    embedded = "".join(f'    {{"{path.name}",\n{c_string(path.read_bytes())},\n'
                       f"     {len(path.read_bytes())}}},\n" for path in languages)
    write_changed(out, '#include "selftest/corpus.h"\n\n'
                  f"const char corpus_saw_header[] =\n{c_string(header.read_bytes())};\n\n"
                  f"const char corpus_hello[] =\n{c_string(hello.read_bytes())};\n\n"
                  "const struct embedded_file corpus_languages[] = {\n"
                  f"{embedded}    {{0}},\n}};\n\n"
                  "const struct corpus_row corpus_rows[] = {\n"
                  f"{''.join(map(c_row, rows))}    {{0}},\n}};\n")
    # The folders, too: a row that is added or taken away changes them.
    read = [here / "row.py", header, hello, *languages, *(row.path for row in rows), here / "rows",
            here / "languages", here / "all", *(path for path in (here / "all").iterdir()),
            *(path / "ROW" for path in (here / "all").iterdir())]
    pathlib.Path(depfile).write_text(f"{out}: {' '.join(map(str, sorted(set(read))))}\n")


main(*sys.argv[1:3])
