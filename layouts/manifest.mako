<%inherit file="base.mako"/>
<%namespace name="words" file="partials/words.mako"/>
<%def name="title()">${about["label"] or about["component"]} of ${atlas}</%def>
<%def name="description()">Manifest ${about["id"]} of ${atlas}: ${plural(about["records"], "record")}, ${plural(about["errors"], "error")}.</%def>
<nav class="crumbs" aria-label="Where you are"><a href="${root}">Atlases</a> › <a href="../../#metadata"><bdi>${atlas}</bdi></a> › manifest</nav>
<h1><bdi>${about["label"] or about["component"]}</bdi> <small><bdi>${atlas}</bdi></small></h1>
<p class="path"><bdi>${about["path"]}</bdi></p>
<p class="small">In Synapse: ${words.entity(about["id"])}\
% if moment(about["modified"]):
, modified ${moment(about["modified"])}\
% endif
</p>
${words.notice(notice)}
${words.crashed(crashed)}
<dl class="figures">
<div><dt>Records</dt><dd>${count(about["records"])}</dd></div>
<div><dt>Columns</dt><dd>${count(len(columns))}</dd></div>
<div><dt>Complete</dt><dd>${percent(about["filled"], about["cells"])}</dd></div>
<div><dt>Findings</dt><dd>${words.findings(about["errors"], about["warnings"])}</dd></div>
</dl>
<section aria-labelledby="findings-title">
<h2 id="findings-title">What to fix</h2>
% if groups:
<p><a class="button" href="findings.csv" download>These findings as CSV</a><a class="button" href="../../fix/">What to fix in <bdi>${atlas}</bdi></a></p>
% endif
% for group in groups:
<article class="group" id="${group["code"]}${"-" + str(loop.index) if loop.index and groups[loop.index - 1]["code"] == group["code"] else ""}">
<h3>${words.severity(group["severity"])} ${group["message"]}</h3>
<p class="small"><a href="${root}checks/${group["code"].lower()}/"><code>${group["code"]}</code></a>\
% if group["column"]:
 · column <bdi>${group["column"]}</bdi>\
% endif
% if group["expected"]:
 · expected: ${group["expected"]}\
% endif
 · ${plural(group["count"], "time")}\
% if group["rows"][0]:
, ${"rows" if group["count"] > 1 else "row"} ${words.rows(group["rows"])}\
% endif
</p>
<table class="places">
<thead><tr><th scope="col" class="number">Row</th><th scope="col">Value</th></tr></thead>
<tbody>
% for row, value in group["findings"]:
<tr><td class="number">${count(row) if row else "–"}</td><td>\
% if value:
<code><bdi>${value}</bdi></code>\
% else:
<span class="quiet">nothing</span>\
% endif
</td></tr>
% endfor
</tbody>
</table>
% if group["count"] > len(group["findings"]):
<p class="small">${count(group["count"] - len(group["findings"]))} more in the <a href="findings.csv" download>CSV</a>.</p>
% endif
</article>
% endfor
% if not groups:
<p class="empty">${"The other checks found nothing wrong with this manifest." if crashed else "Nothing is wrong with this manifest."}</p>
% else:
<p class="small">Rows are numbered as a spreadsheet does it: the header is row 1.</p>
% endif
</section>
% if columns:
<section aria-labelledby="columns-title">
<h2 id="columns-title">Columns</h2>
% if any(column["name"].startswith("column ") and not column["is_known"] for column in columns):
<p class="small">A column that is not in the HTAN data model is named by its position: its own name may be data of a participant, and this site is public.</p>
% endif
<div class="wide" tabindex="0" role="region" aria-label="Table of the columns">
<table class="sortable filterable" data-name="columns">
<thead><tr><th scope="col">Column</th><th scope="col" class="number">Filled</th><th scope="col" class="number">Share</th><th scope="col">Counts as metadata</th></tr></thead>
<tbody>
% for column in columns:
<tr><th scope="row">\
% if column["name"]:
<bdi>${column["name"]}</bdi>\
% else:
<em>without a name</em>\
% endif
</th><td class="number">${count(column["filled"])}</td><td class="number" data-value="${column["filled"]}">${words.share(column["filled"], about["records"])}</td><td>${"yes" if column["counted"] else "no"}</td></tr>
% endfor
</tbody>
</table>
</div>
</section>
% endif
