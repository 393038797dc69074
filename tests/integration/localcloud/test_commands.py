"""`python -m localcloud` for people and scripts, and what it lets others see."""

from __future__ import annotations

import json
import stat
from collections.abc import Callable
from pathlib import Path

import psutil
import pytest

from localcloud import __main__ as cli
from localcloud import control, coverage
from localcloud.account import ACCOUNT_ID
from localcloud.home import Home, environment, write_private
from tests import processes
from tests.unit.localcloud.certificates import private_key, rsa_key
from tests.unit.localcloud.process import PROJECT, LocalCloud
from tests.unit.localcloud.site import USER_DATA, ApiSite, bring_into_service

Run = Callable[..., tuple[int, str, str]]


@pytest.fixture(scope="module")
def site(shared_cloud: LocalCloud) -> ApiSite:
    return bring_into_service(shared_cloud)


@pytest.fixture
def run(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> Run:
    """Runs a command in this process: exit status, standard output, standard error."""

    def command(*arguments: str, home: Path | None = None) -> tuple[int, str, str]:
        chosen = ["--home", str(home)] if home else []
        monkeypatch.setattr("sys.argv", ["localcloud", *arguments, *chosen])
        try:
            code = cli.main()
        except SystemExit as leave:
            code = int(leave.code or 0)
        return code, *capsys.readouterr()

    return command


@pytest.mark.parametrize("command", ["status", "dump", "reset"])
def test_what_does_not_run_says_how_to_start_it(run: Run, tmp_path: Path, command: str) -> None:
    code, out, err = run(command, home=tmp_path / "cloud")
    assert (code, out) == (1, "")
    assert "No local cloud runs for" in err
    assert "python -m localcloud start" in err


def test_without_a_cloud_stop_is_no_error_and_logs_are(run: Run, tmp_path: Path) -> None:
    code, _, err = run("stop", home=tmp_path / "cloud")
    assert (code, err) == (0, "No local cloud was running.\n")
    code, _, err = run("logs", home=tmp_path / "cloud")
    assert code == 1
    assert "There is no log yet" in err


@pytest.mark.parametrize(
    "arguments", [("start", "--port", "70000"), ("start", "--port", "x"), ("nonsense",)]
)
def test_wrong_usage_is_an_error_of_usage(run: Run, arguments: tuple[str, ...]) -> None:
    code, out, err = run(*arguments)
    assert (code, out) == (2, "")
    assert "Usage" in err


def test_what_is_no_json_is_no_fault(run: Run, tmp_path: Path) -> None:
    code, _, err = run("fault", "{", home=tmp_path / "cloud")
    assert code == 1
    assert err.startswith("This is no JSON")


def test_a_home_that_is_a_file_is_said_in_one_line(run: Run, tmp_path: Path) -> None:
    (tmp_path / "cloud").touch()
    code, _, err = run("status", home=tmp_path / "cloud")
    assert code == 1
    assert len(err.splitlines()) == 1


def test_status_for_scripts(run: Run, shared_cloud: LocalCloud, site: ApiSite) -> None:
    code, out, err = run("status", "--json", home=shared_cloud.folder)
    assert (code, err) == (0, "")
    status = json.loads(out)
    assert set(status) == {
        "endpoint",
        "pid",
        "memory_mib",
        "listeners",
        "instances",
        "problems",
    }
    assert status["problems"] == []
    assert status["endpoint"].startswith("https://127.0.0.1:")
    assert "localcloud" in psutil.Process(status["pid"]).cmdline()
    assert status["memory_mib"] > 1
    [listener] = status["listeners"]
    assert (listener["load_balancer_id"], listener["protocol"]) == (site.balancer, "https")
    assert listener["port"] == 8443
    assert listener["status"] == "running"
    assert set(listener["socket"]) == {"host", "port"}
    assert set(listener["health"]) == {f"{site.instance}:8080"}
    [instance] = status["instances"]
    assert (instance["id"], instance["runs"]) == (site.instance, True)
    assert instance["host"].startswith("127.")


def test_status_for_people(run: Run, shared_cloud: LocalCloud, site: ApiSite) -> None:
    _, out, _ = run("status", home=shared_cloud.folder)
    assert f"listener   {site.balancer}:https:8443 at 127." in out
    assert f"instance   {site.instance} at 127." in out


def test_a_running_cloud_is_not_started_again(run: Run, shared_cloud: LocalCloud) -> None:
    before = shared_cloud.status["pid"]
    code, out, err = run("start", home=shared_cloud.folder)
    assert code == 0
    assert "already answers" in out + err
    assert shared_cloud.status["pid"] == before


def test_another_home_s_cloud_is_not_taken_for_this_one_s(
    shared_cloud: LocalCloud, tmp_path: Path
) -> None:
    other = Home(tmp_path / "other")
    write_private(other.running, shared_cloud.home.running.read_text())
    assert control.find_running(other) is None
    assert control.stop(other) is False
    assert control.find_running(shared_cloud.home) is not None


def test_faults_come_from_the_command_line(run: Run, shared_cloud: LocalCloud) -> None:
    code, out, err = run("fault", '{"action": "CreateVpc"}', home=shared_cloud.folder)
    assert (code, out, err) == (0, "", "")
    assert [one["action"] for one in shared_cloud.ask("GET", "/faults")] == ["CreateVpc"]
    shared_cloud.ask("DELETE", "/faults")
    code, _, err = run("fault", '{"action": "CreateVpc", "times": 0}', home=shared_cloud.folder)
    assert code == 1
    assert "times" in err


def test_the_environment_says_where_and_who(run: Run, shared_cloud: LocalCloud) -> None:
    _, out, _ = run("env", home=shared_cloud.folder)
    endpoint = shared_cloud.status["endpoint"].removeprefix("https://")
    values = environment(shared_cloud.home, int(endpoint.rpartition(":")[2]))
    # Without it, the provider asks the real STS.
    assert values["ALICLOUD_ACCOUNT_ID"] == ACCOUNT_ID
    shown = processes.printed(["sh", "-c", f"{out}\nenv"], timeout=20).splitlines()
    assert {f"{name}={value}" for name, value in values.items()} <= set(shown)
    assert values["ALIBABA_CLOUD_ENDPOINT_SLB"] == endpoint
    credentials = shared_cloud.home.credentials()
    assert values["ALICLOUD_ACCESS_KEY"] == credentials.access_key_id
    assert values["ALICLOUD_SECRET_KEY"] == credentials.access_key_secret
    assert Path(values["SSL_CERT_FILE"]).exists()


def test_neither_log_nor_dump_nor_command_line_holds_a_secret(
    run: Run, shared_cloud: LocalCloud, site: ApiSite
) -> None:
    _, log, _ = run("logs", home=shared_cloud.folder)
    _, dump, _ = run("dump", home=shared_cloud.folder)
    assert "UploadServerCertificate 200" in log
    assert [one["id"] for one in json.loads(dump)["instance"]] == [site.instance]
    process = psutil.Process(shared_cloud.status["pid"])
    commands = [one.cmdline() for one in (process, *process.children(recursive=True))]
    assert len(commands) > 1
    secrets = [
        shared_cloud.home.credentials().access_key_secret,
        "PRIVATE KEY",
        *private_key(rsa_key()).splitlines()[1:-1],
    ]
    for text in (log, dump, repr(commands)):
        assert not any(secret in text for secret in secrets)
    assert json.dumps(USER_DATA)[1:-1] not in dump


def test_only_its_owner_can_read_a_home(shared_cloud: LocalCloud, site: ApiSite) -> None:
    assert stat.S_IMODE(shared_cloud.folder.stat().st_mode) == 0o700
    found = {
        path.name: stat.S_IMODE(path.lstat().st_mode)
        for path in shared_cloud.folder.rglob("*")
        if not path.is_dir() and not path.is_symlink()
    }
    assert {"credentials.json", "api.key", "cloud.sqlite", "admin.sock", "cloud.log"} <= set(found)
    assert {name: oct(mode) for name, mode in found.items() if mode != 0o600} == {}


def test_credentials_and_networks_are_made_once(tmp_path: Path) -> None:
    first, second = Home(tmp_path / "cloud"), Home(tmp_path / "cloud")
    assert first.credentials() == second.credentials()
    assert first.networks() == second.networks()
    assert first.tls() == second.tls()
    assert Home(tmp_path / "other").credentials() != first.credentials()


def test_a_written_file_replaces_a_link_and_does_not_follow_it(tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_text("kept")
    (tmp_path / "secret").symlink_to(tmp_path / "elsewhere")
    write_private(tmp_path / "secret", "new")
    assert (tmp_path / "secret").read_text() == "new"
    assert not (tmp_path / "secret").is_symlink()
    assert (tmp_path / "elsewhere").read_text() == "kept"


def test_the_page_of_the_coverage_is_up_to_date() -> None:
    kept = (PROJECT / "docs" / "localcloud-coverage.md").read_text(encoding="utf-8")
    assert kept == coverage.write_page(), (
        "python -m localcloud coverage > docs/localcloud-coverage.md brings it up to date"
    )
