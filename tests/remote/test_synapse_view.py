"""A file view that is behind: waited for, and if that does not help, no atlas is called the same."""

from __future__ import annotations

import re

import pytest

from hdash_site import app, upkeep
from hdash_site.console import show_status


def edit(desk, number=0):
    """Change the bytes of a manifest."""
    entity = sorted(desk.service.manifests())[number]
    desk.service.edit(entity, desk.service.content(entity) + b"Demographics,HTA1_77,female\n")


def test_a_view_that_catches_up_while_it_is_polled_is_read_in_the_same_night(desk):
    """The view needs several times as long as the pause between two queries."""
    desk.build()
    desk.service.delay = 0.6
    edit(desk)
    result = desk.build()
    assert (result.exit_code, result.problems, result.unverified, result.changed) == (0, [], {}, ["HTA1"])
    assert desk.tree() == desk.folder_tree()


def test_an_atlas_that_was_not_verified_is_not_called_same_and_status_json_says_as_of_when_it_is(desk):
    desk.build()
    proven = {atlas: one.verified for atlas, one in desk.snapshots().items()}
    before = desk.tree()
    desk.service.lag = True
    edit(desk)
    result = desk.build()
    assert (result.exit_code, result.same, result.failed) == (0, [], [])
    assert result.unverified == proven
    [line] = result.problems
    assert line.startswith(
        "atlases HTA1, HTA2 were not verified: the file view syn20446927 does not show the"
    )
    assert {atlas: one.verified for atlas, one in desk.snapshots().items()} == proven
    for atlas, entry in desk.status().items():
        seconds = f"{proven[atlas][:19]}Z"
        assert (entry["state"], entry["verified"], entry["failed_since"]) == ("unverified", seconds, None)
    assert desk.build().deployed.written == []

    desk.service.lag = False
    result = desk.build()
    assert (result.unverified, result.problems) == ({}, [])
    assert desk.tree() == desk.folder_tree()
    assert desk.tree()["hta2/index.html"] == before["hta2/index.html"]


def test_a_listing_from_a_view_that_is_behind_again_is_shown_and_not_verified(desk):
    desk.build()
    edit(desk)
    desk.service.view.apply(desk.service.entities.all_rows())
    edit(desk)
    desk.service.lag = True
    result = desk.build()
    assert result.changed == ["HTA1"]
    assert set(result.unverified) == {"HTA1", "HTA2"}


def test_a_first_crawl_of_a_view_that_is_behind_is_not_verified_yet(desk):
    desk.service.lag = True
    edit(desk)
    assert desk.build().unverified == {"HTA1": "", "HTA2": ""}
    assert {(one["state"], one["verified"]) for one in desk.status().values()} == {("unverified", None)}


def test_a_night_in_which_nothing_changed_moves_the_date_and_no_page(desk):
    desk.build()
    with app.open_state(app.Options(desk.site)) as store:
        store.save_snapshots(
            one._replace(crawled="2026-01-01T00:00:00+00:00", verified="2026-01-01T00:00:00+00:00")
            for one in store.snapshots().values()
        )
        store.commit()
    assert desk.build().deployed.written == []
    assert all(one.verified == one.crawled > "2026-01-02" for one in desk.snapshots().values())


@pytest.mark.parametrize("kind", ["429", "503", "reset", "401", "html 502"])
def test_entities_that_cannot_be_compared_leave_atlases_unverified_and_fail_none(desk, kind):
    desk.build()
    desk.settings["patience"] = 0.3
    desk.service.fault("entity", kind, times=10**6)
    edit(desk)
    result = desk.build()
    assert (result.exit_code, result.failed, result.changed) == (0, [], ["HTA1"])
    assert set(result.unverified) == {"HTA1", "HTA2"}
    assert "could not be compared" in result.problems[0]
    desk.service.heal()
    assert desk.build().unverified == {}
    assert desk.tree() == desk.folder_tree()


def test_one_entity_that_cannot_be_compared_concerns_its_atlas_alone(desk):
    desk.build()
    desk.service.fault("entity", "401", times=1)
    result = desk.build()
    assert (result.exit_code, result.failed, len(result.unverified), len(result.same)) == (0, [], 1, 1)


@pytest.mark.parametrize("status", ["401", "403", "404"])
def test_a_single_refusal_while_a_query_is_polled_is_no_failure(desk, status):
    desk.build()
    edit(desk)
    desk.service.fault("query poll", status, times=1, after=1)
    result = desk.build()
    assert (result.exit_code, result.problems) == (0, [])
    assert desk.tree() == desk.folder_tree()


def test_a_view_that_is_built_anew_is_waited_for(desk):
    desk.build()
    edit(desk)
    desk.service.rebuild(0.5)
    result = desk.build()
    assert (result.exit_code, result.unverified) == (0, {})
    assert desk.tree() == desk.folder_tree()


def test_status_and_status_json_say_when_an_atlas_was_verified(desk, capsys):
    desk.build()
    [proven] = {one.verified for one in desk.snapshots().values()}
    desk.service.lag = True
    edit(desk)
    desk.build()
    assert {one["verified"] for one in desk.status().values()} == {f"{proven[:19]}Z"}
    show_status(upkeep.status(app.Options(desk.site)))
    titles, *lines = capsys.readouterr().out.splitlines()
    assert re.split(r"  +", titles)[-1] == "verified"
    assert len(lines) == 2
    assert all(re.split(r"  +", line)[-1] == f"{proven[:10]} {proven[11:16]}" for line in lines)
