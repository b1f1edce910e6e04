"""Several sites in one bucket: each changes its own files, whatever is lost of what it knew."""

from __future__ import annotations

import os
import uuid

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from hdash_site.deploy import owner
from hdash_site.deploy.owner import MARKER, Marker
from hdash_site.errors import OutputError
from tests.deploy.mirror import NOW, Mirror
from tests.deploy.sites import page, site

FILES = site(5)
FEWER = {path: data for path, data in FILES.items() if "m3" not in path}


@pytest.fixture
def upper(s3, new_bucket):
    return Mirror(s3, new_bucket, patience=20)


@pytest.fixture
def lower(s3, new_bucket):
    return Mirror(s3, new_bucket, "staging/", patience=20)


def test_every_object_names_its_site_and_its_prefix_and_a_marker_owns_the_prefix(upper, lower):
    upper.deploy(FILES)
    lower.deploy(FILES)
    for one in (upper, lower):
        own = owner.marks(one.site, one.prefix)
        assert all(own.items() <= stored.metadata.items() for stored in lower.stored().values()) == (
            one is lower
        )
    assert upper.s3.markers(upper.name) == {
        "": {"site": upper.site, "prefix": "", "since": NOW, "former": []},
        "staging/": {"site": lower.site, "prefix": "staging/", "since": NOW, "former": []},
    }


def test_a_site_whose_state_is_lost_takes_over_its_own_files_and_leaves_those_of_a_site_below(upper, lower):
    upper.deploy(FILES)
    lower.deploy(FILES)
    former = upper.site
    upper.lose_state()
    done = upper.deploy(FEWER)
    assert {path for path, _ in done.removed} == FILES.keys() - FEWER.keys()
    assert done.written == []
    assert lower.data() == FILES
    assert {path for path in upper.data() if not path.startswith("staging/")} == FEWER.keys()
    [note] = done.notes
    assert f"this prefix belonged to site {former} (since {NOW})" in note
    assert done.foreign == ["staging/"]
    assert upper.s3.markers(upper.name)[""]["former"] == [former]
    assert upper.deploy(FEWER).notes == []
    assert upper.s3.counted() == {"LIST": 1}


def test_a_state_that_is_lost_again_still_owns_what_the_first_one_wrote(upper):
    upper.deploy(FILES)
    for _ in range(3):
        upper.lose_state()
        upper.deploy(FILES)
    upper.ledger.rows.clear()
    upper.deploy(FEWER)
    assert upper.data() == FEWER


def plant_old(target, files):
    """Objects as version 0.1.0 wrote them: with a digest, and without a site."""
    for path, digest in mirror_digests(files).items():
        metadata = {"hdash-digest": digest, "hdash-headers": "x"}
        target.s3.put(target.name, target.prefix + path, files[path], Metadata=metadata)


def mirror_digests(files):
    import hashlib

    return {path: hashlib.sha256(data).hexdigest() for path, data in files.items()}


def forget_owners(target):
    """Make a bucket and a ledger those of version 0.1.0."""
    target.s3.delete(target.name, target.prefix + MARKER)
    target.ledger.disown(str(target.bucket.where), [MARKER])
    for key, stored in target.s3.objects(target.name).items():
        metadata = {name: one for name, one in stored.metadata.items() if name.startswith("hdash-d")}
        metadata["hdash-headers"] = stored.metadata["hdash-headers"]
        headers = {"ContentType": stored.content_type, "CacheControl": stored.cache_control}
        if stored.encoding:
            headers["ContentEncoding"] = stored.encoding
        target.s3.put(target.name, key, stored.body, Metadata=metadata, **headers)


def test_a_ledger_of_version_0_1_0_is_proof_enough_and_nothing_is_sent_again(upper):
    upper.deploy(FILES)
    forget_owners(upper)
    assert upper.deploy(FILES).written == []
    assert upper.s3.counted() == {"LIST": 1, "PUT": 1}, "the marker"
    upper.deploy(FEWER)
    assert upper.data() == FEWER


def test_objects_of_version_0_1_0_without_a_ledger_are_used_and_never_deleted(upper):
    upper.deploy(FILES)
    forget_owners(upper)
    upper.lose_state()
    done = upper.deploy(FEWER)
    assert (done.written, done.removed) == ([], [])
    assert set(done.foreign) == FILES.keys() - FEWER.keys()
    assert upper.data() == FILES


def test_a_site_of_version_0_1_0_below_another_is_left_alone(upper, lower):
    plant_old(lower, FILES)
    upper.deploy(FILES)
    upper.lose_state()
    upper.deploy(FEWER)
    assert lower.data() == FILES


def test_a_stale_file_that_somebody_replaced_is_not_ours_any_more(upper):
    upper.deploy(FILES)
    upper.s3.put(upper.name, "hta0/m3/index.html", b"somebody's")
    done = upper.deploy(FEWER)
    assert done.foreign == ["hta0/m3/index.html"]
    assert upper.data()["hta0/m3/index.html"] == b"somebody's"
    upper.deploy(FEWER)
    assert upper.s3.counted() == {"LIST": 1}


def test_a_site_whose_prefix_was_taken_changes_nothing_until_it_is_told_to(upper):
    upper.deploy(FILES)
    other = Mirror(upper.s3, upper.name)
    other.deploy(FEWER | {"other/index.html": page("")})
    taken = other.data()
    with pytest.raises(OutputError, match=rf"another site has deployed .*{other.site}.*--adopt"):
        upper.deploy(FILES)
    assert upper.s3.counted() == {"LIST": 1, "GET": 1}
    assert upper.data() == taken
    upper.deploy(FILES, adopt=True)
    assert upper.data() == FILES
    assert upper.deploy(FILES).written == []


def test_files_of_another_site_at_our_prefix_without_a_marker_are_not_overwritten(upper):
    Mirror(upper.s3, upper.name).deploy(FILES)
    upper.s3.delete(upper.name, MARKER)
    with pytest.raises(OutputError, match="another site has deployed to this prefix"):
        upper.deploy(FEWER)
    assert upper.data() == FILES
    upper.deploy(FEWER, adopt=True)
    assert upper.deploy(FEWER).written == []
    assert FEWER.items() <= upper.data().items()


def test_a_page_below_the_prefix_of_another_site_is_not_written_and_all_else_is(upper, lower):
    lower.deploy(FILES)
    newer = FILES | {"staging/index.html": page(), "staging/new.html": page(), "news.html": page("")}
    with pytest.raises(OutputError, match=r"cannot be written: staging/\S+, .*belongs to another site"):
        upper.deploy(newer)
    assert lower.data() == FILES
    assert upper.data()["news.html"] == newer["news.html"]
    assert upper.data()["status.json"] == newer["status.json"]
    assert "belongs to another site" in upper.deploy(newer, dry=True).notes[-1]


def test_a_site_below_does_not_take_the_files_of_the_one_above(upper, lower):
    upper.deploy(FILES | {"staging/index.html": page("hta1/")})
    with pytest.raises(OutputError, match=f"index.html; the site {upper.site} wrote the files there"):
        lower.deploy(FILES)
    assert upper.data()["staging/index.html"] == page("hta1/")


def test_without_a_listing_nothing_new_is_written(upper, lower):
    upper.deploy(FILES)
    lower.deploy(FILES)
    with pytest.raises(OutputError, match="belongs to another site"):
        upper.deploy(FILES | {"staging/new.html": page()}, trust=True)
    assert lower.data() == FILES


def test_a_copy_of_a_site_below_another_prefix_belongs_to_nobody(upper, s3, new_bucket):
    source = Mirror(s3, new_bucket, "prod/")
    source.deploy(FILES)
    target = Mirror(s3, new_bucket, "copy/")
    for key in [*source.stored(), MARKER]:
        place = {"Bucket": new_bucket, "Key": f"prod/{key}"}
        s3.direct.copy_object(Bucket=new_bucket, Key=f"copy/{key}", CopySource=place)
    done = target.deploy(FEWER)
    assert set(done.foreign) == FILES.keys() - FEWER.keys()
    assert target.s3.markers(new_bucket)["copy/"]["site"] == target.site
    assert source.deploy(FILES).written == []


FORGED = b'{"site": "\\u001b[2J", "prefix": "", "since": "2026-11-27"}'


@pytest.mark.parametrize(
    "data", [b"", b"[]", b"[" * 100_000, b'{"site": "a"}', b"\xff", b"x" * (2 << 20), FORGED]
)
def test_a_marker_that_makes_no_sense_is_written_anew(upper, data):
    upper.deploy(FILES)
    upper.s3.put(upper.name, MARKER, data)
    upper.deploy(FILES)
    assert upper.s3.markers(upper.name)[""]["site"] == upper.site


def test_a_marker_names_the_sites_before_each_once():
    a, b, c = (letter * 32 for letter in "abc")
    marker = Marker(b, "x/", NOW, (a,)).heir(c, "2026-11-28").heir(b, "2026-11-29")
    assert marker == Marker(b, "x/", "2026-11-29", (c, a))
    assert owner.read(marker.data()) == marker


def test_the_metadata_of_any_prefix_is_short_ascii_and_its_own():
    prefixes = ["", "a/", "a b/", "é/", "e\u0301/", "%/", "é" * 300 + "/", "é" * 301 + "/"]
    made = [owner.marks("s", prefix)[owner.PREFIX] for prefix in prefixes]
    assert len(set(made)) == len(made)
    assert all(one.isascii() and 0 < len(one) <= 512 for one in made)


PREFIXES = ("", "a/", "a/b/", "c/")
PATHS = ("index.html", "x.html", "a/index.html", "a/b/x.html", "c/x.html", "assets/s.css")
STEPS = st.tuples(
    st.integers(0, len(PREFIXES) - 1),
    st.sampled_from(("deploy", "deploy", "lose ledger", "lose state", "trust")),
    st.sets(st.sampled_from(PATHS)),
    st.integers(0, 2),
)


class Bucketful:
    """Sites in one bucket, and who owns each object of it."""

    def __init__(self, s3) -> None:
        self.s3, self.name = s3, s3.bucket(f"site-{uuid.uuid4().hex[:16]}")
        self.sites = [Mirror(s3, self.name, prefix, patience=20) for prefix in PREFIXES]
        self.owners: dict[str, int | None] = {}
        for key in ("plain.bin", "a/plain.bin", "a/b/plain.bin"):
            s3.put(self.name, key, b"nobody's")
            self.owners[key] = None

    def etags(self):
        pages = self.s3.direct.get_paginator("list_objects_v2").paginate(Bucket=self.name)
        return {one["Key"]: one["ETag"] for page in pages for one in page.get("Contents", [])}

    def step(self, number, action, paths, version):
        target = self.sites[number]
        if action == "lose ledger":
            target.ledger = Mirror(self.s3, self.name).ledger
        elif action == "lose state":
            target.lose_state()
        files = {path: f"{path} {version}".encode() for path in paths}
        files |= {"index.html": b"home", "status.json": b'{"built": "%d"}' % version}
        before, blocked = self.etags(), ""
        try:
            target.deploy(files, most="100%", trust=action == "trust")
        except OutputError as error:
            blocked = str(error)
        assert not blocked or "another site" in blocked or "wrote the files there" in blocked
        self.judge(number, files, before)

    def judge(self, number, files, before):
        prefix, after = PREFIXES[number], self.etags()
        written = {request.key for request in self.s3.requests if request.kind == "PUT"}
        foreign = {key for key in before if self.owners.get(key, number) != number}
        assert not foreign & written
        assert {key: after.get(key) for key in foreign} == {key: before[key] for key in foreign}
        below = [
            one for one in PREFIXES if one != prefix and one.startswith(prefix) and one + MARKER in before
        ]
        self.owners |= dict.fromkeys((key for key in after if key not in before), number)
        for key in [key for key in self.owners if key not in after]:
            del self.owners[key]
        free = {
            key
            for key in (prefix + path for path in files)
            if key not in foreign and not key.startswith(tuple(below))
        }
        assert free <= after.keys()
        assert all(self.s3.object(self.name, key).data == files[key[len(prefix) :]] for key in free & written)
        stale = {key for key, one in self.owners.items() if one == number} - free - {prefix + MARKER}
        assert all(key.startswith(tuple(below)) for key in stale), stale


@settings(
    max_examples=max(8, int(os.environ.get("PROPS", "200")) // 20),
    suppress_health_check=[HealthCheck.function_scoped_fixture, HealthCheck.too_slow],
)
@given(steps=st.lists(STEPS, min_size=3, max_size=8))
def test_sites_in_one_bucket_never_touch_each_others_files_whatever_is_lost(s3, steps):
    bucketful = Bucketful(s3)
    for step in steps:
        bucketful.step(*step)
