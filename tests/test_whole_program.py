"""After any edits an incremental build leaves the bytes of a clean one, and runs what it must, no more.

What must run is worked out from the traces of the build before and of a clean build after the edit: a task
that the clean build has, and whose last trace has another recipe or a read whose digest is another now.
"""

from __future__ import annotations

import os
import random
import re
import shutil
import sqlite3
import tempfile
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from hdash_site.pages import limits, rules
from hdash_site.pages.kinds import fix
from hdash_site.pages.rules import Digests
from hdash_site.state.models import plain
from tests import worlds
from tests.pages.sites import png

SHARDS = 4
BODIES = (
    "\n*More*.\n",
    "\n## A heading\n\nWith a note[^1].\n\n[^1]: The note.\n",
    "\n```python\nprint(1)\n```\n",
    '\n<kbd onclick="x()">K</kbd>\n',
    "\n!!! note\n    Words.\n",
)


class World:
    """A site and its atlases on disk, edited step by step; `luck` draws the places."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.site = worlds.site_folder(folder / "site")
        self.atlases = worlds.small(folder / "atlases", "HTA1", "HTA2")
        self.digests = Digests("domain", "pages")
        self.builds = 0
        self.lost = False
        self.day = 1
        self.drafts = False

    def build(self) -> worlds.app.Result:
        return worlds.build(self.site, self.atlases.folder, today=self.today(), drafts=self.drafts)

    def clean_build(self) -> tuple[worlds.app.Result, Path]:
        self.builds += 1
        place = self.folder / f"clean-{self.builds}"
        worlds.carry_history(self.site / "cache", place / "cache")
        result = worlds.build(
            self.site,
            self.atlases.folder,
            output=place / "public",
            cache=place / "cache",
            today=self.today(),
            drafts=self.drafts,
        )
        return result, place

    def today(self) -> str:
        return f"2026-07-{self.day:02}"

    # Edits of atlases

    def change_a_cell(self, luck: random.Random) -> None:
        entity = luck.choice(sorted(self.atlases.manifests))
        lines = self.atlases.manifests[entity].decode("utf-8", "replace").split("\n")
        if len(lines) > 1:
            line = luck.randrange(1, len(lines))
            cells = lines[line].split(",")
            cells[luck.randrange(len(cells))] = luck.choice(["", "HTA1_1", "HTA2_9_9", "<b>", "x", "12"])
            lines[line] = ",".join(cells)
        self.atlases.manifests[entity] = "\n".join(lines).encode()

    def add_a_manifest(self, luck: random.Random) -> None:
        project = luck.choice(self.atlases.projects)["id"]
        folder = self.atlases.entity(project, project, f"folder{luck.randrange(99)}", "folder")
        component = luck.choice(["Therapy", "Exposure", "Nonsense", "BulkRNA-seqLevel1"])
        rows = [{"Component": component, "HTAN Participant ID": "HTA1_1", "Other": str(luck.randrange(9))}]
        self.atlases.manifest(project, folder, component, rows)

    def break_links(self, luck: random.Random) -> None:
        """Let all rows of a manifest come from something that is not there."""
        entity = luck.choice(sorted(self.atlases.manifests) or [""])
        if entity:
            data = self.atlases.manifests[entity]
            self.atlases.manifests[entity] = re.sub(rb"(HTA\d_)1_1\b", rb"\g<1>8_8", data)

    def remove_a_manifest(self, luck: random.Random) -> None:
        if self.atlases.manifests:
            self.atlases.manifests.pop(luck.choice(sorted(self.atlases.manifests)))

    def supersede_a_manifest(self, luck: random.Random) -> None:
        held = [row for row in self.atlases.files if row["id"] in self.atlases.manifests]
        if held:
            old = luck.choice(held)
            data = self.atlases.manifests[old["id"]].replace(b"female", b"male")
            modified = str(int(old["modifiedOn"]) + luck.choice([-5, 5]))
            name = "synapse_storage_manifest_newer.csv"
            self.atlases.manifest(
                old["projectId"], old["parentId"], old["Component"], data, name=name, modifiedOn=modified
            )

    def add_a_sample(self, luck: random.Random) -> None:
        """Take one more sample, of somebody known or unknown, or of another sample."""
        held = [entity for entity, data in self.atlases.manifests.items() if b"HTAN Parent ID" in data]
        if held:
            atlas, number = f"HTA{luck.randrange(1, 3)}", luck.randrange(2, 40)
            above = luck.choice([f"{atlas}_1", f"{atlas}_2", f"{atlas}_8", f"{atlas}_1_1", "odd"])
            row = f"Biospecimen,{atlas}_1_{number},{above},{number},Biopsy,Colon NOS\n".encode()
            self.atlases.manifests[luck.choice(sorted(held))] += row

    def name_a_record_twice(self, luck: random.Random) -> None:
        """Let something be wrong on a row of somebody."""
        entity = luck.choice(sorted(self.atlases.manifests) or [""])
        lines = self.atlases.manifests.get(entity, b"").splitlines(keepends=True)
        if len(lines) > 1:
            self.atlases.manifests[entity] = b"".join([*lines, luck.choice(lines[1:])])

    def add_participants(self, luck: random.Random) -> None:
        """Name so many that there are more groups of them."""
        project = luck.choice(self.atlases.projects)["id"]
        folder = self.atlases.entity(project, project, f"people{luck.randrange(99)}", "folder")
        names = [f"HTA1_{number}" for number in range(luck.randrange(10, 40))]
        self.atlases.manifest(project, folder, "Demographics", worlds.demographics(*names, "x y", "HTA2_5"))

    def add_a_file(self, luck: random.Random) -> None:
        project = luck.choice(self.atlases.projects)["id"]
        self.atlases.entity(project, project, luck.choice(["a.bam", "b c.TIF", "plain.gz", "x.csv"]))

    def move_a_file(self, luck: random.Random) -> None:
        folders = [row for row in self.atlases.files if row["type"] == "folder"]
        luck.choice(self.atlases.files)["parentId"] = luck.choice(folders)["id"]

    def rename_a_file(self, luck: random.Random) -> None:
        luck.choice(self.atlases.files)["name"] = luck.choice(
            ["new.bam", "archive", ".DS_Store", "e m p t y"]
        )

    def annotate_a_file(self, luck: random.Random) -> None:
        row = luck.choice(self.atlases.files)
        row["Component"] = luck.choice(["", "Biospecimen", "ScRNA-seqLevel1"])
        row["modifiedOn"] = str(int(row["modifiedOn"]) + 1)

    def add_an_atlas(self, luck: random.Random) -> None:
        number = luck.randrange(3, 9)
        if not any(row["atlas_id"] == f"HTA{number}" for row in self.atlases.projects):
            project = self.atlases.atlas(f"HTA{number}")
            rows = worlds.demographics(f"HTA{number}_1")
            self.atlases.manifest(project, project, "Demographics", rows)

    def remove_an_atlas(self, luck: random.Random) -> None:
        """Remove an atlas, and the article that quotes it, which would not be understood without it."""
        if len(self.atlases.projects) > 1:
            project = luck.choice(self.atlases.projects)
            self.atlases.projects.remove(project)
            (self.site / f"content/quotes-{project['atlas_id'].lower()}.md").unlink(missing_ok=True)

    def rename_an_atlas(self, luck: random.Random) -> None:
        luck.choice(self.atlases.projects)["name"] = f"Atlas of {luck.choice('abc')}"

    def swap_two_manifests(self, luck: random.Random) -> None:
        """Exchange the bytes of two files of one size, and put size and time of change back."""
        self.atlases.save()
        paths = sorted((self.atlases.folder / "manifests").iterdir())
        if len(paths) > 1:
            one, two = luck.sample(paths, 2)
            stats, data = (one.stat(), two.stat()), (one.read_bytes(), two.read_bytes())
            size = max(map(len, data))
            one.write_bytes(data[1].ljust(size, b"\n"))
            two.write_bytes(data[0].ljust(size, b"\n"))
            for path, stat in zip((one, two), stats, strict=True):
                os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))
                self.atlases.manifests[path.stem] = path.read_bytes()

    # Edits of the site

    def edit_a_layout(self, luck: random.Random) -> None:
        self._append(luck.choice(sorted((self.site / "layouts").rglob("*.mako"))), luck, "## a comment\n")

    def change_the_base_layout(self, luck: random.Random) -> None:
        path = self.site / "layouts/base.mako"
        path.write_text(path.read_text().replace("</body>", f"<!-- {luck.randrange(3)} --></body>"))

    def edit_a_partial(self, luck: random.Random) -> None:
        paths = sorted((self.site / "layouts/partials").rglob("*.mako"))
        self._append(luck.choice(paths), luck, "\n<!-- more -->\n")

    def edit_an_asset(self, luck: random.Random) -> None:
        paths = sorted((self.site / "layouts/assets").rglob("*.css"))
        self._append(luck.choice(paths), luck, "/* more */\n")

    def edit_a_body(self, luck: random.Random) -> None:
        self._append(luck.choice(sorted((self.site / "content").rglob("*.md"))), luck, luck.choice(BODIES))

    def edit_front_matter(self, luck: random.Random) -> None:
        path = luck.choice(sorted((self.site / "content").rglob("*.md")))
        self._say(luck, "title", f'"Title {luck.randrange(9)}"', path)

    def add_an_article(self, luck: random.Random) -> None:
        path = self.site / "content" / luck.choice(["", "notes"]) / f"new{luck.randrange(3)}.md"
        menu = luck.choice(("true", f'"M{luck.randrange(9)}"'))
        path.write_text(f'+++\ntitle = "New {luck.randrange(9)}"\nmenu = {menu}\n+++\nWords.\n')

    def quote_an_atlas(self, luck: random.Random) -> None:
        """Write an article that quotes an atlas, or quote it otherwise."""
        atlas = luck.choice(self.atlases.projects)["atlas_id"]
        calls = [
            f'figure atlas="{atlas}" field="{luck.choice(["files", "records", "complete"])}"',
            f'findings atlas="{atlas}"',
            f'ref to="{atlas}"',
            f'completeness atlas="{atlas}"',
            f'timeline atlas="{atlas}" limit="{luck.randrange(1, 3)}"',
            f'trend atlas="{atlas}" field="{luck.choice(["files", "records", "complete"])}"',
        ]
        body = "\n\n".join(f"{{{{< {call} >}}}}" for call in luck.sample(calls, 2))
        path = self.site / f"content/quotes-{atlas.lower()}.md"
        path.write_text(f'+++\ntitle = "Of {atlas}"\n+++\n{body}\n')

    def quote_all_atlases(self, luck: random.Random) -> None:
        condition = f"files>{luck.randrange(3)}"
        calls = [
            f'total field="{luck.choice(["files", "bytes", "errors"])}"',
            f'atlases fields="files" where="{condition}" sort="-files" limit="{luck.randrange(1, 3)}"',
            f'findings check="{luck.choice(["H_DEM", "H_LINKS"])}"',
            'ref to="notes"',
            f'trend field="{luck.choice(["files", "errors"])}"',
        ]
        name = luck.choice(["all.md", "notes/all.md", "notes/_index.md"])
        calls.append(f'ref to="{name}#here"')
        body = "\n\n".join(f"{{{{< {call} >}}}}" for call in luck.sample(calls, 2))
        heading = luck.choice(["Here", "Here!"])
        (self.site / "content" / name).write_text(f'+++\ntitle = "Of all"\n+++\n{body}\n\n## {heading}\n')

    def edit_a_shortcode(self, luck: random.Random) -> None:
        path = luck.choice(sorted((self.site / "layouts/shortcodes").glob("*.mako")))
        self._append(path, luck, luck.choice(["## a comment\n", "<!-- more -->\n"]))

    def remove_an_article(self, luck: random.Random) -> None:
        paths = self._not_referred_to()
        if paths:
            luck.choice(paths).unlink()

    def move_an_article(self, luck: random.Random) -> None:
        path = luck.choice(sorted((self.site / "content").rglob("*.md")))
        old = luck.choice([f"old/{path.stem}/", f"old/{path.stem}.html", f"{path.stem}-old/"])
        self._say(luck, "aliases", f'["{old}"]', path)

    def let_days_pass(self, luck: random.Random) -> None:
        self.day += luck.randrange(1, 4)

    def date_an_article(self, luck: random.Random) -> None:
        key = luck.choice(["publish_date", "expiry_date"])
        paths = self._not_referred_to()
        if paths:
            self._say(luck, key, f"2026-07-{luck.randrange(1, 20):02}", luck.choice(paths))

    def draft_an_article(self, luck: random.Random) -> None:
        paths = self._not_referred_to()
        if paths:
            self._say(luck, "draft", luck.choice(["true", "true", "false"]), luck.choice(paths))

    def turn_to_the_preview_or_from_it(self, luck: random.Random) -> None:
        self.drafts = not self.drafts

    def change_to_yaml(self, luck: random.Random) -> None:
        path = self.site / "content/notes" / f"yaml{luck.randrange(2)}.md"
        path.write_text(f"---\n# was TOML\ntitle: Yaml {luck.randrange(9)}\n---\nWords.\n")

    def add_a_picture(self, luck: random.Random) -> None:
        folder = self.site / "content/notes/trip"
        folder.mkdir(exist_ok=True)
        (folder / "a.png").write_bytes(png(luck.randrange(1, 3), 1, luck.randrange(2)))
        (folder / luck.choice(["b.png", "data.csv"])).write_bytes(png(1, 1))
        (folder / "index.md").write_text('+++\ntitle = "Trip"\n+++\n![A](a.png) <img src="a.png">\n')

    def change_a_picture(self, luck: random.Random) -> None:
        for path in (self.site / "content").rglob("a.png"):
            path.write_bytes(png(luck.randrange(1, 3), 1, luck.randrange(2)))

    def tag_an_article(self, luck: random.Random) -> None:
        self._say(luck, "tags", f'["{luck.choice("aAbé")}", "{luck.choice("abc")}"]')

    def change_data(self, luck: random.Random) -> None:
        (self.site / "content/data").mkdir(exist_ok=True)
        (self.site / "content/data/team.json").write_text(f'{{"lead": {luck.randrange(3)}}}')
        (self.site / "layouts/team.mako").write_text("${data.team['lead']} ${body}\n")
        (self.site / "content/team.md").write_text('+++\ntitle = "Team"\nlayout = "team"\n+++\nWords.\n')

    def add_a_redirect(self, luck: random.Random) -> None:
        path, place = self.site / "site.toml", f'from = "moved/{luck.randrange(3)}/"'
        kept = [table for table in path.read_text().split("[[redirect]]\n") if place not in table]
        path.write_text("[[redirect]]\n".join([*kept, f'{place}\nto = "hta{luck.randrange(3)}/"\n']))

    def change_a_menu(self, luck: random.Random) -> None:
        self._append(
            self.site / "site.toml", luck, f'[[menu]]\nname = "M{luck.randrange(9)}"\nurl = "about/"\n'
        )

    def change_a_setting(self, luck: random.Random) -> None:
        path = self.site / "site.toml"
        text = path.read_text().replace("Test site", f"Test site {luck.randrange(9)}")
        if "[listing]" not in text and luck.random() < 0.5:
            text = text.replace("[[menu]]", '[listing]\narchives = ["clinical"]\n[[menu]]', 1)
        path.write_text(text)

    def change_a_limit(self, luck: random.Random) -> None:
        """Change a limit that no input exceeds: in some shards all but the smallest input has limits."""
        self._set("limits", "seconds", luck.choice(["60", "70", "80"]))

    def allow_html(self, luck: random.Random) -> None:
        self._set("content", "raw_html", luck.choice(["true", "false"]))

    def _set(self, table: str, name: str, value: str) -> None:
        path, first = self.site / "site.toml", 'base_url = "https://example.org/"\n'
        text = re.sub(rf"\[{table}\]\n{name} = \w+\n", "", path.read_text())
        path.write_text(text.replace(first, f"{first}[{table}]\n{name} = {value}\n"))

    def alter_the_output(self, luck: random.Random) -> None:
        path = luck.choice(sorted(path for path in (self.site / "public").rglob("*") if path.is_file()))
        stat = path.stat()
        match luck.randrange(3):
            case 0:
                path.unlink()
            case 1:
                path.write_bytes(b"altered")
            case _:
                path.write_bytes(b"x" * stat.st_size)
                os.utime(path, ns=(stat.st_atime_ns, stat.st_mtime_ns))

    def lose_blobs(self, luck: random.Random) -> None:
        self.lost = True
        with sqlite3.connect(self.site / "cache/blobs/cache.db") as database:
            for (row,) in database.execute("SELECT rowid FROM Cache").fetchall():
                if luck.random() < 0.5:
                    database.execute("DELETE FROM Cache WHERE rowid = ?", (row,))
        database.close()

    def change_the_domain(self, luck: random.Random) -> None:
        number = luck.randrange(3)
        self.digests = Digests(f"domain {number}", f"pages over domain {number}")

    def change_the_pages(self, luck: random.Random) -> None:
        self.digests = self.digests._replace(pages=f"pages {luck.randrange(3)}")

    def fail_to_read_an_atlas(self, luck: random.Random) -> None:
        """Build while an atlas cannot be read: no recipe runs, no file but `status.json` is another."""
        before, project = worlds.tree(self.site / "public"), luck.choice(self.atlases.projects)
        own, project["id"] = project["id"], "not there"
        self.atlases.save()
        result = self.build()
        assert (result.failed, result.ran, result.deployed.written) == ([project["atlas_id"]], [], [])
        assert worlds.tree(self.site / "public") == before
        assert worlds.status(self.site / "public")["atlases"][project["atlas_id"]]["state"] == "failed"
        project["id"] = own

    def do_nothing(self, luck: random.Random) -> None:
        pass

    def _not_referred_to(self) -> list[Path]:
        """Give the articles that can go: one that others refer to would leave them not understood."""
        content = self.site / "content"
        paths = sorted(path for path in content.rglob("*.md") if path.name != "_index.md")
        named = {name for path in paths for name in re.findall(r'ref to="([^"#]+)', path.read_text())}
        return [path for path in paths if path.relative_to(content).as_posix() not in named]

    def _say(self, luck: random.Random, key: str, value: str, path: Path | None = None) -> None:
        """Set a key of the front matter of some article, in place of what it said before."""
        path = path or luck.choice(sorted((self.site / "content").rglob("*.md")))
        lines = [line for line in path.read_text().split("\n") if not re.match(rf"{key}\b", line)]
        lines.insert(1, f"{key} = {value}" if lines[0] == "+++" else f"{key}: {value}")
        path.write_text("\n".join(lines))

    def _append(self, path: Path, luck: random.Random, text: str) -> None:
        path.write_text(path.read_text() + text * luck.randrange(1, 3))


EDITS = [
    name for name in vars(World) if not name.startswith("_") and name not in ("build", "clean_build", "today")
]
SITE_EDITS = EDITS[EDITS.index("edit_a_layout") : EDITS.index("alter_the_output")]


class Shown(World):
    """The same, built again and again in one process that is told which files were saved."""

    def __init__(self, folder: Path) -> None:
        super().__init__(folder)
        self.desk = worlds.app.Desk()
        self.had: dict[Path, bytes] = {}

    def build(self) -> worlds.app.Result:
        have = {path: path.read_bytes() for path in self.site.rglob("*") if self._is_source(path)}
        saved = {path for path in {*have, *self.had} if have.get(path) != self.had.get(path)}
        options = worlds.app.Options(
            self.site,
            self.atlases.folder,
            offline=bool(self.had),
            today=self.today(),
            drafts=self.drafts,
        )
        self.had = have
        return self.desk.build(options, saved)

    def save_without_a_change(self, luck: random.Random) -> None:
        self.had.pop(luck.choice(sorted(self.had)))

    def build_beside(self, luck: random.Random) -> None:
        """Edit, and build the state from another process, as it were."""
        self.edit_front_matter(luck)
        worlds.build(self.site, self.atlases.folder, offline=True, today=self.today(), drafts=self.drafts)

    def _is_source(self, path: Path) -> bool:
        return path.is_file() and path.relative_to(self.site).parts[0] not in ("public", "cache")


SHOWN_EDITS = [*SITE_EDITS, "do_nothing", "save_without_a_change", "build_beside", "alter_the_output"]


@pytest.mark.parametrize("shard", range(SHARDS))
def test_incremental_builds_are_exact_and_minimal(shard, monkeypatch):
    monkeypatch.setattr(limits, "LARGE", limits.LARGE if shard % 2 else 300)
    examples = max(1, settings().max_examples // SHARDS // 2)

    @settings(max_examples=examples, database=None)
    @given(
        edits=st.lists(st.tuples(st.sampled_from(EDITS), st.integers(0, 999)), min_size=1, max_size=5),
        salt=st.just(shard),
    )
    def run(edits, salt):
        with tempfile.TemporaryDirectory(prefix="hdash-world-") as folder:
            world = World(Path(folder))
            monkeypatch.setattr(rules, "code", lambda: world.digests)
            monkeypatch.setattr(fix, "A_PAGE", 2)
            before = step(world, None, {})
            for name, number in edits:
                getattr(world, name)(random.Random(f"{number} {salt}"))
                world.atlases.save()
                before = step(world, name, before)

    run()


@pytest.mark.parametrize("shard", range(SHARDS))
def test_builds_that_are_told_what_was_saved_are_exact_and_minimal(shard, monkeypatch):
    monkeypatch.setattr(limits, "LARGE", limits.LARGE if shard % 2 else 300)
    examples = max(1, settings().max_examples // SHARDS // 4)

    @settings(max_examples=examples, database=None)
    @given(
        edits=st.lists(st.tuples(st.sampled_from(SHOWN_EDITS), st.integers(0, 999)), min_size=2, max_size=9),
        salt=st.just(shard),
    )
    def run(edits, salt):
        with tempfile.TemporaryDirectory(prefix="hdash-world-") as folder:
            world = Shown(Path(folder))
            world.atlases.save()
            before = step(world, None, {})
            for name, number in edits:
                getattr(world, name)(random.Random(f"{number} {salt}"))
                before = step(world, name, before)

    run()


def step(world: World, edit: str | None, before: dict[str, bytes]) -> dict[str, bytes]:
    """Build, and compare with a clean build: the tree, the recipes that ran, the files that were written."""
    public = world.site / "public"
    found = worlds.tree(public) if public.exists() else {}
    old = traces(world.site / "cache") if edit else {}
    clean, place = world.clean_build()
    result = world.build()
    after = worlds.tree(public)
    made = worlds.tree(place / "public")
    # A page that fails, such as one that refers to what is off the site now, keeps the files that it had.
    kept = {path for path in after if path not in made and after[path] == found.get(path)}
    assert {path: data for path, data in after.items() if path not in kept} == made
    assert clean.problems or not kept
    assert result.counts()["findings"] == clean.counts()["findings"]
    said = [line for line in result.problems if line.endswith("this run makes or downloads them again")]
    assert world.lost or not said
    assert (result.exit_code, [line for line in result.problems if line not in said]) == (
        clean.exit_code,
        clean.problems,
    )
    assert not lost_values(world.site / "cache")
    new = traces(place / "cache")
    ran = [str(event.key) for event in result.ran]
    lost = {str(event.key) for event in result.ran if event.reason == "its value was lost"}
    assert len(ran) == len(set(ran))
    assert set(ran) - lost == must_run(old, new) - lost, edit
    assert world.lost or not lost
    assert sorted(path for path, _ in result.deployed.written) == sorted(
        path for path, data in after.items() if found.get(path) != data
    )
    assert sorted(path for path, _ in result.deployed.removed) == sorted(set(found) - set(after))
    again = world.build()
    assert (again.ran, again.deployed.written, again.deployed.removed) == ([], [], [])
    shutil.rmtree(place)
    return after


def lost_values(cache: Path) -> set[str]:
    """Return the values of tasks that are not among the cached bytes."""
    with sqlite3.connect(cache / "blobs/cache.db") as database:
        stored = {key for (key,) in database.execute("SELECT key FROM Cache").fetchall()}
    database.close()
    values = {value for _, _, parts in traces(cache).values() for value in parts.values()}
    return {value for value in values if value} - stored


def traces(cache: Path) -> dict[str, tuple[str, list, dict]]:
    import json

    with sqlite3.connect(cache / "state.db") as database:
        rows = database.execute("SELECT task, recipe, reads, parts FROM hdash_trace").fetchall()
    database.close()
    return {plain(key): (recipe, json.loads(reads), json.loads(parts)) for key, recipe, reads, parts in rows}


def must_run(old: dict, new: dict) -> set[str]:
    """Work out which tasks have to run from what they read then and what there is now."""
    now = {(kind, name, part): digest for _, reads, _ in new.values() for kind, name, part, digest in reads}
    for key, (_, _, parts) in new.items():
        kind, _, name = key.partition(":")
        now |= {(kind, name, part): digest for part, digest in parts.items()}

    def stale(key: str) -> bool:
        if key not in old or old[key][0] != new[key][0]:
            return True
        return any(now.get((kind, name, part)) != digest for kind, name, part, digest in old[key][1])

    return {key for key in new if stale(key)}
