<%inherit file="base.mako"/>
<%def name="description()">The atlases side by side: records of each component, findings of each check, completeness.</%def>
<%def name="heads(first, *more)">
<thead><tr>
<th scope="col">${first}</th>
% for name in more:
<th scope="col" class="minor">${name}</th>
% endfor
% for atlas in atlases:
<th scope="col" class="number"><bdi>${atlas}</bdi></th>
% endfor
</tr></thead>
</%def>
<h1>Atlases side by side</h1>
<nav class="tabs" aria-label="Sections of this page"><ul>
<li><a href="#components">Components</a></li>
<li><a href="#checks">Checks</a></li>
<li><a href="#completeness">Completeness</a></li>
</ul></nav>

<section id="components" aria-labelledby="components-title">
<h2 id="components-title">Records by component</h2>
% if rows:
<div class="wide pinned" tabindex="0" role="region" aria-label="Records by component and atlas">
<table class="sortable filterable" data-name="components">
${heads("Component", "Group", "Level")}
<tbody>
% for row in rows:
<tr><th scope="row"><bdi>${row.label}</bdi></th><td class="minor">${row.group or "–"}</td><td class="minor">${row.level or "–"}</td>\
% for held in row.held:
% if held:
<td class="number">${count(held.records)}</td>\
% else:
<td class="number none" data-value="-1">–</td>\
% endif
% endfor
</tr>
% endfor
</tbody>
<tfoot><tr><th scope="row">All</th><td class="minor"></td><td class="minor"></td>\
% for held in totals:
<td class="number">${count(held.records)}</td>\
% endfor
</tr></tfoot>
</table>
</div>
% else:
<p class="empty">There is no metadata file in any atlas.</p>
% endif
</section>

<section id="checks" aria-labelledby="checks-title">
<h2 id="checks-title">Findings by check</h2>
<p>Errors and warnings together; each leads to its check on the page of the atlas.</p>
<div class="wide pinned" tabindex="0" role="region" aria-label="Findings by check and atlas">
<table class="sortable" data-name="checks">
${heads("Check")}
<tbody>
% for code, name, url, counts in found:
<tr><th scope="row"><a href="${root}${url}"><code>${code}</code></a></th>\
% for (errors, warnings), address in zip(counts, atlases.values()):
% if errors or warnings:
<td class="number ${"error" if errors else "warning"}"><a href="${root}${address}/#${code}">${count(errors + warnings)}</a></td>\
% else:
<td class="number none">0</td>\
% endif
% endfor
</tr>
% endfor
</tbody>
</table>
</div>
</section>

<section id="completeness" aria-labelledby="completeness-title">
<h2 id="completeness-title">Completeness by component</h2>
% if rows:
<p>The share of the cells of metadata that hold a value.</p>
<div class="wide pinned" tabindex="0" role="region" aria-label="Completeness by component and atlas">
<table class="sortable filterable" data-name="completeness">
${heads("Component")}
<tbody>
% for row in rows:
<tr><th scope="row"><bdi>${row.label}</bdi></th>\
% for held in row.held:
% if held and held.cells:
<td class="number" data-value="${held.filled / held.cells}">${percent(held.filled, held.cells)}</td>\
% else:
<td class="number none" data-value="-1">–</td>\
% endif
% endfor
</tr>
% endfor
</tbody>
<tfoot><tr><th scope="row">All</th>\
% for held in totals:
<td class="number">${percent(held.filled, held.cells)}</td>\
% endfor
</tr></tfoot>
</table>
</div>
% else:
<p class="empty">There is no metadata file in any atlas.</p>
% endif
</section>
