"""How the tests start Chromium."""

from __future__ import annotations

from pathlib import Path

from selenium import webdriver

from tests import packages


def chromium_options(home: Path, *more: str) -> webdriver.ChromeOptions:
    """Options of a Chromium without a screen, with a profile in a home of its own and no proxy."""
    options = webdriver.ChromeOptions()
    options.binary_location = packages.find("chromium")
    for argument in (
        "--headless=new",
        "--no-sandbox",  # it takes user namespaces, or another user than root
        "--disable-dev-shm-usage",
        "--no-proxy-server",
        f"--user-data-dir={home}/profile",
        *more,
    ):
        options.add_argument(argument)
    options.set_capability("goog:loggingPrefs", {"browser": "ALL"})
    return options
