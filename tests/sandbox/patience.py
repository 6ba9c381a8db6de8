# SPDX-License-Identifier: MIT
"""Compilers that have more time, for a machine that is so many times slower: no request may ask for
that. A file of a language that only the corpus has gives it."""

import pathlib
import re

COMPILERS = {"assembly", "c"} # of the languages that slow machines run
COMPILING_S = 15  # stretched; below a row's time with the slack of invoke.py
PREFIX = "patient-"
LANGUAGES = pathlib.Path(__file__).resolve().parents[2] / "languages"


def _compilers(slow):
    return COMPILERS if slow > 1 else set()


def add_languages(folder, slow):
    for language in _compilers(slow):
        text = (LANGUAGES / f"{language}.lang").read_text(encoding="utf-8")
        text = re.sub(r"^aliases .*\n", "", text, flags=re.M)
        text = re.sub(r"^(name +=).*", rf"\1 {PREFIX}{language}", text, flags=re.M)
        text += f"\n[compile-limits]\ntimeout = {COMPILING_S * slow}s\n"
        (pathlib.Path(folder) / f"{PREFIX}{language}.lang").write_text(text, encoding="utf-8")


def language_of(language, slow):
    return PREFIX + language if language in _compilers(slow) else language
