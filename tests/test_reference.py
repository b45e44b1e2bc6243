"""The reference of the interface at /docs works from this service alone, under its policy for scripts, in a real browser."""

import os
import re
import subprocess
from pathlib import Path

import pytest

from browser import CHROMIUM
from conftest import Client, serve, stop


def test_the_page_needs_no_other_host_and_no_script_of_its_own() -> None:
    process, port = serve()
    try:
        client = Client(port)
        page = client.get("/docs")
        policy = page.headers["content-security-policy"]
        assert page.status == 200 and "script-src" not in policy and "unsafe" not in policy
        text = page.body.decode()
        needed = re.findall(r'<(?:script|link)\b[^>]* (?:src|href)="([^"]+)"', text)
        assert len(needed) >= 5
        assert [path for path in needed if not path.startswith("/") or path.startswith("//")] == []
        assert re.findall(r"<script[^>]*>[^<]", text) == []
        assert {path: client.get(path).status for path in needed} == dict.fromkeys(needed, 200)
        assert client.get("/docs/swagger-ui-bundle.js").headers["content-type"].startswith("text/javascript")
    finally:
        stop(process)


@pytest.mark.skipif(CHROMIUM is None and not os.environ.get("CI"), reason="needs Chromium")
def test_a_browser_lists_the_operations(tmp_path: Path) -> None:
    assert CHROMIUM, "Chromium is not installed"
    process, port = serve()
    try:
        options = ["--headless", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path}", "--virtual-time-budget=20000"]
        seen = subprocess.run(
            [CHROMIUM, *options, "--enable-logging=stderr", "--dump-dom", f"http://127.0.0.1:{port}/docs"],
            capture_output=True,
            text=True,
            timeout=120,
            check=True,
        )
    finally:
        stop(process)
    assert 'data-path="/claims"' in seen.stdout and 'data-path="/sparql"' in seen.stdout
    assert [line for line in seen.stderr.splitlines() if ":CONSOLE" in line] == []
