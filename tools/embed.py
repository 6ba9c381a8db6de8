#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Puts files into the program.

embed.py binary OUT.S SYMBOL FILE    SYMBOL_start and SYMBOL_end around the file's bytes
embed.py texts  OUT.c SYMBOL FILE…   struct embedded_file SYMBOL[] (base/embedded.h)
embed.py page   OUT.c DEPFILE FOLDER MISSING.html
    page_files[] (dialect/page.h) of the bundled page in FOLDER, else of MISSING.html
"""
import gzip
import hashlib
import os
import sys


def binary(out, symbol, path):
    with open(out, "w") as to:
        to.write(f"""    .section .rodata
    .balign 16
    .global {symbol}_start
    .hidden {symbol}_start
{symbol}_start:
    .incbin "{os.path.abspath(path)}"
    .global {symbol}_end
    .hidden {symbol}_end
{symbol}_end:
    .byte 0
    .section .note.GNU-stack, "", %progbits
""")


def c_string(data):
    lines = []
    for line in data.splitlines(keepends=True):
        text = "".join(chr(b) if 32 <= b < 127 and b not in b'"\\?' else f"\\{b:03o}" for b in line)
        lines.append(f'        "{text}"')
    return "\n".join(lines) or '        ""'


def texts(out, symbol, *paths):
    with open(out, "w") as to:
        to.write('#include "base/embedded.h"\n\n')
        to.write(f"extern const struct embedded_file {symbol}[];\n")
        to.write(f"const struct embedded_file {symbol}[] = {{\n")
        for path in sorted(paths):
            with open(path, "rb") as file:
                data = file.read()
            to.write(f'    {{"{os.path.basename(path)}",\n{c_string(data)},\n     {len(data)}}},\n')
        to.write("    {0},\n};\n")


def page_row(path, file, with_plain):
    with open(file, "rb") as source:
        data = source.read()
    packed = gzip.compress(data, 9, mtime=0)
    etag = f'W/\\"{hashlib.sha256(data).hexdigest()[:16]}\\"'
    ending = file.rsplit(".", 1)[1]
    plain = f"\n     {{\n{c_string(data)},\n      {len(data)}}}," if with_plain else ""
    return (f'    {{"{path}", "{ending}", "{etag}",\n     {{\n{c_string(packed)},\n'
            f"      {len(packed)}}},{plain}}},\n")


def write_changed(path, text):
    """Leaves a file alone that says so already: what is made of it stays as it is too."""
    if os.path.exists(path):
        with open(path) as old:
            if old.read() == text:
                return
    with open(path, "w") as to:
        to.write(text)


def page(out, depfile, folder, missing):
    """While there is no bundled page the depfile names a file that is not there, so that the
    next build looks again."""
    index = os.path.join(folder, "index.html")
    built = os.path.exists(index)
    rows = page_row("/", index if built else missing, True)
    if built:
        assets = os.path.join(folder, "assets")
        for name in sorted(os.listdir(assets)):
            rows += page_row(f"/assets/{name}", os.path.join(assets, name), False)
    write_changed(out, '#include "dialect/page.h"\n\n'
                  f"const struct page_file page_files[] = {{\n{rows}    {{0}},\n}};\n")
    with open(depfile, "w") as to:
        to.write(f"{out}: {index}\n")


if __name__ == "__main__":
    {"binary": binary, "texts": texts, "page": page}[sys.argv[1]](*sys.argv[2:])
