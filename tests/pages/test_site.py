"""The files of a site, as the build tells them and as they are remembered after it."""

from __future__ import annotations

import hashlib

import pytest

from hdash_site.pages.site import remembered
from hdash_site.state.store import opened
from tests import worlds


def article(site, name, slug, text):
    (site / f"content/{name}.md").write_text(f'+++\ntitle = "{name}"\nslug = "{slug}"\n+++\n{text}\n')


@pytest.mark.parametrize("taken", [True, False])
def test_a_page_that_failed_keeps_its_files_unless_another_page_makes_them_now(tmp_path, taken):
    site = worlds.site_folder(tmp_path / "site")
    atlases = worlds.small(tmp_path / "atlases", "HTA1")
    article(site, "a", "here", "Text of a.")
    article(site, "b", "there", "Text of b.")
    worlds.build(site, atlases.folder)
    article(site, "a", "moved", "{{< figure nonsense >}}")
    article(site, "b", "here" if taken else "there", "Text of b.")
    assert worlds.build(site, atlases.folder).exit_code != 0
    assert ("Text of b." if taken else "Text of a.") in (site / "public/here/index.html").read_text()
    with opened(site / "cache") as store:
        files = {path: file.digest for path, file in remembered(store).items()}
    public = worlds.tree(site / "public")
    assert files == {path: hashlib.sha256(data).hexdigest() for path, data in public.items()}
    article(site, "a", "moved", "Text of a.")
    worlds.build(site, atlases.folder)
    with opened(site / "cache") as store:
        assert set(remembered(store)) == set(worlds.tree(site / "public"))
