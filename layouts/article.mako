<%inherit file="base.mako"/>
<%def name="title()">${matter["title"]}</%def>
<%def name="description()">${matter["description"] or matter["title"]}</%def>
<article class="text">
<h1>${matter["title"]}</h1>
% if matter["date"]:
<p class="small"><time datetime="${matter["date"]}">${matter["date"]}</time></p>
% endif
% if len(contents) > 2:
<nav class="contents" aria-label="On this page">
${headings(contents)}
</nav>
% endif
${body}
</article>
<%def name="headings(entries)">
<ul>
% for entry in entries:
<li><a href="#${entry["id"]}">${entry["text"]}</a>
% if entry["children"]:
${headings(entry["children"])}
% endif
</li>
% endfor
</ul>
</%def>
