"""Building from Go modules: whose settings hold, and what is done and said where it fails."""

from __future__ import annotations

import contextlib
import json
import shlex
import socket
import sys

import pytest

from toolchain import go_build
from toolchain.errors import ToolchainError
from toolchain.progress import Reporter

MEMORY = 8 * 2**30


@pytest.fixture
def put_go(tmp_path, monkeypatch):
    """Puts a script on PATH as `go`; it sees the arguments as a shell does."""
    folder = tmp_path / "bin"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:/usr/bin:/bin")

    def put(script="", flags="", proxy="https://proxy.example.com"):
        go = folder / "go"
        answers = shlex.quote(f"go1.26.8\n{flags}\n{proxy}\n")
        go.write_text(f"#!/bin/sh\nif [ $1 = env ]; then printf %s {answers}; exit; fi\n{script}\n")
        go.chmod(0o755)
        return go_build.require_go()

    return put


def test_the_users_flags_hold_but_for_those_that_pin_what_is_built(put_go, monkeypatch):
    monkeypatch.setenv("GOPROXY", "https://goproxy.cn,direct")
    environment = put_go(flags="-modcacherw -mod=mod").environment()
    # Of two flags of one name, Go takes the later.
    assert environment["GOFLAGS"] == "-modcacherw -mod=mod -mod=readonly -buildvcs=false -tags="
    assert environment["GOPROXY"] == "https://goproxy.cn,direct"
    assert environment["GOWORK"] == "off"


def test_a_proxy_out_of_reach_is_named_with_the_settings_that_choose_another(put_go):
    told = json.dumps({"Error": "Get https://proxy.example.com/x: dial tcp 127.0.0.1:1: refused"})
    go = put_go(f"echo {shlex.quote(told)}; exit 1")
    with pytest.raises(ToolchainError) as failure:
        go_build.module_directory(go, "example.com/module")
    message = str(failure.value)
    assert "GOPROXY is https://proxy.example.com" in message
    assert "go env -w GOPROXY=https://goproxy.cn,direct GOSUMDB=sum.golang.google.cn" in message
    assert "dial tcp 127.0.0.1:1" in message


def test_a_proxy_that_accepts_and_never_answers_is_given_up(put_go, monkeypatch):
    monkeypatch.setattr(go_build, "SILENT_FETCH", 3)
    with socket.create_server(("127.0.0.1", 0)) as black_hole:
        port = black_hole.getsockname()[1]
        asks = f"import socket; socket.create_connection(('127.0.0.1', {port})).recv(1)"
        go = put_go(f'exec {sys.executable} -c "{asks}"')
        with pytest.raises(ToolchainError, match=r"reaches no module proxy.*GOSUMDB"):
            go_build.module_directory(go, "example.com/module")


CUTTER = """
case "$1 $2" in
  "build -v")
    echo "$@" >> {log}
    echo runtime >&2
    [ -z "{broken}" ] || [ "$PWD" = {modules} ] || {{ echo "undefined: {broken}" >&2; exit 1; }}
    while [ "$1" != -o ]; do shift; done
    touch "$2/alicloud-provider"
    ;;
  "list -deps") echo '{{"ImportPath": "runtime"}}';;
  build*)
    while [ $# -gt 0 ] && [ "$1" != -o ]; do shift; done
    [ $# = 0 ] || {{ printf '#!/bin/sh\\n{cut}\\n' > "$2"; chmod 700 "$2"; }}
    ;;
esac
"""


def built(put_go, tmp_path, *, cut="true", broken="", memory=MEMORY):
    """Build the provider with a Go that only pretends; return what each `go build` was told."""
    log = tmp_path / "log"
    script = CUTTER.format(log=log, cut=cut, broken=broken, modules=go_build.MODULES)
    go = put_go(script)
    output = tmp_path / "work" / "bin"
    output.mkdir(parents=True)
    with Reporter() as reporter:
        go_build.build(go, [go_build.ALICLOUD], output, memory=memory, reporter=reporter)
    assert (output / "pulumi-resource-alicloud").is_file()
    assert [path.name for path in output.parent.iterdir()] == ["bin"]
    return log.read_text().splitlines()


def test_what_was_cut_is_built_once(put_go, tmp_path, capfd):
    (arguments,) = built(put_go, tmp_path)
    assert "-X main.version=" in arguments
    assert "whole" not in capfd.readouterr().err


@pytest.mark.parametrize("fault", ["not understood", "does not build"])
def test_the_whole_is_built_where_cutting_fails_and_a_line_says_so(put_go, tmp_path, capfd, fault):
    if fault == "not understood":
        lines = built(put_go, tmp_path, cut="echo cut: a novelty is not understood >&2; exit 1")
        said = "The sources could not be cut: cut: a novelty is not understood"
        assert len(lines) == 1
    else:
        lines = built(put_go, tmp_path, broken="Novelty")
        said = "The sources that were cut do not build:"
        assert len(lines) == 2
    told = capfd.readouterr().err
    assert said in told
    assert "Building the whole sources instead" in told


@pytest.mark.parametrize(("free", "optimised"), [(24, True), (7, True), (5, False)])
def test_little_memory_means_no_optimisation_of_the_whole(put_go, tmp_path, free, optimised):
    lines = built(put_go, tmp_path, broken="Novelty", memory=free * 2**30)
    assert "-N -l" not in lines[0]
    assert ("-N -l" not in lines[1]) is optimised


def test_little_memory_means_few_compilers_at_once(put_go, tmp_path):
    (arguments,) = built(put_go, tmp_path, memory=2**30)
    assert "-p=1 " in arguments


@pytest.mark.parametrize(
    "file",
    [
        "modules/go.mod",
        "modules/go.sum",
        "modules/cut.json",
        "modules/stand-ins/x",
        "modules/oss-gateway/x",
        "modules/alicloud-provider/main.go",
        "cut/reach.go",
    ],
)
def test_a_change_of_anything_that_goes_into_a_build_changes_its_name(tmp_path, monkeypatch, file):
    modules, cut = tmp_path / "modules", tmp_path / "cut"
    for path in (modules / "go.mod", cut / "main.go", tmp_path / file):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text("before")
    monkeypatch.setattr(go_build, "MODULES", modules)
    monkeypatch.setattr(go_build, "CUT", cut)
    before = go_build.ALICLOUD.cache_key
    (cut / "main_test.go").write_text("a test goes into no build")
    assert go_build.ALICLOUD.cache_key == before
    (tmp_path / file).write_text("after")
    assert go_build.ALICLOUD.cache_key != before


@pytest.mark.parametrize("fault", [None, "not understood", "does not build"])
def test_a_command_of_another_module_is_built_from_cut_sources_or_not_at_all(
    put_go, tmp_path, fault
):
    module, output, log = tmp_path / "module", tmp_path / "work" / "bin", tmp_path / "log"
    module.mkdir()
    output.mkdir(parents=True)
    cut = "exit 1" if fault == "not understood" else f'echo "$@" > {tmp_path}/cut'
    broken = "Novelty" if fault == "does not build" else ""
    go = put_go(CUTTER.format(log=log, cut=cut, broken=broken, modules=module))
    command = go_build.Command("tests", "example.com/alicloud-provider", (), ())
    with Reporter() as reporter:
        expected = pytest.raises(ToolchainError) if fault else contextlib.nullcontext()
        with expected:
            go_build.build_cut(go, module, command, output, memory=MEMORY, reporter=reporter)
    assert (output / "tests").is_file() == (fault is None)
    if fault is None:
        assert f"-module {module} -config {module}/cut.json" in (tmp_path / "cut").read_text()
