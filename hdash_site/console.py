"""What a person sees of a run: progress, reasons, problems, the summary."""

from __future__ import annotations

import json
import os
import sys
from collections.abc import Generator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Any, NamedTuple, cast

from hdash_site.config import InForce
from hdash_site.deploy import Deployed
from hdash_site.editions import UNKNOWN
from hdash_site.engine.model import Key
from hdash_site.errors import SourceError
from hdash_site.pages.history import brief, sentence
from hdash_site.publish import WAITING
from hdash_site.run import DONE, Result, Tell, exit_code, now, silent
from hdash_site.secrets import hidden
from hdash_site.snapshot import Project
from hdash_site.sources.crawl import Crawled

if TYPE_CHECKING:
    from hdash_site.nightly import Night
    from hdash_site.preview.serve import Built
    from hdash_site.progress import MovingLine
    from hdash_site.review import Review
    from hdash_site.upkeep import Edition, Loss, Standing

SHOWN = 20
"""Lines of one kind that are printed before the rest is only counted."""


class Style(NamedTuple):
    """`explain`: a line a recipe and a file; `as_json`: one object at the end; `quiet`: problems only.

    `debug`: also the tracebacks of errors in this program.
    """

    quiet: bool = False
    explain: bool = False
    as_json: bool = False
    debug: bool = False


@contextmanager
def progress(style: Style) -> Generator[Tell, None, None]:
    """Show what is at hand: one moving line on a terminal, a line a phase elsewhere."""
    if style.quiet or style.as_json:
        yield silent
    elif sys.stderr.isatty():
        with _moving_line() as tell:
            yield tell
    else:
        yield _line_a_phase()


def show(result: Result, output: Path, style: Style) -> None:
    """Print the outcome of a build; problems go to standard error."""
    for problem in result.problems:
        print(_plain(problem), file=sys.stderr)
    if style.debug:
        _show_tracebacks(result)
    if style.explain:
        _explain(result)
    if not style.quiet and not style.as_json:
        _foreign(result.deployed.foreign, f"{output}/")
        print(_summary(result))
    if style.as_json:
        print(json.dumps(result.counts()))


def _show_tracebacks(result: Result) -> None:
    for trace in result.tracebacks:
        lines = hidden(trace, os.environ).rstrip().split("\n")
        print("\n".join(map(_plain, lines)), file=sys.stderr)


def show_deployed(deployed: Deployed, style: Style, *, dry: bool) -> None:
    """Print the outcome of a deployment to a bucket, or its plan."""
    for note in deployed.notes:
        print(_plain(note), file=sys.stderr)
    if style.explain and not style.as_json:
        steps = {"put": deployed.written, "delete": deployed.removed, "wait": deployed.waiting}
        for verb, paths in steps.items():
            for path, reason in paths:
                print(_plain(f"{verb} {path}: {reason}"))
    counts = {
        "files_written": len(deployed.written),
        "files_kept": deployed.kept,
        "files_removed": len(deployed.removed),
        "files_foreign": len(deployed.foreign),
        WAITING: len(deployed.waiting),
    }
    if style.as_json:
        print(json.dumps(counts))
    elif not style.quiet:
        _foreign(deployed.foreign, "")
        put, gone = ("to write", "to remove") if dry else ("written", "removed")
        written, removed = len(deployed.written), len(deployed.removed)
        print(f"files     {written} {put}, {deployed.kept} kept, {removed} {gone}{_waiting(deployed)}")


def _waiting(deployed: Deployed) -> str:
    return f", {len(deployed.waiting)} deletions waiting" if deployed.waiting else ""


def show_address(address: str) -> None:
    """Print where the preview is."""
    print(f"preview   {address} (Ctrl-C ends it)", flush=True)


def show_rebuilt(built: Built, *, quiet: bool) -> None:
    """Print the outcome of a build of the preview in a line; problems go to standard error."""
    for problem in built.problems:
        print(_plain(problem), file=sys.stderr, flush=True)
    if built.result and not quiet:
        deployed = built.result.deployed
        written, removed = len(deployed.written), len(deployed.removed)
        print(f"files     {written} written, {removed} removed in {built.seconds:.2f} s", flush=True)


@contextmanager
def night_progress(style: Style) -> Generator[Tell, None, None]:
    """Show what is at hand in a night: as JSON, a line a phase."""
    if not style.as_json:
        with progress(style) as tell:
            yield tell
        return
    seen: set[str] = set()

    def tell_phase(phase: str, what: str, done: int = 0, total: int = 0) -> None:  # noqa: ARG001
        if phase not in seen:
            seen.add(phase)
            _log("INFO", "phase", phase=phase)

    yield tell_phase


def show_night(night: Night, style: Style) -> None:
    """Print the outcome of a night; as JSON, a line a problem, and the summary as the last line."""
    said = [*night.result.deployed.notes, *night.result.problems] if night.result else []
    problems = [*said, night.problem, night.untold]
    for problem in filter(None, problems):
        if style.as_json:
            _log("ERROR" if problem == night.problem else "WARNING", "problem", message=problem)
        else:
            print(_plain(problem), file=sys.stderr)
    if night.result and style.debug:
        _show_tracebacks(night.result)
    counts = night.result.counts() if night.result else {}
    if style.as_json:
        level = "INFO" if night.exit_code == DONE else "ERROR"
        _log(level, "done", exit_code=night.exit_code, **counts)
    elif night.result and not style.quiet:
        _foreign(night.result.deployed.foreign, "")
        print(_summary(night.result))


def _log(level: str, event: str, **more: Any) -> None:
    line = {"time": now(), "level": level, "event": event, **more}
    print(hidden(json.dumps(line), os.environ), flush=True)


def show_crawl(crawled: Crawled, quiet: bool, strict: bool) -> int:
    """Print the outcome of a crawl; give its exit code."""
    for problem in crawled.problems():
        print(_plain(problem), file=sys.stderr)
    if not quiet:
        unverified = f", {len(crawled.unverified)} not verified" if crawled.unverified else ""
        print(f"atlases   {len(crawled.snapshots)} known, {len(crawled.failed)} failed{unverified}")
    return exit_code(crawled.failed, strict=strict)


def show_init(place: str, atlases: Sequence[tuple[Project, SourceError | None]]) -> int:
    """Print where the state is, and a line an atlas; give the exit code."""
    print(_plain(f"the state is in {place}"))
    for project, error in atlases:
        if error:
            print(_plain(f"atlas {project.id} cannot be read: {error}"), file=sys.stderr)
        else:
            print(_plain(f"atlas {project.id} can be read: {project.synapse_id} {project.name}"))
    return exit_code([error for _, error in atlases if error])


def show_status(atlases: list[Standing]) -> None:
    """Print a table, a line an atlas."""
    if not atlases:
        print("nothing was built yet")
        return
    lines: list[tuple[str, ...]] = [
        ("atlas", "last crawl", "last change", "entities", "errors/warnings", "failed since", "verified")
    ]
    for atlas, known, found in atlases:
        findings = f"{found[0]}/{found[1]}" if found else "-"
        crawled, changed = _minute(known.crawled), _minute(known.changed)
        failed, verified = _minute(known.failed_since), _minute(known.verified)
        lines.append((_plain(atlas), crawled, changed, f"{known.rows:,}", findings, failed, verified))
    _table(lines)


def show_history(editions: Sequence[Edition], *, as_json: bool) -> None:
    """Print a line an edition."""
    if as_json:
        said = [{"source": one.source, **brief(one.edition)} for one in editions]
        print(hidden(json.dumps(said), os.environ))
        return
    if not editions:
        print("the history has no edition yet")
        return
    rows = [(one.when, _source(one), _plain(sentence(brief(one.edition)))) for one in editions]
    _table([("edition", "source", "what changed"), *rows])


def show_edition_briefly(chosen: Edition) -> None:
    """Print an edition in a line."""
    print(_plain(f"{chosen.when} ({_source(chosen)}): {sentence(brief(chosen.edition))}"))


def show_edition(chosen: Edition, *, as_json: bool) -> None:
    """Print an edition in full."""
    edition = chosen.edition
    if as_json:
        print(hidden(json.dumps({"source": chosen.source, **edition}), os.environ))
        return
    changes: Mapping[str, Any] = edition["changes"]
    _table(
        [("edition", chosen.when), ("source", _source(chosen)), ("compared with", edition["before"] or "-")]
    )
    print(_plain(sentence(brief(edition))))
    figures = [
        (name, f"{value:,}", _signed(edition["risen"].get(name))) for name, value in edition["totals"].items()
    ]
    print()
    _table([("figure", "total", "change"), *figures])
    _lines("atlas", [(atlas, "is new") for atlas in edition["arrived"]])
    _lines("atlas", [(atlas, "is gone") for atlas in edition["gone"]])
    _lines(
        "atlas",
        [(atlas, _counts(changes[atlas]["risen"])) for atlas in changes if changes[atlas].get("risen")],
    )
    for how in ("new", "fixed"):
        found = [(atlas, _counts(some[how])) for atlas, some in changes.items() if some.get(how)]
        _lines(f"{how} findings", found)
    for how in ("added", "replaced", "removed"):
        found = [
            (atlas, f"{one[0]} {one[1]}{_former(one)}")
            for atlas, some in changes.items()
            for one in some.get(how, ())
        ]
        _lines(f"manifests {how}", found)
    fresh = [
        (atlas, ", ".join(some["components"])) for atlas, some in changes.items() if some.get("components")
    ]
    _lines("first time", fresh)
    _lines("only figures compared", [(atlas, "") for atlas in edition.get("uncompared", ())])
    checks = [
        (atlas, f"{code}: {errors:,} errors, {warnings:,} warnings since {_minute(since)}")
        for atlas, held in edition["atlases"].items()
        for code, (errors, warnings, since) in held["checks"].items()
    ]
    _lines("open findings", checks)


def _source(one: Edition) -> str:
    return one.source or UNKNOWN


def _lines(title: str, lines: Sequence[tuple[str, str]]) -> None:
    if lines:
        print(f"\n{title}")
        for name, text in lines:
            print(_plain(f"  {name} {text}").rstrip())


def _counts(numbers: Mapping[str, int]) -> str:
    return ", ".join(f"{name} {number:+,}" for name, number in numbers.items())


def _signed(number: int | None) -> str:
    return f"{number:+,}" if number else ""


def _former(manifest: Sequence[str]) -> str:
    return f" in place of {manifest[2]}" if len(manifest) > 2 and manifest[2] != manifest[0] else ""


def show_loss(loss: Loss) -> None:
    """Print what `clean` would delete."""
    held = loss.held
    elsewhere = held.published - loss.files
    print(_plain(f"This deletes the state in {loss.place}:"))
    print(f"  editions  {held.editions:,} (the history, which cannot be made again)")
    print(f"  atlases   {held.atlases:,}")
    print(f"  runs      {held.runs:,}")
    print(_plain(f"  files     {loss.files:,} published in {loss.output}, which are deleted as well"))
    if elsewhere:
        print(f"{elsewhere:,} files published elsewhere stay, and are then not known as files of this site.")


def show_review(review: Review, *, as_json: bool) -> int:
    """Print a line a problem and the counts; give the exit code."""
    errors, warnings = review.count("error"), review.count("warning")
    if as_json:
        said = review._asdict() | {"errors": errors, "warnings": warnings}
        said["problems"] = [problem._asdict() for problem in review.problems]
        print(hidden(json.dumps(said), os.environ))
    else:
        for problem in review.problems:
            print(_plain(str(problem)))
        looked = f"{review.pages:,} pages, {review.links:,} links"
        print(f"checked   {looked}: {errors:,} errors, {warnings:,} warnings")
    return 1 if errors else DONE


def show_settings(settings: Sequence[InForce], *, as_json: bool) -> None:
    """Print each setting with its value and what that comes from; lists of tables as their number."""
    if as_json:
        said = {name: {"value": value, "from": origin} for name, value, origin in settings}
        print(hidden(json.dumps(said, default=str), os.environ))
        return
    rows = [(name, _plain(_value(value)), origin) for name, value, origin in settings]
    _table([("setting", "value", "from"), *rows])


def _value(value: Any) -> str:
    if isinstance(value, list) and value and isinstance(value[0], dict):
        tables = len(cast("list[Any]", value))
        return f"{tables} table{'s' if tables > 1 else ''}"
    return json.dumps(value, ensure_ascii=False, default=str) if value or value == 0 else "-"


def _table(lines: Sequence[Sequence[str]]) -> None:
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    for line in lines:
        print("  ".join(text.ljust(width) for text, width in zip(line, widths, strict=True)).rstrip())


def _minute(time: str) -> str:
    return f"{time[:10]} {time[11:16]}" if time else "-"


def show_reasons(chain: list[tuple[Key, str]]) -> None:
    """Print why something was made, each line the cause of the one above."""
    for depth, (key, reason) in enumerate(chain):
        print(_plain(f"{'  ' * depth}{key} ran: {reason}"))


def _summary(result: Result) -> str:
    counts = result.counts()
    atlases = counts["atlases"]
    errors = sum(found["errors"] for found in result.findings.values())
    warnings = sum(found["warnings"] for found in result.findings.values())
    seconds = " · ".join(f"{phase} {spent:.2f} s" for phase, spent in result.seconds.items())
    return "\n".join(
        (
            f"atlases   {atlases['changed']} changed, {atlases['same']} same, {atlases['failed']} failed"
            + (f", {atlases['unverified']} not verified" if result.unverified else ""),
            f"recipes   {counts['recipes_run']} ran, {counts['recipes_cut_off']} cut off",
            f"files     {counts['files_written']} written, {counts['files_kept']} kept"
            + f", {counts['files_removed']} removed{_waiting(result.deployed)}",
            f"findings  {errors:,} errors, {warnings:,} warnings",
            f"time      {seconds}",
        )
    )


def _explain(result: Result) -> None:
    for key, reason, cut_off in result.ran:
        print(_plain(f"{key} ran: {reason}{' (cut off: its value is the same)' if cut_off else ''}"))
    for path, reason in result.deployed.written:
        print(_plain(f"{path} written: {reason}"))
    for path, reason in result.deployed.removed:
        print(_plain(f"{path} removed: {reason}"))


def _foreign(paths: list[str], place: str) -> None:
    for path in paths[:SHOWN]:
        print(_plain(f"{place}{path} is not ours; it was left alone"), file=sys.stderr)
    if len(paths) > SHOWN:
        print(f"{len(paths) - SHOWN} more files there are not ours; they were left alone", file=sys.stderr)


def _plain(line: str) -> str:
    """Make a line that holds strangers' text harmless for a terminal."""
    shown = "".join(char if char.isprintable() else "\N{REPLACEMENT CHARACTER}" for char in line)
    return hidden(shown, os.environ)


def _line_a_phase() -> Tell:
    seen: set[str] = set()

    def tell(phase: str, what: str, done: int = 0, total: int = 0) -> None:  # noqa: ARG001
        if phase not in seen:
            seen.add(phase)
            print(f"{phase} …", file=sys.stderr, flush=True)

    return tell


@contextmanager
def _moving_line() -> Generator[Tell, None, None]:
    """Draw one line that moves; nothing is imported for it before there is something to draw."""
    lines: list[MovingLine] = []

    def tell(phase: str, what: str, done: int = 0, total: int = 0) -> None:
        if not lines:
            from hdash_site.progress import MovingLine

            lines.append(MovingLine())
        lines[0].tell(phase, _plain(what), done, total)

    try:
        yield tell
    finally:
        for line in lines:
            line.stop()
