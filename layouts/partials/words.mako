## Small pieces that several pages share.
<%def name="severity(name)"><span class="severity ${name}">${name}</span></%def>

<%def name="findings(errors, warnings)">\
% if errors:
<span class="severity error">${plural(errors, "error")}</span>\
% endif
% if warnings:
 <span class="severity warning">${plural(warnings, "warning")}</span>\
% endif
% if not errors and not warnings:
<span class="severity passed">none</span>\
% endif
</%def>

<%def name="share(part, whole)"><span class="share"><meter min="0" max="${whole or 1}" value="${part}">${percent(part, whole)}</meter> <span>${percent(part, whole)}</span></span></%def>

<%def name="entity(id)">\
% if synapse(id):
<a href="${synapse(id)}" rel="noreferrer">${id}</a>\
% else:
<bdi>${id}</bdi>\
% endif
</%def>

<%def name="notice(text)">\
% if text:
<p class="notice failed" role="status">${text}</p>
% endif
</%def>

## A check that raised: its findings are missing, and nobody is to take that for none.
<%def name="crashed(checks)">\
% for check in checks:
<p class="notice failed" role="status"><code>${check["code"]}</code> could not be completed because of an error in the software of this site (${check["error"]} in ${check["file"]}, line ${check["line"]}). Its findings are missing here. The maintainers of the site have to correct this; do not change the manifests because of it.</p>
% endfor
</%def>

## The preview shows what is not on the site, and says so.
<%def name="unpublished(text)">\
% if text:
 <strong class="draft">${text}</strong>\
% endif
</%def>

<%def name="articles(entries, root)">
<ul class="articles">
% for entry, url in entries:
<li><a href="${root}${url}">${entry["title"]}</a>${unpublished(entry["unpublished"])}\
% if entry["date"]:
 <time datetime="${entry["date"]}">${entry["date"]}</time>\
% endif
% if entry["description"]:
<p>${entry["description"]}</p>\
% endif
</li>
% endfor
</ul>
</%def>

<%def name="rows(found)">${", ".join(count(first) if first == last else f"{first:,}–{last:,}" for first, last in found[0]) or "–"}${f" and {found[1]:,} more" if found[1] else ""}</%def>

<%def name="pager(pages, number, root)">
% if len(pages) > 1:
<nav class="pager" aria-label="Pages"><ul>
% for other, url in pages:
<li><a href="${root}${url}"${' aria-current="page"' if other == number else "" | n}>${other}</a></li>
% endfor
</ul></nav>
% endif
</%def>
