"""What the engine reads in a stack's file: the right values of `operations.stacks.engine_yaml`."""

from __future__ import annotations

import json
import re

import pytest

from operations.stacks import engine_yaml
from tests import processes

TEXT = """\
007; 08; 0o17; 0O17; 0x1F; 0X1f; -0x1F; +5; -7; 1_000; _1; 1__0; 0_7; 0b11; -0b11; 0b12; 1e3;
1E3; 1e+3; 1.10; 1.; .5; .5e3; -.5; +.5; .; ..; -.; +; 1.2.3; 12:30; 12:30:45; 2026-01-01;
2026-1-1; 2026-13-01; 2026-02-30; 2026-01-01T10:00:00Z; 2026-01-01t10:00:00Z;
2026-01-01T10:00:00; 2026-01-01T10:00:00+08:00; 2026-01-01T10:00:00.5Z; 2026-01-01T1:2:3Z; on;
off; yes; no; y; n; Y; N; On; NO; True; TRUE; true; tRue; null; Null; NULL; nUll; ~; ~x; 1e400;
123456789.5; 1234567.5; 0.00001; 0.0001; 1e21; 1e20; 1e6; 123456.5; 0; -0; 00; -0.0; 0x; 0b; 0o;
0xg; 1e; 1e+; e3; 12e03; 1001; 1,000; 0777; 0888; +1_0; 0x_1; 1_; .1_0; 0x1p4; 1-2; 20260101;
12345-01-01; '007'; "on"; =; 360; 4294967296; 2026-01-01 10:00:00; 2026-01-01 10:00:00.123;
2026-01-01 10:00:00 +08:00; 2026-01-01  10:00:00; !!str 007; !!int '7'; !!float 7; !!str on;
"""
SCALARS = re.split(r";\s", TEXT)


@pytest.fixture(scope="module")
def read(tmp_path_factory, toolchain):
    """What the engine finds below `slb-mutual-tls:a` in a file."""
    folder = tmp_path_factory.mktemp("files")
    (folder / "state").mkdir()
    (folder / "Pulumi.yaml").write_text("name: slb-mutual-tls\nruntime: python\n")
    environment = {
        **toolchain.environment(),
        "HOME": str(folder),
        "PULUMI_BACKEND_URL": f"file://{folder}/state",
        "PULUMI_CONFIG_PASSPHRASE": "of a test",
    }

    def run(*command):
        line = [toolchain.pulumi, *command, "--stack", "files"]
        return processes.printed(line, cwd=folder, env=environment)

    processes.printed([toolchain.pulumi, "stack", "init", "files"], cwd=folder, env=environment)

    def read(text):
        file = folder / "read.yaml"
        file.write_text(text)
        return json.loads(run("config", "--json", "--config-file", str(file)))["slb-mutual-tls:a"][
            "objectValue"
        ]

    return read


def differences(theirs, ours):
    """What two readings of numbered places differ in; numbers are alike whatever their type."""
    return {
        SCALARS[int(place)]: (value, ours.get(place))
        for place, value in theirs.items()
        if value != ours.get(place) or isinstance(value, bool) != isinstance(ours[place], bool)
    }


def test_every_value_is_read_as_the_engine_reads_it(read):
    lines = "".join(f"    '{n}': {one}\n" for n, one in enumerate(SCALARS))
    text = f"config:\n  slb-mutual-tls:a:\n{lines}"
    theirs = read(text)
    assert len(theirs) == len(SCALARS)
    ours = engine_yaml.load(text)
    assert differences(theirs, ours["config"]["slb-mutual-tls:a"]) == {}
    # What was written from it is read alike again, by the engine, too.
    assert differences(theirs, read(engine_yaml.dump(ours))) == {}


def test_every_name_is_read_as_the_engine_reads_it(read):
    lines = "".join(f"    '{n}':\n      ? {one}\n      : {{}}\n" for n, one in enumerate(SCALARS))
    text = f"config:\n  slb-mutual-tls:a:\n{lines}"
    ours = engine_yaml.load(text)
    assert differences(read(text), ours["config"]["slb-mutual-tls:a"]) == {}
    changed = {one.written for one in engine_yaml.find_renamed(engine_yaml.compose(text))}
    assert changed >= {"007", "1.10", "0x1F", "1e3", "~", "null", "2026-01-01", "True", ""}
    assert not changed & {"1001", "on", "no", "12:30", "true", "1.2.3", "0"}
