from __future__ import annotations

import base64
from pathlib import PurePosixPath

import pytest
import yaml

from components.instance_page import cloud_config
from localcloud.dataplane.model import DataPlaneError
from localcloud.dataplane.user_data import InstanceService, UserData, parse

EXEC = "/usr/bin/python3 -I /opt/a/serve.py --port 80"
ENABLE = ["systemctl", "enable", "--now", "a.service"]


def text(script="/opt/a/serve.py", exec_start=EXEC, runcmd=(ENABLE,), **script_options):
    config = {
        "write_files": [
            {"path": script, "content": "print()", **script_options},
            {
                "path": "/etc/systemd/system/a.service",
                "content": f"[Unit]\nAfter=x\nAfter=y\n[Service]\nExecStart={exec_start}\n",
            },
        ],
        "runcmd": list(runcmd),
    }
    return "#cloud-config\n" + yaml.safe_dump(config)


def test_the_page_of_this_repository_is_recognised():
    found = parse(cloud_config.render(8080))
    assert found.service is not None
    assert found.service.script == PurePosixPath("opt/instance-page/serve.py")
    assert found.service.port == 8080
    assert "def main() -> None:" in found.service.content
    assert found.skipped == ()


def test_script_and_port_come_from_the_enabled_unit():
    assert parse(text()) == UserData(
        InstanceService(PurePosixPath("opt/a/serve.py"), "print()", 80)
    )


def test_base64_content_is_decoded():
    found = parse(text(content=base64.b64encode(b"pass").decode(), encoding="b64"))
    assert found.service is not None
    assert found.service.content == "pass"


@pytest.mark.parametrize("other", ["", "#!/bin/sh\nrm -rf /\n", "#cloud-boothook\n", "a: b\n"])
def test_other_kinds_of_user_data_do_nothing(other):
    assert parse(other) == UserData()


def test_other_commands_are_recorded_and_not_taken_for_the_service():
    found = parse(
        text(runcmd=[["rm", "-rf", "/"], "curl x | sh", ["systemctl", "daemon-reload"], ENABLE])
    )
    assert found.service is not None
    assert found.skipped == (("rm", "-rf", "/"), ("curl", "x", "|", "sh"))


@pytest.mark.parametrize(
    "exec_start",
    [
        "/bin/sh -c 'touch /tmp/x'",
        "/usr/bin/python3 -I /opt/a/other.py --port 80",
        "/usr/bin/python3 -I -c pass --port 80",
        "/usr/bin/python3 -I /opt/a/serve.py --port 0",
        "/usr/bin/python3 -I /opt/a/serve.py --port 65536",
        "/usr/bin/python3 -I /opt/a/serve.py --port x",
        "/usr/bin/python3 -I /opt/a/serve.py --port \u0663",
        "/usr/bin/python3 -I /opt/a/serve.py --port 80 --and more",
        "/usr/bin/python3 -I '/opt/a/serve.py",
        "",
    ],
)
def test_units_of_another_form_are_not_run(exec_start):
    assert parse(text(exec_start=exec_start)) == UserData(None, (tuple(ENABLE),))


@pytest.mark.parametrize(
    "path", ["/opt/../../etc/cron.d/x", "/..", "../x", "relative.py", "/", "/opt/a\x07"]
)
def test_paths_that_leave_the_instance_are_refused(path):
    exec_start = f"/usr/bin/python3 -I {path} --port 80"
    with pytest.raises(DataPlaneError, match="no path within an instance"):
        parse(text(script=path, exec_start=exec_start))


@pytest.mark.parametrize(
    "broken",
    [
        "a: [",
        "- a list",
        "!!python/object/apply:os.system ['true']",
        "write_files: 3",
        "write_files: [{content: x}]",
        "write_files: [{path: /a, encoding: gzip}]",
        "write_files: [{path: /a, encoding: b64, content: A}]",
        "runcmd: {a: b}",
    ],
)
def test_broken_cloud_config_is_an_error(broken):
    with pytest.raises(DataPlaneError):
        parse(f"#cloud-config\n{broken}\n")


def test_an_empty_cloud_config_does_nothing():
    assert parse("#cloud-config\n") == UserData()
