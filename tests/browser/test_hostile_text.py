"""What strangers write is shown as text, and does nothing: not in the browser, not in a spreadsheet."""

from __future__ import annotations

import csv
import re
from urllib.parse import quote

import pytest
from playwright.sync_api import expect

from tests import worlds
from tests.browser import hostile
from tests.browser.conftest import follow, served

ARTICLE = """+++
title = '</title><script>alert(1)</script>'
description = '"><script>alert(1)</script>'
menu = true
+++
<script>alert(1)</script>

Text <img src=data:,x onerror=alert(1)> in a line, <b onclick="alert(1)">bold</b>.

## <script>alert(1)</script> heading

[a](javascript:alert(1)) [b](&#106;avascript:alert(1)) [c](&#x6A;ava&#x0A;script:alert(1)) [d](JaVaScRiPt:alert(1))
[e]( javascript:alert(1) ) [f](<java	script:alert(1)>) [g](vbscript:x) [h](data:text/html,<script>alert(1)</script>)
[i][ref] <javascript:alert(1)> ![j](javascript:alert(1))
[l](https://example.org/ '" onmouseover="alert(1)') [m](java&Tab;script&colon;alert(1)) [n](//evil.example/x)
[o](&amp;#106;avascript:alert(1)) [p](\\x6aavascript:alert(1)) [q](file:///etc/passwd)

[ref]: javascript:alert(1)

| <script>alert(1)</script> | b |
|---|---|
| <img src=data:,x onerror=alert(1)> | `<script>alert(1)</script>` |

```
</code></pre><script>alert(1)</script>
```
"""


EVERYTHING = """() => {
  const all = [...document.querySelectorAll("*")];
  const links = ["href", "src", "action", "formaction", "data"];
  return [
    all.filter((one) =>
      one.matches("script:not([src]), style, iframe, object, embed, base, form, meta[http-equiv=refresh]")
      || [...one.attributes].some((other) => /^on|^style$|^srcdoc$/i.test(other.name))
    ).map((one) => one.outerHTML),
    all.flatMap((one) => links.filter((name) => one.hasAttribute(name)).map((name) =>
      one[name] ? new URL(one.getAttribute(name), one.baseURI).protocol : "none")),
  ];
}"""
"""What a page has that could run something, and the schemes of all its links."""


@pytest.fixture(scope="module")
def place(tmp_path_factory):
    """A site of hostile atlases; gives its folder."""
    folder = tmp_path_factory.mktemp("hostile")
    site = worlds.site_folder(folder / "site")
    (site / "content/hostile.md").write_text(ARTICLE)
    with (site / "site.toml").open("a") as settings:
        settings.write('[[menu]]\nname = "<script>alert(1)</script>"\nurl = "javascript:alert(1)"\n')
    hostile.collection(folder / "atlases")
    worlds.build(site, folder / "atlases")
    return folder


@pytest.fixture(scope="module")
def public(place):
    return place / "site/public"


@pytest.fixture(scope="module")
def base(public):
    with served(public) as address:
        yield address


def pages(public) -> list[str]:
    return sorted(path.relative_to(public).as_posix() for path in public.rglob("*.html"))


def folders(public) -> list[str]:
    """The folder of each atlas, in the order of `TEXTS`, as the home page has it."""
    table = (public / "index.html").read_text().partition("<tbody>")[2]
    return re.findall(r'<th scope="row"><a href="([^"]+)">', table)


def test_no_page_opens_a_dialog_complains_or_asks_another_host(visit, base, public):
    window = visit(base)
    for path in pages(public):
        if path != "404.html":  # it names its assets from the top of another site
            window.go(path)
            window.page.evaluate("() => document.querySelectorAll('details').forEach(one => one.open = true)")
    assert len(pages(public)) > 6 * len(hostile.TEXTS)
    assert window.troubles == []


def test_no_page_has_anything_that_runs_and_every_link_leads_to_the_web_to_mail_or_into_the_site(
    visit, base, public
):
    window = visit(base, java_script_enabled=False)
    schemes = set()
    for path in pages(public):
        found, leads_to = window.go(path).evaluate(EVERYTHING)
        assert found == [], path
        schemes |= set(leads_to)
    assert schemes <= {"http:", "https:", "mailto:"}


@pytest.mark.parametrize("number", range(len(hostile.TEXTS)), ids=lambda n: repr(hostile.TEXTS[n]))
def test_a_text_is_shown_as_it_was_written(visit, base, public, number):
    text = hostile.seen(hostile.TEXTS[number])
    window = visit(base)
    page = window.go("")
    row = page.locator("table.sortable tbody tr").nth(number)
    assert row.locator("th bdi").inner_text() == text
    assert row.locator("td.name").inner_text() == f"{text} name"

    page = window.go(folders(public)[number])
    assert page.locator("h1 bdi").all_inner_texts() == [text, f"{text} name"]
    assert f"{text} liaison" in page.locator("main > p.small").first.inner_text()
    assert text in page.title()
    labels = page.locator("#metadata tbody th").all_inner_texts()
    assert text in labels
    assert any(
        f"{text}/{text} Therapy" in path for path in page.locator("#metadata td.path").all_inner_texts()
    )
    assert text in page.locator("#paths tbody th").all_inner_texts()
    read = hostile.seen(hostile.TEXTS[number].replace("\0", ""))  # a manifest is read without its NUL bytes
    assert read in page.locator("#longitudinal").text_content()
    assert text in page.locator("#completeness").text_content()
    assert text in page.locator("#validation .values").all_text_contents()[0]

    own = page.locator("#metadata tbody tr", has=page.get_by_text("scRNA-seq Level 1", exact=True))
    follow(own.locator("a"))
    assert read in page.locator("section").last.locator("tbody th").all_inner_texts()
    assert read in page.locator(".places").first.inner_text()
    assert window.troubles == []


@pytest.mark.parametrize("number", range(len(hostile.TEXTS)), ids=lambda n: repr(hostile.TEXTS[n]))
def test_a_malformed_id_has_no_page_and_is_text_where_it_is_looked_up(visit, base, public, number):
    text = hostile.TEXTS[number].replace("\0", "")
    window = visit(base)
    page = window.go(f"{folders(public)[number]}participants/")
    names = page.locator("tbody th bdi").all_inner_texts()
    assert names
    assert all(re.fullmatch("HTA[0-9]+_1", name) for name in names)
    page = window.go(f"find/?id={quote(text, safe='')}")
    # The atlas of the text is called like it.
    answer = re.compile("No id begins with|Go on with")
    page.get_by_role("status").filter(has_text=answer).wait_for()
    assert page.locator("#found").locator("script, img, i, b, u").count() == 0
    assert window.troubles == []


def test_the_search_shows_what_it_finds_as_text(visit, base):
    window = visit(base)
    page = window.go("")
    page.get_by_role("link", name="Search").click()
    for text in hostile.TEXTS:
        page.get_by_label("Search the site").fill(hostile.seen(text))
        first = page.locator(".finder bdi").first
        first.wait_for()
        assert first.inner_text() in (hostile.seen(text), f"What to fix in {hostile.seen(text)}")
        page.get_by_label("Search the site").fill("")
    page.get_by_label("Search the site").fill("<script>alert(1)</script> name")
    expect(page.locator(".finder li").first).to_contain_text("<script>alert(1)</script> name")
    assert page.locator(".finder li").first.locator("script").count() == 0
    assert window.troubles == []


def test_editors_html_is_sanitised_and_their_links_are_harmless(visit, base):
    window = visit(base)
    page = window.go("hostile/")
    text = page.locator("article").inner_text()
    assert "<script>alert(1)</script>" in text, "what is quoted as code stays"
    assert page.locator("article b").inner_text() == "bold"
    assert page.locator("article").locator("script, [onclick], [onerror], [style]").count() == 0
    assert page.title().startswith("</title><script>alert(1)</script>")
    links = page.locator("article a")
    assert links.count() >= 15
    for number in range(links.count()):
        if links.nth(number).evaluate("one => one.origin === location.origin"):
            follow(links.nth(number))
            if page.url.partition("#")[0] != f"{base}hostile/":
                window.go("hostile/")
    assert [one for one in window.troubles if "404 for" not in one and "404 (" not in one] == []


def test_nothing_is_written_outside_of_the_site(place, public):
    assert sorted(path.name for path in place.iterdir()) == ["atlases", "site"]
    written = {path.name for path in (place / "site").iterdir()}
    assert written == {"cache", "content", "layouts", "public", "site.toml"}
    for path in public.rglob("*"):
        assert not path.is_symlink()
        assert re.fullmatch(r"[a-z0-9_.-]+(/[a-z0-9_.-]+)*", path.relative_to(public).as_posix())


def test_downloads_hold_no_formula(public):
    quoted = 0
    tables = [*public.glob("*/findings.csv"), *public.glob("*/completeness-*.csv")]
    tables += [*public.glob("*/fix/fixes.csv"), *public.glob("*/manifests/*/findings.csv")]
    assert len(tables) > len(hostile.TEXTS)
    for path in tables:
        with path.open(newline="", encoding="utf-8") as file:
            for row in csv.reader(file):
                assert not [cell for cell in row if cell[:1] in tuple("=+-@\t\r")], path
                quoted += sum(cell.startswith(("'=", "'+", "'-", "'@")) for cell in row)
    assert quoted > 40
