"""Input that takes too long or too much memory, and deadlines: the run goes on, and says what is missing."""

from __future__ import annotations

import csv
import os
import signal
import subprocess
import sys
import tempfile
import time
from pathlib import Path

import pytest

from hdash_site.htan import demographics, descents, listing, parsing, report
from hdash_site.options import Deadline
from hdash_site.pages import limits, people
from tests import databases, slow, worlds
from tests.test_killed import members


@pytest.fixture
def site(tmp_path):
    return worlds.site_folder(tmp_path / "site")


@pytest.fixture
def atlases(tmp_path):
    return worlds.small(tmp_path / "atlases", "HTA1", "HTA2")


@pytest.fixture(params=[1, 2], ids=["one job", "two jobs"])
def jobs(request):
    return request.param


@pytest.fixture
def large(atlases):
    """A manifest of HTA1 that takes more than a tenth of a second to read."""
    rows = [["Component", "HTAN Participant ID", *(f"Column {number}" for number in range(20))]]
    rows += [["Therapy", "HTA1_1", *(f"{row}x{column}" for column in range(20))] for row in range(20_000)]
    data = "\n".join(map(",".join, rows)).encode()
    project = atlases.projects[0]["id"]
    entity = atlases.manifest(project, project, "Therapy", data)
    atlases.save()
    return entity


def limit(site, **limits):
    rest = (site / "site.toml").read_text().partition("[limits]")[0]
    written = "".join(f"{name} = {value}\n" for name, value in limits.items())
    (site / "site.toml").write_text(f"{rest}[limits]\n{written}")


def clean_tree(site, atlases):
    """Return what a build gives that knows the history and nothing else."""
    with tempfile.TemporaryDirectory(prefix="hdash-clean-") as folder:
        output = Path(folder)
        worlds.carry_history(site / "cache", output / "cache")
        worlds.build(site, atlases.folder, output=output / "public", cache=output / "cache")
        return worlds.tree(output / "public")


def findings(site, atlas):
    with (site / f"public/{atlas}/findings.csv").open(newline="", encoding="utf-8") as file:
        return [(row["manifest"], row["kind"]) for row in csv.DictReader(file)]


@pytest.mark.parametrize(
    ("limited", "kind"), [({"seconds": 0.1}, "time-limit"), ({"memory": 16}, "memory-limit")], ids=str
)
def test_a_manifest_that_exceeds_a_limit_is_a_finding_and_all_else_is_built(
    site, atlases, large, jobs, limited, kind
):
    limit(site, **limited)
    atlases.manifests[large] += b"\nTherapy,HTA1_1," + b"x" * 40 * 2**20
    atlases.save()
    result = worlds.build(site, atlases.folder, jobs=jobs)
    assert (result.exit_code, result.failed, result.problems) == (0, [], [])
    assert (large, kind) in findings(site, "hta1")
    assert findings(site, "hta2") == []
    page = (site / f"public/hta1/manifests/{large}/index.html").read_text()
    assert "Split it into several manifests." in page
    again = worlds.build(site, atlases.folder, jobs=jobs)
    assert (again.ran, again.deployed.written) == ([], [])


def test_after_a_limit_is_changed_a_build_equals_a_clean_one(site, atlases, large):
    worlds.build(site, atlases.folder)
    for seconds in (0.1, 60):
        limit(site, seconds=seconds)
        result = worlds.build(site, atlases.folder)
        assert ((large, "time-limit") in findings(site, "hta1")) == (seconds < 1)
        assert "manifest" in {ran.key.kind for ran in result.ran}
        assert worlds.tree(site / "public") == clean_tree(site, atlases)


def test_a_changed_limit_runs_nothing_where_all_input_is_small(site, atlases):
    worlds.build(site, atlases.folder)
    limit(site, seconds=50)
    assert worlds.build(site, atlases.folder).ran == []


def test_a_value_that_was_given_up_and_lost_is_made_again(site, atlases, large):
    limit(site, seconds=0.1)
    worlds.build(site, atlases.folder)
    before = worlds.tree(site / "public")
    assert worlds.build(site, atlases.folder, forced=True).exit_code == 0
    assert worlds.tree(site / "public") == before


def test_an_article_that_exceeds_a_limit_is_an_error_of_that_article(site, atlases, jobs):
    limit(site, seconds=0.1)
    worlds.build(site, atlases.folder)
    before = worlds.tree(site / "public")
    (site / "content/long.md").write_text('+++\ntitle = "Long"\n+++\n' + "*a* [b](/c) `d`\n\n" * 20_000)
    (site / "content/short.md").write_text('+++\ntitle = "Short"\n+++\nWords.\n')
    result = worlds.build(site, atlases.folder, jobs=jobs)
    assert result.exit_code == 1
    [problem] = result.problems
    assert problem == (
        "content/long.md: it was given up: it needs more than 0.1 seconds of processor time;"
        " make the file smaller or simpler, or raise limits.seconds in site.toml"
    )
    assert (site / "public/short/index.html").exists()
    assert set(before) <= set(worlds.tree(site / "public"))


def test_an_article_with_pictures_is_the_same_with_limits_and_without(site, atlases, monkeypatch):
    folder = site / "content/pictured"
    folder.mkdir()
    png = (
        b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR" + (40).to_bytes(4, "big") + (30).to_bytes(4, "big") + b"\x08\2\0\0\0"
    )
    (folder / "map.png").write_bytes(png)
    (folder / "index.md").write_text('+++\ntitle = "Pictured"\n+++\n![A map](map.png)\n')
    worlds.build(site, atlases.folder)
    page = (site / "public/pictured/index.html").read_text()
    assert 'width="40"' in page
    monkeypatch.setattr(limits, "LARGE", 0)
    (folder / "index.md").write_text('+++\ntitle = "Pictured"\n+++\n![A map](map.png)\n\n')
    assert worlds.build(site, atlases.folder).problems == []
    assert (site / "public/pictured/index.html").read_text() == page
    (folder / "map.png").unlink()
    [problem] = worlds.build(site, atlases.folder).problems
    assert "there is no picture 'map.png'" in problem


def test_a_data_file_that_exceeds_a_limit_is_an_error_that_names_the_file(site, atlases):
    limit(site, seconds=0.1)
    (site / "content/data").mkdir()
    (site / "content/data/team.csv").write_text("name,role\n" + "a,b\n" * 400_000)
    for layout in ("home.mako", "article.mako"):
        with (site / "layouts" / layout).open("a") as file:
            file.write("${len(data.team)}\n")
    result = worlds.build(site, atlases.folder)
    assert result.exit_code == 1
    [problem] = result.problems
    assert problem.startswith("content/data/team.csv: it was given up: it needs more than 0.1 seconds")
    assert (site / "public/hta1/index.html").exists()


@pytest.mark.parametrize(
    ("module", "name"),
    [(listing, "facets"), (report, "facets"), (descents, "facets"), (demographics, "facets")],
    ids=lambda value: getattr(value, "__name__", value).rpartition(".")[2],
)
def test_a_step_of_an_atlas_that_exceeds_a_limit_fails_that_atlas_and_no_page_is_lost(
    site, atlases, jobs, monkeypatch, module, name
):
    worlds.build(site, atlases.folder)
    before = worlds.tree(site / "public")
    change(atlases)
    limit(site, seconds=0.3)
    with monkeypatch.context() as patch:
        patch.setattr(limits, "LARGE", 0)
        patch.setattr(module, name, slow.spin)
        failed = worlds.build(site, atlases.folder, jobs=jobs)
    assert (failed.exit_code, failed.failed) == (3, ["HTA1", "HTA2"])
    assert all("it needs more than 0.3 seconds of processor time" in line for line in failed.problems)
    assert set(before) <= set(worlds.tree(site / "public"))
    whole = worlds.build(site, atlases.folder)
    assert (whole.exit_code, whole.problems) == (0, [])
    assert worlds.tree(site / "public") == clean_tree(site, atlases)


def change(atlases):
    """Add a record to each manifest, change a cell, and add a file to each listing."""
    for entity, data in atlases.manifests.items():
        record = data.splitlines(keepends=True)[-1].replace(b"_1", b"_3").replace(b"_2", b"_4")
        atlases.manifests[entity] = data.replace(b"female", b"male") + record
    for row in list(atlases.projects):
        atlases.entity(row["id"], row["id"], "more.bam")
    atlases.save()


STEPS = {
    "listing": (listing, "facets"),
    "manifest": (parsing, "facets"),
    "report": (report, "facets"),
    "descent": (descents, "facets"),
    "demographics": (demographics, "facets"),
    "strays": (descents, "strays_of"),
}


@pytest.mark.parametrize("step", STEPS)
def test_when_the_deadline_passes_during_a_step_the_atlases_are_named(site, atlases, jobs, monkeypatch, step):
    worlds.build(site, atlases.folder)
    before = worlds.tree(site / "public")
    change(atlases)
    module, name = STEPS[step]
    with monkeypatch.context() as patch:
        patch.setattr(limits, "LARGE", 0)
        patch.setattr(module, name, slow.sleep)
        late = worlds.build(
            site, atlases.folder, jobs=jobs, deadline=Deadline(time.monotonic(), 3.0), forced=step == "strays"
        )
    assert (late.exit_code, late.failed) == (3, ["HTA1", "HTA2"])
    assert [line for line in late.problems if line.startswith("HTA1, HTA2: there was no time left")]
    told = worlds.status(site / "public")["atlases"]
    assert {told[atlas]["reason"] for atlas in ("HTA1", "HTA2")} == {
        "there was no time left before the deadline"
    }
    assert set(before) <= set(worlds.tree(site / "public"))
    assert worlds.build(site, atlases.folder).exit_code == 0
    assert worlds.tree(site / "public") == clean_tree(site, atlases)


def test_when_the_deadline_passes_during_the_pages_of_participants_the_atlas_that_waits_is_named(
    site, atlases, monkeypatch
):
    worlds.build(site, atlases.folder)
    change(atlases)
    deadline = Deadline(time.monotonic(), 60.0)
    made = people.pages

    def last_one(name, context):
        pages = made(name, context)
        monkeypatch.setattr(time, "monotonic", lambda: deadline.began + 60)
        return pages

    with monkeypatch.context():
        monkeypatch.setattr(people, "pages", last_one)
        late = worlds.build(site, atlases.folder, deadline=deadline)
        monkeypatch.undo()
    assert (late.exit_code, late.failed) == (3, ["HTA2"])
    assert [line.partition(":")[0] for line in late.problems] == ["HTA2"]
    assert worlds.build(site, atlases.folder).exit_code == 0
    assert worlds.tree(site / "public") == clean_tree(site, atlases)


def test_the_message_of_the_night_names_the_atlases_that_were_late(site, atlases):
    from hdash_site import notify

    worlds.build(site, atlases.folder)
    change(atlases)
    late = worlds.build(site, atlases.folder, deadline=Deadline(time.monotonic() - 100, 100.0))
    message = notify.success("Dashboard", late)
    assert "HTA1, HTA2: there was no time left before the deadline" in message


def test_a_build_of_small_input_starts_no_process(site, atlases, monkeypatch):
    from hdash_site.engine.processes import Processes

    def start(_):
        raise AssertionError("a process was started")

    monkeypatch.setattr(Processes, "_start", start)
    assert worlds.build(site, atlases.folder).exit_code == 0
    change(atlases)
    assert worlds.build(site, atlases.folder).exit_code == 0


def test_an_edit_of_a_large_manifest_starts_no_server_of_processes(site, atlases, large, monkeypatch):
    """A server takes a quarter of a second to start; a process that is forked takes milliseconds."""
    import multiprocessing

    worlds.build(site, atlases.folder)
    atlases.manifests[large] += b"\nTherapy,HTA1_2,y\n"
    atlases.save()
    used = []
    get_context = multiprocessing.get_context
    monkeypatch.setattr(multiprocessing, "get_context", lambda kind: used.append(kind) or get_context(kind))
    assert worlds.build(site, atlases.folder).exit_code == 0
    assert used == ["fork"]


def test_ctrl_c_during_a_call_with_limits_ends_the_build_with_one_line(site, atlases):
    script = (
        "from hdash_site.pages import limits; from hdash_site.htan import report; from tests import slow;"
        "limits.LARGE = 0; report.facets = slow.spin;"
        "from hdash_site import cli; cli.main()"
    )
    command = [sys.executable, "-c", script, "build", "--quiet", "--root", site, "--source", atlases.folder]
    process = subprocess.Popen(command, start_new_session=True, stderr=subprocess.PIPE, text=True)
    while len(members(process.pid)) < 2:  # the build and a worker
        assert process.poll() is None
        time.sleep(0.05)
    os.killpg(process.pid, signal.SIGINT)
    assert process.communicate()[1].split("\n") == ["", "hdash-site: stopped", ""]
    assert process.returncode == 1
    assert members(process.pid) == []
    assert worlds.build(site, atlases.folder).exit_code == 0


def test_a_forked_process_leaves_the_connections_to_the_database_alone(at, site, atlases, large, monkeypatch):
    for name, value in databases.environment(at).items():
        monkeypatch.setenv(name, value)
    for number in range(2):
        atlases.manifests[large] += b"\nTherapy,HTA1_2,y%d" % number
        atlases.save()
        result = worlds.build(site, atlases.folder)
        assert (result.exit_code, result.problems) == (0, [])
    assert worlds.build(site, atlases.folder).ran == []
