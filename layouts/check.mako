<%inherit file="base.mako"/>
<%namespace name="words" file="partials/words.mako"/>
<%def name="title()">${check.CODE}: ${check.TITLE}</%def>
<%def name="description()">${check.TITLE}: what the check ${check.CODE} wants, and what to do about its findings.</%def>
<nav class="crumbs" aria-label="Where you are"><a href="../">Checks</a> › ${check.CODE}</nav>
<h1>${check.TITLE} <small><code>${check.CODE}</code> ${words.severity(check.SEVERITY)}</small></h1>
<div class="text">${text}</div>
<h2>Where it finds something now</h2>
<div class="wide" tabindex="0" role="region" aria-label="Where it finds something now">
<table class="sortable">
<thead><tr><th scope="col">Atlas</th><th scope="col" class="number">Errors</th><th scope="col" class="number">Warnings</th></tr></thead>
<tbody>
% for atlas, url, (errors, warnings), crashed in counts:
% if crashed:
<tr><th scope="row"><a href="${root}${url}#${check.CODE}"><bdi>${atlas}</bdi></a></th><td class="error" colspan="2">not completed, because of an error in the software of this site</td></tr>
% else:
<tr><th scope="row"><a href="${root}${url}#${check.CODE}"><bdi>${atlas}</bdi></a></th><td class="number${" error" if errors else ""}">${count(errors)}</td><td class="number${" warning" if warnings else ""}">${count(warnings)}</td></tr>
% endif
% endfor
</tbody>
</table>
</div>
