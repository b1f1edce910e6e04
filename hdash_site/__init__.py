"""hdash-site: the HTAN Dashboard as an incremental static site."""

__version__ = "0.2.0.dev0"
