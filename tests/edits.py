"""The edits of a working day, in any order: what is saved, and where a reader sees it.

Each has files of its own, or adds to one that others add to as well.
"""

from __future__ import annotations

import shutil
from collections.abc import Callable
from pathlib import Path
from typing import NamedTuple

from tests import worlds
from tests.pages.sites import png

SVG = '<svg xmlns="http://www.w3.org/2000/svg" width="{0}" height="9" viewBox="0 0 {0} 9"/>'


class Edit(NamedTuple):
    """`page` is where it shows, `seen` the JavaScript that is true there then, and was not before."""

    page: str
    seen: str
    save: Callable[[Path], None]


def text(words: str) -> str:
    return f"document.body.innerText.includes({words!r})"


def no_text(words: str) -> str:
    return f"!{text(words)}"


MISSING = text("There is no such page")


def write(site: Path, name: str, content: str | bytes) -> None:
    path = site / name
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content.encode() if isinstance(content, str) else content)


def article(site: Path, name: str, body: str = "Words.", matter: str = "") -> None:
    title = name.removesuffix(".md").removesuffix("/index").rpartition("/")[2].capitalize()
    lines = ["+++", f'title = "{title}"', *filter(None, [matter]), "+++", f"{body}\n"]
    write(site, f"content/{name}", "\n".join(lines))


def change(name: str, old: str, new: str) -> Callable[[Path], None]:
    """Replace a text that is there once."""

    def save(site: Path) -> None:
        found = (site / name).read_text()
        assert found.count(old) == 1, (name, old)
        write(site, name, found.replace(old, new))

    return save


def say(name: str, line: str) -> Callable[[Path], None]:
    """Add a line to the front matter of an article."""

    def save(site: Path) -> None:
        path = site / "content" / name
        path.write_text(path.read_text().replace("\n+++\n", f"\n{line}\n+++\n", 1))

    return save


def add(name: str, more: str) -> Callable[[Path], None]:
    def save(site: Path) -> None:
        write(site, name, (site / name).read_text() + more)

    return save


def new(name: str, content: str | bytes) -> Callable[[Path], None]:
    return lambda site: write(site, name, content)


def move(old: str, to: str) -> Callable[[Path], None]:
    def save(site: Path) -> None:
        (site / to).parent.mkdir(exist_ok=True)
        (site / old).rename(site / to)

    return save


def link(site: Path, name: str, target: str) -> None:
    (site / name).symlink_to(target)


def delete(name: str) -> Callable[[Path], None]:
    def save(site: Path) -> None:
        path = site / name
        shutil.rmtree(path) if path.is_dir() else path.unlink()

    return save


def show_a_picture(site: Path) -> None:
    write(site, "content/day/album/new.png", png(30, 2))
    add("content/day/album/index.md", "\n![New](new.png)\n")(site)


def give_a_folder(site: Path) -> None:
    move("content/day/plain.md", "content/day/plain/index.md")(site)
    add("content/day/plain/index.md", "\nIt has a folder now.\n")(site)


def check_out(site: Path) -> None:
    """Put many files there at once, and take others away."""
    for number in range(12):
        (site / f"content/branch/one-{number}.md").unlink()
        article(site, f"branch/two-{number}.md")


EDITS = {
    "body": Edit("day/body/", text("Other words."), change("content/day/body.md", "Words.", "Other words.")),
    "heading": Edit(
        "day/heading/",
        "document.querySelectorAll('nav.contents a').length === 3",
        add("content/day/heading.md", "## Third\n"),
    ),
    "title": Edit(
        "day/title/",
        text("Retitled"),
        change("content/day/title.md", 'title = "Title"', 'title = "Retitled"'),
    ),
    "title in a list": Edit(
        "day/", text("Called so"), change("content/day/listed.md", '"Listed"', '"Called so"')
    ),
    "tag added": Edit(
        "day/blue/",
        "document.querySelector('a[href$=\"tags/blue/\"]')",
        say("day/blue.md", 'tags = ["blue"]'),
    ),
    "tag removed": Edit("tags/red/", no_text("Red-1"), change("content/day/red-1.md", '"red"', '"pink"')),
    "last of a tag": Edit("tags/lone/", MISSING, change("content/day/lone.md", '"lone"', '"rare"')),
    "weight": Edit(
        "order/",
        "document.querySelector('.articles li').innerText.includes('Second')",
        say("order/second.md", "weight = -1"),
    ),
    "date": Edit("day/date/", text("2026-07-01"), say("day/date.md", "date = 2026-07-01")),
    "description": Edit("day/", text("In short."), say("day/description.md", 'description = "In short."')),
    "slug": Edit("day/snail/", text("Words."), say("day/slug.md", 'slug = "snail"')),
    "alias": Edit(
        "old/alias/", "location.pathname === '/day/alias/'", say("day/alias.md", 'aliases = ["old/alias/"]')
    ),
    "menu": Edit("", text("Menu"), say("day/menu.md", "menu = true")),
    "name in the menu": Edit("", text("In brief"), say("day/description.md", 'menu = "In brief"')),
    "layout": Edit(
        "day/layout/", "document.querySelector('.broad')", say("day/layout.md", 'layout = "broad"')
    ),
    "YAML": Edit(
        "day/yaml/", text("In YAML"), new("content/day/yaml.md", "---\ntitle: In YAML\n---\nWords.\n")
    ),
    "draft set": Edit("day/set/", "document.querySelector('h1 .draft')", say("day/set.md", "draft = true")),
    "draft unset": Edit(
        "day/", no_text("Unset Draft"), change("content/day/unset.md", "draft = true", "draft = false")
    ),
    "publish date": Edit(
        "day/early/",
        text("Not on the site before 2999-01-01"),
        say("day/early.md", "publish_date = 2999-01-01"),
    ),
    "expiry date": Edit(
        "day/late/", text("Not on the site after 2001-01-01"), say("day/late.md", "expiry_date = 2001-01-01")
    ),
    "shortcode added": Edit(
        "day/call/",
        text("3 files"),
        add("content/day/call.md", '{{< figure atlas="HTA1" field="manifests" >}} files\n'),
    ),
    "shortcode changed": Edit(
        "day/called/",
        text("Errors: 0"),
        change(
            "content/day/called.md",
            'Manifests: {{< total field="manifests"',
            'Errors: {{< total field="errors"',
        ),
    ),
    "layout of a shortcode": Edit(
        "day/quotes/", text("quoted so"), add("layouts/shortcodes/findings.mako", " (quoted so)\n")
    ),
    "new shortcode": Edit(
        "day/wave/",
        text("Hello"),
        lambda site: (
            write(site, "layouts/shortcodes/wave.mako", '<%doc>\nmeaning = "A greeting."\n</%doc>\nHello\n'),
            add("content/day/wave.md", "{{< wave >}}\n")(site),
        )[0],
    ),
    "article layout": Edit(
        "day/seen/", text("Below each"), add("layouts/article.mako", "<p>Below each</p>\n")
    ),
    "section layout": Edit("order/", text("Below all"), add("layouts/section.mako", "<p>Below all</p>\n")),
    "base layout": Edit(
        "", text("At the end"), change("layouts/base.mako", "</footer>", "<p>At the end</p>\n</footer>")
    ),
    "partial": Edit(
        "order/",
        text("Listed so"),
        change(
            "layouts/partials/words.mako", '<ul class="articles">', '<p>Listed so</p>\n<ul class="articles">'
        ),
    ),
    "inherited layout": Edit(
        "day/inherits/",
        "document.title.startsWith('Of another')",
        change("layouts/inherits.mako", "base.mako", "another.mako"),
    ),
    "atlas layout": Edit(
        "hta1/", text("Of all atlases"), add("layouts/atlas.mako", "<p>Of all atlases</p>\n")
    ),
    "layout of what is missing": Edit(
        "nowhere/", text("Nor here"), add("layouts/missing.mako", "<p>Nor here</p>\n")
    ),
    "style": Edit(
        "day/seen/",
        "getComputedStyle(document.body).letterSpacing === '3px'",
        add("layouts/assets/site.css", "body { letter-spacing: 3px; }\n"),
    ),
    "script": Edit(
        "day/seen/",
        "document.body.dataset.mark === 'new'",
        add("layouts/assets/site.js", "document.body.dataset.mark = 'new';\n"),
    ),
    "picture of the layouts": Edit(
        "day/seen/",
        "document.querySelector('header img').naturalWidth === 40",
        new("layouts/assets/icon.svg", SVG.format(40)),
    ),
    "title of the site": Edit(
        "", "document.title.includes('Renamed site')", change("site.toml", "Test site", "Renamed site")
    ),
    "menu of the site": Edit(
        "day/seen/", text("Elsewhere"), add("site.toml", '[[menu]]\nname = "Elsewhere"\nurl = "about/"\n')
    ),
    "redirect": Edit(
        "gone/",
        "location.pathname === '/day/seen/'",
        add("site.toml", '[[redirect]]\nfrom = "gone/"\nto = "day/seen/"\n'),
    ),
    "HTML allowed": Edit(
        "day/html/", "document.querySelector('dialog')", add("site.toml", "[content]\nraw_html = true\n")
    ),
    "new page": Edit(
        "day/fresh/", text("Fresh words."), lambda site: article(site, "day/fresh.md", "Fresh words.")
    ),
    "new section": Edit(
        "chapter/", text("Of a chapter"), lambda site: article(site, "chapter/_index.md", "Of a chapter")
    ),
    "section of itself": Edit("volume/", text("Volume"), lambda site: article(site, "volume/one.md")),
    "page deleted": Edit("day/doomed/", MISSING, delete("content/day/doomed.md")),
    "page renamed": Edit("day/after/", text("Before"), move("content/day/before.md", "content/day/after.md")),
    "page moved": Edit("order/", text("Mover"), move("content/day/mover.md", "content/order/mover.md")),
    "section deleted": Edit("finished/", MISSING, delete("content/finished")),
    "section renamed": Edit("latin/", text("Rosa"), move("content/greek", "content/latin")),
    "introduction": Edit(
        "day/", text("Of a day, and more"), change("content/day/_index.md", "Of a day", "Of a day, and more")
    ),
    "folder of its own": Edit("day/plain/", text("It has a folder now."), give_a_folder),
    "picture added": Edit(
        "day/album/", "document.querySelector('img[alt=New]')?.naturalWidth === 30", show_a_picture
    ),
    "picture replaced": Edit(
        "day/album/",
        "document.querySelector('img[alt=Old]')?.naturalWidth === 20",
        new("content/day/album/old.png", png(20, 2)),
    ),
    "table added": Edit(
        "day/album/",
        "fetch('numbers.csv').then((answer) => answer.ok)",
        new("content/day/album/numbers.csv", "a,b\n"),
    ),
    "name in another script": Edit("day/日本/", text("日本"), lambda site: article(site, "day/日本.md")),
    "tag in another script": Edit(
        "day/script/",
        "document.querySelector('a[href$=\"tags/%E6%95%B0%E6%8D%AE/\"]')",
        say("day/script.md", 'tags = ["数据"]'),
    ),
    "tag spelled otherwise": Edit("tags/red/", text("Spelled"), say("day/spelled.md", 'tags = ["RÉD"]')),
    "linked article": Edit(
        "day/linked/", text("Linked words."), lambda site: link(site, "content/day/linked.md", "target.md")
    ),
    "linked folder": Edit("poem/one/", text("Of a verse"), lambda site: link(site, "content/poem", "verse")),
    "target of a link": Edit(
        "day/twin/", text("Said anew."), change("content/day/original.md", "Words.", "Said anew.")
    ),
    "data": Edit("day/team/", text("Led by Grace"), change("content/data/team.toml", "Ada", "Grace")),
    "checkout": Edit("branch/", text("Two-11"), check_out),
}


def site(folder: Path) -> Path:
    """Make a site in which each edit can be made."""
    site = worlds.site_folder(folder)
    for name in ("body", "title", "listed", "blue", "date", "description", "slug", "alias", "menu", "seen"):
        article(site, f"day/{name}.md")
    for name in ("set", "early", "late", "call", "wave", "doomed", "before", "mover", "plain"):
        article(site, f"day/{name}.md")
    article(site, "day/before.md", "Before")
    article(site, "day/_index.md", "Of a day")
    article(site, "day/heading.md", "## First\n\n## Second\n")
    article(site, "day/red-1.md", matter='tags = ["red"]')
    article(site, "day/red-2.md", matter='tags = ["red"]')
    article(site, "day/lone.md", matter='tags = ["lone"]')
    article(site, "day/unset.md", matter="draft = true")
    article(site, "day/layout.md")
    article(site, "day/script.md")
    article(site, "day/spelled.md")
    article(site, "day/target.md", "Linked words.")
    article(site, "day/original.md")
    article(site, "verse/one.md", "Of a verse")
    link(site, "content/day/twin.md", "original.md")
    article(site, "day/yaml.md")
    article(site, "day/called.md", 'Manifests: {{< total field="manifests" >}}')
    article(site, "day/quotes.md", "Found: {{< findings >}}.")
    article(site, "day/inherits.md", matter='layout = "inherits"')
    article(site, "day/html.md", "<dialog>Raw.</dialog>")
    article(site, "day/album/index.md", "![Old](old.png)")
    article(site, "day/team.md", matter='layout = "team"')
    article(site, "order/first.md")
    article(site, "order/second.md")
    article(site, "finished/one.md")
    article(site, "greek/rosa.md")
    for number in range(12):
        article(site, f"branch/one-{number}.md")
    write(site, "content/day/album/old.png", png(10, 2))
    write(site, "content/data/team.toml", 'lead = "Ada"\n')
    base = '<%inherit file="base.mako"/>\n'
    write(site, "layouts/broad.mako", f'{base}<div class="broad">${{body}}</div>\n')
    write(site, "layouts/inherits.mako", f"{base}${{body}}\n")
    write(site, "layouts/another.mako", f'{base}<%def name="title()">Of another</%def>\n')
    write(site, "layouts/team.mako", f"{base}<p>Led by ${{data.team['lead']}}</p>\n")
    return site
