<%doc>
meaning = "A line of a figure over time: that of an atlas, or of all atlases together."
block = true
[arguments]
field = { meaning = "one of the fields below" }
atlas = { meaning = "the id of one atlas", default = "" }
</%doc>
<%namespace name="charts" file="partials/charts.mako"/>
<% label, line, since = trend(atlas, field) %>
% if line:
${charts.trend(line, f"{atlas}: {label}" if atlas else label)}
% elif since:
<p class="empty">${label}: the figures are kept since ${since}; the line begins when one is another.</p>
% else:
<p class="empty">${label}: no figures are kept yet.</p>
% endif
