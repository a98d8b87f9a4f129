#!/usr/bin/env python3
"""Many clients at once on a server of this machine: load.py JAR SECONDS [CLIENTS].

Each client asks for one streamed text after the other and leaves every tenth in mid-stream. Nothing may fail, and what the server holds afterwards
is what it held after a short run before. Printed are the times between two tokens of a text, and what the server held before and after.
"""

import http.client
import json
import os
import pathlib
import random
import re
import subprocess
import sys
import threading
import time

WARM_UP = 10
PROMPTS = "The old man", "It was a dark night and", "She said that", "In the morning the sea", "There was once a"


class Server:
    """A server with the built-in model, on a free port, as a child."""

    def __init__(self, jar):
        self.process = subprocess.Popen(
            ["java", "-jar", jar, "serve", "--port", "0"], stderr=subprocess.PIPE, text=True
        )
        self.log = []
        for line in self.process.stderr:
            self.log.append(line)
            if line.startswith("listening at "):
                self.address = line.split("//")[1].strip()
                break
        else:
            sys.exit("the server did not start: " + "".join(self.log))
        threading.Thread(target=lambda: self.log.extend(self.process.stderr), daemon=True).start()
        # The launcher may have started a JVM of its own, which is then the one that serves.
        tasks = pathlib.Path("/proc/%d/task" % self.process.pid).glob("*/children")  # each thread's
        children = " ".join(task.read_text() for task in tasks).split()
        self.pid = int(children[0]) if children else self.process.pid

    def metrics(self):
        connection = http.client.HTTPConnection(self.address, timeout=60)
        connection.request("GET", "/metrics")
        text = connection.getresponse().read().decode()
        connection.close()
        return {name: float(value) for name, value in re.findall(r"^obr_(\w+) (\S+)$", text, re.M)}

    def held(self):
        """What the server holds once it has nothing to do and its garbage is collected."""
        while True:
            metrics = self.metrics()
            if metrics["requests_processing"] + metrics["requests_deferred"] == 0:
                break
            time.sleep(0.1)
        time.sleep(45)  # the HTTP server closes connections that say nothing after 30 s, threads wait for more to do
        java = pathlib.Path(os.readlink("/proc/%d/exe" % self.pid))
        subprocess.run([java.parent / "jcmd", str(self.pid), "GC.run"], stdout=subprocess.DEVNULL, check=True)
        metrics = self.metrics()
        status = pathlib.Path("/proc/%d/status" % self.pid).read_text()
        return {
            "heap, MiB": metrics["heap_bytes"] / 2**20,
            "keys and values, MiB": metrics["kv_cache_bytes"] / 2**20,
            "share of their limit": metrics["kv_cache_usage_ratio"],
            "threads": int(re.search(r"Threads:\s+(\d+)", status).group(1)),
            "open files": len(os.listdir("/proc/%d/fd" % self.pid)),
            "resident, MiB": int(re.search(r"VmRSS:\s+(\d+)", status).group(1)) / 1024,
        }


class Load:
    def __init__(self, server, clients, seconds):
        self.server = server
        self.end = time.monotonic() + seconds
        self.gaps, self.firsts, self.errors = [], [], []
        self.texts = self.left = 0
        threads = [threading.Thread(target=self.client, args=(i,)) for i in range(clients)]
        for thread in threads:
            thread.start()
        for thread in threads:
            thread.join()

    def client(self, number):
        chance = random.Random(number)
        asked = number
        while time.monotonic() < self.end and not self.errors:
            asked += 1
            try:
                self.text(chance, leaves=asked % 10 == 0)
            except Exception as failure:
                self.errors.append("%s: %s" % (type(failure).__name__, failure))

    def text(self, chance, leaves):
        body = {"prompt": chance.choice(PROMPTS), "max_tokens": chance.randint(20, 200), "seed": chance.randint(0, 999), "stream": True}
        connection = http.client.HTTPConnection(self.server.address, timeout=300)
        try:
            asked = time.monotonic()
            connection.request("POST", "/v1/completions", json.dumps(body))
            answer = connection.getresponse()
            if answer.status != 200:
                raise AssertionError("%d %s" % (answer.status, answer.read()))
            last = None
            for line in answer:
                if line.startswith(b'data: {"error"'):
                    raise AssertionError(line)
                if line.startswith(b"data: {"):
                    now = time.monotonic()
                    (self.gaps if last else self.firsts).append(now - (last or asked))
                    last = now
                    if leaves and chance.random() < 0.1:
                        self.left += 1
                        return
                elif line.startswith(b"data: [DONE]"):
                    self.texts += 1
                    return
            raise AssertionError("a stream has no end")
        finally:
            connection.close()


def quantile(values, share):
    return sorted(values)[min(len(values) - 1, int(share * len(values)))] if values else float("nan")


def main():
    jar, seconds = sys.argv[1], int(sys.argv[2])
    clients = int(sys.argv[3]) if len(sys.argv) > 3 else 64
    server = Server(jar)
    try:
        Load(server, clients, min(WARM_UP, seconds))
        before = server.held()
        started, cpu = time.monotonic(), time.process_time()
        load = Load(server, clients, seconds)
        took = time.monotonic() - started
        after = server.held()
    finally:
        server.process.terminate()
        server.process.wait()
    problems = load.errors + [line for line in server.log if line.startswith("error:")]
    # Compilers' threads come and go; what is compiled and cached for good grows a little.
    if after["heap, MiB"] > 1.2 * before["heap, MiB"] + 8:
        problems.append("the heap has grown")
    if after["threads"] > before["threads"] + 6:
        problems.append("threads are left")
    if after["open files"] > before["open files"] + 2:
        problems.append("connections are left open")
    if after["share of their limit"] > 1:
        problems.append("keys and values outgrew their limit")
    print("%d clients, %.0f s: %d texts, %d left in mid-stream, %d errors" % (clients, took, load.texts, load.left, len(load.errors)))
    print("%.0f tokens/s (the clients took %.0f%% of a core)" % (len(load.gaps) / took, 100 * (time.process_time() - cpu) / took))
    for name, times in (("between two tokens", load.gaps), ("until the first", load.firsts)):
        shown = ", ".join("%s %.1f" % (label, 1e3 * quantile(times, share)) for label, share in (("p50", 0.5), ("p90", 0.9), ("p99", 0.99), ("most", 1)))
        print("ms %s: %s" % (name, shown))
    print("| held | before | after |\n|---|--:|--:|")
    for name in before:
        print("| %s | %.2f | %.2f |" % (name, before[name], after[name]))
    print("\n".join(problems) if problems else "no error, nothing left behind")
    sys.exit(1 if problems else 0)


main()
