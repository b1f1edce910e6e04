<%inherit file="base.mako"/>
<%def name="about_atlas()">${atlas}</%def>
<%def name="title()">${atlas}: participants${f", page {number}" if number > 1 else ""}</%def>
<%def name="description()">${plural(count_all, "participant")} of ${atlas}, with biospecimens and data files.</%def>
<% up = "../" * (2 if number > 1 else 1) %>
<nav class="crumbs" aria-label="Where you are"><a href="${root}">Atlases</a> › <a href="${up}"><bdi>${atlas}</bdi></a> › participants</nav>
<h1>Participants of <bdi>${atlas}</bdi></h1>
<p>${plural(count_all, "participant")} that some manifest names. <a href="${up}lineage/">The lineage of the atlas</a> has the figures of all; <a href="${root}find/">any id can be looked up</a>.</p>
% if people:
<div class="wide" tabindex="0" role="region" aria-label="Table of the participants">
<table class="sortable stacked">
<thead><tr><th scope="col">Participant</th><th scope="col" class="number">Biospecimens</th><th scope="col" class="number">Data files</th><th scope="col">Assays</th></tr></thead>
<tbody>
% for one in people:
<tr><th scope="row"><a href="${root}${pages[0][1]}${one["address"]}/"><bdi>${one["id"]}</bdi></a></th><td class="number" data-label="Biospecimens">${count(one["biospecimens"])}</td><td class="number" data-label="Data files">${count(one["files"])}${"+" if one["more"] else ""}</td><td data-label="Assays">\
% for name in one["assays"]:
<bdi>${name}</bdi>${"" if loop.last else ", "}\
% endfor
</td></tr>
% endfor
</tbody>
</table>
</div>
% else:
<p class="empty">No manifest names a participant.</p>
% endif
% if len(pages) > 1:
<nav class="pager" aria-label="Pages"><ul>
% for other, url in pages:
<li><a href="${root}${url}"${' aria-current="page"' if other == number else "" | n}>${other}</a></li>
% endfor
</ul></nav>
% endif
