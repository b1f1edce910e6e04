<%inherit file="base.mako"/>
<%def name="title()">${matter["title"]}</%def>
<%def name="description()">${matter.get("description") or matter["title"]}</%def>
<h1>${matter["title"]}</h1>
<div class="text">${body}</div>
<ul class="articles">
% for entry, url in articles:
<li><a href="${root}${url}">${entry["title"]}</a>\
% if entry["date"]:
 <time datetime="${entry["date"]}">${entry["date"]}</time>\
% endif
% if entry["description"]:
<p>${entry["description"]}</p>\
% endif
</li>
% endfor
</ul>
% if not articles:
<p class="empty">There is no article here yet.</p>
% endif
