<%inherit file="base.mako"/>
<%namespace name="words" file="partials/words.mako"/>
<%def name="title()">What to fix in ${atlas}${f", page {number}" if number > 1 else ""}</%def>
<%def name="description()">What to fix in ${atlas}: ${plural(counts["error"], "error")} and ${plural(counts["warning"], "warning")}, by cause, with their places.</%def>
<nav class="crumbs" aria-label="Where you are"><a href="${root}">Atlases</a> › <a href="${root}${folder}#validation"><bdi>${atlas}</bdi></a> › what to fix</nav>
<h1>What to fix in <bdi>${atlas}</bdi></h1>
${words.notice(notice)}
${words.crashed(crashed)}
<p>${words.findings(counts["error"], counts["warning"])}
% if causes:
 of ${plural(causes_count, "cause")}, the most frequent first. Rows are numbered as a spreadsheet does it: the header is row 1.
% endif
</p>
% if causes:
<p><a class="button" href="${root}${folder}fix/fixes.csv" download>This list as CSV</a><a class="button" href="${root}${folder}findings.csv" download>Each finding as CSV</a></p>
<ol class="causes" start="${causes_from}">
% for cause in causes:
<li class="cause">
<h2>${words.severity(cause["severity"])} ${cause["message"]}</h2>
<dl class="facts">
<div><dt>How to fix it</dt><dd><a href="${root}checks/${cause["code"].lower()}/"><code>${cause["code"]}</code></a></dd></div>
% if cause["column"]:
<div><dt>Column</dt><dd><bdi>${cause["column"]}</bdi></dd></div>
% endif
% if cause["expected"]:
<div><dt>Expected</dt><dd>${cause["expected"]}</dd></div>
% endif
<div><dt>Found</dt><dd>${plural(cause["count"], "time")}</dd></div>
</dl>
% if any(place["entity"] for place in cause["where"]):
<div class="wide" tabindex="0" role="region" aria-label="Places of cause ${causes_from + loop.index}">
<table class="stacked">
<thead><tr><th scope="col">Where</th><th scope="col">In Synapse</th><th scope="col">Rows</th><th scope="col">What is there</th></tr></thead>
<tbody>
% for place in cause["where"]:
<tr><th scope="row" class="path" data-label="Where">\
% if place["is_manifest"]:
<a href="${root}${folder}${manifests[place["entity"]]}#${cause["code"]}"><bdi>${place["component"] or place["entity"]}</bdi></a> <bdi class="small">${place["path"]}</bdi>\
% elif place["component"]:
<bdi>${place["component"]}</bdi>\
% else:
in the listing\
% endif
</th><td data-label="In Synapse" class="id">${words.entity(place["entity"])}</td><td data-label="Rows">${words.rows(place["rows"])}</td><td data-label="What is there" class="values">\
% for value in place["values"]:
<code><bdi>${value}</bdi></code> \
% endfor
% if not place["values"]:
<span class="quiet">nothing</span>\
% endif
</td></tr>
% endfor
</tbody>
</table>
</div>
% endif
% if cause["places"] > len(cause["where"]):
<p class="small">${plural(cause["places"] - len(cause["where"]), "more place")} in the CSV.</p>
% endif
</li>
% endfor
</ol>
${words.pager(pages, number, root)}
% else:
<p class="empty">${"No finding of the other checks." if crashed else "There is nothing to fix."}</p>
% endif
