"""Prints the decisions per second of didit-sdk, sequentially and with 64 threads.

Sequentially it shares the server's processor; with threads it has its own.
"""

import os
import sys
import time
from concurrent.futures import ThreadPoolExecutor

from didit import Didit

client = Didit(api_key="k", base_url=sys.argv[1] + "/v3")
ids = [f"{number:08x}-0000-4000-8000-000000000000" for number in range(1024)]


def rate(concurrency, count):
    os.sched_setaffinity(0, {0 if concurrency == 1 else 1})
    with ThreadPoolExecutor(concurrency) as pool:
        began = time.perf_counter()
        decisions = list(pool.map(client.sessions.get_decision, (ids * 8)[:count]))
        took = time.perf_counter() - began
    assert len(decisions) == count
    return count / took


rate(64, 200)
print(f"{rate(1, 1000):.0f} {rate(64, 2000):.0f}")
