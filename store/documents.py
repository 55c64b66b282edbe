"""JSON that says the same in the same bytes, and reading it where it may be damaged or hostile."""

from __future__ import annotations

import hashlib
import json
from typing import Any, TypeVar

import google_crc32c
from pydantic import BaseModel, ValidationError

from store.errors import IntegrityError, StoreError

MAX_DOCUMENT_BYTES = 32 * 2**20
"""Longest document that is read or written; parsed, the worst of this length takes some 700 MB."""

ModelT = TypeVar("ModelT", bound=BaseModel)


def canonical(value: Any) -> str:
    """Write JSON with sorted keys and no spaces: equal values give equal text."""
    return json.dumps(value, sort_keys=True, separators=(",", ":"), allow_nan=False, ensure_ascii=False)


def digest(value: Any) -> str:
    """Compute the hexadecimal sha256 of the canonical JSON of a value."""
    return hashlib.sha256(canonical(value).encode()).hexdigest()


def checksum(value: Any) -> int:
    """Compute the crc32c of the canonical JSON of a value."""
    return int(google_crc32c.value(canonical(value).encode()))


def plain(value: Any, what: str) -> Any:
    """Return a value as it comes back from JSON (tuples as lists).

    Raises
    ------
    StoreError
        The value cannot be written as JSON in UTF-8.
    """
    try:
        return json.loads(canonical(value).encode())
    except (TypeError, ValueError, RecursionError) as error:
        raise StoreError(
            f"{what} cannot be kept as JSON: {error}. Use strings, finite numbers, lists and dicts"
        ) from error


def parse(data: bytes | bytearray | memoryview, what: str) -> Any:
    """Read JSON that somebody else may have written.

    Raises
    ------
    IntegrityError
        It is not JSON, is nested too deeply, holds NaN or lone surrogates, or is longer than 32 MiB.
    """
    if len(data) > MAX_DOCUMENT_BYTES:
        raise IntegrityError(f"{what} has {len(data)} bytes, expected at most {MAX_DOCUMENT_BYTES}")
    try:
        value = json.loads(bytes(data))
        canonical(value).encode()
    except (ValueError, RecursionError) as error:
        raise IntegrityError(f"{what} is not readable JSON: {str(error)[:80] or 'it is nested too deeply'}") from error
    return value


def document_bytes(value: Any, indent: int | None = 2) -> bytes:
    """Return a document as it is written, if a reader would take it; StoreError when it is too long."""
    data = json.dumps(value, indent=indent, allow_nan=False).encode()
    if len(data) > MAX_DOCUMENT_BYTES:
        raise StoreError(
            f"a record of the store would have {len(data)} bytes, expected at most {MAX_DOCUMENT_BYTES}: there are too "
            "many names of labels or groups, or too many blocks. Write into several stores"
        )
    return data


def validated(model: type[ModelT], value: Any, what: str) -> ModelT:
    """Make a model of what was read.

    Raises
    ------
    IntegrityError
        Naming the first field that is missing or cannot be.
    """
    try:
        return model.model_validate(value)
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False, include_context=False)[0]
        place = ".".join(map(str, first["loc"]))[:80] or "it"
        raise IntegrityError(f"{what} is not valid: {place}: {first['msg'][:120]}") from error
