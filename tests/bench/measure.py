"""Runs a command, and prints in one last line what it took: seconds, CPU seconds, peak bytes, exit code.

Runs inside each contender's container, under whatever Python that has, so that all are measured alike: from the start
of the process to its end, without the container's own. The peak is the largest process', as the kernel counts it.
"""

import json
import resource
import subprocess
import sys
import time

started = time.monotonic()
done = subprocess.run(sys.argv[1:], stderr=subprocess.STDOUT, check=False)
seconds = time.monotonic() - started
usage = resource.getrusage(resource.RUSAGE_CHILDREN)
measured = {
    "seconds": round(seconds, 3),
    "cpu_seconds": round(usage.ru_utime + usage.ru_stime, 3),
    "peak_bytes": usage.ru_maxrss * 1024,
    "exit_code": done.returncode,
}
print("measured", json.dumps(measured), flush=True)
