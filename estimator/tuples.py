"""Named tuples whose classes are made in a third of the time: a command makes dozens of them before it answers."""

from __future__ import annotations

from collections import namedtuple
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    from typing import NamedTuple as NamedTuple
else:
    # Python's own compiles each annotation that is written as text, which nobody here reads.
    _MADE = frozenset({"__new__", "__slots__", "_fields", "_field_defaults", "_make", "_replace", "_asdict"})

    class _Maker(type):
        """Make a class of the fields that a body names, with its methods."""

        def __new__(cls, name: str, bases: tuple[type, ...], body: dict[str, Any]) -> type:
            fields = body.get("__annotations__", {})
            if broken := _MADE.intersection(body):
                raise AttributeError(f"{name}: a named tuple has its own {min(broken)}")
            defaults = [body[field] for field in fields if field in body]
            if late := [field for field in list(fields)[: -len(defaults) or None] if field in body]:
                raise TypeError(f"{name}: a field without a default follows '{late[0]}', which has one")
            made = namedtuple(name, fields, defaults=defaults, module=body["__module__"])
            for key, value in body.items():
                if key not in fields and key != "__module__":
                    setattr(made, key, value)
            return made

    class _Named:
        def __mro_entries__(self, bases: tuple[Any, ...]) -> tuple[type, ...]:
            return (_Body,)

    _Body = type.__new__(_Maker, "_Body", (), {})
    NamedTuple = _Named()
