"""Products of Alibaba Cloud as the local cloud knows them: version and actions."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cached_property
from typing import Any, TypeVar, get_type_hints

from localcloud import metadata
from localcloud.cloud import Cloud
from localcloud.errors import ApiError, not_emulated
from localcloud.known_actions import known_actions
from localcloud.requests import ActionRequest

Answer = dict[str, Any]
Handler = Callable[[Cloud, Any], Answer]
H = TypeVar("H", bound=Handler)


@dataclass(frozen=True)
class Action:
    """An action of a product.

    Attributes:
        product: Product that has the action.
        name: Name of the action in requests.
        model: Model of its requests, as written by hand.
        handler: Function that carries the action out.
    """

    product: str
    name: str
    model: type[ActionRequest]
    handler: Handler

    @cached_property
    def request(self) -> type[ActionRequest]:
        """Model of the action's requests, with what the API's metadata says of them."""
        return metadata.fit_model(self.product, self.name, self.model)

    @property
    def changes(self) -> bool:
        """Tell whether the action may change something."""
        return not self.name.startswith(("Describe", "List", "Get", "Query"))


@dataclass
class Product:
    """A product's API: RPC style, one version."""

    name: str
    version: str
    actions: dict[str, Action] = field(default_factory=dict)

    def action(self, handler: H) -> H:
        """Register `handler(cloud, request)` under the name of its request's type."""
        return self.action_named(get_type_hints(handler)["request"].__name__)(handler)

    def action_named(self, name: str) -> Callable[[H], H]:
        """Register a handler under an action's name, for requests without a type of their own."""

        def register(handler: H) -> H:
            model = get_type_hints(handler)["request"]
            self.actions[name] = Action(self.name, name, model, handler)
            return handler

        return register


SLB = Product("Slb", "2014-05-15")
ECS = Product("Ecs", "2014-05-26")
VPC = Product("Vpc", "2016-04-28")
STS = Product("Sts", "2015-04-01")
LOCATION = Product("Location", "2015-06-12")
BSS = Product("BssOpenApi", "2017-12-14")
RESOURCE_MANAGER = Product("ResourceManager", "2020-03-31")

PRODUCTS = (SLB, ECS, VPC, STS, LOCATION, BSS, RESOURCE_MANAGER)


def find(version: str, name: str) -> Action:
    """Find the action that a request asks for.

    Raises:
        ApiError: No such action is here, or anywhere, and then as Alibaba Cloud says it.
    """
    product = next((product for product in PRODUCTS if product.version == version), None)
    if product is None:
        raise ApiError(400, "InvalidVersion", "Specified parameter Version is not valid.")
    if name not in product.actions and name in known_actions().get(product.name, ()):
        raise not_emulated(
            f"{name} of {product.name}: docs/localcloud-coverage.md lists the actions that it does"
        )
    if name not in product.actions:
        raise ApiError(
            404,
            "InvalidAction.NotFound",
            "Specified api is not found, please check your url and method.",
        )
    return product.actions[name]
