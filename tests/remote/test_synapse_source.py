"""A site from Synapse: the same as from a folder, with few requests, and no change is missed."""

from __future__ import annotations

import json
import random
import subprocess
import sys
import time

import pytest

from hdash_site import app, upkeep
from hdash_site.errors import HdashError
from tests import worlds


def test_the_site_is_the_one_that_a_folder_of_the_same_atlases_gives(desk):
    result = desk.build()
    assert (result.exit_code, result.problems) == (0, [])
    assert desk.tree() == desk.folder_tree()


def test_when_nothing_changed_nothing_is_fetched_and_nothing_runs(desk):
    desk.build()
    desk.service.log.clear()
    result = desk.build()
    assert (result.exit_code, result.ran, result.deployed.written) == (0, [], [])
    assert desk.service.log.objects == 0
    assert desk.service.log.api <= 12


def test_one_manifest_changed_is_one_listing_and_one_download(desk):
    desk.build()
    entity = next(one for one in desk.service.manifests())
    desk.service.edit(entity, desk.service.content(entity) + b"Demographics,HTA1_77,female\n")
    desk.service.log.clear()
    result = desk.build()
    assert result.exit_code == 0
    assert desk.service.log.objects == 2
    assert desk.tree() == desk.folder_tree()


def test_a_first_crawl_fetches_equal_bytes_once_and_does_so_for_the_next_one_too(desk):
    entity = next(one for one in desk.service.manifests())
    other = desk.service.projects()[1].synapse_id
    folder = desk.service.add_folder(other, "copy")
    name = "synapse_storage_manifest_copy.csv"
    desk.service.add_file(folder, name, desk.service.content(entity), component="Demographics")
    desk.build()
    listings = 2
    assert desk.service.log.objects == listings + len(
        set(map(desk.service.content, desk.service.manifests()))
    )


def test_offline_needs_neither_network_nor_token(desk, monkeypatch):
    desk.build()
    before = desk.tree()
    monkeypatch.delenv("SYNAPSE_AUTH_TOKEN")
    desk.service.log.clear()
    result = desk.build(offline=True, forced=True)
    assert (result.exit_code, desk.service.log.api) == (0, 0)
    assert desk.tree() == before


def test_offline_on_a_desk_without_a_token_shows_no_sample_data(desk, monkeypatch):
    desk.source = ""
    desk.build()
    before = desk.tree()
    assert b"Sample data." not in before["index.html"]
    monkeypatch.delenv("SYNAPSE_AUTH_TOKEN")
    assert desk.build(offline=True).ran == []
    assert desk.tree() == before


def test_offline_before_the_first_crawl_says_so(desk):
    with pytest.raises(HdashError, match="nothing was crawled yet; build once without --offline"):
        desk.build(offline=True)


def test_what_is_pulled_builds_the_same_site(desk, tmp_path):
    desk.build()
    counts = app.pull(app.Options(desk.site), tmp_path / "pulled")
    assert counts == [("HTA1", 3), ("HTA2", 3)]
    place = tmp_path / "from-pulled"
    result = worlds.build(desk.site, tmp_path / "pulled", output=place / "public", cache=place / "cache")
    assert result.exit_code == 0
    assert worlds.tree(place / "public") == desk.tree()


def test_a_second_pull_replaces_the_first_and_spares_what_is_not_ours(desk, tmp_path):
    desk.build()
    app.pull(app.Options(desk.site), tmp_path / "pulled")
    counts = app.pull(app.Options(desk.site, atlases=("HTA2",)), tmp_path / "pulled")
    assert counts == [("HTA2", 3)]
    assert len(list((tmp_path / "pulled/manifests").iterdir())) == 3
    (tmp_path / "mine").mkdir()
    (tmp_path / "mine/notes.txt").write_text("mine")
    with pytest.raises(HdashError, match="the folder is not empty"):
        app.pull(app.Options(desk.site), tmp_path / "mine")


@pytest.mark.parametrize(
    "change",
    [
        "edit", "edit_unmodified", "upload_same", "annotate", "rename", "move", "move_to_another_project",
        "move_folder_to_another_project", "rename_folder", "new_version", "add", "delete", "delete_folder",
        "delete_and_add",
    ],
)  # fmt: skip
def test_every_kind_of_change_is_seen_by_the_next_crawl(desk, change):
    desk.build()
    changes(desk.service)[change](random.Random(1))
    result = desk.build()
    assert result.exit_code == 0
    assert desk.tree() == desk.folder_tree()
    assert listed(desk) == truth(desk)


@pytest.mark.parametrize("shard", range(4))
def test_no_change_is_missed(desk, shard):
    """125 changes each, one to five a night."""
    luck = random.Random(shard)
    desk.service.throttle = False  # a night a second is more than it allows
    desk.build()
    left = 125
    while left > 0:
        for _ in range(luck.randint(1, 5)):
            name, change = luck.choice(list(changes(desk.service).items()))
            change(luck)
            left -= 1
        crawled = app.crawl_only(app.Options(desk.site, accept_loss=True))
        assert crawled.failed == {}
        assert listed(desk) == truth(desk), name
    desk.build(accept_loss=True)
    assert desk.tree() == desk.folder_tree()


def changes(service):
    """Every kind of change to an entity; half of them leave modifiedOn as it was."""

    def file(luck):
        return luck.choice(sorted(service.files()))

    def manifest(luck):
        return luck.choice(sorted(service.manifests()) or [file(luck)])

    def folder(luck, project=None):
        return luck.choice(sorted(service.folders(project)) or [service.projects()[0].synapse_id])

    def other(entity):
        return next(p.synapse_id for p in service.projects() if p.synapse_id != service.project_of(entity))

    def kept(luck):
        return {"keep_modified": luck.random() < 0.5}

    def move_folder(luck):
        one = folder(luck)
        service.move(one, other(one), **kept(luck))

    def move_file(luck):
        one = file(luck)
        service.move(one, other(one), **kept(luck))

    def bytes_of(luck):
        return f"Component,HTAN Participant ID\nDemographics,HTA1_{luck.randrange(10**6)}\n".encode()

    def delete(luck, entities):
        entities = sorted(entities)
        if len(entities) > 3:
            service.delete(luck.choice(entities))

    return {
        "edit": lambda luck: service.edit(manifest(luck), bytes_of(luck), **kept(luck)),
        "edit_unmodified": lambda luck: service.edit(manifest(luck), bytes_of(luck), keep_modified=True),
        "upload_same": lambda luck: service.upload_same(manifest(luck), **kept(luck)),
        "annotate": lambda luck: service.annotate(
            file(luck), luck.choice(["Demographics", "", "Therapy"]), **kept(luck)
        ),
        "rename": lambda luck: service.rename(file(luck), f"renamed{luck.randrange(99)}.bam", **kept(luck)),
        "move": lambda luck: service.move(file(luck), folder(luck), **kept(luck)),
        "move_to_another_project": move_file,
        "move_folder_to_another_project": move_folder,
        "rename_folder": lambda luck: service.rename(folder(luck), f"f{luck.randrange(99)}", **kept(luck)),
        "new_version": lambda luck: service.new_version(file(luck), **kept(luck)),
        "add": lambda luck: service.add_file(
            folder(luck),
            luck.choice([f"x{luck.randrange(99)}.bam", "synapse_storage_manifest_new.csv"]),
            bytes_of(luck),
            component="Demographics",
        ),
        "delete": lambda luck: delete(luck, service.files()),
        "delete_folder": lambda luck: delete(luck, service.folders()),
        "delete_and_add": lambda luck: service.delete_and_add(file(luck)),
    }


def listed(desk):
    """What the snapshots list: by atlas, the rows by entity id."""
    import csv
    import io

    from hdash_site.state.store import opened

    with opened(desk.site / "cache") as store:
        return {
            atlas: sorted(csv.reader(io.StringIO(store.load(snapshot.listing).decode())))
            for atlas, snapshot in store.snapshots().items()
        }


def truth(desk):
    """What the service really has, past its view."""
    import csv

    from hdash_site.htan.entities import COLUMNS

    desk.service.save(desk.folder / "saved")
    with (desk.folder / "saved/files.csv").open(newline="") as file:
        rows = list(csv.DictReader(file))
    return {
        project.id: sorted(
            [list(COLUMNS)]
            + [[row[name] for name in COLUMNS] for row in rows if row["projectId"] == project.synapse_id]
        )
        for project in desk.service.projects()
    }


def test_a_project_that_is_hidden_from_us_keeps_its_pages_until_the_loss_is_accepted(desk):
    desk.build()
    before = desk.tree()
    project = desk.service.projects()[0]
    desk.service.hide(project.synapse_id)
    result = desk.build()
    assert (result.exit_code, result.failed) == (3, ["HTA1"])
    assert "7 of its 7 entities are missing from its listing" in result.problems[0]
    assert desk.status()["HTA1"]["state"] == "failed"
    assert desk.tree() == before
    assert desk.build(strict=True).exit_code == 1
    result = desk.build(accept_loss=True)
    assert result.exit_code == 0
    assert desk.status()["HTA1"]["state"] == "current"


def test_a_manifest_that_is_gone_but_still_in_the_view_is_a_finding_and_is_asked_for_again(desk):
    entity = next(one for one in desk.service.manifests())
    content = desk.service.content(entity)
    desk.service.lag = True
    desk.service.delete(entity)
    result = desk.build()
    assert result.exit_code == 0
    assert result.findings["H_MANIFEST"] == {"errors": 1, "warnings": 0}
    desk.service.lag = False
    result = desk.build()
    assert "H_MANIFEST" not in result.findings
    assert desk.tree() == desk.folder_tree()
    assert content


@pytest.mark.parametrize(
    ("route", "kind", "said"),
    [
        ("login", "401", "Synapse: it does not accept the token in SYNAPSE_AUTH_TOKEN; make a personal"),
        ("login", "403", "Synapse: the token may not do that"),
        ("query start", "404", "Synapse: it answers 404"),
        ("query start", "503", "Synapse: it answers 503"),
        ("query poll", "html", "Synapse: it answers 200 with something else than JSON"),
        ("query poll", "never", "Synapse: a query of the view does not end"),
        ("query poll", "failed", "Synapse: a query of the view fails"),
    ],
)
def test_what_fails_for_all_atlases_is_one_line_and_leaves_all_pages(desk, route, kind, said):
    desk.build()
    before = set(desk.tree())
    desk.service.fault(route, kind, times=10**6)
    result = desk.build()
    assert (result.exit_code, result.failed) == (3, ["HTA1", "HTA2"])
    assert len(result.problems) == 1, result.problems
    assert said in result.problems[0]
    assert desk.service.token not in json.dumps(result.problems)
    assert set(desk.tree()) == before
    desk.service.heal()
    assert desk.build().exit_code == 0
    assert desk.tree() == desk.folder_tree()


def test_a_first_crawl_that_fails_is_one_line(desk):
    desk.service.fault("login", "401", times=9)
    with pytest.raises(HdashError, match="SYNAPSE_AUTH_TOKEN"):
        desk.build()


def test_without_a_token_the_line_names_the_variable(desk, monkeypatch):
    monkeypatch.delenv("SYNAPSE_AUTH_TOKEN")
    with pytest.raises(HdashError, match="SYNAPSE_AUTH_TOKEN: Synapse wants a token; set it to a personal"):
        desk.build()


def test_the_older_variables_hold_a_token_too(desk, monkeypatch):
    monkeypatch.delenv("SYNAPSE_AUTH_TOKEN")
    monkeypatch.setenv("SYNAPSE_PASSWORD", desk.service.token)
    assert desk.build().exit_code == 0


@pytest.mark.parametrize("kind", ["", "401", "403", "reset", "html 502", "429"])
def test_the_token_is_in_no_output_no_page_and_no_state(desk, kind):
    """The whole program, as people run it; a deprecated call of the client would be printed, too."""
    desk.build()
    for route in ("login", "query start", "batch"):
        if kind:
            desk.service.fault(route, kind, times=3, after=1 if route == "login" else 0)
    entity = next(iter(desk.service.manifests()))
    desk.service.edit(entity, desk.service.content(entity) + b"x\n")
    command = [
        sys.executable,
        "-X",
        "dev",
        "-m",
        "hdash_site",
        "build",
        "--root",
        str(desk.site),
        "--explain",
    ]
    done = subprocess.run(command, capture_output=True, check=False)
    assert done.returncode in (0, 3)
    token = desk.service.token.encode()
    assert token not in done.stdout + done.stderr
    assert b"Deprecat" not in done.stderr
    assert b"signature=" not in done.stdout + done.stderr
    for path in desk.folder.rglob("*"):
        assert not path.is_file() or token not in path.read_bytes(), path


def test_the_rows_pass_no_data_frame(desk):
    desk.write()
    code = (
        "import sys; from pathlib import Path; from hdash_site import app;"
        f" app.build(app.Options(Path({str(desk.site)!r})));"
        " assert 'synapseclient' in sys.modules; assert not {'pandas', 'numpy'} & set(sys.modules)"
    )
    subprocess.run([sys.executable, "-c", code], check=True)


def test_a_signed_address_that_is_too_old_is_asked_for_again(desk):
    desk.service.fault("object", "expired", times=3)
    assert desk.build().exit_code == 0
    assert desk.tree() == desk.folder_tree()


def test_the_throttle_is_not_run_into(desk):
    desk.service.latency = 0.02
    desk.build()
    assert desk.service.answers.refused == 0


def test_a_service_that_says_how_long_to_wait_is_waited_for(desk):
    desk.service.fault("query start", "429 after", times=1)
    started = time.monotonic()
    assert desk.build().exit_code == 0
    assert time.monotonic() - started > 1.0


def test_one_atlas_that_fails_leaves_the_others_alone(desk):
    desk.build()
    for entity in desk.service.manifests():
        desk.service.edit(entity, desk.service.content(entity) + b"x\n")
    # Three queries for what changed come first; the next one is the listing of one of the two atlases.
    desk.service.fault("query start", "403", times=1, after=3)
    result = desk.build()
    assert result.exit_code == 3
    assert len(result.failed) == 1
    [changed] = result.changed
    assert [atlas for atlas, entry in desk.status().items() if entry["state"] == "current"] == [changed]


def test_atlases_of_a_projects_csv_are_crawled_once_they_are_registered(desk):
    desk.lists_atlases = False
    with pytest.raises(
        HdashError, match=r"no atlas is listed; add .* or give 'hdash-site init' a projects.csv"
    ):
        desk.build()
    found = upkeep.init(app.Options(desk.site), desk.folder / "atlases/projects.csv")
    assert [(project.id, problem) for project, problem in found] == [("HTA1", None), ("HTA2", None)]
    assert desk.build().exit_code == 0
    upkeep.reset(app.Options(desk.site))
    desk.build()
    assert desk.tree() == desk.folder_tree()


def test_init_says_what_is_wrong_with_the_token(desk):
    desk.write()
    desk.service.fault("login", "401", times=9)
    with pytest.raises(HdashError, match="it does not accept the token in SYNAPSE_AUTH_TOKEN"):
        upkeep.init(app.Options(desk.site), None)


def test_the_status_of_an_atlas_that_failed_says_since_when(desk):
    desk.build()
    desk.service.fault("query start", "503", times=10**6)
    desk.build()
    for standing in upkeep.status(app.Options(desk.site)):
        assert standing.snapshot.rows == 7
        assert standing.findings == (0, 0)
        assert standing.snapshot.failed_since >= standing.snapshot.crawled > ""


def test_the_history_of_synapse_is_not_compared_with_that_of_the_sample_or_of_another_view(desk, monkeypatch):
    desk.source = ""
    monkeypatch.delenv("SYNAPSE_AUTH_TOKEN")
    worlds.small(desk.site / "cache/sample", "HTA1", "HTA7")
    desk.build(today="2026-07-01")
    monkeypatch.setenv("SYNAPSE_AUTH_TOKEN", desk.service.token)
    result = desk.build(today="2026-07-02")
    assert [problem for problem in result.problems if "history" in problem] == result.problems
    assert "the history of sample (1 editions) is kept" in result.problems[0]
    changes = (desk.site / "public/changes/index.html").read_text()
    assert "The history begins, with 2 atlases" in changes
    assert "is gone" not in changes
    assert not (desk.site / "public/changes/2026-07-01-00-00-00").exists()
    assert desk.tree() == desk.folder_tree()


def test_the_view_and_the_endpoint_identify_a_history_and_the_list_of_atlases_does_not(desk):
    desk.write()
    identity = worlds.source_of(desk.site)
    assert identity.startswith("synapse-")
    toml = desk.site / "site.toml"
    text = toml.read_text()
    toml.write_text(text.replace("[synapse]", '[[atlas]]\nid = "HTA99"\nsynapse_id = "syn99"\n[synapse]'))
    assert worlds.source_of(desk.site) == identity
    toml.write_text(text.replace("[synapse]", '[synapse]\nview = "syn77"'))
    assert worlds.source_of(desk.site) not in ("", identity)
