## Diagrams of lineage as SVG, drawn from the geometry that the program worked out.
<%def name="tree(diagram, name)">
<figure class="lineage">
<figcaption class="unseen">What comes from ${name}</figcaption>
<div class="wide" tabindex="0" role="region" aria-label="Diagram of the lineage">
<svg role="img" aria-labelledby="tree-title tree-desc" width="${diagram.width + 2}" height="${diagram.height + 2}" viewBox="-1 -1 ${diagram.width + 2} ${diagram.height + 2}">
<title id="tree-title">What comes from ${name}</title>
<desc id="tree-desc">A box for each biospecimen and each kind of data file, and a line from what something comes from. The table below says the same.</desc>
% for path, title in diagram.links:
<path class="link" d="${path}"/>
% endfor
% for node in diagram.nodes:
<g class="${node.kind}"><rect x="${node.x}" y="${node.y}" width="190" height="30" rx="5"/><text x="${node.x + 10}" y="${node.y + 19}">${node.text}</text>${f"<title>{shown(node.title)}</title>" if node.title != node.text else "" | n}</g>
% endfor
</svg>
</div>
% if diagram.left_out:
<p class="small">${plural(diagram.left_out, "biospecimen")} of ${count(diagram.left_out + sum(node.kind == "biospecimen" for node in diagram.nodes) - 1)} stand in one box together.</p>
% endif
<details><summary>The lines as a list</summary><ul>
% for path, title in diagram.links:
<li><bdi>${title}</bdi></li>
% endfor
</ul></details>
</figure>
</%def>

<%def name="steps(steps)">
<figure class="chart">
<figcaption>Where ids come from</figcaption>
<p class="legend small"><svg width="14" height="14" viewBox="0 0 14 14" aria-hidden="true"><rect class="linked" width="14" height="14"/></svg> what it comes from is in the atlas <svg width="14" height="14" viewBox="0 0 14 14" aria-hidden="true"><rect class="outside" width="14" height="14"/></svg> it comes from outside <svg width="14" height="14" viewBox="0 0 14 14" aria-hidden="true"><rect class="broken" width="14" height="14"/></svg> the way back breaks</p>
<div class="wide" tabindex="0" role="region" aria-label="Diagram of the steps">
<svg role="img" aria-labelledby="steps-title steps-desc" width="800" height="${len(steps) * 24 + 4}" viewBox="0 0 800 ${len(steps) * 24 + 4}">
<title id="steps-title">Where ids come from</title>
<desc id="steps-desc">A bar for each kind of id, with the shares of those that lead back and those that do not. The table below has the figures.</desc>
% for number, step in enumerate(steps):
<text class="step" x="240" y="${number * 24 + 16}">${step.label if len(step.label) < 38 else step.label[:37] + "…"}<title>${step.label}</title></text>
% for kind, x, width in step.bars:
<rect class="${kind}" x="${250 + x}" y="${number * 24 + 4}" width="${width}" height="16"/>
% endfor
<text x="660" y="${number * 24 + 16}">${count(step.count)}${f", {percent(step.broken + step.unnamed, step.count)} break" if step.broken + step.unnamed else ""}</text>
% endfor
</svg>
</div>
</figure>
<div class="wide" tabindex="0" role="region" aria-label="Table of the steps">
<table class="sortable">
<thead><tr><th scope="col">Step</th><th scope="col" class="number">Ids</th><th scope="col" class="number">Lead back</th><th scope="col" class="number">From outside</th><th scope="col" class="number">Parent not found</th><th scope="col" class="number">No parent named</th><th scope="col" class="number">Break</th><th scope="col" class="number">Something is derived</th></tr></thead>
<tbody>
% for step in steps:
<% breaks = step.broken + step.unnamed %>\
<tr><th scope="row"><bdi>${step.label}</bdi></th><td class="number">${count(step.count)}</td>\
% if step.kind == "clinical":
<td class="number">–</td><td class="number">–</td><td class="number">–</td><td class="number">–</td><td class="number">–</td>\
% else:
<td class="number">${count(step.linked)}</td><td class="number">${count(step.outside)}</td><td class="number">${count(step.broken)}</td><td class="number">${count(step.unnamed)}</td><td class="number${" error" if breaks else ""}" data-value="${breaks / (step.count or 1)}">${percent(breaks, step.count)}</td>\
% endif
<td class="number" data-value="${step.derived / (step.count or 1)}">${count(step.derived)} (${percent(step.derived, step.count)})</td></tr>
% endfor
</tbody>
</table>
</div>
<p class="small">An id that stands in several manifests counts once. From outside: the parent is of another study (<code>EXT</code>), or there need not be one.</p>
</%def>
