<%inherit file="base.mako"/>
<%namespace name="diagrams" file="partials/diagrams.mako"/>
<%def name="about_atlas()">${atlas}</%def>
<%def name="title()">${atlas}: lineage</%def>
<%def name="description()">Participants, biospecimens and data files of ${atlas} by level, and where the way back breaks.</%def>
<nav class="crumbs" aria-label="Where you are"><a href="${root}">Atlases</a> › <a href="../"><bdi>${atlas}</bdi></a> › lineage</nav>
<h1>Lineage of <bdi>${atlas}</bdi></h1>
<p>How many ids there are of each kind, and whether they lead back to what they come from. <a href="../participants/">Each participant has a page</a>, <a href="${root}find/">each id can be looked up</a>, and <a href="${root}checks/h_links/">H_LINKS</a> names the links that break.</p>
% if len(steps) > 1 or steps[0].count:
${diagrams.steps(steps)}
% else:
<p class="empty">There is no id in this atlas yet.</p>
% endif
