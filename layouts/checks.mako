<%inherit file="base.mako"/>
<%namespace name="words" file="partials/words.mako"/>
<%def name="description()">The checks of the dashboard: what each wants.</%def>
<h1>Checks</h1>
<p>Each atlas is checked in these ways. An error must be corrected; a warning should be looked at.</p>
<div class="wide" tabindex="0" role="region" aria-label="The checks">
<table>
<thead><tr><th scope="col">Check</th><th scope="col">Passes when</th><th scope="col">Reports</th><th scope="col" class="number">Findings</th></tr></thead>
<tbody>
% for check, url, found in rows:
<tr><th scope="row"><a href="${url}"><code>${check.CODE}</code></a></th><td>${check.TITLE}</td><td>${words.severity(check.SEVERITY)}</td><td class="number">${count(found)}</td></tr>
% endfor
</tbody>
</table>
</div>
