"""Idempotence by ClientToken: a request that is sent again is not carried out again.

Source: "How to ensure idempotence" of the ECS documentation.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Callable
from typing import Any

from localcloud.api.gateway import Call
from localcloud.errors import ApiError
from localcloud.store import Store


def answer_once(store: Store, call: Call, act: Callable[[], dict[str, Any]]) -> dict[str, Any]:
    """Carry an action out, or repeat the answer to an earlier call with the same ClientToken.

    Args:
        store: Store that keeps the answers.
        call: Call of an action; without a token it is always carried out.
        act: Function that carries the action out.

    Raises:
        ApiError: The token came with other parameters before.
    """
    token = call.parameters.get("ClientToken")
    if not token:
        return act()
    # The parameters may hold a key.
    digest = hashlib.sha256(json.dumps(call.parameters, sort_keys=True).encode()).hexdigest()
    before = store.answer(call.action, token)
    if before is None:
        answer = act()
        store.keep_answer(call.action, token, digest, answer)
        return answer
    if before[0] != digest:
        raise ApiError(
            400,
            "IdempotentParameterMismatch",
            "The specified parameter has changed while the request uses the same ClientToken.",
        )
    return before[1]
