"""hdash-site: the HTAN Dashboard as an incremental static site."""

__version__ = "0.1.0"
