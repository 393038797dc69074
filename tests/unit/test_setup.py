"""What is built for other programs: imports of what moves below one package, and no others."""

from __future__ import annotations

import pytest

import setup


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("from pki import keys\n", "from slb_mutual_tls.pki import keys\n"),
        (
            "from components.dynamic.properties import now\n",
            "from slb_mutual_tls.components.dynamic.properties import now\n",
        ),
        (
            "from settings import (\n    A,\n)\n",
            "from slb_mutual_tls.settings import (\n    A,\n)\n",
        ),
        (
            "def f():\n    from pki import keys\n",
            "def f():\n    from slb_mutual_tls.pki import keys\n",
        ),
        ("from pulumi import Output\n", "from pulumi import Output\n"),
        ('"""from pki import keys"""\n', '"""from pki import keys"""\n'),
        ("from . import keys\n", "from . import keys\n"),
        ("import pkilint\n", "import pkilint\n"),
    ],
)
def test_imports_follow_what_they_name(source, expected):
    assert setup.below_root(source) == expected


def test_an_import_that_would_bind_another_name_is_refused():
    with pytest.raises(ValueError, match=r"line 2: write `from … import …`"):
        setup.below_root("import os\nimport pki.keys\n")
