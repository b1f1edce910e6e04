"""The lock in S3: one run has it, a living one keeps it, a dead one's ends, and no lost answer misleads."""

from __future__ import annotations

import json
import threading
import time

import pytest

from hdash_site import aws
from hdash_site import bucket as buckets
from hdash_site.bucket import Bucket, Place
from hdash_site.errors import AwsError, LockedError, StateError
from hdash_site.state import lease
from tests.remote.s3 import SECRET, Fault


@pytest.fixture
def where(new_bucket):
    return Place(new_bucket, "state/")


@pytest.fixture
def held(where, s3):
    bucket = Bucket(where, aws.Access(s3.url, "AKIATESTTESTTEST", SECRET, patience=2.0))
    return lambda seconds=60.0: lease.held(bucket, seconds)


def body(s3, where):
    return json.loads(s3.object(where.bucket, "state/lock").body)


def leave(s3, where, **said):
    """A lock as a run leaves it that was killed."""
    dead = {"token": "dead", "host": "box", "process": 7, "since": "2026-01-01 02:00:00 UTC"}
    whole = dead | {"seconds": 60, "beat": 0, "released": False} | said
    s3.put(where.bucket, "state/lock", json.dumps(whole).encode())


def lost(mine):
    """Wait until the lock is lost; give what is said then."""
    end = time.monotonic() + 10
    while time.monotonic() < end:
        try:
            mine.check()
        except StateError as error:
            return str(error)
        time.sleep(0.02)
    raise AssertionError("the lock was never lost")


def renewed(s3, where, beats):
    """Wait until the lock was renewed so often."""
    end = time.monotonic() + 10
    while body(s3, where)["beat"] < beats:
        assert time.monotonic() < end
        time.sleep(0.02)


def taken(held, seconds):
    """Try until we have it; give how long that took."""
    began = time.monotonic()
    while time.monotonic() < began + 20:
        try:
            with held(seconds):
                return time.monotonic() - began
        except LockedError:
            time.sleep(0.1)
    raise AssertionError("the lock never ended")


def nth(kind, number, fault):
    """Let the n-th request of a kind fail."""
    seen = []

    def harm(request):
        if request.kind != kind:
            return None
        seen.append(request)
        return fault if len(seen) == number else None

    return harm


def test_one_has_it_and_another_is_told_who_since_when_and_until_when(held):
    with held():
        with pytest.raises(LockedError) as caught, held():
            pass
        assert "state/lock: another run (process " in str(caught.value)
        assert " is at work since 20" in str(caught.value)
        assert "if it was killed, its lock ends at 20" in str(caught.value)
    with held() as again:
        again.check()


def test_it_is_taken_and_given_back_in_few_requests(held, s3):
    with held():
        assert s3.counted() == {"GET": 1, "PUT": 4}, "conditions are tried out"
    assert s3.counted() == {"PUT": 1}
    with held():
        assert s3.counted() == {"GET": 1, "PUT": 3}


def test_with_aws_conditions_are_tried_out_when_the_lock_is_new_and_never_again(where, s3, monkeypatch):
    monkeypatch.setattr(buckets, "AWS_HOSTS", ("127.0.0.1",))
    bucket = Bucket(where, aws.Access(s3.url, "AKIATESTTESTTEST", SECRET, patience=2.0))
    with lease.held(bucket, 60):
        assert s3.counted() == {"GET": 1, "PUT": 3}
    assert s3.counted() == {"PUT": 1}
    with lease.held(bucket, 60):
        assert s3.counted() == {"GET": 1, "PUT": 1}


def test_a_service_that_wants_etags_without_quotes_locks_renews_and_unlocks(held, s3, where):
    s3.etags = "unquoted"
    for _ in range(2):
        with held(1.5) as mine:
            with pytest.raises(LockedError, match="is at work"), held():
                pass
            renewed(s3, where, 2)
            mine.check()
        assert body(s3, where)["released"] is True


def test_of_eight_at_once_one_gets_a_lock_whose_service_wants_etags_without_quotes(held, s3):
    s3.etags = "unquoted"
    with held():
        pass
    test_of_eight_at_once_one_gets_it(held)


@pytest.mark.parametrize("there", [False, True])
def test_a_service_that_refuses_every_write_on_an_etag_is_named_and_not_taken_for_a_lock(
    held, s3, where, there
):
    if there:
        leave(s3, where, released=True)
    s3.etags = "refused"
    with pytest.raises(AwsError, match=r"state/lock: the service refuses a write although") as caught, held():
        pass
    assert not isinstance(caught.value, LockedError)


@pytest.mark.parametrize("ignored", ["If-None-Match", "If-Match"])
def test_a_service_that_ignores_conditions_is_refused_in_every_run_and_leaves_no_lock(
    held, s3, where, ignored
):
    leave(s3, where, released=True)
    s3.dropped = {ignored.lower()}
    for _ in range(2):
        with pytest.raises(StateError, match="the service ignores the condition of a write"), held():
            pass


def test_of_eight_at_once_one_gets_it(held):
    got, refused, gate = [], [], threading.Barrier(8)
    go = threading.Event()

    def run():
        gate.wait()
        try:
            with held():
                got.append(1)
                go.wait()
        except LockedError as error:
            refused.append(str(error))
        if len(refused) == 7:
            go.set()

    threads = [threading.Thread(target=run) for _ in range(8)]
    for thread in threads:
        thread.start()
    go.wait(20)
    go.set()
    for thread in threads:
        thread.join()
    assert (len(got), len(refused)) == (1, 7)


def test_a_dead_ones_lock_is_taken_over_when_its_lease_ends_and_not_before(held, s3, where):
    leave(s3, where, seconds=2)
    said = r"\(process 7 on box\) is at work since 2026-01-01 02:00:00 UTC"
    with pytest.raises(LockedError, match=said), held():
        pass
    assert 1.5 <= taken(held, 60) < 6


def test_a_living_one_renews_and_is_waited_for(held, s3, where):
    with held(1.5) as mine:
        end = time.monotonic() + 3.2
        while time.monotonic() < end:
            with pytest.raises(LockedError), held(1.5):
                pass
            mine.check()
            time.sleep(0.3)
        assert body(s3, where)["beat"] >= 3
    assert body(s3, where)["released"] is True


def test_each_renewal_has_an_etag_of_its_own(held, s3, where):
    """Else one who read the lock before a renewal could still take it after."""
    seen = {}
    with held(0.9):
        end = time.monotonic() + 10
        while len(seen) < 3 and time.monotonic() < end:
            stored = s3.object(where.bucket, "state/lock")
            seen[json.loads(stored.body)["beat"]] = stored.etag
    assert len(set(seen.values())) == len(seen) == 3


@pytest.mark.parametrize("there", [False, True])
def test_a_lost_answer_to_our_own_writing_is_no_refusal(held, s3, where, there):
    if there:
        leave(s3, where, released=True)
    s3.fault = nth("PUT", 1, Fault(way="deaf"))
    with held() as mine:
        mine.check()
        assert body(s3, where)["token"] != "dead"


@pytest.mark.parametrize("fault", [Fault(way="deaf"), Fault(500, "InternalError"), Fault(way="reset")])
def test_a_renewal_whose_answer_is_lost_holds(held, s3, where, fault):
    with held(1.5) as mine:
        s3.fault = nth("PUT", 1, fault)
        renewed(s3, where, 2)
        mine.check()


def test_a_renewal_that_was_done_and_never_answered_in_time_holds(held, s3, where):
    """Every answer is lost for longer than one renewal is tried; the next one finds the token."""
    with held(2.4) as mine:
        end = time.monotonic() + 1.4
        s3.fault = lambda request: Fault(way="deaf") if time.monotonic() < end else None
        renewed(s3, where, 3)
        time.sleep(0.5)
        mine.check()


def test_a_service_that_is_down_for_a_part_of_the_lease_costs_nothing(held, s3, where):
    with held(3.0) as mine:
        end = time.monotonic() + 2
        s3.fault = lambda request: Fault(503, "SlowDown") if time.monotonic() < end else None
        while time.monotonic() < end:
            time.sleep(0.1)
        beat = body(s3, where)["beat"]
        renewed(s3, where, beat + 1)
        mine.check()


def test_what_an_earlier_renewal_wrote_is_no_renewal_now(where, s3):
    """The lock is as old as its last writing: one that was found is written anew, or it ends too early."""
    bucket = Bucket(where, aws.Access(s3.url, "AKIATESTTESTTEST", SECRET, patience=0.5))
    with lease.held(bucket, 60) as mine:
        s3.fault = lambda request: Fault(way="deaf") if request.kind == "PUT" else Fault(500, "InternalError")
        with pytest.raises(AwsError):
            mine._renew_once(bucket)
        s3.fault = lambda request: None
        beat = body(s3, where)["beat"]
        mine._renew_once(bucket)
        assert body(s3, where)["beat"] > beat


def test_one_that_cannot_renew_for_its_whole_lease_has_lost_it(held, s3):
    with held(1.0) as mine:
        s3.fault = lambda request: Fault(403, "AccessDenied") if request.kind == "PUT" else None
        began = time.monotonic()
        assert "state/lock: the lock was lost: it was not renewed in time; build again" in lost(mine)
        assert 0.5 < time.monotonic() - began < 1.5
        s3.fault = lambda request: None
        time.sleep(0.3)
        assert lost(mine), "once lost, it stays lost"
        taken(held, 60)


def test_one_whose_lock_was_taken_has_lost_it_and_leaves_the_others_alone(held, s3, where):
    with held(1.0) as mine:
        leave(s3, where)
        assert "the lock was lost: another run took it" in lost(mine)
    assert body(s3, where)["token"] == "dead"
    assert body(s3, where)["released"] is False


def test_one_whose_lock_was_deleted_has_lost_it(held, s3, where):
    with held(1.0) as mine:
        s3.delete(where.bucket, "state/lock")
        assert "the lock was lost: it was deleted" in lost(mine)


def test_a_service_that_cannot_write_on_a_condition_is_refused(held, s3):
    s3.fault = lambda request: Fault(501, "NotImplemented") if "if-none-match" in request.headers else None
    said = "state/lock: the service does not do this .* write on a condition"
    with pytest.raises(AwsError, match=said), held():
        pass


@pytest.mark.parametrize("ignored", ["If-None-Match", "If-Match"])
def test_a_service_that_ignores_conditions_is_refused(held, s3, ignored):
    s3.dropped = {ignored.lower()}
    with pytest.raises(StateError, match="the service ignores the condition of a write"), held():
        pass


@pytest.mark.parametrize(
    "nonsense",
    [
        b"",
        b"[]",
        b"[" * 100_000,
        b'{"token": "a"}',
        b'{"token":"a","host":"h","process":1,"since":"s","seconds":NaN,"beat":0,"released":false}',
        b'{"token":"a","host":"h","process":1e999,"since":"s","seconds":1,"beat":0,"released":false}',
    ],
)
def test_a_lock_that_makes_no_sense_ends_with_a_lease_like_ours(held, s3, where, nonsense):
    s3.put(where.bucket, "state/lock", nonsense)
    with pytest.raises(LockedError, match="is at work"), held(30):
        pass
    taken(held, 0.5)


def test_what_a_lock_says_of_its_owner_cannot_harm_a_terminal(held, s3, where):
    leave(s3, where, host="\x1b[2J\n" + "h" * 500, since="\r", seconds=10**9)
    with pytest.raises(LockedError) as caught, held():
        pass
    assert str(caught.value).isprintable()
    assert len(str(caught.value)) < 500
