"""The same articles as a site for each generator, with layouts that show the same: title, body, neighbours.

A writer makes a site below a folder; `NAME` is the article that measurements change, `PLACES` where it lies.
"""

from __future__ import annotations

import shutil
from collections.abc import Generator
from pathlib import Path
from typing import NamedTuple

from benchmarks.__main__ import HERE, hdash

NAME = "p00007"
_PARAGRAPH = (
    "Atlases hold the files of many centres, and *each* of these files is described by a row of a manifest. "
    "A coordinator looks at them in the morning: what is new, what is missing, and what was mended since. "
    "Where a value is not known, `Not Reported` is written, which is no mistake but no help either. "
    "More about it stands in [the primer](https://example.org/primer), with **examples** for each of them.\n"
)
_SECTION = (
    "## Part {part}\n\n{paragraph}\n"
    "- first, a list of what to do\n- then, a second thing\n- and a third one\n\n"
    "| component | files |\n| --- | --- |\n| Biospecimen | 120 |\n| Demographics | 44 |\n\n{paragraph}\n"
)
WORDS = "".join(_SECTION.format(part=part, paragraph=_PARAGRAPH) for part in (1, 2, 3, 4))


class Article(NamedTuple):
    """A title in plain words, a day as in 2026-01-31, one tag, and markdown of 600 words."""

    name: str
    title: str
    date: str
    tag: str
    body: str = WORDS


def articles(count: int) -> Generator[Article, None, None]:
    for number in range(count):
        yield Article(f"p{number:05}", f"Page {number}", f"2026-01-{number % 28 + 1:02}", f"t{number % 10}")


def as_ours(root: Path, count: int, *sample: str) -> None:
    """Write them as one section of a site of ours (`begun`)."""
    begun(root, *sample)
    _toml(root, count)


def begun(root: Path, *sample: str) -> None:
    """Write a site without articles beside sample atlases, which `sample` describes (`hdash-site sample`)."""
    shutil.copytree(HERE / "layouts", root / "layouts")
    _write(root, {"site.toml": '[source]\nkind = "folder"\npath = "../atlases"\n'})
    hdash(root, "sample", str(root / "../atlases"), *sample)


def as_hugo(root: Path, count: int) -> None:
    base = '<html><head><title>{{ .Title }}</title></head><body>{{ block "main" . }}{{ end }}</body></html>'
    beside = '{{ with .%s }}<a href="{{ .RelPermalink }}">{{ .Title }}</a>{{ end }}'
    single = "<h1>{{ .Title }}</h1>{{ .Content }}" + beside % "PrevInSection" + beside % "NextInSection"
    rows = '{{ range .Pages }}<a href="{{ .RelPermalink }}">{{ .Title }}</a>{{ end }}'
    files = {
        "hugo.toml": 'baseURL = "/"\ntitle = "News"\n',
        "layouts/_default/baseof.html": base,
        "layouts/_default/single.html": f'{{{{ define "main" }}}}{single}{{{{ end }}}}',
        "layouts/_default/list.html": f'{{{{ define "main" }}}}<h1>{{{{ .Title }}}}</h1>{rows}{{{{ end }}}}',
    }
    _write(root, files)
    _toml(root, count)


def as_pelican(root: Path, count: int) -> None:
    conf = "PATH = 'content'\nSITENAME = 'News'\nTIMEZONE = 'UTC'\nTHEME = 'simple'\nDEFAULT_LANG = 'en'\n"
    _write(
        root, {"pelicanconf.py": f"{conf}FEED_ALL_ATOM = CATEGORY_FEED_ATOM = TRANSLATION_FEED_ATOM = None\n"}
    )
    for one in articles(count):
        matter = f"Title: {one.title}\nSlug: {one.name}\nDate: {one.date}\nTags: {one.tag}\n\n"
        _write(root, {f"content/news/{one.name}.md": matter + one.body})


def as_mkdocs(root: Path, count: int) -> None:
    # A page that lists all pages beside itself is what makes its own themes slow: ours does not.
    conf = "site_name: News\nplugins: []\ntheme: {name: null, custom_dir: theme}\nnav: [index.md]\n"
    _write(root, {"mkdocs.yml": conf, "docs/index.md": "# News\n", "theme/main.html": _page("page.content")})
    _yaml(root / "docs", count)


def as_nikola(root: Path, count: int) -> None:
    conf = (
        "BLOG_AUTHOR = BLOG_TITLE = BLOG_DESCRIPTION = 'News'\nSITE_URL = 'http://localhost/'\n"
        "BLOG_EMAIL = 'a@b.c'\nDEFAULT_LANG = 'en'\nTRANSLATIONS = {'en': ''}\nTHEME = 'base'\n"
        "POSTS = (('news/*.md', 'news', 'post.tmpl'),)\nPAGES = ()\nTIMEZONE = 'UTC'\n"
        "COMPILERS = {'markdown': ('.md',)}\nGENERATE_RSS = GENERATE_ATOM = False\n"
    )
    _write(root, {"conf.py": conf})
    for one in articles(count):
        matter = f".. title: {one.title}\n.. slug: {one.name}\n.. date: {one.date} 00:00:00 UTC\n"
        _write(root, {f"news/{one.name}.md": f"{matter}.. tags: {one.tag}\n\n{one.body}"})


def as_lektor(root: Path, count: int) -> None:
    fields = "[fields.title]\ntype = string\n[fields.date]\ntype = date\n[fields.body]\ntype = markdown\n"
    rows = "{% for one in this.children %}<a href='{{ one|url }}'>{{ one.title }}</a>{% endfor %}"
    beside = "{% set s = this.get_siblings() %}{% for one in [s.prev_page, s.next_page] if one %}"
    beside += "<a href='{{ one|url }}'>{{ one.title }}</a>{% endfor %}"
    files = {
        "news.lektorproject": "[project]\nname = News\n",
        "models/page.ini": "[model]\nname = Page\n[fields.title]\ntype = string\n",
        "models/news.ini": "[model]\nname = News\n[children]\nmodel = article\norder_by = date\n"
        "[fields.title]\ntype = string\n",
        "models/article.ini": f"[model]\nname = Article\nlabel = {{{{ this.title }}}}\n{fields}",
        "templates/page.html": _page("this.title", "this"),
        "templates/news.html": f"<html><body><h1>{{{{ this.title }}}}</h1>{rows}</body></html>",
        "templates/article.html": _page("this.body", "this", beside),
        "content/contents.lr": "title: Home\n",
        "content/news/contents.lr": "_model: news\n---\ntitle: News\n",
    }
    _write(root, files)
    for one in articles(count):
        matter = f"title: {one.title}\n---\ndate: {one.date}\n---\nbody:\n\n"
        _write(root, {f"content/news/{one.name}/contents.lr": matter + one.body})


def as_eleventy(root: Path, count: int) -> None:
    rows = "{% for one in collections.all %}<a href='{{ one.url }}'>{{ one.data.title }}</a>{% endfor %}"
    files = {
        "content/_includes/base.njk": _page("content | safe", ""),
        "content/index.njk": f"---\ntitle: News\n---\n{rows}",
        "content/news/news.json": '{"layout": "base.njk"}',
    }
    _write(root, files)
    _yaml(root / "content", count)


PLACES = {
    "ours": f"content/news/{NAME}.md",
    "hugo": f"content/news/{NAME}.md",
    "pelican": f"content/news/{NAME}.md",
    "mkdocs": f"docs/news/{NAME}.md",
    "nikola": f"news/{NAME}.md",
    "lektor": f"content/news/{NAME}/contents.lr",
    "eleventy": f"content/news/{NAME}.md",
}


def _page(body: str, owner: str = "page", more: str = "") -> str:
    title = f"{owner}.title" if owner else "title"
    return (
        f"<html><head><title>{{{{ {title} }}}}</title></head>"
        f"<body><h1>{{{{ {title} }}}}</h1>{{{{ {body} }}}}{more}</body></html>"
    )


def _toml(root: Path, count: int) -> None:
    for one in articles(count):
        matter = f'title = "{one.title}"\ndate = {one.date}\ntags = ["{one.tag}"]'
        _write(root, {f"content/news/{one.name}.md": f"+++\n{matter}\n+++\n{one.body}"})


def _yaml(content: Path, count: int) -> None:
    for one in articles(count):
        matter = f"title: {one.title}\ndate: {one.date}\ntags: [{one.tag}]"
        _write(content, {f"news/{one.name}.md": f"---\n{matter}\n---\n{one.body}"})


def _write(root: Path, files: dict[str, str]) -> None:
    for name, text in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(text)
