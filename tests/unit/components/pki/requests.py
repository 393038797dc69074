"""What a CA is asked for, and the register that results."""

from __future__ import annotations

from datetime import timedelta

from components.pki import keys
from components.pki.register import Register, Request, carry_out
from components.pki.windows import Window
from tests.unit.components.pki.material import NOW, YEAR, issuer

MONTH = timedelta(days=30)
LATER = NOW + MONTH


def request(name="browser", since=NOW, **values):
    given = {
        "subject": {"common_name": name},
        "key": keys.Rsa(2048),
        "window": Window.opening(since, YEAR),
        **values,
    }
    return Request(**given)


def carried_out(requests, register=None, by=None, now=NOW, **options):
    return carry_out(register or Register(), requests, by or issuer(), now, **options)


def the_key(bundle):
    return keys.load(bundle.private_key, bundle.pass_phrase).private_numbers()


BROWSER = {"browser": request()}
