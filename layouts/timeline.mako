<%inherit file="base.mako"/>
<%namespace name="words" file="partials/words.mako"/>
<%namespace name="charts" file="partials/charts.mako"/>
<%def name="about_atlas()">${atlas}</%def>
<%def name="title()">${atlas}: timelines${f", page {number}" if number > 1 else ""}</%def>
<nav class="crumbs" aria-label="Where you are"><a href="${root}">Atlases</a> › <a href="${"../" * (2 if number > 1 else 1)}#longitudinal"><bdi>${atlas}</bdi></a> › timelines</nav>
<h1>Timelines of <bdi>${atlas}</bdi></h1>
<p>Therapies and samples of ${plural(count_all, "participant")}; day 0 is the first event of each.</p>
${charts.timelines(timelines)}
% if not timelines:
<p class="empty">No manifest tells the days of a therapy or a sample.</p>
% endif
${words.pager(pages, number, root)}
