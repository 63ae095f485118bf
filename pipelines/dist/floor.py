"""Print the oldest glibc that programs run with, by the symbols that they ask for: floor.py PROGRAM...

Ends with 1 where one needs a library that not every Linux has.
"""

import re
import subprocess
import sys

EVERYWHERE = {"libc.so.6", "libm.so.6", "libgcc_s.so.1", "ld-linux-x86-64.so.2", "libpthread.so.0", "libdl.so.2"}


def told(*words):
    return subprocess.run(words, check=True, stdout=subprocess.PIPE, text=True).stdout


newest = (2, 17)
for program in sys.argv[1:]:
    needed = set(re.findall(r"NEEDED\s+(\S+)", told("objdump", "-p", program)))
    if needed - EVERYWHERE:
        sys.exit(f"{program}: needs {', '.join(sorted(needed - EVERYWHERE))}")
    for found in re.findall(r"GLIBC_([0-9.]+)", told("objdump", "-T", program)):
        newest = max(newest, tuple(int(part) for part in found.split("."))[:2])
print("{}.{}".format(*newest))
