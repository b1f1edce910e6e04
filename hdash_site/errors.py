"""What can go wrong, as one line that a person can act on.

    HdashError            problem, place, way out                         exit code 1
    ├── ConfigError       site.toml, an option or the environment         exit code 2
    ├── SourceError       the atlases cannot be read
    │   └── AtlasError    one of them cannot
    │       └── ManifestError  a manifest cannot, for a reason that is the atlas's own
    ├── ContentError      a markdown article
    ├── LayoutError       a Mako layout
    ├── StateError        the database or the blob cache
    │   └── LockedError   another run is at work
    ├── AwsError          a bucket in S3, or another service of AWS
    └── OutputError       the finished site

Findings about an atlas are not errors: they are results (`hdash_site.htan.checks`).
"""

from __future__ import annotations


class HdashError(Exception):
    """A problem, where it is, and what to do about it: always one line."""

    exit_code = 1

    def __init__(self, problem: str, place: str = "", way_out: str = "") -> None:
        super().__init__(problem, place, way_out)
        self.problem = problem
        self.place = place
        self.way_out = way_out

    def __str__(self) -> str:
        said = f"{self.place}: {self.problem}" if self.place else self.problem
        said = f"{said}; {self.way_out}" if self.way_out else said
        return " ".join(said.split())


class ConfigError(HdashError):
    """The user's settings do not say something that we can do."""

    exit_code = 2


class SourceError(HdashError):
    """A source of atlases does not answer, or answers something else than atlases."""


class AtlasError(SourceError):
    """One atlas cannot be read today; the others can."""


class ManifestError(AtlasError):
    """A manifest cannot be read; that is a finding of its atlas, whose other manifests can."""


class ContentError(HdashError):
    """An article cannot be understood."""


class LayoutError(HdashError):
    """A layout cannot be read or run."""


class StateError(HdashError):
    """What we remember cannot be read or written."""


class LockedError(StateError):
    """Another run holds the state."""


class OutputError(HdashError):
    """The finished site cannot be written."""


class AwsError(HdashError):
    """A service of AWS refuses, or cannot be reached. `code` is its own word for why."""

    def __init__(self, problem: str, place: str = "", way_out: str = "", *, code: str = "") -> None:
        super().__init__(problem, place, way_out)
        self.code = code


def unexpected(error: Exception) -> str:
    """Describe in one line an error that only the maintainers can mend: class, words and place."""
    import traceback
    from pathlib import Path

    last = traceback.extract_tb(error.__traceback__)[-1]
    where = f"{Path(last.filename).name}, line {last.lineno}"
    words = " ".join(f"{type(error).__name__}: {error}".split())
    return (
        f"error in the program: {words} ({where}); report this to the maintainers of hdash-site"
        " (--debug shows the traceback)"
    )
