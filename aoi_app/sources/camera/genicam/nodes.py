"""Reads and sets the nodes of a GenICam node map. Runs only in child processes, see ``genicam``."""

from __future__ import annotations

import time
from collections.abc import Iterator
from typing import Any

from genicam.genapi import EAccessMode, EIncMode, EInterfaceType, GenericException

from aoi_app.sources.camera.features import (
    VISIBILITIES,
    Access,
    Feature,
    FeatureError,
    FeatureType,
    NodeMap,
    Setting,
    check_value,
)

_TYPES: dict[int, FeatureType] = {
    EInterfaceType.intfIInteger: "integer",
    EInterfaceType.intfIFloat: "float",
    EInterfaceType.intfIBoolean: "boolean",
    EInterfaceType.intfIEnumeration: "enumeration",
    EInterfaceType.intfIString: "string",
    EInterfaceType.intfICommand: "command",
    EInterfaceType.intfIRegister: "register",
}
_ACCESS: dict[int, Access] = {EAccessMode.RW: "RW", EAccessMode.RO: "RO", EAccessMode.WO: "WO"}
_COMMAND_S = 10.0  # a camera that calibrates itself takes some seconds
_ENDLESS = 2**63 - 1  # the bound that a node has when its maker gave none


def list_nodes(node_map: NodeMap, nodes: Any) -> list[Feature]:
    """All features in the order of the tree; one that appears in two categories comes once."""
    try:
        root = nodes.get_node("Root")
    except GenericException:
        return []
    return list(_walk(node_map, root, (), set()))


def read_node(node_map: NodeMap, nodes: Any, name: str) -> Feature:
    """One feature as it is now; its category is left out.

    Raises:
        FeatureError: there is no such feature.
    """
    return _feature(node_map, _find(node_map, nodes, name), ())


def write_node(nodes: Any, setting: Setting) -> Feature:
    """Sets a feature or executes a command, and reads it again.

    Raises:
        FeatureError: there is no such feature, or the camera refuses; the text says why.
    """
    node = _find(setting.node_map, nodes, setting.name)
    feature = _feature(setting.node_map, node, ())
    check_value(feature, setting.value)
    try:
        if feature.type == "command":
            _execute(node, setting.name)
        elif feature.type == "integer":
            node.value = int(setting.value)
        elif feature.type == "float":
            node.value = float(setting.value)
        elif feature.type == "boolean":
            node.value = bool(setting.value)
        else:
            node.value = str(setting.value)
    except (GenericException, TypeError, OverflowError) as error:
        raise FeatureError(
            "feature-refused",
            "{name} = {value!r} was refused: {reason}",
            name=setting.name,
            value=setting.value,
            reason=reason_of(error),
        ) from error
    return _feature(setting.node_map, node, ())


def reason_of(error: BaseException) -> str:
    """What a GenICam exception says to a person, without where in the library it was thrown."""
    # GenApi appends the file and line of its own source; GenTL begins with the name of its class.
    text = str(error).split(" : ")[0].split(" (file ")[0]
    return text.removeprefix("GenTL exception: ").strip().rstrip(".") or type(error).__name__


def _find(node_map: NodeMap, nodes: Any, name: str) -> Any:
    try:
        return nodes.get_node(name)
    except GenericException as error:
        raise FeatureError(
            "feature-unknown",
            "The camera has no feature {name} in its node map {node_map}.",
            name=name,
            node_map=node_map,
        ) from error


def _execute(node: Any, name: str) -> None:
    # A command may go on after execute has returned; the standard has is_done for that.
    node.execute()
    end_s = time.monotonic() + _COMMAND_S
    while not node.is_done():
        if time.monotonic() > end_s:
            raise FeatureError(
                "feature-command-timeout",
                "The command {name} was not done within {seconds:g} s.",
                name=name,
                seconds=_COMMAND_S,
            )
        time.sleep(0.005)


def _walk(node_map: NodeMap, category: Any, path: tuple[str, ...], seen: set[str]) -> Iterator[Feature]:
    for child in category.features:
        name = str(child.node.name)
        # The same node may hang in two categories, and a maker's tree may even lead back to itself.
        if name in seen:
            continue
        seen.add(name)
        if child.node.principal_interface_type == EInterfaceType.intfICategory:
            yield from _walk(node_map, child, (*path, str(child.node.display_name or name)), seen)
        # NI, not implemented: the maker's file describes a whole family of cameras.
        elif child.node.principal_interface_type in _TYPES and child.get_access_mode() != EAccessMode.NI:
            yield _feature(node_map, child, path)


def _feature(node_map: NodeMap, node: Any, path: tuple[str, ...]) -> Feature:
    kind = _TYPES.get(node.node.principal_interface_type, "register")
    access = _ACCESS.get(node.get_access_mode(), "NA")
    readable = access in {"RW", "RO"}
    visibility = int(node.node.visibility)
    is_number = kind in {"integer", "float"} and access != "NA"
    return Feature(
        node_map=node_map,
        name=str(node.node.name),
        display_name=str(node.node.display_name or node.node.name),
        category=path,
        type=kind,
        value=_get(node, "value") if readable and kind not in {"command", "register"} else None,
        access=access,
        visibility=VISIBILITIES[visibility] if 0 <= visibility < len(VISIBILITIES) else "Invisible",
        minimum=_bound(node, "min") if is_number else None,
        maximum=_bound(node, "max") if is_number else None,
        increment=_increment(node, kind) if is_number else None,  # asking a node that is not available now raises
        unit=str(_get(node, "unit") or "") if is_number else "",
        entries=tuple(_entries(node)) if kind == "enumeration" and access != "NA" else (),
        tooltip=str(node.node.tooltip or node.node.description or ""),
        is_kept=access == "RW" and bool(node.node.is_streamable()),
    )


def _get(node: Any, attribute: str) -> Any:
    """An attribute that the camera may not be able to tell; then None."""
    try:
        return getattr(node, attribute)
    except GenericException:
        return None


def _bound(node: Any, attribute: str) -> int | float | None:
    """A bound of a number; those of its mere type are none."""
    value: int | float | None = _get(node, attribute)
    return None if value is None or abs(value) >= _ENDLESS else value


def _increment(node: Any, kind: FeatureType) -> int | float | None:
    # A float without steps answers with an increment of 0 or raises, by maker.
    if kind == "float" and _get(node, "inc_mode") != EIncMode.fixedIncrement:
        return None
    value: int | float | None = _get(node, "inc")
    return value


def _entries(node: Any) -> Iterator[str]:
    for entry in node.entries:
        if entry.get_access_mode() not in {EAccessMode.NI, EAccessMode.NA}:
            yield str(entry.symbolic)
