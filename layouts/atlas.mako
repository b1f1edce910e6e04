<%inherit file="base.mako"/>
<%namespace name="words" file="partials/words.mako"/>
<%namespace name="charts" file="partials/charts.mako"/>
<%def name="title()">${summary["id"]} ${summary["name"]}</%def>
<%def name="description()">${summary["name"]}: ${plural(summary["files"], "file")}, ${plural(summary["errors"], "error")}, ${plural(summary["warnings"], "warning")}.</%def>
<nav class="crumbs" aria-label="Where you are"><a href="${root}">Atlases</a> › <bdi>${summary["id"]}</bdi></nav>
<h1><bdi>${summary["id"]}</bdi> <small><bdi>${summary["name"]}</bdi></small></h1>
<p class="small">Synapse project ${words.entity(summary["synapse_id"])} · liaison <bdi>${summary["liaison"] or "unknown"}</bdi></p>
${words.notice(notice)}
${words.crashed(crashed)}
<dl class="figures">
<div><dt>Data files</dt><dd>${count(summary["files"])}</dd></div>
<div><dt>Size</dt><dd>${size(summary["bytes"])}</dd></div>
<div><dt>Metadata complete</dt><dd>${percent(summary["filled"], summary["cells"])}</dd></div>
<div><dt>Findings</dt><dd>${words.findings(summary["errors"], summary["warnings"])}</dd></div>
</dl>
<nav class="tabs" aria-label="Sections of this page"><ul>
<li><a href="#metadata">Metadata files</a></li>
<li><a href="#validation">Validation</a></li>
<li><a href="#completeness">Completeness</a></li>
<li><a href="#longitudinal">Longitudinal</a></li>
<li><a href="#paths">Path check</a></li>
<li><a href="#network">Network</a></li>
</ul></nav>

<section id="metadata" aria-labelledby="metadata-title">
<h2 id="metadata-title">Metadata files</h2>
<p>${plural(summary["records"], "record")} in ${plural(len(manifests), "manifest")}: ${plural(summary["participants"], "participant")}, ${plural(summary["biospecimens"], "biospecimen")}.
Data files: \
% for name in types:
${name} ${count(summary["types"][name]["files"])} (${size(summary["types"][name]["bytes"])})${", " if not loop.last else "."}\
% endfor
</p>
<p><a href="participants/">The participants one by one</a>, and <a href="lineage/">what comes from what, in figures</a>.</p>
% if manifests:
<div class="wide" tabindex="0" role="region" aria-label="Table of the manifests">
<table class="sortable filterable stacked" data-name="manifests">
<thead><tr><th scope="col">Component</th><th scope="col">Manifest</th><th scope="col" class="number">Records</th><th scope="col" class="number">Complete</th><th scope="col" class="number">Errors</th><th scope="col" class="number">Warnings</th></tr></thead>
<tbody>
% for manifest in manifests:
<tr>
<th scope="row"><bdi>${manifest["label"] or manifest["component"]}</bdi></th>
<td class="path"><a href="${pages[manifest["id"]]}"><bdi>${manifest["path"]}</bdi></a></td>
<td class="number" data-label="Records">${count(manifest["records"])}</td>
<td class="number" data-label="Complete" data-value="${manifest["filled"] / (manifest["cells"] or 1)}">${words.share(manifest["filled"], manifest["cells"])}</td>
<td class="number${" error" if manifest["errors"] else ""}" data-label="Errors">${count(manifest["errors"])}</td>
<td class="number${" warning" if manifest["warnings"] else ""}" data-label="Warnings">${count(manifest["warnings"])}</td>
</tr>
% endfor
</tbody>
</table>
</div>
% else:
<p class="empty">There is no metadata file in this atlas.</p>
% endif
</section>

<section id="validation" aria-labelledby="validation-title">
<h2 id="validation-title">Validation</h2>
<p><a class="button" href="fix/">What to fix, by cause</a><a class="button" href="findings.csv" download>All findings as CSV</a></p>
% for check in checks:
<details class="check" id="${check["code"]}"${" open" if check["errors"] or check["warnings"] else ""}>
<summary><code>${check["code"]}</code> <span class="title">${check["title"]}</span> \
% if check["crashed"]:
<span class="severity error">not completed</span>\
% else:
${words.findings(check["errors"], check["warnings"])}\
% endif
</summary>
<p class="small"><a href="${root}checks/${check["code"].lower()}/">What this check wants, and what to do</a></p>
% if check["groups"]:
<ul class="groups">
% for group in check["groups"][:groups_shown]:
<li>${words.severity(group["severity"])} ${group["message"]}
<span class="where">\
% if group["manifest"] in pages:
<a href="${pages[group["manifest"]]}#${check["code"]}"><bdi>${group["component"] or group["manifest"]}</bdi></a>\
% elif group["manifest"]:
${words.entity(group["manifest"])}\
% endif
% if group["column"]:
 column <bdi>${group["column"]}</bdi>\
% endif
% if group["rows"]:
 ${"rows" if group["count"] > 1 else "row"} ${", ".join(map(count, group["rows"]))}${" …" if group["count"] > len(group["rows"]) else ""}\
% endif
</span>
% if group["count"] > 1:
<span class="count">${count(group["count"])} times</span>
% endif
% if any(group["values"]):
<span class="values">\
% for value in group["values"]:
% if value:
<code><bdi>${value}</bdi></code> \
% endif
% endfor
</span>
% endif
% if group["expected"]:
<span class="expected">expected: ${group["expected"]}</span>
% endif
</li>
% endfor
</ul>
% if len(check["groups"]) > groups_shown:
<p class="small">${plural(len(check["groups"]) - groups_shown, "more group")} of findings: see the pages of the manifests, or the CSV.</p>
% endif
% endif
</details>
% endfor
</section>

<section id="completeness" aria-labelledby="completeness-title">
<h2 id="completeness-title">Completeness</h2>
% for matrix in matrices:
${charts.matrix(matrix, "completeness-" + matrix.key + ".csv")}
% endfor
% if not matrices:
<p class="empty">No participants or biospecimens yet.</p>
% endif
</section>

<section id="longitudinal" aria-labelledby="longitudinal-title">
<h2 id="longitudinal-title">Longitudinal</h2>
% if timelines:
<p>Therapies and samples of ${plural(timelines_count, "participant")}; day 0 is the first event of each.\
% if timelines_count > len(timelines):
 The first ${len(timelines)} are here; <a href="timeline/">all are on pages of their own</a>.\
% else:
 They have <a href="timeline/">a page of their own</a>, too.\
% endif
</p>
${charts.timelines(timelines)}
% else:
<p class="empty">No manifest tells the days of a therapy or a sample.</p>
% endif
</section>

<section id="paths" aria-labelledby="paths-title">
<h2 id="paths-title">Path check</h2>
<p>For each folder at the root of the project: data files that carry a <code>Component</code> annotation, and those that do not.</p>
<div class="wide" tabindex="0" role="region" aria-label="Table of the root folders">
<table class="sortable">
<thead><tr><th scope="col">Root folder</th><th scope="col">Synapse</th><th scope="col" class="number">With annotation</th><th scope="col" class="number">Without</th><th scope="col" class="number">Size</th></tr></thead>
<tbody>
% for folder in folders["roots"]:
<tr><th scope="row" class="path">\
% if folder["name"]:
<bdi>${folder["name"]}</bdi>\
% else:
<em>the project itself</em>\
% endif
</th><td>${words.entity(folder["id"])}</td><td class="number">${count(folder["annotated"])}</td><td class="number${" warning" if folder["plain"] else ""}">${count(folder["plain"])}</td><td class="number" data-value="${folder["bytes"]}">${size(folder["bytes"])}</td></tr>
% endfor
</tbody>
</table>
</div>
% if folders["archives"]:
<p>Left out of everything, as archives: \
% for folder in folders["archives"]:
<bdi>${folder["name"]}</bdi> (${words.entity(folder["id"])}, ${plural(folder["files"], "file")})${", " if not loop.last else "."}\
% endfor
</p>
% endif
% if folders["left_out"]:
<p>Files that are left out because of their names: \
% for name in folders["left_out"]:
<code>${name["name"]}</code> (${plural(name["files"], "file")})${", " if not loop.last else "."}\
% endfor
</p>
% endif
% if folders["superseded"]:
<h3 id="superseded">Manifests that are not used</h3>
<p>Of each component, the newest manifest of a folder is used. A censored manifest is not used if the folder also holds the whole manifest, and <code>synapse_storage_manifest.csv</code> is not used if the folder holds another manifest.</p>
<div class="wide" tabindex="0" role="region" aria-label="Table of the manifests that are not used">
<table class="sortable">
<thead><tr><th scope="col">Manifest</th><th scope="col">Synapse</th><th scope="col">Component</th><th scope="col">Why</th><th scope="col">Used instead</th></tr></thead>
<tbody>
% for manifest in folders["superseded"][:superseded_shown]:
<tr><th scope="row" class="path"><bdi>${manifest["path"]}</bdi></th><td>${words.entity(manifest["id"])}</td><td><bdi>${manifest["component"]}</bdi></td><td>${superseded_because[manifest["reason"]]}</td><td>${words.entity(manifest["by"])}</td></tr>
% endfor
</tbody>
</table>
</div>
% if len(folders["superseded"]) > superseded_shown:
<p>${count(len(folders["superseded"]) - superseded_shown)} more are in <a href="atlas.json">the JSON file of this page</a>.</p>
% endif
% endif
</section>

<section id="network" aria-labelledby="network-title">
<h2 id="network-title">Network download</h2>
<p><a class="button" href="network.sif" download>Network as SIF</a> Participants, biospecimens and files, and what comes from what, for <a href="https://cytoscape.org/" rel="noreferrer">Cytoscape</a>.</p>
<p><a class="button" href="atlas.json">All of this page as JSON</a> For scripts; its fields are the same from build to build.</p>
</section>
