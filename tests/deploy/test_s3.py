"""The bucket as a mirror: what is sent, when, and in which order; what is left alone; what is refused."""

from __future__ import annotations

import itertools
import random

import pytest

from hdash_site.deploy import holdings
from hdash_site.errors import AwsError, HdashError, OutputError
from tests.deploy.mirror import Mirror
from tests.deploy.sites import Ledger, broken, page, site
from tests.remote.s3 import SECRET, Fault


@pytest.fixture
def target(s3, new_bucket):
    return Mirror(s3, new_bucket)


def reasons(done):
    return dict(done.written) | dict(done.removed)


def test_the_bucket_has_the_bytes_the_types_the_times_and_the_redirects(target):
    files = site(5) | {"old/index.html": page("hta1/"), "hta1/network.sif": b"a b c\n" * 500}
    done = target.deploy(files, redirects={"old/index.html": "/hta1/"})
    assert target.data() == files
    assert (len(done.written), done.kept, done.removed, done.foreign) == (len(files), 0, [], [])
    stored = target.stored()
    assert stored["index.html"].content_type == "text/html; charset=utf-8"
    assert stored["index.html"].cache_control == "public, max-age=0, must-revalidate"
    assert stored["assets/site.1.css"].cache_control == "public, max-age=31536000, immutable"
    assert (stored["assets/site.1.css"].encoding, len(stored["assets/site.1.css"].body) < 200) == (
        "gzip",
        True,
    )
    assert (stored["hta1/network.sif"].encoding, stored["icon.svg"].encoding) == ("", "")
    assert stored["old/index.html"].redirect == "/hta1/"
    assert {stored[path].redirect for path in stored if path != "old/index.html"} == {""}


def test_requests_are_those_of_what_changed(target):
    files = site(5)
    target.deploy(files)
    assert target.s3.counted() == {"LIST": 1, "PUT": len(files) + 1}, "the marker is written once"
    target.deploy(files)
    assert target.s3.counted() == {"LIST": 1}
    target.deploy(files, trust=True)
    assert target.s3.counted() == {"GET": 1}
    done = target.deploy(files | {"hta1/index.html": page("", text="new")}, trust=True)
    assert target.s3.counted() == {"GET": 1, "PUT": 1}
    assert reasons(done) == {"hta1/index.html": "it changed"}
    done = target.deploy({path: data for path, data in files.items() if "m3" not in path})
    assert target.s3.counted() == {"LIST": 1, "PUT": 1, "DELETE": 1}
    assert reasons(done)["hta1/m3/index.html"] == "no page makes it"


def test_the_requests_of_a_site_of_ten_thousand_pages(s3, new_bucket):
    target = Mirror(s3, new_bucket, patience=60)
    files = {f"p{number % 100:02}/{number:05}/index.html": b"page %d" % number for number in range(9_990)}
    files |= {f"assets/a{number}.css": b"x" for number in range(10)} | {"status.json": b"{}"}
    target.deploy(files)
    assert target.s3.counted() == {"LIST": 1, "PUT": 10_002}
    assert target.deploy(files).written == []
    assert target.s3.counted() == {"LIST": 11}
    assert target.deploy(files, trust=True).written == []
    assert target.s3.counted() == {"GET": 1}
    newer = files | {"p00/00000/index.html": b"new", "status.json": b'{"built": "now"}'}
    assert len(target.deploy(newer).written) == 2
    assert target.s3.counted() == {"LIST": 11, "PUT": 2}


def test_a_same_size_edit_and_headers_alone_are_seen(target):
    files = site(1)
    target.deploy(files)
    done = target.deploy(files | {"icon.svg": b"<svg>x"})
    assert reasons(done) == {"icon.svg": "it changed"}
    files["icon.svg"] = b"<svg>x"
    done = target.deploy(files, routes=[{"pattern": "icon.svg", "cache_control": "max-age=60"}])
    assert reasons(done) == {"icon.svg": "its headers changed"}
    assert target.stored()["icon.svg"].cache_control == "max-age=60"
    done = target.deploy(files, redirects={"icon.svg": "/elsewhere"})
    assert target.stored()["icon.svg"].redirect == "/elsewhere"
    assert target.stored()["icon.svg"].cache_control == "public, max-age=0, must-revalidate"


def test_drift_is_repaired(target):
    files = site(1)
    target.deploy(files)
    target.s3.put(target.name, "index.html", b"defaced")
    target.s3.delete(target.name, "hta0/index.html")
    done = target.deploy(files)
    assert reasons(done) == {"index.html": "it was altered", "hta0/index.html": "it was deleted"}
    assert target.data() == files
    # An ETag tells it, so it is seen even if nobody deployed since; only trust does not look.
    target.s3.put(target.name, "index.html", b"defaced")
    assert reasons(target.deploy(files, trust=True)) == {}
    assert reasons(target.deploy(files)) == {"index.html": "it was altered"}


def test_objects_of_others_are_left_alone_and_named(target):
    target.s3.put(target.name, "downloads/big.bin", b"mine")
    files = site(1)
    assert target.deploy(files).foreign == ["downloads/big.bin"]
    assert target.deploy({path: data for path, data in files.items() if "m1" not in path}).foreign == [
        "downloads/big.bin"
    ]
    assert target.stored()["downloads/big.bin"].data == b"mine"


def test_a_prefix_is_a_site_of_its_own(s3, new_bucket):
    one, two = Mirror(s3, new_bucket, "one/"), Mirror(s3, new_bucket, "two/")
    files = site(1)
    one.deploy(files)
    two.deploy(files | {"index.html": page()})
    assert one.deploy(files).written == []
    found = s3.objects(new_bucket)
    assert found["one/index.html"].data != found["two/index.html"].data


def test_a_dry_run_says_all_and_does_nothing(target):
    files = site(1)
    done = target.deploy(files, dry=True)
    assert len(done.written) == len(files)
    assert target.s3.counted() == {"LIST": 1}
    assert target.ledger.rows == {}


def test_a_listing_of_many_pages_is_asked_for_side_by_side_between_known_keys(target, monkeypatch):
    monkeypatch.setattr("hdash_site.bucket.PAGE", 10)
    monkeypatch.setattr(holdings, "PAGE", 10)
    files = {f"p{number:03}.html": b"x" for number in range(94)} | {"status.json": b"{}"}
    target.deploy(files)
    assert target.s3.counted() == {"LIST": 1, "PUT": 96}
    assert target.deploy(files).written == []
    assert target.s3.counted() == {"LIST": 10}
    for number in range(0, 90, 3):
        target.s3.put(target.name, f"p{number:03}.x", b"foreign")
    target.s3.delete(target.name, "p050.html")
    done = target.deploy(files)
    assert len(done.foreign) == 30
    assert reasons(done) == {"p050.html": "it was deleted"}


def test_a_lost_ledger_is_read_from_the_bucket_and_nothing_is_sent_again(target):
    files = site(5)
    target.deploy(files)
    target.s3.put(target.name, "foreign.bin", b"x")
    target.s3.put(target.name, "icon.svg", b"altered")
    target.ledger.rows.clear()
    done = target.deploy({path: data for path, data in files.items() if "m3" not in path})
    looked = {"GET": 1, "HEAD": len(files) + 1}
    assert target.s3.counted() == {"LIST": 1, **looked, "PUT": 1, "DELETE": 1}
    assert set(reasons(done)) == {"icon.svg", "hta0/m3/index.html", "hta1/m3/index.html"}
    assert done.foreign == ["foreign.bin"]
    assert target.deploy({path: data for path, data in files.items() if "m3" not in path}).written == []
    assert target.s3.counted() == {"LIST": 1}


def test_a_ledger_of_the_day_before_yesterday_is_found_out(target):
    before = site(5)
    target.deploy(before)
    old = Ledger()
    old.rows = {name: dict(rows) for name, rows in target.ledger.rows.items()}
    target.deploy(
        site(5, version=1) | {"extra.html": page("")}, routes=[{"pattern": "icon.svg", "cache_control": "x"}]
    )
    target.ledger = old
    done = target.deploy(before)
    assert target.data() == before
    assert reasons(done)["extra.html"] == "no page makes it"
    assert reasons(done)["icon.svg"] == "its headers changed"
    assert set(reasons(done)) == {
        *("index.html", "hta0/index.html", "hta1/index.html", "status.json", "extra.html", "icon.svg")
    }


def test_headers_that_somebody_set_by_hand_are_set_right_when_the_ledger_is_read_anew(target):
    files = site(1)
    target.deploy(files)
    kept = target.s3.object(target.name, "icon.svg")
    target.s3.put(target.name, "icon.svg", kept.body, ContentType="text/plain", Metadata=kept.metadata)
    target.ledger.rows.clear()
    assert reasons(target.deploy(files)) == {"icon.svg": "its headers changed"}
    assert target.stored()["icon.svg"].content_type == "image/svg+xml"


def test_no_permission_to_delete_is_one_line_and_the_rest_is_done(target):
    files = site(1)
    target.deploy(files)
    target.s3.allowed = {"s3:ListBucket", "s3:PutObject"}
    with pytest.raises(HdashError, match=r"not allowed.*AccessDenied"):
        target.deploy({path: data for path, data in files.items() if "m3" not in path} | {"new.html": page()})
    assert "new.html" in target.data()
    target.s3.allowed = None
    done = target.deploy(
        {path: data for path, data in files.items() if "m3" not in path} | {"new.html": page()}
    )
    assert reasons(done) == {"hta0/m3/index.html": "no page makes it"}


def test_a_bucket_in_another_region_is_found_or_said(target):
    target.s3.fault = lambda request: Fault(301, "PermanentRedirect")
    with pytest.raises(AwsError, match=r"another region.*set AWS_REGION"):
        target.deploy(site(1))


def test_what_failed_is_named_and_what_was_sent_is_not_sent_again(target):
    files = site(10)
    target.deploy(files)
    newer = site(10, version=1)
    bad = {"hta0/index.html", "hta2/index.html"}
    target.s3.fault = lambda request: (
        Fault(403, "AccessDenied") if request.kind == "PUT" and request.key in bad else None
    )
    with pytest.raises(OutputError, match=r"steps failed: hta\d/index.html.*this is not allowed") as caught:
        target.deploy(newer)
    assert "\n" not in str(caught.value)
    # status.json says that all is done: it is not.
    assert target.data()["status.json"] == files["status.json"]
    sent = {path for path, data in target.data().items() if data != files[path]}
    target.s3.fault = lambda request: None
    done = target.deploy(newer)
    assert set(reasons(done)) == {path for path in newer if newer[path] != files.get(path)} - sent
    assert target.data() == newer


def test_when_time_runs_out_what_is_there_is_a_whole_site(target):
    left = itertools.count(12, -1)
    with pytest.raises(OutputError, match="there was no time left"):
        target.deploy(site(10), out_of_time=lambda: next(left) < 0)
    assert "index.html" not in target.data()
    target.deploy(site(10))
    assert target.data() == site(10)


FAULTS = [
    *(Fault(500, "InternalError"), Fault(503, "SlowDown"), Fault(way="reset"), Fault(way="deaf")),
    *(Fault(way="cut"), Fault(403, "AccessDenied"), Fault(403, "RequestTimeTooSkewed")),
    *(Fault(400, "ExpiredToken"), Fault(way="silent")),
]


@pytest.mark.parametrize("shard", range(3))
def test_whatever_fails_readers_meet_no_gap_and_the_next_run_sends_what_is_left(target, shard):
    """300 faults in all: each deployment of a changing site meets some, and between them all is looked at."""
    dice = random.Random(shard)
    faults = 0
    current = site(6)
    target.deploy(current)
    version = 0
    while faults < 100:
        version += 1
        newer = site(dice.choice((6, 8, 10)), version, str(dice.randrange(3)))
        known = set(target.data())
        lasting = dice.random() < 0.5
        rate = dice.choice((0.02, 0.1))
        fault = dice.choice(FAULTS)
        checked = []

        def harm(request, newer=newer, known=known, rate=rate, lasting=lasting, fault=fault, checked=checked):
            nonlocal faults
            if request.kind in ("PUT", "DELETE"):
                checked.append(request.key)
                if len(checked) % 9 == 0:
                    found = broken(target.data(), {"index.html", *known})
                    assert not {one for one in found if one[0] in known or "index.html" in known}, found
            if faults < 100 and (dice.random() < rate or (lasting and len(checked) > 12)):
                faults += 1
                return fault if lasting or fault.status or fault.way != "silent" else Fault(way="reset")
            return None

        target.s3.fault = harm
        said = ""
        try:
            target.deploy(newer, most="100%")
        except HdashError as error:
            said = str(error)
        assert "\n" not in said
        assert SECRET not in said
        assert broken(target.data(), {"index.html"} & set(target.data())) == set()
        target.s3.fault = lambda request: None
        before = target.data()
        done = target.deploy(newer, most="100%")
        assert target.data() == newer
        left = {path for path in newer if before.get(path) != newer[path]}
        assert {path for path, _ in done.written} == left
        assert target.deploy(newer).written == []
        assert target.s3.counted() == {"LIST": 1}
