"""Deletions over the limit wait; they stop nothing else."""

from __future__ import annotations

import json

import pytest

from hdash_site.artifact import Waiting
from hdash_site.deploy.waiting import Limit, decide
from tests.deploy.mirror import Mirror
from tests.deploy.sites import page, site

MANY = [f"{number}.html" for number in range(100)]
SINCE = "2026-11-27T06:00:00+00:00"
LATER = "2026-11-28T06:00:00+00:00"


@pytest.mark.parametrize(
    ("due", "kept", "most", "waits"),
    [
        (20, 80, "20%", False),
        (21, 79, "20%", True),
        (10, 0, "20%", False),
        (11, 0, "20%", True),
        (100, 0, "100%", False),
        (5, 95, "5", False),
        (6, 94, "5", True),
        (0, 0, "0", False),
        (1, 99, "0", True),
    ],
)
def test_more_deletions_than_the_limit_allows_all_wait(due, kept, most, waits):
    now, later = decide(MANY[:due], {}, due + kept, Limit(most), SINCE)
    assert now == (set() if waits else set(MANY[:due]))
    assert later == (dict.fromkeys(MANY[:due], Waiting(SINCE, 0)) if waits else {})


def test_deletions_wait_for_the_number_of_nights_and_are_carried_out_in_the_next():
    listed = {}
    for number in range(1, 4):
        now, listed = decide(MANY, listed, 100, Limit(nights=3, night=True), SINCE if number == 1 else LATER)
        assert (now, listed) == (set(), dict.fromkeys(MANY, Waiting(SINCE, number)))
    assert decide(MANY, listed, 100, Limit(nights=3, night=True), LATER) == (set(MANY), {})


def test_runs_that_are_no_nightly_runs_do_not_count():
    listed = dict.fromkeys(MANY, Waiting(SINCE, 2))
    assert decide(MANY, listed, 100, Limit(), LATER) == (set(), listed)


def test_waiting_deletions_are_carried_out_on_request_and_new_ones_are_not():
    listed = dict.fromkeys(MANY[:30], Waiting(SINCE, 1))
    now, later = decide(MANY, listed, 100, Limit(pending=True), LATER)
    assert now == set(MANY[:30])
    assert later == dict.fromkeys(MANY[30:], Waiting(LATER, 0))


def test_a_few_new_deletions_are_carried_out_while_others_wait():
    listed = dict.fromkeys(MANY[:50], Waiting(SINCE, 1))
    now, later = decide(MANY[:55], listed, 100, Limit(), LATER)
    assert (now, later) == (set(MANY[50:55]), listed)


def test_with_no_nights_nothing_waits():
    assert decide(MANY, {}, 100, Limit(nights=0), SINCE) == (set(MANY), {})


@pytest.fixture
def target(s3, new_bucket):
    return Mirror(s3, new_bucket, patience=20)


FILES = site(30)
FEWER = {path: data for path, data in FILES.items() if not path.startswith(("hta1/", "hta2/", "hta3/"))}
FEWER["index.html"] = page()
GONE = FILES.keys() - FEWER.keys()


def status_file(target):
    return json.loads(target.data()["status.json"])


def test_uploads_go_on_while_deletions_over_the_limit_wait(target):
    target.deploy(FILES)
    done = target.deploy(FEWER, night=True)
    assert target.data() == FILES | FEWER | {"status.json": target.data()["status.json"]}
    assert {path for path, _ in done.written} == {"index.html", "status.json"}
    assert (done.removed, done.foreign) == ([], [])
    assert {path for path, _ in done.waiting} == GONE
    assert status_file(target) == {"built": "0", "deletions_waiting": 15}
    [note] = done.notes
    assert note.startswith(f"{target.bucket.where}: 15 of 40 files are no longer part of the site and wait")
    assert note.endswith("To delete them now, run: hdash-site deploy --delete-pending")
    assert target.deploy(FEWER).written == []
    assert target.s3.counted() == {"LIST": 1}


def test_after_some_nights_what_waits_is_deleted(target):
    target.deploy(FILES)
    for _ in range(3):
        assert target.deploy(FEWER, night=True).removed == []
    done = target.deploy(FEWER, night=True)
    assert {path for path, _ in done.removed} == GONE
    assert (done.waiting, done.notes) == ([], [])
    assert target.data() == FEWER
    assert target.ledger.waiting(str(target.bucket.where)) == {}


def test_what_waits_is_deleted_on_request(target):
    target.deploy(FILES)
    target.deploy(FEWER)
    target.deploy(FEWER, pending=True)
    assert target.data() == FEWER


def test_a_file_that_is_wanted_again_waits_no_longer_and_begins_anew_when_it_goes_again(target):
    target.deploy(FILES)
    for _ in range(3):
        target.deploy(FEWER, night=True)
    assert target.deploy(FILES, night=True).waiting == []
    assert target.data() == FILES
    assert target.ledger.waiting(str(target.bucket.where)) == {}
    target.deploy(FEWER, night=True)
    assert set(target.ledger.waiting(str(target.bucket.where)).values()) == {
        Waiting("2026-11-27T06:00:00+00:00", 1)
    }


def test_a_dry_run_says_what_would_wait_and_lists_nothing(target):
    target.deploy(FILES)
    done = target.deploy(FEWER, dry=True)
    assert dict(done.waiting).keys() == GONE
    assert dict(done.waiting)["hta1/index.html"] == "waits to be deleted (night 0 of 3)"
    assert target.ledger.waiting(str(target.bucket.where)) == {}
