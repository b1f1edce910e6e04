"""Serve a folder of atlases until ended: `python -m tests.remote.synapse FOLDER [--latency MS]`."""

from __future__ import annotations

import argparse
import json
import threading
from pathlib import Path

from tests.remote.synapse import Service


def main() -> None:
    arguments = argparse.ArgumentParser()
    arguments.add_argument("folder", type=Path)
    arguments.add_argument("--latency", type=float, default=0.0)
    arguments.add_argument("--throttle", action="store_true")
    given = arguments.parse_args()
    service = Service.of(given.folder)
    service.latency, service.throttle = given.latency / 1000, given.throttle
    with service.running():
        print(json.dumps({"repo_url": service.repo_url, "token": service.token}), flush=True)
        threading.Event().wait()


if __name__ == "__main__":
    main()
