"""What is built of cut sources is what is built of the whole."""

from __future__ import annotations

import shutil

import psutil
import pytest

from tests import processes
from toolchain import go_build
from toolchain.progress import Reporter

TEST_SECONDS = 1200


def test_the_program_that_cuts_passes_its_own_tests():
    if shutil.which("go") is None:
        pytest.skip("not on PATH: go")
    processes.printed(["go", "test", "./..."], cwd=go_build.CUT, timeout=TEST_SECONDS)


@pytest.mark.parametrize(
    ("arguments", "what"),
    [
        (["env", "ls"], "`pulumi env`"),
        (["login", "gs://bucket"], "Google Cloud Storage (gs://)"),
        (["login", "azblob://bucket"], "Azure Blob Storage (azblob://)"),
    ],
)
def test_a_cli_that_was_built_says_what_it_was_built_without(toolchain, tmp_path, arguments, what):
    if "-go-" not in str(toolchain.pulumi):
        pytest.skip("the CLI was not built here")
    environment = {**toolchain.environment(), "PULUMI_HOME": str(tmp_path), "HOME": str(tmp_path)}
    answer = processes.run([toolchain.pulumi, *arguments], env=environment, timeout=120)
    assert answer.returncode != 0
    assert "was built on this machine from its Go modules, without" in answer.stderr
    assert what in answer.stderr


@pytest.mark.long
def test_types_defaults_timeouts_and_functions_are_the_same(tmp_path):
    """The whole schemas of all that the provider serves, byte for byte."""
    go = go_build.require_go()
    dumps = []
    for name, build in (("cut", go_build.build), ("whole", go_build.build_whole)):
        output = tmp_path / name / "bin"
        output.mkdir(parents=True)
        memory = psutil.virtual_memory().available
        with Reporter() as reporter:
            build(go, [go_build.ALICLOUD], output, memory=memory, reporter=reporter)
        provider = output / go_build.ALICLOUD.name
        dumps.append(processes.printed([provider, "-dump-schemas"], timeout=TEST_SECONDS))
    assert dumps[0] == dumps[1]
    assert "resource alicloud_slb_listener\n" in dumps[0]
