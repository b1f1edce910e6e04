"""Live figures in articles: what is a call, what it gives, and when its page is made again."""

from __future__ import annotations

import json
import re
from html.parser import HTMLParser

import pytest
from hypothesis import given
from hypothesis import strategies as st

from hdash_site.errors import ContentError, LayoutError
from hdash_site.pages import content, markup, prose, shortcodes
from tests import worlds

HEAD = '+++\ntitle = "Live"\n+++\n'
FIRST = 4
"""The line of the file on which a body begins."""


def read(body):
    """The calls of a body that count: name, arguments, line, and where they stand."""
    found = shortcodes.parts("content/live.md", (HEAD + body).encode(), body, markup.to_html)
    calls = json.loads(found.get("calls", b'{"calls": []}'))["calls"]
    return [tuple(call) for call in calls if call]


def problem(body):
    with pytest.raises(ContentError) as caught:
        read(body)
    return str(caught.value)


class TestWhatIsACall:
    def test_a_name_and_texts_in_quotes(self):
        [call] = read('a {{< figure atlas="HTA3" field = "files" >}} b')
        assert call == ("figure", {"atlas": "HTA3", "field": "files"}, FIRST, "text")

    def test_over_several_lines_with_quotes_and_its_own_end_in_a_text(self):
        [call] = read('\n{{<ref\n  to="a \\"b\\" \\\\ >}} {{<"\n  text="x"\n>}}')
        assert call[:3] == ("ref", {"to": 'a "b" \\ >}} {{<', "text": "x"}, FIRST + 1)

    def test_lines_are_those_of_the_file(self):
        assert [call[2] for call in read("{{< a >}}\n\n{{< b >}} {{< c\n>}} {{< d >}}")] == [4, 6, 6, 7]

    @pytest.mark.parametrize(
        "body",
        [
            "`{{< a >}}`",
            "``{{< a ` >}}``",
            "```\n{{< a >}}\n{{< wrong\n```",
            "~~~ toml\n```\n{{< a >}}\n~~~",
            "    {{< a >}}\n    {{< wrong",
            "`a\n{{< a >}}`",
            r"\{{< a >}}",
            "{{ a }} {<a>} {{ <",
        ],
    )
    def test_in_code_and_after_a_backslash_there_is_none(self, body):
        assert read(body) == []
        found = shortcodes.parts("", body.encode(), body, markup.to_html)["body"].decode()
        expected = markup.to_html(body.replace("{{<", "{\N{BULLET}<")).replace("\N{BULLET}", "{")
        assert found == expected.replace("\\{", "{")

    @pytest.mark.parametrize(
        "body", ["` {{< a >}}", "`{{< a >}}", "`x` {{< a >}} `y`", "`\n\n{{< a >}}\n\n`", r"\` {{< a >}} `"]
    )
    def test_a_lone_backtick_opens_no_code(self, body):
        assert [call[0] for call in read(body)] == ["a"]

    def test_a_backtick_in_a_call_opens_none_either(self):
        assert [call[0] for call in read('{{< a x="`" >}} {{< b x="`" >}}')] == ["a", "b"]

    @pytest.mark.parametrize(
        ("body", "where"),
        [
            ("{{< a >}}", "block"),
            ("words {{< a >}}", "text"),
            ("- {{< a >}}", "block"),
            ("# {{< a >}}", "text"),
            ("[words {{< a >}}](x.md)", "link"),
            ("| a |\n|---|\n| {{< a >}} |", "block"),
            ("**{{< a >}}**", "text"),
            ("> {{< a >}}", "block"),
        ],
    )
    def test_where_it_stands(self, body, where):
        assert [call[3] for call in read(body)] == [where]

    @pytest.mark.parametrize(
        ("body", "line", "said"),
        [
            ("x\n{{< figure", 5, "the shortcode has no end"),
            ("{{< >}}", 4, "the shortcode has no name"),
            ("{{< Figure! >}}", 4, "'Figure!' is no name of a shortcode"),
            ('{{< ref "about.md" >}}', 4, '\'"about.md"\' is no argument key="value" of ref'),
            ("\n\n{{< ref to=about >}}", 6, "'to=about' is no argument"),
            ('{{< ref to="x" to="y" >}}', 4, "to is given twice"),
            ('{{< ref to="x"text="y" >}}', 4, "is no argument"),
            ('{{< ref to="x >}}', 4, "is no argument"),
            ('[x]({{< ref to="a" >}})', 4, "a shortcode cannot stand here"),
            ('![{{< ref to="a" >}}](x.png)', 4, "a shortcode cannot stand here"),
        ],
    )
    def test_a_mistake_is_told_with_its_line(self, body, line, said):
        assert problem(body).startswith(f"content/live.md, line {line}: ")
        assert said in problem(body)

    def test_what_is_code_in_one_place_is_text_in_every_other(self):
        def to_html(text):
            mark = text.strip()
            return f"<ul><li>{mark}</li></ul><pre>{mark}</pre>"

        body = "{{< a >}}"
        found = shortcodes.parts("", body.encode(), body, to_html)
        assert found == {"body": b"<ul><li>{{&lt; a &gt;}}</li></ul><pre>{{&lt; a &gt;}}</pre>"}

    def test_a_call_in_an_attribute_is_an_error_wherever_else_it_is(self):
        def to_html(text):
            return f'<p title="{text}">{text}</p>'

        with pytest.raises(ContentError, match="a shortcode cannot stand here"):
            shortcodes.parts("", b"", "{{< a >}}", to_html)

    def test_a_text_cannot_forge_a_call(self):
        body = 'a {{< figure atlas="HTA1" >}} b'
        marks = shortcodes._Marks(body)
        for forged in (marks.mark(0), "&#xFDD0;&#xFDE0;", "\ufdd0" * 16 + "\ufde0" * 6):
            text = f"{body} {forged}"
            found = json.loads(shortcodes.parts("", text.encode(), text, markup.to_html)["calls"])
            assert [piece for piece in found["pieces"] if not isinstance(piece, str)] == [0]

    def test_the_id_of_a_heading_does_not_change_with_a_call_in_it(self):
        found = shortcodes.parts("", b"", "## All {{< total >}} files", markup.to_html)
        assert '"<h2 id=\\"all-files\\">All "' in found["calls"].decode().replace("--", "-")


SIGNS = ("`", "```\n", "\n\n", "\n    ", "\\", "[x](", ")", "<p>", "a", "- ", "# ", "| ", "*", "<!--")
ODD = ("&#xFDD0;", "\ufdd0", "\ufde0", "\r\n", "\x0c", "\u2028", "\0")
PIECES = st.sampled_from(("{{<", ">}}", '{{< a b="', '" >}}', "{{< a >}}", *SIGNS, *ODD))


class TestAnyText:
    @given(st.lists(PIECES, max_size=40).map("".join))
    def test_gives_html_or_an_error_with_a_line(self, body):
        try:
            found = shortcodes.parts("content/x.md", body.encode(), body, markup.to_html)
        except ContentError as error:
            line = int(re.fullmatch(r"content/x.md, line (\d+)", error.place)[1])
            assert "{{<" in body.split("\n")[line - 1]
            return
        held = json.loads(found.get("calls", b'{"calls": [], "pieces": []}'))
        placed = [piece for piece in held["pieces"] if not isinstance(piece, str)]
        numbers = {number for piece in placed for number in (piece if isinstance(piece, list) else [piece])}
        assert numbers == {number for number, call in enumerate(held["calls"]) if call}

    @given(st.binary(max_size=300) | st.lists(PIECES, max_size=20).map("".join).map(str.encode))
    def test_any_bytes_give_an_article_or_its_problem(self, data):
        found = content.parts("x.md", HEAD.encode() + data)
        assert len(found.keys() & {"body", "calls", "problem"}) == 1


class Site:
    """A site with one article more, `notes/live.md`, and two atlases."""

    def __init__(self, folder):
        self.folder = worlds.site_folder(folder / "site")
        self.atlases = worlds.small(folder / "atlases", "HTA1", "HTA2")

    def write(self, body, name="notes/live.md"):
        (self.folder / "content" / name).write_text(HEAD + body)

    def layout(self, name, text):
        (self.folder / "layouts/shortcodes" / name).write_text(text)

    def build(self):
        self.atlases.save()
        return worlds.build(self.folder, self.atlases.folder)

    def ran(self):
        result = self.build()
        assert result.problems == []
        return {str(event.key) for event in result.ran if event.key.kind in ("page", "prose")}

    def shown(self, body):
        """What readers see of a body: the HTML of the article below its heading."""
        self.write(body)
        assert self.build().problems == []
        html = (self.folder / "public/notes/live/index.html").read_text()
        Strict().feed(html)
        return html.partition("</h1>\n")[2].partition("\n</article>")[0]

    def problem(self, body):
        self.write(body)
        [line] = self.build().problems
        return line

    def add_file(self, atlas):
        project = self.atlases.projects[int(atlas[-1]) - 1]["id"]
        self.atlases.entity(project, project, f"more{len(self.atlases.files)}.bam")

    def add_person(self, atlas):
        first = sorted(self.atlases.manifests)[3 * (int(atlas[-1]) - 1)]
        self.atlases.manifests[first] += f"Demographics,{atlas}_9{len(self.atlases.files)},female\n".encode()


class Strict(HTMLParser):
    """HTML whose elements nest, with no block in a paragraph, no link in a link, and no id twice."""

    VOID = frozenset(("meta", "link", "img", "br", "hr", "input"))
    BLOCKS = frozenset(("p", "table", "figure", "div", "ul", "ol", "details", "dl", "h1", "h2", "h3"))

    def __init__(self):
        super().__init__()
        self.open, self.ids = [], set()

    def handle_starttag(self, tag, attrs):
        assert not (tag in self.BLOCKS and "p" in self.open), f"{tag} in p"
        assert not (tag == "a" and "a" in self.open)
        own = dict(attrs).get("id")
        assert own is None or own not in self.ids, own
        self.ids.add(own)
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag, attrs):
        pass

    def handle_endtag(self, tag):
        assert self.open.pop() == tag


@pytest.fixture
def site(tmp_path):
    return Site(tmp_path)


class TestWhatACallGives:
    def test_a_figure_is_written_as_its_page_writes_it(self, site):
        site.atlases.files[3]["dataFileSizeBytes"] = "2500000"
        fields = ("files", "bytes", "records", "complete", "errors")
        calls = [f'{{{{< figure atlas="HTA1" field="{field}" >}}}}' for field in fields]
        assert site.shown(" · ".join(calls)) == "<p>1 · 2.5 MB · 4 · 100% · 0</p>"
        page = (site.folder / "public/hta1/index.html").read_text()
        assert "<dd>2.5 MB</dd>" in page
        assert "4 records" in page

    def test_every_field_can_be_quoted_of_one_and_of_all(self, site):
        for field in prose.FIELDS:
            calls = f'{{{{< figure atlas="HTA2" field="{field}" >}}}}; {{{{< total field="{field}" >}}}}'
            assert re.fullmatch(r"<p>[0-9,.]+( kB|%|); [0-9,.]+( kB|%|)</p>", site.shown(calls)), field

    def test_a_total_is_of_all_atlases(self, site):
        site.add_file("HTA1")
        assert site.shown('{{< total field="files" >}}, {{< total field="complete" >}}') == "<p>3, 100%</p>"

    def test_a_table_has_fields_conditions_an_order_and_an_end(self, site):
        site.add_file("HTA2")
        site.atlases.atlas("HTA3")

        def rows(arguments):
            found = site.shown(f"{{{{< atlases {arguments} >}}}}")
            assert not found.startswith("<p>")
            return re.findall(r'<bdi>(HTA\d)</bdi></a></th><td class="number" data-value="(\d+)">', found)

        every = [("HTA1", "1"), ("HTA2", "2"), ("HTA3", "0")]
        assert rows('fields="files"') == every
        assert rows('fields="files" sort="-files"') == [every[1], every[0], every[2]]
        assert rows('fields="files" sort="files" limit="2"') == [every[2], every[0]]
        assert rows('fields="files" where="files>0, files<2"') == [every[0]]
        assert rows('fields="files" where="files!=1,complete=0"') == [every[2]]
        assert "There is no such atlas now" in site.shown('{{< atlases where="files>=3" >}}')

    def test_charts_stand_alone_and_link_to_their_files(self, site):
        found = site.shown(
            '{{< completeness atlas="HTA1" matrix="clinical" >}}\n{{< completeness atlas="HTA2" >}}\n\n'
            '{{< timeline atlas="HTA1" limit="1" >}}'
        )
        for url in re.findall(r'<a href="([^"#]*)"', found):
            assert (site.folder / "public/notes/live" / url).exists(), url
        assert found.count("<figure") == 1 + 3 + 1

    def test_findings_are_counted_of_a_check_and_of_an_atlas(self, site):
        body = (
            '{{< findings >}} / {{< findings check="H_DEM" >}} / {{< findings atlas="HTA2" check="H_DEM" >}}'
        )
        assert site.shown(body) == "<p>no findings / no findings / no findings</p>"
        site.atlases.manifests.pop(min(site.atlases.manifests))
        found = site.shown(body)
        page = (site.folder / "public/index.html").read_text()
        [total] = re.findall(r"<dt>Findings</dt><dd>.*?(\d+ errors)", page, re.DOTALL)
        assert found.startswith(f"<p>{total}")
        assert found.endswith("/ no findings</p>")

    def test_ref_leads_to_each_kind_of_page(self, site):
        entity = min(site.atlases.manifests)
        wanted = {
            "about.md": "About",
            "notes/counts.md": "Why counts differ from the former dashboard",
            "notes/": "Notes",
            "notes/_index.md": "Notes",
            "HTA2": "HTA2",
            entity: "Demographics of HTA1",
            "H_DEM": "H_DEM",
        }
        found = site.shown(" ".join(f'{{{{< ref to="{to}" >}}}}' for to in wanted))
        links = re.findall(r'<a href="([^"]*)"><bdi>([^<]*)</bdi></a>', found)
        assert [title for _, title in links] == list(wanted.values())
        for url, _ in links:
            assert (site.folder / "public/notes/live" / url / "index.html").exists(), url
        assert "<bdi>words</bdi></a>" in site.shown('{{< ref to="about.md" text="words" >}}')

    def test_in_a_section_too(self, site):
        site.write('{{< total field="files" >}} files', "notes/_index.md")
        site.build()
        assert '<div class="text"><p>2 files</p></div>' in (
            site.folder / "public/notes/index.html"
        ).read_text().replace("\n", "")

    def test_words_and_a_table_that_share_a_paragraph_are_kept_apart(self, site):
        found = site.shown('{{< total field="files" >}}\n{{< atlases >}}\n{{< total field="errors" >}}')
        assert found.startswith("<p>2</p>\n<div")
        assert found.endswith("</div>\n<p>0</p>")

    @pytest.mark.parametrize(
        ("body", "said"),
        [
            ('{{< figur atlas="HTA1" >}}', "there is no shortcode 'figur'; do you mean figure?"),
            ('{{< zzz atlas="HTA1" >}}', "there is: atlases, completeness, figure, findings, ref"),
            ('{{< figure atlas="HTA1" >}}', 'figure needs field, one of the fields below; add field="…"'),
            (
                '{{< figure atlas="HTA1" fild="x" >}}',
                "there is no argument of figure 'fild'; do you mean field?",
            ),
            ('{{< figure atlas="HTA9" field="files" >}}', "there is no atlas 'HTA9'; do you mean HTA"),
            (
                '{{< figure atlas="HTA1" field="x" >}}',
                "there is no field 'x'; there is: files, bytes, manifests",
            ),
            ('{{< total field="file" >}}', "there is no field 'file'; do you mean files?"),
            ('{{< atlases where="errors" >}}', "'errors' is no condition; write where="),
            ('{{< atlases fields="files;errors" >}}', "there is no field 'files;errors'"),
            ('{{< atlases sort="--files" >}}', "there is no field '-files'; do you mean files?"),
            ('{{< atlases limit="0" >}}', "limit is '0'; write a whole number above 0"),
            ('{{< timeline atlas="HTA1" limit="x" >}}', "limit is 'x'"),
            ('{{< completeness atlas="HTA1" matrix="x" >}}', "there is no completeness chart of HTA1 'x'"),
            ('{{< findings check="H_LINK" >}}', "there is no check 'H_LINK'; do you mean H_LINKS?"),
            ('{{< ref to="abut.md" >}}', "there is no page 'abut.md'; do you mean about.md?"),
            ('{{< ref to="/" >}}', "there is no page '/'"),
            (
                '{{< ref to="about.md#when-it-was-mad" >}}',
                "there is no heading on about.md 'when-it-was-mad'; do you mean when-it-was-made?",
            ),
            ('{{< ref to="about.md#" >}}', "there is no heading on about.md ''"),
            ('{{< ref to="gone.md#x" >}}', "there is no page 'gone.md'"),
            ("x {{< atlases >}}", "atlases is no part of a sentence; give it a line of its own"),
            ('[x {{< ref to="about.md" >}}](y)', "ref makes a link, and stands in one"),
        ],
    )
    def test_a_mistake_is_told_with_its_line_and_a_way_out(self, site, body, said):
        line = site.problem(f"First.\n\n{body}\n")
        assert line.startswith(f"content/notes/live.md, line {FIRST + 2}: ")
        assert said in line

    def test_a_heading_is_referred_to_by_its_id_and_called_by_its_words(self, site):
        (site.folder / "content/about.md").write_text(
            '+++\ntitle = "About"\n+++\n## Why?\n\n### Größe & more\n\nWords.\n'
        )
        shown = site.shown('{{< ref to="about.md#why" >}} {{< ref to="about.md#größe-more" text="that" >}}')
        assert '<a href="../../about/#why"><bdi>Why?</bdi></a>' in shown
        assert '<a href="../../about/#gr%C3%B6%C3%9Fe-more"><bdi>that</bdi></a>' in shown
        assert '/hta1/#x"><bdi>' in site.shown('{{< ref to="HTA1#x" >}}')

    def test_a_heading_that_goes_is_told_where_it_is_referred_to(self, site):
        about = site.folder / "content/about.md"
        about.write_text('+++\ntitle = "About"\n+++\n## Why?\n')
        site.shown('{{< ref to="about.md#why" >}}')
        about.write_text('+++\ntitle = "About"\n+++\n## Where?\n')
        [problem] = site.build().problems
        assert problem.startswith(
            f"content/notes/live.md, line {FIRST}: there is no heading on about.md 'why'"
        )

    def test_a_draft_cannot_be_referred_to(self, site):
        (site.folder / "content/about.md").write_text('+++\ntitle = "About"\ndraft = true\n+++\n')
        assert "there is no page 'about.md'" in site.problem('{{< ref to="about.md" >}}')

    def test_a_mistake_leaves_the_last_good_page(self, site):
        good = site.shown('{{< total field="files" >}}')
        site.problem('{{< total field="?" >}}')
        assert good in (site.folder / "public/notes/live/index.html").read_text()


HOSTILE = (
    "<script>alert(1)</script>",
    "${1+1}",
    "%>",
    "<%doc>",
    "<% raise SystemExit %>",
    "\n% for x in y:",
    "## x",
    "'",
    '\\"',
    "\\\\",
    "../../../etc/passwd",
    "&#x3c;b&#x3e;",
    "{{&lt;",
    "\u202e\0",
    "__class__",
    "x" * 100_000,
)


class TestStrangersWords:
    def test_an_argument_is_text_and_nothing_else(self, site):
        calls = [f'{{{{< ref to="about.md" text="{text}" >}}}}' for text in HOSTILE if "\n" not in text]
        found = site.shown("\n\n".join(calls))
        assert "<script" not in found
        assert "&lt;script&gt;alert(1)&lt;/script&gt;" in found
        assert "${1+1}" in found
        assert "&amp;#x3c;b" in found
        assert "\u202e" not in found

    @pytest.mark.parametrize("text", HOSTILE, ids=lambda text: ascii(text)[:12])
    def test_it_gives_a_line_wherever_it_is_no_sense(self, site, text):
        site.write(HEAD)
        for number, call in enumerate(
            (
                'figure atlas="{}" field="files"',
                'figure atlas="HTA1" field="{}"',
                'atlases where="{}"',
                'atlases fields="{}"',
                'atlases limit="{}"',
                'completeness atlas="HTA1" matrix="{}"',
                'ref to="{}"',
                'findings check="{}"',
                '{} a="b"',
                'total {}="files"',
            )
        ):
            site.write(f"{{{{< {call.format(text)} >}}}}", f"bad{number}.md")
        problems = site.build().problems
        assert len(problems) == 10
        for line in problems:
            assert re.match(r"content/bad\d\.md, line \d+: ", line), line[:200]
            assert len(line) < 500
            assert "\n" not in line


class TestWhenAPageIsMadeAgain:
    LIVE, PROSE = "page:article/notes/live.md", "prose:article/notes/live.md"

    def test_when_the_number_that_it_quotes_changes_and_only_then(self, site):
        site.shown('HTA1 has {{< figure atlas="HTA1" field="files" >}} files.')
        site.add_person("HTA1")
        assert self.PROSE in site.ran() - {self.LIVE}
        site.add_person("HTA1")
        assert self.LIVE not in site.ran()
        site.add_file("HTA2")
        assert not {self.LIVE, self.PROSE} & site.ran()
        site.add_file("HTA1")
        assert {self.LIVE, self.PROSE} <= site.ran()
        assert "HTA1 has 2 files." in (site.folder / "public/notes/live/index.html").read_text()

    def test_a_total_that_stays_the_same_leaves_the_page(self, site):
        site.add_file("HTA2")
        site.shown('{{< total field="files" >}}')
        site.atlases.files.pop()
        site.add_file("HTA1")
        ran = site.ran()
        assert self.PROSE in ran
        assert self.LIVE not in ran

    def test_so_does_what_a_table_does_not_show(self, site):
        site.add_file("HTA1")
        site.shown('{{< atlases fields="files" sort="-files" limit="1" >}}')
        site.add_person("HTA1")
        site.add_file("HTA2")
        assert self.LIVE not in site.ran()
        site.add_file("HTA2")
        site.add_file("HTA2")
        assert self.LIVE in site.ran()

    def test_when_a_page_that_it_refers_to_gets_another_title_or_address(self, site):
        site.shown('{{< ref to="about.md" >}}')
        about = site.folder / "content/about.md"
        about.write_text(about.read_text() + "\nMore.\n")
        assert self.LIVE not in site.ran()
        about.write_text(about.read_text().replace('title = "About"', 'title = "Us"\nslug = "us"'))
        assert self.LIVE in site.ran()
        page = (site.folder / "public/notes/live/index.html").read_text()
        assert '<a href="../../us/"><bdi>Us</bdi></a>' in page

    def test_when_a_layout_that_it_calls_changes_what_it_shows(self, site):
        site.shown('{{< figure atlas="HTA1" field="files" >}}')
        text = (site.folder / "layouts/shortcodes/figure.mako").read_text()
        site.layout("figure.mako", text + "## for ourselves\n")
        assert self.LIVE not in site.ran()
        site.layout("timeline.mako", text)
        assert not {self.LIVE, self.PROSE} & site.ran()
        site.layout("figure.mako", text.replace("${", "about ${"))
        assert self.LIVE in site.ran()

    def test_an_article_without_calls_has_no_step_of_its_own(self, site):
        site.write("Words, and `{{< code >}}`.")
        assert self.PROSE not in site.ran()


GOOD = '<%doc>\nmeaning = "A test."\n[arguments]\nwords = { meaning = "some" }\n</%doc>\n'


class TestLayouts:
    def test_a_site_can_have_shortcodes_of_its_own(self, site):
        site.layout("twice.mako", GOOD + "${words}, ${words}")
        assert site.shown('{{< twice words="<b>" >}}') == "<p>&lt;b&gt;, &lt;b&gt;</p>"

    @pytest.mark.parametrize(
        ("text", "said"),
        [
            ("${1}", "it does not say what it takes"),
            ("<%doc>\nmeaning = \n</%doc>", "the <%doc> is not TOML"),
            ("<%doc>\nblock = true\n</%doc>", "the <%doc> is no description of a shortcode"),
            ('<%doc>\nmeaning = "x"\nblock = 1\n</%doc>', "the <%doc> is no description of a shortcode"),
            ('<%doc>\nmeaning = "x"\nblok = true\n</%doc>', "the <%doc> is no description of a shortcode"),
            ('<%doc>\nmeaning = "x"\narguments = 1\n</%doc>', "the <%doc> is no description"),
            (GOOD.replace("words", "root"), "an argument cannot be called 'root'"),
            (GOOD.replace("words", "figure"), "an argument cannot be called 'figure'"),
            (GOOD.replace("words", "from"), "an argument cannot be called 'from'"),
            (GOOD.replace("meaning = \"some\"", "default = 1"), "the argument words is not described"),
        ],
    )  # fmt: skip
    def test_one_that_does_not_describe_itself_is_an_error(self, text, said):
        with pytest.raises(LayoutError) as caught:
            prose.declared("shortcodes/own.mako", text.encode())
        assert str(caught.value).startswith(f"layouts/shortcodes/own.mako: {said}")

    def test_one_that_fails_is_told_with_its_own_line(self, site):
        site.layout("timeline.mako", GOOD + "${words.nothing}")
        line = site.problem('{{< timeline words="x" >}}')
        assert line.startswith("layouts/shortcodes/timeline.mako, line 6: the layout fails (AttributeError")

    def test_all_of_ours_describe_themselves(self):
        paths = sorted((worlds.ROOT / "layouts/shortcodes").glob("*.mako"))
        assert paths
        for path in paths:
            assert prose.declared(f"shortcodes/{path.name}", path.read_bytes()).meaning.endswith("."), path
