<%doc>
meaning = "Timelines of participants of an atlas, with a link to all."
block = true
[arguments]
atlas = { meaning = "the id of an atlas" }
limit = { meaning = "at most so many participants", default = "5" }
</%doc>
<%namespace name="charts" file="partials/charts.mako"/>
<% drawn, number, url = timelines(atlas, limit) %>
${charts.timelines(drawn)}
% if drawn:
<p class="small"><a href="${url}">Timelines of ${plural(number, "participant")} of <bdi>${atlas}</bdi></a></p>
% else:
<p class="empty">No manifest tells the days of a therapy or a sample.</p>
% endif
