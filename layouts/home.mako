<%inherit file="base.mako"/>
<%namespace name="words" file="partials/words.mako"/>
<%namespace name="charts" file="partials/charts.mako"/>
<%def name="head()"><link rel="alternate" type="application/atom+xml" title="Changes" href="${root}changes/feed.xml"></%def>
<%def name="description()">What each tumor atlas of HTAN holds, what is wrong with it, and what is missing.</%def>
<h1>Atlases</h1>
<dl class="figures">
<div><dt>Atlases</dt><dd>${count(len(rows))}</dd></div>
<div><dt>Total storage</dt><dd>${size(totals["bytes"])}</dd></div>
<div><dt>Data files</dt><dd>${count(totals["files"])}</dd></div>
<div><dt>Metadata complete</dt><dd>${percent(totals["filled"], totals["cells"])}</dd></div>
<div><dt>Findings</dt><dd>${words.findings(totals["errors"], totals["warnings"])}</dd></div>
</dl>
% if newest:
<p><a href="${newest[1]}">What changed on <time datetime="${newest[0]}">${clock(newest[0])}</time></a></p>
% endif
<div class="wide whole pinned" tabindex="0" role="region" aria-label="Table of the atlases">
<table class="sortable filterable" data-name="atlases">
<caption class="unseen">The atlases, with totals</caption>
<thead><tr>
<th scope="col">Atlas</th><th scope="col" class="name">Name</th><th scope="col" class="minor">Synapse</th><th scope="col" class="number">Size</th>
% for name in types:
<th scope="col" class="number roomy">${name}</th>
% endfor
<th scope="col" class="roomy">Metadata</th><th scope="col" class="number">Complete</th><th scope="col" class="number">Errors</th><th scope="col" class="number">Warnings</th>
</tr></thead>
<tbody>
% for row in rows:
<tr>
<th scope="row"><a href="${row["url"]}"><bdi>${row["id"]}</bdi></a>\
% if row["crashed"]:
 <span class="severity warning">not all checked</span>\
% endif
% if row["label"]:
 <span class="severity ${"failed" if row["label"] == "not read" else "warning"}">${row["label"]}</span>\
% endif
</th>
<td class="name"><bdi>${row["name"]}</bdi></td>
<td class="minor">${words.entity(row["synapse_id"])}</td>
<td class="number" data-value="${row["bytes"]}">${size(row["bytes"])}</td>
% for name in types:
<td class="number roomy">${count(row["types"][name]["files"])}</td>
% endfor
<td class="roomy">${"yes" if row["metadata"] else "no"}</td>
<td class="number" data-value="${row["filled"] / (row["cells"] or 1)}">${percent(row["filled"], row["cells"])}</td>
<td class="number${" error" if row["errors"] else ""}"><a href="${row["url"]}#validation">${count(row["errors"])}</a></td>
<td class="number${" warning" if row["warnings"] else ""}"><a href="${row["url"]}#validation">${count(row["warnings"])}</a></td>
</tr>
% endfor
</tbody>
<tfoot><tr>
<th scope="row">Total</th><td class="name"></td><td class="minor"></td><td class="number">${size(totals["bytes"])}</td>
% for name in types:
<td class="number roomy">${count(totals["types"][name])}</td>
% endfor
<td class="roomy"></td><td class="number">${percent(totals["filled"], totals["cells"])}</td><td class="number">${count(totals["errors"])}</td><td class="number">${count(totals["warnings"])}</td>
</tr></tfoot>
</table>
</div>
<p class="small">File types count data files. <em>Complete</em> is the share of metadata cells that hold a value. Errors and warnings are counted apart; <a href="checks/">each check is explained</a>. For scripts: <a href="index.json">this table as JSON</a>.</p>
<h2 id="trends">Over time</h2>
% if trends:
<div class="trends">
% for trend in trends:
${charts.trend(trend, trend.label)}
% endfor
</div>
% elif newest:
<p class="empty">The figures are kept since ${clock(newest[0])}. There is a line of each as soon as one is another.</p>
% else:
<p class="empty">No figures are kept yet. The next build that reads the atlases begins with it.</p>
% endif
