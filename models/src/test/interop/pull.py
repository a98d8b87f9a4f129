"""What `pull` fetches, huggingface_hub finds, and the other way round: with a hub on this machine, in one cache folder."""

import hashlib
import json
import os
import subprocess
import sys
import tempfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

os.environ.update(HF_HUB_DISABLE_XET="1", HF_HUB_DISABLE_TELEMETRY="1", HF_HUB_DISABLE_PROGRESS_BARS="1", HF_HUB_DISABLE_UPDATE_CHECK="1")
for proxy in ("http_proxy", "https_proxy", "all_proxy", "HTTP_PROXY", "HTTPS_PROXY", "ALL_PROXY"):
    os.environ.pop(proxy, None)

import huggingface_hub  # noqa: E402, reads the variables above

JAR = sys.argv[1]
COMMIT = hashlib.sha1(b"commit").hexdigest()
SMALL = {"config.json": b'{"a": 1}\n', "tokenizer.json": b"{}", "LICENSE": b"free\n"}
LARGE = {"model.safetensors": os.urandom(20_000_000)}
fetched = []


def git_hash(content):
    return hashlib.sha1(b"blob %d\0" % len(content) + content).hexdigest()


def sha256(content):
    return hashlib.sha256(content).hexdigest()


class Hub(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"

    def do_HEAD(self):
        self.do_GET()

    def do_GET(self):
        path = self.path.split("?")[0]
        name = path.rsplit("/", 1)[-1]
        if path == "/api/models/org/tiny/revision/main":
            files = [{"rfilename": n, "size": len(c), "blobId": git_hash(c)} for n, c in SMALL.items()]
            files += [{"rfilename": n, "size": len(c), "lfs": {"sha256": sha256(c), "size": len(c), "pointerSize": 1}} for n, c in LARGE.items()]
            self.json({"id": "org/tiny", "sha": COMMIT, "siblings": files})
        elif path == f"/api/models/org/tiny/tree/{COMMIT}":
            files = [{"type": "file", "path": n, "size": len(c), "oid": git_hash(c)} for n, c in SMALL.items()]
            files += [
                {"type": "file", "path": n, "size": len(c), "oid": COMMIT, "lfs": {"oid": sha256(c), "size": len(c), "pointerSize": 1}}
                for n, c in LARGE.items()
            ]
            self.json(files)
        elif name in SMALL:
            self.content(SMALL[name], {"ETag": f'"{git_hash(SMALL[name])}"', "X-Repo-Commit": COMMIT})
        elif path.startswith("/storage/"):
            self.content(LARGE[name], {"ETag": '"storage"'})
        elif name in LARGE:
            content = LARGE[name]
            # under another name, so that it is another host, as the hub's storage is
            location = f"http://localhost:{self.server.server_port}/storage/{name}"
            headers = {"X-Repo-Commit": COMMIT, "X-Linked-Etag": f'"{sha256(content)}"', "X-Linked-Size": len(content), "Location": location}
            self.answer(302, b"", headers)
        else:
            self.answer(404, b"", {"X-Error-Code": "EntryNotFound"})

    def json(self, value):
        self.answer(200, json.dumps(value).encode(), {"Content-Type": "application/json"})

    def content(self, content, headers):
        if self.command == "GET":
            fetched.append(self.path)
        start = int((self.headers.get("Range") or "bytes=0-")[6:].split("-")[0])
        if start:
            headers["Content-Range"] = f"bytes {start}-{len(content) - 1}/{len(content)}"
        self.answer(206 if start else 200, content[start:], headers)

    def answer(self, status, body, headers):
        self.send_response(status)
        for name, value in {**headers, "Content-Length": len(body)}.items():
            self.send_header(name, str(value))
        self.end_headers()
        if self.command == "GET":
            self.wfile.write(body)

    def log_message(self, *_):
        pass


server = ThreadingHTTPServer(("127.0.0.1", 0), Hub)
threading.Thread(target=server.serve_forever, daemon=True).start()
ENDPOINT = f"http://127.0.0.1:{server.server_port}"


def pull(cache, *arguments, **environment):
    run = subprocess.run(
        ["java", "-jar", JAR, "pull", "org/tiny", *arguments],
        env={**os.environ, "HF_ENDPOINT": ENDPOINT, "HF_HUB_CACHE": cache, **environment},
        capture_output=True,
        text=True,
    )
    assert run.returncode == 0, run.stderr
    return run.stdout.strip()


def python_download(cache, **arguments):
    return huggingface_hub.snapshot_download("org/tiny", cache_dir=cache, endpoint=ENDPOINT, token=False, **arguments)


def assert_whole(folder):
    for name, content in {**SMALL, **LARGE}.items():
        assert Path(folder, name).read_bytes() == content, name


def ours_is_theirs(**environment):
    with tempfile.TemporaryDirectory() as cache:
        folder = pull(cache, **environment)
        assert_whole(folder)
        fetched.clear()
        assert python_download(cache, local_files_only=True) == folder
        for name in [*SMALL, *LARGE]:
            assert huggingface_hub.try_to_load_from_cache("org/tiny", name, cache_dir=cache) == str(Path(folder, name))
        assert python_download(cache) == folder and not fetched, fetched
        scan = huggingface_hub.scan_cache_dir(cache)
        assert not scan.warnings, scan.warnings
        assert [repo.repo_id for repo in scan.repos] == ["org/tiny"]


def theirs_is_ours(**environment):
    with tempfile.TemporaryDirectory() as cache:
        folder = python_download(cache)
        fetched.clear()
        assert pull(cache, HF_HUB_OFFLINE="1", **environment) == folder
        assert pull(cache, **environment) == folder and not fetched, fetched


def halves_meet():
    with tempfile.TemporaryDirectory() as cache:
        python_download(cache, allow_patterns=["*.json"])
        fetched.clear()
        folder = pull(cache)
        assert_whole(folder)
        assert not [path for path in fetched if path.endswith(".json")], fetched


def both_at_once():
    with tempfile.TemporaryDirectory() as cache:
        other = threading.Thread(target=python_download, args=(cache,))
        other.start()
        assert_whole(pull(cache))
        other.join()
        assert_whole(python_download(cache, local_files_only=True))


def two_of_ours():
    with tempfile.TemporaryDirectory() as cache:
        fetched.clear()
        other = threading.Thread(target=pull, args=(cache,))
        other.start()
        assert_whole(pull(cache))
        other.join()
        assert len(fetched) == len(SMALL) + len(LARGE), fetched


for check in (ours_is_theirs, theirs_is_ours, halves_meet, both_at_once, two_of_ours):
    check()
    print(check.__name__, "ok")
ours_is_theirs(HF_HUB_DISABLE_SYMLINKS="1")
print("ours_is_theirs without links ok, huggingface_hub", huggingface_hub.__version__)
