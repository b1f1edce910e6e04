"""The commands and their options; each is one call. An error becomes one line and an exit code.

Nothing heavy is imported here: a command imports what it needs.
"""

from __future__ import annotations

import os
import sys
import time
from collections.abc import Callable
from functools import partial
from pathlib import Path
from typing import Any

import click

from hdash_site import __version__, state_commands
from hdash_site.errors import ConfigError, HdashError, unexpected
from hdash_site.secrets import hidden

FOLDER = click.Path(file_okay=False, path_type=Path)


def _options(*decorators: Callable[[Any], Any]) -> Callable[[Any], Any]:
    def decorate(command: Any) -> Any:
        for decorator in reversed(decorators):
            command = decorator(command)
        return command

    return decorate


_root = click.option("--root", type=FOLDER, default=".", help="The folder of site.toml. Default: this one.")
_cache = click.option("--cache", type=FOLDER, help="Where state is kept. Default: cache/ in the site.")
_output = click.option("--output", type=FOLDER, help="Where the site goes. Default: public/ in the site.")
_source = click.option(
    "--source", type=FOLDER, help="A folder of atlases, instead of the source in site.toml."
)
_atlas = click.option(
    "--atlas", "atlases", multiple=True, metavar="ID", help="Look at this atlas only; repeatable."
)
_offline = click.option("--offline", is_flag=True, help="Crawl nothing; build from the last snapshots.")
_strict = click.option("--strict", is_flag=True, help="Exit with 1, not 3, if an atlas could not be read.")
_accept_loss = click.option(
    "--accept-loss",
    is_flag=True,
    help="Accept a crawl in which an atlas lost more than a tenth of its entities (default: the atlas counts"
    " as failed and keeps its last pages).",
)
_new_history = click.option(
    "--new-history",
    is_flag=True,
    help="Begin a new history although the published site has editions that the state does not know.",
)
_quiet = click.option("--quiet", is_flag=True, help="Print problems only.")
_yes = click.option("--yes", is_flag=True, help="Do not ask.")
_json = click.option("--json", "as_json", is_flag=True, help="End with the summary as one line of JSON.")


@click.group(context_settings={"help_option_names": ["-h", "--help"]})
@click.option("--debug", is_flag=True, help="Show tracebacks of errors in this program.")
def commands(debug: bool) -> None:
    """Make the HTAN Dashboard: a static site of what each tumor atlas holds and what to fix in it."""


def _debug() -> bool:
    return click.get_current_context().find_root().params["debug"]


@commands.command()
@_options(_root, _source, _output, _cache)
@click.option("--jobs", type=click.IntRange(1), help="Processes at work. Default: one a processor.")
@_options(_atlas, _offline, _strict, _accept_loss)
@click.option("--force", is_flag=True, help="Run every recipe again.")
@click.option(
    "--explain", is_flag=True, help="Print each recipe that ran and each file written, with the reason."
)
@_options(_new_history, _quiet, _json)
def build(
    root: Path,
    source: Path | None,
    output: Path | None,
    cache: Path | None,
    jobs: int | None,
    atlases: tuple[str, ...],
    offline: bool,
    strict: bool,
    accept_loss: bool,
    force: bool,
    explain: bool,
    new_history: bool,
    quiet: bool,
    as_json: bool,
) -> int:
    """Read the atlases, make what changed, and leave the finished site in public/."""
    from hdash_site import app, console

    jobs = jobs or os.cpu_count() or 1
    options = app.Options(
        root,
        source,
        output,
        cache,
        jobs,
        atlases,
        force,
        offline,
        strict,
        accept_loss,
        new_history=new_history,
    )
    style = console.Style(quiet, explain, as_json, _debug())
    with console.progress(style) as tell:
        result = app.build(options, tell)
    console.show(result, app.output_folder(options), style)
    return result.exit_code


@commands.command()
@_options(_root, _source, _output, _cache)
@click.option("--port", type=click.IntRange(1, 65535), help="Default: 1313, or the next one that is free.")
@click.option(
    "--bind",
    default="127.0.0.1",
    show_default=True,
    metavar="ADDRESS",
    help="Where to listen; if others can reach it, --allow-hosts must say what they call it.",
)
@click.option(
    "--allow-hosts",
    "hosts",
    default="",
    metavar="NAMES",
    help="Names that the preview answers to, beside this machine's own, with commas between them.",
)
@click.option("--crawl", "crawls", is_flag=True, help="Ask the source first, instead of the last snapshots.")
@click.option("--navigate", is_flag=True, help="Lead open tabs to the article that was saved.")
@_options(_new_history, _quiet)
def serve(
    root: Path,
    source: Path | None,
    output: Path | None,
    cache: Path | None,
    port: int | None,
    bind: str,
    hosts: str,
    crawls: bool,
    navigate: bool,
    new_history: bool,
    quiet: bool,
) -> None:
    """Show the site in a browser, and build it again at every save: open tabs follow."""
    from hdash_site import app, console
    from hdash_site.preview.serve import Serving, serve

    options = app.Options(root, source, output, cache, os.cpu_count() or 1, new_history=new_history)
    names = tuple(filter(None, (name.strip() for name in hosts.split(","))))
    how = Serving(bind, port, names, crawls, navigate)
    try:
        serve(options, how, console.show_address, partial(console.show_rebuilt, quiet=quiet))
    except KeyboardInterrupt:
        click.echo("stopped", err=True)


_most = click.option(
    "--max-delete",
    "most",
    default="20%",
    show_default=True,
    metavar="N",
    help="Largest number of files to delete at once, or a share of all files (ten are always allowed). More "
    "deletions than this wait for some nights (deploy.delete_after_nights); uploads do not.",
)
_adopt = click.option(
    "--adopt",
    is_flag=True,
    help="Replace another site that deployed to the same bucket and prefix.",
)
_trust = click.option(
    "--trust-ledger",
    "trust",
    is_flag=True,
    help="Do not list the bucket if nobody else has deployed since; files altered by hand stay unseen.",
)


@commands.command()
@_options(_root, _cache)
@click.option("--dry-run", "dry", is_flag=True, help="Print each step with its reason, and do none.")
@_options(_most, _trust, _adopt, _new_history)
@click.option("--delete-pending", "pending", is_flag=True, help="Carry out the deletions that wait.")
@click.option("--explain", is_flag=True, help="Print each step with its reason.")
@_options(_quiet, _json)
def deploy(
    root: Path,
    cache: Path | None,
    dry: bool,
    most: str,
    trust: bool,
    adopt: bool,
    pending: bool,
    new_history: bool,
    explain: bool,
    quiet: bool,
    as_json: bool,
) -> None:
    """Bring the bucket S3_BUCKET_NAME to the site as it was built last."""
    from hdash_site import app, console

    style = console.Style(quiet, explain or dry, as_json)
    with console.progress(style) as tell:
        how = app.Deploying(most, trust=trust, dry=dry, adopt=adopt, pending=pending)
        deployed = app.deploy(app.Options(root, None, None, cache, new_history=new_history), how, tell)
    console.show_deployed(deployed, style, dry=dry)


@commands.command()
@_options(_root, _cache, _most, _trust, _adopt, _new_history)
@click.pass_context
def plan(
    context: click.Context,
    root: Path,
    cache: Path | None,
    most: str,
    trust: bool,
    adopt: bool,
    new_history: bool,
) -> None:
    """Print what deploy would do, each step with its reason, and do none of it."""
    context.invoke(
        deploy,
        root=root,
        cache=cache,
        dry=True,
        most=most,
        trust=trust,
        adopt=adopt,
        pending=False,
        new_history=new_history,
        explain=False,
        quiet=False,
        as_json=False,
    )


class _Time(click.ParamType[int]):
    """A time like 90s, 50m or 2h; in seconds."""

    name = "time"

    def convert(self, value: Any, param: click.Parameter | None, ctx: click.Context | None) -> Any:
        unit = {"s": 1, "m": 60, "h": 3600}.get(str(value)[-1:])
        number = str(value)[:-1]
        if unit is None or not (number.isascii() and number.isdigit() and 0 < int(number[:9]) < 10**6):
            self.fail(f'"{value}" is no time; write one like 50m.', param, ctx)
        return int(number) * unit


@commands.command()
@_options(_root, _output, _cache)
@click.option("--jobs", type=click.IntRange(1), help="Processes at work. Default: one a processor.")
@_options(_strict, _accept_loss, _most, _trust, _adopt)
@click.option(
    "--deadline",
    type=_Time(),
    metavar="TIME",
    help="When to be done, such as 50m: what is whole by then is deployed.",
)
@_options(_new_history, _quiet)
@click.option("--json", "as_json", is_flag=True, help="Print a line of JSON for all that happens.")
def nightly(
    root: Path,
    output: Path | None,
    cache: Path | None,
    jobs: int | None,
    strict: bool,
    accept_loss: bool,
    most: str,
    trust: bool,
    adopt: bool,
    deadline: int | None,
    new_history: bool,
    quiet: bool,
    as_json: bool,
) -> int:
    """Crawl, build, deploy and tell Slack: all that a night has to do."""
    from hdash_site import app, console
    from hdash_site.nightly import nightly
    from hdash_site.options import Deadline

    until = Deadline(time.monotonic(), deadline) if deadline else None
    jobs = jobs or os.cpu_count() or 1
    options = app.Options(
        root,
        None,
        output,
        cache,
        jobs,
        strict=strict,
        accept_loss=accept_loss,
        deadline=until,
        new_history=new_history,
    )
    style = console.Style(quiet, as_json=as_json, debug=_debug())
    with console.night_progress(style) as tell:
        night = nightly(options, app.Deploying(most, trust=trust, adopt=adopt), tell)
    console.show_night(night, style)
    return night.exit_code


@commands.command()
@_root
def slack(root: Path) -> None:
    """Send a test message to SLACK_WEBHOOK_URL."""
    from hdash_site import app, notify

    title = app.config_of(app.Options(root)).title
    problem = notify.tell(notify.trial(title, notify.web_site()))
    if problem:
        raise HdashError(problem)
    click.echo("Slack was told")


@commands.command()
@_options(_root, _source, _cache, _atlas, _strict, _accept_loss, _quiet)
def crawl(
    root: Path,
    source: Path | None,
    cache: Path | None,
    atlases: tuple[str, ...],
    strict: bool,
    accept_loss: bool,
    quiet: bool,
) -> int:
    """Read the atlases that changed, and make no page."""
    from hdash_site import app, console

    options = app.Options(root, source, None, cache, atlases=atlases, strict=strict, accept_loss=accept_loss)
    with console.progress(console.Style(quiet)) as tell:
        crawled = app.crawl_only(options, tell)
    return console.show_crawl(crawled, quiet, strict)


@commands.command()
@click.argument("folder", type=FOLDER, metavar="DIR")
@_options(_root, _cache, _atlas)
def pull(folder: Path, root: Path, cache: Path | None, atlases: tuple[str, ...]) -> None:
    """Write the last snapshots of the atlases into DIR, for builds without Synapse."""
    from hdash_site import app

    for atlas, manifests in app.pull(app.Options(root, None, None, cache, atlases=atlases), folder):
        click.echo(f"{atlas}: {manifests} manifests")
    click.echo(f"build them: hdash-site build --source {folder}")


@commands.command()
@click.argument("path")
@_options(_root, _output, _cache)
def why(path: str, root: Path, output: Path | None, cache: Path | None) -> None:
    """Say why a file of the site was made last, and what led to that."""
    from hdash_site import app, console

    options = app.Options(root, None, output, cache)
    console.show_reasons(app.why(options, _in_site(path, app.output_folder(options))))


@commands.command()
@click.argument("folder", type=FOLDER, metavar="DIR")
@click.option("--seed", type=int, default=7, show_default=True, help="Another seed, other atlases.")
@click.option(
    "--scale", type=click.FloatRange(0, min_open=True), default=0.02, show_default=True, help="1 is HTAN."
)
@click.option("--atlases", type=click.IntRange(1), help="How many atlases. Default: all fourteen.")
def sample(folder: Path, seed: int, scale: float, atlases: int | None) -> None:
    """Write made-up atlases into DIR, with faults in them; truth.json says where."""
    from hdash_site import app

    app.write_sample(folder, seed, scale, atlases)
    click.echo(f"build them: hdash-site build --source {folder}")


@commands.command()
@_options(_root, _source, _cache)
@click.option(
    "--projects",
    type=click.Path(dir_okay=False, path_type=Path),
    help="A projects.csv whose atlases to crawl from Synapse, if site.toml lists none.",
)
def init(root: Path, source: Path | None, cache: Path | None, projects: Path | None) -> int:
    """Make the tables of the state where HDASH_DB_… say, and see that every atlas can be read."""
    from hdash_site import app, console, upkeep

    options = app.Options(root, source, None, cache)
    return console.show_init(app.place_of(options), upkeep.init(options, projects))


@commands.command()
@_options(_root, _cache)
def status(root: Path, cache: Path | None) -> None:
    """Show when each atlas was last crawled, verified and changed, and its findings; times are in UTC."""
    from hdash_site import app, console, upkeep

    console.show_status(upkeep.status(app.Options(root, None, None, cache)))


@commands.command()
@_options(_root, _source, _output, _cache)
@click.option("--json", "as_json", is_flag=True, help="Print them as one object in JSON, nothing shortened.")
def config(root: Path, source: Path | None, output: Path | None, cache: Path | None, as_json: bool) -> None:
    """Print each setting in force, and what it comes from; of a secret, only that it is set."""
    from hdash_site import app, console, upkeep

    options = app.Options(root, source, output, cache)
    console.show_settings(upkeep.in_force(options), as_json=as_json)


FORGOTTEN = "This forgets the snapshots of the atlases, and the traces, values and looks of all builds."
KEPT = "It keeps the ledger of runs, the history of the figures, and which files of the site are ours."


@commands.command()
@_options(_root, _cache, _yes)
def reset(root: Path, cache: Path | None, yes: bool) -> None:
    """Forget what was crawled and built, so that the next build does all of it anew."""
    from hdash_site import app, upkeep

    click.echo(f"{FORGOTTEN} {KEPT}")
    if not yes:
        click.confirm("Forget it?", abort=True)
    upkeep.reset(app.Options(root, None, None, cache))
    click.echo("forgotten; the next build does all of it anew")


@commands.group()
def history() -> None:
    """Show or correct the history of the figures."""


@history.command("list")
@_options(_root, _cache)
@click.option("--json", "as_json", is_flag=True, help="Print the editions as a list in JSON.")
def history_list(root: Path, cache: Path | None, as_json: bool) -> None:
    """List the editions of each source, oldest first; times are in UTC."""
    from hdash_site import app, console, upkeep

    console.show_history(upkeep.history(app.Options(root, None, None, cache)), as_json=as_json)


@history.command("show")
@click.argument("edition")
@_options(_root, _cache)
@click.option("--json", "as_json", is_flag=True, help="Print the edition as one object in JSON.")
def history_show(edition: str, root: Path, cache: Path | None, as_json: bool) -> None:
    """Show an edition in full. EDITION is its time, or how that begins, as in 2026-07-01."""
    from hdash_site import app, console, upkeep

    chosen = upkeep.edition(app.Options(root, None, None, cache), edition)
    console.show_edition(chosen, as_json=as_json)


@history.command("drop")
@click.argument("edition")
@_options(_root, _cache, _yes)
def history_drop(edition: str, root: Path, cache: Path | None, yes: bool) -> None:
    """Drop an edition, and compare the next one with the one before it (cannot be undone)."""
    from hdash_site import app, console, upkeep

    options = app.Options(root, None, None, cache)
    chosen = upkeep.edition(options, edition)
    console.show_edition_briefly(chosen)
    _ask("Drop this edition? It cannot be made again.", yes)
    upkeep.drop_edition(options, chosen)
    click.echo(f"dropped: {chosen.when}; the next build removes its page")


@commands.command()
@_options(_root, _output, _cache, _yes)
def clean(root: Path, output: Path | None, cache: Path | None, yes: bool) -> None:
    """Delete all state, including the history (cannot be undone), caches and generated files."""
    from hdash_site import app, console, upkeep

    options = app.Options(root, None, output, cache)
    loss = upkeep.loss(options)
    if loss is None:
        click.echo(f"there is no state in {app.place_of(options)}: nothing to delete")
        return
    console.show_loss(loss)
    _ask("Delete all of it?", yes)
    for path in upkeep.clean(options):
        click.echo(f"deleted: {path}")


def _ask(question: str, yes: bool) -> None:
    """Ask before deleting what cannot be made again. Raises `ConfigError` if there is no terminal."""
    if yes:
        return
    if not sys.stdin.isatty():
        raise ConfigError(
            "nothing was deleted: this needs a confirmation, and there is no terminal", "", "give --yes"
        )
    click.confirm(question, abort=True)


@commands.command()
@_options(_root, _cache)
@click.option("--json", "as_json", is_flag=True, help="Print all of it as one object in JSON.")
def check(root: Path, cache: Path | None, as_json: bool) -> int:
    """Find broken links and other mistakes in the site as it was built last; exit with 1 on errors."""
    from hdash_site import app, console
    from hdash_site.review import review

    return console.show_review(review(app.Options(root, None, None, cache)), as_json=as_json)


@commands.command()
@click.argument("path", type=click.Path(path_type=Path))
@_root
def new(path: Path, root: Path) -> None:
    """Begin an article, such as content/news/july.md, as its archetype says."""
    from hdash_site import app, upkeep

    upkeep.new_article(app.Options(root), path)
    click.echo(f"written: {path}")


@commands.command()
def checks() -> None:
    """List the checks."""
    from hdash_site import app

    for code, severity, title in app.list_checks():
        click.echo(f"{code:14} {severity:8} {title}")


@commands.command()
def version() -> None:
    """Print the version."""
    click.echo(f"hdash-site {__version__}")


commands.add_command(state_commands.state)


def main() -> None:
    """Run a command; the only place that ends the process."""
    try:
        code = commands.main(standalone_mode=False)
    except click.exceptions.Abort:
        code = _complain("stopped", 1)
    except click.exceptions.NoArgsIsHelpError as error:
        error.show()
        code = 2
    except click.UsageError as error:
        help_of = error.ctx.command_path if error.ctx else "hdash-site"
        code = _complain(f"{error.format_message()} See {help_of} --help", 2)
    except HdashError as error:
        code = _complain(str(error), error.exit_code)
    except BrokenPipeError:
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    except Exception as error:
        code = _complain(unexpected(error), 1)
        if "--debug" in sys.argv:  # the context of the command is gone
            import traceback

            click.echo(hidden("".join(traceback.format_exception(error)), os.environ), err=True)
    sys.exit(code or 0)


def _complain(line: str, code: int) -> int:
    click.echo(f"hdash-site: {hidden(line, os.environ)}", err=True)
    return code


def _in_site(path: str, output: Path) -> str:
    """Give a path below the site, whether it was named from there or from here."""
    full = Path(path).absolute()
    return full.relative_to(output).as_posix() if full.is_relative_to(output) else path.lstrip("/")
