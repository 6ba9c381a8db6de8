#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Puts files into the program.

embed.py binary OUT.S SYMBOL FILE    SYMBOL_start and SYMBOL_end around the file's bytes
embed.py texts  OUT.c SYMBOL FILE…   struct embedded_file SYMBOL[] (base/embedded.h)
"""
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


{"binary": binary, "texts": texts}[sys.argv[1]](*sys.argv[2:])
