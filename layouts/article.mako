<%inherit file="base.mako"/>
<%namespace name="words" file="partials/words.mako"/>
<%def name="title()">${matter["title"]}</%def>
<%def name="description()">${matter["description"] or matter["title"]}</%def>
<article class="text">
<h1>${matter["title"]}${words.unpublished(unpublished)}</h1>
% if matter["date"]:
<p class="small"><time datetime="${matter["date"]}">${matter["date"]}</time></p>
% endif
% if len(contents) > 2:
<nav class="contents" aria-label="On this page">
${headings(contents)}
</nav>
% endif
${body}
% if tags:
<p class="small">Tags: \
% for tag, address in tags:
<a href="${root}tags/${address}/">${tag}</a>${"" if loop.last else ", "}\
% endfor
</p>
% endif
</article>
% if before or after:
<nav aria-label="Articles before and after"><ul>
% if before:
<li><a href="${root}${before[1]}" rel="prev">← ${before[0]["title"]}</a>${words.unpublished(before[0]["unpublished"])}</li>
% endif
% if after:
<li><a href="${root}${after[1]}" rel="next">${after[0]["title"]} →</a>${words.unpublished(after[0]["unpublished"])}</li>
% endif
</ul></nav>
% endif
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
