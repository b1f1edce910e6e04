"""The folder `public/` as a mirror."""

from __future__ import annotations

import pytest

from hdash_site.deploy import folder
from hdash_site.errors import OutputError
from hdash_site.files import Looks


class Ledger:
    """What the state keeps of a mirror, in memory."""

    def __init__(self):
        self.looks, self.rows = Looks(dict), {}

    def published(self, mirror):
        return dict(self.rows)

    def claim(self, mirror, files):
        self.rows |= files

    def disown(self, mirror, paths):
        for path in list(paths):
            self.rows.pop(path)


@pytest.fixture
def deploy(tmp_path):
    ledger = Ledger()

    def run(site: dict[str, bytes]):
        want = {path: folder.files.hashlib.sha256(data).hexdigest() for path, data in site.items()}
        ledger.looks = Looks(lambda fresh=ledger.looks.fresh: fresh)
        return folder.deploy(tmp_path / "public", want, site.__getitem__, ledger, tmp_path / "scratch")

    return run


def test_what_no_page_makes_any_more_goes_with_its_empty_folders(deploy, tmp_path):
    deploy({"index.html": b"i", "hta1/manifests/syn1/index.html": b"m"})
    done = deploy({"index.html": b"i"})
    assert done.removed == [("hta1/manifests/syn1/index.html", "no page makes it")]
    assert [path.name for path in (tmp_path / "public").iterdir()] == ["index.html"]


def test_a_folder_with_somebody_elses_file_stays(deploy, tmp_path):
    deploy({"index.html": b"i", "hta1/index.html": b"m"})
    (tmp_path / "public/hta1/notes.txt").write_text("mine")
    done = deploy({"index.html": b"i"})
    assert done.foreign == ["hta1/notes.txt"]
    assert (tmp_path / "public/hta1/notes.txt").read_text() == "mine"


@pytest.mark.parametrize("path", ["../x", "/etc/x", "a/../../x", "a//x", "./x", ""])
def test_a_path_that_leads_out_of_the_site_is_refused(deploy, path):
    with pytest.raises(OutputError, match="leads out of the site"):
        deploy({path: b"x"})


def test_an_output_that_is_a_file_is_one_line(deploy, tmp_path):
    (tmp_path / "public").write_text("a file")
    with pytest.raises(OutputError, match="the site cannot be written") as caught:
        deploy({"index.html": b"i"})
    assert "\n" not in str(caught.value)
