"""The plan of a deployment: what is done, in which order, and why."""

from __future__ import annotations

import itertools

from hdash_site.artifact import Artifact
from hdash_site.deploy.plan import plan


def planned(have, want, ours):
    """`have` gives what the mirror holds, by path."""

    def artifacts(digests):
        return {path: Artifact(*known.split()) for path, known in digests.items()}

    return plan(set(have), artifacts(want), artifacts(ours), lambda path: have[path], {"spared"})


def steps(result):
    return {action.path: (action.verb, action.reason) for action in result.actions}


def turns(result):
    """Give the paths turn by turn."""
    grouped = itertools.groupby(result.actions, lambda action: action.turn)
    return [[action.path for action in actions] for _, actions in grouped]


def test_a_file_that_is_new_changed_deleted_or_altered_is_put_with_its_reason():
    have = {"changed": "old", "altered": "hand", "same": "s", "taken": "hand", "served": "x"}
    want = {"new": "n", "changed": "new", "altered": "a", "deleted": "d", "same": "s", "taken": "t"}
    ours = {"changed": "old", "altered": "a", "deleted": "d", "same": "s", "served": "x old"}
    result = planned(have, want | {"served": "x new"}, ours)
    assert steps(result) == {
        "altered": ("put", "it was altered"),
        "changed": ("put", "it changed"),
        "deleted": ("put", "it was deleted"),
        "new": ("put", "it is new"),
        "taken": ("put", "another file is in its place"),
        "served": ("put", "its headers changed"),
    }
    assert result.kept == 1


def test_orphans_go_and_foreign_files_stay_and_are_named():
    result = planned({"orphan": "o", "foreign": "f", "spared": "c"}, {}, {"orphan": "o"})
    assert steps(result) == {"orphan": ("delete", "no page makes it")}
    assert result.foreign == ["foreign"]


def test_what_is_new_goes_before_what_changes_from_the_leaves_up_and_deletions_last():
    have = dict.fromkeys(
        ["index.html", "hta2/index.html", "old/index.html", "old/a/b.html", "assets/old.css", "status.json"],
        "o",
    )
    want = dict.fromkeys(
        [
            *("index.html", "hta2/index.html", "hta1/index.html", "hta1/manifests/syn1/index.html"),
            *("assets/a.1.css", "sitemap.xml", "status.json"),
        ],
        "x",
    )
    assert turns(planned(have, want, have)) == [
        ["assets/a.1.css"],
        ["hta1/manifests/syn1/index.html"],
        ["hta1/index.html"],
        ["hta2/index.html"],
        ["index.html"],
        ["sitemap.xml"],
        ["status.json"],
        ["old/index.html"],
        ["old/a/b.html"],
        ["assets/old.css"],
    ]


def test_a_new_site_gets_its_home_page_last():
    want = dict.fromkeys(["index.html", "404.html", "a/index.html", "a/b/index.html"], "x")
    assert turns(planned({}, want, {})) == [
        ["a/b/index.html"],
        ["a/index.html"],
        ["404.html"],
        ["index.html"],
    ]


def test_a_cut_off_run_left_a_claim_without_a_file():
    assert steps(planned({"a": "old"}, {"a": "new"}, {"a": "new"})) == {"a": ("put", "it was altered")}
