"""Inputs that a question has beside those of its runs: read with every fault told, and written to read back."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from pydantic_core import PydanticCustomError

from ..errors import EstimatorError
from ..presets import Presets
from .fields import Field
from .run import option
from .writing import write_input


def read_beside(
    named: Mapping[str, Any], fields: Mapping[str, Field], presets: Presets
) -> tuple[dict[str, Any], list[str]]:
    """Return those of the inputs that are among some fields, in house units, and every fault of them.

    Examples
    --------
    >>> from .fields import whole
    >>> read_beside({"a": 3, "b": 0, "c": 1}, {"a": Field(whole(1, 9), ""), "b": Field(whole(1, 9), "")}, Presets())
    ({'a': 3.0}, ["--b: '0' must be more than zero"])
    """
    values: dict[str, Any] = {}
    faults: list[str] = []
    for name in (name for name in fields if name in named):
        try:
            values[name] = fields[name].read(named[name], presets)
        except (PydanticCustomError, EstimatorError) as error:
            told = error.message() if isinstance(error, PydanticCustomError) else str(error)
            faults.append(f"{option(name)}: {told}")
    return values, faults


def write_beside(question: object, fields: Mapping[str, Field]) -> dict[str, str | float]:
    """Return the inputs that a question has of some fields as texts and numbers that read back as the same."""
    own = {name: getattr(question, name) for name in fields}
    return {name: write_input(name, value) for name, value in own.items() if value is not None}
