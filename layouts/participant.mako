<%inherit file="base.mako"/>
<%namespace name="charts" file="partials/charts.mako"/>
<%namespace name="diagrams" file="partials/diagrams.mako"/>
<%namespace name="words" file="partials/words.mako"/>
<%def name="about_atlas()">${atlas}</%def>
<%def name="title()">${person["id"]}</%def>
<%def name="description()">${person["id"]} of ${atlas}: ${plural(person["biospecimens"], "biospecimen")}, ${plural(person["files"], "data file")}.</%def>
<% most = "at least " if person["more"] else "" %>
<nav class="crumbs" aria-label="Where you are"><a href="${root}">Atlases</a> › <a href="../../"><bdi>${atlas}</bdi></a> › <a href="../">participants</a> › <bdi>${person["id"]}</bdi></nav>
<h1><bdi>${person["id"]}</bdi> <small>participant of <bdi>${atlas}</bdi></small></h1>
<dl class="figures">
<div><dt>Biospecimens</dt><dd>${most}${count(person["biospecimens"])}</dd></div>
<div><dt>Data files</dt><dd>${most}${count(person["files"])}</dd></div>
<div><dt>Manifests</dt><dd>${count(len(manifests))}</dd></div>
</dl>
<section aria-labelledby="known-title">
<h2 id="known-title">What is known</h2>
% if row:
<dl class="known">
% for name, value in row:
<div><dt><bdi>${name}</bdi></dt><dd><bdi>${value or "–"}</bdi></dd></div>
% endfor
</dl>
% else:
<p class="empty">No Demographics manifest names this participant.</p>
% endif
</section>
% if findings:
<section aria-labelledby="fix-title">
<h2 id="fix-title">What to fix</h2>
<div class="wide" tabindex="0" role="region" aria-label="Table of what to fix">
<table class="stacked">
<thead><tr><th scope="col">Finding</th><th scope="col">How to fix it</th><th scope="col">Where</th><th scope="col">Column</th><th scope="col">Rows</th></tr></thead>
<tbody>
% for one in findings:
<tr><th scope="row" data-label="Finding">${words.severity(one["severity"])} ${one["message"]}</th><td data-label="How to fix it"><a href="${root}checks/${one["code"].lower()}/"><code>${one["code"]}</code></a></td><td data-label="Where"><a href="../../${one["page"]}#${one["code"]}"><bdi>${one["component"] or one["manifest"]}</bdi> (<bdi>${one["manifest"]}</bdi>)</a></td><td data-label="Column"><bdi>${one["column"] or "–"}</bdi></td><td data-label="Rows">${words.rows(one["rows"])}</td></tr>
% endfor
</tbody>
</table>
</div>
<p class="small">${f"{count(more_findings)} more are not shown. " if more_findings else ""}This is wrong on the rows of this participant and of its biospecimens; the <a href="../../fix/">fix list of <bdi>${atlas}</bdi></a> has everything.</p>
</section>
% endif
<section aria-labelledby="lineage-title">
<h2 id="lineage-title">Lineage</h2>
% if samples or person["files"]:
${diagrams.tree(diagram, person["id"])}
% if samples:
<div class="wide" tabindex="0" role="region" aria-label="Table of the biospecimens">
<table>
<thead><tr><th scope="col">Biospecimen</th><th scope="col">Taken from</th><th scope="col">Files made of it</th></tr></thead>
<tbody>
% for name, address, above, files in samples:
<tr><th scope="row"><a href="${root}find/?id=${address}"><bdi>${name}</bdi></a></th><td><bdi>${above}</bdi></td><td>\
% for other, number in files:
${count(number)} × ${tables[other][0]}${"" if loop.last else ", "}\
% endfor
${"" if files else "none"}</td></tr>
% endfor
</tbody>
</table>
</div>
% if person["biospecimens"] > len(samples):
<p class="small">${count(person["biospecimens"] - len(samples))} more biospecimens.</p>
% endif
% endif
% else:
<p class="empty">Nothing comes from this participant yet.</p>
% endif
<p class="small"><a href="${root}find/?id=${search}">Look up the ids one by one</a></p>
</section>
% if levels:
<section aria-labelledby="levels-title">
<h2 id="levels-title">Levels</h2>
<div class="wide" tabindex="0" role="region" aria-label="Table of the levels">
<table>
<thead><tr><th scope="col">Assay</th><th scope="col">Levels, with data files of each</th></tr></thead>
<tbody>
% for family, some in levels:
<tr><th scope="row"><bdi>${family}</bdi></th><td><ul class="levels">\
% for level, number in some:
<li class="${"missing" if number is None else "there" if number else "none"}">Level ${level}: ${"missing" if number is None else count(number) if number else "none"}</li>\
% endfor
</ul></td></tr>
% endfor
</tbody>
</table>
</div>
<p class="small">A level is <em>missing</em> if it has no files, but files of a higher level come from it.</p>
</section>
% endif
<section aria-labelledby="manifests-title">
<h2 id="manifests-title">Manifests</h2>
<ul>
% for entity, address, label, number in manifests:
<li><a href="../../${address}"><bdi>${label}</bdi> (<bdi>${entity}</bdi>)</a>${f", {plural(number, 'id')}" if number else ""}</li>
% endfor
</ul>
</section>
% if timelines:
<section aria-labelledby="timeline-title">
<h2 id="timeline-title">Timeline</h2>
${charts.timelines(timelines)}
</section>
% endif
