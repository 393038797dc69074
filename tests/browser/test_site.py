"""The site of the documentation in Debian's Chromium, at the widths of a phone and a desktop."""

from __future__ import annotations

import functools
import http.server
import importlib.util
import os
import sys
import threading
import time
from pathlib import Path
from urllib.parse import urlsplit

import pytest
from selenium import webdriver

from operations.project import PROJECT
from tests import packages, processes
from tests.browser.chromium import chromium_options

pytestmark = [
    pytest.mark.commands("chromium", "chromedriver"),
    pytest.mark.skipif(
        importlib.util.find_spec("mkdocs") is None,
        reason="requirements-docs.txt is not installed: `make test` installs it",
    ),
]

WIDTHS = {"phone": (390, 844), "desktop": (1366, 900)}
PAGES = {
    "start": "",
    "configuration": "configuration/",
    "architecture": "architecture/",
    "zh-start": "zh/",
    "zh-certificates": "zh/certificates/",
    "zh-partner": "zh/partner/",
    "sent-along": "partner.en.html",
    "zh-sent-along": "partner.zh.html",
}
PATIENCE = 60
"""Seconds for a page or an answer of its search; they take one on a quiet machine."""

CUT_OFF = """
const wide = document.documentElement.clientWidth;
const scrolls = element => {
  for (let parent = element; parent; parent = parent.parentElement) {
    if (["auto", "scroll"].includes(getComputedStyle(parent).overflowX)) return true;
  }
  return false;
};
return [...document.querySelectorAll("article *, header *, footer *")]
  .filter(element => element.checkVisibility() && !element.closest(".md-search"))
  .filter(element => element.getBoundingClientRect().right > wide + 1 && !scrolls(element))
  .map(element => element.outerHTML.slice(0, 120));
"""
"""What ends to the right of the window and cannot be scrolled to."""


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    """Its address on loopback; `--strict` fails where a link or an anchor leads nowhere."""
    folder = tmp_path_factory.mktemp("site")
    processes.printed([sys.executable, "-m", "documentation.site", folder], cwd=PROJECT)

    class Quiet(http.server.SimpleHTTPRequestHandler):
        def log_message(self, *arguments):
            pass

    handler = functools.partial(Quiet, directory=folder)
    with http.server.ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        thread = threading.Thread(target=server.serve_forever)
        thread.start()
        try:
            yield f"http://127.0.0.1:{server.server_port}/"
        finally:
            server.shutdown()
            thread.join()


@pytest.fixture(scope="module")
def browser(tmp_path_factory):
    """Chromium that reaches this machine and nothing else."""
    home = tmp_path_factory.mktemp("home")
    options = chromium_options(home, "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1")
    service = webdriver.ChromeService(
        packages.find("chromedriver"), env={**os.environ, "HOME": str(home)}
    )
    started = webdriver.Chrome(options, service)
    try:
        started.set_page_load_timeout(PATIENCE)
        yield started
    finally:
        started.quit()


def sized(browser, width, height):
    """Make the window's inside so large: a window has a least width of its own."""
    metrics = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", metrics)


@pytest.mark.parametrize("page", PAGES)
@pytest.mark.parametrize("width", WIDTHS)
def test_a_page_is_whole_and_asks_nobody_else(site, browser, request, tmp_path, page, width):
    sized(browser, *WIDTHS[width])
    browser.get(site + PAGES[page])
    assert browser.find_element("tag name", "h1").is_displayed()
    language = browser.find_element("tag name", "html").get_attribute("lang")
    assert language == ("zh" if page.startswith("zh") else "en")
    # The page itself does not move sideways; a wide table does, within itself.
    inner = "return [document.documentElement.scrollWidth, document.documentElement.clientWidth]"
    scrolled, wide = browser.execute_script(inner)
    assert scrolled == wide <= WIDTHS[width][0]
    assert browser.execute_script(CUT_OFF) == []
    images = "return [...document.images].filter(i => !i.naturalWidth).map(i => i.src)"
    assert browser.execute_script(images) == []
    loaded = "return performance.getEntriesByType('resource').map(entry => entry.name)"
    asked = {urlsplit(name).netloc for name in browser.execute_script(loaded)}
    assert asked == (set() if "sent-along" in page else {urlsplit(site).netloc})
    assert browser.get_log("browser") == []
    folder = request.config.getoption("--screenshots") or tmp_path
    browser.save_screenshot(str(Path(folder) / f"site-{page}-{width}.png"))


@pytest.mark.parametrize(
    ("place", "words", "page"),
    [("", "renew_before", "/configuration/"), ("zh/", "吊销列表", "/zh/certificates/")],
)
def test_search_finds_words_in_both_languages(site, browser, place, words, page):
    sized(browser, *WIDTHS["desktop"])
    browser.get(site + place)
    field = browser.find_element("css selector", "input.md-search__input")
    browser.execute_script("arguments[0].focus()", field)
    field.send_keys(words)
    shown = "return [...document.querySelectorAll('a.md-search-result__link')].map(a => a.pathname)"
    until = time.monotonic() + PATIENCE
    while page not in (found := browser.execute_script(shown)) and time.monotonic() < until:
        time.sleep(0.2)
    assert page in found[:3]
