from __future__ import annotations

import pytest

from operations import outputs as stack_outputs


@pytest.fixture
def found(document):
    return stack_outputs.parse(document())


@pytest.fixture
def out(tmp_path):
    """A directory whose name needs care in a shell, in curl's options and in sed."""
    return tmp_path / "hand over: it's \\ here"
