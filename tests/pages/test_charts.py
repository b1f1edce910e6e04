"""Charts as people read them: labels that differ, and days."""

from __future__ import annotations

import random

from hdash_site.htan.components import catalogue
from hdash_site.pages import charts
from tests import worlds


def test_no_two_components_have_one_label_on_a_chart():
    drawn = [charts.short(component.label) for component in catalogue() if component.group]
    assert len(set(drawn)) == len(drawn)
    assert max(map(len, drawn)) <= charts.LONGEST_LABEL


def test_a_timeline_says_its_days_and_what_its_marks_mean(tmp_path):
    site, atlases = worlds.site_folder(tmp_path / "site"), worlds.small(tmp_path / "atlases", "HTA1")
    project = atlases.projects[0]["id"]
    therapy = [
        {
            "Component": "Therapy",
            "HTAN Participant ID": "HTA1_1",
            "Treatment Type": "Surgery",
            "Days to Treatment Start": "12",
            "Days to Treatment End": "1512",
        }
    ]
    atlases.manifest(project, project, "Therapy", therapy)
    atlases.save()
    worlds.build(site, atlases.folder)
    page = (site / "public/hta1/index.html").read_text()
    assert ">day 0</text>" in page
    assert ">day 1,500</text>" in page
    assert 'class="legend' in page


def test_of_very_many_events_the_first_are_drawn_and_the_others_are_counted():
    event = {"kind": "therapy", "label": "x", "start": 0, "end": 9, "detail": "", "count": 1, "ids": []}
    events = [event] * charts.MOST_EVENTS + [event | {"start": 100, "end": 900}]
    [chart] = charts.timelines([{"participant": "HTA1_1", "events": events}])
    assert (len(chart.events), chart.more, chart.scale) == (charts.MOST_EVENTS, 1, 9)


def test_each_event_has_the_highest_lane_that_is_free_at_its_start():
    luck = random.Random(3)
    starts = sorted(luck.randrange(3_000) for _ in range(300))
    events = [
        {
            "kind": "a",
            "label": "",
            "start": day,
            "end": day + luck.randrange(200),
            "detail": "",
            "count": 1,
            "ids": [],
        }
        for day in starts
    ]
    (line,) = charts.timelines([{"participant": "p", "events": events}])
    free: list[float] = []
    for event in line.events:
        lane = next((lane for lane, until in enumerate(free) if until <= event.x), len(free))
        free[lane : lane + 1] = [event.x + max(event.width, charts.LANE) + 2]
        assert event.y == lane * charts.LANE
    assert line.height == charts.LANE * len(free)
