#!/usr/bin/env python3
# SPDX-License-Identifier: MIT
"""Prints a database as SQL, its version included: dump.py FILE"""
import sqlite3
import sys

db = sqlite3.connect(sys.argv[1])
for name in ("application_id", "user_version"):
    print(f"PRAGMA {name} = {db.execute(f'PRAGMA {name}').fetchone()[0]};")
for line in db.iterdump():
    print(line)
