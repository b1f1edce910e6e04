"""The way in: `hdash-site` and `python -m hdash_site`."""

from __future__ import annotations

import sys

from hdash_site import __version__


def main() -> None:
    """Answer `version` at once, since health checks ask it often; leave the rest to the commands."""
    if sys.argv[1:] == ["version"]:
        sys.stdout.write(f"hdash-site {__version__}\n")
        return
    from hdash_site import cli

    cli.main()


if __name__ == "__main__":
    main()
