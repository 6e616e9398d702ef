"""Wall time and processor time of one run of pytest, all its processes together.

Run it:  python tests/benchmarks/suite.py [arguments of pytest]
On Linux the run gets a cgroup of its own where one can be made, which also counts what
outlives its parent; elsewhere the system's sum over finished children is printed.
"""

import os
import subprocess
import sys
import time
from contextlib import suppress
from pathlib import Path

CGROUPS = Path("/sys/fs/cgroup")  # version 1 has a folder per controller in it
JOIN = 'echo $$ > "$0/cgroup.procs" && exec "$@"'


def make_cgroup() -> Path | None:
    """Make a cgroup that counts processor time, or return None."""
    parent = CGROUPS / "cpuacct"
    try:
        if not parent.is_dir():  # version 2: below this process's own
            own = Path("/proc/self/cgroup").read_text().strip().split("::")[-1]
            parent = CGROUPS / own.lstrip("/")
        cgroup = parent / f"pytest-{os.getpid()}"
        cgroup.mkdir()
        return cgroup
    except OSError:
        return None


def seconds_in(cgroup: Path) -> float:
    """Read how many seconds of processor time a cgroup has used."""
    if (cgroup / "cpuacct.usage").exists():
        return int((cgroup / "cpuacct.usage").read_text()) / 1e9
    return int((cgroup / "cpu.stat").read_text().split()[1]) / 1e6  # usage_usec


def main() -> None:
    command = [sys.executable, "-m", "pytest", *sys.argv[1:]]
    cgroup, start = make_cgroup(), time.perf_counter()
    if cgroup:
        command = ["sh", "-c", JOIN, str(cgroup), *command]
    status = subprocess.run(command).returncode
    wall = time.perf_counter() - start
    if cgroup:
        used, source = seconds_in(cgroup), "cgroup"
        with suppress(OSError):  # where something still runs in it
            cgroup.rmdir()
    else:
        import resource  # which Windows does not have

        usage = resource.getrusage(resource.RUSAGE_CHILDREN)
        used, source = usage.ru_utime + usage.ru_stime, "RUSAGE_CHILDREN"
    print(f"{wall:.0f} s of wall time, {used:.0f} s of processor time ({source})")
    sys.exit(status)


if __name__ == "__main__":
    main()
