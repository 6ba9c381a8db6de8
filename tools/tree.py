# SPDX-License-Identifier: MIT
"""What the checks of this folder share: the files of the tree, and the report."""
import pathlib
import subprocess
import sys

ROOT = pathlib.Path(__file__).resolve().parent.parent
sys.path.insert(0, str(ROOT / "tests"))

# pylint: disable=wrong-import-position,unused-import
from report import Report

# Programs that are run, not built, and inputs of parsers: they look as strangers
# write them.
CORPORA = ("languages/samples/", "tests/sandbox/all/", "tests/sandbox/rows/", "tests/fuzz/corpus/")


def files():
    """Paths of all files that are, or are about to be, in the repository."""
    listed = subprocess.run(
        ["git", "-c", f"safe.directory={ROOT}", "ls-files", "-z", "--cached", "--others",
         "--exclude-standard"], cwd=ROOT, check=True, stdout=subprocess.PIPE, text=True).stdout
    return sorted(path for path in listed.split("\0") if (ROOT / path).is_file())


def own_files(*endings):
    """Those that are not in a corpus, with one of these endings."""
    return [path for path in files() if path.endswith(endings) and not path.startswith(CORPORA)]


def text_of(path):
    return (ROOT / path).read_text(encoding="utf-8", errors="replace")
