<%inherit file="base.mako"/>
<%namespace name="words" file="partials/words.mako"/>
<%def name="head()">
<link rel="alternate" type="application/rss+xml" title="${matter["title"]}" href="index.xml">
</%def>
<%def name="title()">${matter["title"]}</%def>
<%def name="description()">${matter.get("description") or matter["title"]}</%def>
<h1>${matter["title"]}</h1>
<div class="text">${body}</div>
${words.articles(articles, root)}
% if not articles:
<p class="empty">There is no article here yet.</p>
% endif
