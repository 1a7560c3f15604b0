"""Named tuples are those of Python, but for annotations that are not read."""

from __future__ import annotations

import pickle
import typing

import pytest

from estimator.tuples import NamedTuple


class Theirs(typing.NamedTuple):
    """Two numbers."""

    width: float
    height: float = 2.0

    @property
    def area(self) -> float:
        """Of a rectangle."""
        return self.width * self.height


class Ours(NamedTuple):
    """Two numbers."""

    width: float
    height: float = 2.0

    @property
    def area(self) -> float:
        """Of a rectangle."""
        return self.width * self.height


class Kept(Ours):
    """With room for more."""


def test_they_have_what_python_gives_its_own() -> None:
    own, ours = Theirs(3.0), Ours(3.0)
    assert set(dir(Theirs)) == set(dir(Ours))
    assert tuple(own) == tuple(ours) == (3.0, 2.0)
    assert repr(own).replace("Theirs", "Ours") == repr(ours) == "Ours(width=3.0, height=2.0)"
    assert (own.area, own._asdict(), Theirs._field_defaults) == (
        ours.area,
        ours._asdict(),
        Ours._field_defaults,
    )
    for name in ("__doc__", "__module__", "__match_args__", "_fields", "__slots__"):
        assert getattr(Theirs, name) == getattr(Ours, name), name
    assert Ours.__qualname__ == "Ours"
    assert ours._replace(width=4.0) == Ours(4.0, 2.0)
    assert pickle.loads(pickle.dumps(ours)) == ours
    assert not hasattr(ours, "__dict__")
    assert Kept(3.0).__dict__ == {}


def test_what_python_refuses_is_refused() -> None:
    with pytest.raises(TypeError, match="a field without a default follows 'width', which has one"):

        class _Late(NamedTuple):  # pyright: ignore[reportUnusedClass]
            width: float = 1.0
            height: float  # pyright: ignore[reportGeneralTypeIssues]

    with pytest.raises(AttributeError, match="_Own: a named tuple has its own _replace"):

        class _Own(NamedTuple):  # pyright: ignore[reportUnusedClass]
            width: float

            def _replace(self) -> None:  # pyright: ignore[reportIncompatibleMethodOverride, reportGeneralTypeIssues]
                """Replace nothing."""
