"""A state that does not know the history of the published site publishes nothing over it."""

from __future__ import annotations

import shutil

import pytest

from hdash_site import app, transfer
from hdash_site.app import Deploying
from hdash_site.errors import ConfigError
from hdash_site.nightly import nightly
from hdash_site.run import silent
from hdash_site.state import models, where
from hdash_site.state.store import glanced
from tests import worlds


class Site:
    """A site whose atlas changes in each build."""

    def __init__(self, folder):
        self.root = worlds.site_folder(folder / "site")
        self.atlases = worlds.small(folder / "atlases", "HTA1")
        self.options = app.Options(self.root, self.atlases.folder)
        self._people = 2

    def edit(self):
        self._people += 1
        [entity] = [one["id"] for one in self.atlases.files if one["Component"] == "Demographics"]
        people = [f"HTA1_{number}" for number in range(1, self._people + 1)]
        self.atlases.manifests[entity] = worlds.as_csv(worlds.demographics(*people))
        self.atlases.save()

    def build(self, **more):
        return app.build(self.options._replace(**more))

    def night(self, **more):
        return nightly(self.options._replace(**more), Deploying(), silent)

    def tree(self):
        return worlds.tree(self.root / "public")

    def editions(self):
        return sorted(path.name for path in (self.root / "public/changes").iterdir() if path.is_dir())


@pytest.fixture
def site(tmp_path):
    return Site(tmp_path)


def copy(site, source, **more):
    return transfer.copy(
        site.options, source, "here", **{"blobs": False, "replace": False, "confirm": str, **more}
    )


def test_another_database_does_not_begin_a_new_history_and_going_back_does_not_either(
    site, tmp_path, monkeypatch
):
    site.build()
    old, tree = str(site.root / "cache/state.db"), site.tree()
    monkeypatch.setenv(where.URL, f"sqlite:///{tmp_path}/other.db")
    with pytest.raises(ConfigError) as caught:
        site.build()
    assert f"hdash-site state copy {old} here" in str(caught.value)
    assert "this state is empty" in str(caught.value)
    assert "1 edition" in str(caught.value)
    assert site.tree() == tree
    with glanced(tmp_path / "x", where.Where("sqlite", f"{tmp_path}/other.db")):
        assert models.Run.select().count() == 0, "a refusal is nothing that a copy would replace"
    copy(site, old)
    site.edit()
    site.build()
    first, second = site.editions()
    assert f"changes/{first}/index.html" in tree
    monkeypatch.delenv(where.URL)
    tree = site.tree()
    with pytest.raises(ConfigError, match=r"does not know 1 edition .* state copy FROM here --replace"):
        site.build()
    assert site.tree() == tree
    copy(site, f"{tmp_path}/other.db", replace=True)
    assert site.build().ran == []
    assert site.editions() == [first, second]


def test_a_state_that_was_lost_begins_anew_only_if_it_is_told_to(site):
    site.build()
    shutil.rmtree(site.root / "cache")
    site.build()  # a first edition has compared nothing: there is nothing to lose
    site.edit()
    site.build()
    tree = site.tree()
    shutil.rmtree(site.root / "cache")
    for _ in range(2):
        with pytest.raises(
            ConfigError, match=r"state copy FROM here .* begin a new history, add --new-history"
        ):
            site.build()
    assert site.tree() == tree
    old = site.editions()
    assert site.build(new_history=True).exit_code == 0
    assert set(old) <= set(site.editions()), "the pages of the old history are left alone"
    site.edit()
    assert site.build().exit_code == 0, "that was decided once for all"


def test_a_night_with_another_state_deletes_no_edition_of_the_bucket(site, s3, new_bucket, monkeypatch):
    for name, value in s3.environ(new_bucket).items():
        monkeypatch.setenv(name, value)
    assert site.night().exit_code == 0
    site.edit()
    assert site.night().exit_code == 0
    before = s3.keys(new_bucket)
    editions = [key for key in before if key.startswith("changes/2") and key.endswith("index.html")]
    assert len(editions) == 2
    s3.counted()
    site.night()
    assert s3.counted()["LIST"] == 1, "a state that deployed there is not asked"
    shutil.rmtree(site.root / "cache")
    night = site.night()
    assert night.exit_code == 2
    assert "does not know 2 editions" in night.problem
    assert "\n" not in night.problem
    site.build(new_history=True, today="2026-08-01T00:00:00+00:00")
    with pytest.raises(ConfigError, match="does not know 2 editions"):
        app.deploy(site.options, Deploying())
    assert s3.keys(new_bucket) == before
    assert site.night(new_history=True).exit_code == 0
    assert site.night().exit_code == 0


def test_a_refused_night_leaves_a_state_in_s3_as_it_is(site, s3, new_bucket, monkeypatch, tmp_path):
    for name, value in s3.environ().items():
        monkeypatch.setenv(name, value)
    site.build()
    site.edit()
    site.build()
    monkeypatch.setenv(where.STATE, f"s3://{new_bucket}/state")
    with pytest.raises(ConfigError, match="this state is empty"):
        site.build(cache=tmp_path / "empty disk")
    assert s3.keys(new_bucket) == ["state/lock"]


def test_nothing_that_is_no_edition_counts(site):
    for name in ("2026", "2026-01-01-00-00-00x"):
        (site.root / "public/changes" / name).mkdir(parents=True)
    assert site.build().exit_code == 0
