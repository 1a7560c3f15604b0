"""TOML as records write it, a line a key, read in a fraction of the time; all other is left to tomllib."""

from __future__ import annotations

import re
from datetime import date
from typing import Any

_KEY = r"[A-Za-z0-9_-]+"
_TEXT = r'"[^"\\]*(?:\\"[^"\\]*)*"'
_NUMBER = r"[+-]?(?:0|[1-9][0-9]{0,15})(?:\.[0-9]{1,20})?(?:[eE][+-]?[0-9]{1,3})?"
_PLAIN = rf"{_TEXT}|{_NUMBER}|true|false"
_LINE = re.compile(
    rf'(?P<key>{_KEY}|"[^"\\]+") = (?:(?P<plain>{_PLAIN})|(?P<date>\d{{4}}-\d\d-\d\d)'
    rf"|(?P<texts>\[(?:{_TEXT}(?:, {_TEXT})*)?\])|(?P<table>\{{ .* \}}))|\[(?P<head>{_KEY}(?:\.{_KEY})?)\]"
    rf"|\[\[(?P<entry>{_KEY})\]\]|(?P<none>#.*|)"
)
_PAIR = re.compile(rf"({_KEY}) = ({_PLAIN})(, (?!\}})| \}}$)")
_ALL_TEXTS = re.compile(_TEXT)
# What may not stand in a text, and a line that ends in another manner.
_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f]")
_FLAGS = {"true": True, "false": False}


class _OtherError(Exception):
    """There is more to the file than lines of this form."""


def loads(text: str) -> dict[str, Any]:
    """Return what ``tomllib.loads`` does.

    Raises
    ------
    tomllib.TOMLDecodeError, RecursionError
        As it does.

    Examples
    --------
    >>> loads('name = "one"\\n[figures]\\nmemory = { value = "80 GB", low = 79 }')
    {'name': 'one', 'figures': {'memory': {'value': '80 GB', 'low': 79}}}
    """
    try:
        return _read(text)
    except _OtherError:
        import tomllib  # takes as long to import as a plain file to read

        return tomllib.loads(text)


def _read(text: str) -> dict[str, Any]:
    if _CONTROL.search(text):
        raise _OtherError
    whole: dict[str, Any] = {}
    table, heads, lists = whole, set[str](), dict[str, list[dict[str, Any]]]()
    for line in text.split("\n"):
        match = _LINE.fullmatch(line)
        if match is None:
            raise _OtherError
        kind, key = match.lastgroup, match["key"]
        if kind == "head":
            table = _table(whole, heads, match["head"])
        elif kind == "entry":
            table = _entry(whole, lists, match["entry"])
        elif key is not None:
            name = key.strip('"')
            if name in table:
                raise _OtherError
            table[name] = _VALUES[str(kind)](match[str(kind)])
    return whole


def _table(whole: dict[str, Any], heads: set[str], path: str) -> dict[str, Any]:
    """Return a new table; one within another only where that is known by its head, or by none."""
    outer, _, inner = path.rpartition(".")
    place = whole
    if outer:
        if outer in whole and outer not in heads:
            raise _OtherError
        place = whole.setdefault(outer, {})
        heads.add(outer)
    if inner in place:
        raise _OtherError
    place[inner] = {}
    if not outer:
        heads.add(inner)
    return place[inner]


def _entry(whole: dict[str, Any], lists: dict[str, list[dict[str, Any]]], name: str) -> dict[str, Any]:
    """Return a new table at the end of a list of them."""
    if name not in lists:
        if name in whole:
            raise _OtherError
        whole[name] = lists[name] = []
    lists[name].append({})
    return lists[name][-1]


def _plain(text: str) -> Any:
    if text[0] == '"':
        return _text(text)
    if text in _FLAGS:
        return _FLAGS[text]
    return float(text) if any(sign in text for sign in ".eE") else int(text)


def _texts(text: str) -> list[str]:
    return [_text(each) for each in _ALL_TEXTS.findall(text)]


def _text(text: str) -> str:
    return text[1:-1].replace('\\"', '"')


def _date(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise _OtherError from None


def _inline(text: str) -> dict[str, Any]:
    found: dict[str, Any] = {}
    place = 2
    while place < len(text):
        match = _PAIR.match(text, place)
        if match is None or match[1] in found:
            raise _OtherError
        found[match[1]] = _plain(match[2])
        place = match.end()
    return found


_VALUES = {"plain": _plain, "date": _date, "texts": _texts, "table": _inline}
