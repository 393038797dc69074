"""Debian's Chromium at the service, with the bundle installed as `make client` says.

Chromium's choice of a certificate is a window that nobody can click here. Its profile is told
instead, as an administrator may (AutoSelectCertificateForUrls), to take for the service any
certificate that fits. That setting brings no certificate along: with it and without the bundle,
the page does not load.
"""

from __future__ import annotations

import base64
import contextlib
import os
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from selenium import webdriver

from components.pki.register import IssuedCertificate
from operations.certificates import client_bundle
from operations.project import POLICY_PACK
from operations.report.contents import Verification, gather_contents, read_rules
from operations.report.page import render_page
from tests import packages, processes
from tests.browser.chromium import chromium_options
from tests.conformance import specimens

pytestmark = [
    pytest.mark.engine,
    pytest.mark.commands("certutil", "pk12util", "chromium", "chromedriver"),
]

WAIT = 60
"""Seconds for a page; it takes one on a quiet machine."""


def run(home, script):
    processes.printed(
        ["bash", "-euo", "pipefail", "-c", script], env={**os.environ, "HOME": str(home)}
    )


def installed_as_told(home, service, bundle):
    """Follow the instructions for Linux, to the letter."""
    text = client_bundle.write_instructions("browser", service.found.url, bundle)
    (section,) = (part for part in text.split("\n\n") if part.startswith("Linux "))
    lines = [line.strip() for line in section.splitlines() if line.startswith("    ")]
    assert len(lines) == 4
    run(home, "\n".join(lines))


def trusting_alone(home, service):
    """An NSS data base that trusts the CA and has no certificate of a client."""
    database = '-d "sql:$HOME/.pki/nssdb"'
    run(
        home,
        f"""mkdir -p ~/.pki/nssdb
        certutil {database} -N --empty-password
        certutil {database} -A -t C,, -n ca -i {service.bundle}/ca.crt""",
    )


@pytest.fixture
def start(tmp_path, service):
    """Starts Chromium with a home of its own."""
    with contextlib.ExitStack() as stack:

        def started(home):
            options = chromium_options(home, "--window-size=760,420", "--hide-scrollbars")
            site = f"https://{service.found.host}:{service.found.port},*"
            any_that_fits = {"setting": {"filters": [{}]}}
            exceptions = "profile.content_settings.exceptions.auto_select_certificate"
            options.add_experimental_option("prefs", {exceptions: {site: any_that_fits}})
            driver = webdriver.ChromeService(
                packages.find("chromedriver"), env={**os.environ, "HOME": str(home)}
            )
            browser = webdriver.Chrome(options, driver)
            stack.callback(browser.quit)
            browser.set_page_load_timeout(WAIT)
            return browser

        yield started


@pytest.fixture
def home(tmp_path):
    made = tmp_path / "home"
    made.mkdir()
    return made


@pytest.fixture
def picture(request, tmp_path):
    """Keeps a picture of the page, in the folder that `--screenshots` names."""
    folder = request.config.getoption("--screenshots") or tmp_path

    def taken(browser, name) -> bytes:
        path = Path(folder) / f"{name}.png"
        assert browser.save_screenshot(str(path))
        return path.read_bytes()

    return taken


def heading(browser) -> str:
    return browser.find_element("tag name", "h1").text


def test_without_a_certificate_the_page_does_not_load(service, start, home, picture):
    trusting_alone(home, service)
    browser = start(home)
    browser.get(service.found.url)
    assert browser.title == "400 No required SSL certificate was sent"
    assert heading(browser) == "400 Bad Request"
    assert "This answer comes from" not in browser.page_source
    assert len(picture(browser, "browser-without-certificate")) > 1000


def test_a_certificate_of_another_ca_is_not_even_offered(service, start, home, tmp_path):
    trusting_alone(home, service)
    stranger = specimens.bundle("modern")
    (tmp_path / "stranger.p12").write_bytes(base64.b64decode(stranger.pkcs12))
    (tmp_path / "phrase").write_text(specimens.PHRASE)
    run(
        home,
        f'pk12util -d "sql:$HOME/.pki/nssdb" -i {tmp_path}/stranger.p12 -w {tmp_path}/phrase',
    )
    browser = start(home)
    browser.get(service.found.url)
    assert browser.title == "400 No required SSL certificate was sent"


def test_without_trust_in_the_ca_the_browser_warns(service, start, home):
    browser = start(home)
    browser.get(service.found.url)
    assert "ERR_CERT_AUTHORITY_INVALID" in browser.page_source


def test_with_the_bundle_refreshes_alternate_between_the_instances(service, start, home, picture):
    installed_as_told(home, service, service.bundle)
    browser = start(home)
    browser.get(service.found.url)
    pictures = {heading(browser): picture(browser, "browser-with-certificate")}
    seen = [heading(browser)]
    for _ in range(5):
        browser.refresh()
        seen.append(heading(browser))
        if seen[-1] not in pictures:
            pictures[seen[-1]] = picture(browser, "browser-after-a-refresh")
    first, second = seen[:2]
    assert first != second
    assert seen == [first, second] * 3
    assert all(name.startswith("i-") for name in pictures)
    assert pictures[first] != pictures[second]


def test_with_a_key_on_an_elliptic_curve_the_page_loads(service, start, home):
    installed_as_told(home, service, service.elliptic)
    browser = start(home)
    browser.get(service.found.url)
    assert heading(browser).startswith("i-")


CUT_OFF = """
const width = document.documentElement.clientWidth;
const hidden = [...document.querySelectorAll("thead")].filter(one => one.offsetWidth <= 1);
return [...document.body.querySelectorAll("*")]
  .filter(one => !hidden.some(thead => thead.contains(one)))
  .map(one => [one.tagName, one.textContent.slice(0, 40), one.getBoundingClientRect()])
  .filter(([, , box]) => box.width && (box.left < -1 || box.right > width + 1))
  .map(([tag, text, box]) => `${tag} ${text}: ${box.left} to ${box.right} of ${width}`);
"""
"""What of a page is not within its width."""


@pytest.fixture
def look(start, home, tmp_path):
    """Opens a page in windows of each width and with each scheme of colours."""
    browser = start(home)

    def looked(text, width, scheme="light", height=800):
        path = tmp_path / "page.html"
        path.write_text(text, encoding="utf-8")
        size = {"width": width, "height": height, "deviceScaleFactor": 1, "mobile": width < 500}
        browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
        media = {"features": [{"name": "prefers-color-scheme", "value": scheme}]}
        browser.execute_cdp_cmd("Emulation.setEmulatedMedia", media)
        browser.get(path.as_uri())
        assert browser.get_log("browser") == []
        assert browser.execute_script(CUT_OFF) == []
        across = "const page = document.documentElement; return page.scrollWidth - page.clientWidth"
        assert browser.execute_script(across) == 0
        return browser

    return looked


def report_of(service, issued=(), language="en"):
    now = datetime.now(UTC)
    found = service.found.model_copy(update={"issued": (*service.found.issued, *issued)})
    verification = Verification(service.report, now)
    return render_page(
        gather_contents("local", found, read_rules(POLICY_PACK), verification, now), language
    )


NAMES = ("<b>" + "x" * 200, "\u202e\u0639\u0645\u064a\u0644", "\u540d" * 90, "a b " * 40)


def others(count, names=NAMES):
    """Certificates of more clients."""
    now = datetime.now(UTC)
    for number in range(count):
        end = now + timedelta(days=number % 300 - 5)
        yield IssuedCertificate(
            name=names[number] if number < len(names) else f"client-{number}",
            serial_number=f"{number + 2**158:x}",
            fingerprint_sha256=f"{number + 2**255:x}",
            subject="CN=client",
            not_before=end - timedelta(days=365),
            not_after=end,
            status=("valid", "superseded", "revoked")[number % 3],
        )


def test_the_report_is_whole_on_a_telephone_and_on_a_desk_in_both_languages(service, look, picture):
    desk = look(report_of(service), 1000, height=800)
    assert heading(desk) == "Mutual TLS of stack local"
    assert len(desk.find_elements("css selector", ".lanes svg rect.bar")) >= 4
    taken = picture(desk, "report")
    assert 10_000 < len(taken) < 200_000
    for width, language, scheme in (
        (360, "en", "light"),
        (360, "zh", "dark"),
        (820, "zh", "light"),
    ):
        look(report_of(service, language=language), width, scheme)


def test_the_report_of_many_clients_with_odd_names_is_whole_too(service, look):
    for count in (12, 300):
        text = report_of(service, others(count))
        for width in (360, 1000):
            look(text, width)


def test_the_report_is_printed_on_pages(service, look):
    browser = look(report_of(service, others(40)), 1000)
    printed = browser.execute_cdp_cmd("Page.printToPDF", {"printBackground": False})["data"]
    assert base64.b64decode(printed).startswith(b"%PDF-")
    browser.execute_cdp_cmd("Emulation.setEmulatedMedia", {"media": "print"})
    # A4's width without its margins, in CSS pixels.
    size = {"width": 703, "height": 1000, "deviceScaleFactor": 1, "mobile": False}
    browser.execute_cdp_cmd("Emulation.setDeviceMetricsOverride", size)
    assert browser.execute_script(CUT_OFF) == []
    head = browser.execute_script(
        "return getComputedStyle(document.querySelector('thead')).display"
    )
    assert head == "table-header-group"
