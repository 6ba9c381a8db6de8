# SPDX-License-Identifier: MIT
"""A row: one program of the corpus, and what must come of it.

What is expected stands in the first comment of the program, as `key: value`
lines; README.md lists the keys. A program below all/ inherits the keys of the
ROW file beside it, and its own replace them one by one.
"""

import json
import pathlib
import re
import shlex

LANGUAGE_OF = {
    ".asm": "assembly", ".c": "c", ".cpp": "cpp", ".cs": "csharp", ".dart": "dart", ".go": "go",
    ".java": "java", ".js": "javascript", ".m": "octave", ".php": "php", ".py": "python",
    ".rb": "ruby", ".rs": "rust", ".scala": "scala", ".sh": "bash", ".staged": "staged",
}

# Keys that may stand more than once; the others take the last one.
LISTS = {"stdout", "stderr", "reason", "never", "check", "env"}
KEYS = LISTS | {
    "row", "expect", "exit", "signal", "stdout-is", "stderr-is", "limits", "args", "stdin",
    "needs", "layer", "alone", "raw", "terminal", "pair", "each", "slow", "quick",
}

# Limits of time, and what they are when a row does not say (None: there is none).
TIME_LIMITS = {"timeout": "10s", "cpu-time": "10s", "idle-timeout": None}

_COMMENT_MARK = re.compile(r"^\s*(?:/\*+|\*/|\*|//|#|;|%)\s?")
_KEY_LINE = re.compile(r"^([a-z-]+):\s*(.*?)\s*(?:\*/)?$")

# What means something in Python's patterns alone: `runnel selftest` reads them as POSIX does.
_ONLY_PYTHON = re.compile(r"\\[A-Za-z0-9]|\(\?|(?<!\\)[*+?}][*+?]")
_WHOLE_TEXT = re.compile(r'(".*")(?: \* (\d+))?')


class BadRow(Exception):
    """A header that cannot be read: a mistake in the corpus."""


def read_header(text, where):
    """The keys of the comment at the top: {key: value, or list of values}."""
    keys = {}
    for line in text.removeprefix("<?php\n").splitlines():
        plain, marks = _COMMENT_MARK.subn("", line, count=1)
        if not marks:
            break
        plain = plain.rstrip()
        found = _KEY_LINE.match(plain)
        if found and found[1] in KEYS:
            key, value = found.groups()
            if key in LISTS:
                keys.setdefault(key, []).append(value)
            else:
                keys[key] = value
        elif keys and plain and found:
            raise BadRow(f"{where}: unknown key '{found[1]}'")
        elif keys:
            break
    return keys


class Row:
    """One program with its expectations, all values parsed."""

    def __init__(self, path, keys, name, language):
        self.path = path
        self.name = name
        self.language = language
        self.keys = keys
        try:
            self._parse()
        except (KeyError, ValueError) as error:
            raise BadRow(f"{path}: {type(error).__name__}: {error}") from error

    def _parse(self):
        keys = self.keys
        self.number = keys["row"].split()[0]
        self.verdicts = keys["expect"].split()
        self.exit_code = keys.get("exit")
        self.signal = keys.get("signal")
        self.limits = dict(item.split("=", 1) for item in keys.get("limits", "").split())
        self.args = json.loads(keys.get("args", "[]"))
        self.env = keys.get("env", [])
        self.stdin = keys.get("stdin", "none")
        self.needs = keys.get("needs", "").split()
        self.alone = keys.get("alone") == "yes"
        self.slow = keys.get("slow") == "yes"
        self.terminal = keys.get("terminal") == "yes"
        self.raw = keys.get("raw") == "yes"
        self.pair = keys.get("pair")
        self.each = shlex.split(keys["each"]) if "each" in keys else [None]
        self.quick = keys.get("quick") == "yes"
        self.exact = {stream: _whole_text(keys[f"{stream}-is"]) for stream in ("stdout", "stderr")
                      if f"{stream}-is" in keys}
        self.patterns = {
            stream: [_pattern(text) for text in keys.get(stream, [])]
            for stream in ("stdout", "stderr", "reason", "never")
        }
        self.checks = [comparison for text in keys.get("check", [])
                       for comparison in _parse_checks(text)]
        if self.pair not in (None, "together", "after"):
            raise ValueError(f"pair: {self.pair}")

    def timeout_s(self):
        """How long the run itself may take by its own limits."""
        return _seconds(self.limits.get("timeout", TIME_LIMITS["timeout"]))

    def stretch(self, factor):
        """For a machine that is so many times slower: longer limits, wider bounds."""
        for name, usual in TIME_LIMITS.items():
            text = self.limits.get(name, usual)
            if text:
                self.limits[name] = f"{int(_seconds(text) * factor * 1000)}ms"
        self.checks = [
            (path, comparison, number * factor if path.endswith("ms") and "<" in comparison
             else number) for path, comparison, number in self.checks]
        if self.pair and factor != 1:  # saw.h: how long one waits for the other
            self.env = [*self.env, f"SLOW={int(factor)}"]


def _seconds(text):
    return float(text.rstrip("ms")) * (0.001 if text.endswith("ms") else 1)


def _pattern(text):
    if _ONLY_PYTHON.search(text):
        raise ValueError(f"no extended regular expression of POSIX: {text}")
    return re.compile(text, re.MULTILINE)


def _whole_text(text):
    """'"ab" * 3' → ("ab", 3)"""
    string, times = _WHOLE_TEXT.fullmatch(text).groups()
    return json.loads(string), int(times or 1)


def _parse_checks(text):
    """'usage.cpu_ms >= 900, host.ms < 5000' → [(path, operator, number)]"""
    comparisons = []
    for part in text.split(","):
        path, operator, number = part.split()
        if operator not in ("<", "<=", "==", ">=", ">"):
            raise ValueError(f"check: {part}")
        comparisons.append((path, operator, int(number)))
    return comparisons


def _read_program(path, inherited, name):
    keys = dict(inherited)
    keys.update(read_header(path.read_text(encoding="utf-8"), path))
    if not keys:
        raise BadRow(f"{path}: no header")
    return Row(path, keys, name, LANGUAGE_OF[path.suffix])


def _collect_folder(folder):
    inherited = read_header((folder / "ROW").read_text(encoding="utf-8"), folder / "ROW")
    return [_read_program(path, inherited, f"{folder.name}/{path.stem}")
            for path in sorted(folder.iterdir()) if path.suffix in LANGUAGE_OF]


def collect(here):
    """Every row of the corpus, in the order of their numbers."""
    rows = [_read_program(path, {}, path.stem)
            for path in sorted((here / "rows").iterdir()) if path.suffix in LANGUAGE_OF]
    for folder in sorted((here / "all").iterdir()):
        rows += _collect_folder(folder)
    return sorted(rows, key=lambda row: (int(re.match(r"\d+", row.number)[0]), row.name))


def source_of(row, here, replacements):
    """The text to submit: "saw.h" inlined, @NAME@ replaced."""
    text = row.path.read_text(encoding="utf-8")
    header = (pathlib.Path(here) / "include" / "saw.h").read_text(encoding="utf-8")
    text = text.replace('#include "saw.h"\n', header)
    for name, value in replacements.items():
        text = text.replace(f"@{name}@", value)
    return text
