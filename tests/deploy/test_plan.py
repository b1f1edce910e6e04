"""The plan of a deployment: what is done, in which order, and why."""

from __future__ import annotations

from hdash_site.deploy.plan import Action, plan


def planned(have, want, ours):
    """`have` gives what the mirror holds, by path."""
    return plan(set(have), want, ours, lambda path: have[path], {"check.json"})


def test_a_file_that_is_new_changed_deleted_or_altered_is_put_with_its_reason():
    have = {"changed": "old", "altered": "hand", "same": "s", "taken": "hand"}
    want = {"new": "n", "changed": "new", "altered": "a", "deleted": "d", "same": "s", "taken": "t"}
    ours = {"changed": "old", "altered": "a", "deleted": "d", "same": "s"}
    result = planned(have, want, ours)
    assert result.actions == [
        Action("put", "altered", "it was altered"),
        Action("put", "changed", "it changed"),
        Action("put", "deleted", "it was deleted"),
        Action("put", "new", "it is new"),
        Action("put", "taken", "another file is in its place"),
    ]
    assert result.kept == 1


def test_orphans_go_and_foreign_files_stay_and_are_named():
    result = planned({"orphan": "o", "foreign": "f", "check.json": "c"}, {}, {"orphan": "o"})
    assert result.actions == [Action("delete", "orphan", "no page makes it")]
    assert result.foreign == ["foreign"]


def test_assets_go_first_then_leaves_then_the_index_and_deletions_last():
    want = dict.fromkeys(
        ["index.html", "hta1/manifests/syn1/index.html", "hta1/index.html", "assets/a.1.css"], "x"
    )
    result = planned({"old": "o"}, want, {"old": "o"})
    assert [action.path for action in result.actions] == [
        "assets/a.1.css",
        "hta1/manifests/syn1/index.html",
        "hta1/index.html",
        "index.html",
        "old",
    ]


def test_a_cut_off_run_left_a_claim_without_a_file():
    assert planned({"a": "old"}, {"a": "new"}, {"a": "new"}).actions == [Action("put", "a", "it was altered")]
