"""The way in: `hdash-site` and `python -m hdash_site`."""

from __future__ import annotations

import atexit
import gc
import sys

from hdash_site import __version__


def main() -> None:
    """Answer `version` at once, since health checks ask it often; leave the rest to the commands."""
    if sys.argv[1:] == ["version"]:
        sys.stdout.write(f"hdash-site {__version__}\n")
        return
    # A run makes millions of tuples and no circles of them: to look for circles so often is in vain.
    gc.set_threshold(100_000, 50, 100)
    # Nor at the end, when the system takes back everything at once.
    atexit.register(gc.freeze)
    from hdash_site import cli

    cli.main()


if __name__ == "__main__":
    main()
