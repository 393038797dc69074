"""A local cloud that cannot bring back all of its state, and one of whom something is killed."""

from __future__ import annotations

import json
import os
import signal
import sqlite3

import psutil
import pytest

from localcloud import __main__ as cli
from tests.integration.localcloud.dataplane.site import wait_until
from tests.unit.localcloud.process import LocalCloud
from tests.unit.localcloud.site import bring_into_service


def test_a_start_with_state_that_it_cannot_apply_answers_all_controls(
    local_cloud: LocalCloud, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    local_cloud.start()
    site = bring_into_service(local_cloud)
    other = bring_into_service(local_cloud)
    local_cloud.run("stop")
    with sqlite3.connect(local_cloud.home.state) as file:
        # A key that HAProxy does not take, and a row of no sense.
        [(key, body), _] = file.execute(
            "SELECT id, body FROM documents WHERE kind = 'server_certificate' ORDER BY rowid"
        )
        broken = {**json.loads(body), "private_key": "none"}
        file.execute("UPDATE documents SET body = ? WHERE id = ?", (json.dumps(broken), key))
        file.execute("INSERT INTO documents VALUES ('vpc', 'vpc-broken', 'diary')")
    file.close()
    started = local_cloud.run("start", "--port", "0")
    assert started.returncode == 0, started.stderr
    status = local_cloud.status
    assert [one["load_balancer_id"] for one in status["listeners"]] == [other.balancer]
    assert len(status["problems"]) == 2
    row, refused = sorted(status["problems"], reverse=True)
    assert row.startswith("What is remembered of vpc vpc-broken cannot be read")
    assert refused.startswith(f"Listener {site.balancer}:https:8443 could not be served: HAProxy")
    assert all(f"problem: {one}" in started.stderr for one in status["problems"])
    for words in (["status"], ["dump"], ["reset"]):
        monkeypatch.setattr("sys.argv", ["l", *words, "--home", str(local_cloud.folder)])
        with pytest.raises(SystemExit) as left:
            cli.app()
        assert left.value.code == 0
        out = capsys.readouterr().out
        if words == ["status"]:
            assert all(f"problem    {one}" in out for one in status["problems"])
    assert local_cloud.status["problems"] == []
    bring_into_service(local_cloud)


def test_what_is_killed_comes_back_and_status_and_log_say_so(local_cloud: LocalCloud) -> None:
    present = local_cloud.start()
    site = bring_into_service(local_cloud)
    children = {one.pid: one.cmdline() for one in present.process.children() if one.cmdline()}
    [haproxy] = [pid for pid, words in children.items() if "-W" in words]
    [instance] = [pid for pid, words in children.items() if "-W" not in words]
    for pid, kind in ((haproxy, "HAProxy"), (instance, f"Instance {site.instance}")):
        os.kill(pid, signal.SIGKILL)
        wait_until(
            lambda kind=kind: f"{kind} is started again" in local_cloud.home.log.read_text(), 30
        )
        assert (
            f"{kind} (process {pid}) ended (killed by SIGKILL)" in local_cloud.home.log.read_text()
        )
    assert local_cloud.status["problems"] == []
    [listener] = local_cloud.status["listeners"]
    assert listener["status"] == "running"
    wait_until(lambda: set(local_cloud.status["listeners"][0]["health"].values()) == {"normal"}, 30)
    everything = [present.process, *present.process.children(recursive=True)]
    local_cloud.run("stop")
    _, alive = psutil.wait_procs(everything, timeout=15)
    assert alive == []
