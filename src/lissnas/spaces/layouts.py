"""What torch builds networks from: a layout is plain numbers, and says under which name a builder is registered for it.

A new kind of network is a layout class here in ``spaces``, a line in ``LAYOUTS``, and a builder of the same name in
``oneshot.network.NETWORKS``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, ClassVar, Protocol, runtime_checkable

from lissnas.registry import Registry

__all__ = ["LAYOUTS", "Layout", "layout_definition", "layout_from_definition"]

LAYOUTS = Registry(
    "layout",
    {
        "chain": "lissnas.spaces.chain:ChainLayout",
        "x-blocks": "lissnas.spaces.xblock:XBlockLayout",
        "templated-chain": "lissnas.spaces.templated_chain:TemplatedChainLayout",
        "nats-size": "lissnas.spaces.nats_size:NATSSizeLayout",
        "darts": "lissnas.spaces.darts:DartsLayout",
        "nasbench101": "lissnas.spaces.nasbench101.costs:CellLayout",
        "nasbench201": "lissnas.spaces.nasbench201:NASBench201Layout",
        "module": "lissnas.oneshot.module_layout:ModuleLayout",
        "transnas": "lissnas.spaces.transnas:TransNASLayout",
    },
)


@runtime_checkable
class Layout(Protocol):
    """The layers behind a space's genes.

    Attributes:
        kind: its name in ``LAYOUTS``, and its builder's in ``oneshot.network.NETWORKS``.
        counts_norms: whether the published parameter counts include the weights of batch norms.
        resolution: side of the square input image.
        in_channels: channels of the input image.
        classes: outputs of the classifier.
    """

    kind: ClassVar[str]

    @property
    def counts_norms(self) -> bool: ...
    @property
    def resolution(self) -> int: ...
    @property
    def in_channels(self) -> int: ...
    @property
    def classes(self) -> int: ...

    def definition(self) -> dict[str, Any]:
        """Plain JSON data, from which ``from_definition`` builds it again."""


def layout_definition(layout: Layout | None) -> dict[str, Any] | None:
    """A layout as plain JSON data, with its kind."""
    return None if layout is None else {"kind": layout.kind, **layout.definition()}


def layout_from_definition(data: Mapping[str, Any] | None) -> Any:
    """Build a layout again from what :func:`layout_definition` wrote."""
    if data is None:
        return None
    rest = {name: value for name, value in data.items() if name != "kind"}
    return LAYOUTS.get(data["kind"]).from_definition(rest)
