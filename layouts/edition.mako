<%inherit file="base.mako"/>
<%namespace name="words" file="partials/words.mako"/>
<%def name="description()">${said}</%def>
<%def name="atlas(id)">\
% if id in atlases:
<a href="${root}${atlases[id]}"><bdi>${id}</bdi></a>\
% else:
<bdi>${id}</bdi>\
% endif
</%def>
<%def name="check(code)">\
% if code in helps:
<a href="${root}${helps[code]}" title="${titles.get(code, code)}"><code>${code}</code></a>\
% else:
<code>${code}</code>\
% endif
</%def>
<%def name="total(label, name, write)"><div><dt>${label}</dt><dd>${write(edition["totals"][name])}\
% if name in edition["risen"]:
 <small class="change">${signed(edition["risen"][name], write)}</small>\
% endif
</dd></div></%def>
<%def name="cell(held, risen, name, write)"><td class="number">${write(held[name]) if held else "–"}\
% if name in risen:
 <small class="change">${signed(risen[name], write)}</small>\
% endif
</td></%def>
<nav class="crumbs" aria-label="Where you are"><a href="../">Changes</a> › ${clock(edition["when"])}</nav>
<h1>What changed on <time datetime="${edition["when"]}">${clock(edition["when"])}</time></h1>
<p>${said}
% if older:
Compared with <a href="${older}">the edition of ${clock(edition["before"])}</a>.
% endif
</p>
<dl class="figures many">
${total("Data files", "files", count)}
${total("Size", "bytes", size)}
${total("Manifests", "manifests", count)}
${total("Records", "records", count)}
${total("Participants", "participants", count)}
${total("Biospecimens", "biospecimens", count)}
${total("Errors", "errors", count)}
${total("Warnings", "warnings", count)}
</dl>
<% rows = [id for id in (*edition["atlases"], *edition["gone"]) if id in edition["changes"] or not edition["before"]] %>
% if rows:
<h2>Atlases</h2>
<div class="wide" tabindex="0" role="region" aria-label="Atlases">
<table>
<thead><tr><th scope="col">Atlas</th><th scope="col" class="number">Files</th><th scope="col" class="number">Size</th><th scope="col" class="number">Manifests</th><th scope="col" class="number">Records</th><th scope="col" class="number">Participants</th><th scope="col" class="number">Biospecimens</th><th scope="col" class="number">Complete</th><th scope="col" class="number">Errors</th><th scope="col" class="number">Warnings</th></tr></thead>
<tbody>
% for id in rows:
<% held = edition["atlases"].get(id, {}).get("figures"); risen = edition["changes"].get(id, {}).get("risen", {}) %>
<tr><th scope="row">${atlas(id)}${" new" if id in edition["arrived"] else " gone" if id in edition["gone"] else ""}</th>\
${cell(held, risen, "files", count)}${cell(held, risen, "bytes", size)}${cell(held, risen, "manifests", count)}${cell(held, risen, "records", count)}${cell(held, risen, "participants", count)}${cell(held, risen, "biospecimens", count)}\
<td class="number">${percent(held["filled"], held["cells"]) if held else "–"}</td>${cell(held, risen, "errors", count)}${cell(held, risen, "warnings", count)}</tr>
% endfor
</tbody>
</table>
</div>
% endif
% if edition["before"] and len(edition["atlases"]) > len([id for id in rows if id not in edition["gone"]]):
<p class="small">${plural(len(edition["atlases"]) - len([id for id in rows if id not in edition["gone"]]), "atlas has", "atlases have")} the figures of before.</p>
% endif
% if edition.get("uncompared"):
<p class="small">Of ${", ".join(edition["uncompared"])}, only the figures were compared: which manifests and findings the edition before had is not known.</p>
% endif
<h2>Findings</h2>
% if moved:
<div class="wide" tabindex="0" role="region" aria-label="New and fixed findings">
<table>
<caption class="unseen">New and fixed findings</caption>
<thead><tr><th scope="col">Atlas</th><th scope="col">Check</th><th scope="col" class="number">New</th><th scope="col" class="number">Fixed</th><th scope="col" class="number">Still open</th><th scope="col">Since</th></tr></thead>
<tbody>
% for one in moved:
<tr><th scope="row">${atlas(one.atlas)}</th><td>${check(one.code)}</td><td class="number${" error" if one.new else ""}">${count(one.new)}</td><td class="number">${count(one.fixed)}</td><td class="number">${count(one.errors + one.warnings)}</td><td class="since">${one.since[:10] or "–"}</td></tr>
% endfor
</tbody>
</table>
</div>
% elif edition["before"]:
<p class="empty">No finding is new, and none was fixed.</p>
% endif
% if open:
<details${"" if edition["before"] else " open" | n}><summary>All that is open, since when</summary>
<div class="wide" tabindex="0" role="region" aria-label="All that is open">
<table>
<thead><tr><th scope="col">Atlas</th><th scope="col">Check</th><th scope="col" class="number">Errors</th><th scope="col" class="number">Warnings</th><th scope="col">Since</th></tr></thead>
<tbody>
% for one in open:
<tr><th scope="row">${atlas(one.atlas)}</th><td>${check(one.code)}</td><td class="number${" error" if one.errors else ""}">${count(one.errors)}</td><td class="number${" warning" if one.warnings else ""}">${count(one.warnings)}</td><td class="since">${one.since[:10]}</td></tr>
% endfor
</tbody>
</table>
</div>
</details>
% else:
<p class="empty">No check finds anything.</p>
% endif
% if manifests:
<h2>Manifests</h2>
<div class="wide" tabindex="0" role="region" aria-label="Manifests">
<table>
<thead><tr><th scope="col">Atlas</th><th scope="col">What happened</th><th scope="col">Component</th><th scope="col">Manifest</th></tr></thead>
<tbody>
% for id, how, component, entity, former in manifests:
<tr><th scope="row">${atlas(id)}</th><td>${how}</td><td><bdi>${component}</bdi></td><td>${words.entity(entity)}${" in place of " if former else ""}${words.entity(former) if former else ""}</td></tr>
% endfor
</tbody>
</table>
</div>
% if more:
<p class="small">${plural(more, "more manifest")} changed.</p>
% endif
% endif
<% fresh = [(id, some["components"]) for id, some in edition["changes"].items() if some.get("components")] %>
% if fresh:
<h2>Components that appear for the first time</h2>
<ul>
% for id, components in fresh:
<li>${atlas(id)}: ${", ".join(components)}</li>
% endfor
</ul>
% endif
