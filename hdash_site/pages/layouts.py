"""Mako layouts: every lookup is a recorded read, every value that is shown is escaped.

Layouts come from the people who build the site and are trusted; values come from strangers and are data.
A template sees what it is given, and a few functions that write figures as people read them.
"""

# pyright: basic
# Mako comes without types: strict checking would report every call to it.

from __future__ import annotations

import functools
import re
import threading
from typing import Any

from hdash_site.engine.model import Absent, Broken, Context, Key
from hdash_site.errors import HdashError, LayoutError
from hdash_site.imports import hidden
from hdash_site.pages import figures
from hdash_site.pages.data import Data

# Mako would highlight pages of its own about errors, which nobody here sees.
with hidden("mako.ext.pygmentplugin"):
    from mako import exceptions
    from mako.lookup import TemplateCollection
    from mako.template import Template

_compiled: dict[tuple[str, bytes], Template] = {}
_compiling = threading.Lock()

NAMES = {name: getattr(figures, name) for name in figures.__all__}


def render(context: Context, name: str, **values: Any) -> bytes:
    """Fill a layout in. Raises `LayoutError` with file and line."""
    try:
        template = _Lookup(context).get_template(name)
        text: Any = template.render_unicode(**NAMES, data=Data(context), **values)
        return "\n".join(filter(str.strip, text.splitlines())).encode("utf-8", "replace") + b"\n"
    except (HdashError, Broken):
        raise
    except Exception as error:
        raise _located(error, name) from error


class _Lookup(TemplateCollection):
    """Where templates find each other: in what the build reads."""

    def __init__(self, context: Context) -> None:
        super().__init__()
        self._context = context

    def get_template(self, uri: str, relativeto: str | None = None) -> Template:  # noqa: ARG002
        try:
            source = self._context.read(Key("layout", uri))
        except Absent:
            way_out = "write it, or correct the name where it is used"
            raise LayoutError("there is no such layout", f"layouts/{uri}", way_out) from None
        template = _compile(uri, source)
        return _bound(template, self)

    def adjust_uri(self, uri: str, relativeto: str | None) -> str:  # noqa: ARG002
        return uri.lstrip("/")


def _compile(uri: str, source: bytes) -> Template:
    """Compile a layout once a process, whoever asks."""
    with _compiling:
        template = _compiled.get((uri, source))
        if template is None:
            try:
                template = Template(  # noqa: S702 - all values pass `shown`
                    text=source.decode("utf-8-sig"),
                    uri=uri,
                    default_filters=["shown"],
                    strict_undefined=True,
                    imports=["from hdash_site.pages.figures import shown"],
                )
            except exceptions.MakoException as error:
                raise _uncompiled(error, uri) from None
            except UnicodeDecodeError:
                raise LayoutError("this is not UTF-8", f"layouts/{uri}", "save it as UTF-8") from None
            _compiled[uri, source] = template
    return template


def _bound(template: Template, lookup: _Lookup) -> Template:
    """Give the compiled template to one page: what it inherits and includes, it looks up there."""
    bound = object.__new__(Template)
    bound.__dict__.update(template.__dict__)
    bound.lookup = lookup
    return bound


def _uncompiled(error: Exception, uri: str) -> LayoutError:
    line = getattr(error, "lineno", None)
    what = re.sub(r" in file '.*$| at line: .*$", "", str(error))
    return LayoutError(f"this is not Mako: {what}", f"layouts/{uri}, line {line}", "correct that line")


def _located(error: Exception, name: str) -> LayoutError:
    """Say where in which layout an error came from."""
    place = f"layouts/{name}"
    for filename, _, _, _, _, line, _, source in reversed(exceptions.RichTraceback(error=error).records):
        if line is not None and filename is not None:
            known = line or _line_of_name(error, source)
            place = f"layouts/{_template_name(filename)}" + (f", line {known}" if known else "")
            break
    said = f"{type(error).__name__}: {error}"
    return LayoutError(f"the layout fails ({said})", place, "correct that line")


def _line_of_name(error: Exception, source: str) -> int:
    """Give the first line with a name that nobody defined, which Mako looks up before it begins; 0: none."""
    name = re.match(r"'(\w+)' is not defined", str(error))
    found = re.search(rf"^(?!\s*##).*\b{name[1]}\b", source, re.MULTILINE) if name else None
    return source.count("\n", 0, found.start()) + 1 if found else 0


@functools.cache
def _template_name(module: str) -> str:
    """Give the layout that Mako compiled under a module's name."""
    found = [uri for uri, _ in list(_compiled) if re.sub(r"\W", "_", uri) in module]
    return max(found, key=len, default=module)
