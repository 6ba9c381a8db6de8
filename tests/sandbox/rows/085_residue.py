# SPDX-License-Identifier: MIT
# row: 85 residue
# expect: succeeded
# pair: after
# stdout: ^looked at [0-9]+ places: nothing there$
# stdout: ^left [0-9]+$
# layer: supervisor
import glob
import os
import site
import tempfile

FOLDERS = ["/tmp", os.path.expanduser("~"), "/work", "/dev/shm", "/var/tmp", "/run", "/usr/tmp", "/",
           tempfile.gettempdir(), os.path.expanduser("~/.config"), os.path.expanduser("~/.cache"),
           site.getusersitepackages(), "/work/__pycache__", "/usr/lib/python3/dist-packages",
           "/proc/self/map_files"]
found = [path for folder in FOLDERS for path in glob.glob(folder + "/*residue*")]
found += glob.glob("/tmp/*") + glob.glob("/tmp/.*") + glob.glob("/dev/shm/*")
print(f"looked at {len(FOLDERS)} places:", f"ESCAPED {found}" if found else "nothing there")
left = 0
for folder in FOLDERS:
    for name in ("residue", ".residue", "residue.pth", "residue.py", "sitecustomize_residue.py"):
        try:
            os.makedirs(folder, exist_ok=True)
            with open(f"{folder}/{name}", "w", encoding="ascii") as file:
                file.write("import os; os.write(1, b'ESCAPED: code of the first run')\n")
            left += 1
        except OSError:
            pass
print("left", left)
