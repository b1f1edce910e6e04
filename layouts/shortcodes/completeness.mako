<%doc>
meaning = "The completeness charts of an atlas."
block = true
[arguments]
atlas = { meaning = "the id of an atlas" }
matrix = { meaning = "one chart alone: `clinical`, `clinical-tier3`, `single-cell`, `bulk`, `imaging`, `other`", default = "" }
</%doc>
<%namespace name="charts" file="partials/charts.mako"/>
<% drawn = completeness(atlas, matrix) %>
% for chart, table in drawn:
${charts.matrix(chart, table)}
% endfor
% if not drawn:
<p class="empty">No participants or biospecimens yet.</p>
% endif
