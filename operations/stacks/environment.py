"""Environments of stacks: an account, or a local cloud with a folder of its own.

A local environment has its own state, pass phrase, configuration and cloud process. Everything
lives in one folder that git ignores, so that running the stack changes no tracked file.
"""

from __future__ import annotations

import contextlib
import json
import os
import secrets
import subprocess
import sys
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import yaml

from components.arguments.errors import SettingsError
from components.arguments.model import NAMESPACE
from components.arguments.validation import require_no_secret_in_the_clear
from configuration.settings import Settings, check_region
from localcloud import control
from localcloud.home import Home
from operations import cloud_api
from operations.errors import OperationError
from operations.project import POLICY_PACK, PROJECT, project_name
from operations.stacks import engine_yaml
from operations.stacks.stack import Stack
from toolchain.install import Toolchain, ensure
from toolchain.progress import Reporter

ENDPOINTS = "alicloud:endpoints"
PUBLISHED_PORT = f"{NAMESPACE}:published_port"
SERVER = f"{NAMESPACE}:server"
PROVIDER = "alicloud:"
REGION = "alicloud:region"

LOCAL_HOME = "SLB_MUTUAL_TLS_HOME"
"""Folder of the local cloud and of the local stack's state, if not `.local` in the project."""

ON_LOCAL_CLOUD = "SLB_MUTUAL_TLS_LOCAL_CLOUD"
"""Variable that, if set, tries a stack of an account out on the local cloud instead."""


def read_configuration(name: str) -> dict[str, Any]:
    """Read `Pulumi.NAME.yaml` as the engine does.

    Raises:
        OperationError: There is no such file, or `parse_configuration` refuses it.
    """
    path = PROJECT / f"Pulumi.{name}.yaml"
    try:
        content = path.read_bytes()
    except FileNotFoundError:
        known = ", ".join(sorted(p.name.split(".")[1] for p in PROJECT.glob("Pulumi.*.yaml")))
        raise OperationError(
            f"There is no stack {name!r}: {path.name} is missing; there are {known}."
        ) from None
    return parse_configuration(content, path.name)


def parse_configuration(content: bytes, file: str) -> dict[str, Any]:
    """Read a stack's configuration file as the engine does; `config` has its keys in any case.

    Args:
        content: Content of the file.
        file: Name of the file, for messages.

    Raises:
        OperationError: It is not YAML, not of a configuration's shape, or the engine would read a
            name in it as another one.
    """
    try:
        node = engine_yaml.compose(content.decode())
        values = engine_yaml.read_value(node)
    except UnicodeDecodeError as error:
        raise OperationError(
            f"{file} is not in UTF-8 (byte {error.start + 1}): save it in that encoding."
        ) from None
    except RecursionError:
        raise OperationError(
            f"{file} is not valid YAML: an anchor contains itself, or keys stand too far below "
            "each other."
        ) from None
    except yaml.YAMLError as error:
        raise OperationError(f"{file} is not valid YAML: {error}") from None
    for name in engine_yaml.find_renamed(node):
        raise OperationError(
            f"{file}, line {name.line}: {name.written or 'an empty name'} is no text in YAML, and "
            f"would be read as {name.read}. Write it in quotes: "
            f"{json.dumps(name.written, ensure_ascii=False)}."
        )
    config = values.get("config") if isinstance(values, Mapping) else values
    if not isinstance(config, Mapping | None):
        raise OperationError(f"{file}: there has to be a map of keys below config.")
    # As the engine does with a key without a namespace.
    named = {
        key if ":" in key else f"{project_name()}:{key}": value
        for key, value in (config or {}).items()
    }
    return {**(values or {}), "config": named}


def section(config: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Section of a configuration under a key of this project; empty where there is no map.

    Whether that is right, the program says in a preview.
    """
    value = config.get(f"{NAMESPACE}:{name}")
    return dict(value) if isinstance(value, Mapping) else {}


def local_api_port(values: Mapping[str, Any]) -> int | None:
    """Port of the local cloud if the configuration's endpoints are on loopback, else None."""
    for endpoints in _endpoints(values.get("config", {})):
        address = urlsplit(f"//{endpoints.get('slb', '')}")
        if address.hostname in {"127.0.0.1", "localhost"} and address.port:
            return address.port
    return None


def _endpoints(config: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    endpoints = config.get(ENDPOINTS)
    return (
        [item for item in endpoints if isinstance(item, Mapping)]
        if isinstance(endpoints, list)
        else []
    )


def move_to_local_cloud(values: Mapping[str, Any]) -> dict[str, Any]:
    """Combine a stack's configuration with the provider's settings of the stack `local`.

    Its region stays. Values that only the stack's own secrets provider can decrypt are left out,
    and with a server's key its certificate: the private CA issues one in their place.

    Args:
        values: Content of a stack's configuration file.
    """
    config = _without_secrets(values.get("config", {}))
    server = config.get(SERVER)
    if isinstance(server, dict) and "private_key" not in server:
        server.pop("certificate", None)
    provider = {
        key: value
        for key, value in read_configuration("local")["config"].items()
        if key.startswith(PROVIDER)
    }
    own = {key: value for key, value in config.items() if key.startswith(f"{NAMESPACE}:")}
    return {"config": {**provider, **_only(config, REGION), **own}}


def _without_secrets(value: Any) -> Any:
    if isinstance(value, list):
        return [_without_secrets(item) for item in value if not _is_secret(item)]
    if isinstance(value, Mapping):
        return {key: _without_secrets(item) for key, item in value.items() if not _is_secret(item)}
    return value


def _is_secret(value: Any) -> bool:
    return isinstance(value, Mapping) and value.keys() == {"secure"}


def _only(values: Mapping[str, Any], key: str) -> dict[str, Any]:
    return {key: values[key]} if key in values else {}


def configured_region(config: Mapping[str, Any], stack: str) -> str:
    """The region that a stack's configuration names.

    Raises:
        OperationError: It names none, or one that does not exist.
    """
    try:
        return check_region(config.get(REGION), file=f"Pulumi.{stack}.yaml")
    except SettingsError as error:
        raise OperationError(str(error)) from None


class LocalEnvironment:
    """A folder with a local cloud and the state of a stack in it.

    Args:
        home: The folder; made with access for its owner only.
    """

    def __init__(self, home: Path) -> None:
        self.home = home
        self.cloud = home / "cloud"
        home.mkdir(mode=0o700, parents=True, exist_ok=True)

    def start_cloud(self, port: int) -> None:
        """Start the local cloud unless it runs, on another port if this one is not free.

        Raises:
            OperationError: It cannot start; the message is its own.
        """
        with _report_as_ours():
            present, new = control.start(Home(self.cloud), port, _say, or_another=True)
            for line in control.describe_start(Home(self.cloud), present) if new else []:
                _say(line)

    def stop_cloud(self) -> None:
        """Stop the local cloud and all it runs."""
        with _report_as_ours():
            control.stop(Home(self.cloud))

    def cloud_status(self) -> dict[str, Any]:
        """Ask the local cloud for its status, as `python -m localcloud status --json` prints it."""
        with _report_as_ours():
            status: dict[str, Any] = control.ask(Home(self.cloud), "GET", "/status")
            return status

    def stack(self, name: str, toolchain: Toolchain, values: Mapping[str, Any]) -> Stack:
        """Open the stack on this environment, made if it is new.

        Args:
            name: Name of the stack.
            toolchain: The CLI and its plugins.
            values: Content of its configuration file.
        """
        state = self.home / "state"
        state.mkdir(mode=0o700, exist_ok=True)
        stack = Stack(
            name,
            toolchain,
            config_file=self._config_file(name),
            variables={
                **self._cloud_variables(),
                # Without the sidecar files that the backend writes beside each of its own: it
                # renames those into place, but not these, and an engine that is killed while it
                # writes one leaves a state that cannot be read.
                "PULUMI_BACKEND_URL": f"file://{state}?metadata=skip",
                "PULUMI_CONFIG_PASSPHRASE_FILE": str(self._pass_phrase()),
            },
        )
        self.configure(stack, values)
        return stack

    def configure(self, stack: Stack, values: Mapping[str, Any]) -> bool:
        """Write the stack's configuration file from the tracked one; tell whether it changed.

        Added to it are the salt of this machine's pass phrase, the local cloud's port, and the
        port under which it publishes the listener where it could not take the listener's own.
        """
        config = dict(values.get("config", {}))
        status = self.cloud_status()
        endpoint = status["endpoint"].removeprefix("https://")
        config[ENDPOINTS] = [dict.fromkeys(endpoints, endpoint) for endpoints in _endpoints(config)]
        published = self._published_port(status, section(config, "listener").get("port", 443))
        if published is not None:
            config[PUBLISHED_PORT] = published
        derived = {**values, "config": config, "encryptionsalt": self._salt(stack)}
        text = engine_yaml.dump(derived)
        path = stack.config_file or self._config_file(stack.name)
        if path.exists() and path.read_text(encoding="utf-8") == text:
            return False
        _write_private(path, text)
        return True

    def _config_file(self, name: str) -> Path:
        return self.home / f"Pulumi.{name}.yaml"

    def _published_port(self, status: Mapping[str, Any], port: int) -> int | None:
        for listener in status["listeners"]:
            if listener["port"] == port and listener["socket"]["port"] != port:
                return int(listener["socket"]["port"])
        return None

    def _salt(self, stack: Stack) -> str:
        """The stack's encryption salt; `pulumi stack init` makes it with the stack."""
        scratch = self.home / "init"
        config_file = scratch / f"Pulumi.{stack.name}.yaml"
        if not config_file.exists():
            # Not in the project's folder: there it would write into the tracked file.
            scratch.mkdir(mode=0o700, exist_ok=True)
            project = {"name": project_name(), "runtime": "python"}
            (scratch / "Pulumi.yaml").write_text(yaml.safe_dump(project), encoding="utf-8")
            answer = subprocess.run(
                [stack.toolchain.pulumi, "stack", "select", "--create", stack.name],
                cwd=scratch,
                env=stack.environment,
                capture_output=True,
                text=True,
                check=False,
            )
            if answer.returncode != 0:
                raise OperationError(f"Stack {stack.name} cannot be made: {answer.stderr.strip()}")
        salt: str = yaml.safe_load(config_file.read_text(encoding="utf-8"))["encryptionsalt"]
        return salt

    def _pass_phrase(self) -> Path:
        path = self.home / "passphrase"
        if not path.exists():
            _write_private(path, secrets.token_urlsafe(32))
        return path

    def _cloud_variables(self) -> dict[str, str]:
        with _report_as_ours():
            return control.list_variables(Home(self.cloud))


@contextlib.contextmanager
def _report_as_ours() -> Iterator[None]:
    """Report what the local cloud cannot do as an operation's error.

    Raises:
        OperationError: It cannot; the message is its own.
    """
    try:
        yield
    except control.MISTAKES as error:
        raise OperationError(str(error)) from None


def _say(text: str) -> None:
    """Print a line for a person; standard output belongs to what scripts read."""
    sys.stderr.write(f"{text}\n")
    sys.stderr.flush()


def open_account_stack(name: str, toolchain: Toolchain) -> Stack:
    """Open a stack in an account: the backend, pass phrase and credentials are the user's own.

    Raises:
        OperationError: The job's identity token cannot be exchanged for credentials.
    """
    return Stack(name, toolchain, variables=cloud_api.exchange_oidc_token(os.environ))


def _write_private(path: Path, content: str) -> None:
    """Replace a file at once, readable by its owner only."""
    scratch = path.with_name(f".{path.name}.{os.getpid()}")
    descriptor = os.open(scratch, os.O_WRONLY | os.O_CREAT | os.O_TRUNC | os.O_NOFOLLOW, 0o600)
    with os.fdopen(descriptor, "w", encoding="utf-8") as file:
        file.write(content)
    scratch.replace(path)


@dataclass(frozen=True)
class StackTarget:
    """A stack, and the local cloud that it runs on if it does.

    Attributes:
        stack: The stack, with the rules that every stack obeys.
        values: Content of its configuration file.
        local: None for a stack in an account.
    """

    stack: Stack
    values: dict[str, Any]
    local: LocalEnvironment | None

    def require_no_secret_in_the_clear(self) -> None:
        """Refuse a configuration file in which a secret is not encrypted.

        Raises:
            OperationError: With a sentence for each.
        """
        prefix = f"{NAMESPACE}:"
        values = {
            key.removeprefix(prefix): value
            for key, value in self.values.get("config", {}).items()
            if key.startswith(prefix)
        }
        try:
            require_no_secret_in_the_clear(Settings, values, f"Pulumi.{self.stack.name}.yaml")
        except SettingsError as error:
            raise OperationError(str(error)) from None


def open_stack(name: str) -> StackTarget:
    """Open a stack: a local one where its endpoints are on loopback, else one in an account.

    Raises:
        OperationError: There is no such stack, or it cannot be reached.
        ToolchainError: The Pulumi CLI or a plugin cannot be had.
    """
    values = _adapt_to_asked_cloud(read_configuration(name))
    port = local_api_port(values)
    with Reporter() as reporter:
        toolchain = ensure(reporter)
    local = None
    if port is None:
        stack = open_account_stack(name, toolchain)
    else:
        local = LocalEnvironment(Path(os.environ.get(LOCAL_HOME) or PROJECT / ".local"))
        local.start_cloud(port)
        stack = local.stack(name, toolchain, values)
    return StackTarget(replace(stack, policy_pack=POLICY_PACK), values, local)


def open_on_copy(target: StackTarget, copy: Path) -> StackTarget:
    """Open the stack with another configuration file, which stands alone in its folder.

    On the local cloud, the file is one made from that one, beside it.

    Raises:
        OperationError: The file cannot be read.
    """
    values = parse_configuration(copy.read_bytes(), copy.name)
    if target.local is None:
        return replace(target, stack=replace(target.stack, config_file=copy), values=values)
    values = _adapt_to_asked_cloud(values)
    stack = replace(target.stack, config_file=copy.with_name(f"local-{copy.name}"))
    target.local.configure(stack, values)
    return replace(target, stack=stack, values=values)


def _adapt_to_asked_cloud(values: dict[str, Any]) -> dict[str, Any]:
    return move_to_local_cloud(values) if os.environ.get(ON_LOCAL_CLOUD) else values
