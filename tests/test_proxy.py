"""The nginx configuration of docs/operation.md, run as it stands there but for its ports and the paths of its certificate."""

import grp
import gzip
import http.client
import json
import os
import pwd
import re
import shutil
import socket
import ssl
import subprocess
import time
from collections.abc import Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import quote

import pytest

from conftest import ROOT, Reply, serve, stop

HOST = "suasion.example.org"
ASK = "ASK { ?s ?p ?o }"
QUERY_TYPE = {"Content-Type": "application/sparql-query"}
NGINX = shutil.which("nginx", path=f"{os.environ['PATH']}:/usr/sbin")

pytestmark = pytest.mark.skipif(NGINX is None and "CI" not in os.environ, reason="nginx is not installed")


@dataclass(frozen=True, slots=True)
class Proxied:
    """A service behind nginx: the port of nginx, its certificate, and the log of the service."""

    port: int
    certificate: Path
    log: Path

    def send(self, method: str, path: str, headers: Mapping[str, str] | None = None, body: bytes | None = None) -> Reply:
        """Send a request from 127.0.0.2, so that nginx and its client have different addresses."""
        context = ssl.create_default_context(cafile=str(self.certificate))
        connection = http.client.HTTPSConnection(
            "127.0.0.1", self.port, context=context, timeout=20, source_address=("127.0.0.2", 0)
        )
        try:
            connection.request(method, path, body=body, headers={"Host": HOST, **(headers or {})})
            response = connection.getresponse()
            return Reply(response.status, {k.lower(): v for k, v in response.getheaders()}, response.read())
        finally:
            connection.close()


@pytest.fixture(scope="module")
def proxied(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Proxied]:
    folder = tmp_path_factory.mktemp("nginx")
    certificate, key = folder / "cert.pem", folder / "key.pem"
    subject = ["-subj", f"/CN={HOST}", "-addext", "subjectAltName=IP:127.0.0.1"]
    made = ["openssl", "req", "-x509", "-newkey", "rsa:2048", "-nodes", "-days", "1", *subject]
    subprocess.run([*made, "-keyout", str(key), "-out", str(certificate)], check=True, capture_output=True)
    environment = {"SUASION_HOSTS": HOST, "SUASION_TRUSTED_PROXIES": "1", "SUASION_PUBLIC_URL": f"https://{HOST}"}
    environment |= {"SUASION_LOG_FORMAT": "json", "SUASION_LOG_CLIENT": "address"}
    log = folder / "access.jsonl"
    with log.open("w") as stream:
        process, port = serve(environment=environment, log=stream)
    listen = free_port()
    configuration = folder / "nginx.conf"
    configuration.write_text(configured(folder, {"443": str(listen), "127.0.0.1:8000": f"127.0.0.1:{port}"}), encoding="utf-8")
    assert NGINX
    nginx = subprocess.Popen([NGINX, "-e", "stderr", "-p", str(folder), "-c", str(configuration), "-g", "daemon off;"])
    wait_for(listen, nginx)
    yield Proxied(listen, certificate, log)
    nginx.terminate()
    nginx.wait(timeout=10)
    stop(process)


def configured(folder: Path, places: Mapping[str, str]) -> str:
    """Return a whole configuration of nginx around what the document shows, which is at home in /etc/nginx/conf.d."""
    text = (ROOT / "docs" / "operation.md").read_text(encoding="utf-8")
    (shown,) = re.findall(r"```nginx\n(.*?)```", text, re.DOTALL)
    replaced = {
        "listen 443": f"listen 127.0.0.1:{places['443']}",
        "/etc/ssl/suasion/fullchain.pem": str(folder / "cert.pem"),
        "/etc/ssl/suasion/key.pem": str(folder / "key.pem"),
        "127.0.0.1:8000": places["127.0.0.1:8000"],
    }
    for before, after in replaced.items():
        assert shown.count(before) == 1, before
        shown = shown.replace(before, after)
    kinds = ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    temporary = "".join(f"{kind}_temp_path {folder / kind};\n" for kind in kinds)
    user = f"{pwd.getpwuid(os.getuid()).pw_name} {grp.getgrgid(os.getgid()).gr_name}"
    return f"user {user};\npid {folder}/pid;\nerror_log stderr;\nevents {{}}\nhttp {{\naccess_log off;\n{temporary}{shown}}}\n"


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


def wait_for(port: int, process: subprocess.Popen[bytes]) -> None:
    for _ in range(100):
        assert process.poll() is None, "nginx refuses its configuration"
        with suppress(ConnectionRefusedError), socket.create_connection(("127.0.0.1", port)):
            return
        time.sleep(0.05)
    raise AssertionError("nginx does not listen")


def test_health_is_told_over_tls(proxied: Proxied) -> None:
    reply = proxied.send("GET", "/healthz")
    assert (reply.status, reply.json()["status"]) == (200, "ok")
    assert reply.headers["strict-transport-security"] == "max-age=31536000"


def test_each_way_to_send_a_query_passes(proxied: Proxied) -> None:
    form = {"Content-Type": "application/x-www-form-urlencoded"}
    for reply in (
        proxied.send("GET", f"/sparql?query={quote(ASK)}"),
        proxied.send("POST", "/sparql", form, f"query={quote(ASK)}".encode()),
        proxied.send("POST", "/sparql", QUERY_TYPE, ASK.encode()),
        proxied.send("QUERY", "/sparql", QUERY_TYPE, ASK.encode()),
    ):
        assert (reply.status, reply.json()["boolean"]) == (200, True)


def test_a_url_may_be_as_long_as_the_service_takes(proxied: Proxied) -> None:
    assert proxied.send("GET", f"/sparql?query={quote(ASK)}%23{'x' * 12_000}").status == 200


def test_answers_stay_compressed_and_known(proxied: Proxied) -> None:
    reply = proxied.send("GET", "/claims", {"Accept-Encoding": "gzip"})
    assert reply.headers["content-encoding"] == "gzip"
    assert json.loads(gzip.decompress(reply.body))["rows"]
    assert proxied.send("GET", "/claims", {"If-None-Match": reply.headers["etag"]}).status == 304


def test_a_large_body_is_refused_and_the_limits_agree(proxied: Proxied) -> None:
    assert proxied.send("POST", "/sparql", QUERY_TYPE, b" " * (1024 * 1024 + 1)).status == 413
    assert proxied.send("POST", "/sparql", QUERY_TYPE, b" " * (1024 * 1024)).status == 400


def test_metrics_are_kept_and_other_hosts_refused(proxied: Proxied) -> None:
    assert proxied.send("GET", "/metrics").status == 403
    assert proxied.send("GET", "/healthz", {"Host": "evil.example"}).status == 400


def test_the_client_is_who_nginx_saw_whatever_it_says(proxied: Proxied) -> None:
    headers = {"X-Forwarded-For": "6.6.6.6", "X-Request-Id": "chosen"}
    identifier = proxied.send("GET", "/healthz", headers).headers["x-request-id"]
    assert re.fullmatch("[0-9a-f]{32}", identifier)
    for _ in range(100):
        lines = [json.loads(line) for line in proxied.log.read_text(encoding="utf-8").splitlines()]
        if clients := [line["client"] for line in lines if line["id"] == identifier]:
            break
        time.sleep(0.02)
    assert clients == ["127.0.0.2"]
