"""A service in a process of its own: what a benchmark may ask of it besides."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.remote.synapse.service import Service


def control(service: Service, what: str, body: dict[str, str]) -> bytes:
    """`log` gives the counts, `clear` sets them to nothing, `edit` appends to the bytes of a manifest."""
    match what:
        case "clear":
            service.log.clear()
        case "edit":
            service.edit(body["id"], service.content(body["id"]) + body["append"].encode())
    log = service.log
    return json.dumps({"api": log.api, "objects": log.objects, "bytes": log.bytes}).encode()
