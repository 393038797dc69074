"""Configuration of the running stack, from the engine.

Apart from the models, so that commands which only read files need not import Pulumi's SDK.
"""

from __future__ import annotations

from typing import Any

import pulumi
from pulumi.runtime import config as runtime_config

from components.arguments.errors import SettingsError
from components.arguments.model import NAMESPACE
from components.service import require_present_time
from configuration.settings import Settings, check_region, parse


def load() -> tuple[Settings, str]:
    """Read the running stack's configuration.

    Returns:
        The settings, and the region.

    Raises:
        pulumi.RunError: Something in it is wrong; one sentence for each mistake.
    """
    # Not the project's own name: `pulumi new` gives a copy another one.
    config = pulumi.Config(NAMESPACE)
    file = f"Pulumi.{pulumi.get_stack()}.yaml"
    prefix = f"{NAMESPACE}:"
    # Every key that is set, also one that no model knows: a misspelt key must not pass in silence.
    names = {*runtime_config.CONFIG.get(), *runtime_config.get_config_env()}
    keys = sorted(key.removeprefix(prefix) for key in names if key.startswith(prefix))
    secret_keys = [key for key in keys if runtime_config.is_config_secret(prefix + key)]
    require_present_time()
    try:
        values = {key: _value(config, key) for key in keys}
        region = pulumi.Config("alicloud").get("region")
        hidden = runtime_config.is_config_secret("alicloud:region")
        region = check_region(region, file=file, hidden=hidden)
        settings = parse(values, file=file, secret_keys=secret_keys)
    except SettingsError as error:
        raise pulumi.RunError(str(error)) from None
    for remark in settings.remarks():
        pulumi.warn(f"{file}: {remark}")
    return settings, region


def _value(config: pulumi.Config, key: str) -> Any:
    try:
        return config.get_object(key)
    except pulumi.ConfigTypeError:
        # A plain text. The SDK's message quotes it, and it may be a secret; the models' do not.
        return config.get(key)
