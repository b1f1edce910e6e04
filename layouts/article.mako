<%inherit file="base.mako"/>
<%def name="title()">${matter["title"]}</%def>
<%def name="description()">${matter["description"] or matter["title"]}</%def>
<article class="text">
<h1>${matter["title"]}</h1>
% if matter["date"]:
<p class="small"><time datetime="${matter["date"]}">${matter["date"]}</time></p>
% endif
${body}
</article>
